//! Two files: what is there is seen, what is not is not, and nothing is ever NaN.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{Seek, Write as _};
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, StringArray};
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use rand_pcg::Pcg64;
use rand_pcg::rand_core::Rng;

use super::compare::compare_holding;
use super::*;
use crate::drift::DriftRules;
use crate::ingest::RawSchema;
use crate::ingest::blocks::Table;
use crate::stats::golden::{self, CATEGORICAL, NUMERIC, assert_close};
use crate::types::Verdict::{Fail, Insufficient, Pass};
use crate::yaml;

fn asked() -> Asked {
    Asked { target: None, prediction: None, schema: None, classifier: Classifier::Never, seed: 1 }
}

fn table(text: &str) -> Table<File> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file.rewind().unwrap();
    Table::open("x.csv".to_owned(), file).unwrap()
}

fn compared(reference: &str, current: &str, asked: &Asked) -> FilesReport {
    let report = compare(table(reference), table(current), asked, &DriftRules::DEFAULTS).unwrap();
    let json = serde_json::to_string(&report).unwrap();
    assert!(!json.contains(":null") && !json.contains("NaN"), "{json}");
    assert_eq!(serde_json::from_str::<FilesReport>(&json).unwrap(), report);
    report
}

fn feature<'a>(report: &'a FilesReport, name: &str) -> &'a FeatureReport {
    let found = report.features.iter().find(|feature| feature.feature == name);
    found.unwrap_or_else(|| panic!("no {name} in {report:#?}"))
}

fn value(report: &FilesReport, name: &str, metric: &str) -> f64 {
    feature(report, name).check(metric).unwrap().measurement.value.number().unwrap()
}

/// A column `x` of so many rows.
fn column(rows: usize, cell: impl Fn(usize) -> String) -> String {
    (0..rows).fold("x\n".to_owned(), |mut text, row| {
        let cell = cell(row);
        // A line with nothing in it would be one cell as well; quotes say so.
        let _ = writeln!(text, "{}", if cell.is_empty() { "\"\"" } else { &cell });
        text
    })
}

fn chance(seed: u64) -> impl FnMut() -> f64 {
    let mut generator = Pcg64::new(u128::from(seed), 7);
    move || (generator.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}

/// A sum of uniform numbers: near enough to normal.
fn normal(chance: &mut impl FnMut() -> f64) -> f64 {
    (0..12).map(|_| chance()).sum::<f64>() - 6.0
}

#[test]
fn every_statistic_is_scipys() {
    let (then, now) =
        (include_str!("../../../tests/data/golden/ref.csv"), include_str!("../../../tests/data/golden/cur.csv"));
    let report = compared(then, now, &asked());
    let golden = golden::golden();
    for name in NUMERIC {
        let expected = |what: &str| golden::number(&golden, &format!("/numeric/{name}/{what}"));
        let p = |metric: &str| feature(&report, name).check(metric).unwrap().p_value.unwrap();
        assert_close(value(&report, name, "ks"), expected("ks_exact/statistic"), 1e-9);
        assert_close(p("ks"), expected("ks_exact/pvalue"), 1e-6);
        assert_close(value(&report, name, "mann_whitney"), expected("mwu_asymp_cc/U_ref"), 1e-9);
        assert_close(p("mann_whitney"), expected("mwu_asymp_cc/pvalue"), 1e-6);
        assert_close(value(&report, name, "wasserstein_normed"), expected("wasserstein_norm"), 1e-9);
        assert_close(value(&report, name, "psi"), expected("quantile10/laplace0.5/psi"), 1e-9);
        assert_close(value(&report, name, "kl_ref_cur_nats"), expected("quantile10/laplace0.5/kl_ref_cur"), 1e-9);
        let nats = value(&report, name, "js_bits") * 2f64.ln();
        assert_close(nats, expected("quantile10/laplace0.5/js_divergence"), 1e-9);
    }
    for name in CATEGORICAL {
        let expected = golden::number(&golden, &format!("/categorical/{name}/chi2_contingency/statistic"));
        assert_close(value(&report, name, "chi2"), expected, 1e-9);
    }
}

#[test]
fn the_same_rows_have_not_drifted_and_moved_ones_have() {
    let mut chance = chance(1);
    let rows: Vec<f64> = (0..500).map(|_| normal(&mut chance)).collect();
    let file = |shift: f64| {
        rows.iter().fold("a,b,c\n".to_owned(), |text, x| text + &format!("{},{},{x}\n", x + shift, x * 2.0 - shift))
    };
    let same = compared(&file(0.0), &file(0.0), &asked());
    assert_eq!(same.verdict, Pass);
    assert!(same.features.iter().all(|feature| feature.verdict == Pass), "{same:#?}");
    let moved = compared(&file(0.0), &file(1.0), &asked());
    assert_eq!(moved.verdict, Fail);
    assert_eq!(moved.features.iter().map(|one| one.verdict).collect::<Vec<_>>(), [Fail, Fail, Pass]);
}

#[test]
fn a_constant_column_has_numbers_and_not_nan() {
    let constant = |cell: &str| column(200, |_| cell.to_owned());
    let same = compared(&constant("5"), &constant("5"), &asked());
    assert_eq!((feature(&same, "x").verdict, value(&same, "x", "ks"), value(&same, "x", "psi")), (Pass, 0.0, 0.0));
    for other in ["4", "6"] {
        let moved = compared(&constant("5"), &constant(other), &asked());
        assert_eq!((feature(&moved, "x").verdict, value(&moved, "x", "ks")), (Fail, 1.0), "{other}");
        let normed = &feature(&moved, "x").check("wasserstein_normed").unwrap().measurement.value;
        assert_eq!(normed.to_string(), "not computable: the reference does not vary");
    }
}

#[test]
fn too_few_rows_say_nothing_and_never_no_drift() {
    let one = compared("x,y\n3,a\n", "x,y\n4,b\n", &asked());
    assert_eq!(one.verdict, Insufficient);
    assert!(one.features.iter().all(|feature| feature.verdict == Insufficient), "{one:#?}");
    assert_eq!(value(&one, "x", "ks"), 1.0, "shown all the same");
    let few =
        compared(&column(99, |row| (row * 7 % 50).to_string()), &column(500, |row| (row % 50).to_string()), &asked());
    assert_eq!((few.verdict, feature(&few, "x").verdict), (Insufficient, Insufficient));
}

#[test]
fn missing_values_are_counted_and_judged_not_dropped() {
    let whole = column(400, |row| (row * 7 % 50).to_string());
    let gaps = column(400, |row| if row % 5 == 0 { "NA".to_owned() } else { (row * 7 % 50).to_string() });
    let report = compared(&whole, &gaps, &asked());
    let x = feature(&report, "x");
    assert_eq!((x.verdict, x.n_reference, x.n_current), (Fail, 400, 320));
    assert_close(value(&report, "x", "missing_share_growth"), 0.2, 1e-12);
    let nothing = compared(&whole, &column(400, |_| String::new()), &asked());
    assert_eq!(feature(&nothing, "x").verdict, Fail);
    let never = compared(&column(400, |_| String::new()), &column(400, |_| String::new()), &asked());
    assert_eq!(feature(&never, "x").verdict, Insufficient);
    let at_last = compared(&column(400, |_| String::new()), &whole, &asked());
    assert_eq!((feature(&at_last, "x").verdict, value(&at_last, "x", "unseen_share_growth")), (Fail, 1.0));
}

#[test]
fn mistyped_and_infinite_cells_are_counted_and_judged() {
    let whole = column(400, |row| (row * 7 % 50).to_string());
    for broken in ["inf", "-Infinity", "1e999", "ten"] {
        let some = column(400, |row| if row % 5 == 0 { broken.to_owned() } else { (row * 7 % 50).to_string() });
        let report = compared(&whole, &some, &asked());
        assert_eq!((feature(&report, "x").verdict, feature(&report, "x").n_current), (Fail, 320), "{broken}");
        assert_close(value(&report, "x", "unseen_share_growth"), 0.2, 1e-12);
    }
    let words = compared(&whole, &column(400, |_| "a".to_owned()), &asked());
    assert_eq!((feature(&words, "x").verdict, value(&words, "x", "unseen_share_growth")), (Fail, 1.0));
}

#[test]
fn a_new_category_counts_in_every_statistic_and_smoothing_does_not_blow_it_up() {
    let then = column(1_000, |row| ["a", "b", "c"][row % 3].to_owned());
    let now = column(1_000, |row| if row % 20 == 0 { "new".to_owned() } else { ["a", "b", "c"][row % 3].to_owned() });
    let report = compared(&then, &now, &asked());
    assert_close(value(&report, "x", "unseen_share_growth"), 0.05, 1e-9);
    assert_eq!(feature(&report, "x").bins.last().unwrap(), &Bin { bin: "(unseen)".into(), reference: 0, current: 50 });
    // A floor of 1e-4 would say 0.31, one of 1e-10 would say 1.0; half a row says what a twentieth of the rows can.
    let psi = value(&report, "x", "psi");
    assert!((0.15..0.3).contains(&psi), "{psi}");
    assert!(feature(&report, "x").check("chi2").unwrap().p_value.unwrap() < 1e-9);
}

#[test]
fn many_categories_become_the_most_frequent_and_others() {
    // A third of the rows are of 5 words, the others of 500.
    let word =
        |row: usize| if row.is_multiple_of(3) { format!("top{}", row % 5) } else { format!("w{}", row * 31 % 500) };
    let report = compared(&column(5_000, word), &column(5_000, |row| word(row + 1)), &asked());
    let x = feature(&report, "x");
    assert_eq!((x.kind, x.bins.len(), x.bins[50].bin.as_str(), x.verdict), (Kind::Nominal, 51, "(other)", Pass));
    assert!(x.check("chi2").unwrap().method.contains("50 most frequent categories, 455 others together"), "{x:#?}");
    let hostile = column(36_000, |row| if row.is_multiple_of(3) { format!("w{row}") } else { "a".to_owned() });
    let long = compared(&hostile, &hostile, &asked());
    assert_eq!((feature(&long, "x").verdict, value(&long, "x", "psi")), (Pass, 0.0), "a full table forgets no row");
}

#[test]
fn what_orders_or_identifies_rows_is_left_out_and_said() {
    let head = "day,id,at,x\n".to_owned();
    let file =
        (0..300).fold(head, |text, row| text + &format!("{row},c{row},2026-01-{:02},{}\n", row % 28 + 1, row * 7 % 50));
    let report = compared(&file, &file, &asked());
    let left: Vec<&str> = report.dataset.left_out.iter().map(|left| left.column.as_str()).collect();
    assert_eq!(left, ["at", "day", "id"]);
    assert_eq!((report.features.len(), report.verdict), (1, Pass));
}

#[test]
fn other_columns_are_said_and_an_absent_one_fails() {
    let then = (0..200).fold("x,y\n".to_owned(), |text, row| text + &format!("{},{}\n", row * 7 % 50, row % 3));
    let now = (0..200).fold("z,x\n".to_owned(), |text, row| text + &format!("a,{}\n", row * 7 % 50));
    let report = compared(&then, &now, &asked());
    assert_eq!((report.verdict, &*report.dataset.new_columns), (Fail, &["z".to_owned()][..]));
    let absent = report.dataset.checks.iter().find(|check| check.measurement.metric == "absent_columns").unwrap();
    assert_eq!((absent.verdict, absent.note.as_str()), (Some(Fail), "y"));
    assert_eq!(feature(&report, "x").verdict, Pass, "columns are found by name");
    let nothing = compared("a\n1\n", "b\n1\n", &asked());
    assert_eq!((nothing.verdict, nothing.features.len()), (Fail, 0));
    let target = Asked { target: Some("z".into()), ..asked() };
    let error = compare(table(&then), table(&now), &target, &DriftRules::DEFAULTS).unwrap_err();
    assert_eq!(error.to_string(), "find the column `z` in x.csv");
}

#[test]
fn a_schema_says_what_columns_are() {
    let schema = "schema: s\ncolumns:\n- {name: a, type: integer}\n- {name: b, type: category, values: [x, '1']}\n- {name: c, type: id}\n- {name: d, type: integer, increasing: true}\n";
    let schema = yaml::read::<RawSchema>("s.yaml", schema).unwrap().check().unwrap();
    let file = (0..200).fold("a,b,c,d,e\n".to_owned(), |text, row| text + &format!("{},1,q,{row},1\n", row % 2));
    let report = compared(&file, &file, &Asked { schema: Some(schema), ..asked() });
    assert_eq!(feature(&report, "a").kind, Kind::Numeric, "a flag, but declared a number");
    assert_eq!(feature(&report, "b").kind, Kind::Nominal);
    let left: Vec<&str> = report.dataset.left_out.iter().map(|left| left.column.as_str()).collect();
    assert_eq!(left, ["c", "d", "e"]);
}

#[test]
fn a_prediction_that_errs_otherwise_is_seen_while_no_feature_moves() {
    let mut chance = chance(3);
    let mut file = |flip: bool| {
        (0..600).fold("x,p,y\n".to_owned(), |text, _| {
            let x = normal(&mut chance);
            let p = 1.0 / (1.0 + (-2.0 * x).exp());
            let y = u8::from((chance() < p) != flip);
            text + &format!("{x},{p},{y}\n")
        })
    };
    let (then, same, flipped) = (file(false), file(false), file(true));
    let asked = Asked { target: Some("y".into()), prediction: Some("p".into()), ..asked() };
    assert_eq!(compared(&then, &same, &asked).verdict, Pass);
    let report = compared(&then, &flipped, &asked);
    let checks: Vec<_> =
        report.dataset.checks.iter().map(|check| (&*check.measurement.metric, check.verdict)).collect();
    assert_eq!(report.verdict, Fail, "{checks:?}");
    assert!(
        checks.contains(&("drifted_error", Some(Fail))) && checks.contains(&("drifted_features", Some(Pass))),
        "{checks:?}"
    );
    assert!(report.dataset.checks.iter().any(|check| check.note.contains("while no feature drifted")));
}

/// Rows of two correlated features, or of two that are anticorrelated: every marginal is the same.
fn correlated(rows: usize, sign: f64, seed: u64) -> String {
    let mut chance = chance(seed);
    (0..rows).fold("a,b,k\n".to_owned(), |text, row| {
        let (shared, own, other) = (normal(&mut chance), normal(&mut chance), normal(&mut chance));
        text + &format!("{},{},{}\n", shared + own * 0.5, sign * shared + other * 0.5, ["u", "v"][row % 2])
    })
}

#[test]
fn a_flipped_correlation_is_seen_by_the_classifier_alone() {
    let asked = Asked { classifier: Classifier::Auto, ..asked() };
    let same = compared(&correlated(600, 1.0, 1), &correlated(600, 1.0, 2), &asked);
    assert_eq!(same.verdict, Pass, "{:#?}", same.dataset);
    let flipped = compared(&correlated(600, 1.0, 1), &correlated(600, -1.0, 2), &asked);
    assert!(flipped.features.iter().all(|feature| feature.verdict == Pass), "marginals are equal");
    let domain = flipped.dataset.checks.iter().find(|check| check.measurement.metric == "domain_auc").unwrap();
    assert_eq!((flipped.verdict, domain.verdict), (Fail, Some(Fail)));
    assert!(domain.measurement.value.number().unwrap() > 0.8 && domain.p_value.unwrap() < 1e-9, "{domain:?}");
    let telling: Vec<&str> = flipped.dataset.importances.iter().take(2).map(|one| one.feature.as_str()).collect();
    assert!(telling.contains(&"a") && telling.contains(&"b"), "{telling:?}");
}

/// Where nothing changed the area is ½ with about the null's deviation: 40 pairs of files, of which one in a hundred may be called
/// significant.
#[test]
fn a_classifier_without_a_difference_finds_none() {
    let asked = Asked { classifier: Classifier::Always, ..asked() };
    let mut scores = Vec::new();
    for seed in 0..40 {
        let report = compared(&correlated(200, 1.0, 100 + seed), &correlated(200, 1.0, 200 + seed), &asked);
        let domain = report.dataset.checks.iter().find(|check| check.measurement.metric == "domain_auc").unwrap();
        assert_eq!(domain.verdict, Some(Pass));
        let sd = ((81.0_f64) / (12.0 * 40.0 * 40.0) / 5.0).sqrt();
        scores.push((domain.measurement.value.number().unwrap() - 0.5) / sd);
    }
    let (n, mean) = (scores.len() as f64, scores.iter().sum::<f64>() / scores.len() as f64);
    let deviation = (scores.iter().map(|z| (z - mean).powi(2)).sum::<f64>() / n).sqrt();
    println!("z of 40 null areas: mean {mean:.2}, deviation {deviation:.2}");
    assert!(mean.abs() < 0.6 && (0.6..1.4).contains(&deviation), "mean {mean}, deviation {deviation}");
}

#[test]
fn a_long_file_is_counted_and_says_what_that_costs() {
    let mut chance = chance(5);
    let mut file = |shift: f64| {
        (0..3_000).fold("t,a,b,k\n".to_owned(), |text, row| {
            let a = normal(&mut chance) + shift;
            text + &format!("{row},{a},{},{}\n", row * 7 % 11, ["u", "v"][row % 2])
        })
    };
    let (then, now) = (file(0.0), file(0.3));
    let exact = compare(table(&then), table(&now), &asked(), &DriftRules::DEFAULTS).unwrap();
    for most_held in [0, 4_000, 8_000] {
        let counted = compare_holding(most_held, table(&then), table(&now), &asked(), &DriftRules::DEFAULTS).unwrap();
        let bound = value(&counted, "a", "ks_bound");
        let (rows, bins) = (value(&exact, "a", "ks"), value(&counted, "a", "ks"));
        assert!(bins <= rows && rows <= bins + bound && bound < 0.02, "{rows} {bins} {bound}");
        assert!((value(&exact, "a", "psi") - value(&counted, "a", "psi")).abs() < 0.02);
        assert_eq!((value(&counted, "b", "ks"), value(&counted, "b", "ks_bound")), (value(&exact, "b", "ks"), 0.0));
        assert_eq!(value(&counted, "k", "chi2"), value(&exact, "k", "chi2"));
        assert!(exact.features[0].check("ks_bound").is_none());
        let verdicts = |report: &FilesReport| {
            report.features.iter().map(|one| (one.feature.clone(), one.verdict)).collect::<Vec<_>>()
        };
        assert_eq!(verdicts(&counted), verdicts(&exact));
    }
}

/// Columns as Parquet, typed as pandas would.
fn parquet(numbers: &[f64], whole: &[i64], words: &[&str], flags: &[bool]) -> Table<File> {
    let gaps = numbers.iter().map(|number| (!number.is_nan()).then_some(*number));
    let columns: [(&str, ArrayRef); 4] = [
        ("a", Arc::new(gaps.collect::<Float64Array>())),
        ("n", Arc::new(Int64Array::from(whole.to_vec()))),
        ("k", Arc::new(StringArray::from(words.to_vec()))),
        ("f", Arc::new(BooleanArray::from(flags.to_vec()))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut file = tempfile::tempfile().unwrap();
    let mut writer = ArrowWriter::try_new(file.try_clone().unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    file.rewind().unwrap();
    Table::open("x.parquet".to_owned(), file).unwrap()
}

#[test]
fn parquet_says_what_the_same_rows_say_as_csv() {
    let mut chance = chance(9);
    let mut rows = |shift: f64| {
        let numbers: Vec<f64> =
            (0..900).map(|row| if row % 9 == 0 { f64::NAN } else { normal(&mut chance) + shift }).collect();
        let whole: Vec<i64> = (0..900).map(|row| row * 7 % 31).collect();
        let words: Vec<&str> = (0..900).map(|row| ["u", "v", "w"][row % 3]).collect();
        let flags: Vec<bool> = (0..900).map(|row| row % 4 == 0).collect();
        (numbers, whole, words, flags)
    };
    let text = |(numbers, whole, words, flags): &(Vec<f64>, Vec<i64>, Vec<&str>, Vec<bool>)| {
        (0..900).fold("a,n,k,f\n".to_owned(), |text, row| {
            text + &format!("{},{},{},{}\n", numbers[row], whole[row], words[row], flags[row])
        })
    };
    let (then, now) = (rows(0.0), rows(0.8));
    let columnar = |rows: &(Vec<f64>, Vec<i64>, Vec<&str>, Vec<bool>)| parquet(&rows.0, &rows.1, &rows.2, &rows.3);
    let asked = Asked { classifier: Classifier::Always, ..asked() };
    for most_held in [10_000, 100] {
        let rules = &DriftRules::DEFAULTS;
        let csv = compare_holding(most_held, table(&text(&then)), table(&text(&now)), &asked, rules).unwrap();
        let both = compare_holding(most_held, columnar(&then), columnar(&now), &asked, rules).unwrap();
        let mixed = compare_holding(most_held, table(&text(&then)), columnar(&now), &asked, rules).unwrap();
        assert_eq!((&csv.features, &csv.dataset.checks), (&both.features, &both.dataset.checks));
        assert_eq!(csv.features, mixed.features);
        assert_eq!((csv.features.len(), both.dataset.current.form.as_str()), (4, "parquet"));
    }
    let mut broken = tempfile::tempfile().unwrap();
    broken.write_all(b"PAR1 and nothing else").unwrap();
    let error = Table::open("b.parquet".to_owned(), broken).map(|_| ()).unwrap_err();
    assert!(matches!(error, IngestError::Rejected(_)), "{error}");
}

#[test]
fn rows_in_another_order_say_the_same() {
    let (then, now) = (correlated(500, 1.0, 1), correlated(400, 1.0, 2));
    let mut lines: Vec<&str> = now.lines().collect();
    lines[1..].reverse();
    assert_eq!(
        compared(&then, &now, &asked()).features,
        compared(&then, &(lines.join("\n") + "\n"), &asked()).features
    );
}

#[test]
fn a_test_says_which_of_its_p_values_it_gives() {
    let made = |rows: usize, shift: f64| column(rows, |row| format!("{}", (row * 7 % rows) as f64 + shift));
    let method = |rows: usize, metric: &str| {
        let report = compared(&made(rows, 0.0), &made(rows, 0.11), &asked());
        feature(&report, "x").check(metric).unwrap().method.clone()
    };
    assert!(method(8, "mann_whitney").ends_with("exact p") && method(8, "ks").contains("exact p"));
    assert!(method(60, "mann_whitney").ends_with("normal p, corrected for ties and continuity"));
}
