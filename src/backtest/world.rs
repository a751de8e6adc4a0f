//! The house in a bottle: store, recorder, follower and routes, wired as the server wires them, on a clock that is set;
//! through the store.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use axum::Router;
use axum::body::Body;
use futures::executor::block_on;
use http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;
use ulid::Ulid;
use uuid::Uuid;

use super::rows::Replay;
use super::summary::Served;
use super::{BacktestError, Setup};
use crate::alert::{self, AlertRules, Notice};
use crate::govern;
use crate::ingest::{IngestError, Sources};
use crate::log::{Recorder, SpoolRules};
use crate::promote::{self, Context, Tick, Turn};
use crate::serve::{Clock, Decided, Follower, Models, Named, Wiring, routes};
use crate::shadow::{InlineMirror, Scoring};
use crate::snapshot::{self, Counting};
use crate::store::Durability;
use crate::types::{ModelName, ReplicaName, Span, Timestamp};

/// When the replay begins; any Monday does.
const BEGINNING: Timestamp = Timestamp::from_micros(1_767_571_200_000_000);
/// How long after a window's end the governor runs: past the grace for silent replicas.
const AFTER: Span = Span::from_mins(10);

/// A clock that shows what it is set to.
pub(super) struct VirtualClock {
    now: AtomicI64,
    micros: AtomicU64,
}

impl VirtualClock {
    fn set(&self, now: Timestamp) {
        self.now.store(now.micros(), Ordering::SeqCst);
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.now.load(Ordering::SeqCst))
    }

    fn micros(&self) -> u64 {
        // A microsecond a look: latencies are small, equal and the same at every replay.
        self.micros.fetch_add(1, Ordering::SeqCst)
    }
}

/// Labelled rows that have arrived so far.
#[derive(Default)]
struct Arrived(BTreeMap<String, Vec<u8>>);

impl Sources for Arrived {
    fn names(&self) -> Result<Vec<String>, IngestError> {
        Ok(self.0.keys().cloned().collect())
    }

    fn open(&self, name: &str) -> Result<Box<dyn Read>, IngestError> {
        Ok(Box::new(Cursor::new(self.0.get(name).cloned().unwrap_or_default())))
    }
}

/// The governed model and everything around it.
pub(super) struct World<'a> {
    setup: &'a Setup<'a>,
    file: &'a Replay,
    clock: Arc<VirtualClock>,
    recorder: Arc<Recorder>,
    counting: Arc<Counting>,
    follower: Arc<Follower>,
    router: Router,
    arrived: Arrived,
    /// The start of the window that comes next.
    next: Timestamp,
    txns: AtomicU64,
}

impl<'a> World<'a> {
    /// Train the first model on the baseline's rows and govern until it serves.
    pub(super) fn begin(setup: &'a Setup<'a>, file: &'a Replay) -> Result<World<'a>, BacktestError> {
        let model = setup.registered.contract.name().clone();
        let size = setup.rules.windows.judge;
        let clock = Arc::new(VirtualClock { now: AtomicI64::new(0), micros: AtomicU64::new(0) });
        clock.set(BEGINNING.floor(size) - Span::from_hours(1));
        let broken = |error: &dyn std::fmt::Display| BacktestError::World(error.to_string());
        let replica: ReplicaName = "backtest".parse().map_err(|error| broken(&error))?;
        let boot = Ulid::from_parts(0, 1);
        let (store, rules) = (&setup.store, SpoolRules::DEFAULTS);
        let recorder =
            Recorder::open(store.clone(), setup.root, &replica, boot, Durability::Batched, rules, clock.now());
        let recorder = Arc::new(recorder.map_err(|error| broken(&error))?);
        let base = setup.rules.windows.base;
        let counting = Arc::new(Counting::new(store.clone(), model.clone(), base, replica, boot));
        let follower = Arc::new(Follower::new(setup.store.clone(), model.clone()));
        let wiring = Wiring {
            clock: clock.clone(),
            champion: follower.clone(),
            events: recorder.clone(),
            counter: counting.clone(),
            labels: recorder.clone(),
            mirror: Arc::new(InlineMirror(Scoring {
                clock: clock.clone(),
                events: recorder.clone(),
                counter: counting.clone(),
            })),
        };
        let router = routes(Models::new(model, wiring)).router();
        let mut world = World {
            setup,
            file,
            clock,
            recorder,
            counting,
            follower,
            router,
            arrived: Arrived::default(),
            next: BEGINNING.floor(size),
            txns: AtomicU64::new(0),
        };
        world.arrive(0..setup.baseline_rows);
        world.first_champion()?;
        Ok(world)
    }

    fn model(&self) -> &ModelName {
        self.setup.registered.contract.name()
    }

    fn arrive(&mut self, rows: Range<usize>) {
        self.arrived.0.insert(format!("{:08}.csv", rows.start), self.file.csv(rows));
    }

    fn first_champion(&mut self) -> Result<(), BacktestError> {
        self.with_context(|context, now| promote::begin(context, "first model of the replay", now))?;
        for _ in 0..4 {
            let later = self.clock.now() + Span::from_mins(1);
            self.clock.set(later);
            self.turn()?;
            self.follow()?;
            if self.serving().is_some() {
                return Ok(());
            }
        }
        let ticks = self.with_context(|context, now| promote::tick(context, now, Turn::Rehearsal))?;
        Err(BacktestError::World(format!("the first model is not promoted: {}", ticks.decision.notes.join("; "))))
    }

    fn with_context<T>(
        &self,
        act: impl FnOnce(&Context<'_>, Timestamp) -> Result<T, promote::PromoteError>,
    ) -> Result<T, BacktestError> {
        let txn = || format!("{:026}", self.txns.fetch_add(1, Ordering::SeqCst));
        let context = Context {
            store: &*self.setup.store,
            model: self.model(),
            rules: self.setup.rules,
            sources: &self.arrived,
            txn: &txn,
            actor: "governor",
        };
        Ok(act(&context, self.clock.now())?)
    }

    fn serving(&self) -> crate::serve::Current {
        crate::serve::Champion::current(&*self.follower)
    }

    fn follow(&self) -> Result<(), BacktestError> {
        let standing = govern::fold(&*self.setup.store, self.model()).map_err(promote::PromoteError::from)?;
        let decided = |version, bundle| Decided { version, bundle };
        let candidate = standing.shadowing().and_then(|candidate| Some(decided(candidate.version, candidate.bundle?)));
        let champion = standing.champion.as_ref().map(|champion| decided(champion.version, champion.bundle));
        let sealed_until = standing.sealed_until();
        let named = champion.map(|champion| Named { champion, candidate, sealed_until });
        let signature = &self.setup.rules.signature;
        self.follower.follow(named, signature).map_err(|error| BacktestError::World(error.to_string()))?;
        Ok(())
    }

    /// Ask about every row of a window, evenly over its time.
    pub(super) fn serve(&mut self, rows: Range<usize>) -> Result<Served, BacktestError> {
        let size = self.setup.rules.windows.judge;
        let (start, count) = (self.next, rows.len() as i64);
        let current = self.serving();
        let serving = current.as_ref().ok_or_else(|| BacktestError::World("nobody serves".to_owned()))?;
        let mut served = Served {
            task: serving.champion.contract().task(),
            champion: serving.champion.version(),
            threshold: serving.champion.model().threshold(),
            predictions: Vec::with_capacity(rows.len()),
            labels: rows.clone().map(|row| self.file.label(row)).collect(),
        };
        let mut minute = start;
        for (place, row) in (0..).zip(rows) {
            let at = start + Span::from_micros(size.micros() / (2 * count) * (2 * place + 1));
            // What a timer does in the server: once an hour of virtual time is often enough.
            if at.since(minute) >= Span::from_hours(1) {
                minute = at;
                self.maintain(at)?;
            }
            self.clock.set(at);
            served.predictions.push(self.ask(row)?);
        }
        self.next = start + size;
        self.clock.set(self.next);
        Ok(served)
    }

    fn maintain(&self, at: Timestamp) -> Result<(), BacktestError> {
        self.clock.set(at);
        let done = snapshot::maintain(&self.recorder, &self.counting, at);
        Ok(done.map_err(promote::PromoteError::from)?)
    }

    fn ask(&self, row: usize) -> Result<f64, BacktestError> {
        let body = json!({ "request_id": request_id(row), "features": self.file.features(row) });
        let (status, answer) = self.send("/api/v1/predict", &body)?;
        let number = ["probability", "prediction"].into_iter().find_map(|key| answer.get(key)?.as_f64());
        match number {
            Some(number) if status == StatusCode::OK => Ok(number),
            Some(_) | None => Err(BacktestError::Unanswered { row, status: status.as_u16(), body: answer.to_string() }),
        }
    }

    fn send(&self, path: &str, body: &Value) -> Result<(StatusCode, Value), BacktestError> {
        let lost = |error: &dyn std::fmt::Display| BacktestError::World(format!("{path}: {error}"));
        let request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_string()))
            .map_err(|error| lost(&error))?;
        let response = block_on(self.router.clone().oneshot(request)).map_err(|error| lost(&error))?;
        let status = response.status();
        let bytes = block_on(response.into_body().collect()).map_err(|error| lost(&error))?.to_bytes();
        Ok((status, serde_json::from_slice(&bytes).map_err(|error| lost(&error))?))
    }

    /// What came true of a window: to the server by request, and as a file of labelled rows.
    pub(super) fn label(&mut self, rows: Range<usize>) -> Result<(), BacktestError> {
        let task = self.setup.registered.contract.task();
        let labels: Vec<Value> = rows
            .clone()
            .map(|row| json!({ "request_id": request_id(row), "label": label(task, self.file.label(row)) }))
            .collect();
        let (status, answer) = self.send("/api/v1/labels", &json!({ "labels": labels }))?;
        if !status.is_success() {
            let body = answer.to_string();
            return Err(BacktestError::Unanswered { row: rows.start, status: status.as_u16(), body });
        }
        self.arrive(rows);
        Ok(())
    }

    /// The governor's turn at the end of a window.
    pub(super) fn tick(&mut self) -> Result<Vec<Tick>, BacktestError> {
        // The server's timer, twice: what the first turn closes, the second seals.
        self.maintain(self.next + Span::from_mins(5))?;
        self.maintain(self.next + AFTER)?;
        let ticks = self.turn()?;
        self.follow()?;
        Ok(ticks)
    }

    fn turn(&self) -> Result<Vec<Tick>, BacktestError> {
        self.with_context(|context, now| {
            let runs = promote::run(&[*context], now, Turn::Real).into_iter().map(promote::Run::whole);
            Ok(runs.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
        })
    }

    /// What the ticks of a window make a person know.
    pub(super) fn alerts(&self, ticks: &[Tick]) -> Result<Vec<Notice>, BacktestError> {
        let Some(tick) = ticks.first() else { return Ok(Vec::new()) };
        let findings = alert::derive(&tick.observation, &tick.decision, self.setup.rules);
        // Whoever looks at fifty years in a minute needs no reminder.
        let rules = AlertRules { remind_after: Span::ZERO, ..AlertRules::default() };
        Ok(alert::raise(&*self.setup.store, self.model(), &findings, &rules, self.clock.now())?)
    }
}

/// A row's id: the same at every replay.
fn request_id(row: usize) -> Uuid {
    uuid::Builder::from_custom_bytes((row as u128 + 1).to_be_bytes()).into_uuid()
}

fn label(task: crate::contract::Task, label: f64) -> Value {
    match task {
        crate::contract::Task::Binary => json!(u8::from(label > 0.5)),
        crate::contract::Task::Regression => json!(label),
    }
}
