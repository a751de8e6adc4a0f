//! What the journal itself says: entries, where every version stands, the baseline, the newest word on retraining; through
//! the store.

use schemars::JsonSchema;
use serde::Serialize;

use super::{ConsoleError, FORMAT_VERSION, Ledger, Page};
use crate::govern::{Champion, Entry, GovernError, Standing, journal};
use crate::policy::RetrainDecision;
use crate::store::Store;
use crate::types::{ModelName, Timestamp};

/// `history`: entries of the journal, oldest first.
#[derive(Debug, Serialize, JsonSchema)]
pub struct History {
    /// 1: first form.
    pub format_version: u32,
    /// The model.
    pub model: ModelName,
    /// The entries.
    pub entries: Vec<Entry>,
    /// The number to go on after, if there are more.
    pub next: Option<String>,
}

/// The entries of a page, read by their numbers: no others are looked at.
///
/// # Errors
/// An entry that cannot be read, or does not follow the one before.
pub fn history(store: &dyn Store, model: &ModelName, page: &Page) -> Result<History, ConsoleError> {
    let after: u64 = page.cursor("the number of an entry")?.unwrap_or(0);
    let (mut entries, mut last) = (Vec::new(), None);
    for seq in after.saturating_add(1).. {
        if entries.len() == page.and_one() {
            break;
        }
        let Some((entry, digest)) = journal::at(store, model, seq)? else { break };
        if last.is_some_and(|last| entry.parent != Some(last)) {
            return Err(GovernError::Chain { seq }.into());
        }
        last = Some(digest);
        entries.push(entry);
    }
    let (entries, next) = page.cut(entries, |entry| entry.seq.to_string());
    Ok(History { format_version: FORMAT_VERSION, model: model.clone(), entries, next })
}

/// `state`: the folded journal.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Stands {
    /// 1: first form.
    pub format_version: u32,
    /// The model.
    pub model: ModelName,
    /// Where everything stands.
    #[serde(flatten)]
    pub standing: Standing,
}

/// Where every version of a model stands.
pub fn stands(ledger: &Ledger, model: &ModelName) -> Stands {
    Stands { format_version: FORMAT_VERSION, model: model.clone(), standing: ledger.standing().clone() }
}

/// `metrics/baseline`: what the champion is held against.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Champions {
    /// 1: first form.
    pub format_version: u32,
    /// The model.
    pub model: ModelName,
    /// Who serves, with the baseline copied into the entry that promoted it; none before there is anybody.
    pub champion: Option<Champion>,
}

/// The champion and its baseline.
pub fn baseline(ledger: &Ledger, model: &ModelName) -> Champions {
    let champion = ledger.standing().champion.clone();
    Champions { format_version: FORMAT_VERSION, model: model.clone(), champion }
}

/// `retraining`: the newest decision on it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Retraining {
    /// 1: first form.
    pub format_version: u32,
    /// The model.
    pub model: ModelName,
    /// The entry that says so; none before the first judged window.
    pub entry: Option<u64>,
    /// When it was decided.
    pub at: Option<Timestamp>,
    /// What was decided, with every condition looked at.
    pub decision: Option<RetrainDecision>,
}

/// What was last decided on retraining.
///
/// # Errors
/// The entry cannot be read.
pub fn retraining(store: &dyn Store, ledger: &Ledger, model: &ModelName) -> Result<Retraining, ConsoleError> {
    let entry = match ledger.retraining() {
        Some(seq) => journal::at(store, model, seq)?.map(|(entry, _)| entry),
        None => None,
    };
    Ok(Retraining {
        format_version: FORMAT_VERSION,
        model: model.clone(),
        entry: entry.as_ref().map(|entry| entry.seq),
        at: entry.as_ref().map(|entry| entry.decision.at),
        decision: entry.and_then(|entry| entry.decision.retrain),
    })
}
