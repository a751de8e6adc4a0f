//! What can be wrong with evidence, by name. Wherever numbers can be wrong, the real judges see them.

use super::super::scene::*;
use super::Fault;
use super::live::Live;
use crate::drift::Severity;
use crate::govern::*;
use crate::performance::PerformanceReport;
use crate::shadow::ShadowReport;
use crate::types::{Check, Digest, NotComputable, Span, Value, Verdict, Version};

fn live(scene: &mut Scene, change: fn(&mut Live)) {
    match scene.seen.shadow {
        Some(_) => scene.seen.shadow = Some(Live::shadow(change)),
        None => scene.seen.performance = vec![Live::performance(change)],
    }
}

fn shadow(scene: &mut Scene, change: fn(&mut ShadowReport)) {
    change(scene.seen.shadow.as_mut().unwrap());
}

fn performance(scene: &mut Scene, change: fn(&mut PerformanceReport)) {
    change(&mut scene.seen.performance[0]);
}

/// The bundle that is to serve next.
fn next(scene: &mut Scene, change: fn(&mut Bundle)) {
    let version = if scene.seen.shadow.is_some() { NEW } else { OLD };
    scene.seen.bundles.iter_mut().filter(|bundle| bundle.version == version).for_each(change);
}

const fn both(name: &'static str, fault: fn(&mut Scene)) -> Fault {
    Fault { name, promote: fault, roll_back: fault }
}

fn not_a_number() -> Value {
    Value::NotComputable(NotComputable::because("not a finite number"))
}

fn first(checks: &mut [Check]) -> &mut Check {
    checks.first_mut().unwrap()
}

const OTHER: Version = Version::new(3, 2, 1);

pub const FAULTS: &[Fault] = &[
    both("answers are NaN", |scene| live(scene, |live| live.answer(f64::NAN))),
    both("answers are +inf", |scene| live(scene, |live| live.answer(f64::INFINITY))),
    both("answers are -inf", |scene| live(scene, |live| live.answer(f64::NEG_INFINITY))),
    both("one answer is NaN", |scene| {
        live(scene, |live| match &mut live.events[7] {
            event if event.shadow.is_some() => event.shadow.as_mut().unwrap().prediction = f64::NAN,
            event => event.prediction = Some(f64::NAN),
        });
    }),
    both("labels are NaN", |scene| live(scene, |live| live.label(f64::NAN))),
    both("labels are +inf", |scene| live(scene, |live| live.label(f64::INFINITY))),
    both("no traffic", |scene| live(scene, |live| live.keep(0))),
    both("one row", |scene| live(scene, |live| live.keep(1))),
    both("two rows", |scene| live(scene, |live| live.keep(2))),
    both("no label has come", |scene| live(scene, |live| live.labels.clear())),
    both("labels of other requests", |scene| {
        live(scene, |live| live.labels.iter_mut().for_each(|label| label.request_id = uuid::Uuid::max()));
    }),
    Fault {
        name: "one class, all 0",
        // Of the one class the candidate is the better judge.
        promote: |scene| {
            live(scene, |live| {
                live.label(0.0);
                live.answer_by(|row| 0.1 + 0.1 * (row % 2) as f64);
            });
        },
        roll_back: |scene| live(scene, |live| live.label(0.0)),
    },
    Fault {
        name: "one class, all 1",
        promote: |scene| {
            live(scene, |live| {
                live.label(1.0);
                live.answer_by(|row| 0.8 + 0.1 * (row % 2) as f64);
            });
        },
        roll_back: |scene| live(scene, |live| live.label(1.0)),
    },
    Fault {
        name: "constant",
        // A constant is better than a champion that is wrong throughout, and is no model.
        promote: |scene| {
            live(scene, |live| {
                for (row, event) in live.events.iter_mut().enumerate() {
                    event.prediction = Some(0.9 - 0.8 * (row % 2) as f64);
                }
                live.answer(0.5);
            });
        },
        roll_back: |scene| live(scene, |live| live.label(0.5)),
    },
    both("one request again and again", |scene| {
        live(scene, |live| {
            let id = live.events[0].request_id;
            live.events.iter_mut().for_each(|event| event.request_id = id);
            live.labels.iter_mut().for_each(|label| label.request_id = id);
        });
    }),
    Fault {
        name: "one row short of the minimum",
        promote: |scene| live(scene, |live| live.keep(199)),
        roll_back: |scene| live(scene, |live| live.keep(99)),
    },
    Fault {
        name: "coverage just below the gate",
        // 45 of 445 requests were seen by the champion alone: 10.1 %.
        promote: |scene| live(scene, |live| live.unmatched = 45),
        // 319 labels of 400 answers: 79.8 %.
        roll_back: |scene| live(scene, |live| live.labels.truncate(319)),
    },
    Fault {
        name: "all pairs were dropped",
        promote: |scene| live(scene, |live| live.events.iter_mut().for_each(|event| event.shadow = None)),
        roll_back: |scene| live(scene, |live| live.events.iter_mut().for_each(|event| event.prediction = None)),
    },
    Fault {
        name: "timed out",
        promote: |scene| live(scene, |live| live.candidate_latency_us = 1_000_000),
        // Most labels have not come by now.
        roll_back: |scene| live(scene, |live| live.labels.truncate(120)),
    },
    both("answers of another version", |scene| {
        live(scene, |live| {
            for event in &mut live.events {
                match &mut event.shadow {
                    Some(shadow) => shadow.version = OTHER,
                    None => event.model_version = OTHER,
                }
            }
        });
    }),
    Fault {
        name: "no report",
        promote: |scene| scene.seen.shadow = None,
        roll_back: |scene| scene.seen.performance.clear(),
    },
    Fault {
        name: "of another digest",
        promote: |scene| shadow(scene, |report| report.candidate_bundle = Digest::of("another")),
        roll_back: |scene| performance(scene, |report| report.bundle = Digest::of("another")),
    },
    Fault {
        name: "of another version",
        promote: |scene| shadow(scene, |report| report.candidate = OTHER),
        roll_back: |scene| performance(scene, |report| report.version = OLD),
    },
    Fault {
        name: "of another model",
        promote: |scene| shadow(scene, |report| report.model = "sun".parse().unwrap()),
        roll_back: |scene| performance(scene, |report| report.model = "sun".parse().unwrap()),
    },
    Fault {
        name: "of another champion",
        promote: |scene| shadow(scene, |report| report.champion = OTHER),
        roll_back: |scene| scene.seen.drift.iter_mut().for_each(|report| report.version = OTHER),
    },
    Fault {
        name: "stale",
        promote: |scene| shadow(scene, |report| report.until = day(5)),
        roll_back: |scene| performance(scene, |report| report.window = window(-40)),
    },
    Fault {
        name: "from before it stood there",
        promote: |scene| shadow(scene, |report| report.since = day(0)),
        roll_back: |scene| performance(scene, |report| report.window = window(4)),
    },
    Fault {
        name: "from the future",
        promote: |scene| shadow(scene, |report| report.until = day(12)),
        roll_back: |scene| performance(scene, |report| report.window = window(11)),
    },
    Fault {
        name: "windows from the future",
        promote: |scene| scene.seen.judged = vec![judged(window(9))],
        roll_back: |scene| scene.seen.drift.iter_mut().for_each(|report| report.window = window(12)),
    },
    Fault {
        name: "windows of long ago",
        promote: |scene| scene.seen.judged = vec![judged(window(2))],
        roll_back: |scene| scene.seen.drift.iter_mut().for_each(|report| report.window = window(6)),
    },
    Fault {
        name: "sealed before its end",
        promote: |scene| scene.seen.judged[0].sealed_at = day(5) + Span::from_hours(20),
        roll_back: |scene| {
            scene.seen.judged[0].sealed_at = day(9) + Span::from_hours(20);
            performance(scene, |report| report.maturity.clear());
        },
    },
    Fault {
        name: "no window was judged",
        promote: |scene| scene.seen.judged.clear(),
        roll_back: |scene| {
            scene.seen.judged.clear();
            scene.seen.drift.clear();
        },
    },
    Fault {
        name: "truncated: no checks",
        promote: |scene| shadow(scene, |report| report.checks.clear()),
        roll_back: |scene| performance(scene, |report| report.maturity.clear()),
    },
    Fault {
        name: "a verdict without its number",
        promote: |scene| shadow(scene, |report| first(&mut report.checks).measurement.value = not_a_number()),
        roll_back: |scene| performance(scene, |report| report.catastrophic.measurement.value = not_a_number()),
    },
    Fault {
        name: "a verdict on a number that is NaN",
        promote: |scene| {
            shadow(scene, |report| first(&mut report.checks).measurement.value = Value::Number(f64::NAN));
        },
        roll_back: |scene| {
            performance(scene, |report| report.catastrophic.measurement.value = Value::Number(f64::NAN));
        },
    },
    Fault {
        name: "a verdict against its number",
        promote: |scene| shadow(scene, |report| first(&mut report.checks).threshold = 1e9),
        roll_back: |scene| performance(scene, |report| report.catastrophic.threshold = -1.0),
    },
    Fault {
        name: "a verdict better than its checks",
        promote: |scene| shadow(scene, |report| report.checks.push(check(Verdict::Insufficient))),
        roll_back: |scene| performance(scene, |report| report.maturity.push(check(Verdict::Insufficient))),
    },
    Fault {
        name: "more labels than answers",
        promote: |scene| shadow(scene, |report| report.labelled_pairs = report.pairs + 1),
        roll_back: |scene| performance(scene, |report| report.labelled = report.predictions + 1),
    },
    Fault {
        name: "an Error",
        promote: |scene| shadow(scene, |report| report.verdict = Verdict::Error),
        roll_back: |scene| performance(scene, |report| report.catastrophic.verdict = Verdict::Error),
    },
    Fault {
        name: "Insufficient",
        promote: |scene| shadow(scene, |report| report.verdict = Verdict::Insufficient),
        roll_back: |scene| performance(scene, |report| report.catastrophic.verdict = Verdict::Insufficient),
    },
    both("the bundle is unreadable", |scene| {
        next(scene, |bundle| {
            (bundle.digest, bundle.verdict, bundle.note) =
                (None, Verdict::Fail, "model.txt is not the manifest's".into());
        });
    }),
    both("the bundle is gone", |scene| {
        next(scene, |bundle| {
            (bundle.digest, bundle.verdict, bundle.note) = (None, Verdict::Insufficient, "no such version".into());
        });
    }),
    both("the bundle was not looked at", |scene| {
        let version = if scene.seen.shadow.is_some() { NEW } else { OLD };
        scene.seen.bundles.retain(|bundle| bundle.version != version);
    }),
    both("the bundle is another", |scene| next(scene, |bundle| bundle.digest = Some(Digest::of("another")))),
    both("the bundle could not be told", |scene| {
        next(scene, |bundle| (bundle.verdict, bundle.note) = (Verdict::Error, "the disk says no".into()));
    }),
    both("the bundle was seen twice, differently", |scene| {
        let again: Vec<Bundle> =
            scene.seen.bundles.iter().map(|bundle| Bundle { learned_rows: 1, ..bundle.clone() }).collect();
        scene.seen.bundles.extend(again);
    }),
    Fault {
        name: "the world moved, or nobody knows with what it is held against",
        promote: |scene| next(scene, |bundle| bundle.baseline = None),
        roll_back: |scene| scene.seen.drift = vec![drift(NEW, window(9), Severity::Severe, Verdict::Fail)],
    },
    Fault {
        name: "one check that cannot tell",
        promote: |scene| shadow(scene, |report| first(&mut report.checks).verdict = Verdict::Insufficient),
        roll_back: |scene| scene.seen.drift = vec![drift(NEW, window(9), Severity::None, Verdict::Insufficient)],
    },
    Fault {
        name: "too late to tell",
        promote: |scene| shadow(scene, |report| (report.since, report.until) = (day(1), day(1))),
        // Labels of that window are no longer waited for, and somebody else served then.
        roll_back: |scene| performance(scene, |report| report.window = window(-380)),
    },
    Fault {
        name: "everything at once",
        promote: |scene| {
            live(scene, |live| live.answer(f64::NAN));
            scene.seen.bundles.clear();
            scene.seen.judged.clear();
        },
        roll_back: |scene| {
            live(scene, |live| live.label(f64::NAN));
            scene.seen.bundles.clear();
            scene.seen.drift.clear();
        },
    },
];
