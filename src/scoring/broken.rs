//! Every defect in tests/data/{forest,linear,calibration}-* is refused, and by its own error; tests only.
#![expect(clippy::disallowed_methods, reason = "reads the broken inputs of tests/data")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rstest::rstest;

use super::{Calibration, Forest, LinearModel};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data");

/// The name of the error's variant, and what it says.
fn refusal<T, E: std::error::Error>(read: Result<T, E>) -> (String, String) {
    let Err(error) = read else { panic!("it was taken") };
    let variant = format!("{error:?}").split([' ', '(', '{']).next().unwrap_or_default().to_owned();
    (variant, error.to_string())
}

/// What the reader of that file says.
fn refused(defect: &str) -> (String, String) {
    let read = |file: &str| std::fs::read(Path::new(ROOT).join(defect).join(file)).unwrap();
    match defect.split_once('-').unwrap().0 {
        "forest" => refusal(Forest::parse(&String::from_utf8(read("model.txt")).unwrap())),
        "linear" => refusal(LinearModel::read(&read("model.json"))),
        "calibration" => refusal(Calibration::read(&read("calibration.json"))),
        other => panic!("{other} has no reader here"),
    }
}

macro_rules! defects {
    ($($defect:literal $variant:ident $says:literal)*) => {
        const DEFECTS: &[&str] = &[$($defect),*];

        #[rstest]
        $(#[case($defect, stringify!($variant), $says)])*
        fn every_defect_has_its_own_error(#[case] defect: &str, #[case] variant: &str, #[case] says: &str) {
            let (found, said) = refused(defect);
            assert_eq!(found, variant, "{said}");
            assert!(said.contains(says), "{said}");
        }
    };
}

defects! {
    "forest-key-twice" Duplicate "tree 0: `threshold` is given twice"
    "forest-header-key-twice" Duplicate "the header: `num_class` is given twice"
    "forest-feature-name-twice" Duplicate "the header: `wind` is given twice"
    "forest-leaf-not-a-number" NotFinite "`leaf_value` value 0"
    "forest-leaf-infinite" NotFinite "`leaf_value` value 1"
    "forest-leaf-overflows" NotFinite "`leaf_value` value 1"
    "forest-threshold-not-a-number" NotFinite "`threshold` value 0"
    "forest-threshold-infinite" NotFinite "`threshold` value 0"
    "forest-gain-infinite" NotFinite "`split_gain` value 0"
    "forest-shrinkage-not-a-number" NotFinite "`shrinkage` value 0"
    "forest-statistic-not-a-number" NotFinite "`internal_value` value 1"
    "forest-count-negative" NotANumber "`leaf_count` value 1 is `-6`"
    "forest-count-no-number" NotANumber "`internal_count` value 1 is `many`"
    "forest-leaf-missing" Length "`leaf_value` has 2 values instead of 3"
    "forest-leaf-count-short" Length "`leaf_count` has 2 values instead of 3"
    "forest-leaves-beyond-memory" Length "instead of 18446744073709551614"
    "forest-no-leaves" OutOfRange "`num_leaves` value 0 is 0"
    "forest-features-beyond-memory" Length "`feature_names` has 3 values instead of 4294967296"
    "forest-child-cycle" NotATree "`left_child` value 1 leads to 0"
    "forest-child-beyond" OutOfRange "`left_child` value 0 is 2"
    "forest-leaf-twice" NotATree "`right_child` value 1 leads to -1"
    "forest-feature-beyond" OutOfRange "`split_feature` value 1 is 3"
    "forest-category-set-beyond" OutOfRange "`threshold` value 1 is 1"
    "forest-category-words-short" Length "`cat_threshold` has 2 values instead of 4294967295"
    "forest-unknown-decision" OutOfRange "`decision_type` value 0 is 12"
    "forest-linear-tree" LinearTree "linear trees"
    "forest-several-outputs" Multiclass "`num_class` is 3"
    "forest-other-objective" Objective "`multiclass`"
    "forest-other-version" Version "`v3`"
    "forest-unknown-key" Unknown "`script`"
    "forest-tree-size-beyond" Truncated "where tree 0 should be"
    "forest-tree-size-short" Truncated "the text ends"
    "forest-trees-cut" Truncated "where tree 0 should be"
    "forest-no-trees" NoTrees "no trees"
    "forest-pandas-categories" PandasCategories "pandas"
    "forest-trailing-text" Unexpected "`and more`"
    "linear-key-twice" Json "line 4: `intercept` is given twice"
    "linear-term-key-twice" Json "line 7: `weight` is given twice"
    "linear-kind-twice" Json "line 7: `kind` is given twice"
    "linear-weight-overflows" Json "number out of range at line 8"
    "linear-weight-not-a-number" Json "expected value at line 8"
    "linear-scale-zero" Scale "the scale of feature 0 is 0"
    "linear-feature-beyond" Feature "feature 3 of 3"
    "linear-feature-twice" Twice "feature 0 has two terms"
    "linear-features-beyond-memory" TooManyFeatures "1000000000000 features"
    "linear-newer-form" Format "format_version 2"
    "linear-unknown-key" Json "unknown field `script`"
    "linear-trailing-value" Json "trailing characters"
    "linear-too-deep" Json "recursion limit"
    "calibration-key-twice" Json "`y` is given twice"
    "calibration-knot-overflows" Json "number out of range"
    "calibration-knots-far-apart" NotFinite "`x` is not finite"
    "calibration-falls" NotMonotone "`y` falls"
    "calibration-two-lengths" Knots "3 values of `x` and 2 of `y`"
    "calibration-no-knots" Knots "0 values of `x`"
    "calibration-above-one" OutOfRange "`y` is 1.1"
    "calibration-slope-negative" OutOfRange "`a` is -1"
    "calibration-no-such-level" NoSuchLevel "0.95"
    "calibration-residual-negative" OutOfRange "`residual` is -1"
    "calibration-newer-form" Format "format_version 2"
    "calibration-trailing-value" Json "trailing characters"
}

#[test]
fn no_defect_is_left_out() {
    let is_ours = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        ["forest-", "linear-", "calibration-"].iter().any(|prefix| name.starts_with(prefix)).then_some(name)
    };
    let folders = std::fs::read_dir(ROOT).unwrap().map(|entry| entry.unwrap().path());
    let found: BTreeSet<String> = folders.filter_map(|path| is_ours(&path)).collect();
    let tested: BTreeSet<String> = DEFECTS.iter().map(|defect| (*defect).to_owned()).collect();
    assert_eq!(found, tested);
}
