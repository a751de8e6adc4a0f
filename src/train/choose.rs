//! How much history to learn from, and which family: whatever does best on newer rows; pure but for the fits.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::TrainError;
use super::calibrate::losses;
use super::family::{Family, Fitter, Rows};
use super::plan::Path;
use super::rules::{LookBack, TrainRules};
use super::split::{Split, newest, rows_of};
use crate::contract::Task;
use crate::types::{NotComputable, Value};

/// What was tried in a training, and by how much the chosen won.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrainingLog {
    /// What was compared, a mean over rows: the calibrated `log_loss` in nats, or for regression `mae`.
    pub loss: String,
    /// Every fit made to choose the look-back, in the order made.
    pub look_backs: Vec<Trial>,
    /// Every longer look-back that was held against a shorter one; the first that is worse ends the growth.
    pub steps: Vec<Step>,
    /// Every fit made to choose the family on the chosen look-back.
    pub families: Vec<Trial>,
    /// The loss of the best other family less that of the chosen.
    pub lead: Value,
}

/// One family fitted on one look-back, and its loss on newer rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Trial {
    /// How many of the newest rows the fit could draw on, the ones held out included.
    pub look_back: u64,
    /// The family.
    pub family: Family,
    /// Rows fitted on.
    pub fitted: u64,
    /// Rows the loss is measured on.
    pub validated: u64,
    /// The mean loss, or why there is none.
    pub loss: Value,
}

/// A longer look-back held against a shorter one on the same newest rows, each by its best family.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The shorter one.
    pub from: u64,
    /// The longer one.
    pub to: u64,
    /// Rows both are measured on.
    pub validated: u64,
    /// The mean loss of the longer one less that of the shorter one.
    pub change: Value,
    /// The standard error of that mean.
    pub standard_error: Value,
    /// Whether the longer one is taken.
    pub taken: bool,
}

/// The best family of a look-back: its loss on each validation row.
type Best = Result<Vec<f64>, NotComputable>;

/// The look-backs of a path that these rows are enough for, rising; all rows if they are enough for none.
fn look_backs(path: Path, rules: &TrainRules, rows: usize) -> Vec<usize> {
    let wanted: &[LookBack] = match path {
        Path::Baseline | Path::MonitorOnly => &[LookBack::All],
        Path::Candidate => &rules.look_backs,
    };
    let lengths = wanted.iter().map(|look_back| match look_back {
        LookBack::All => rows,
        LookBack::Rows(wanted) => usize::try_from(*wanted).unwrap_or(usize::MAX),
    });
    let mut lengths: Vec<usize> = lengths.filter(|length| *length <= rows).collect();
    lengths.dedup();
    if lengths.is_empty() { vec![rows] } else { lengths }
}

/// Compares look-backs on the newest rows but the ones that even the shortest reports on.
struct Growth<'a> {
    fitter: Fitter<'a>,
    rows: Rows<'a>,
    end: usize,
    known: BTreeMap<(usize, usize), Best>,
    trials: Vec<Trial>,
}

/// Choose how many of the newest rows to learn from.
///
/// From the shortest look-back on, the next longer one is taken as long as it does no worse on rows as new as the shorter
/// one's own: rows from before a change are poison, and one that lies behind a change is seen by the first step across it.
pub fn look_back(
    fitter: Fitter<'_>,
    rows: Rows<'_>,
    order: &[i64],
    path: Path,
) -> Result<(usize, Vec<Trial>, Vec<Step>), TrainError> {
    let rules = fitter.rules;
    let mut lengths = look_backs(path, rules, rows.len()).into_iter();
    let mut chosen = lengths.next().unwrap_or(rows.len());
    let end = newest(order, rows_of(rules.report, chosen));
    let mut growth = Growth { fitter, rows, end, known: BTreeMap::new(), trials: Vec::new() };
    let mut steps = Vec::new();
    for longer in lengths {
        let step = growth.step(chosen, longer)?;
        let taken = step.taken;
        steps.push(step);
        if !taken {
            break;
        }
        chosen = longer;
    }
    Ok((chosen, growth.trials, steps))
}

impl Growth<'_> {
    fn step(&mut self, shorter: usize, longer: usize) -> Result<Step, TrainError> {
        let rules = self.fitter.rules;
        let validated = rows_of(rules.validate, shorter);
        let (short, long) = (self.best(shorter, validated)?, self.best(longer, validated)?);
        let change: Result<Vec<f64>, NotComputable> = match (&short, &long) {
            (Ok(short), Ok(long)) => Ok(long.iter().zip(short).map(|(long, short)| long - short).collect()),
            (Err(why), _) | (_, Err(why)) => Err(why.clone()),
        };
        let mean = change.as_ref().map(|change| average(change)).map_err(Clone::clone);
        let error = change.as_ref().map(|change| standard_error(change)).map_err(Clone::clone);
        let taken = match (&short, &mean, &error) {
            // What cannot be learned from is too short.
            (Err(_), _, _) => true,
            (Ok(_), Ok(mean), Ok(error)) => *mean <= rules.patience * error,
            (Ok(_), _, _) => false,
        };
        Ok(Step {
            from: shorter as u64,
            to: longer as u64,
            validated: validated as u64,
            change: mean.into(),
            standard_error: error.into(),
            taken,
        })
    }

    /// The losses of a look-back's best family on the newest `validated` rows.
    fn best(&mut self, look_back: usize, validated: usize) -> Result<Best, TrainError> {
        if let Some(best) = self.known.get(&(look_back, validated)) {
            return Ok(best.clone());
        }
        let first = self.rows.len().saturating_sub(look_back);
        let cut = self.end.saturating_sub(validated).max(first);
        let (fit, held_out) = (self.rows.part(first..cut), self.rows.part(cut..self.end));
        let (trials, found) = compete(self.fitter, look_back, fit, held_out)?;
        self.trials.extend(trials);
        let best = found.map(|found| found.losses).ok_or_else(|| NotComputable::because("no family could be fitted"));
        self.known.insert((look_back, validated), best.clone());
        Ok(best)
    }
}

/// The best of several families on held-out rows.
pub struct Winner {
    /// The family.
    pub family: Family,
    /// Its raw margins on the held-out rows.
    pub margins: Vec<f64>,
    losses: Vec<f64>,
}

/// Fit every family on the split's oldest rows and take the best on the next.
///
/// # Errors
/// `ClassRows` when a class hardly occurs; `NoFamily` when none could be fitted.
pub fn family(fitter: Fitter<'_>, rows: Rows<'_>, split: &Split) -> Result<(Winner, Vec<Trial>, Value), TrainError> {
    let (fit, held_out) = (rows.part(split.fit.clone()), rows.part(split.calibrate.clone()));
    fitter.both_classes(fit)?;
    let (trials, winner) = compete(fitter, split.all().len(), fit, held_out)?;
    let Some(winner) = winner else {
        let why = trials.iter().map(|trial| format!("{} {}", trial.family, trial.loss)).collect::<Vec<_>>();
        return Err(TrainError::NoFamily { why: why.join("; ") });
    };
    let others = trials.iter().filter(|trial| trial.family != winner.family);
    let second = others.filter_map(|trial| trial.loss.number()).min_by(f64::total_cmp);
    let lead = match second {
        Some(second) => Value::from(second - average(&winner.losses)),
        None => Value::NotComputable(NotComputable::because("no other family")),
    };
    Ok((winner, trials, lead))
}

/// Fit every family; a family that cannot be fitted is written down and loses.
fn compete(
    fitter: Fitter<'_>,
    look_back: usize,
    fit: Rows<'_>,
    held_out: Rows<'_>,
) -> Result<(Vec<Trial>, Option<Winner>), TrainError> {
    let task = fitter.contract.task();
    let mut trials = Vec::new();
    let mut best: Option<(f64, Winner)> = None;
    for family in fitter.families() {
        let found = fitter.fit(family, fit).and_then(|fitted| {
            let margins = fitted.margins(held_out);
            let losses = losses(task, &margins, held_out.labels, fitter.rules)?;
            Ok(Winner { family, margins, losses })
        });
        let loss = match &found {
            Ok(found) if found.losses.is_empty() => Value::NotComputable(NotComputable::because("no rows")),
            Ok(found) => Value::from(average(&found.losses)),
            Err(why) => Value::NotComputable(NotComputable::because(why.to_string())),
        };
        let counts = (fit.len() as u64, held_out.len() as u64);
        trials.push(Trial {
            look_back: look_back as u64,
            family,
            fitted: counts.0,
            validated: counts.1,
            loss: loss.clone(),
        });
        if let (Ok(found), Some(loss)) = (found, loss.number())
            && best.as_ref().is_none_or(|(least, _)| loss < *least)
        {
            best = Some((loss, found));
        }
    }
    if trials.is_empty() {
        return Err(TrainError::NoFamily { why: format!("none of the rules' families predicts a {}", named(task)) });
    }
    Ok((trials, best.map(|(_, winner)| winner)))
}

fn named(task: Task) -> &'static str {
    match task {
        Task::Binary => "probability",
        Task::Regression => "value",
    }
}

/// What [`losses`] measures.
pub fn loss_name(task: Task) -> &'static str {
    match task {
        Task::Binary => "log_loss",
        Task::Regression => "mae",
    }
}

fn average(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn standard_error(values: &[f64]) -> f64 {
    let mean = average(values);
    let n = values.len() as f64;
    (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n / n).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn look_backs_are_the_ones_that_there_are_rows_for() {
        let rules = TrainRules::DEFAULTS;
        assert_eq!(look_backs(Path::Candidate, &rules, 1_500), [250, 500, 1_000]);
        assert_eq!(look_backs(Path::Candidate, &rules, 220), [220]);
        assert_eq!(look_backs(Path::Baseline, &rules, 1_500), [1_500]);
    }
}
