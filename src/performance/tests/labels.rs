//! Every label has one outcome, and the outcomes add up, in whatever order labels come.

use proptest::prelude::*;

use super::*;

fn at(hours: i64) -> Timestamp {
    Timestamp::EPOCH + Span::from_hours(hours)
}

fn told(row: u64, value: f64, at: Timestamp) -> Label {
    Label { at, ..label(row, value) }
}

/// Events 0 to 4, asked at minutes 0 to 4, the last of them refused.
fn events() -> Vec<Event> {
    let mut events: Vec<Event> = (0..5).map(event).collect();
    events[4].status = Status::Invalid;
    events[4].prediction = None;
    events
}

/// 0 is told once, 1 twice the same, 2 otherwise and back, 3 too early, 4 was refused, 9 was never asked.
fn labels() -> Vec<Label> {
    let early = Timestamp::EPOCH + Span::from_mins(3) - Label::CLOCKS - Span::from_micros(1);
    vec![
        told(0, 1.0, at(1)),
        told(1, 1.0, at(1)),
        told(1, 1.0, at(2)),
        told(2, 1.0, at(1)),
        told(2, 0.0, at(2)),
        told(2, 1.0, at(3)),
        told(3, 1.0, early),
        told(4, 1.0, at(1)),
        told(9, 1.0, at(1)),
    ]
}

#[test]
fn every_label_has_one_outcome() {
    let joined = join(&events(), &labels(), Conflicting::First);
    let counts = LabelCounts { received: 8, used: 3, duplicate: 2, conflicting: 1, early: 1, refused: 1, late: 0 };
    assert_eq!((joined.labels, joined.pairs.len()), (counts, 3));
}

#[test]
fn what_is_known_before_the_question_is_no_answer_but_clocks_differ() {
    let allowed = event(7).ts - Label::CLOCKS;
    for (known, used) in [(allowed, 1), (allowed - Span::from_micros(1), 0)] {
        let joined = join(&[event(7)], &[told(7, 1.0, known)], Conflicting::First);
        assert_eq!((joined.labels.used, joined.labels.early), (used, 1 - used), "{known}");
    }
}

#[test]
fn the_first_or_the_last_counts_as_the_policy_says() {
    let labels = [told(1, 0.0, at(1)), told(1, 1.0, at(2))];
    let pair = |conflicting| join(&[event(1)], &labels, conflicting).pairs.remove(0);
    let (first, last) = (pair(Conflicting::First), pair(Conflicting::Last));
    assert_eq!((first.label, last.label), (0.0, 1.0));
    // What was looked at is not rewritten: the instant and the first word stay.
    assert_eq!((last.first_label, last.known_at), (0.0, at(1)));
}

#[test]
fn a_conflict_is_said_with_what_was_made_of_it() {
    let mut labels = all(RIGHT, 0..300);
    labels.push(told(5, 1.0 - RIGHT(5), at(30)));
    let agreed = judged(&all(RIGHT, 0..300), 300);
    assert!(agreed.maturity[0].note.is_empty());
    for (conflicting, counts) in [(Conflicting::First, "the first"), (Conflicting::Last, "the last")] {
        let rules = PerformanceRules { conflicting, ..PerformanceRules::defaults() };
        let report = judged_under(&rules, &labels, 300);
        let said = format!("labels that contradict others: 1, {counts} counts");
        assert_eq!((report.maturity[0].note.as_str(), report.labels.conflicting), (said.as_str(), 1));
        assert_eq!(report.metrics == agreed.metrics, conflicting == Conflicting::First);
    }
}

/// A judgement that holds at every look must not be asked again about what it has seen.
#[test]
fn what_was_looked_at_is_not_rewritten_by_a_later_word() {
    let mut labels = all(WRONG, 0..300);
    labels.extend((0..300).map(|row| told(row, RIGHT(row), at(40))));
    let rules = PerformanceRules { conflicting: Conflicting::Last, ..PerformanceRules::defaults() };
    let report = judged_under(&rules, &labels, 300);
    assert_eq!(report.collapse, judged(&all(WRONG, 0..300), 300).collapse);
    assert_eq!(report.metrics, judged(&all(RIGHT, 0..300), 300).metrics, "what is shown follows the policy");
}

#[test]
fn labels_after_the_seal_join_all_the_same_and_are_counted() {
    let mut labels = all(RIGHT, 0..300);
    labels[7].at = at(25);
    let report = judged(&labels, 300);
    assert_eq!((report.labels.late, report.labels.used, report.labelled), (1, 300, 300));
    assert_eq!(report.metrics, judged(&all(RIGHT, 0..300), 300).metrics);
}

#[test]
fn labels_of_nobody_are_counted_where_they_arrive() {
    let window = Window { start: Timestamp::EPOCH, size: Span::from_days(1) };
    let (rules, mut labels) = (PerformanceRules::defaults(), labels());
    labels.push(told(9, 0.0, at(5)));
    labels.push(told(0, 1.0, at(30)));
    let mut arrivals = Arrivals::of(window, &labels);
    for event in events() {
        assert!(!arrivals.is_complete());
        arrivals.found(event.request_id);
    }
    // The one of hour 30 belongs to another window, and the early one was known before this one began.
    let told = arrivals.told(window.start, &rules);
    assert_eq!((told.received, told.matched, told.unmatched), (9, 7, 2));
    assert_eq!((told.join_rate.verdict, told.join_rate.measurement.n), (Verdict::Fail, 9));
    assert_eq!(Arrivals::of(window, &[]).told(window.start, &rules).join_rate.verdict, Verdict::Insufficient);
}

proptest! {
    #[test]
    fn outcomes_add_up_and_no_order_decides(
        sent in prop::collection::vec((0u64..8, 0u8..2, -10i64..60), 0..60), last in any::<bool>()
    ) {
        let conflicting = if last { Conflicting::Last } else { Conflicting::First };
        let minute = |minute: i64| Timestamp::EPOCH + Span::from_mins(minute);
        let labels: Vec<Label> =
            sent.iter().map(|(row, value, known)| told(*row, f64::from(*value), minute(*known))).collect();
        let joined = join(&events(), &labels, conflicting);
        let LabelCounts { received, used, duplicate, conflicting: contradicting, early, refused, .. } = joined.labels;
        prop_assert_eq!(received, used + duplicate + contradicting + early + refused);
        prop_assert_eq!(received, labels.iter().filter(|label| label.request_id < event(5).request_id).count() as u64);
        let mut back = labels.clone();
        back.reverse();
        prop_assert_eq!(&join(&events(), &back, conflicting), &joined);
        let twice: Vec<Label> = labels.iter().chain(&labels).cloned().collect();
        prop_assert_eq!(join(&events(), &twice, conflicting).pairs, joined.pairs, "a retry says nothing new");
    }
}

#[test]
fn numbers_agree_to_the_bit_or_not_at_all() {
    let labels = [told(1, 3.5, at(1)), told(1, 3.5, at(2)), told(1, 3.6, at(3))];
    let joined = join(&[event(1)], &labels, Conflicting::First);
    assert_eq!((joined.labels.duplicate, joined.labels.conflicting, joined.pairs[0].label), (1, 1, 3.5));
}
