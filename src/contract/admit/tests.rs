//! Rows that are admitted, and rows that are refused with every reason.

use proptest::prelude::*;

use super::*;
use crate::contract::RawContract;
use crate::ingest::RawSchema;
use crate::yaml;

const SCHEMA: &str = "
schema: pet
columns:
- {name: age, type: integer, min: 0, max: 40}
- {name: weight, type: float, min: 0}
- {name: kind, type: category, values: [cat, dog, owl]}
- {name: tame, type: boolean}
- {name: born, type: date}
- {name: chip, type: id}
- {name: cured, type: boolean}
- {name: bill, type: float}
";
const CONTRACT: &str = "
contract: pet
version: 1.0.0
schema: pet
task: binary
target: {column: cured}
time: born
id: chip
features:
- {name: age, kind: ordinal}
- {name: weight, kind: continuous}
- {name: kind, kind: nominal}
- {name: tame, kind: continuous}
forbidden:
- {column: bill, reason: known only after the visit}
";

fn contract() -> Contract {
    let schema = yaml::read::<RawSchema>("s", SCHEMA).unwrap().check().unwrap();
    yaml::read::<RawContract>("c", CONTRACT).unwrap().check(&schema).unwrap()
}

/// The row in reading order, as (name, value).
fn good() -> Vec<(&'static str, Given<'static>)> {
    vec![
        ("age", Given::Number(3.0)),
        ("weight", Given::Number(4.5)),
        ("kind", Given::Text("dog")),
        ("tame", Given::Bool(true)),
    ]
}

fn refusal(row: &[(&'static str, Given<'static>)]) -> Refusal {
    admit(&contract(), row.iter().copied()).unwrap_err()
}

#[test]
fn a_row_becomes_numbers_in_the_order_of_the_contract() {
    assert_eq!(&*admit(&contract(), good()).unwrap(), [3.0, 4.5, 1.0, 1.0]);
    let negative_zero =
        [("age", Given::Number(-0.0)), ("weight", Given::Number(-0.0))].into_iter().chain(good().split_off(2));
    let vector = admit(&contract(), negative_zero).unwrap();
    assert!(vector[0].is_sign_positive() && vector[1].is_sign_positive());
}

#[test]
fn a_row_with_six_different_faults_names_all_six() {
    let row = [
        ("age", Given::Number(41.0)),
        ("weight", Given::Number(f64::NAN)),
        ("kind", Given::Text("fox")),
        ("bill", Given::Number(9.0)),
        ("colour", Given::Text("red")),
    ];
    let Refusal { violations, slots } = refusal(&row);
    let codes: Vec<_> = violations.iter().map(|violation| (violation.feature.as_str(), violation.code)).collect();
    assert_eq!(
        codes,
        [
            ("age", Code::OutOfRange),
            ("weight", Code::NonFinite),
            ("kind", Code::Unseen),
            ("tame", Code::Missing),
            ("bill", Code::Forbidden),
            ("colour", Code::Unknown),
        ]
    );
    assert_eq!(slots, [Slot::Above, Slot::Unseen, Slot::Unseen, Slot::Missing]);
    assert_eq!(violations[4].detail, "must not be sent: known only after the visit");
}

#[test]
fn every_wrong_value_has_its_code() {
    for (name, value, code, slot) in [
        ("age", Given::Number(-1.0), Code::OutOfRange, Slot::Below),
        ("age", Given::Number(1.5), Code::Mistyped, Slot::Unseen),
        ("age", Given::Text("3"), Code::Mistyped, Slot::Unseen),
        ("age", Given::Bool(true), Code::Mistyped, Slot::Unseen),
        ("age", Given::Number(f64::INFINITY), Code::NonFinite, Slot::Unseen),
        ("weight", Given::Nested, Code::Mistyped, Slot::Unseen),
        ("kind", Given::Number(1.0), Code::Mistyped, Slot::Unseen),
        ("kind", Given::Text("Dog"), Code::Unseen, Slot::Unseen),
        ("tame", Given::Number(1.0), Code::Mistyped, Slot::Unseen),
        ("tame", Given::Missing, Code::Missing, Slot::Missing),
    ] {
        let mut row = good();
        for field in row.iter_mut().filter(|field| field.0 == name) {
            field.1 = value;
        }
        let Refusal { violations, slots } = refusal(&row);
        assert_eq!(violations.iter().map(|violation| violation.code).collect::<Vec<_>>(), [code], "{name} {value:?}");
        assert!(slots.contains(&slot), "{name} {value:?} {slots:?}");
    }
}

#[test]
fn a_field_given_twice_is_refused_even_if_both_agree() {
    let mut row = good();
    row.push(row[1]);
    let codes: Vec<_> = refusal(&row).violations.into_iter().map(|violation| violation.code).collect();
    assert_eq!(codes, [Code::Duplicate]);
}

#[test]
fn the_target_the_time_and_the_id_must_not_be_sent() {
    for name in ["cured", "born", "chip", "bill"] {
        let mut row = good();
        row.push((name, Given::Bool(true)));
        assert_eq!(refusal(&row).violations[0].code, Code::Forbidden, "{name}");
    }
}

fn any_given() -> impl Strategy<Value = (&'static str, String, f64, u8)> {
    let names = prop::sample::select(vec!["age", "weight", "kind", "tame", "born", "bill", "planted"]);
    (names, "[A-Z]{9}", prop::num::f64::ANY, 0u8..6)
}

proptest! {
    #[test]
    fn the_order_of_fields_does_not_matter(order in Just(good()).prop_shuffle()) {
        prop_assert_eq!(admit(&contract(), order).unwrap(), admit(&contract(), good()).unwrap());
    }

    #[test]
    fn any_row_is_admitted_finite_or_refused_with_reasons(row in prop::collection::vec(any_given(), 0..9)) {
        let fields = row.iter().map(|(name, text, number, kind)| {
            let value = match kind {
                0 => Given::Missing,
                1 => Given::Bool(true),
                2 => Given::Text(text),
                3 => Given::Text("owl"),
                4 => Given::Nested,
                _ => Given::Number(*number),
            };
            (*name, value)
        });
        match admit(&contract(), fields) {
            Ok(vector) => prop_assert!(vector.len() == 4 && vector.iter().all(|value| value.is_finite())),
            Err(Refusal { violations, slots }) => prop_assert!(!violations.is_empty() && slots.len() == 4),
        }
    }

    /// P8: what was refused stands in no answer.
    #[test]
    fn no_violation_repeats_a_value(word in "[A-Z]{9}", number in 1_000_000.25f64..9_000_000.0) {
        let row = [
            ("age", Given::Number(number)),
            ("weight", Given::Text(&word)),
            ("kind", Given::Text(&word)),
            ("bill", Given::Text(&word)),
            ("planted", Given::Text(&word)),
        ];
        let told = format!("{:?}", admit(&contract(), row).unwrap_err());
        prop_assert!(!told.contains(&word) && !told.contains(&number.to_string()), "{told}");
    }
}

#[test]
fn a_row_admitted_by_one_contract_is_encoded_again_as_another_reads_it() {
    let old = contract();
    let widened =
        SCHEMA.replace("values: [cat, dog, owl]", "values: [ant, owl, dog, cat]").replace("max: 40", "max: 90");
    let moved = CONTRACT.replace("version: 1.0.0", "version: 1.1.0").replace(
        "- {name: age, kind: ordinal}\n- {name: weight, kind: continuous}",
        "- {name: weight, kind: continuous}\n- {name: age, kind: ordinal}",
    );
    let of = |schema: &str, text: &str| {
        let schema = yaml::read::<RawSchema>("s", schema).unwrap().check().unwrap();
        yaml::read::<RawContract>("c", text).unwrap().check(&schema).unwrap()
    };
    let new = of(&widened, &moved);
    let vector = admit(&old, good()).unwrap();
    let again = admit_again(&vector, &old, &new).unwrap();
    assert_eq!(**again, [4.5, 3.0, 2.0, 1.0]);
    assert_eq!(*again, admit(&new, good()).unwrap(), "the same request is the same row");
    assert!(matches!(admit_again(&vector, &old, &old), Ok(Cow::Borrowed(_))));
    // What only the wider contract admits, and a feature that the other does not have, is refused.
    let ant = admit(
        &new,
        [("kind", Given::Text("ant"))].into_iter().chain(good().into_iter().filter(|(name, _)| *name != "kind")),
    );
    assert_eq!(admit_again(&ant.unwrap(), &new, &old).unwrap_err().violations[0].code, Code::Unseen);
    let fewer = of(
        SCHEMA,
        &CONTRACT
            .replace("- {name: tame, kind: continuous}\n", "")
            .replace("forbidden:", "forbidden:\n- {column: tame, reason: asked later}")
            .replace("version: 1", "version: 2"),
    );
    assert_eq!(admit_again(&vector, &old, &fewer).unwrap_err().violations[0].code, Code::Forbidden);
}
