//! `regent serve`: one replica of one model, wired and running until it is told to stop; a door.

mod limits;
mod lookout;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use axum::Router;
use clap::{Args, ValueEnum};
use regent::config::Events;
use regent::console::{self, Desk, ReadingRules, Rulebook};
use regent::govern::{self, Standing, State, journal};
use regent::log::{self, Recorder, SpoolRules};
use regent::metrics::{self, Scrape};
use regent::openapi::{self, Subject};
use regent::serve::{
    Champion, Clock, Decided, Follower, Guard, Hosts, HttpDoor, Keys, Limits, Meter, Metered, Named, ServeError,
    SystemClock, TinyDoor, Wiring, guarded, routes,
};
use regent::shadow::{QueuedMirror, Scoring};
use regent::snapshot::{self, Counting};
use regent::store::{Durability, Store};
use regent::types::{ModelName, ReplicaName, Span, Timestamp};
use serde_json::json;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use ulid::Ulid;

use crate::edge::{Answer, Exit, Failure, Scene, Workspace, words};
use limits::LimitArguments;

/// Answer requests with the champion, and let the candidate shadow
#[derive(Debug, Args)]
pub struct Serve {
    /// The model
    model: Option<ModelName>,
    /// The address [default: `listen` of regent.yaml]
    #[arg(long, value_name = "ADDRESS", env = "REGENT_LISTEN")]
    listen: Option<String>,
    /// How requests come in
    #[arg(long, value_enum, default_value_t)]
    door: Door,
    /// The name of this replica among several
    #[arg(long, value_name = "NAME", env = "REGENT_REPLICA", default_value = "local")]
    replica: ReplicaName,
    /// A name this server goes by besides localhost and its address; several with several --host
    #[arg(long = "host", value_name = "NAME")]
    hosts: Vec<String>,
    #[command(flatten)]
    limits: LimitArguments,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Door {
    /// hyper, with limits on heads, bodies, time and connections
    #[default]
    Axum,
    /// tiny_http: small, for this machine only
    Tiny,
}

impl Serve {
    pub fn run(self, scene: &Scene) -> Result<Answer, Failure> {
        let workspace = scene.workspace()?;
        let model = workspace.model(self.model.clone())?;
        let address = address(self.listen.as_deref().unwrap_or(&workspace.settings.listen))?;
        let limits = self.limits.limits()?;
        let (keys, hosts) = (Keys::of(&workspace.root), self.hosts.clone());
        let hosts = if address.ip().is_loopback() { Hosts::this_machine(hosts) } else { Hosts::any_address(hosts) };
        let gate = Gate { guard: Guard::new(Arc::new(SystemClock::new()), keys.ring()?, hosts, &limits), keys };
        let house = House::open(workspace, &model, &self.replica, gate)?;
        scene.say(&house.greeting());
        let _lookout = lookout::start(&house.root, &model, &house.clock)?;
        match self.door {
            Door::Axum => house.open_http(address, limits, scene)?,
            Door::Tiny => house.open_tiny(address, limits, scene)?,
        }
        let at = house.close()?;
        Answer::new("", &json!({ "format_version": 1, "model": model, "replica": self.replica, "stopped_at": at }))
    }
}

fn address(given: &str) -> Result<SocketAddr, Failure> {
    given.parse().map_err(|error| {
        Failure::because(Exit::Usage, format!("`{given}` is no address"), error)
            .hint("write host and port: 127.0.0.1:8080")
    })
}

/// How often the house looks after itself: the journal, the spool, the counts.
const EVERY: Duration = Duration::from_secs(1);

/// Everything between the doors and the store.
#[derive(Clone)]
struct House {
    root: PathBuf,
    model: ModelName,
    store: Arc<dyn Store>,
    clock: Arc<SystemClock>,
    follower: Arc<Follower>,
    recorder: Arc<Recorder>,
    counting: Arc<Counting>,
    orphanage: Orphanage,
    gate: Gate,
    meter: Arc<Meter>,
}

/// Who may come in, and where those are written who may.
#[derive(Clone)]
struct Gate {
    keys: Keys,
    guard: Arc<Guard>,
}

/// Where dead replicas may have left events.
#[derive(Clone)]
struct Orphanage {
    spool: PathBuf,
    own: ReplicaName,
    after: Span,
}

/// How often the house looks for them: what they left is old already.
const ADOPT_EVERY: Span = Span::from_mins(1);

impl House {
    fn open(workspace: Workspace, model: &ModelName, replica: &ReplicaName, gate: Gate) -> Result<House, Failure> {
        let rules = workspace.governed(model)?.rules;
        let base = rules.windows.base;
        let durability = match workspace.settings.events {
            Events::Durable => Durability::Durable,
            Events::Batched => Durability::Batched,
        };
        let orphanage =
            Orphanage { spool: workspace.spool(), own: replica.clone(), after: workspace.settings.adopt_after };
        let store: Arc<dyn Store> = Arc::new(workspace.store);
        let clock = Arc::new(SystemClock::new());
        let boot = Ulid::generate();
        let recorder = Recorder::open(
            Arc::clone(&store),
            &orphanage.spool,
            replica,
            boot,
            durability,
            SpoolRules::DEFAULTS,
            clock.now(),
        )?;
        let counting = Counting::new(Arc::clone(&store), model.clone(), base, replica.clone(), boot);
        let house = House {
            root: workspace.root,
            model: model.clone(),
            follower: Arc::new(Follower::new(Arc::clone(&store), model.clone())),
            store,
            clock,
            recorder: Arc::new(recorder),
            counting: Arc::new(counting),
            orphanage,
            gate,
            meter: Arc::new(Meter::new([model.clone()])),
        };
        house.follow()?;
        Ok(house)
    }

    /// Serve whom the journal names now, if who signed it is trusted now.
    fn follow(&self) -> Result<(), Failure> {
        let standing = govern::fold(self.store.as_ref(), &self.model)?;
        let rules = Workspace::open(&self.root)?.governed(&self.model)?.rules;
        self.follower.follow(named(&standing), &rules.signature)?;
        Ok(())
    }

    fn greeting(&self) -> String {
        if let Some(watched) = self.follower.watched() {
            let version = watched.reference.version();
            return format!("{} {version} answers elsewhere: tell its answers to /api/v1/inferences", self.model);
        }
        match self.follower.current() {
            Some(serving) => {
                let apart = serving.why_apart().map(|why| format!("; {why}")).unwrap_or_default();
                format!("{} {} answers{apart}", self.model, serving.champion.version())
            }
            None => {
                format!("{} has no champion yet: predict answers 503 until `governor` has promoted one", self.model)
            }
        }
    }

    fn wiring(&self) -> Result<Wiring, Failure> {
        let tally = self.meter.tally(&self.model).cloned().unwrap_or_default();
        let metered = Arc::new(Metered::new(tally, self.counting.clone(), self.recorder.clone()));
        let scoring = Scoring { clock: self.clock.clone(), events: self.recorder.clone(), counter: metered.clone() };
        let mirror = QueuedMirror::start(scoring).map_err(ServeError::Thread)?;
        Ok(Wiring {
            clock: self.clock.clone(),
            champion: self.follower.clone(),
            events: self.recorder.clone(),
            counter: metered.clone(),
            labels: metered,
            mirror: Arc::new(mirror),
        })
    }

    /// What works, and what only looks.
    fn router(&self) -> Result<Router, Failure> {
        let rulebook = Arc::new(Files { root: self.root.clone() });
        let desk = Desk::open(Arc::clone(&self.store), rulebook, self.clock.clone()).map_err(ServeError::Thread)?;
        let desk = Arc::new(desk);
        let scraped = metrics::routes(self.scrape(&desk));
        let routes = routes(self.wiring()?).merge(console::routes(desk)).merge(scraped);
        let described = openapi::routes(&routes, self.subjects());
        Ok(guarded(routes.merge(described), &self.gate.guard, &self.meter))
    }

    fn scrape(&self, desk: &Arc<Desk>) -> Scrape {
        let champion: Arc<dyn Champion> = self.follower.clone();
        Scrape {
            clock: self.clock.clone(),
            meter: Arc::clone(&self.meter),
            recorder: Arc::clone(&self.recorder),
            desk: Arc::clone(desk),
            models: vec![(self.model.clone(), champion)],
        }
    }

    /// Who is served, and under which contract, whenever it is asked.
    fn subjects(&self) -> openapi::Subjects {
        let (model, follower) = (self.model.clone(), Arc::clone(&self.follower));
        Box::new(move || {
            let here = follower.current().map(|serving| serving.champion.contract().clone());
            let elsewhere = || follower.watched().map(|watched| watched.reference.contract().clone());
            vec![Subject { model: model.clone(), contract: here.or_else(elsewhere) }]
        })
    }

    fn open_http(&self, address: SocketAddr, limits: Limits, scene: &Scene) -> Result<(), Failure> {
        let door = HttpDoor::bind(address, limits, self.gate.guard.callers())?.metered(&self.meter);
        let router = self.router()?;
        let runtime = runtime(Builder::new_multi_thread())?;
        let stop = told_to_stop(&runtime);
        scene.say(&format!("listening on http://{}", door.address()));
        let keeper = self.keep()?;
        let served = runtime.block_on(async { door.serve(router, stop).await });
        // Connections that outlived the drain end here, so that nothing is answered once the spool is closed.
        drop(runtime);
        keeper.end();
        Ok(served?)
    }

    fn open_tiny(&self, address: SocketAddr, limits: Limits, scene: &Scene) -> Result<(), Failure> {
        let door = TinyDoor::open(address, self.router()?, limits.bodies)?;
        let runtime = runtime(Builder::new_current_thread())?;
        let stop = told_to_stop(&runtime);
        scene.say(&format!("listening on http://{}", door.address()));
        let keeper = self.keep()?;
        runtime.block_on(stop);
        door.stop();
        keeper.end();
        Ok(())
    }

    /// Look after the house in a thread of its own: the store blocks.
    fn keep(&self) -> Result<Keeper, Failure> {
        let (stop, stopped) = channel();
        let seen = govern::fold(self.store.as_ref(), &self.model)?.head.map_or(0, |(seq, _)| seq);
        let mut watch = Watch { house: self.clone(), seen, adopted_at: None, said: String::new() };
        let work = move || watch.run(&stopped);
        let worker = thread::Builder::new().name("keeper".to_owned()).spawn(work).map_err(ServeError::Thread)?;
        Ok(Keeper { stop, worker })
    }

    /// Seal what is open and say goodbye.
    fn close(self) -> Result<Timestamp, Failure> {
        let now = self.clock.now();
        let watermark = self.recorder.close(now)?;
        self.counting.close(watermark, now)?;
        Ok(now)
    }
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

/// Whom the journal names: the champion, and the candidate that may see traffic.
fn named(standing: &Standing) -> Option<Named> {
    let champion = standing.champion.as_ref()?;
    let champion = Decided { version: champion.version, bundle: champion.bundle };
    let candidate = standing.candidate.as_ref().filter(|candidate| match candidate.state {
        State::Shadowing | State::Promotable => true,
        State::Training | State::Promoted | State::Rejected | State::Retired | State::RolledBack => false,
    });
    let recorded = candidate.and_then(|candidate| Some((candidate.version, candidate.bundle?)));
    let candidate = recorded.map(|(version, bundle)| Decided { version, bundle });
    Some(Named { champion, candidate, sealed_until: standing.sealed_until() })
}

/// The thread that looks after the house.
struct Keeper {
    stop: Sender<()>,
    worker: JoinHandle<()>,
}

impl Keeper {
    fn end(self) {
        drop(self.stop);
        // A keeper that panicked has nothing left to finish: closing the spool is done by the house.
        let _ = self.worker.join();
    }
}

/// What the keeper remembers.
struct Watch {
    house: House,
    /// The newest entry whose champion serves.
    seen: u64,
    /// When dead replicas were last looked for.
    adopted_at: Option<Timestamp>,
    /// The last trouble that was told, so that it is told once and not each second.
    said: String,
}

impl Watch {
    fn run(&mut self, stopped: &Receiver<()>) {
        while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(EVERY) {
            let trouble =
                [self.follow(), self.maintain(), self.adopt(), self.renew()].into_iter().filter_map(Result::err);
            let trouble = trouble.map(|failure| failure.sentence()).collect::<Vec<_>>().join("; ");
            if !trouble.is_empty() && trouble != self.said {
                tracing::error!("{trouble}");
            }
            self.said = trouble;
        }
    }

    /// The journal has grown: serve whom it names. What does not verify leaves everything as it was, and is tried again.
    fn follow(&mut self) -> Result<(), Failure> {
        let newest = journal::newest_after(self.house.store.as_ref(), &self.house.model, self.seen)?;
        if newest > self.seen {
            self.house.follow()?;
            tracing::info!(entry = newest, "{}", self.house.greeting());
            self.seen = newest;
        }
        Ok(())
    }

    /// Somebody has made or ended keys. What cannot be read leaves those that are known as they are.
    fn renew(&self) -> Result<(), Failure> {
        let Gate { keys, guard } = &self.house.gate;
        if guard.renew(keys.ring()?) {
            tracing::info!("the keys have changed");
        }
        Ok(())
    }

    fn maintain(&self) -> Result<(), Failure> {
        let House { recorder, counting, clock, .. } = &self.house;
        Ok(snapshot::maintain(recorder, counting, clock.now())?)
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

fn runtime(mut builder: Builder) -> Result<Runtime, Failure> {
    builder.enable_all().build().map_err(|error| Failure::internal("start the runtime", error))
}

/// SIGTERM, or ctrl-c: heard from this call on, so that whoever waits for "listening" may stop it at once. A process that
/// cannot hear signals runs until it is killed.
fn told_to_stop(runtime: &Runtime) -> impl Future<Output = ()> + Send + use<> {
    let _inside = runtime.enter();
    let heard = signal(SignalKind::terminate()).and_then(|terminate| Ok((terminate, signal(SignalKind::interrupt())?)));
    async {
        let Ok((mut terminate, mut interrupt)) = heard else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    }
}
