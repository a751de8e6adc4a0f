//! Serving, logging, counting, sealing and shadowing together, on disk; a test module.
#![expect(clippy::disallowed_methods, reason = "a test that looks at every file that was written")]

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use axum::body::{Body, to_bytes};
use futures::executor::block_on;
use http::Request;
use tower::ServiceExt;
use ulid::Ulid;
use uuid::Uuid;

use super::*;
use crate::log::{PartKind, Recorder, SpoolRules, parts_between, read_events, read_part};
use crate::serve::fixture::{
    Fixed, Hands, Memo, a_model, a_moved_model, a_regression, a_request, a_wiring, routes_of, serving,
};
use crate::serve::{Front, Recorded, Serving, SinkError, Wiring, finish};
use crate::snapshot::{Counting, Window, WindowRules, judged, maintain, seal_due};
use crate::store::{Disk, Durability, Store};
use crate::types::{Span, Timestamp, Version};

const START: &str = "2026-11-21T00:00:00Z";

const FORWARD: Manners = Manners { stand_back: || (), worked_us: || 0, rest: |_| () };

/// A whole server in memory, on a disk and a virtual clock.
struct Server {
    store: Arc<dyn Store>,
    clock: Arc<Hands>,
    recorder: Arc<Recorder>,
    counting: Arc<Counting>,
    front: Front,
}

impl Server {
    fn start(folder: &Path, serving: Arc<Serving>) -> Server {
        let store: Arc<dyn Store> = Arc::new(Disk::open(folder.to_owned(), Durability::Batched).unwrap());
        let (clock, start) = (Hands::at(START), START.parse().unwrap());
        let (replica, boot) = ("a".parse().unwrap(), Ulid::from(1));
        let rules = SpoolRules { shadow_wait: Span::ZERO, ..SpoolRules::DEFAULTS };
        let spool = folder.join("var/spool");
        let durability = Durability::Batched;
        let recorder = Recorder::open(store.clone(), &spool, &replica, boot, durability, rules, start).unwrap();
        let recorder = Arc::new(recorder);
        let model = serving.champion.name().clone();
        let counting = Arc::new(Counting::new(store.clone(), model, WindowRules::DEFAULTS.base, replica, boot));
        let scoring = Scoring { clock: clock.clone(), events: recorder.clone(), counter: counting.clone() };
        let wiring = Wiring {
            clock: clock.clone(),
            champion: Arc::new(Fixed(Some(serving))),
            events: recorder.clone(),
            counter: counting.clone(),
            labels: recorder.clone(),
            mirror: Arc::new(InlineMirror(scoring)),
        };
        Server { store, clock, recorder, counting, front: finish(routes_of(wiring)) }
    }

    fn send(&self, path: &str, body: String) -> (u16, String) {
        let request = Request::post(path).body(Body::from(body)).unwrap();
        let response = block_on(self.front.clone().oneshot(request)).unwrap();
        let status = response.status().as_u16();
        let body = block_on(to_bytes(response.into_body(), usize::MAX)).unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    fn maintain(&self, now: Timestamp) {
        maintain(&self.recorder, &self.counting, now).unwrap();
    }
}

fn start() -> Timestamp {
    START.parse().unwrap()
}

fn two_versions() -> Arc<Serving> {
    serving(a_model(Version::FIRST, 1.0), Some(a_model(Version::new(1, 1, 0), 0.5)))
}

/// Everything that the files below a folder hold, Parquet decoded.
fn all_bytes(folder: &Path, into: &mut Vec<u8>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all_bytes(&path, into);
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        into.extend(path.to_str().unwrap().as_bytes());
        into.extend(&bytes);
        if path.extension().is_some_and(|extension| extension == "parquet") {
            into.extend(crate::log::columns::Rows::decode(bytes).unwrap().shown().as_bytes());
        }
    }
}

#[test]
fn raw_inputs_are_never_stored() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), two_versions());
    let odd = [13.987_654_321, 41.876_543_219];
    let one = |temperature: f64, humidity: f64, rest: &str| {
        format!(r#"{{"features":{{"temperature":{temperature},"humidity":{humidity},"station":"south"{rest}}}}}"#)
    };
    assert_eq!(server.send("/api/v1/predict", one(odd[0], odd[1], r#","windy":true"#)).0, 200);
    // Refused values: out of range, unseen, mistyped, unknown, forbidden, and bodies that are no request at all.
    let refused = [
        one(987.654_321, 40.0, r#","windy":"Schwanensee""#),
        one(1.0, 40.0, r#","windy":true,"Lindwurm":"Drachenfels","rained_mm":7.654321987"#),
        r#"{"features":{"station":"Rabenstein"}}"#.to_owned(),
        r#"{"features":"Wolkenstein"}"#.to_owned(),
        r#"{"features":{},"request_id":"Falkenhorst"}"#.to_owned(),
    ];
    let said: Vec<u16> = refused.into_iter().map(|body| server.send("/api/v1/predict", body).0).collect();
    assert_eq!(said, [422, 422, 422, 400, 400]);

    server.recorder.maintain(start()).unwrap();
    let mut spooled = Vec::new();
    all_bytes(folder.path(), &mut spooled);
    let tomorrow = start() + Span::from_days(1);
    server.maintain(tomorrow);
    let model = "rain".parse().unwrap();
    seal_due(server.store.as_ref(), &model, &WindowRules::DEFAULTS, start(), None, tomorrow).unwrap();
    let day =
        judged(server.store.as_ref(), &model, Window { start: start(), size: Span::from_days(1) }).unwrap().unwrap();
    assert_eq!((day.requests, day.counts.counted, day.counts.valid), (4, 4, 1));

    let mut written = Vec::new();
    all_bytes(folder.path(), &mut written);
    let numbers = [odd[0], odd[1], 987.654_321, 7.654_321_987];
    let words = ["Schwanensee", "Lindwurm", "Drachenfels", "Rabenstein", "Wolkenstein", "Falkenhorst"];
    let planted: Vec<Vec<u8>> = numbers
        .iter()
        .flat_map(|number| [number.to_string().into_bytes(), number.to_le_bytes().to_vec()])
        .chain(words.iter().map(|word| word.as_bytes().to_vec()))
        .collect();
    for (place, bytes) in [("spool", &spooled), ("workspace", &written)] {
        for planted in &planted {
            let found = bytes.windows(planted.len()).any(|window| window == planted.as_slice());
            assert!(!found, "{} is in the {place}", String::from_utf8_lossy(planted));
        }
        // The search can find: what may be stored is there.
        assert!(String::from_utf8_lossy(bytes).contains("out_of_range"), "{place}");
    }
}

#[test]
fn both_versions_stand_under_one_request_and_are_counted_alike() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), two_versions());
    for number in 0..250_u32 {
        server.clock.set(start() + Span::from_secs(i64::from(number) * 300));
        let humidity = if number % 10 == 0 { 400.0 } else { f64::from(number % 100) };
        server.send("/api/v1/predict", a_request(humidity, Some(Uuid::from_u128(u128::from(number) + 1))));
    }
    let label = format!(r#"{{"request_id":"{}","label":1}}"#, Uuid::from_u128(2));
    let (status, said) = server.send("/api/v1/labels", label);
    assert!(status == 200 && said.contains(r#""new":1"#), "{said}");
    let tomorrow = start() + Span::from_days(1);
    server.maintain(tomorrow);
    let (store, model) = (server.store.as_ref(), "rain".parse().unwrap());
    let events = read_events(store, &model, start(), tomorrow).unwrap();
    assert_eq!(events.len(), 250);
    for event in &events {
        let shadow = event.shadow.as_ref().map(|shadow| shadow.prediction);
        assert_eq!(shadow, event.prediction.map(|prediction| prediction * 0.5));
    }
    let sealed = seal_due(store, &model, &WindowRules::DEFAULTS, start(), None, tomorrow).unwrap();
    let day = sealed.last().unwrap();
    let [champion, candidate] = [Version::FIRST, Version::new(1, 1, 0)].map(|version| &day.counts.versions[&version]);
    assert_eq!((champion.rows, candidate.rows, day.requests), (250, 250, 250));
    assert_eq!(champion.features, candidate.features);
    assert_ne!(champion.prediction, candidate.prediction);
    let counts = parts_between(store, &model, PartKind::Counts, start(), tomorrow + Span::from_hours(1)).unwrap();
    assert!(!counts.is_empty() && counts.iter().all(|key| read_part(store, key).is_ok()));
}

/// P7: the candidate's own contract encodes what the champion's has admitted, so a feature or a word that has moved is read
/// where it stands now, for the score and for the counts.
#[test]
fn a_candidate_under_a_later_contract_reads_the_same_request_by_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let new = Version::new(1, 1, 0);
    let candidate = a_moved_model(new, new, 0.5);
    let server = Server::start(folder.path(), serving(a_model(Version::FIRST, 1.0), Some(candidate)));
    for number in 1..=30_u32 {
        server.clock.set(start() + Span::from_secs(number.into()));
        assert_eq!(server.send("/api/v1/predict", a_request(f64::from(number), None)).0, 200);
    }
    assert_eq!(server.send("/api/v1/predict", a_request(400.0, None)).0, 422);
    let tomorrow = start() + Span::from_days(1);
    server.maintain(tomorrow);
    let (store, model) = (server.store.as_ref(), "rain".parse().unwrap());
    for event in read_events(store, &model, start(), tomorrow).unwrap() {
        assert_eq!(event.shadow.map(|shadow| shadow.prediction), event.prediction.map(|answer| answer * 0.5));
    }
    let sealed = seal_due(store, &model, &WindowRules::DEFAULTS, start(), None, tomorrow).unwrap();
    let [champion, candidate] = [Version::FIRST, new].map(|version| &sealed.last().unwrap().counts.versions[&version]);
    // North and south were the first and second word; now south is the second of three. Refused requests are counted only
    // under the contract that refused them.
    assert_eq!((&champion.features[2][..2], &candidate.features[1][..3]), (&[0, 31][..], &[0, 30, 0][..]));
    assert_eq!((champion.rows, candidate.rows, candidate.dropped), (31, 30, 0));
}

/// A place for scores that blocks until it is let go, and says when something is stuck there.
#[derive(Default)]
struct Stuck(Mutex<()>, AtomicBool);

impl Stuck {
    /// Wait until the first of what was offered is stuck, and nothing else has been taken.
    fn await_first(&self) {
        while !self.1.load(Ordering::SeqCst) {
            thread::yield_now();
        }
    }
}

impl EventSink for Stuck {
    fn answered(&self, _: &crate::serve::Answered<'_>) -> Result<Recorded, SinkError> {
        Err(SinkError { reason: "not asked for".to_owned() })
    }

    fn shadowed(&self, _: &Shadowed<'_>) -> Result<(), SinkError> {
        self.1.store(true, Ordering::SeqCst);
        drop(self.0.lock());
        Ok(())
    }

    fn inferred(
        &self,
        _: &crate::serve::Inferred<'_>,
        _: crate::types::Timestamp,
    ) -> Result<Option<crate::serve::Acknowledged>, SinkError> {
        Ok(None)
    }
}

fn a_job(candidate: Arc<crate::serve::Predictor>) -> ShadowJob {
    use crate::contract::Given::{Bool, Number, Text};
    let row =
        [("temperature", Number(9.0)), ("humidity", Number(5.0)), ("station", Text("south")), ("windy", Bool(true))];
    let vector = crate::contract::admit(candidate.contract(), row).unwrap();
    ShadowJob { request_id: Uuid::from_u128(1), at: start(), vector, champion: Arc::clone(&candidate), candidate }
}

#[test]
fn a_candidate_that_cannot_keep_up_is_dropped_and_counted_and_nobody_waits() {
    let (counter, stuck) = (Arc::new(Memo::default()), Arc::new(Stuck::default()));
    let scoring = Scoring { clock: Hands::at(START), events: stuck.clone(), counter: counter.clone() };
    let mirror = QueuedMirror::start(scoring, FORWARD).unwrap();
    let candidate = a_model(Version::new(1, 1, 0), 0.5);
    let held = stuck.0.lock().unwrap();
    assert_eq!(mirror.offer(a_job(candidate.clone())), Ok(()));
    stuck.await_first();
    let offered: Vec<_> = (0..WAITING + 100).map(|_| mirror.offer(a_job(candidate.clone()))).collect();
    assert_eq!(offered[..WAITING], [Ok(()); WAITING]);
    assert_eq!(offered[WAITING..], [Err(Missed::Dropped); 100]);
    drop(held);
    drop(mirror);
    assert_eq!(counter.all().len(), 1 + WAITING, "a job was lost without being counted");
}

/// A clock that goes on when it is told to.
#[derive(Default)]
struct Told(AtomicU64);

impl Clock for Told {
    fn now(&self) -> Timestamp {
        start()
    }

    fn micros(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// A server that is told to stop has seconds: what a slow candidate would take longer for is dropped.
#[test]
fn a_mirror_ends_in_time_and_counts_what_it_left() {
    let (counter, stuck) = (Arc::new(Memo::default()), Arc::new(Stuck::default()));
    let clock = Arc::new(Told::default());
    let scoring = Scoring { clock: clock.clone(), events: stuck.clone(), counter: counter.clone() };
    let mirror = QueuedMirror::start(scoring, FORWARD).unwrap();
    let held = stuck.0.lock().unwrap();
    let candidate = a_model(Version::new(1, 1, 0), 0.5);
    // One is being remembered: the others wait for their turn.
    mirror.offer(a_job(candidate.clone())).unwrap();
    stuck.await_first();
    let offered = 1 + 10;
    (1..offered).for_each(|_| mirror.offer(a_job(candidate.clone())).unwrap());
    let until_us = Arc::clone(&mirror.until_us);
    let ending = thread::spawn(move || drop(mirror));
    while until_us.load(Ordering::SeqCst) == u64::MAX {
        thread::yield_now();
    }
    clock.0.store(ENDS_WITHIN_US, Ordering::SeqCst);
    drop(held);
    ending.join().unwrap();
    let dropped = counter.all().iter().filter(|told| *told == "dropped 1.1.0").count();
    assert!(dropped == 10 && counter.all().len() == offered, "{dropped} of {offered}: {:?}", counter.all());
}

/// Time goes on only while it rests, and each score takes forty microseconds of a processor.
#[test]
fn a_candidate_has_an_eighth_of_a_processor() {
    static NOW_US: AtomicU64 = AtomicU64::new(0);
    static WORKED_US: AtomicU64 = AtomicU64::new(0);
    struct Rested;
    impl Clock for Rested {
        fn now(&self) -> Timestamp {
            start()
        }

        fn micros(&self) -> u64 {
            NOW_US.load(Ordering::SeqCst)
        }
    }
    let rest = |so_long: Duration| {
        NOW_US.fetch_add(so_long.as_micros() as u64, Ordering::SeqCst);
    };
    let worked_us = || WORKED_US.fetch_add(40, Ordering::SeqCst);
    let counter = Arc::<Memo>::default();
    let scoring = Scoring { clock: Arc::new(Rested), events: counter.clone(), counter: counter.clone() };
    let mirror = QueuedMirror::start(scoring, Manners { stand_back: || (), worked_us, rest }).unwrap();
    let candidate = a_model(Version::new(1, 1, 0), 0.5);
    (0..100).for_each(|_| mirror.offer(a_job(candidate.clone())).unwrap());
    drop(mirror);
    let (scored, took_us) = (counter.all().len() / 2, NOW_US.load(Ordering::SeqCst));
    assert_eq!((scored, took_us), (100, 100 * 40 * PART));
}

#[test]
fn short_rests_are_put_off_and_little_is_saved() {
    let mut share = Share::default();
    // When it is by the clock, and what a score has taken.
    let looks = [
        // At first nothing is saved.
        (0, 10),
        (20, 10),
        // Much is saved, and not all of it is kept.
        (1_000_000, 50),
        (1_000_000, 15),
        (20_000_000, 10_000_000),
    ];
    let rests = looks.map(|(now_us, scored_us)| share.rest(now_us, scored_us));
    let rest = |us| Some(Duration::from_micros(us));
    assert_eq!(rests, [None, rest(140), None, rest(120), rest(LONGEST_REST_US)]);
}

#[test]
fn a_candidate_without_a_finite_score_is_dropped_and_the_answer_stands() {
    let (wiring, memo) =
        a_wiring(Some(serving(a_regression(Version::FIRST, 1.0), Some(a_regression(Version::new(1, 1, 0), 1e308)))));
    let scoring = Scoring { clock: wiring.clock.clone(), events: memo.clone(), counter: memo.clone() };
    let front = finish(routes_of(Wiring { mirror: Arc::new(InlineMirror(scoring)), ..wiring }));
    let request = Request::post("/api/v1/predict").body(Body::from(a_request(40.0, None))).unwrap();
    assert_eq!(block_on(front.oneshot(request)).unwrap().status(), 200);
    assert_eq!(memo.all(), ["event scored", "count scored", "failed 1.1.0"]);
}
