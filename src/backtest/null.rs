//! A world in which nothing changes: how often drift is found there all the same; pure, from a seed.

use rand_pcg::Pcg64;
use rand_pcg::rand_core::Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use std::collections::BTreeSet;

use crate::contract::{FeatureVector, Profile};
use crate::drift::{self, DriftRules, Moved, Severity};
use crate::govern::Rules;
use crate::performance;
use crate::policy::{self, Action, History};
use crate::snapshot::VersionCounts;
use crate::stats::{self, Interval};
use crate::types::{Digest, ModelName, NotComputable, Span, Timestamp, Verdict, Version};

/// The generator's stream, written down so that draws can be repeated elsewhere.
const STREAM: u128 = 0x5a17_cb0e_93d1_4f6b_8c2e_77aa_01d3_be49;
/// What many take for an alarm: a feature's own p-value below this.
const CUSTOMARY: f64 = 0.05;

/// Rows of one source, each value as its place in a profile's bins.
pub struct Population {
    profile: Profile,
    /// Row after row, a place for each feature.
    places: Vec<u32>,
}

/// A policy's false alarms on a version's own reference, as measured: `var/<model>/reports/null/<digest>.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NullReport {
    /// 1: first form.
    pub format_version: u32,
    /// The model.
    pub model: ModelName,
    /// The version whose reference was drawn from.
    pub version: Version,
    /// The digest of its manifest.
    pub bundle: Digest,
    /// The rules that were measured.
    pub rules: DriftRules,
    /// The length of a judged window.
    pub judge: Span,
    /// What came of it.
    pub found: FalseAlarms,
}

impl NullReport {
    /// How often drift may be confirmed in windows of this length where nothing changed, as a share of them.
    pub fn budget(&self) -> f64 {
        self.rules.false_alarms.within(self.judge)
    }

    /// Whether drift is confirmed more often than that.
    pub fn exceeds(&self) -> bool {
        self.found.confirmed.share > self.budget()
    }
}

/// How often a window of rows from the reference's own source was taken for another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FalseAlarms {
    /// Rows of the source; a window is drawn from them, and the others are its reference.
    pub rows: u64,
    /// Rows of a window.
    pub rows_per_window: u64,
    /// Windows drawn.
    pub windows: u64,
    /// The seed of the draws.
    pub seed: u64,
    /// Windows with too few rows to say anything.
    pub insufficient: Share,
    /// Windows in which some feature's own p-value is below 0.05, as alarms are often set.
    pub customary: Share,
    /// Windows in which some feature is called drifted.
    pub feature: Share,
    /// Windows in which the dataset is.
    pub dataset: Share,
    /// Windows after which drift is confirmed: what alerts, and what RETRAIN_RECOMMENDED rests on.
    pub confirmed: Share,
    /// Windows after which the policy says RETRAIN_RECOMMENDED or RETRAIN_REQUIRED.
    pub retrain: Share,
}

/// A share of the windows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Share {
    /// How many windows.
    pub count: u64,
    /// Of all, from 0 to 1.
    pub share: f64,
    /// Its 95 % interval (Wilson).
    pub interval: Interval,
}

impl Population {
    /// Rows that were admitted under the contract of this profile.
    pub fn new(profile: &Profile, rows: &[FeatureVector]) -> Population {
        let placed = |row: &FeatureVector| -> Vec<u32> {
            profile.features.iter().zip(row.slots()).map(|(feature, slot)| feature.bins.place(slot) as u32).collect()
        };
        let mut profile = profile.clone();
        let places: Vec<u32> = rows.iter().flat_map(placed).collect();
        let all = count(&profile, places.chunks(profile.features.len().max(1)));
        for (feature, counts) in profile.features.iter_mut().zip(all.features) {
            feature.counts = counts;
        }
        profile.rows = rows.len() as u64;
        Population { profile, places }
    }

    /// Draw windows one after the other, hold each against the rows that were not drawn, and ask the policy after each.
    ///
    /// That is a permutation test of the whole policy: nothing is assumed of the values, and features stay as correlated as they
    /// are. Only features are looked at; predictions, volume and labels stand still.
    ///
    /// # Errors
    /// No windows, or windows of more than half of the rows.
    pub fn false_alarms(
        &self,
        rules: &Rules,
        rows_per_window: u64,
        windows: u64,
        seed: u64,
    ) -> Result<FalseAlarms, NotComputable> {
        let rows = self.profile.rows;
        if rows_per_window == 0 || rows_per_window > rows / 2 {
            return Err(NotComputable::because(format!("windows of {rows_per_window} rows from {rows}")));
        }
        let mut generator = Pcg64::new(u128::from(seed), STREAM);
        let mut order: Vec<u32> = (0..rows as u32).collect();
        let mut seen = Vec::with_capacity(windows as usize);
        for _ in 0..windows {
            for place in 0..rows_per_window {
                let other = place + generator.next_u64() % (rows - place);
                order.swap(place as usize, other as usize);
            }
            seen.push(self.look(&order[..rows_per_window as usize], rules));
        }
        let share = |happened: &dyn Fn(&Seen) -> bool| share_of(&seen, happened);
        let after = |action: Action| {
            let of = rules.drift.of.max(1) as usize;
            let decided = (0..seen.len()).map(|last| decided(&seen[(last + 1).saturating_sub(of)..=last], rules));
            share_of(&decided.collect::<Vec<_>>(), &|decided: &Action| *decided >= action)
        };
        let confirmed = (0..seen.len()).map(|last| confirmed(&seen[..=last], rules));
        Ok(FalseAlarms {
            rows,
            rows_per_window,
            windows,
            seed,
            insufficient: share(&|seen| seen.verdict == Verdict::Insufficient)?,
            customary: share(&|seen| seen.customary)?,
            feature: share(&|seen| seen.feature)?,
            dataset: share(&|seen| seen.verdict == Verdict::Fail)?,
            confirmed: share_of(&confirmed.collect::<Vec<_>>(), &|found: &bool| *found)?,
            retrain: after(Action::RetrainRecommended)?,
        })
    }

    fn look(&self, drawn: &[u32], rules: &Rules) -> Seen {
        let width = self.profile.features.len();
        let rows = drawn.iter().map(|row| &self.places[*row as usize * width..][..width]);
        let now = count(&self.profile, rows);
        let mut others = self.profile.clone();
        for (feature, counts) in others.features.iter_mut().zip(&now.features) {
            feature.counts.iter_mut().zip(counts).for_each(|(all, drawn)| *all -= drawn);
        }
        Seen::of(&drift::moved(&others, &now, &rules.drift))
    }
}

/// What one window showed.
#[derive(Debug, Clone, Copy)]
struct Seen {
    verdict: Verdict,
    severity: Severity,
    customary: bool,
    feature: bool,
}

impl Seen {
    fn of(moved: &Moved) -> Seen {
        let p_values =
            moved.features.iter().flat_map(|feature| &feature.shown).filter(|shown| shown.metric == "p_value");
        Seen {
            verdict: moved.dataset.verdict,
            severity: moved.severity,
            customary: p_values.filter_map(|shown| shown.value.number()).any(|p| p < CUSTOMARY),
            feature: moved.features.iter().any(|feature| feature.drifted),
        }
    }
}

fn count<'a>(profile: &Profile, rows: impl Iterator<Item = &'a [u32]>) -> VersionCounts {
    let features = profile.features.iter().map(|feature| vec![0u64; feature.bins.len()]).collect();
    let mut counts = VersionCounts { features, ..VersionCounts::default() };
    for row in rows {
        counts.rows += 1;
        for (feature, place) in counts.features.iter_mut().zip(row) {
            feature[*place as usize] += 1;
        }
    }
    counts
}

fn confirmed(seen: &[Seen], rules: &Rules) -> bool {
    let windows: Vec<(Verdict, Severity)> = seen.iter().map(|seen| (seen.verdict, seen.severity)).collect();
    drift::confirm_windows(&windows, &rules.drift).severity > Severity::None
}

/// What the policy says after these windows, when nothing but drift could move it.
fn decided(seen: &[Seen], rules: &Rules) -> Action {
    let windows: Vec<(Verdict, Severity)> = seen.iter().map(|seen| (seen.verdict, seen.severity)).collect();
    let drift = drift::confirm_windows(&windows, &rules.drift);
    let loss = performance::confirm(&[], &rules.performance);
    let never = BTreeSet::new();
    let history = History {
        trained_at: None,
        trained_until: None,
        trained_on: &never,
        new_rows: 0,
        learned_rows: u64::MAX,
        path: None,
    };
    policy::retrain(&drift, &loss, &history, &rules.retrain, Timestamp::EPOCH).action
}

fn share_of<T>(windows: &[T], happened: &dyn Fn(&T) -> bool) -> Result<Share, NotComputable> {
    let count = windows.iter().filter(|window| happened(window)).count() as u64;
    let estimate = stats::share(count, windows.len() as u64)?;
    Ok(Share { count, share: estimate.value, interval: estimate.interval })
}
