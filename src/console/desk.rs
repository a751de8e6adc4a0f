//! Where questions are answered: a thread of its own reads the store, so that nothing that predicts waits for it; through the
//! store. It remembers each journal, so that an entry is read once and not for every question.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use futures::channel::oneshot;
use serde::Serialize;

use super::gauges::{Gauges, gauges};
use super::question::Question;
use super::{ConsoleError, Ledger, alerts, journal, reports, trust, windows};
use crate::alert::AlertRules;
use crate::govern::Rules;
use crate::serve::{Clock, Problem};
use crate::store::{Key, Store};
use crate::types::{ModelName, Span, Timestamp};

/// So many questions may wait: whoever asks faster than a thread can read is told to come back.
const WAITING: usize = 64;

/// What answers need of the files that people write.
pub struct ReadingRules {
    /// Who hears of alerts.
    pub alerts: AlertRules,
    /// The model's policy.
    pub policy: Rules,
}

/// Reads the rules of a model as they are now.
pub trait Rulebook: Send + Sync {
    /// The rules.
    ///
    /// # Errors
    /// Why they cannot be read, in words.
    fn rules(&self, model: &ModelName) -> Result<ReadingRules, String>;
}

/// An answer as it is sent.
pub(super) struct Told {
    /// JSON.
    pub(super) body: Vec<u8>,
    /// What to go on after, if the list has more.
    pub(super) next: Option<String>,
}

/// What is done at the desk at an instant.
type Job = Box<dyn FnOnce(&mut Reader, Timestamp) + Send>;

/// Takes questions, and answers them one after the other.
pub struct Desk {
    jobs: SyncSender<Job>,
}

impl Desk {
    /// Open it. Its thread ends when the desk is dropped.
    ///
    /// # Errors
    /// No thread can be started.
    pub fn open(store: Arc<dyn Store>, rulebook: Arc<dyn Rulebook>, clock: Arc<dyn Clock>) -> io::Result<Desk> {
        let (jobs, waiting) = sync_channel(WAITING);
        let mut reader = Reader { store, rulebook, ledgers: BTreeMap::new(), gauged: BTreeMap::new() };
        let work = move || reader.work(&waiting, clock.as_ref());
        thread::Builder::new().name("console".to_owned()).spawn(work)?;
        Ok(Desk { jobs })
    }

    /// Ask, and wait for the answer without holding a thread.
    pub(super) async fn ask(&self, model: ModelName, question: Question) -> Result<Told, Problem> {
        let answer = move |reader: &mut Reader, now: Timestamp| {
            let told = reader.answer(&model, &question, now);
            told.unwrap_or_else(|error| Err(problem(&model, &error)))
        };
        self.let_do(answer).await?
    }

    /// How it stands with a model, as it was a few seconds ago at most; nothing if that cannot be read, or not now. Whoever scrapes
    /// often makes nobody wait.
    pub async fn gauges(&self, model: ModelName) -> Option<Gauges> {
        let read = move |reader: &mut Reader, now: Timestamp| {
            let gauges = reader.gauges(&model, now);
            gauges.map_err(|error| drop(problem(&model, &error))).ok()
        };
        self.let_do(read).await.ok().flatten()
    }

    /// Let something be done when its turn comes.
    async fn let_do<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Reader, Timestamp) -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |reader, now| {
            // Who does not wait any more need not be told.
            let _ = reply.send(work(reader, now));
        });
        self.jobs.try_send(job).map_err(|_| Problem::overloaded())?;
        // A thread that is gone has answered nothing.
        answer.await.map_err(|_| Problem::unreadable())
    }
}

/// What is scraped is read again after so long: a scraper comes every fifteen seconds or so, and a replica may have several.
const GAUGED_FOR: Span = Span::from_secs(5);

struct Reader {
    store: Arc<dyn Store>,
    rulebook: Arc<dyn Rulebook>,
    ledgers: BTreeMap<ModelName, Ledger>,
    /// What was last scraped of each model, and when it was read.
    gauged: BTreeMap<ModelName, (Timestamp, Gauges)>,
}

impl Reader {
    fn work(&mut self, waiting: &Receiver<Job>, clock: &dyn Clock) {
        waiting.iter().for_each(|job| job(self, clock.now()));
    }

    fn gauges(&mut self, model: &ModelName, now: Timestamp) -> Result<Gauges, ConsoleError> {
        if let Some((at, gauges)) = self.gauged.get(model)
            && (Span::ZERO..GAUGED_FOR).contains(&now.since(*at))
        {
            return Ok(gauges.clone());
        }
        let ledger = self.ledgers.entry(model.clone()).or_default();
        ledger.catch_up(self.store.as_ref(), model)?;
        let gauges = gauges(self.store.as_ref(), ledger, model)?;
        self.gauged.insert(model.clone(), (now, gauges.clone()));
        Ok(gauges)
    }

    fn answer(
        &mut self,
        model: &ModelName,
        question: &Question,
        now: Timestamp,
    ) -> Result<Result<Told, Problem>, ConsoleError> {
        let store = self.store.as_ref();
        if !is_known(store, model)? {
            return Ok(Err(Problem::unknown_model()));
        }
        let ledger = self.ledgers.entry(model.clone()).or_default();
        ledger.catch_up(store, model)?;
        let rules = || self.rulebook.rules(model).map_err(ConsoleError::Rules);
        let told = match question {
            Question::Alerts { all, page } => {
                let models = std::slice::from_ref(model);
                let alerts = alerts::alerts(store, models, *all, &rules()?.alerts, page, now)?;
                told(&alerts, alerts.next.as_ref())
            }
            Question::Baseline => told(&journal::baseline(ledger, model), None),
            Question::Latest => told(&reports::latest(store, ledger, model)?, None),
            Question::Performance(page) => {
                let reports = reports::performance_history(store, ledger, model, page)?;
                told(&reports, reports.next.as_ref())
            }
            Question::Drift { version, last } => told(&reports::drift(store, ledger, model, *version, *last)?, None),
            Question::Drifts(page) => {
                let reports = reports::drift_history(store, ledger, model, page)?;
                told(&reports, reports.next.as_ref())
            }
            Question::Concept => told(&reports::concept(store, ledger, model)?, None),
            Question::Retraining => told(&journal::retraining(store, ledger, model)?, None),
            Question::Snapshots { size, page } => {
                let size = size.map_or_else(|| Ok(rules()?.policy.windows.judge), Ok::<_, ConsoleError>)?;
                let windows = windows::snapshots(store, model, size, page)?;
                told(&windows, windows.next.as_ref())
            }
            Question::Trust => told(&trust::trust(store, ledger, model, &rules()?.policy)?, None),
            Question::State => told(&journal::stands(ledger, model), None),
            Question::History(page) => {
                let history = journal::history(store, model, page)?;
                told(&history, history.next.as_ref())
            }
        };
        told.map(Ok)
    }
}

fn told(answer: &impl Serialize, next: Option<&String>) -> Result<Told, ConsoleError> {
    let body = serde_json::to_vec(answer).map_err(ConsoleError::Print)?;
    Ok(Told { body, next: next.cloned() })
}

/// Whether anybody has registered or governed a model of this name.
fn is_known(store: &dyn Store, model: &ModelName) -> Result<bool, ConsoleError> {
    for folder in ["registry", "governance"] {
        if store.exists(&Key::new(&format!("{folder}/{model}"))?)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What the client hears of it; where it went wrong is for the log.
fn problem(model: &ModelName, error: &ConsoleError) -> Problem {
    if let ConsoleError::Cursor { wants } = error {
        return Problem::bad_parameter(format!("`after` must be what `next` of an earlier answer said: {wants}"));
    }
    let causes = std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source());
    let causes: Vec<String> = causes.map(ToString::to_string).collect();
    tracing::error!("{model}: a question was not answered: failed to {}", causes.join(": "));
    Problem::unreadable()
}
