//! Cells that are read, and cells that are refused and not mended.

use proptest::prelude::*;

use super::*;

const ANY: Range = Range { min: f64::NEG_INFINITY, max: f64::INFINITY };

fn domains() -> Vec<Domain> {
    let words = vec!["low".to_owned(), "high".to_owned()];
    let bounded = Range { min: 0.0, max: 10.0 };
    vec![
        Domain::Integer(ANY),
        Domain::Integer(bounded),
        Domain::Float(ANY),
        Domain::Float(bounded),
        Domain::Boolean,
        Domain::Category(words),
        Domain::Date,
        Domain::Timestamp,
        Domain::Id,
    ]
}

#[test]
fn missing_infinite_and_mistyped_cells_are_refused_not_mended() {
    for (cell, rule) in [
        ("", Rule::Missing),
        ("NA", Rule::Missing),
        ("NaN", Rule::Missing),
        ("null", Rule::Missing),
        ("inf", Rule::Finite),
        ("-nan", Rule::Finite),
        ("1e999", Rule::Finite),
        (" 1", Rule::Type),
        ("1,5", Rule::Type),
    ] {
        assert_eq!(Domain::Float(ANY).read(cell), Err(rule), "{cell:?}");
    }
    for cell in ["1.0", "9007199254740993", "-9223372036854775808", "1e3"] {
        assert_eq!(Domain::Integer(ANY).read(cell), Err(Rule::Type), "{cell:?}");
    }
    for cell in ["2026-1-5", " 2026-01-05", "2026-02-30", "05.01.2026"] {
        assert_eq!(Domain::Date.read(cell), Err(Rule::Type), "{cell:?}");
    }
    for cell in ["True", "yes", "2"] {
        assert_eq!(Domain::Boolean.read(cell), Err(Rule::Type), "{cell:?}");
    }
}

#[test]
fn bounds_are_part_of_the_domain() {
    let domain = Domain::Integer(Range { min: 0.0, max: 10.0 });
    assert_eq!(domain.read("10"), Ok(Cell::Integer(10)));
    assert_eq!(domain.read("11"), Err(Rule::Max));
    assert_eq!(domain.read("-1"), Err(Rule::Min));
    assert_eq!(domain.wants(), "a whole number from 0 to 10");
}

#[test]
fn days_and_instants_are_in_order() {
    let read = |domain: &Domain, cell| domain.read(cell).unwrap().detached().unwrap();
    let day = |cell| read(&Domain::Date, cell);
    assert!(day("2026-11-22").is_above(&day("2026-11-21")) && !day("1969-12-31").is_above(&day("1970-01-01")));
    assert_eq!(day("1970-01-02").order(), Some(1));
    assert_eq!(day("0001-02-03").to_string(), "0001-02-03");
    let instant = |cell| read(&Domain::Timestamp, cell);
    assert!(instant("2026-11-21T10:00:00Z").is_above(&instant("2026-11-21T10:30:00+01:00")));
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in r"\PC{0,24}|[-+]?[0-9]{0,22}(\.[0-9]{0,9})?(e[-+]?[0-9]{1,3})?") {
        for domain in domains() {
            if let Ok(Cell::Float(number)) = domain.read(&text) {
                prop_assert!(number.is_finite());
            }
        }
    }
}

proptest! {
    #[test]
    fn a_short_decimal_is_what_the_standard_library_reads(cell in "-?[0-9.]{0,20}") {
        let expected = cell.parse::<f64>().ok();
        prop_assert!(decimal(&cell).is_none_or(|number| Some(number.to_bits()) == expected.map(f64::to_bits)), "{}", cell);
        let short = (1..=12).contains(&cell.len()) && expected.is_some();
        prop_assert!(!short || decimal(&cell).is_some(), "{}", cell);
    }
}
