//! A window is sealed once, by whoever is first, with everything counted once; a test module.

use std::path::Path;
use std::sync::Arc;

use ulid::Ulid;
use uuid::Uuid;

use super::*;
use crate::log::{Recorder, SpoolRules};
use crate::serve::fixture::{a_model, serving};
use crate::serve::{Answered, Counter, EventSink, Serving};
use crate::snapshot::{Counting, maintain};
use crate::store::{Durability, Memory};
use crate::types::{ReplicaName, Version};

/// A replica that answers on a virtual clock.
struct Replica {
    recorder: Recorder,
    counting: Counting,
    serving: Arc<Serving>,
}

fn at(text: &str) -> Timestamp {
    format!("2026-11-{text}Z").parse().unwrap()
}

impl Replica {
    fn start(store: &Arc<Memory>, spool: &Path, name: &str, now: Timestamp) -> Replica {
        let serving = serving(a_model(Version::FIRST, 1.0), None);
        let (replica, boot): (ReplicaName, _) =
            (name.parse().unwrap(), Ulid::from(u128::from(now.micros().unsigned_abs())));
        let rules = SpoolRules { shadow_wait: Span::ZERO, ..SpoolRules::DEFAULTS };
        let recorder = Recorder::open(store.clone(), spool, &replica, boot, Durability::Batched, rules, now).unwrap();
        let model = serving.champion.name().clone();
        let counting = Counting::new(store.clone(), model, Span::from_mins(5), replica, boot);
        let replica = Replica { recorder, counting, serving };
        replica.maintain(now);
        replica
    }

    fn answer(&self, at: Timestamp) {
        use crate::contract::Given::{Bool, Number, Text};
        let row = [
            ("temperature", Number(1.0)),
            ("humidity", Number(40.0)),
            ("station", Text("south")),
            ("windy", Bool(true)),
        ];
        let answer = self.serving.champion.answer(row).unwrap();
        let request_id = Uuid::from_u128(at.micros().unsigned_abs().into());
        let answered =
            Answered { request_id, at, answer: &answer, latency_us: 40, serving: &self.serving, trace: None };
        let at = self.recorder.answered(&answered).unwrap().at;
        self.counting.answered(&Answered { at, ..answered });
    }

    fn maintain(&self, now: Timestamp) {
        maintain(&self.recorder, &self.counting, now).unwrap();
    }
}

struct House {
    store: Arc<Memory>,
    spool: tempfile::TempDir,
    model: ModelName,
}

impl House {
    fn new() -> House {
        House { store: Arc::new(Memory::new()), spool: tempfile::tempdir().unwrap(), model: "rain".parse().unwrap() }
    }

    fn replica(&self, name: &str, now: Timestamp) -> Replica {
        Replica::start(&self.store, self.spool.path(), name, now)
    }

    fn seal(&self, now: Timestamp) -> Vec<Snapshot> {
        seal_due(self.store.as_ref(), &self.model, &WindowRules::DEFAULTS, at("21T00:00:00"), None, now).unwrap()
    }

    fn window(&self, start: Timestamp, size: Span) -> Option<Snapshot> {
        judged(self.store.as_ref(), &self.model, Window { start, size }).unwrap()
    }
}

const FIVE: Span = Span::from_mins(5);

#[test]
fn a_window_waits_for_every_live_replica_and_no_longer_than_its_grace() {
    let house = House::new();
    let start = at("21T00:00:00");
    let (a, b) = (house.replica("a", start), house.replica("b", start));
    for second in 0..60 {
        a.answer(start + Span::from_secs(second * 5));
        b.answer(start + Span::from_secs(second * 5));
    }
    a.maintain(at("21T00:05:00"));
    b.maintain(at("21T00:04:00"));
    assert!(house.seal(at("21T00:05:00")).is_empty(), "b has not passed the end");
    b.maintain(at("21T00:05:01"));
    let [sealed] = house.seal(at("21T00:05:02")).try_into().unwrap();
    assert_eq!((sealed.requests, sealed.counts.counted, sealed.counts.valid), (120, 120, 120));
    assert_eq!(sealed.counts.versions[&Version::FIRST].features[1][1], 120);
    assert!(sealed.silent_replicas.is_empty());
    assert!(house.seal(at("21T00:05:03")).is_empty(), "it was sealed twice");

    // b falls silent: the next windows wait for the grace, and say so; after a grace nobody expects b any more.
    a.maintain(at("21T00:10:00"));
    assert!(house.seal(at("21T00:19:59")).is_empty());
    a.maintain(at("21T00:20:00"));
    let sealed = house.seal(at("21T00:20:00"));
    assert_eq!(sealed.iter().map(|one| one.silent_replicas.as_slice()).collect::<Vec<_>>(), [["b".to_owned()]]);
    a.maintain(at("21T00:30:00"));
    let sealed = house.seal(at("21T00:30:00"));
    assert_eq!(sealed.iter().map(|one| one.silent_replicas.len()).collect::<Vec<_>>(), [1, 1, 0, 0]);
}

#[test]
fn what_arrives_later_never_changes_a_sealed_window() {
    let house = House::new();
    let start = at("21T00:00:00");
    let (a, b) = (house.replica("a", start), house.replica("b", start));
    b.answer(start + Span::from_secs(1));
    a.maintain(at("21T00:15:00"));
    let sealed = house.seal(at("21T00:15:00"));
    assert_eq!((sealed.len(), sealed[0].requests), (1, 0));
    b.maintain(at("21T00:16:00"));
    house.seal(at("21T00:16:00"));
    assert_eq!(house.window(start, FIVE).unwrap(), sealed[0]);
}

#[test]
fn a_replica_that_says_goodbye_is_not_waited_for() {
    let house = House::new();
    let start = at("21T00:00:00");
    let (a, b) = (house.replica("a", start), house.replica("b", start));
    b.answer(start + Span::from_secs(1));
    let gone = at("21T00:02:00");
    b.counting.close(b.recorder.close(gone).unwrap(), gone).unwrap();
    a.maintain(at("21T00:10:00"));
    let sealed = house.seal(at("21T00:10:00"));
    assert_eq!(
        sealed.iter().map(|one| (one.requests, one.silent_replicas.len())).collect::<Vec<_>>(),
        [(1, 0), (0, 0)]
    );
    // One row of a window that was not over was let go rather than written (P8), and that is seen.
    assert_eq!(sealed[0].counts.counted, 0);
}

#[test]
fn fifty_days_are_sealed_and_every_request_is_counted_once() {
    let house = House::new();
    let start = at("21T00:00:00");
    let replica = house.replica("a", start);
    let (day, hour) = (Span::from_days(1), Span::from_hours(1));
    let mut since = None;
    for index in 0..50 {
        let today = start + day.times(index);
        for request in 0..250 {
            replica.answer(today + Span::from_secs(request * 345));
            if request % 10 == 9 {
                replica.maintain(today + Span::from_secs(request * 345));
            }
        }
        let tomorrow = today + day;
        replica.maintain(tomorrow);
        let (store, rules) = (house.store.as_ref(), &WindowRules::DEFAULTS);
        let sealed = seal_due(store, &house.model, rules, start, since, tomorrow).unwrap();
        assert_eq!(sealed.len(), 288 + 24 + 1);
        let judged = house.window(today, day).unwrap();
        assert_eq!((judged.requests, judged.counts.counted, judged.merged.len()), (250, 250, 24));
        since = Some(tomorrow);
    }
    let empty = house.window(start + Span::from_mins(5), FIVE).unwrap();
    assert!(serde_json::to_vec(&empty).unwrap().len() < 5_000);
    assert!(house.window(start, hour).unwrap().requests > 9);
}

#[test]
fn two_governors_seal_the_same_window_once() {
    let house = House::new();
    let start = at("21T00:00:00");
    let replica = house.replica("a", start);
    replica.answer(start);
    replica.maintain(at("21T01:00:00"));
    let sealed: Vec<_> = std::thread::scope(|scope| {
        let govern = || scope.spawn(|| house.seal(at("21T01:00:00")).len());
        [govern(), govern(), govern()].map(|one| one.join().unwrap()).into()
    });
    assert_eq!(sealed.iter().sum::<usize>(), 13, "{sealed:?}");
}

#[test]
fn nothing_is_sealed_of_the_time_before_the_model_served() {
    let house = House::new();
    let (store, rules) = (house.store.as_ref(), &WindowRules { judge: Span::from_hours(6), ..WindowRules::DEFAULTS });
    let born = at("21T10:57:00");
    let replica = house.replica("a", born);
    replica.answer(born);
    replica.maintain(at("21T11:00:00"));
    let sealed = seal_due(store, &house.model, rules, born, None, at("21T11:00:01")).unwrap();
    let told = |sealed: &[Snapshot]| sealed.iter().map(|one| one.window.to_string()).collect::<Vec<_>>();
    assert_eq!(told(&sealed), ["2026-11-21T10:55:00Z + 5m", "2026-11-21T10:00:00Z + 1h"]);
    // The six hours and the day are merged from the hours that it served in, also when the six hours were judged before.
    let noon = at("21T12:10:00");
    seal_due(store, &house.model, rules, born, None, noon).unwrap();
    let merged = |start, size| house.window(start, size).map(|merged| (merged.requests, merged.merged.len()));
    assert_eq!(merged(at("21T06:00:00"), Span::from_hours(6)), Some((1, 2)));
    seal_due(store, &house.model, rules, born, Some(at("21T12:00:00")), at("22T00:10:00")).unwrap();
    assert_eq!(merged(at("21T00:00:00"), Span::from_days(1)), Some((1, 3)));
    assert!(house.window(at("21T10:50:00"), FIVE).is_none());
}
