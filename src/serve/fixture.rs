//! A small model and a wiring that remembers, for the tests of the stages that work with them; pure.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use uuid::Uuid;

use super::*;
use crate::contract::{Bins, Contract, Histogram, Profile, RawContract};
use crate::ingest::RawSchema;
use crate::registry::VerifiedModel;
use crate::scoring::{Calibration, Conformal, Isotonic, LinearKind, LinearModel, Model, Quantile, Scorer, Term};
use crate::types::{ModelName, Timestamp, Version};

const SCHEMA: &str = r#"
schema: rain
columns:
  - {name: temperature, type: float, min: -60, max: 60}
  - {name: humidity, type: float, min: 0, max: 100}
  - {name: station, type: category, values: [north, south]}
  - {name: windy, type: boolean}
  - {name: rain, type: boolean}
  - {name: rained_mm, type: float}
"#;

const CONTRACT: &str = r#"
contract: rain
version: 1.0.0
schema: rain
task: TASK
target: {column: TARGET}
features:
  - {name: temperature, kind: continuous}
  - {name: humidity, kind: continuous}
  - {name: station, kind: nominal}
  - {name: windy, kind: nominal}
forbidden:
  - {column: OTHER, reason: known only after the event}
slices: [station]
"#;

/// A contract of four features, `rain` (binary) or `rained_mm` (regression).
pub(crate) fn a_contract(binary: bool) -> Contract {
    let (task, target, other) =
        if binary { ("binary", "rain", "rained_mm") } else { ("regression", "rained_mm", "rain") };
    let text = CONTRACT.replace("TASK", task).replace("TARGET", target).replace("OTHER", other);
    let schema: RawSchema = crate::yaml::read("schemas/rain.yaml", SCHEMA).unwrap();
    let contract: RawContract = crate::yaml::read("contracts/rain.yaml", text).unwrap();
    contract.check(&schema.check().unwrap()).unwrap()
}

fn a_histogram(name: &str, bins: Bins) -> Histogram {
    Histogram { name: name.to_owned(), counts: vec![1; bins.len()], bins, importance: 0.25 }
}

/// Five bins for a number, from 0 to `scale`.
fn numeric(scale: f64) -> Bins {
    Bins::Numeric { edges: [0.2, 0.4, 0.6, 0.8].map(|edge| edge * scale).to_vec(), groups: vec![0, 1, 2, 3, 4] }
}

fn words(words: [&str; 2]) -> Bins {
    Bins::Categorical { values: words.map(str::to_owned).to_vec(), groups: (0..words.len() as u32).collect() }
}

/// A version whose probability is `share` of the humidity.
pub(crate) fn a_model(version: Version, share: f64) -> Arc<Predictor> {
    let model = linear(LinearKind::Logistic, 1, 100.0, share);
    let as_it_is = Isotonic::new(vec![0.0, 1.0], vec![0.0, 1.0]).unwrap();
    a_predictor(a_contract(true), version, Scorer::new(model, Calibration::Isotonic(as_it_is)).unwrap())
}

/// A version whose probability is `share` of the humidity, under a later contract with other places for features and words.
pub(crate) fn a_moved_model(version: Version, contract: Version, share: f64) -> Arc<Predictor> {
    let (station, humidity) = ("  - {name: station, kind: nominal}\n", "  - {name: humidity, kind: continuous}\n");
    let text = CONTRACT
        .replace("1.0.0", &contract.to_string())
        .replace("TASK", "binary")
        .replace("TARGET", "rain")
        .replace("OTHER", "rained_mm");
    let text = text.replace(station, "").replace(humidity, &format!("{station}{humidity}"));
    let schema: RawSchema = crate::yaml::read("s", SCHEMA.replace("[north, south]", "[east, south, north]")).unwrap();
    let raw: RawContract = crate::yaml::read("c", text).unwrap();
    let model = linear(LinearKind::Logistic, 2, 100.0, share);
    let as_it_is = Isotonic::new(vec![0.0, 1.0], vec![0.0, 1.0]).unwrap();
    let scorer = Scorer::new(model, Calibration::Isotonic(as_it_is)).unwrap();
    let profile = Profile {
        format_version: 1,
        rows: 9,
        features: vec![
            a_histogram("temperature", numeric(50.0)),
            a_histogram(
                "station",
                Bins::Categorical {
                    values: ["east", "south", "north"].map(str::to_owned).to_vec(),
                    groups: vec![0, 1, 2],
                },
            ),
            a_histogram("humidity", numeric(100.0)),
            a_histogram("windy", words(["false", "true"])),
        ],
        score: a_histogram("score", numeric(1.0)),
    };
    let contract = raw.check(&schema.check().unwrap()).unwrap();
    Arc::new(Predictor::new(Arc::new(VerifiedModel::stand_in(contract, profile, version, scorer))))
}

/// A version that says the temperature so many times, give or take 1.
pub(crate) fn a_regression(version: Version, times: f64) -> Arc<Predictor> {
    let model = linear(LinearKind::Linear, 0, 1.0, times);
    let one = Conformal::new(0.9, vec![Quantile { level: 0.9, residual: 1.0 }]).unwrap();
    a_predictor(a_contract(false), version, Scorer::new(model, Calibration::Conformal(one)).unwrap())
}

fn linear(kind: LinearKind, feature: usize, scale: f64, weight: f64) -> Model {
    Model::Linear(LinearModel::new(kind, 4, vec![Term::Scaled { feature, mean: 0.0, scale, weight }], 0.0).unwrap())
}

fn a_predictor(contract: Contract, version: Version, scorer: Scorer) -> Arc<Predictor> {
    let profile = Profile {
        format_version: 1,
        rows: 9,
        features: vec![
            a_histogram("temperature", numeric(50.0)),
            a_histogram("humidity", numeric(100.0)),
            a_histogram("station", words(["north", "south"])),
            a_histogram("windy", words(["false", "true"])),
        ],
        score: a_histogram("score", numeric(1.0)),
    };
    Arc::new(Predictor::new(Arc::new(VerifiedModel::stand_in(contract, profile, version, scorer))))
}

/// A champion and perhaps a candidate.
pub(crate) fn serving(champion: Arc<Predictor>, candidate: Option<Arc<Predictor>>) -> Arc<Serving> {
    Arc::new(Serving { champion, candidate, apart: None })
}

/// Whoever was put there.
pub(crate) struct Fixed(pub(crate) Option<Arc<Serving>>);

/// Breaks at the first look.
pub(crate) struct Defect {
    pub(crate) serving: Arc<Serving>,
    pub(crate) looks: std::sync::atomic::AtomicU64,
}

impl Champion for Defect {
    fn current(&self) -> Current {
        match self.looks.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
            0 => panic!("a secret"),
            _ => Current::from_inner(Some(self.serving.clone())),
        }
    }
}

impl Champion for Fixed {
    fn current(&self) -> Current {
        Current::from_inner(self.0.clone())
    }
}

/// A clock that a test sets; each look at its microseconds takes one.
pub(crate) struct Hands {
    now: Mutex<Timestamp>,
    micros: std::sync::atomic::AtomicU64,
}

impl Hands {
    pub(crate) fn at(text: &str) -> Arc<Hands> {
        Arc::new(Hands { now: Mutex::new(text.parse().unwrap()), micros: Default::default() })
    }

    pub(crate) fn set(&self, now: Timestamp) {
        *self.now.lock().unwrap() = now;
    }
}

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        *self.now.lock().unwrap()
    }

    fn micros(&self) -> u64 {
        self.micros.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
    }
}

/// Remembers what it is told, in order.
#[derive(Default)]
pub(crate) struct Memo {
    pub(crate) told: Mutex<Vec<String>>,
    pub(crate) labels: Mutex<BTreeMap<Uuid, f64>>,
}

impl Memo {
    fn tell(&self, what: String) {
        self.told.lock().unwrap().push(what);
    }

    pub(crate) fn all(&self) -> Vec<String> {
        self.told.lock().unwrap().clone()
    }
}

fn kind(answer: &Answer) -> &'static str {
    match answer {
        Answer::Scored { .. } => "scored",
        Answer::Refused(_) => "refused",
    }
}

impl EventSink for Memo {
    fn answered(&self, answered: &Answered<'_>) -> Result<Recorded, SinkError> {
        self.tell(format!("event {}", kind(answered.answer)));
        Ok(Recorded { at: answered.at, on_disk: acknowledged() })
    }

    fn shadowed(&self, shadowed: &Shadowed<'_>) -> Result<(), SinkError> {
        self.tell(format!("shadow {}", shadowed.candidate.version()));
        Ok(())
    }

    fn inferred(&self, inferred: &Inferred<'_>, _: Timestamp) -> Result<Option<Acknowledged>, SinkError> {
        self.tell(format!("inferred {}", inferred.reference.version()));
        Ok(Some(acknowledged()))
    }
}

impl Counter for Memo {
    fn answered(&self, answered: &Answered<'_>) {
        self.tell(format!("count {}", kind(answered.answer)));
    }

    fn shadowed(&self, shadowed: &Shadowed<'_>) {
        self.tell(format!("count shadow {}", shadowed.candidate.version()));
    }

    fn inferred(&self, inferred: &Inferred<'_>) {
        self.tell(format!("count inferred {}", inferred.reference.version()));
    }

    fn unrecorded(&self, _: Timestamp) {
        self.tell("count unrecorded".to_owned());
    }

    fn missed(&self, _: Timestamp, candidate: &Predictor, why: Missed) {
        self.tell(format!("{} {}", why.as_str(), candidate.version()));
    }
}

impl Mirror for Memo {
    fn offer(&self, job: ShadowJob) -> Result<(), Missed> {
        self.tell(format!("mirror {}", job.candidate.version()));
        Ok(())
    }
}

impl LabelSink for Memo {
    fn labelled(&self, _: &ModelName, truths: &[Truth], _: Timestamp) -> Result<Labelled, SinkError> {
        self.labels.lock().unwrap().extend(truths.iter().map(|truth| (truth.request_id, truth.label)));
        let outcomes = Outcomes { new: truths.len() as u64, ..Outcomes::default() };
        Ok(Labelled { outcomes, on_disk: acknowledged() })
    }
}

/// Routes over a memo.
pub(crate) fn a_wiring(serving: Option<Arc<Serving>>) -> (Wiring, Arc<Memo>) {
    let memo = Arc::new(Memo::default());
    let wiring = Wiring {
        clock: Hands::at("2026-11-21T10:00:00Z"),
        champion: Arc::new(Fixed(serving)),
        events: memo.clone(),
        counter: memo.clone(),
        labels: memo.clone(),
        mirror: memo.clone(),
    };
    (wiring, memo)
}

/// The routes of a server that answers for this one model.
pub(crate) fn routes_of(wiring: Wiring) -> Routes {
    routes(Models::new("rain".parse().unwrap(), wiring))
}

/// The body of a request that the contract admits.
pub(crate) fn a_request(humidity: f64, id: Option<Uuid>) -> String {
    let id = id.map(|id| format!(r#","request_id":"{id}""#)).unwrap_or_default();
    format!(r#"{{"features":{{"temperature":21.5,"humidity":{humidity},"station":"south","windy":true}}{id}}}"#)
}
