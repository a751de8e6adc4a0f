//! `alerts:` of `regent.yaml`: who hears of what, and by which road; pure. A secret is never written there, only where it lies.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;

use http::Uri;
use schemars::JsonSchema;
use serde::de::{Deserializer, IgnoredAny};
use serde::{Deserialize, Serialize};

use super::{Kind, Level};
use crate::types::{ModelName, RouteName, Span};

/// `alerts:` of `regent.yaml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AlertRules {
    /// What receivers know this workspace by; it begins every key they get.
    pub source: String,
    /// An alert that stands and that nobody acknowledged is repeated after so long; `0s` never does.
    pub remind_after: Span,
    /// The governor is late when something has been due for longer than this.
    pub late_after: Span,
    /// Where alerts go, by name.
    pub routes: BTreeMap<RouteName, Route>,
}

impl Default for AlertRules {
    /// - `remind_after` a day: whoever was away yesterday hears it today.
    /// - `late_after` an hour: schedulers run the governor every few minutes or every hour. Who runs it once a day writes `25h`.
    /// - no routes: only the owner knows whom to wake.
    fn default() -> Self {
        AlertRules {
            source: "regent".to_owned(),
            remind_after: Span::from_days(1),
            late_after: Span::from_hours(1),
            routes: BTreeMap::new(),
        }
    }
}

/// A road to people: what goes there, and exactly one of the five ways.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// What matters less than this does not go there.
    #[serde(default = "warning")]
    pub at_least: Level,
    /// Only these types; none named means all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub types: BTreeSet<Kind>,
    /// Only these models; none named means all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub models: BTreeSet<ModelName>,
    /// A line of JSON on stderr of the program that delivers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<Log>,
    /// A POST of JSON to a URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<Webhook>,
    /// An incoming webhook of Slack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slack: Option<Slack>,
    /// PagerDuty's Events API v2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pagerduty: Option<PagerDuty>,
    /// E-mail by SMTP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Email>,
}

/// What is for the log alone would be told by `regent status`, too.
fn warning() -> Level {
    Level::Warning
}

/// A line on stderr; it has nothing to be set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Log {}

/// A POST of JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// Where to: a plain URL, or where a URL that is a secret lies.
    pub url: Address,
    /// Sent as `Authorization: Bearer …`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Secret>,
    /// A PEM file with the one authority to be trusted, in place of the public ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
}

/// An incoming webhook of Slack: whoever knows its URL can post.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Slack {
    /// Where the URL lies.
    pub url: Secret,
    /// A PEM file with the one authority to be trusted, in place of the public ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
}

/// PagerDuty's Events API v2.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PagerDuty {
    /// Where the integration's key lies.
    pub routing_key: Secret,
    /// Where to; the European service has a URL of its own.
    #[serde(default = "enqueue")]
    pub url: String,
    /// A PEM file with the one authority to be trusted, in place of the public ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
}

fn enqueue() -> String {
    "https://events.pagerduty.com/v2/enqueue".to_owned()
}

/// E-mail by SMTP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Email {
    /// The host that takes it.
    pub server: String,
    /// Its port; by `tls` 587, 465 or 25.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// How the connection is kept private.
    #[serde(default)]
    pub tls: Tls,
    /// The sender's address.
    pub from: String,
    /// The receivers' addresses.
    pub to: Vec<String>,
    /// Who logs in, if the server asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Where the password lies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Secret>,
    /// A PEM file with the one authority to be trusted, in place of the public ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
}

/// How a connection to a mail server is kept private.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Tls {
    /// STARTTLS, and nothing is sent without it.
    #[default]
    Starttls,
    /// TLS from the first byte.
    Tls,
    /// None; on this machine only.
    None,
}

impl Tls {
    /// The port that goes with it.
    pub fn port(self) -> u16 {
        match self {
            Tls::Starttls => 587,
            Tls::Tls => 465,
            Tls::None => 25,
        }
    }
}

/// Where a secret lies: a file, or a variable of the environment.
///
/// Anything else in its place is read without being kept, so that no error can show it, and is a fault.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Secret {
    /// A file that holds nothing but the secret; from the workspace's root.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// A variable of the environment of the program that delivers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env: Option<String>,
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Place {
            file: Option<PathBuf>,
            env: Option<String>,
        }
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Given {
            Place(Place),
            Other(IgnoredAny),
        }
        Ok(match Given::deserialize(deserializer)? {
            Given::Place(Place { file, env }) => Secret { file, env },
            Given::Other(IgnoredAny) => Secret::default(),
        })
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.file, &self.env) {
            (Some(file), _) => write!(f, "the file {}", file.display()),
            (None, Some(env)) => write!(f, "the variable {env}"),
            (None, None) => f.write_str("nowhere"),
        }
    }
}

/// A URL that may be read by everyone, or where one lies that may not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Address {
    /// As it is.
    Open(String),
    /// Somewhere else.
    Hidden(Secret),
}

/// The one way of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel<'a> {
    /// Stderr.
    Log,
    /// Any receiver.
    Webhook(&'a Webhook),
    /// Slack.
    Slack(&'a Slack),
    /// PagerDuty.
    PagerDuty(&'a PagerDuty),
    /// A mail server.
    Email(&'a Email),
}

/// What is wrong with a route: its key, and what to write.
type Fault = (String, String);

impl AlertRules {
    /// The routes that want to hear of this.
    pub fn hearing(&self, model: &ModelName, kind: Kind, level: Level) -> BTreeSet<RouteName> {
        let routes = self.routes.iter().filter(|(_, route)| route.hears(model, kind, level));
        routes.map(|(name, _)| name.clone()).collect()
    }

    /// What contradicts itself: (key, what to write). None of it repeats what may be a secret.
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults: Vec<Fault> = Vec::new();
        // With the model and the type it makes a key of at most 255 characters, which is what PagerDuty takes.
        let fits = (1..=100).contains(&self.source.len()) && self.source.chars().all(|c| c.is_ascii_graphic());
        if !fits {
            faults.push(("source".to_owned(), "write 1 to 100 letters, digits and signs without blanks".to_owned()));
        }
        for (name, route) in &self.routes {
            let named = |(key, what): Fault| (format!("routes.{name}{key}"), what);
            faults.extend(route.faults().into_iter().map(named));
        }
        faults
    }
}

impl Route {
    /// Whether it wants to hear of this.
    pub fn hears(&self, model: &ModelName, kind: Kind, level: Level) -> bool {
        let one_of = |all: bool, named: bool| all || named;
        level >= self.at_least
            && one_of(self.types.is_empty(), self.types.contains(&kind))
            && one_of(self.models.is_empty(), self.models.contains(model))
    }

    fn channels(&self) -> Vec<Channel<'_>> {
        let channels = [
            self.log.as_ref().map(|Log {}| Channel::Log),
            self.webhook.as_ref().map(Channel::Webhook),
            self.slack.as_ref().map(Channel::Slack),
            self.pagerduty.as_ref().map(Channel::PagerDuty),
            self.email.as_ref().map(Channel::Email),
        ];
        channels.into_iter().flatten().collect()
    }

    /// Every secret it needs.
    pub fn secrets(&self) -> Vec<&Secret> {
        match self.channel() {
            None | Some(Channel::Log) => Vec::new(),
            Some(Channel::Webhook(webhook)) => webhook.secrets(),
            Some(Channel::Slack(slack)) => vec![&slack.url],
            Some(Channel::PagerDuty(pagerduty)) => vec![&pagerduty.routing_key],
            Some(Channel::Email(email)) => email.password.iter().collect(),
        }
    }

    /// The file with the one authority to be trusted, if one is named.
    pub fn ca_file(&self) -> Option<&PathBuf> {
        match self.channel() {
            None | Some(Channel::Log) => None,
            Some(Channel::Webhook(webhook)) => webhook.ca_file.as_ref(),
            Some(Channel::Slack(slack)) => slack.ca_file.as_ref(),
            Some(Channel::PagerDuty(pagerduty)) => pagerduty.ca_file.as_ref(),
            Some(Channel::Email(email)) => email.ca_file.as_ref(),
        }
    }

    /// The way it goes; none if [`AlertRules::faults`] has something to say of it.
    pub fn channel(&self) -> Option<Channel<'_>> {
        match self.channels().as_slice() {
            [only] => Some(*only),
            _ => None,
        }
    }

    fn faults(&self) -> Vec<Fault> {
        match self.channel() {
            None => vec![(String::new(), "name one of log, webhook, slack, pagerduty, email".to_owned())],
            Some(Channel::Log) => Vec::new(),
            Some(Channel::Webhook(webhook)) => webhook.faults(),
            Some(Channel::Slack(slack)) => secret_fault(".slack.url", &slack.url).into_iter().collect(),
            Some(Channel::PagerDuty(pagerduty)) => {
                let key = secret_fault(".pagerduty.routing_key", &pagerduty.routing_key);
                key.into_iter().chain(private_url_fault(".pagerduty.url", &pagerduty.url)).collect()
            }
            Some(Channel::Email(email)) => email.faults(),
        }
    }
}

fn secret_fault(key: &str, secret: &Secret) -> Option<Fault> {
    let named =
        usize::from(secret.file.is_some()) + usize::from(secret.env.as_ref().is_some_and(|env| !env.is_empty()));
    let what = "a secret never stands here: write where it lies, `{ file: PATH }` or `{ env: NAME }`";
    (named != 1).then(|| (key.to_owned(), what.to_owned()))
}

impl Webhook {
    fn secrets(&self) -> Vec<&Secret> {
        let hidden = match &self.url {
            Address::Hidden(secret) => Some(secret),
            Address::Open(_) => None,
        };
        hidden.into_iter().chain(&self.token).collect()
    }

    fn faults(&self) -> Vec<Fault> {
        const URL: &str = ".webhook.url";
        let token = self.token.as_ref().and_then(|token| secret_fault(".webhook.token", token));
        let url = match &self.url {
            Address::Hidden(secret) => secret_fault(URL, secret),
            Address::Open(url) if self.token.is_some() => private_url_fault(URL, url),
            Address::Open(url) => open_url_fault(URL, url),
        };
        url.into_iter().chain(token).collect()
    }
}

/// A URL over which a secret goes: nobody on the way may read it.
fn private_url_fault(key: &str, url: &str) -> Option<Fault> {
    let readable = || (!is_private(url)).then(|| (key.to_owned(), "a secret goes there: write https://".to_owned()));
    open_url_fault(key, url).or_else(readable)
}

/// A URL that everybody may read must hold nothing that they may not.
fn open_url_fault(key: &str, url: &str) -> Option<Fault> {
    let fault = |what: &str| Some((key.to_owned(), what.to_owned()));
    let Some(uri) = web_address(url) else { return fault("write a URL that begins with http:// or https://") };
    let authority = uri.authority().map(http::uri::Authority::as_str).unwrap_or_default();
    let like_a_key = uri.path().split('/').any(looks_like_a_key);
    if authority.contains('@') || uri.query().is_some() || like_a_key {
        return fault(
            "it holds what looks like a secret: put the URL away and write `{ file: PATH }` or `{ env: NAME }`",
        );
    }
    None
}

/// What no person would call a path: 16 or more letters and digits, mixed.
fn looks_like_a_key(segment: &str) -> bool {
    let digits = segment.chars().filter(char::is_ascii_digit).count();
    let letters = segment.chars().filter(char::is_ascii_alphabetic).count();
    digits > 1 && letters > 1 && digits + letters >= 16
}

/// The URL, if it is one of http or https with a host.
pub(super) fn web_address(url: &str) -> Option<Uri> {
    let uri: Uri = url.parse().ok()?;
    let web = matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some_and(|host| !host.is_empty());
    web.then_some(uri)
}

/// Whether what is sent there can be read by nobody on the way.
pub(super) fn is_private(url: &str) -> bool {
    let private = |uri: Uri| uri.scheme_str() == Some("https") || uri.host().is_some_and(is_this_machine);
    web_address(url).is_some_and(private)
}

/// Whether a host is the machine itself.
fn is_this_machine(host: &str) -> bool {
    let ip = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || ip == "::1" || ip.strip_prefix("127.").is_some_and(|rest| rest.split('.').count() == 3)
}

impl Email {
    fn faults(&self) -> Vec<Fault> {
        let mut faults: Vec<Fault> = Vec::new();
        let mut fault = |key: &str, what: &str| faults.push((format!(".email{key}"), what.to_owned()));
        if self.server.is_empty() || self.server.contains(|c: char| c.is_whitespace() || c == '/' || c == '@') {
            fault(".server", "write the name of a host; the port is `port:`");
        }
        if self.tls == Tls::None && !is_this_machine(&self.server) {
            fault(".tls", "none is for this machine only: write starttls or tls");
        }
        if !is_mailbox(&self.from) {
            fault(".from", "write one address: regent@example.com");
        }
        if self.to.is_empty() || !self.to.iter().all(|address| is_mailbox(address)) {
            fault(".to", "write a list of addresses: [ana@example.com]");
        }
        if self.user.is_some() != self.password.is_some() {
            fault(".user", "name both `user` and `password`, or neither");
        }
        faults.extend(self.password.as_ref().and_then(|password| secret_fault(".email.password", password)));
        faults
    }
}

fn is_mailbox(address: &str) -> bool {
    let plain = address.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '<' | '>' | ',' | ';' | '"' | '(' | ')'));
    let sides = address.split_once('@').is_some_and(|(who, host)| {
        !who.is_empty() && !host.is_empty() && !host.contains('@') && !host.starts_with('.') && !host.ends_with('.')
    });
    plain && sides
}

#[cfg(test)]
mod tests;
