//! Numbers that are right, wrong, taken and found again.

use super::*;
use crate::contract::shipped::RAIN;
use crate::store::Memory;

fn with(change: impl FnOnce(&mut RawContract)) -> RawContract {
    let mut raw = RAIN.raw();
    change(&mut raw);
    raw
}

fn version(major: u64, minor: u64, patch: u64) -> Version {
    Version::new(major, minor, patch)
}

fn refusal(store: &Memory, raw: &RawContract) -> String {
    register(raw, &RAIN.schema(), store).unwrap_err().to_string()
}

#[test]
fn a_registered_contract_stands_alone_and_is_found_again() {
    let store = Memory::new();
    let first = register(&RAIN.raw(), &RAIN.schema(), &store).unwrap();
    let again = propose(&RAIN.raw(), &RAIN.schema(), &store).unwrap();
    assert_eq!(again.found, Some(first.sha256));
    assert_eq!(again.register(&store).unwrap(), first);
    let model = RAIN.raw().contract;
    assert_eq!(latest(&store, &model).unwrap(), first);
    assert_eq!(first.contract.raw().columns.len(), 10);
    let bytes = store.read(&Key::new("registry/rain/contracts/1.0.0.yaml").unwrap()).unwrap();
    assert!(bytes.starts_with(b"# yaml-language-server: $schema=../../../schemas/json/contract.json\n"));
}

#[test]
fn a_first_contract_is_1_0_0() {
    let raw = with(|raw| raw.version = version(0, 1, 0));
    let told = refusal(&Memory::new(), &raw);
    assert_eq!(told, "register version 0.1.0: it is the first contract of `rain`: use 1.0.0");
}

#[test]
fn a_wrong_number_is_refused_with_the_change_that_demands_another() {
    let store = Memory::new();
    register(&RAIN.raw(), &RAIN.schema(), &store).unwrap();
    let without_visibility = |number| {
        with(|raw| {
            raw.version = number;
            let place = raw.features.iter().position(|feature| feature.name == "visibility").unwrap();
            let removed = raw.features.remove(place).name;
            raw.forbidden.push(super::super::Forbidden { column: removed, reason: "it drifts".into() });
        })
    };
    for number in [version(1, 0, 0), version(1, 1, 0), version(3, 0, 0)] {
        let told = refusal(&store, &without_visibility(number));
        let wanted = format!(
            "register version {number}: removing feature `visibility` is a major change since 1.0.0: use 2.0.0"
        );
        assert_eq!(told, wanted);
    }
    let told = refusal(&store, &with(|raw| raw.version = version(1, 0, 1)));
    assert_eq!(told, "register version 1.0.1: nothing changed since 1.0.0: use 1.0.0");
    register(&without_visibility(version(2, 0, 0)), &RAIN.schema(), &store).unwrap();
    let versions = registered(&store, &RAIN.raw().contract).unwrap();
    assert_eq!(versions, [version(1, 0, 0), version(2, 0, 0)]);
    // An old one is still found under its own number.
    assert!(propose(&RAIN.raw(), &RAIN.schema(), &store).unwrap().found.is_some());
}

#[test]
fn a_contract_under_another_name_or_number_is_not_trusted() {
    let genuine = Memory::new();
    register(&RAIN.raw(), &RAIN.schema(), &genuine).unwrap();
    let bytes = genuine.read(&Key::new("registry/rain/contracts/1.0.0.yaml").unwrap()).unwrap();
    for (model, number) in [("rain", version(1, 1, 0)), ("snow", version(1, 0, 0))] {
        let store = Memory::new();
        let model: ModelName = model.parse().unwrap();
        store.create(&key(&model, number).unwrap(), Body::from(&bytes)).unwrap();
        assert!(matches!(load_registered(&store, &model, number), Err(ContractError::Misfiled { .. })));
    }
    let nobody = latest(&Memory::new(), &"snow".parse().unwrap());
    assert!(matches!(nobody, Err(ContractError::Unregistered { .. })));
}
