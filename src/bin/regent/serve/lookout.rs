//! While it serves, a replica sees whether the governor still comes, and says so where the governor cannot; a door.
//!
//! It fires `governor_late` and delivers what is due, and only while the governor is late: at all other times deliveries are the
//! governor's. Nothing that answers waits for it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use regent::alert::deliver::deliver;
use regent::alert::{self, Findings, Kind, Lateness, Level, Seen};
use regent::govern;
use regent::serve::{Clock, ServeError, SystemClock};
use regent::types::{ModelName, Timestamp};

use crate::edge::{Failure, Workspace};

/// How often it looks: a governor is late by the hour.
const EVERY: Duration = Duration::from_mins(1);

/// Look from now on; it ends when what is returned is dropped, and a delivery on its way is waited for by nobody.
pub fn start(root: &Path, models: &[ModelName], clock: &Arc<SystemClock>) -> Result<Sender<()>, Failure> {
    let (stop, stopped) = channel();
    let lookout = Lookout { root: root.to_owned(), models: models.to_vec(), clock: Arc::clone(clock) };
    let work = move || {
        let mut said = String::new();
        loop {
            let trouble = lookout.trouble(lookout.clock.now());
            if !trouble.is_empty() && trouble != said {
                tracing::error!("{trouble}");
            }
            said = trouble;
            if stopped.recv_timeout(EVERY) != Err(RecvTimeoutError::Timeout) {
                return;
            }
        }
    };
    thread::Builder::new().name("lookout".to_owned()).spawn(work).map_err(ServeError::Thread)?;
    Ok(stop)
}

struct Lookout {
    root: PathBuf,
    models: Vec<ModelName>,
    clock: Arc<SystemClock>,
}

impl Lookout {
    /// What hinders it, in words. A model that cannot be looked at does not hide the others.
    fn trouble(&self, now: Timestamp) -> String {
        let look = |model| Some(format!("{model}: {}", self.look(model, now).err()?.sentence()));
        self.models.iter().filter_map(look).collect::<Vec<_>>().join("; ")
    }

    fn look(&self, model: &ModelName, now: Timestamp) -> Result<(), Failure> {
        let workspace = Workspace::open(&self.root)?;
        let governed = workspace.governed(model)?;
        let standing = govern::fold(&workspace.store, model)?;
        let rules = &workspace.settings.alerts;
        let believed = |last| now.since(last) <= governed.rules.promotion.clock_jump;
        let late = alert::lateness(&standing, &governed.rules, rules.late_after, now);
        let (Lateness::Late { what }, true) = (late, standing.last_at.is_none_or(believed)) else { return Ok(()) };
        let findings = Findings::from([(Kind::GovernorLate, Seen::stands(Level::Warning, what))]);
        for notice in alert::raise(&workspace.store, model, &findings, rules, now)? {
            tracing::warn!("{notice}");
        }
        let models = std::slice::from_ref(model);
        for delivery in deliver(&workspace.store, &self.root, rules, models, now)? {
            tracing::info!("told {delivery}");
        }
        Ok(())
    }
}
