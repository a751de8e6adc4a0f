//! The champion beside its predecessor on the labelled rows that arrived since its promotion; through the store. Reads nothing
//! once the watch is over.

use super::sources::Taken;
use super::{Context, PromoteError};
use crate::contract::{self, Contract, Encoded};
use crate::drift;
use crate::evaluate::{self, Answers, Watch, Watched};
use crate::govern::Champion;
use crate::ingest::{Dataset, IngestError, Rows};
use crate::registry::VerifiedModel;
use crate::snapshot::VersionCounts;
use crate::types::{Digest, Timestamp};

/// So many rows of a file are compared at most, evenly spaced over it, so that a tick costs the same whatever the traffic.
/// Evenly spaced and fixed by the file alone, they are chosen without a look at what came true. With two thousand a file,
/// models are told apart whose losses differ by less than `rollback.min_gain` within one file.
const ROWS_OF_A_FILE: usize = 2_000;

/// Both models, each as it was promoted.
pub(super) struct Pairing<'a> {
    pub(super) champion: (&'a Champion, &'a VerifiedModel),
    pub(super) predecessor: (&'a Champion, &'a VerifiedModel),
}

/// Compare a watched champion with its predecessor. None once the watch is over.
///
/// # Errors
/// What could not be read. A dataset that is damaged, or that a contract does not admit, is left out and said.
pub(super) fn watch(
    context: &Context<'_>,
    pairing: &Pairing<'_>,
    taken: &[Taken],
    now: Timestamp,
) -> Result<Option<Watch>, PromoteError> {
    let rules = &context.rules.rollback;
    let ((champion, serving), (predecessor, former)) = (pairing.champion, pairing.predecessor);
    if now.since(champion.since) > rules.watch {
        return Ok(None);
    }
    let mut compared = Compared::default();
    for dataset in arrived_since(taken, champion.since) {
        compared.add(context, pairing, dataset)?;
    }
    let newest = usize::try_from(rules.min_rows).unwrap_or(usize::MAX);
    let mut counts = VersionCounts::default();
    let from = compared.seen.len().saturating_sub(newest);
    for vector in compared.seen.get(from..).unwrap_or_default() {
        counts.count(former.profile(), vector.slots());
    }
    let watched = Watched {
        model: context.model,
        task: serving.contract().task(),
        champion: (champion.version, champion.bundle),
        predecessor: (predecessor.version, predecessor.bundle),
        since: champion.since,
        datasets: &compared.datasets,
        left_out: &compared.left_out,
        rows: &compared.rows,
        clip: serving.error_clip(),
        baseline: &predecessor.baseline,
        moved: &drift::moved(former.profile(), &counts, &context.rules.drift),
    };
    Ok(Some(evaluate::watch(watched, rules, &context.rules.performance)))
}

/// Datasets from files that nobody had seen before, taken in after an instant, each once. A file that is taken in again under a
/// newer contract has the rows that it had.
fn arrived_since(taken: &[Taken], since: Timestamp) -> impl Iterator<Item = Digest> {
    let new = taken.iter().enumerate().filter(move |(place, file)| {
        let before = taken.iter().take(*place);
        file.at > since && before.into_iter().all(|earlier| earlier.source != file.source)
    });
    new.map(|(_, file)| file.dataset)
}

/// What was compared so far, in the order of arrival, each file's rows in the order of time.
#[derive(Default)]
struct Compared {
    datasets: Vec<Digest>,
    left_out: Vec<String>,
    rows: Vec<Answers>,
    /// The rows as the predecessor sees them.
    seen: Vec<contract::FeatureVector>,
}

impl Compared {
    fn add(&mut self, context: &Context<'_>, pairing: &Pairing<'_>, digest: Digest) -> Result<(), PromoteError> {
        let (serving, former) = (pairing.champion.1, pairing.predecessor.1);
        let newer_than = [serving, former].map(|model| model.extent().trained_until).into_iter().max();
        let rows = Dataset::load(context.store, context.model, digest)
            .and_then(|dataset| newest(dataset, newer_than.unwrap_or(i64::MIN)));
        let encoded = match rows {
            Ok(rows) => {
                encode(serving.contract(), &rows).and_then(|mine| Ok((mine, encode(former.contract(), &rows)?)))
            }
            Err(error @ IngestError::Store(_)) => return Err(error.into()),
            Err(other) => Err(other.to_string()),
        };
        let (mine, theirs) = match encoded {
            Ok(both) => both,
            Err(why) => {
                self.left_out.push(format!("{}: {why}", digest.short()));
                return Ok(());
            }
        };
        let said = serving.scorer().predictions(&mine.vectors);
        let instead = former.scorer().predictions(&theirs.vectors);
        let answers = said.into_iter().zip(instead).zip(&mine.target);
        let answers = answers.map(|((champion, challenger), label)| Answers { champion, challenger, label: *label });
        self.rows.extend(answers);
        self.seen.extend(theirs.vectors);
        self.datasets.push(digest);
        Ok(())
    }
}

/// The rows that are newer than what either model learned from, thinned evenly. Rows without a time are as new as their file.
fn newest(dataset: Dataset, newer_than: i64) -> Result<Rows, IngestError> {
    let timed = dataset.meta.time.is_some();
    let rows = Rows::join([dataset])?;
    let new: Vec<usize> = (0..rows.len()).filter(|row| !timed || rows.order[*row] > newer_than).collect();
    let step = new.len().div_ceil(ROWS_OF_A_FILE).max(1);
    let places: Vec<usize> = new.into_iter().step_by(step).collect();
    Ok(Rows {
        order: places.iter().map(|row| rows.order[*row]).collect(),
        frame: rows.frame.take(&places),
        datasets: rows.datasets,
    })
}

fn encode(contract: &Contract, rows: &Rows) -> Result<Encoded, String> {
    contract::encode(contract, rows).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::super::sources::Origin;
    use super::*;
    use crate::types::Span;

    fn taken(source: &str, dataset: &str, hours: i64) -> Taken {
        let (source, dataset) = (Digest::of(source), Digest::of(dataset));
        let at = Timestamp::EPOCH + Span::from_hours(hours);
        let (origin, name, contract) = (Origin::Sources, "rows.csv".to_owned(), Digest::of("contract"));
        Taken { format_version: 1, origin, name, source, contract, dataset, rows: 1, at }
    }

    #[test]
    fn only_files_that_nobody_had_seen_before_the_promotion_are_compared() {
        let taken = [
            taken("old", "a", 1),
            taken("at the promotion", "b", 2),
            taken("new", "c", 3),
            // The same files again, under a newer contract.
            taken("old", "d", 4),
            taken("new", "e", 4),
            taken("newest", "f", 5),
        ];
        let since = Timestamp::EPOCH + Span::from_hours(2);
        assert_eq!(arrived_since(&taken, since).collect::<Vec<_>>(), [Digest::of("c"), Digest::of("f")]);
    }
}
