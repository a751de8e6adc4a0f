//! Two models' bounded losses on the same rows, in the order in which they were seen; pure. Every judge that looks more than
//! once compares by these, so that what may be looked at often is one piece of code.

use crate::contract::Task;
use crate::stats::sequential::{lower_confidence_sequence, newest_lower_bound, upper_confidence_sequence};
use crate::types::NotComputable;

/// What two models said of a row, and what came true.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Answers {
    /// Who serves.
    pub champion: f64,
    /// Who would rather: a candidate, or the predecessor.
    pub challenger: f64,
    /// What came true.
    pub label: f64,
}

/// Paired losses: Brier for a probability, the clipped absolute error for a number.
#[derive(Debug, Clone, PartialEq)]
pub struct Paired {
    /// Champion's less challenger's, in the order in which they were seen: above 0 the challenger is better.
    gains: Vec<f64>,
    champion: Vec<f64>,
    /// No gain is further from 0 than this.
    bound: f64,
}

impl Paired {
    /// The losses of both on every row. `clip` is where absolute errors are cut off; probabilities need none.
    pub fn of(task: Task, clip: f64, rows: impl IntoIterator<Item = Answers>) -> Paired {
        let loss = |prediction: f64, label: f64| match task {
            Task::Binary => (prediction - label).powi(2),
            Task::Regression => (prediction - label).abs().min(clip),
        };
        let losses = rows.into_iter().map(|row| (loss(row.champion, row.label), loss(row.challenger, row.label)));
        let (gains, champion) = losses.map(|(champion, challenger)| (champion - challenger, champion)).unzip();
        let bound = match task {
            Task::Binary => 1.0,
            Task::Regression => clip,
        };
        Paired { gains, champion, bound }
    }

    /// How many rows there are.
    pub fn n(&self) -> u64 {
        self.gains.len() as u64
    }

    /// The mean gain as a share of the champion's mean loss.
    ///
    /// # Errors
    /// No rows, or a champion that makes no errors.
    pub fn gain_share(&self) -> Result<f64, NotComputable> {
        share(&self.gains, &self.champion)
    }

    /// The same on the newest rows alone.
    ///
    /// # Errors
    /// As [`Paired::gain_share`].
    pub fn newest_gain_share(&self, rows: usize) -> Result<f64, NotComputable> {
        let from = self.gains.len().saturating_sub(rows);
        share(self.gains.get(from..).unwrap_or_default(), self.champion.get(from..).unwrap_or_default())
    }

    /// The mean gain is above this, at every look at once with probability 1 - `alpha`.
    ///
    /// # Errors
    /// No rows, or losses that are not bounded.
    pub fn lower(&self, alpha: f64) -> Result<f64, NotComputable> {
        lower_confidence_sequence(&self.gains, -self.bound, self.bound, alpha)
    }

    /// The mean gain is below this, at every look at once with probability 1 - `alpha`.
    ///
    /// # Errors
    /// As [`Paired::lower`].
    pub fn upper(&self, alpha: f64) -> Result<f64, NotComputable> {
        upper_confidence_sequence(&self.gains, -self.bound, self.bound, alpha)
    }

    /// The mean gain of some newest rows is above this, at every look at once with probability 1 - `alpha`; a stretch may begin
    /// at every so many rows.
    ///
    /// # Errors
    /// As [`Paired::lower`].
    pub fn newest_lower(&self, alpha: f64, every: u64) -> Result<f64, NotComputable> {
        newest_lower_bound(&self.gains, -self.bound, self.bound, alpha, every)
    }
}

fn share(gains: &[f64], champion: &[f64]) -> Result<f64, NotComputable> {
    let loss: f64 = champion.iter().sum();
    match gains.len() {
        0 => Err(NotComputable::because("no labelled pairs")),
        _ if loss > 0.0 => Ok(gains.iter().sum::<f64>() / loss),
        _ => Err(NotComputable::because("the champion makes no errors")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(champion: f64, challenger: f64, label: f64) -> Answers {
        Answers { champion, challenger, label }
    }

    #[test]
    fn a_gain_is_a_share_of_the_champions_loss() {
        let paired = Paired::of(Task::Binary, 1.0, [row(0.5, 0.0, 0.0), row(0.5, 0.5, 1.0)]);
        assert_eq!((paired.n(), paired.gain_share()), (2, Ok(0.5)));
        assert_eq!(paired.newest_gain_share(1), Ok(0.0));
        let perfect = Paired::of(Task::Binary, 1.0, [row(1.0, 0.0, 1.0)]);
        assert_eq!(perfect.gain_share(), Err(NotComputable::because("the champion makes no errors")));
        assert!(Paired::of(Task::Binary, 1.0, []).gain_share().is_err());
    }

    #[test]
    fn one_outlier_counts_no_more_than_the_clip() {
        let paired = Paired::of(Task::Regression, 2.0, [row(100.0, 1.0, 0.0)]);
        assert_eq!(paired.gain_share(), Ok(0.5));
        assert!(Paired::of(Task::Regression, f64::INFINITY, [row(1.0, 0.0, 0.0)]).lower(0.1).is_err());
    }

    #[test]
    fn what_is_no_number_has_no_bound() {
        assert!(Paired::of(Task::Binary, 1.0, [row(f64::NAN, 0.5, 1.0)]).lower(0.1).is_err());
        assert!(Paired::of(Task::Binary, 1.0, [row(3.0, 0.5, 1.0)]).newest_lower(0.1, 100).is_err());
    }
}
