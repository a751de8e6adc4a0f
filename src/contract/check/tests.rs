//! Contracts that contradict themselves or their schema.

use rstest::rstest;

use crate::contract::{RawContract, Task};
use crate::ingest::{RawSchema, Schema};
use crate::yaml;

const CONTRACT: &str = "
contract: pet
version: 1.0.0
schema: pet
task: binary
target: {column: cured}
time: born
id: chip
features:
- {name: age, kind: continuous}
- {name: kind, kind: nominal}
forbidden:
- {column: bill, reason: known only after the visit}
";

fn schema() -> Schema {
    let text = "
schema: pet
columns:
- {name: age, type: integer}
- {name: kind, type: category, values: [cat, dog, owl]}
- {name: born, type: date}
- {name: chip, type: id}
- {name: cured, type: boolean}
- {name: bill, type: float}
";
    yaml::read::<RawSchema>("s", text).unwrap().check().unwrap()
}

/// The faults of the contract after one change of its text.
fn faults(from: &str, to: &str) -> Vec<String> {
    assert!(CONTRACT.contains(from), "{from}");
    let raw: RawContract = yaml::read("c", CONTRACT.replace(from, to)).unwrap();
    match raw.check(&schema()) {
        Ok(_) => Vec::new(),
        Err(faults) => faults.iter().map(ToString::to_string).collect(),
    }
}

#[rstest]
#[case("id: chip\n", "", "column `chip`: has no role")]
#[case("id: chip", "id: bill", "id and forbidden[0]: `bill` has 2 roles")]
#[case("time: born", "time: chip", "time: `chip` is of type id")]
#[case("{name: age,", "{name: weight,", "features[0]: the schema `pet` has no column `weight`")]
#[case(
    "age, kind: continuous",
    "age, kind: nominal",
    "features[0] (age): a column of type integer cannot be read as nominal"
)]
#[case("kind, kind: nominal", "kind, kind: continuous", "a column of type category cannot be read as continuous")]
#[case("reason: known only after the visit", "reason: ' '", "forbidden[0] (bill): say the reason")]
#[case("schema: pet", "schema: zoo", "schema: names `zoo` but was given `pet`")]
#[case("{column: cured}", "{column: cured, positive: 'true'}", "target (cured): a binary target is")]
#[case("task: binary", "task: regression", "target (cured): a regression target is")]
#[case("id: chip", "id: chip\nslices: [age]", "slices[0]: `age` is not a boolean or category feature")]
#[case("id: chip", "id: chip\ncolumns: [{name: x, type: id}]", "columns: is written by `regent contract register`")]
fn a_contract_that_contradicts_its_schema_is_refused(#[case] from: &str, #[case] to: &str, #[case] told: &str) {
    let faults = faults(from, to);
    assert!(faults.iter().any(|fault| fault.contains(told)), "{faults:#?}");
}

#[test]
fn every_fault_is_told() {
    let raw: RawContract =
        yaml::read("c", CONTRACT.replace("kind: nominal", "kind: continuous").replace("chip", "born")).unwrap();
    assert_eq!(raw.check(&schema()).unwrap_err().len(), 3);
}

#[test]
fn a_checked_contract_stands_alone() {
    let raw: RawContract = yaml::read("c", CONTRACT).unwrap();
    let contract = raw.check(&schema()).unwrap();
    assert_eq!((contract.task(), contract.time(), contract.place("kind")), (Task::Binary, Some("born"), Some(1)));
    assert_eq!(contract.raw().check_registered().unwrap(), contract);
    assert_eq!(contract.forbids("bill"), Some("known only after the visit"));
}
