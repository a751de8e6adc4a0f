//! Two files and nothing else: `regent check` for people who have no workspace, on the weather and on the customers.

use std::fs;

use serde_json::Value;

use super::commands::{Workspace, text};
use super::stage::weather;

/// The weather before and in the incident: the customers' columns come rotated.
fn halves() -> Workspace {
    let folder = Workspace::empty();
    fs::write(folder.path("then.csv"), weather(10_000..12_000)).unwrap();
    fs::write(folder.path("same.csv"), weather(8_000..10_000)).unwrap();
    fs::write(folder.path("now.csv"), weather(12_000..14_000)).unwrap();
    folder
}

fn json(folder: &Workspace, arguments: &[&str]) -> Value {
    serde_json::from_str(&folder.done(&[&["-o", "json", "check"], arguments].concat())).unwrap()
}

fn keys(value: &Value) -> String {
    value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ")
}

#[test]
fn two_files_are_compared_without_a_workspace() {
    let folder = halves();
    let report = json(&folder, &["--reference", "then.csv", "--current", "now.csv", "--target", "rain"]);
    assert_eq!(keys(&report), "dataset features format_version verdict");
    assert_eq!(keys(&report["dataset"]), "checks current importances left_out new_columns reference");
    let first = &report["features"][0];
    assert_eq!(keys(first), "bins checks feature kind n_current n_reference role verdict");
    let ks = first["checks"].as_array().unwrap().iter().find(|check| check["metric"] == "ks").unwrap();
    assert_eq!(keys(ks), "method metric n note operator p_value threshold value verdict");
    assert_eq!((report["verdict"].as_str(), first["verdict"].as_str()), (Some("Fail"), Some("Fail")));
    let metrics: Vec<&str> =
        first["checks"].as_array().unwrap().iter().filter_map(|check| check["metric"].as_str()).collect();
    for metric in [
        "p_adjusted",
        "psi",
        "ks",
        "missing_share_growth",
        "unseen_share_growth",
        "mann_whitney",
        "js_bits",
        "hellinger",
        "kl_ref_cur_nats",
        "wasserstein_normed",
    ] {
        assert!(metrics.contains(&metric), "{metric} in {metrics:?}");
    }
    assert_eq!(report["dataset"]["left_out"][0]["column"], "day_index");
    let named: Vec<&str> =
        report["dataset"]["checks"].as_array().unwrap().iter().filter_map(|check| check["metric"].as_str()).collect();
    assert_eq!(named, ["drifted_features", "absent_columns", "drifted_target", "domain_auc"]);
    let again = json(&folder, &["--reference", "then.csv", "--current", "now.csv", "--target", "rain"]);
    assert_eq!(report, again, "the same files, the same answer");
}

#[test]
fn its_codes_are_for_scripts() {
    let folder = halves();
    fs::write(folder.path("few.csv"), weather(0..20)).unwrap();
    fs::write(folder.path("empty.csv"), "").unwrap();
    fs::write(folder.path("bad.yaml"), "drfit:\n").unwrap();
    let code = |arguments: &[&str]| folder.regent(&[&["check"], arguments].concat()).status.code();
    let [then, now] = [["--reference", "then.csv"], ["--current", "now.csv"]];
    assert_eq!(code(&[then, now].concat()), Some(0));
    assert_eq!(code(&[&then[..], &now, &["--exit-code"]].concat()), Some(12));
    assert_eq!(code(&[&then[..], &["--current", "then.csv", "--exit-code"]].concat()), Some(0));
    assert_eq!(code(&[&then[..], &["--current", "few.csv", "--exit-code"]].concat()), Some(13));
    assert_eq!(code(&[&then[..], &["--current", "nowhere.csv"]].concat()), Some(2));
    assert_eq!(code(&[&then[..], &now, &["--target", "nothing"]].concat()), Some(2));
    assert_eq!(code(&[&then[..], &["--current", "empty.csv"]].concat()), Some(3));
    assert_eq!(code(&[&then[..], &now, &["--policy", "bad.yaml"]].concat()), Some(4));
    fs::write(folder.path("lenient.yaml"), "drift: {psi: 50, ks: 0.99, share: 0.9}\n").unwrap();
    let lenient = ["--policy", "lenient.yaml", "--classifier", "never", "--exit-code"];
    assert_eq!(code(&[&then[..], &now, &lenient].concat()), Some(0), "the policy's lines are the lines");
}

#[test]
fn the_page_is_one_file_and_says_what_the_terminal_says() {
    let folder = halves();
    let hostile = weather(10_000..12_000).replacen("visibility", "<script>alert('&')</script>", 1);
    fs::write(folder.path("hostile.csv"), &hostile).unwrap();
    let files = ["--reference", "hostile.csv", "--current", "hostile.csv", "--html", "page.html"];
    let told = folder.done(&[&["check"], &files[..]].concat());
    assert!(told.starts_with("hostile.csv (2000 rows) against hostile.csv (2000 rows) → Pass"), "{told}");
    let page = fs::read_to_string(folder.path("page.html")).unwrap();
    assert!(
        page.contains("&lt;script&gt;alert(&#39;&amp;&#39;)&lt;/script&gt;") && !page.contains("<script"),
        "escaped"
    );
    assert!(!page.contains("http") && !page.contains("src=") && page.contains("<svg"), "nothing comes from elsewhere");
    let again = folder.regent(&[&["check"], &files[..]].concat());
    assert_eq!(again.status.code(), Some(2), "a page that somebody keeps is not overwritten");
    assert!(text(&again.stderr).contains("page.html is there already"), "{again:?}");
}

#[test]
fn customers_are_compared_as_they_were_found() {
    let folder = Workspace::empty();
    folder.done(&["init", "--example", "churn"]);
    let all = fs::read_to_string(folder.path("data/wa_churn.csv")).unwrap();
    let lines: Vec<&str> = all.lines().collect();
    let half = |of: usize| {
        lines
            .iter()
            .enumerate()
            .filter(|(row, _)| *row == 0 || row % 2 == of)
            .map(|(_, line)| format!("{line}\n"))
            .collect::<String>()
    };
    fs::write(folder.path("odd.csv"), half(1)).unwrap();
    fs::write(folder.path("even.csv"), half(0)).unwrap();
    let files = ["--reference", "odd.csv", "--current", "even.csv", "--target", "churn"];
    let report = json(&folder, &files);
    assert_eq!(report["verdict"], "Pass", "{report:#}");
    let declared = json(&folder, &[&files[..], &["--schema", "schemas/churn.yaml"]].concat());
    assert_eq!(declared["verdict"], "Pass");
    let kind = |report: &Value, name: &str| {
        let features = report["features"].as_array().unwrap();
        features.iter().find(|feature| feature["feature"] == name).unwrap()["kind"].as_str().unwrap().to_owned()
    };
    assert_eq!((kind(&report, "total_charges"), kind(&report, "contract")), ("numeric".into(), "nominal".into()));
}

#[test]
fn predictions_beside_what_came_true_say_how_good_either_file_is() {
    let folder = Workspace::empty();
    for (name, rows) in
        [("then.csv", include_str!("../data/golden/ref.csv")), ("now.csv", include_str!("../data/golden/cur.csv"))]
    {
        fs::write(folder.path(name), rows).unwrap();
    }
    let files = ["--reference", "then.csv", "--current", "now.csv", "--target", "y_true", "--prediction", "y_score"];
    let report = json(&folder, &files);
    let then = &report["dataset"]["performance"]["reference"][0];
    assert_eq!(keys(then), "interval method metric n value");
    assert_eq!((then["metric"].as_str(), then["n"].as_u64()), (Some("auc"), Some(500)));
    assert!(then["method"].as_str().unwrap().contains("DeLong"));
    let told = folder.done(&[&["check"], &files[..], &["--html", "page.html"]].concat());
    assert!(told.contains("then auc 0.8031 [0.7652, 0.8411]") && told.contains("now  auc 0.8067"), "{told}");
    assert!(fs::read_to_string(folder.path("page.html")).unwrap().contains("Predictions against what came true"));
    let without = json(&folder, &files[..6]);
    assert!(without["dataset"].get("performance").is_none());
}
