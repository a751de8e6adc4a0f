//! Everything between the doors and the store: the models, what they share, and who may come in; a door.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use regent::config::{Events, Unrecorded};
use regent::console::{self, Desk, ReadingRules, Rulebook};
use regent::log::{Lenient, Recorder, SpoolRules};
use regent::metrics::{self, Scrape};
use regent::openapi;
use regent::serve::{
    Champion, Clock, EventSink, Front, Guard, Keys, Meter, Metered, Models, ServeError, SystemClock, Wiring, guarded,
    routes,
};
use regent::shadow::{Manners, QueuedMirror, Scoring};
use regent::store::{Durability, Store};
use regent::types::{ModelName, ReplicaName, Timestamp};
use rustix::time::{ClockId, clock_gettime};
use ulid::Ulid;

use super::chosen::Chosen;
use super::keeper::{Keeper, Orphanage};
use super::tenant::Tenant;
use crate::edge::{Failure, Workspace};

/// A server that is not open yet.
#[derive(Clone)]
pub struct House {
    pub root: PathBuf,
    pub store: Arc<dyn Store>,
    pub clock: Arc<SystemClock>,
    pub recorder: Arc<Recorder>,
    unrecorded: Unrecorded,
    pub orphanage: Orphanage,
    pub gate: Gate,
    /// What is served.
    pub meter: Arc<Meter>,
    /// The model that is meant where none is named.
    meant: Arc<Tenant>,
    /// The others.
    others: Vec<Arc<Tenant>>,
    /// For each model the newest entry of its journal that is followed.
    followed: BTreeMap<ModelName, u64>,
}

/// Who may come in, and where those are written who may.
#[derive(Clone)]
pub struct Gate {
    pub keys: Keys,
    pub guard: Arc<Guard>,
}

impl House {
    /// Open the spool, and let the models begin. One that cannot is told and answers 503, and is tried again.
    ///
    /// # Errors
    /// The spool; none of the models can begin.
    pub fn open(workspace: Workspace, chosen: &Chosen, replica: &ReplicaName, gate: Gate) -> Result<House, Failure> {
        let spool = workspace.spool();
        let Workspace { root, settings, store } = workspace;
        let durability = match settings.events {
            Events::Durable => Durability::Durable,
            Events::Batched => Durability::Batched,
        };
        let orphanage = Orphanage { spool, own: replica.clone(), after: settings.adopt_after };
        let store: Arc<dyn Store> = Arc::new(store);
        let clock = Arc::new(SystemClock::new());
        let boot = Ulid::generate();
        let (shared, now, rules) = (Arc::clone(&store), clock.now(), SpoolRules::DEFAULTS);
        let recorder = Recorder::open(shared, &orphanage.spool, replica, boot, durability, rules, now)?;
        let tenant = |model: &ModelName| Arc::new(Tenant::new(&root, &store, model, replica, boot));
        let others = chosen.models.iter().filter(|model| **model != chosen.meant);
        let mut house = House {
            meant: tenant(&chosen.meant),
            others: others.map(tenant).collect(),
            root,
            store,
            clock,
            recorder: Arc::new(recorder),
            unrecorded: settings.unrecorded,
            orphanage,
            gate,
            meter: Arc::new(Meter::new(chosen.in_order().cloned())),
            followed: BTreeMap::new(),
        };
        house.followed = house.begin()?;
        Ok(house)
    }

    /// Every model, the one first that is meant where none is named.
    pub fn tenants(&self) -> impl Iterator<Item = &Arc<Tenant>> {
        std::iter::once(&self.meant).chain(&self.others)
    }

    /// How far each journal is followed.
    fn begin(&self) -> Result<BTreeMap<ModelName, u64>, Failure> {
        let mut followed = BTreeMap::new();
        let mut broken = Vec::new();
        for tenant in self.tenants() {
            match tenant.follow() {
                Ok(newest) => drop(followed.insert(tenant.model.clone(), newest)),
                Err(failure) => broken.push((tenant, failure)),
            }
        }
        let idle = followed.is_empty() && !self.tenants().any(|tenant| tenant.answers());
        if idle && !broken.is_empty() {
            return Err(broken.swap_remove(0).1);
        }
        for (tenant, failure) in broken {
            let until = if tenant.answers() { "" } else { "; it answers 503 until that is mended" };
            tracing::error!("{}: {}{until}", tenant.model, failure.sentence());
        }
        Ok(followed)
    }

    /// Who answers, a line for each model.
    pub fn greetings(&self) -> impl Iterator<Item = String> {
        let meant = &self.meant.model;
        let which = format!("{meant} is meant where a path names no model");
        let several = (!self.others.is_empty()).then_some(which);
        self.tenants().map(|tenant| tenant.greeting()).chain(several)
    }

    /// The queue and the thread in which a candidate scores are a model's own: a slow one holds up no other.
    fn wiring(&self, tenant: &Tenant) -> Result<Wiring, Failure> {
        let metered = self.metered(tenant);
        let events = self.events(&metered);
        let scoring = Scoring { clock: self.clock.clone(), events: events.clone(), counter: metered.clone() };
        let mirror = QueuedMirror::start(scoring, MANNERS).map_err(ServeError::Thread)?;
        Ok(Wiring {
            clock: self.clock.clone(),
            champion: tenant.follower.clone(),
            events,
            counter: metered.clone(),
            labels: metered,
            mirror: Arc::new(mirror),
        })
    }

    /// The same for one more thread: what it answers is counted and remembered there before it is anywhere else.
    fn apart(&self, tenant: &Tenant, wiring: &Wiring) -> Wiring {
        let metered = self.metered(tenant);
        Wiring { events: self.events(&metered), counter: metered, ..wiring.clone() }
    }

    fn events(&self, metered: &Arc<Metered>) -> Arc<dyn EventSink> {
        let scribe = Arc::new(self.recorder.scribe());
        match self.unrecorded {
            Unrecorded::Refuse => scribe,
            Unrecorded::Count => Arc::new(Lenient::new(scribe, metered.clone())),
        }
    }

    fn metered(&self, tenant: &Tenant) -> Arc<Metered> {
        let tally = self.meter.tally(&tenant.model).unwrap_or_default();
        Arc::new(Metered::new(tally, Arc::new(tenant.counting.lane()), self.recorder.clone()))
    }

    /// What works, and what only looks: one for each thread that answers.
    pub fn front(&self) -> Result<impl Fn() -> Front + use<>, Failure> {
        let meant = self.wiring(&self.meant)?;
        let others = self.others.iter().map(|tenant| Ok((Arc::clone(tenant), self.wiring(tenant)?)));
        let others = others.collect::<Result<Vec<_>, Failure>>()?;
        let rulebook = Arc::new(Files { root: self.root.clone() });
        let desk = Desk::open(Arc::clone(&self.store), rulebook, self.clock.clone()).map_err(ServeError::Thread)?;
        let (desk, house) = (Arc::new(desk), self.clone());
        Ok(move || {
            let models = Models::new(house.meant.model.clone(), house.apart(&house.meant, &meant));
            let and = |models: Models, (tenant, wiring): &(Arc<Tenant>, Wiring)| {
                models.and(tenant.model.clone(), house.apart(tenant, wiring))
            };
            let models = others.iter().fold(models, and);
            let scraped = metrics::routes(house.scrape(&desk));
            let routes = routes(models).merge(console::routes(Arc::clone(&desk))).merge(scraped);
            let described = openapi::routes(&routes, house.subjects());
            guarded(routes.merge(described), &house.gate.guard, &house.meter)
        })
    }

    fn scrape(&self, desk: &Arc<Desk>) -> Scrape {
        let champion = |tenant: &Arc<Tenant>| (tenant.model.clone(), tenant.follower.clone() as Arc<dyn Champion>);
        Scrape {
            clock: self.clock.clone(),
            meter: Arc::clone(&self.meter),
            recorder: Arc::clone(&self.recorder),
            desk: Arc::clone(desk),
            models: self.tenants().map(champion).collect(),
        }
    }

    /// Who is served, and under which contract, whenever it is asked.
    fn subjects(&self) -> openapi::Subjects {
        let tenants: Vec<Arc<Tenant>> = self.tenants().cloned().collect();
        Box::new(move || tenants.iter().map(|tenant| tenant.subject()).collect())
    }

    /// Look after the house in a thread of its own: the store blocks.
    pub fn keep(&self) -> Result<Keeper, Failure> {
        Keeper::start(self.clone(), self.followed.clone())
    }

    /// Seal what is open and say goodbye.
    ///
    /// # Errors
    /// The spool or the store; every model has said goodbye that could.
    pub fn close(self) -> Result<Timestamp, Failure> {
        let now = self.clock.now();
        let watermark = self.recorder.close(now)?;
        let told = self.tenants().filter(|tenant| tenant.answers());
        let closed: Vec<_> = told.map(|tenant| tenant.counting.close(watermark, now)).collect();
        closed.into_iter().collect::<Result<(), _>>()?;
        Ok(now)
    }
}

/// Of a candidate's thread.
const MANNERS: Manners = Manners { stand_back, worked_us, rest: thread::sleep };

/// A candidate scores where nobody else would use the processor. The system's word for it speaks of the calling thread.
fn stand_back() {
    // Whoever may not stand back keeps in line.
    let _ = rustix::process::nice(19);
}

fn worked_us() -> u64 {
    let worked = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(worked).map_or(0, |worked| worked.as_micros() as u64)
}

/// The rules as the workspace's files say them now.
struct Files {
    root: PathBuf,
}

impl Rulebook for Files {
    fn rules(&self, model: &ModelName) -> Result<ReadingRules, String> {
        let told = |failure: Failure| failure.sentence();
        let workspace = Workspace::open(&self.root).map_err(told)?;
        let policy = workspace.governed(model).map_err(told)?.rules;
        Ok(ReadingRules { alerts: workspace.settings.alerts, policy })
    }
}
