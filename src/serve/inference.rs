//! One answer of a model elsewhere, as it was sent and as it is taken; pure. Its faults name fields, never values.

use uuid::Uuid;

use super::predictor::truth;
use super::seams::Seen;
use crate::contract::{Code, Contract, Given, Refusal, Task, Violation, admit};
use crate::types::{Span, Timestamp};

/// The clocks of two machines are this far apart at most: what is later is no answer yet, or its clock is wrong.
const AHEAD: Span = Span::from_mins(5);

/// An answer as a body, a line or a row tells it.
pub struct Sent<'a> {
    /// The request; none if it is not a UUID.
    pub request_id: Option<Uuid>,
    /// When it was answered.
    pub at: When,
    /// Its features.
    pub fields: Vec<(&'a str, Given<'a>)>,
    /// What the model said.
    pub prediction: Given<'a>,
    /// What came true, if that is known already.
    pub label: Option<Given<'a>>,
}

/// When an answer was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Nobody says, so it is new.
    Now,
    /// At this instant.
    At(Timestamp),
    /// What was sent is no instant.
    Unreadable,
}

/// An answer that can be recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct Inference {
    /// The request.
    pub request_id: Uuid,
    /// When it was answered.
    pub at: Timestamp,
    /// What was said, or every violation.
    pub seen: Seen,
    /// What came true; none of a refused answer.
    pub label: Option<f64>,
}

/// Read an answer under a contract: features by [`admit`], the prediction by the task, the label as any label.
///
/// # Errors
/// It has no id or no instant to be recorded under; every violation, those of its features included.
pub fn inference(contract: &Contract, sent: Sent<'_>, now: Timestamp) -> Result<Inference, Vec<Violation>> {
    let mut nameless = Vec::new();
    if sent.request_id.is_none() {
        let detail = "must be a UUID in its hyphenated form, and not the nil one";
        nameless.push(violation("request_id", Code::Mistyped, detail));
    }
    let at = match sent.at {
        When::Now => Some(now),
        When::At(at) if at > now + AHEAD => {
            nameless.push(violation("at", Code::OutOfRange, "must not lie in the future"));
            None
        }
        When::At(at) => Some(at),
        When::Unreadable => {
            nameless.push(violation("at", Code::Mistyped, "must be an instant such as 2026-11-21T10:00:00Z"));
            None
        }
    };
    let mut violations = Vec::new();
    let prediction = said(contract.task(), sent.prediction).map_err(|fault| violations.push(fault)).ok();
    let label = sent.label.map(|given| truth(contract, given)).transpose();
    let label = label.map_err(|fault| violations.push(Violation { feature: "label".to_owned(), ..fault })).ok();
    let seen = match (admit(contract, sent.fields), prediction, label) {
        (Ok(vector), Some(prediction), Some(_)) => Seen::Valid { vector, prediction },
        (Ok(vector), _, _) => Seen::Refused(Refusal { violations, slots: vector.slots().collect() }),
        (Err(refusal), _, _) => {
            Seen::Refused(Refusal { violations: [refusal.violations, violations].concat(), ..refusal })
        }
    };
    match (sent.request_id, at, seen) {
        (Some(request_id), Some(at), seen @ Seen::Valid { .. }) => {
            Ok(Inference { request_id, at, seen, label: label.flatten() })
        }
        (Some(request_id), Some(at), seen @ Seen::Refused(_)) => Ok(Inference { request_id, at, seen, label: None }),
        (_, _, Seen::Refused(refusal)) => Err([nameless, refusal.violations].concat()),
        (_, _, Seen::Valid { .. }) => Err(nameless),
    }
}

/// What a model of this task can say.
fn said(task: Task, given: Given<'_>) -> Result<f64, Violation> {
    let wants = match task {
        Task::Binary => "must be a probability from 0 to 1",
        Task::Regression => "must be a finite number",
    };
    let fault = |code| Err(violation("prediction", code, wants));
    match given {
        Given::Missing => Err(violation("prediction", Code::Missing, "is required")),
        Given::Number(number) if !number.is_finite() => fault(Code::NonFinite),
        Given::Number(number) if task == Task::Binary && !(0.0..=1.0).contains(&number) => fault(Code::OutOfRange),
        Given::Number(number) => Ok(number + 0.0),
        Given::Bool(_) | Given::Text(_) | Given::Nested => fault(Code::Mistyped),
    }
}

fn violation(field: &str, code: Code, detail: &str) -> Violation {
    Violation { feature: field.to_owned(), code, detail: detail.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::a_contract;
    use super::*;

    fn sent<'a>(humidity: f64, prediction: Given<'a>) -> Sent<'a> {
        let fields = vec![
            ("temperature", Given::Number(9.0)),
            ("humidity", Given::Number(humidity)),
            ("station", Given::Text("south")),
            ("windy", Given::Bool(true)),
        ];
        Sent { request_id: Some(Uuid::from_u128(1)), at: When::Now, fields, prediction, label: None }
    }

    fn now() -> Timestamp {
        "2026-11-21T10:00:00Z".parse().unwrap()
    }

    fn refused(sent: Sent<'_>) -> Vec<String> {
        let violations = match inference(&a_contract(true), sent, now()) {
            Ok(Inference { seen: Seen::Refused(refusal), label: None, .. }) => refusal.violations,
            Err(violations) => violations,
            Ok(other) => panic!("{other:?}"),
        };
        violations.into_iter().map(|one| format!("{} {}", one.feature, one.code.as_str())).collect()
    }

    #[test]
    fn a_sound_answer_is_taken_whole() {
        let at = "2026-11-20T09:00:00Z".parse().unwrap();
        let told = Sent { at: When::At(at), label: Some(Given::Number(1.0)), ..sent(5.0, Given::Number(0.25)) };
        let taken = inference(&a_contract(true), told, now()).unwrap();
        assert_eq!((taken.at, taken.label), (at, Some(1.0)));
        assert!(matches!(taken.seen, Seen::Valid { prediction: 0.25, .. }), "{taken:?}");
    }

    #[test]
    fn every_fault_is_named() {
        let bad = Sent { label: Some(Given::Number(3.0)), ..sent(200.0, Given::Number(1.5)) };
        assert_eq!(refused(bad), ["humidity out_of_range", "prediction out_of_range", "label mistyped"]);
        for (given, code) in [
            (Given::Missing, "missing"),
            (Given::Text("0.5"), "mistyped"),
            (Given::Number(f64::NAN), "non_finite"),
            (Given::Number(-0.1), "out_of_range"),
        ] {
            assert_eq!(refused(sent(5.0, given)), [format!("prediction {code}")]);
        }
    }

    /// What has no id or no instant can be recorded nowhere, and all of its faults are told.
    #[test]
    fn what_is_of_no_request_or_of_the_future_is_not_taken() {
        let at = |at| Sent { at, ..sent(200.0, Given::Number(0.5)) };
        assert_eq!(refused(at(When::Unreadable)), ["at mistyped", "humidity out_of_range"]);
        assert_eq!(refused(at(When::At(now() + Span::from_mins(6)))), ["at out_of_range", "humidity out_of_range"]);
        assert!(inference(&a_contract(true), at(When::At(now() + Span::from_mins(5))), now()).is_ok());
        let nobody = Sent { request_id: None, ..sent(5.0, Given::Number(0.5)) };
        assert_eq!(refused(nobody), ["request_id mistyped"]);
    }
}
