//! The golden rows and what SciPy 1.14 and scikit-learn 1.9 say of them, read from `tests/data/golden`; tests only.

use serde_json::Value;

/// Which of the two golden samples.
#[derive(Debug, Clone, Copy)]
pub enum Side {
    Reference,
    Current,
}

pub const NUMERIC: [&str; 4] = ["a_norm", "b_lognorm", "c_ties", "d_sparse"];
pub const CATEGORICAL: [&str; 2] = ["k_small", "k_new"];

/// The golden values, as a tree.
pub fn golden() -> Value {
    serde_json::from_str(include_str!("../../tests/data/golden/golden_base.json")).unwrap()
}

/// The number at a JSON pointer.
pub fn number(golden: &Value, pointer: &str) -> f64 {
    golden.pointer(pointer).and_then(Value::as_f64).unwrap_or_else(|| panic!("no number at {pointer}"))
}

/// The numbers at a JSON pointer.
pub fn numbers(golden: &Value, pointer: &str) -> Vec<f64> {
    let list = golden.pointer(pointer).and_then(Value::as_array).unwrap();
    list.iter().map(|number| number.as_f64().unwrap()).collect()
}

/// The counts at a JSON pointer.
pub fn counts(golden: &Value, pointer: &str) -> Vec<u64> {
    numbers(golden, pointer).into_iter().map(|count| count as u64).collect()
}

/// A numeric column without its missing values.
pub fn column(side: Side, name: &str) -> Vec<f64> {
    let text = match side {
        Side::Reference => include_str!("../../tests/data/golden/ref.csv"),
        Side::Current => include_str!("../../tests/data/golden/cur.csv"),
    };
    let mut lines = text.lines();
    let index = lines.next().unwrap().split(',').position(|header| header == name).unwrap();
    let cells = lines.map(|line| line.split(',').nth(index).unwrap());
    cells.filter(|cell| !cell.is_empty()).map(|cell| cell.parse().unwrap()).collect()
}

/// Scores and labels of one side.
pub fn scored(side: Side) -> (Vec<f64>, Vec<bool>) {
    let labels = column(side, "y_true").into_iter().map(|label| label == 1.0).collect();
    (column(side, "y_score"), labels)
}

/// Equal to within `tolerance`, relative to the expected value.
#[track_caller]
pub fn assert_close(found: f64, expected: f64, tolerance: f64) {
    let error = (found - expected).abs();
    assert!(error <= tolerance * expected.abs().max(1e-300), "found {found}, expected {expected}");
}
