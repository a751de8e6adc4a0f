//! The judge of a candidate on live traffic; pure. It may look as often as it likes: its bound holds at every look.

use super::ShadowReport;
use super::rules::ShadowRules;
use crate::contract::Task;
use crate::evaluate::{Answers, Paired};
use crate::performance::Pair;
use crate::snapshot::VersionCounts;
use crate::stats::histogram::latency::quantile_us;
use crate::types::{
    Check, Digest, Measurement, ModelName, NotComputable, Operator, Timestamp, Value, Verdict, Version,
};

/// Who is judged, and what was seen.
#[derive(Debug, Clone, Copy)]
pub struct Trial<'a> {
    /// The model.
    pub model: &'a ModelName,
    /// What it predicts.
    pub task: Task,
    /// Who serves.
    pub champion: Version,
    /// Who shadows.
    pub candidate: Version,
    /// The digest of the candidate's manifest.
    pub candidate_bundle: Digest,
    /// The versions of the champion's and of the candidate's contract.
    pub contracts: (Version, Version),
    /// Since when it shadows.
    pub since: Timestamp,
    /// The end of the last judged window.
    pub until: Timestamp,
    /// Judged windows since then.
    pub windows: u64,
    /// Valid requests since then that the champion answered.
    pub answered: u64,
    /// Of these, the ones that the candidate scored too.
    pub paired: u64,
    /// The share of requests that was looked at.
    pub sampled_share: f64,
    /// The labelled pairs that both scored, in the order in which a look could have seen them.
    pub pairs: &'a [Pair],
    /// Regression: absolute errors are clipped here, the stated quantile of the champion's own held-out errors.
    pub clip: f64,
    /// What each counted, for latency.
    pub champion_counts: &'a VersionCounts,
    /// What each counted, for latency.
    pub candidate_counts: &'a VersionCounts,
}

/// Judge a candidate by what live traffic has said so far.
pub fn judge(trial: Trial<'_>, rules: &ShadowRules) -> ShadowReport {
    let losses = paired(&trial);
    let labelled = losses.n();
    let age = trial.until.since(trial.since);
    let wait = |check: Check| match check.verdict {
        Verdict::Fail => Check { verdict: Verdict::Insufficient, ..check },
        Verdict::Pass | Verdict::Insufficient | Verdict::Error => check,
    };
    let least = |metric, value: f64, n, threshold| {
        wait(Check::require(Measurement::new(metric, value, n), Operator::AtLeast, threshold, 0))
    };
    let (serving, shadowing) = trial.contracts;
    let pairs = least("labelled_pairs", labelled as f64, labelled, rules.min_pairs as f64);
    let labels = wait(several("label_values", matched(&trial).map(|(pair, _)| pair.first_label)));
    let worse = match labels.verdict {
        Verdict::Pass => worse(&losses, rules),
        doubt => Check { verdict: doubt, ..worse(&losses, rules) }.with_note("one label alone proves nothing"),
    };
    let checks = vec![
        if serving.major == shadowing.major {
            pairs
        } else {
            pairs.with_note(format!("no pairs because its contract differs: {shadowing} beside {serving}"))
        },
        least("windows", trial.windows as f64, trial.windows, rules.min_windows as f64),
        least("age_secs", age.secs(), trial.windows, rules.min_age.secs()),
        labels.clone(),
        wait(several("answer_values", matched(&trial).map(|(_, shadow)| shadow))),
        unmatched(&trial, rules),
        latency(&trial, rules),
        better(&losses, rules),
        gain(&losses, rules),
    ];
    let shown = vec![worse, disagreement(&trial)];
    ShadowReport {
        format_version: 1,
        model: trial.model.clone(),
        champion: trial.champion,
        candidate: trial.candidate,
        candidate_bundle: trial.candidate_bundle,
        since: trial.since,
        until: trial.until,
        sampled_share: trial.sampled_share,
        pairs: trial.paired,
        labelled_pairs: labelled,
        verdict: verdict(&checks, &shown),
        checks,
        shown,
    }
}

/// Not better *yet* is `Insufficient`; proven worse is `Fail`.
fn verdict(checks: &[Check], shown: &[Check]) -> Verdict {
    let proven_worse = shown.first().is_some_and(|worse| worse.verdict == Verdict::Fail);
    if proven_worse { Verdict::Fail } else { Verdict::worst(checks.iter().map(|check| check.verdict)) }
}

/// The losses of champion and candidate on the labelled pairs that both answered.
fn paired(trial: &Trial<'_>) -> Paired {
    let both = matched(trial).map(|(pair, challenger)| Answers {
        champion: pair.prediction,
        challenger,
        label: pair.first_label,
    });
    Paired::of(trial.task, trial.clip, both)
}

/// The lower end of the confidence sequence of the mean gain must be above 0.
fn better(losses: &Paired, rules: &ShadowRules) -> Check {
    let measured = Measurement::new("loss_gain_lower", losses.lower(rules.alpha), losses.n());
    let check = Check::require(measured, Operator::Greater, 0.0, 1);
    match check.verdict {
        // Doubt is not failure: more pairs may show it.
        Verdict::Fail => Check { verdict: Verdict::Insufficient, ..check }
            .with_note("passes when the confidence sequence of the mean gain lies above 0"),
        Verdict::Pass | Verdict::Insufficient | Verdict::Error => check,
    }
}

/// The mean gain must be worth a change.
fn gain(losses: &Paired, rules: &ShadowRules) -> Check {
    let measured = Measurement::new("loss_gain_share", losses.gain_share(), losses.n());
    let check = Check::require(measured, Operator::AtLeast, rules.min_gain, 1);
    match check.verdict {
        Verdict::Fail => Check { verdict: Verdict::Insufficient, ..check },
        Verdict::Pass | Verdict::Insufficient | Verdict::Error => check,
    }
}

/// The upper end of the confidence sequence: below 0 the candidate is proven worse.
fn worse(losses: &Paired, rules: &ShadowRules) -> Check {
    let measured = Measurement::new("loss_gain_upper", losses.upper(rules.alpha), losses.n());
    Check::require(measured, Operator::AtLeast, 0.0, 1)
}

/// The labelled pairs of these two, with what the candidate would have answered.
fn matched<'a>(trial: &Trial<'a>) -> impl Iterator<Item = (&'a Pair, f64)> {
    let (champion, candidate) = (trial.champion, trial.candidate);
    let mine = move |pair: &'a Pair| match pair.shadow {
        Some((version, shadow)) if version == candidate && pair.version == champion => Some((pair, shadow)),
        Some(_) | None => None,
    };
    trial.pairs.iter().filter_map(mine)
}

/// One class alone, or one answer to everything, is no trial: a feed that is stuck looks just like it.
fn several(metric: &str, values: impl Iterator<Item = f64>) -> Check {
    let mut values = values.peekable();
    let first = values.peek().copied();
    let (mut n, mut another) = (0, false);
    for value in values {
        n += 1;
        another |= first.is_some_and(|first| first.total_cmp(&value).is_ne());
    }
    let several = if another { 2.0 } else { f64::from(u8::from(n > 0)) };
    Check::require(Measurement::new(metric, several, n), Operator::AtLeast, 2.0, 1)
}

fn unmatched(trial: &Trial<'_>, rules: &ShadowRules) -> Check {
    let share = match trial.answered {
        0 => Err(NotComputable::because("no requests")),
        answered => Ok(1.0 - trial.paired.min(answered) as f64 / answered as f64),
    };
    Check::require(Measurement::new("unmatched_share", share, trial.answered), Operator::AtMost, rules.unmatched, 1)
}

fn latency(trial: &Trial<'_>, rules: &ShadowRules) -> Check {
    let median = |counts: &VersionCounts| quantile_us(&counts.latency, 0.5);
    let ratio = median(trial.champion_counts).and_then(|champion| {
        let candidate = median(trial.candidate_counts)?;
        Ok(candidate as f64 / champion.max(1) as f64)
    });
    let n = trial.candidate_counts.rows;
    Check::require(Measurement::new("latency_ratio_p50", ratio, n), Operator::AtMost, rules.latency_ratio, 1)
}

/// The mean distance between the two answers; shown, because a champion that is broken should be disagreed with.
fn disagreement(trial: &Trial<'_>) -> Check {
    let distances: Vec<f64> =
        trial.pairs.iter().filter_map(|pair| pair.shadow.map(|(_, shadow)| (pair.prediction - shadow).abs())).collect();
    let n = distances.len() as u64;
    let mean: Value = match n {
        0 => Value::NotComputable(NotComputable::because("no labelled pairs")),
        _ => Value::from(distances.iter().sum::<f64>() / n as f64),
    };
    Check::require(Measurement::new("disagreement_mean", mean, n), Operator::AtLeast, 0.0, 1)
}
