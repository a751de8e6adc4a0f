//! Every kind of change, and the number it demands.

use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::ingest::RawSchema;
use crate::yaml;

const SCHEMA: &str = "
schema: pet
columns:
- {name: age, type: integer, min: 0, max: 40}
- {name: weight, type: float}
- {name: kind, type: category, values: [cat, dog, owl]}
- {name: tame, type: boolean}
- {name: born, type: date}
- {name: seen, type: timestamp}
- {name: cured, type: category, values: ['no', 'yes']}
- {name: bill, type: float}
";
const CONTRACT: &str = "
contract: pet
version: 1.0.0
schema: pet
task: binary
target: {column: cured, positive: 'yes'}
time: born
features:
- {name: age, kind: continuous}
- {name: weight, kind: continuous}
- {name: kind, kind: nominal}
- {name: tame, kind: continuous}
forbidden:
- {column: bill, reason: known only after the visit}
- {column: seen, reason: not a feature}
";

/// The contract after some changes of its own text and of its schema's.
fn changed(changes: &[(&str, &str)]) -> Contract {
    let (mut schema, mut contract) = (SCHEMA.to_owned(), CONTRACT.to_owned());
    for (from, to) in changes {
        assert!(schema.contains(from) || contract.contains(from), "{from}");
        schema = schema.replace(from, to);
        contract = contract.replace(from, to);
    }
    let schema = yaml::read::<RawSchema>("s", schema).unwrap().check().unwrap();
    yaml::read::<RawContract>("c", contract).unwrap().check(&schema).unwrap()
}

#[rstest]
#[case(&[("- {name: weight, kind: continuous}\n", ""), ("seen, reason: not a feature}", "seen, reason: not a feature}\n- {column: weight, reason: no}")],
    Bump::Major, "removing feature `weight`")]
#[case(&[("- {column: bill, reason: known only after the visit}\n", ""), ("features:", "features:\n- {name: bill, kind: continuous}")],
    Bump::Major, "adding feature `bill`")]
#[case(&[("weight, type: float", "weight, type: integer")], Bump::Major, "changing the type of feature `weight` from float to integer")]
#[case(&[("kind, kind: nominal", "kind, kind: ordinal")], Bump::Major, "reading feature `kind` as ordinal in place of nominal")]
#[case(&[("max: 40", "max: 39")], Bump::Major, "narrowing the range of feature `age`: a number from 0 to 40 became a number from 0 to 39")]
#[case(&[("min: 0, max: 40", "min: 1, max: 50")], Bump::Major, "narrowing the range of feature `age`")]
#[case(&[("cat, dog, owl", "cat, owl")], Bump::Major, "removing the value `dog` of feature `kind`")]
#[case(&[("positive: 'yes'", "positive: 'no'")], Bump::Major, "changing the positive class of target `cured`")]
#[case(&[("max: 40", "max: 41")], Bump::Minor, "widening the range of feature `age`")]
#[case(&[(", max: 40", "")], Bump::Minor, "widening the range of feature `age`: a number from 0 to 40 became a number of at least 0")]
#[case(&[("cat, dog, owl", "cat, dog, owl, fox")], Bump::Minor, "adding the value `fox` to feature `kind`")]
#[case(&[("cat, dog, owl", "dog, cat, owl")], Bump::Minor, "putting the values of feature `kind` in another order")]
#[case(&[("time: born", "time: seen"), ("column: seen,", "column: born,")], Bump::Minor, "ordering rows by another column")]
#[case(&[("bill, type: float", "bill, type: integer")], Bump::Minor, "changing what files hold in `bill`")]
#[case(&[("born, type: date", "born, type: date, increasing: true")], Bump::Minor, "changing the rules of files for `born`")]
#[case(&[("time: born", "time: born\nslices: [kind]")], Bump::Minor, "changing the slices")]
#[case(&[("task: binary", "task: binary\ndescription: Will it live?")], Bump::Patch, "changing the description")]
#[case(&[("weight, type: float", "weight, type: float, description: kg")], Bump::Patch, "describing column `weight`")]
#[case(&[("tame, kind: continuous", "tame, kind: continuous, description: is it?")], Bump::Patch, "describing feature `tame`")]
#[case(&[("reason: not a feature", "reason: an instant")], Bump::Patch, "changing why `seen` is forbidden")]
#[case(&[("schema: pet", "schema: pets")], Bump::Patch, "naming another schema of the same columns")]
fn the_largest_change_decides(#[case] changes: &[(&str, &str)], #[case] bump: Bump, #[case] what: &str) {
    let found = diff(&changed(&[]), &changed(changes));
    let largest = found.largest().unwrap();
    assert!(largest.bump == bump && largest.what.starts_with(what), "{found:#?}");
    let wanted = Version::new(1, 2, 3).bump(bump);
    assert_eq!(found.required_version(Version::new(1, 2, 3)), wanted);
}

#[test]
fn features_in_another_order_are_a_minor_change() {
    let moved =
        [("- {name: weight, kind: continuous}\n", ""), ("features:", "features:\n- {name: weight, kind: continuous}")];
    let found = diff(&changed(&[]), &changed(&moved));
    assert_eq!(found.changes, [Change { what: "putting the features in another order".into(), bump: Bump::Minor }]);
}

#[test]
fn a_new_number_alone_is_no_change() {
    let found = diff(&changed(&[]), &changed(&[("1.0.0", "2.0.0")]));
    assert_eq!((found.changes.len(), found.required_version(Version::FIRST)), (0, Version::FIRST));
}

proptest! {
    /// Whatever was admitted before is admitted after anything less than a major change.
    #[test]
    fn a_domain_is_narrowed_or_whatever_was_sent_may_still_be_sent(was in (-9i32..9, -9i32..9), is in (-9i32..9, -9i32..9), sent in -9i32..9) {
        prop_assume!(was.0 <= was.1 && is.0 <= is.1);
        let range = |(min, max): (i32, i32)| Range { min: min.into(), max: max.into() };
        let mut found = Diff::default();
        diff_domain("x", &Domain::Float(range(was)), &Domain::Float(range(is)), &mut found);
        let major = found.changes.iter().any(|change| change.bump == Bump::Major);
        let broken = range(was).admit(sent.into()).is_ok() && range(is).admit(sent.into()).is_err();
        prop_assert!(major || !broken);
        prop_assert_eq!(found.changes.is_empty(), was == is);
    }
}
