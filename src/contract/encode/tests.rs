//! Rows of files and rows of requests become the same numbers.

use super::*;
use crate::contract::shipped::{CHURN, RAIN, RIDERSHIP};

const CUSTOMER: &str =
    "churn,female,senior_citizen,partner,dependents,tenure,phone_service,multiple_lines,internet_service,\
online_security,online_backup,device_protection,tech_support,streaming_tv,streaming_movies,contract,paperless_billing,\
payment_method,monthly_charges,total_charges
Yes,1,0,true,false,3,1,No,Fiber optic,No,Yes,No,No,No,Yes,Two year,1,Mailed check,70.5,211.25
";

/// P7: the row of a file and the same row in a request are the same numbers.
#[test]
fn admit_is_the_only_encoder() {
    let contract = CHURN.contract();
    let encoded = encode(&contract, &CHURN.rows(CUSTOMER).unwrap()).unwrap();
    let request = [
        ("total_charges", Given::Number(211.25)),
        ("monthly_charges", Given::Number(70.5)),
        ("payment_method", Given::Text("Mailed check")),
        ("paperless_billing", Given::Bool(true)),
        ("contract", Given::Text("Two year")),
        ("streaming_movies", Given::Text("Yes")),
        ("streaming_tv", Given::Text("No")),
        ("tech_support", Given::Text("No")),
        ("device_protection", Given::Text("No")),
        ("online_backup", Given::Text("Yes")),
        ("online_security", Given::Text("No")),
        ("internet_service", Given::Text("Fiber optic")),
        ("multiple_lines", Given::Text("No")),
        ("phone_service", Given::Bool(true)),
        ("tenure", Given::Number(3.0)),
        ("dependents", Given::Bool(false)),
        ("partner", Given::Bool(true)),
        ("senior_citizen", Given::Bool(false)),
        ("female", Given::Bool(true)),
    ];
    assert_eq!(encoded.vectors, [admit(&contract, request).unwrap()]);
    assert_eq!((encoded.target, encoded.slices[0].codes.clone()), (vec![1.0], vec![2]));
}

#[test]
fn a_label_is_read_by_the_target_alone() {
    let (rain, churn, riders) = (RAIN.contract(), CHURN.contract(), RIDERSHIP.contract());
    assert_eq!(encode_target(&rain, Given::Bool(true)), Ok(1.0));
    assert_eq!(encode_target(&churn, Given::Text("No")), Ok(0.0));
    assert_eq!(encode_target(&churn, Given::Text("Yes")), Ok(1.0));
    assert_eq!(encode_target(&riders, Given::Number(2.5)), Ok(2.5));
    for (contract, given, code) in [
        (&rain, Given::Number(1.0), Code::Mistyped),
        (&rain, Given::Missing, Code::Missing),
        (&churn, Given::Text("yes"), Code::Unseen),
        (&riders, Given::Number(f64::NAN), Code::NonFinite),
        (&riders, Given::Text("2.5"), Code::Mistyped),
    ] {
        assert_eq!(encode_target(contract, given).unwrap_err().code, code, "{given:?}");
    }
}

#[test]
fn rows_that_were_frozen_under_another_contract_are_refused() {
    let rows = CHURN.rows(CUSTOMER).unwrap();
    assert!(matches!(encode(&RAIN.contract(), &rows), Err(ContractError::NoColumn(_))));
    let mut raw = CHURN.contract().raw().clone();
    for column in raw.columns.iter_mut().filter(|column| column.name == "tenure") {
        column.min = Some(4.0);
    }
    let narrower = raw.check_registered().unwrap();
    let Err(ContractError::Refused { row: 0, violations }) = encode(&narrower, &rows) else { panic!() };
    assert_eq!((violations[0].feature.as_str(), violations[0].code), ("tenure", Code::OutOfRange));
}
