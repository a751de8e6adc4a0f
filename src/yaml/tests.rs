//! Each named defect of a YAML file and what a person reads about it; what is printed is read again.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::Deserialize;

use super::*;
use crate::types::Version;

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Contract {
    name: String,
    version: Version,
    #[serde(default)]
    features: Vec<Feature>,
    #[serde(default)]
    forbidden: BTreeMap<String, String>,
    rule: Option<Rule>,
    #[serde(default)]
    rules: Vec<Rule>,
    threshold: Option<f64>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Feature {
    name: String,
    kind: Kind,
    monotone: Option<bool>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Continuous,
    Nominal,
}

/// Serde buffers what has an inner tag, and with that a number is no longer the text it was written as.
#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "when", rename_all = "lowercase", deny_unknown_fields)]
enum Rule {
    Below { label: String },
    Above { limit: f64, label: String },
}

fn contract(text: impl AsRef<[u8]>) -> Result<Contract, YamlError> {
    read("rain.yaml", text)
}

/// What a person reads about each broken contract.
macro_rules! defects {
    ($($test:ident: $folder:literal => $expected:literal)*) => {
        $(
            #[test]
            fn $test() {
                let text = include_bytes!(concat!("../../tests/data/yaml-", $folder, "/contract.yaml"));
                let error = contract(text).unwrap_err();
                assert_eq!(error.to_string(), $expected.trim_start_matches('\n'), "\n{error}");
            }
        )*
    };
}

defects! {
    an_unknown_field_is_named_with_what_was_meant: "unknown-field" => r#"
rain.yaml:6:5: features[0]: unknown field `monotonic`, expected one of `name`, `kind`, `monotone`
    6 |     monotonic: true
      |     ^ did you mean `monotone`?"#
    an_unknown_field_with_a_mapping_is_placed_at_its_name: "unknown-field-mapping" => r#"
rain.yaml:3:1: unknown field `faetures`, expected one of `name`, `version`, `features`, `forbidden`, `rule`, `rules`, `threshold`
    3 | faetures:
      | ^ did you mean `features`?"#
    an_unknown_variant_is_named_with_what_was_meant: "unknown-variant" => r#"
rain.yaml:5:11: features[0].kind: unknown variant `continous`, expected `continuous` or `nominal`
    5 |     kind: continous
      |           ^ did you mean `continuous`?"#
    a_missing_field_is_named: "missing-field" => r#"
rain.yaml:4:5: features[0]: missing field `name`
    4 |   - kind: continuous
      |     ^"#
    an_unquoted_number_is_not_a_text: "unquoted-number" => r#"
rain.yaml:5:10: invalid type: floating point `1.1`, expected a string
    5 |   label: 1.10
      |          ^ a text that looks like a number needs quotes: "1.10""#
    a_field_of_a_tagged_value_is_placed: "tagged-unknown-field" => r#"
rain.yaml:7:5: rules: unknown field `lable`, expected `limit` or `label`
    7 |     lable: high
      |     ^ did you mean `label`?"#
    a_value_of_a_tagged_value_is_placed: "tagged-wrong-type" => r#"
rain.yaml:8:12: rules: invalid type: string "high", expected f64
    8 |     limit: high
      |            ^"#
    a_missing_field_of_a_tagged_value_is_placed: "tagged-missing-field" => r#"
rain.yaml:6:5: rules: missing field `limit`
    6 |   - when: above
      |     ^"#
    a_short_version_is_not_completed: "short-version" => r#"
rain.yaml:2:10: version: `1.10` is not a version: write MAJOR.MINOR.PATCH, for example 1.0.0
    2 | version: 1.10
      |          ^"#
    a_field_twice_is_refused: "field-twice" => r#"
rain.yaml:3:1: `name` is given twice
    3 | name: snow
      | ^"#
    a_key_twice_is_refused: "key-twice" => r#"
rain.yaml:6:3: forbidden: `station` is given twice
    6 |   station: it names the place
      |   ^"#
    several_documents_are_refused: "several-documents" => r#"
rain.yaml:4:1: holds more than one document
    4 | ---
      | ^"#
    yes_is_not_a_boolean: "not-a-boolean" => r#"
rain.yaml:6:15: features[0].monotone: invalid type: string "yes", expected a boolean
    6 |     monotone: yes
      |               ^ write true or false"#
    a_tab_does_not_indent: "tab" => r#"
rain.yaml:4:1: found character that cannot start any token, while scanning for the next token
    4 | 	when: below
      | ^ indent with spaces, not with tabs"#
    an_unclosed_quote_is_shown: "unclosed-quote" => r#"
rain.yaml:3:1: found unexpected end of stream, while scanning a quoted scalar at line 1 column 7
    3 |
      | ^"#
    not_a_number_is_refused: "not-finite" => r#"
rain.yaml:3:12: threshold: NaN is not a finite number
    3 | threshold: .nan
      |            ^ quote it if it is a text"#
    a_tag_is_refused: "tag" => r#"
rain.yaml:3:12: threshold: invalid type: enum, expected a value without a tag
    3 | threshold: !number 3
      |            ^ remove the `!`, or quote the text it begins"#
    an_alias_bomb_does_not_explode: "alias-bomb" => r#"
rain.yaml:3:12: c.c.e: aliases make this larger than its text
    3 | forbidden: &a {a: x, b: x, c: x, d: x, e: x, f: x, g: x, h: x}
      |            ^"#
    an_unknown_alias_is_shown: "unknown-alias" => r#"
rain.yaml:1:7: unknown anchor
    1 | name: *rain
      |       ^"#
    too_deep_a_nest_is_refused: "too-deep" => r#"
rain.yaml:1:134: recursion limit exceeded
    1 | name: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[
      |                                                                                                                                      ^"#
    only_comments_are_nothing: "only-comments" => r#"
rain.yaml: is empty"#
    an_empty_file_is_nothing: "empty" => r#"
rain.yaml: is empty"#
    a_list_is_not_a_contract: "list" => r#"
rain.yaml:1:1: invalid type: sequence, expected struct Contract
    1 | - name: rain
      | ^"#
    a_byte_order_mark_is_refused: "byte-order-mark" => r#"
rain.yaml: begins with a byte order mark; save it as UTF-8 without BOM"#
    latin_1_is_refused: "latin-1" => r#"
rain.yaml:4:6: is not UTF-8
    4 |   zür�ck: x
      |      ^ save it as UTF-8 without BOM"#
    a_control_character_is_refused_and_not_repeated: "control-character" => r#"
rain.yaml:1:1: control characters are not allowed at position 7
    1 | name: r�ain
      | ^"#
    windows_line_ends_do_not_move_the_place: "windows-line-ends" => r#"
rain.yaml:5:5: features[0]: unknown field `knid`, expected one of `name`, `kind`, `monotone`
    5 |     knid: continuous
      |     ^ did you mean `kind`?"#
}

#[test]
fn an_endless_file_is_refused_unread() {
    let error = contract(vec![b'a'; (1 << 20) + 1]).unwrap_err();
    assert_eq!(error.to_string(), "rain.yaml: is too large: 1048577 bytes, at most 1048576");
}

#[test]
fn endless_brackets_are_refused() {
    let error = contract("[".repeat(1 << 16)).unwrap_err();
    assert!(error.message.contains("recursion"), "{error}");
}

#[test]
fn one_long_line_does_not_fill_the_terminal() {
    let error = contract(format!("name: {}\nversion: 1.0.0\nx: 1", "[".repeat(4000))).unwrap_err();
    assert!(error.to_string().len() < 1000, "{error}");
}

#[test]
fn windows_line_ends_and_one_document_mark_are_fine() {
    let expected = contract("name: rain\nversion: 1.0.0\n").unwrap();
    assert_eq!(contract("---\r\nname: rain\r\nversion: 1.0.0\r\n").unwrap(), expected);
    assert_eq!(contract("# a comment\n---\nname: rain\nversion: 1.0.0\n...\n").unwrap(), expected);
}

#[test]
fn an_alias_that_repeats_little_is_fine() {
    let read = contract("name: &name rain\nversion: 1.0.0\nforbidden: {a: *name, b: *name}\n").unwrap();
    assert_eq!(read.forbidden.len(), 2);
}

#[test]
fn an_unquoted_number_stays_the_text_that_it_was() {
    let read = contract("name: 1.10\nversion: 1.10.0\n").unwrap();
    assert_eq!((read.name.as_str(), read.version), ("1.10", Version::new(1, 10, 0)));
}

#[test]
fn nothing_is_meant_by_a_word_far_from_all() {
    let error = contract("name: rain\nversion: 1.0.0\npigeons: 3\n").unwrap_err();
    assert_eq!(error.hint, None);
}

#[test]
fn a_printed_file_names_its_schema_and_is_read_again() {
    let contract = contract("name: '1.10'\nversion: 1.0.0\n").unwrap();
    let text = print_with_schema_line("../schemas/json/contract.json", &contract).unwrap();
    assert!(
        text.starts_with("# yaml-language-server: $schema=../schemas/json/contract.json\nname: '1.10'\n"),
        "{text}"
    );
    assert_eq!(read::<Contract>("x", &text).unwrap(), contract);
}

#[test]
fn a_schema_knows_its_title_and_refuses_unknown_fields() {
    let schema = schema_of::<Contract>("Regent contract");
    assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
    assert_eq!(schema["title"], "Regent contract");
    assert_eq!(schema["additionalProperties"], false);
    assert_eq!(schema["required"], serde_json::json!(["name", "version"]));
}

proptest! {
    #[test]
    fn whatever_is_printed_is_read_again(names in proptest::collection::btree_map(any::<String>(), any::<String>(), 0..8)) {
        let text = print(&names).unwrap();
        prop_assert_eq!(read::<BTreeMap<String, String>>("x", &text).unwrap(), names);
    }

    #[test]
    fn no_text_is_too_strange_to_be_refused_with_grace(text in r"(?s)[ \t\n\-:\[\]{}&*!#'|a1\u{FEFF}\u{0}é]{0,40}") {
        if let Err(error) = contract(&text) {
            prop_assert!(error.to_string().starts_with("rain.yaml:"));
        }
    }
}
