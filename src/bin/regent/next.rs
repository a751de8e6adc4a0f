//! What to do next, at every point of a model's life; pure.

use regent::govern::{Standing, State};
use regent::types::{ModelName, Timestamp};

/// Where a model is in its life, as far as the next step depends on it.
#[derive(Debug, Clone)]
pub struct Situation<'a> {
    /// The model.
    pub model: &'a ModelName,
    /// Whether `contracts/<model>.yaml` is there.
    pub drafted: bool,
    /// Whether a version of it is registered.
    pub registered: bool,
    /// How many datasets are frozen.
    pub datasets: usize,
    /// Where its versions stand.
    pub standing: &'a Standing,
    /// Whether an event was ever logged.
    pub served: bool,
    /// Whether a label ever came.
    pub labelled: bool,
    /// Whether something holds it.
    pub held: bool,
    /// When the window that is open now ends.
    pub window_ends: Timestamp,
}

/// The next step, as a sentence with the command to type.
pub fn step(situation: &Situation<'_>) -> String {
    let Situation { model, standing, window_ends, .. } = situation;
    let newborn = standing.champion.is_none() && standing.candidate.is_none();
    let rejected = standing.versions.values().any(|state| *state == State::Rejected);
    let steps = [
        (situation.held, "mend what holds it, then run `governor`".to_owned()),
        (
            !situation.registered && !situation.drafted,
            format!("draft a contract: `regent contract infer schemas/{model}.yaml --target COLUMN --write`"),
        ),
        (!situation.registered, format!("check and register its contract: `regent contract register {model}`")),
        (
            newborn && situation.datasets == 0,
            format!("bring labelled rows: `regent ingest FILE.csv --contract {model}`"),
        ),
        (
            newborn && rejected,
            format!(
                "`regent explain {model}` says why it was rejected; bring more rows, or another contract, and train again"
            ),
        ),
        (newborn, format!("train its first model: `regent train baseline {model}`")),
        (standing.champion.is_none(), "run `governor`, which walks the candidate one step a run".to_owned()),
        (!situation.served, "serve it: `regent serve`".to_owned()),
        (
            !situation.labelled,
            "send what came true: POST /api/v1/labels, or `regent labels import FILE.csv`".to_owned(),
        ),
        (standing.judged_until.is_none(), format!("run `governor` after {window_ends}, when the first window ends")),
        (
            standing.candidate.as_ref().is_some_and(|candidate| candidate.state != State::Training),
            format!("keep serving; run `governor` after {window_ends}, when the next window is judged"),
        ),
    ];
    let due = steps.into_iter().find_map(|(due, step)| due.then_some(step));
    due.unwrap_or_else(|| format!("nothing; let a scheduler run `governor` (the open window ends at {window_ends})"))
}

#[cfg(test)]
mod tests {
    use regent::types::Version;

    use super::*;

    #[test]
    fn every_point_of_a_life_has_a_next_step() {
        let model: ModelName = "rain".parse().unwrap();
        let standing = Standing::default();
        let mut situation = Situation {
            model: &model,
            drafted: false,
            registered: false,
            datasets: 0,
            standing: &standing,
            served: false,
            labelled: false,
            held: false,
            window_ends: Timestamp::EPOCH,
        };
        assert!(step(&situation).contains("regent contract infer"));
        situation.drafted = true;
        assert!(step(&situation).contains("regent contract register rain"));
        situation.registered = true;
        assert!(step(&situation).contains("regent ingest FILE.csv --contract rain"));
        situation.datasets = 1;
        assert!(step(&situation).contains("regent train baseline rain"));
        let refused = Standing { versions: [(Version::FIRST, State::Rejected)].into(), ..Standing::default() };
        situation.standing = &refused;
        assert!(step(&situation).contains("regent explain rain"));
        situation.held = true;
        assert!(step(&situation).contains("mend"));
    }
}
