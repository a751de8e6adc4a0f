//! Brings notices to people; a door, and the only one that opens connections. What is due is decided before (`outbox`), what is
//! said is written before (`message`): here it is sent, and what came of it is recorded.
//!
//! Nothing waits for it but its own caller, and that for [`TURN`] at most: routes are served side by side, every message has
//! [`TIMEOUT`] for all of its steps, and what has not ended when the turn is over is recorded as failed and tried again.
#![expect(clippy::disallowed_methods, reason = "a door: it measures how long its turn takes")]

mod mail;
mod secrets;
mod web;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::letters::{self, Outcome};
use super::notice::AlertId;
use super::outbox::{Letter, due};
use super::routes::{AlertRules, Channel, Route};
use super::{AlertError, Event, Message};
use crate::store::Store;
use crate::types::{ModelName, RouteName, Timestamp};
use secrets::Keyring;

/// What one message may take: name, connection, handshake, question and answer.
pub const TIMEOUT: Duration = Duration::from_secs(10);

/// What all deliveries of one turn may take together.
pub const TURN: Duration = Duration::from_secs(30);

/// Why a message could not be sent; in words without any secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum Trouble {
    /// A secret or a certificate is not where it should lie.
    #[error("{what}")]
    Setting { what: String },
    /// The receiver answered, and not that it took it.
    #[error("answered {status}{}{said}", if said.is_empty() { "" } else { ": " })]
    Refused { status: u16, said: String },
    /// There was no answer.
    #[error("no answer: {why}")]
    NoAnswer { why: String },
}

/// One attempt of a turn, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Delivery {
    /// Where.
    pub route: RouteName,
    /// Whose notice.
    pub alert: AlertId,
    /// What it says happened.
    pub event: Event,
    /// From 1.
    pub attempt: u32,
    /// What came of it.
    pub outcome: Outcome,
}

/// Send one message along one route now.
///
/// # Errors
/// Why it was not delivered, without any secret.
pub fn send(root: &Path, route: &Route, message: &Message) -> Result<String, String> {
    let mut keyring = Keyring::new(root);
    let sent = match route.channel() {
        None => Err(Trouble::Setting { what: "the route names no way to go".to_owned() }),
        Some(Channel::Log) => log(message),
        Some(Channel::Webhook(webhook)) => web::webhook(webhook, &mut keyring, message),
        Some(Channel::Slack(slack)) => web::slack(slack, &mut keyring, message),
        Some(Channel::PagerDuty(pagerduty)) => web::pagerduty(pagerduty, &mut keyring, message),
        Some(Channel::Email(email)) => mail::send(email, &mut keyring, message),
    };
    sent.map_err(|trouble| keyring.conceal(&trouble.to_string()))
}

/// Whether everything that a route needs lies where it should; nothing is sent.
///
/// # Errors
/// What is missing.
pub fn ready(root: &Path, route: &Route) -> Result<(), String> {
    let mut keyring = Keyring::new(root);
    let opened = route.secrets().into_iter().try_for_each(|secret| keyring.open(secret).map(drop));
    let ready = opened.and_then(|()| keyring.authority(route.ca_file()).map(drop));
    ready.map_err(|trouble| trouble.to_string())
}

/// One line of JSON on stderr, written at once.
fn log(message: &Message) -> Result<String, Trouble> {
    let line = format!("{}\n", message.webhook());
    match io::stderr().lock().write_all(line.as_bytes()) {
        Ok(()) => Ok("written".to_owned()),
        Err(error) => Err(Trouble::NoAnswer { why: error.to_string() }),
    }
}

/// Deliver what is due for these models, and record what came of it.
///
/// `now` dates the records. A route is left for this turn at its first failure.
///
/// # Errors
/// The store's: what was not recorded is tried again.
pub fn deliver(
    store: &dyn Store,
    root: &Path,
    rules: &AlertRules,
    models: &[ModelName],
    now: Timestamp,
) -> Result<Vec<Delivery>, AlertError> {
    if rules.routes.is_empty() {
        return Ok(Vec::new());
    }
    let queues = due(&letters::letters(store, models)?, rules, now);
    let (tell, told) = channel();
    let mut turn = Turn { store, root, rules, now, tell, queues, away: BTreeMap::new(), done: Vec::new() };
    let began = Instant::now();
    for route in turn.queues.keys().cloned().collect::<Vec<_>>() {
        turn.next(&route)?;
    }
    while !turn.away.is_empty() {
        match told.recv_timeout(TURN.saturating_sub(began.elapsed())) {
            Ok((route, outcome)) => turn.ended(&route, outcome)?,
            Err(_) => turn.is_over()?,
        }
    }
    Ok(turn.done)
}

/// What a messenger brings back: from where, and what came of it.
type Report = (RouteName, Outcome);

struct Turn<'a> {
    store: &'a dyn Store,
    root: &'a Path,
    rules: &'a AlertRules,
    now: Timestamp,
    tell: Sender<Report>,
    queues: BTreeMap<RouteName, VecDeque<Letter>>,
    /// What is on its way, with the number of the attempt: one letter a route.
    away: BTreeMap<RouteName, (Letter, u32)>,
    done: Vec<Delivery>,
}

impl Turn<'_> {
    /// Send the next letter of a route, if there is one and nobody else is at it.
    fn next(&mut self, name: &RouteName) -> Result<(), AlertError> {
        let letter = self.queues.get_mut(name).and_then(VecDeque::pop_front);
        let (Some(letter), Some(route)) = (letter, self.rules.routes.get(name)) else { return Ok(()) };
        let Some(attempt) = letters::begin(self.store, &letter, self.now)? else { return Ok(()) };
        let message = Message::of(&self.rules.source, &letter.notice);
        self.away.insert(name.clone(), (letter, attempt));
        let errand = Errand { root: self.root.to_owned(), name: name.clone(), route: route.clone(), message };
        let tell = self.tell.clone();
        let messenger = thread::Builder::new().name(format!("route {name}"));
        match messenger.spawn(move || errand.run(&tell)) {
            Ok(_) => Ok(()),
            Err(error) => self.ended(name, Outcome::Failed(format!("start a thread: {error}"))),
        }
    }

    fn ended(&mut self, route: &RouteName, outcome: Outcome) -> Result<(), AlertError> {
        let Some((letter, attempt)) = self.away.remove(route) else { return Ok(()) };
        letters::end(self.store, &letter, attempt, &outcome, self.now)?;
        let goes_on = matches!(outcome, Outcome::Delivered(_));
        let (alert, event) = (letter.notice.alert(), letter.notice.event);
        self.done.push(Delivery { route: route.clone(), alert, event, attempt, outcome });
        if goes_on { self.next(route) } else { Ok(()) }
    }

    /// Whoever is still on the way is waited for no longer; the thread ends with its own time limits.
    fn is_over(&mut self) -> Result<(), AlertError> {
        self.queues.clear();
        for route in self.away.keys().cloned().collect::<Vec<_>>() {
            self.ended(&route, Outcome::Failed(format!("no answer within {} s", TURN.as_secs())))?;
        }
        Ok(())
    }
}

/// One letter on its way.
struct Errand {
    root: PathBuf,
    name: RouteName,
    route: Route,
    message: Message,
}

impl Errand {
    fn run(self, tell: &Sender<Report>) {
        let Errand { root, name, route, message } = self;
        let outcome = match send(&root, &route, &message) {
            Ok(said) => Outcome::Delivered(said),
            Err(why) => Outcome::Failed(why),
        };
        // Nobody listens any more once the turn is over.
        let _ = tell.send((name, outcome));
    }
}

impl fmt::Display for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Delivery { route, alert, event, attempt, outcome } = self;
        match outcome {
            Outcome::Delivered(said) => write!(f, "{route}: {alert} {event}: {said}"),
            Outcome::Failed(why) => write!(f, "{route}: {alert} {event}: attempt {attempt} failed: {why}"),
        }
    }
}
