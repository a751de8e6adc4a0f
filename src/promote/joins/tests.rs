//! Looks see prefixes of one sequence, however busy its windows were; and what is looked at is bounded.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::executor::block_on;
use ulid::Ulid;

use super::*;
use crate::govern::Rules;
use crate::ingest::NoSources;
use crate::log::{Event, Recorder, SpoolRules};
use crate::performance::Baseline;
use crate::serve::fixture::{a_model, serving};
use crate::serve::{Answered, EventSink, LabelSink, Serving, Truth};
use crate::snapshot::{Counts, Snapshot};
use crate::store::{Durability, Memory};
use crate::train::Metric;
use crate::types::Measurement;
use crate::types::{Digest, Span};

/// Three days of traffic, calm, busy and less busy, of half north and half south.
const VOLUMES: [u64; 3] = [150, 1_000, 300];

struct House {
    store: Arc<Memory>,
    serving: Arc<Serving>,
    windows: Vec<Sealed>,
    rules: Rules,
}

fn day(number: usize) -> Timestamp {
    let start: Timestamp = "2026-11-21T00:00:00Z".parse().unwrap();
    start + Span::from_days(number as i64)
}

fn id(day: usize, row: u64) -> Uuid {
    Uuid::from_u128((day as u128) << 64 | u128::from(row))
}

impl House {
    /// What was asked, with what came true on the last day of all that was asked on the first, and of two that nobody asked.
    fn new() -> House {
        use crate::contract::Given::{Bool, Number, Text};
        let (store, folder) = (Arc::new(Memory::new()), tempfile::tempdir().unwrap());
        let serving = serving(a_model(Version::FIRST, 1.0), None);
        let (replica, rules) = ("a".parse().unwrap(), SpoolRules::DEFAULTS);
        let (shelf, boot, batched) = (store.clone(), Ulid::from(1), Durability::Batched);
        let recorder = Recorder::open(shelf, folder.path(), &replica, boot, batched, rules, day(0)).unwrap();
        for (number, volume) in VOLUMES.into_iter().enumerate() {
            for row in 0..volume {
                let station = if row % 2 == 0 { "north" } else { "south" };
                let humidity = (row % 100) as f64;
                let features = [
                    ("temperature", Number(1.0)),
                    ("humidity", Number(humidity)),
                    ("station", Text(station)),
                    ("windy", Bool(true)),
                ];
                let answer = serving.champion.answer(features).unwrap();
                let (request_id, at) = (id(number, row), day(number) + Span::from_secs(60 * row as i64));
                let answered =
                    Answered { request_id, at, answer: &answer, latency_us: 40, serving: &serving, trace: None };
                block_on(recorder.answered(&answered).unwrap().on_disk).unwrap();
            }
        }
        let truth = |request_id, row: u64| Truth { request_id, label: f64::from(u8::from(row % 100 > 50)) };
        let mut truths: Vec<Truth> = (0..VOLUMES[0]).map(|row| truth(id(0, row), row)).collect();
        truths.extend([truth(id(7, 0), 0), truth(id(7, 1), 1)]);
        let evening = day(2) + Span::from_hours(20);
        block_on(recorder.labelled(serving.champion.name(), &truths, evening).unwrap().on_disk).unwrap();
        recorder.close(day(3)).unwrap();
        let sealed = |(number, requests): (usize, u64)| Sealed {
            digest: Digest::of(number.to_string()),
            snapshot: Snapshot {
                format_version: 1,
                model: serving.champion.name().clone(),
                window: Window { start: day(number), size: Span::from_days(1) },
                requests,
                counts: Counts::default(),
                silent_replicas: Vec::new(),
                merged: Vec::new(),
                sealed_at: day(number + 1),
            },
        };
        let windows = VOLUMES.into_iter().enumerate().map(sealed).collect();
        House { store, windows, rules: Rules::default(), serving }
    }

    fn act<T>(&self, act: impl FnOnce(&Context<'_>) -> Result<T, PromoteError>) -> T {
        let (model, txn) = (self.serving.champion.name(), String::new);
        let (store, rules, sources) = (self.store.as_ref(), &self.rules, &NoSources);
        act(&Context { store, model, rules, sources, txn: &txn, actor: "governor" }).unwrap()
    }

    /// What is found of these windows at the end of the third day.
    fn performed(&self, windows: &[Sealed]) -> Vec<PerformanceReport> {
        let verified = Verified::Here(Box::new(self.serving.champion.model().clone()));
        let held_out = Measurement::new("auc", 0.5, 150);
        let baseline = Baseline {
            version: Version::FIRST,
            metrics: vec![Metric { measurement: held_out, interval: None }],
            threshold: Some(0.5),
            slices: BTreeMap::new(),
        };
        let champion = Champion { version: Version::FIRST, bundle: verified.digest(), since: day(0), baseline };
        self.act(|context| performance(context, &champion, &verified, windows, day(3)))
    }

    fn seen(&self, looks: usize) -> Sampled {
        self.act(|context| sampled_in(context, &self.windows[..looks], day(0)))
    }
}

#[test]
fn looks_of_a_trial_see_prefixes_of_one_sequence_and_no_more_than_their_part() {
    let mut house = House::new();
    // Fourteen windows may see 200 each.
    house.rules.performance.sample_above = 14 * 200;
    let looks: Vec<Vec<Event>> = (1..=3).map(|looks| house.seen(looks).events).collect();
    for pair in looks.windows(2) {
        assert!(pair[1].starts_with(&pair[0]), "a later look saw another past");
    }
    let each: Vec<usize> =
        (0..3).map(|day| looks[day].len() - day.checked_sub(1).map_or(0, |day| looks[day].len())).collect();
    // All of 150; an eighth of 1,000; half of 300.
    assert_eq!(each[0], 150);
    assert!((90..165).contains(&each[1]) && (120..180).contains(&each[2]), "{each:?}");
    assert_eq!(house.seen(3).of, 1_450);
    house.rules.performance.sample_above = 1_000_000;
    assert_eq!(house.seen(3).events.len(), 1_450, "where there is room all are seen");
}

#[test]
fn whoever_begins_when_a_window_ends_has_not_seen_it() {
    let house = House::new();
    let moment = Span::from_micros(1);
    for (since, expected) in [(day(0), 3), (day(1) - moment, 3), (day(1), 2), (day(1) + moment, 2), (day(3), 0)] {
        assert_eq!(seen_since(&house.windows, since).len(), expected, "since {since}");
    }
}

#[test]
fn each_window_is_judged_by_its_own_sample_with_its_slices() {
    let mut house = House::new();
    house.rules.performance.sample_above = 250;
    let reports = house.performed(&house.windows);
    let shares: Vec<f64> = reports.iter().map(|report| report.sampled_share).collect();
    assert_eq!(shares, [1.0, 0.25, 0.5]);
    let [first, busy, _] = reports.as_slice() else { panic!("{reports:?}") };
    assert_eq!((first.predictions, first.labelled, first.labels.late), (150, 150, 150));
    assert!((200..300).contains(&busy.predictions) && busy.late == 0, "{} {}", busy.predictions, busy.late);
    let slices: Vec<(&str, u64)> = first.slices.iter().map(|slice| (slice.value.as_str(), slice.labelled)).collect();
    assert_eq!(slices, [("north", 75), ("south", 75)]);
}

#[test]
fn no_more_windows_are_judged_than_the_rules_ask_for_and_none_that_nobody_waits_for() {
    let mut house = House::new();
    let days = |house: &House| house.performed(&house.windows).len();
    house.rules.performance.wait = Span::from_days(2);
    assert_eq!(days(&house), 3);
    house.rules.performance.wait = Span::from_hours(47);
    assert_eq!(days(&house), 2);
    house.rules.performance.wait = Span::from_days(30);
    house.rules.performance.of = 2;
    let mature = vec![house.windows[0].clone(); 4];
    assert_eq!(house.performed(&mature).len(), 2, "two mature windows are asked for");
    assert_eq!(days(&house), 3, "one is mature, so the search goes on");
}

#[test]
fn requests_of_labels_are_looked_for_as_far_back_as_there_is_room() {
    let mut house = House::new();
    let seen = |house: &House| house.act(|context| intake(context, &house.windows, day(3))).unwrap();
    let all = seen(&house);
    assert_eq!((all.received, all.matched, all.unmatched, all.looked_since), (152, 150, 2, day(0)));
    // A third of a thousand is no room for the busy day and the one before it.
    house.rules.performance.sample_above = 300;
    let near = seen(&house);
    assert_eq!((near.received, near.matched, near.looked_since), (152, 0, day(2)));
    assert_eq!(house.act(|context| intake(context, &[], day(3))), None);
    // Where nothing arrived nothing is looked for.
    let early = house.act(|context| intake(context, &house.windows[..2], day(2))).unwrap();
    assert_eq!((early.received, early.looked_since), (0, day(2)));
}

/// Of two machines whose clocks differ one may know the label before the other was asked.
#[test]
fn a_label_known_just_before_its_window_joins() {
    let house = House::new();
    let folder = tempfile::tempdir().unwrap();
    let known = day(1) - Span::from_mins(4);
    let (replica, boot, durability) = ("b".parse().unwrap(), Ulid::from(2), Durability::Batched);
    let (shelf, rules) = (house.store.clone(), SpoolRules::DEFAULTS);
    let recorder = Recorder::open(shelf, folder.path(), &replica, boot, durability, rules, known).unwrap();
    let truth = Truth { request_id: id(1, 0), label: 1.0 };
    block_on(recorder.labelled(house.serving.champion.name(), &[truth], known).unwrap().on_disk).unwrap();
    recorder.close(day(3)).unwrap();
    let joined = house.act(|context| {
        let sampled = log::read_sample(context.store, context.model, day(1), day(2), Sample::ALL)?;
        joined(context, &sampled, day(1), day(3))
    });
    assert_eq!((joined.events, joined.pairs.len()), (1_000, 1));
}
