//! Counts are written late enough to tell nothing of a person; a test module.

use super::*;
use crate::serve::Serving;
use crate::serve::fixture::{a_model, serving};
use crate::store::{Key, Memory};
use crate::types::Version;

fn at(text: &str) -> Timestamp {
    format!("2026-11-21T{text}Z").parse().unwrap()
}

fn answer(counting: &dyn Counter, serving: &Serving, now: &str, humidity: f64) {
    use crate::contract::Given::{Bool, Number, Text};
    let row = [
        ("temperature", Number(1.0)),
        ("humidity", Number(humidity)),
        ("station", Text("south")),
        ("windy", Bool(true)),
    ];
    let answer = serving.champion.answer(row).unwrap();
    let (request_id, at) = (uuid::Uuid::nil(), at(now));
    counting.answered(&Answered { request_id, at, answer: &answer, latency_us: 40, serving, trace: None });
    if let (Answer::Scored { vector, .. }, Some(candidate)) = (&answer, &serving.candidate) {
        if humidity > 90.0 {
            return counting.missed(at, candidate, Missed::Dropped);
        }
        counting.shadowed(&Shadowed { request_id, at, vector, candidate, prediction: 0.1, latency_us: 9 });
    }
}

/// Rows that wait in lanes come to the same counts as rows that are counted one by one.
#[test]
fn however_rows_wait_they_are_counted() {
    let one = a_model(Version::FIRST, 1.0);
    let both = serving(one.clone(), Some(a_model(Version::new(1, 1, 0), 0.5)));
    let servings = [serving(one, None), both];
    let counted = |lanes: usize| {
        let (store, replica) = (Arc::new(Memory::new()), "a".parse().unwrap());
        let model = servings[0].champion.name().clone();
        let counting = Counting::new(store.clone(), model, Span::from_mins(5), replica, Ulid::from(1));
        let counting = Arc::new(counting);
        let lanes: Vec<Lane> = (0..lanes).map(|_| counting.lane()).collect();
        for row in 0..700 {
            // Two windows, turn by turn, rows that are refused, and, from the middle on, a candidate.
            let now = if row % 97 < 90 { "10:00:30" } else { "10:05:30" };
            let humidity = if row % 13 == 0 { 500.0 } else { f64::from(row % 100) };
            let counter: &dyn Counter = match lanes.len() {
                0 => &*counting,
                several => &lanes[row as usize % several],
            };
            answer(counter, &servings[usize::from(row >= 350)], now, humidity);
        }
        counting.close(at("10:10:00"), at("10:10:00")).unwrap();
        parts(&store).pop().unwrap().windows
    };
    let at_once = counted(0);
    assert_eq!(at_once.values().map(|counts| counts.counted).sum::<u64>(), 700);
    assert_eq!(counted(1), at_once);
    assert_eq!(counted(3), at_once);
}

fn parts(store: &Memory) -> Vec<CountPart> {
    let keys = store.list(&Key::new("var/rain/counts").unwrap()).unwrap();
    keys.iter().map(|key| CountPart::read(&crate::log::read_part(store, key).unwrap()).unwrap()).collect()
}

#[test]
fn counts_are_written_at_twenty_rows_or_when_the_window_is_over() {
    let store = Arc::new(Memory::new());
    let serving = serving(a_model(Version::FIRST, 1.0), Some(a_model(Version::new(1, 1, 0), 0.5)));
    let model = serving.champion.name().clone();
    let counting = Counting::new(store.clone(), model, Span::from_mins(5), "a".parse().unwrap(), Ulid::from(1));
    counting.maintain(at("10:00:00"), at("10:00:00")).unwrap();
    (0..19).for_each(|_| answer(&counting, &serving, "10:00:30", 50.0));
    counting.maintain(at("10:00:30"), at("10:00:59")).unwrap();
    counting.maintain(at("10:01:00"), at("10:01:00")).unwrap();
    let [first, second] = parts(&store).try_into().unwrap();
    assert!(first.windows.is_empty() && second.windows.is_empty(), "19 rows were written");
    assert_eq!((first.watermark, second.watermark), (at("10:00:00"), at("10:01:00")));

    answer(&counting, &serving, "10:01:30", 500.0);
    answer(&counting, &serving, "10:05:00", 50.0);
    counting.maintain(at("10:02:00"), at("10:02:00")).unwrap();
    let third = parts(&store).pop().unwrap();
    let counts = &third.windows[&at("10:00:00")];
    assert_eq!((third.windows.len(), counts.counted, counts.valid), (1, 20, 19));
    assert_eq!(counts.codes, [("out_of_range".to_owned(), 1)].into());
    let (champion, candidate) = (&counts.versions[&Version::FIRST], &counts.versions[&Version::new(1, 1, 0)]);
    // Five bins for humidity, then below, above, missing, unseen.
    assert_eq!(champion.features[1], [0, 0, 19, 0, 0, 0, 1, 0, 0]);
    assert_eq!((candidate.rows, &candidate.features[1]), (20, &champion.features[1]));
    assert_eq!((&champion.prediction[..5], &candidate.prediction[..5]), (&[0, 0, 19, 0, 0][..], &[19, 0, 0, 0, 0][..]));
    assert_eq!(champion.prediction.len(), 9);
    assert_eq!(
        latency::quantile_us(&champion.latency, 0.5),
        latency::quantile_us(&[vec![0; latency::bin(40)], vec![1]].concat(), 0.5)
    );

    counting.close(at("10:10:00"), at("10:10:00")).unwrap();
    let last = parts(&store).pop().unwrap();
    assert!(last.closed && last.windows[&at("10:05:00")].counted == 1);
}
