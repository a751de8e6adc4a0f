//! Drafts that take their own file and invent no rule.

use super::*;

fn draft_of(csv: &str) -> String {
    infer_schema(Source::new("x.csv", csv.as_bytes()), &"x".parse().unwrap()).unwrap()
}

#[test]
fn a_draft_is_a_schema_that_takes_its_own_file() {
    let mut csv = "key,day,at,n,x,yes,word\n".to_owned();
    for row in 0..40 {
        let (day, word) = (row % 28 + 1, ["low", "high, or not", "null-ish"][row % 3]);
        csv += &format!("k{row},2026-01-{day:02},2026-01-{day:02}T10:00:00Z,{row},{row}.5,{},\"{word}\"\n", row % 2);
    }
    let text = draft_of(&csv);
    let raw: RawSchema = yaml::read("draft", &text).unwrap();
    let kinds: Vec<_> = raw.columns.iter().map(|column| column.kind).collect();
    use ColumnType::{Boolean, Category, Date, Float, Id, Integer, Timestamp};
    assert_eq!(kinds, [Id, Date, Timestamp, Integer, Float, Boolean, Category]);
    let schema = raw.check().unwrap();
    let summary = crate::ingest::read_rows(Source::new("x.csv", csv.as_bytes()), schema.columns(), |_| Ok(()));
    assert_eq!(summary.unwrap().rows, 40);
}

#[test]
fn what_was_seen_is_a_comment_and_never_a_rule() {
    let text = draft_of("m,x,t\n1,0.5,1\n7,,2\n-3,2,3\n");
    assert!(text.contains("larger than the one before; if it must be: increasing: true\n- name: t\n"), "{text}");
    assert_eq!(text.matches("increasing").count(), 1, "{text}");
    assert!(text.contains("# seen: -3 to 7\n- name: m\n  type: integer\n"), "{text}");
    assert!(text.contains("# missing values: 1, the first in line 3"), "{text}");
    assert!(!text.contains("min") && !text.contains("max"), "{text}");
}

#[test]
fn a_draft_needs_rows_that_can_be_read() {
    for csv in ["", "a\n", "a,b\n1\n", "a\n\"1"] {
        let drafted = infer_schema(Source::new("x.csv", csv.as_bytes()), &"x".parse().unwrap());
        assert!(matches!(drafted, Err(IngestError::Rejected(_))), "{csv:?}");
    }
}
