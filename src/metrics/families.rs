//! Every metric there is: its name, what it says, and where its samples come from; pure.

use std::collections::BTreeMap;

use super::exposition::{Family, Histogram, Labels, Samples};
use crate::console::Gauges;
use crate::contract::Task;
use crate::log::Backlog;
use crate::serve::{Meter, Role, Tally};
use crate::types::{Check, ModelName, Timestamp, Verdict, Version};

/// A model as this process has it.
pub(super) struct Served {
    pub(super) model: ModelName,
    /// Who answers here or is watched, and what it predicts.
    pub(super) champion: Option<(Version, Task)>,
    pub(super) candidate: Option<Version>,
    /// What the journal says; nothing if it could not be read.
    pub(super) gauges: Option<Gauges>,
}

/// Everything that is told at one scrape.
pub(super) struct Seen<'a> {
    pub(super) meter: &'a Meter,
    pub(super) served: &'a [Served],
    pub(super) backlog: Backlog,
    pub(super) now: Timestamp,
}

impl Seen<'_> {
    /// Every family, in the order of docs/metrics.md.
    pub(super) fn families(&self) -> Vec<Family> {
        let mut families = self.of_the_process();
        families.extend(self.of_answers());
        families.extend(self.of_shadows_and_labels());
        families.extend(self.of_the_journal());
        families
    }

    fn of_the_process(&self) -> Vec<Family> {
        let request = |(model, role, code, count): (Option<&ModelName>, Role, u16, u64)| {
            let model = model.map_or_else(String::new, ToString::to_string);
            (vec![("model", model), ("code", code.to_string()), ("role", role.as_str().to_owned())], count)
        };
        let waits = self.backlog.since.map_or(0.0, |since| seconds(self.now) - seconds(since)).max(0.0);
        vec![
            infos(
                "regent_build",
                "The version of Regent.",
                vec![vec![("version", env!("CARGO_PKG_VERSION").to_owned())]],
            ),
            counts(
                "regent_requests",
                "Requests by model, status code and role; refused ones included.",
                self.meter.requests().map(request).collect(),
            ),
            gauges(
                "regent_spool_oldest_seconds",
                "How long the oldest event has waited that is not sealed into a part; 0 if none waits.",
                vec![(Vec::new(), waits)],
            ),
            gauges(
                "regent_spool_bytes",
                "Bytes of events and labels that are not sealed into parts.",
                vec![(Vec::new(), self.backlog.bytes as f64)],
            ),
        ]
    }

    fn of_answers(&self) -> Vec<Family> {
        let latency = |tally: &Tally| vec![(Labels::new(), Histogram::from(tally.latency()))];
        let tasks: BTreeMap<&ModelName, Task> =
            self.served.iter().filter_map(|served| Some((&served.model, served.champion?.1))).collect();
        let scores = self.meter.tallies().filter_map(|(model, tally)| {
            let histogram = Histogram::from(tally.scores(*tasks.get(model)?));
            Some((of(model, []), histogram))
        });
        let violations = |tally: &Tally| {
            let violations = tally.violations();
            violations.map(|(code, count)| (vec![("reason", code.as_str().to_owned())], count)).collect()
        };
        let elsewhere = |tally: &Tally| {
            tally.elsewhere().map(|(status, count)| (vec![("status", status.to_owned())], count)).to_vec()
        };
        vec![
            histograms(
                "regent_answer_latency_seconds",
                "From the first byte of a row's request to its answer made; of a batch each row's share.",
                self.each(latency),
            ),
            histograms(
                "regent_score",
                "What was answered to valid rows: a probability in twentieths, or a number with its sum and count alone.",
                scores.collect(),
            ),
            counts(
                "regent_unrecorded",
                "Answers that were given although their events could not be written.",
                self.each(|tally| vec![(Labels::new(), tally.unrecorded())]),
            ),
            counts("regent_violations", "Violations of the contract by reason.", self.each(violations)),
            counts("regent_inferences", "Answers of a model elsewhere that were told.", self.each(elsewhere)),
        ]
    }

    fn of_shadows_and_labels(&self) -> Vec<Family> {
        let latency = |tally: &Tally| vec![(Labels::new(), Histogram::from(tally.shadow_latency()))];
        let missed = |tally: &Tally| {
            tally.missed().map(|(why, count)| (vec![("reason", why.as_str().to_owned())], count)).collect()
        };
        let labels = |tally: &Tally| {
            tally.labels().map(|(outcome, count)| (vec![("outcome", outcome.to_owned())], count)).to_vec()
        };
        vec![
            histograms("regent_shadow_latency_seconds", "How long each score of a candidate took.", self.each(latency)),
            counts(
                "regent_shadow_missed",
                "Rows that a candidate should have scored and did not: dropped because too many waited, or failed.",
                self.each(missed),
            ),
            counts("regent_labels", "Labels by what became of them.", self.each(labels)),
        ]
    }

    fn of_the_journal(&self) -> Vec<Family> {
        let serving = self.served.iter().flat_map(|Served { model, champion, candidate, .. }| {
            let champion = champion.map(|(version, _)| ("champion", version));
            let roles = champion.into_iter().chain(candidate.map(|version| ("candidate", version)));
            roles.map(|(role, version)| of(model, [("version", version.to_string()), ("role", role.to_owned())]))
        });
        let readable =
            self.served.iter().map(|served| (of(&served.model, []), f64::from(u8::from(served.gauges.is_some()))));
        let at = |instant: Option<Timestamp>| instant.map(|at| (Labels::new(), seconds(at))).into_iter().collect();
        let states = |gauges: &Gauges| {
            let states = gauges.versions.iter();
            states
                .map(|(version, state)| vec![("version", version.to_string()), ("state", state.to_string())])
                .collect()
        };
        let verdicts = |gauges: &Gauges| {
            let verdicts = gauges.verdicts.iter();
            verdicts.map(|(about, verdict)| (vec![("about", (*about).to_owned())], number(*verdict))).collect()
        };
        vec![
            infos("regent_serving", "The versions that this process serves and lets shadow.", serving.collect()),
            gauges(
                "regent_records_readable",
                "1 if the journal and the reports it cites could be read.",
                readable.collect(),
            ),
            infos("regent_version_state", "Where every version stands.", self.told(states)),
            gauges(
                "regent_journal_head",
                "The number of the newest entry of the journal.",
                self.told(|gauges| vec![(Labels::new(), gauges.head as f64)]),
            ),
            gauges(
                "regent_journal_last_timestamp_seconds",
                "When the governor wrote the newest entry.",
                self.told(|gauges| at(gauges.last_at)),
            ),
            gauges(
                "regent_judged_until_timestamp_seconds",
                "The end of the newest judged window.",
                self.told(|gauges| at(gauges.judged_until)),
            ),
            gauges(
                "regent_champion_since_timestamp_seconds",
                "Since when the champion is one.",
                self.told(|gauges| at(gauges.champion.map(|(_, since)| since))),
            ),
            gauges(
                "regent_report_verdict",
                "The newest report of each kind: 0 pass, 1 insufficient, 2 error, 3 fail.",
                self.told(verdicts),
            ),
            gauges(
                "regent_gate_value",
                "What the newest candidate measures at each gate, where it is a number.",
                self.gates(|check| check.measurement.value.number()),
            ),
            gauges(
                "regent_gate_threshold",
                "What it is held against there.",
                self.gates(|check| Some(check.threshold)),
            ),
            gauges(
                "regent_gate_verdict",
                "What follows: 0 pass, 1 insufficient, 2 error, 3 fail.",
                self.gates(|check| Some(number(check.verdict))),
            ),
        ]
    }

    /// The samples of each model's tally, under its name.
    fn each<T>(&self, of_one: impl Fn(&Tally) -> Vec<(Labels, T)>) -> Vec<(Labels, T)> {
        let samples = |(model, tally): (&ModelName, Tally)| {
            let model = model.clone();
            of_one(&tally).into_iter().map(move |(labels, sample)| (of(&model, labels), sample))
        };
        self.meter.tallies().flat_map(samples).collect()
    }

    /// The samples of each model whose journal could be read.
    fn told<T: Sample>(&self, of_one: impl Fn(&Gauges) -> Vec<T>) -> Vec<T> {
        let told = self.served.iter().filter_map(|served| Some((&served.model, served.gauges.as_ref()?)));
        told.flat_map(|(model, gauges)| of_one(gauges).into_iter().map(|sample| sample.under(model))).collect()
    }

    /// A number of each gate, none twice.
    fn gates(&self, of_one: impl Fn(&Check) -> Option<f64>) -> Vec<(Labels, f64)> {
        self.told(|gauges| {
            let mut gates = BTreeMap::new();
            for gate in &gauges.gates {
                if let Some(value) = of_one(&gate.check) {
                    let labels = vec![
                        ("version", gate.version.to_string()),
                        ("about", gate.about.to_owned()),
                        ("metric", gate.check.measurement.metric.clone()),
                        ("operator", gate.check.operator.to_string()),
                    ];
                    gates.insert(labels, value);
                }
            }
            gates.into_iter().collect()
        })
    }
}

/// A sample that can be put under a model's name.
trait Sample {
    fn under(self, model: &ModelName) -> Self;
}

impl Sample for Labels {
    fn under(self, model: &ModelName) -> Self {
        of(model, self)
    }
}

impl Sample for (Labels, f64) {
    fn under(self, model: &ModelName) -> Self {
        (of(model, self.0), self.1)
    }
}

fn of(model: &ModelName, more: impl IntoIterator<Item = (&'static str, String)>) -> Labels {
    std::iter::once(("model", model.to_string())).chain(more).collect()
}

fn seconds(at: Timestamp) -> f64 {
    at.micros() as f64 / 1e6
}

fn number(verdict: Verdict) -> f64 {
    match verdict {
        Verdict::Pass => 0.0,
        Verdict::Insufficient => 1.0,
        Verdict::Error => 2.0,
        Verdict::Fail => 3.0,
    }
}

fn counts(name: &'static str, help: &'static str, samples: Vec<(Labels, u64)>) -> Family {
    Family { name, help, samples: Samples::Counts(samples) }
}

fn gauges(name: &'static str, help: &'static str, samples: Vec<(Labels, f64)>) -> Family {
    Family { name, help, samples: Samples::Gauges(samples) }
}

fn infos(name: &'static str, help: &'static str, samples: Vec<Labels>) -> Family {
    Family { name, help, samples: Samples::Infos(samples) }
}

fn histograms(name: &'static str, help: &'static str, samples: Vec<(Labels, Histogram)>) -> Family {
    Family { name, help, samples: Samples::Histograms(samples) }
}
