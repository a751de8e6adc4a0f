//! Every defect in tests/data/csv-* is refused by its own rule.
#![expect(clippy::disallowed_methods, reason = "reads the broken inputs of tests/data")]

use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::ingest::{IngestViolation, RawSchema, Schema};
use crate::yaml;

const SCHEMA: &str = "
schema: defects
columns:
- {name: key, type: id, unique: true}
- {name: at, type: integer, increasing: true}
- {name: x, type: float, min: 0, max: 10}
- {name: color, type: category, values: [red, green]}
- {name: ok, type: boolean}
- {name: day, type: date}
";

fn schema() -> Schema {
    yaml::read::<RawSchema>("defects.yaml", SCHEMA).unwrap().check().unwrap()
}

fn read(csv: &[u8]) -> Result<(Summary, Vec<String>), Rejection> {
    let mut rows = Vec::new();
    let summary = read_rows(Source::new("rows.csv", csv), schema().columns(), |row| {
        rows.push(row.iter().map(Cell::to_string).collect::<Vec<_>>().join(" "));
        Ok(())
    });
    match summary {
        Ok(summary) => Ok((summary, rows)),
        Err(IngestError::Rejected(rejection)) => Err(*rejection),
        Err(other) => panic!("{other}"),
    }
}

#[rstest]
#[case("csv-missing-value", 4, "x", Rule::Missing)]
#[case("csv-missing-spelled-out", 4, "x", Rule::Missing)]
#[case("csv-mistyped-number", 4, "x", Rule::Type)]
#[case("csv-infinite-number", 4, "x", Rule::Finite)]
#[case("csv-below-minimum", 4, "x", Rule::Min)]
#[case("csv-above-maximum", 4, "x", Rule::Max)]
#[case("csv-unknown-word", 4, "color", Rule::Values)]
#[case("csv-value-twice", 4, "key", Rule::Unique)]
#[case("csv-time-goes-back", 4, "at", Rule::Increasing)]
#[case("csv-no-such-day", 4, "day", Rule::Type)]
#[case("csv-fraction-for-integer", 4, "at", Rule::Type)]
#[case("csv-untrimmed-cell", 4, "x", Rule::Type)]
#[case("csv-too-few-cells", 4, "", Rule::CellCount)]
#[case("csv-too-many-cells", 4, "", Rule::CellCount)]
#[case("csv-blank-line", 4, "", Rule::CellCount)]
#[case("csv-latin-1", 4, "", Rule::Unreadable)]
#[case("csv-open-quote", 4, "", Rule::Unreadable)]
#[case("csv-stray-quote", 4, "", Rule::Unreadable)]
#[case("csv-extra-column", 1, "surprise", Rule::ExtraColumn)]
#[case("csv-absent-column", 1, "x", Rule::AbsentColumn)]
#[case("csv-column-twice", 1, "x", Rule::RepeatedColumn)]
#[case("csv-byte-order-mark", 1, "", Rule::Unreadable)]
#[case("csv-semicolons", 1, "key;at;x;color;ok;day", Rule::ExtraColumn)]
#[case("csv-no-rows", 1, "", Rule::NoRows)]
#[case("csv-empty", 1, "", Rule::Unreadable)]
fn every_defect_is_refused_by_its_rule(
    #[case] defect: &str,
    #[case] at: u64,
    #[case] name: &str,
    #[case] broken: Rule,
) {
    let path = format!("{}/tests/data/{defect}/rows.csv", env!("CARGO_MANIFEST_DIR"));
    let rejection = read(&std::fs::read(path).unwrap()).unwrap_err();
    let IngestViolation { line, column, rule, .. } = &rejection.violations[0];
    assert_eq!((*line, column.as_deref().unwrap_or_default(), *rule), (at, name, broken), "{rejection}");
    assert!(rejection.total() == 1 || defect == "csv-semicolons", "{rejection}");
}

#[test]
fn columns_may_stand_in_any_order_and_lines_may_end_as_on_windows() {
    let csv = b"day,ok,color,x,at,key\r\n2026-01-01,1,green,2.5,7,\"a,b\"\r\n";
    let (summary, rows) = read(csv).unwrap();
    assert_eq!(rows, ["a,b 7 2.5 1 true 2026-01-01"]);
    assert_eq!(summary, Summary { rows: 1, bytes: csv.len() as u64, sha256: Digest::of(csv) });
}

#[test]
fn every_violation_of_a_file_is_counted() {
    let csv = b"key,at,x,color,ok,day\na,1,,blue,maybe,2026-13-01\na,1,11,red,1,2026-01-01\n";
    let rejection = read(csv).unwrap_err();
    let counts: Vec<_> = rejection.counts.iter().map(|(rule, count)| (*rule, *count)).collect();
    use Rule::{Increasing, Max, Missing, Type, Unique, Values};
    assert_eq!(counts, [(Missing, 1), (Type, 2), (Max, 1), (Values, 1), (Unique, 1), (Increasing, 1)]);
    let text = rejection.to_string();
    for told in [
        "rows.csv: 7 violations in 2 rows; nothing was written",
        "rows.csv:2: column `x`: missing value: must be a finite number from 0 to 10",
        "rows.csv:2: column `color`: `blue` must be one of red, green",
        "rows.csv:3: column `key`: `a` stands in an earlier line too: must be unique",
        "by rule: missing: 1, type: 2, max: 1, values: 1, unique: 1, increasing: 1",
    ] {
        assert!(text.contains(told), "{text}");
    }
}

proptest! {
    #[test]
    fn no_row_is_handed_on_after_a_violation(broken in prop::collection::vec(any::<bool>(), 1..40)) {
        let mut csv = "key,at,x,color,ok,day\n".to_owned();
        for (row, broken) in broken.iter().enumerate() {
            csv += &format!("k{row},{row},{},red,1,2026-01-01\n", if *broken { "99" } else { "9" });
        }
        let mut handed = 0;
        let read = read_rows(Source::new("x", csv.as_bytes()), schema().columns(), |_| { handed += 1; Ok(()) });
        let clean = broken.iter().position(|broken| *broken).unwrap_or(broken.len());
        prop_assert_eq!(handed, clean);
        prop_assert_eq!(read.is_ok(), clean == broken.len());
    }
}
