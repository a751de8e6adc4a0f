//! The thread that looks after the house: journals, spool, counts, orphans, keys; a door. Trouble with one model is that model's alone.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use regent::govern::journal;
use regent::log;
use regent::serve::{Clock as _, ServeError};
use regent::types::{ModelName, ReplicaName, Span, Timestamp};

use super::house::{Gate, House};
use super::tenant::Tenant;
use crate::edge::{Failure, words};

/// How often the house looks after itself.
const EVERY: Duration = Duration::from_secs(1);

/// How often the house looks for what dead replicas left: it is old already.
const ADOPT_EVERY: Span = Span::from_mins(1);

/// Where dead replicas may have left events.
#[derive(Clone)]
pub struct Orphanage {
    pub spool: PathBuf,
    pub own: ReplicaName,
    pub after: Span,
}

/// The thread at work.
pub struct Keeper {
    stop: Sender<()>,
    worker: JoinHandle<()>,
}

impl Keeper {
    /// Start it; `followed` says how far each journal is followed.
    pub fn start(house: House, followed: BTreeMap<ModelName, u64>) -> Result<Keeper, Failure> {
        let (stop, stopped) = channel();
        let mut watch = Watch { house, followed, adopted_at: None, said: String::new() };
        let work = move || watch.run(&stopped);
        let worker = thread::Builder::new().name("keeper".to_owned()).spawn(work).map_err(ServeError::Thread)?;
        Ok(Keeper { stop, worker })
    }

    pub fn end(self) {
        drop(self.stop);
        // A keeper that panicked has nothing left to finish: closing the spool is done by the house.
        let _ = self.worker.join();
    }
}

/// What the keeper remembers.
struct Watch {
    house: House,
    /// For each model the newest entry whose champion serves.
    followed: BTreeMap<ModelName, u64>,
    /// When dead replicas were last looked for.
    adopted_at: Option<Timestamp>,
    /// The last trouble that was told, so that it is told once and not each second.
    said: String,
}

impl Watch {
    fn run(&mut self, stopped: &Receiver<()>) {
        while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(EVERY) {
            let mut trouble = self.follow();
            trouble.extend(self.maintain());
            trouble.extend([self.adopt(), self.renew()].into_iter().filter_map(Result::err).map(|one| one.sentence()));
            let trouble = trouble.join("; ");
            if !trouble.is_empty() && trouble != self.said {
                tracing::error!("{trouble}");
            }
            self.said = trouble;
        }
    }

    /// A journal has grown: serve whom it names. What does not verify leaves everything as it was, and is tried again.
    fn follow(&mut self) -> Vec<String> {
        let Watch { house, followed, .. } = self;
        let follow = |tenant: &Tenant| match follow(house, tenant, followed.entry(tenant.model.clone()).or_default()) {
            Ok(()) => None,
            Err(failure) => Some(format!("{}: {}", tenant.model, failure.sentence())),
        };
        house.tenants().map(|tenant| &**tenant).filter_map(follow).collect()
    }

    /// Seal the segments that are due, then say for each model how far this replica is. Of a model for which nobody answers there is
    /// nothing to say.
    fn maintain(&self) -> Vec<String> {
        let (house, now) = (&self.house, self.house.clock.now());
        let watermark = match house.recorder.maintain(now) {
            Ok(watermark) => watermark,
            Err(error) => return vec![Failure::from(error).sentence()],
        };
        let say = |tenant: &Tenant| {
            let error = tenant.counting.maintain(watermark, now).err()?;
            Some(format!("{}: {}", tenant.model, Failure::from(error).sentence()))
        };
        house.tenants().map(|tenant| &**tenant).filter(|tenant| tenant.answers()).filter_map(say).collect()
    }

    /// Somebody has made or ended keys. What cannot be read leaves those that are known as they are.
    fn renew(&self) -> Result<(), Failure> {
        let Gate { keys, guard } = &self.house.gate;
        if guard.renew(keys.ring()?) {
            tracing::info!("the keys have changed");
        }
        Ok(())
    }

    /// Seal what dead replicas left.
    fn adopt(&mut self) -> Result<(), Failure> {
        let now = self.house.clock.now();
        if self.adopted_at.is_some_and(|last| now.since(last) < ADOPT_EVERY) {
            return Ok(());
        }
        self.adopted_at = Some(now);
        let Orphanage { spool, own, after } = &self.house.orphanage;
        let mut broken = Ok(());
        for adopted in log::adopt(self.house.store.as_ref(), spool, Some(own), *after, now) {
            match adopted.map_err(Failure::from) {
                Ok(adopted) => tracing::warn!("{}", words::adopted(&Ok(adopted))),
                Err(failure) => broken = Err(failure),
            }
        }
        broken
    }
}

/// Follow one journal, if it has grown past `followed`.
fn follow(house: &House, tenant: &Tenant, followed: &mut u64) -> Result<(), Failure> {
    if journal::newest_after(house.store.as_ref(), &tenant.model, *followed)? > *followed {
        *followed = tenant.follow()?;
        tracing::info!(entry = *followed, "{}", tenant.greeting());
    }
    Ok(())
}
