//! What is recorded is sealed once and read back, whatever happens in between; a test module.
#![expect(clippy::disallowed_methods, reason = "a test that looks at the disk")]

use std::fs;
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread::{self, ScopedJoinHandle};

use futures::executor::block_on;

use super::*;
use crate::log::segment::Contents;
use crate::log::{
    Label, PartKind, Sample, Since, import, parts_between, read_events, read_ids, read_labels, read_labels_of,
    read_sample, requests_of,
};
use crate::serve::fixture::{a_contract, a_model, serving};
use crate::serve::{Predictor, Serving};
use crate::store::Memory;
use crate::types::{Span, Version};

struct House {
    store: Arc<Memory>,
    folder: tempfile::TempDir,
    replica: ReplicaName,
    serving: Arc<Serving>,
}

fn at(text: &str) -> Timestamp {
    format!("2026-11-21T{text}Z").parse().unwrap()
}

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

impl House {
    fn new() -> House {
        House {
            store: Arc::new(Memory::new()),
            folder: tempfile::tempdir().unwrap(),
            replica: "a".parse().unwrap(),
            serving: serving(a_model(Version::FIRST, 1.0), Some(a_model(Version::new(1, 1, 0), 0.5))),
        }
    }

    fn boot(&self, number: u128, durability: Durability, now: &str) -> Result<Recorder, LogError> {
        let (store, boot) = (self.store.clone(), Ulid::from(number));
        Recorder::open(store, self.folder.path(), &self.replica, boot, durability, SpoolRules::DEFAULTS, at(now))
    }

    /// Segments end when they have so many bytes, and are sealed as they end.
    fn boot_small(&self, rotate_bytes: u64, now: Timestamp) -> Recorder {
        let rules = SpoolRules { rotate_bytes, shadow_wait: Span::ZERO, ..SpoolRules::DEFAULTS };
        let (store, root, boot) = (self.store.clone(), self.folder.path(), Ulid::from(1));
        Recorder::open(store, root, &self.replica, boot, Durability::Batched, rules, now).unwrap()
    }

    fn candidate(&self) -> &Predictor {
        self.serving.candidate.as_ref().unwrap()
    }

    /// Answer a request with this humidity; refused above 100.
    fn answer(&self, events: &impl EventSink, request_id: Uuid, now: &str, humidity: f64) -> Timestamp {
        use crate::contract::Given::{Bool, Number, Text};
        let row = [
            ("temperature", Number(1.0)),
            ("humidity", Number(humidity)),
            ("station", Text("south")),
            ("windy", Bool(true)),
        ];
        let answer = self.serving.champion.answer(row).unwrap();
        let answered =
            Answered { request_id, at: at(now), answer: &answer, latency_us: 40, serving: &self.serving, trace: None };
        let recorded = events.answered(&answered).unwrap();
        block_on(recorded.on_disk).unwrap();
        recorded.at
    }

    fn shadow(&self, recorder: &Recorder, request_id: Uuid, at: Timestamp) -> Result<(), SinkError> {
        use crate::contract::Given::{Bool, Number, Text};
        let row = [
            ("temperature", Number(1.0)),
            ("humidity", Number(5.0)),
            ("station", Text("south")),
            ("windy", Bool(true)),
        ];
        let Answer::Scored { vector, .. } = self.candidate().answer(row).unwrap() else { panic!() };
        let candidate = self.candidate();
        recorder.shadowed(&Shadowed { request_id, at, vector: &vector, candidate, prediction: 0.2, latency_us: 9 })
    }

    fn events(&self) -> Vec<Event> {
        let (from, to) = (at("00:00:00"), at("23:59:59"));
        read_events(self.store.as_ref(), self.serving.champion.name(), from, to).unwrap()
    }

    fn labels(&self) -> Vec<Label> {
        let (from, to) = (at("00:00:00"), at("23:59:59"));
        read_labels(self.store.as_ref(), self.serving.champion.name(), from, to).unwrap()
    }

    fn segments(&self) -> usize {
        let names = fs::read_dir(self.folder.path().join("a")).unwrap().map(|entry| entry.unwrap().file_name());
        names.filter(|name| name.to_str().unwrap().ends_with(".jsonl")).count()
    }
}

#[test]
fn what_was_answered_is_sealed_with_its_shadow() {
    let house = House::new();
    let recorder = house.boot(1, Durability::Durable, "10:00:00").unwrap();
    let first = house.answer(&recorder, id(1), "10:00:30", 40.0);
    house.answer(&recorder, id(2), "10:00:31", 400.0);
    assert_eq!(recorder.maintain(at("10:00:40")).unwrap(), at("10:00:00"));
    // The segment is closed after a minute, takes a shadow that comes a moment later, and is sealed after its wait.
    assert_eq!(recorder.maintain(at("10:01:00")).unwrap(), at("10:00:00"));
    house.shadow(&recorder, id(1), first).unwrap();
    assert!(house.events().is_empty());
    assert_eq!(recorder.maintain(at("10:01:05")).unwrap(), at("10:01:05"));
    assert!(house.shadow(&recorder, id(1), first).is_err(), "a sealed segment took a line");

    let events = house.events();
    let shadow = ShadowScore { version: Version::new(1, 1, 0), prediction: 0.2, latency_us: 9 };
    assert_eq!((events[0].prediction, &events[0].shadow), (Some(0.4), &Some(shadow)));
    assert_eq!(events[0].slices, [("station".to_owned(), "south".to_owned())].into());
    assert_eq!((events[1].status, events[1].codes.as_slice()), (Status::Invalid, [Code::OutOfRange].as_slice()));
    assert_eq!((events[1].prediction, &events[1].shadow), (None, &None));
    assert_eq!(house.segments(), 0);
    let model = house.serving.champion.name();
    let parts = parts_between(house.store.as_ref(), model, PartKind::Events, at("10:00:00"), at("10:00:01")).unwrap();
    let [part] = parts.as_slice() else { panic!("{parts:?}") };
    assert!(part.as_str().starts_with("var/rain/events/date=2026-11-21/hour=10/a-"), "{part}");
    assert_eq!(requests_of(house.store.as_ref(), part).unwrap(), [(at("10:00:00"), 2)].into());
    let bytes = house.store.read(part).unwrap();
    insta::assert_snapshot!(
        super::super::columns::schema_of(bytes)
            .fields()
            .iter()
            .map(|field| format!("{}: {}", field.name(), field.data_type()))
            .collect::<Vec<_>>()
            .join("\n")
    );
}

#[test]
fn a_part_belongs_to_one_hour_and_nothing_is_recorded_before_its_segment() {
    let house = House::new();
    let recorder = house.boot(1, Durability::Batched, "10:59:59").unwrap();
    house.answer(&recorder, id(1), "10:59:59.9", 1.0);
    house.answer(&recorder, id(2), "11:00:00.1", 2.0);
    // A request that began before the hour and was answered after it, and a clock that goes back.
    assert_eq!(house.answer(&recorder, id(3), "10:59:59.95", 3.0), at("11:00:00"));
    assert_eq!(recorder.close(at("11:00:01")).unwrap(), at("11:00:01"));
    let model = house.serving.champion.name();
    let hour = |from, to| parts_between(house.store.as_ref(), model, PartKind::Events, at(from), at(to)).unwrap().len();
    assert_eq!((hour("10:00:00", "11:00:00"), hour("11:00:00", "12:00:00"), hour("10:30:00", "11:30:00")), (1, 1, 2));
    assert_eq!(house.events().iter().map(|event| event.request_id).collect::<Vec<_>>(), [id(1), id(3), id(2)]);
}

#[test]
fn a_full_segment_ends_and_keeps_its_shadows() {
    let house = House::new();
    let now = at("10:00:00");
    let recorder = house.boot_small(1, now);
    for number in 0..5 {
        let at = house.answer(&recorder, id(number), "10:00:00", 1.0);
        house.shadow(&recorder, id(number), at).unwrap();
    }
    assert_eq!(house.segments(), 5);
    recorder.close(now).unwrap();
    let events = house.events();
    assert!(events.len() == 5 && events.iter().all(|event| event.shadow.is_some()), "{events:?}");
}

#[test]
fn a_crash_replays_once() {
    let house = House::new();
    let recorder = house.boot(1, Durability::Durable, "10:00:00").unwrap();
    for number in 0..3 {
        house.answer(&recorder, id(number), "10:00:01", 5.0);
    }
    let segment = house.folder.path().join("a").join(format!("{}-000000.jsonl", Ulid::from(1)));
    let bytes = fs::read(&segment).unwrap();
    assert!(matches!(house.boot(2, Durability::Durable, "10:00:02"), Err(LogError::ReplicaTaken { .. })));
    drop(recorder);

    // The power fails in the middle of a line, and again after sealing but before the segment is gone.
    fs::write(&segment, [bytes.as_slice(), br#"["rain@1.0.0",1795"#].concat()).unwrap();
    drop(house.boot(2, Durability::Durable, "10:05:00").unwrap());
    assert_eq!((house.events().len(), house.segments()), (3, 0));
    fs::write(&segment, &bytes).unwrap();
    drop(house.boot(3, Durability::Durable, "10:06:00").unwrap());
    assert_eq!((house.events().len(), house.segments()), (3, 0));

    // Another segment under the same name is not mistaken for the sealed one, and a broken line is not skipped.
    let other = String::from_utf8(bytes).unwrap().replacen(",40,", ",41,", 1);
    fs::write(&segment, &other).unwrap();
    assert!(matches!(house.boot(4, Durability::Durable, "10:07:00"), Err(LogError::OtherRows { .. })));
    fs::write(&segment, other.replacen('[', "!", 1)).unwrap();
    assert!(matches!(house.boot(5, Durability::Durable, "10:07:00"), Err(LogError::Line { line: 1, .. })));
    assert_eq!(house.segments(), 1);
}

#[test]
fn every_label_has_one_outcome() {
    let house = House::new();
    let recorder = house.boot(1, Durability::Durable, "10:00:00").unwrap();
    for number in [1, 2, 3, 1] {
        house.answer(&recorder, id(number), "10:00:01", 5.0);
    }
    let model = house.serving.champion.name();
    let send = |truths: &[(u128, f64)]| {
        let truths: Vec<Truth> =
            truths.iter().map(|(number, label)| Truth { request_id: id(*number), label: *label }).collect();
        let labelled = recorder.labelled(model, &truths, at("12:00:00")).unwrap();
        block_on(labelled.on_disk).unwrap();
        labelled.outcomes
    };
    assert_eq!(send(&[(1, 1.0), (2, 0.0)]), Outcomes { new: 2, ..Outcomes::default() });
    let said = send(&[(1, 1.0), (2, 1.0), (3, 1.0), (9, 1.0), (9, 1.0)]);
    assert_eq!(said, Outcomes { new: 1, duplicate: 2, conflicting: 1, unknown: 1, ..Outcomes::default() });
    // A word is taken back, and that is said twice.
    assert_eq!(send(&[(2, 0.0), (2, 0.0)]), Outcomes { conflicting: 1, duplicate: 1, ..Outcomes::default() });
    recorder.close(at("12:00:01")).unwrap();
    let mut labels: Vec<_> = house.labels().iter().map(|label| (label.request_id, label.label)).collect();
    labels.sort_by_key(|(id, _)| *id);
    assert_eq!(labels, [(id(1), 1.0), (id(2), 0.0), (id(2), 0.0), (id(2), 1.0), (id(3), 1.0), (id(9), 1.0)]);
}

#[test]
fn a_file_of_labels_is_taken_whole_and_once() {
    let house = House::new();
    let recorder = house.boot(1, Durability::Durable, "10:00:00").unwrap();
    house.answer(&recorder, id(1), "10:00:01", 5.0);
    house.answer(&recorder, id(2), "10:00:01", 5.0);
    recorder.close(at("10:00:02")).unwrap();
    // 1 is new and then taken back, 2 is known before it was asked, and nobody asked 4.
    let rows = [(1, "1", "13:00:00"), (1, "0", "13:30:00"), (2, "0", "09:00:00"), (4, "true", "13:00:00")];
    let rows = rows.map(|(number, label, known)| format!("{},{label},2026-11-21T{known}Z\n", id(number)));
    let file = format!("request_id,label,at\n{}", rows.concat());
    let since = Since { known: at("00:00:00"), judged: at("00:00:00") };
    let take = |file: &str| import(house.store.as_ref(), &a_contract(true), file.as_bytes(), since, at("14:00:00"));
    let once = Outcomes { new: 1, conflicting: 1, early: 1, unknown: 1, ..Outcomes::default() };
    assert_eq!(take(&file).unwrap(), once);
    assert_eq!(take(&file).unwrap(), Outcomes { duplicate: 3, early: 1, ..Outcomes::default() });
    assert_eq!(house.labels().len(), 3);
    let LogError::Labels { rows, faults } =
        take(&format!("request_id,label\n{},2\nx,1\n{},\n{},NaN\n", id(1), id(2), id(2))).unwrap_err()
    else {
        panic!("the file was taken");
    };
    assert_eq!((rows, faults.iter().map(|fault| fault.line).collect::<Vec<_>>()), (4, vec![2, 3, 4, 5]));
    let tomorrow = take(&format!("request_id,label,at\n{},1,2026-11-22T13:00:00Z\n", id(1))).unwrap_err();
    assert!(tomorrow.to_string().contains("`at` lies in the future"), "{tomorrow}");
    assert_eq!(house.labels().len(), 3);
}

/// Every label of one request has one outcome, whatever order they come in.
#[test]
fn a_label_is_one_thing_and_no_other() {
    let label = |known: &str, label| Label { request_id: id(1), label, at: at(known) };
    let (asked, judged) = (Some(at("10:00:00")), at("00:00:00"));
    let settle = |answered, told: &[Label], sent: &Label, judged| {
        let mut outcomes = Outcomes::default();
        let kept = outcomes.settle(answered, told, sent, judged);
        (outcomes, kept)
    };
    let nothing = Outcomes::default();
    let sent = label("12:00:00", 1.0);
    assert_eq!(settle(asked, &[], &sent, judged), (Outcomes { new: 1, ..nothing }, true));
    assert_eq!(settle(None, &[], &sent, judged), (Outcomes { unknown: 1, ..nothing }, true));
    assert_eq!(settle(asked, &[], &sent, at("11:00:00")), (Outcomes { overdue: 1, ..nothing }, true));
    assert_eq!(settle(asked, &[], &label("09:54:59", 1.0), judged), (Outcomes { early: 1, ..nothing }, false));
    assert_eq!(settle(asked, &[], &label("09:55:00", 1.0), judged), (Outcomes { new: 1, ..nothing }, true));
    let told = [label("11:00:00", 1.0), label("13:00:00", 0.0)];
    assert_eq!(settle(asked, &told, &sent, judged), (Outcomes { duplicate: 1, ..nothing }, false));
    assert_eq!(settle(asked, &told, &label("14:00:00", 1.0), judged), (Outcomes { conflicting: 1, ..nothing }, true));
    assert_eq!(settle(None, &told, &label("10:30:00", 0.0), judged), (Outcomes { conflicting: 1, ..nothing }, true));
    // What was early was no label of the answer: the same word at the right time is its first.
    let early = [label("09:00:00", 1.0)];
    assert_eq!(settle(asked, &early, &sent, judged), (Outcomes { new: 1, ..nothing }, true));
}

/// A sample reads the rows that it takes and no other, and knows how many there are.
#[test]
fn of_what_is_not_sampled_nothing_is_read() {
    let house = House::new();
    let recorder = house.boot(1, Durability::Batched, "10:00:00").unwrap();
    for number in 0..2_000 {
        house.answer(&recorder, id(number), if number < 1_500 { "10:00:01" } else { "10:00:30" }, 5.0);
    }
    let truths: Vec<Truth> = (0..2_000).map(|number| Truth { request_id: id(number), label: 1.0 }).collect();
    recorder.labelled(house.serving.champion.name(), &truths, at("10:00:40")).unwrap();
    recorder.close(at("10:01:00")).unwrap();
    let (store, model) = (house.store.as_ref(), house.serving.champion.name());
    let sample = Sample::of(2_000, 250);
    let read = |from: &str, to: &str| read_sample(store, model, at(from), at(to), sample).unwrap();
    let (whole, first, second) =
        (read("10:00:00", "10:01:00"), read("10:00:00", "10:00:20"), read("10:00:20", "10:01:00"));
    assert_eq!((whole.of, first.of, second.of), (2_000, 1_500, 500));
    assert!((180..320).contains(&whole.events.len()), "{}", whole.events.len());
    let taken: Vec<Event> = house.events().into_iter().filter(|event| sample.takes(event.request_id)).collect();
    assert_eq!(whole.events, taken);
    assert_eq!(
        whole.events,
        [first.events, second.events].concat(),
        "the samples of the parts are the sample of the whole"
    );
    let labels = read_labels_of(store, model, at("10:00:00"), at("11:00:00"), |id| sample.takes(id)).unwrap();
    assert_eq!(labels.len(), taken.len());
    let then = read_labels(store, model, at("10:00:00"), at("10:00:39")).unwrap();
    assert_eq!(then, [], "what its hour knew later was not known then");
    let mut seen = 0;
    read_ids(store, model, at("10:00:00"), at("10:01:00"), |_| seen += 1).unwrap();
    assert_eq!(seen, 2_000);
}

#[test]
fn a_dead_replicas_segments_are_sealed_for_it_once_and_a_living_ones_are_not() {
    let house = House::new();
    let (store, root, after) = (house.store.as_ref(), house.folder.path(), Span::from_mins(5));
    let recorder = house.boot(1, Durability::Durable, "10:00:00").unwrap();
    house.answer(&recorder, id(1), "10:00:01", 5.0);
    let segment = root.join("a").join(format!("{}-000000.jsonl", Ulid::from(1)));
    let written = |now: &str| fs::File::open(&segment).unwrap().set_modified(system(at(now))).unwrap();
    let adopt = |now: &str| crate::log::adopt(store, root, Some(&"b".parse().unwrap()), after, at(now));
    written("10:00:01");
    assert!(adopt("23:00:00").is_empty(), "its process lives");
    drop(recorder);
    assert!(adopt("10:05:00").is_empty(), "it may just be starting again");
    let bytes = fs::read(&segment).unwrap();
    let adopted = adopt("10:05:01").pop().unwrap().unwrap();
    assert_eq!((adopted.replica.as_str(), adopted.segments), ("a", 1));
    assert_eq!((house.events().len(), house.segments()), (1, 0));
    // The power fails before the segment is gone: its replica finds it again, and nothing counts twice.
    fs::write(&segment, &bytes).unwrap();
    drop(house.boot(2, Durability::Durable, "10:06:00").unwrap());
    assert_eq!((house.events().len(), house.segments()), (1, 0));
    // A damaged one is said and kept, and keeps no other from being sealed.
    fs::write(&segment, "{}\n").unwrap();
    fs::create_dir(root.join("c")).unwrap();
    fs::write(root.join("c").join(format!("{}-000000.jsonl", Ulid::from(3))), &bytes).unwrap();
    for file in [&segment, &root.join("c").join(format!("{}-000000.jsonl", Ulid::from(3)))] {
        fs::File::open(file).unwrap().set_modified(system(at("10:07:00"))).unwrap();
    }
    let outcomes = adopt("11:00:00");
    assert!(matches!(outcomes.as_slice(), [Err(LogError::Line { line: 1, .. }), Ok(_)]), "{outcomes:?}");
    assert_eq!((house.events().len(), house.segments()), (2, 1));
}

fn system(at: Timestamp) -> std::time::SystemTime {
    std::time::UNIX_EPOCH + std::time::Duration::from_micros(at.micros().unsigned_abs())
}

/// Pages are turned and segments end, by size and by the hour, and are sealed while threads go on recording.
#[test]
fn what_threads_record_side_by_side_is_sealed_once_and_under_the_instants_they_were_told() {
    let house = House::new();
    let begin = at("10:59:59.5");
    let recorder = Arc::new(house.boot_small(150_000, begin));
    let clock = AtomicI64::new(begin.micros());
    let record = |thread: u128| {
        let scribe = recorder.scribe();
        let answer = |number| {
            let now = Timestamp::from_micros(clock.fetch_add(55, Ordering::Relaxed)).to_string();
            let id = id(thread << 64 | number);
            (id, house.answer(&scribe, id, &now[11..now.len() - 1], 5.0))
        };
        (0..6000).map(answer).collect::<Vec<_>>()
    };
    let mut told: Vec<(Uuid, Timestamp)> = thread::scope(|scope| {
        let threads: Vec<_> = (1..=3).map(|thread| scope.spawn(move || record(thread))).collect();
        while !threads.iter().all(ScopedJoinHandle::is_finished) {
            recorder.maintain(Timestamp::from_micros(clock.load(Ordering::Relaxed))).unwrap();
        }
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    recorder.close(at("11:00:01")).unwrap();
    assert_eq!(house.segments(), 0);
    let mut sealed: Vec<_> = house.events().iter().map(|event| (event.request_id, event.ts)).collect();
    sealed.sort_unstable();
    told.sort_unstable();
    assert!(sealed == told, "{} events of {} answers", sealed.len(), told.len());
    let model = house.serving.champion.name();
    let parts = parts_between(house.store.as_ref(), model, PartKind::Events, begin, at("11:00:01")).unwrap();
    assert!(parts.len() >= 8, "{parts:?}");
}

#[test]
fn what_one_thread_has_answered_is_known_to_all_at_once() {
    let house = House::new();
    let recorder = Arc::new(house.boot(1, Durability::Batched, "10:00:00").unwrap());
    let (one, other) = (recorder.scribe(), recorder.scribe());
    house.answer(&one, id(1), "10:00:02", 5.0);
    house.answer(&other, id(1), "10:00:01", 5.0);
    // More than wait together.
    for number in 2..=200 {
        house.answer(&other, id(number), "10:00:03", 5.0);
    }
    let model = house.serving.champion.name();
    let truths: Vec<Truth> = (1..=201).map(|number| Truth { request_id: id(number), label: 1.0 }).collect();
    let outcomes = recorder.labelled(model, &truths, at("10:00:04")).unwrap().outcomes;
    assert_eq!(outcomes, Outcomes { new: 200, unknown: 1, ..Outcomes::default() });
    assert_eq!(recorder.known(model, id(1)).0, Some(at("10:00:01")), "the first answer is the one that labels join");
}

/// An answer of a model elsewhere keeps its own instant, however long past, and a request that is known counts once.
#[test]
fn what_was_answered_elsewhere_keeps_its_instant_and_counts_once() {
    let house = House::new();
    let recorder = house.boot(1, Durability::Durable, "10:00:00").unwrap();
    let seen = Seen::Refused(crate::contract::Refusal { violations: Vec::new(), slots: Vec::new() });
    let reference: &crate::registry::Reference = house.serving.champion.model();
    let tell = |number, time| {
        let inferred = Inferred { request_id: id(number), at: at(time), seen: &seen, reference };
        recorder.inferred(&inferred, at("10:00:30")).unwrap().is_some()
    };
    assert!(tell(1, "07:30:00") && tell(2, "10:00:29") && tell(3, "08:15:00"));
    assert!(!tell(1, "07:30:00"), "a retry was recorded again");
    recorder.close(at("10:02:00")).unwrap();
    let told: Vec<Timestamp> = house.events().iter().map(|event| event.ts).collect();
    assert_eq!(told, [at("07:30:00"), at("08:15:00"), at("10:00:29")]);
}

/// A caller may ask two models under one id: what one is told is not known of the other.
#[test]
fn two_models_asked_under_one_id_have_their_own_labels_and_shadows() {
    let mut house = House::new();
    let recorder = house.boot(1, Durability::Batched, "10:00:00").unwrap();
    let first = house.answer(&recorder, id(1), "10:00:30", 40.0);
    house.shadow(&recorder, id(1), first).unwrap();
    let [rain, snow]: [ModelName; 2] = ["rain", "snow"].map(|name| name.parse().unwrap());
    let truth = [Truth { request_id: id(1), label: 1.0 }];
    let outcomes = |model| recorder.labelled(model, &truth, at("10:01:00")).unwrap().outcomes;
    assert_eq!(outcomes(&rain), Outcomes { new: 1, ..Outcomes::default() });
    assert_eq!(outcomes(&snow), Outcomes { unknown: 1, ..Outcomes::default() }, "it is kept, and no duplicate");
    house.serving = serving(house.serving.champion.clone(), None);
    let event = |model: &ModelName| Event { model: model.clone(), ..event_of(&house, first) };
    let score = ShadowScore { version: Version::new(1, 1, 0), prediction: 0.2, latency_us: 9 };
    let shadow = ShadowLine { model: rain.clone(), ts: first, request_id: id(1), score: score.clone() };
    let lines = [Line::Answer(event(&rain)), Line::Answer(event(&snow)), Line::Shadow(shadow)];
    let text: String = lines.iter().map(|line| serde_json::to_string(line).unwrap() + "\n").collect();
    let contents = Contents::read("a segment", text.len(), text.as_bytes()).unwrap();
    let shadows = [&rain, &snow].map(|model| contents.events[model][0].shadow.clone());
    assert_eq!(shadows, [Some(score), None]);
}

/// The event of a request that was answered at this instant.
fn event_of(house: &House, ts: Timestamp) -> Event {
    let serving = &house.serving;
    let answer = serving.champion.answer([]).unwrap();
    event(&Answered { request_id: id(1), at: ts, answer: &answer, latency_us: 1, serving, trace: None })
}
