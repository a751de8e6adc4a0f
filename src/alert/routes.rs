//! `alerts:` of `regent.yaml`: who hears of what, and by which road; pure. A secret is never written there, only where it lies.

mod places;
mod ways;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use places::{Address, Secret};
pub(super) use places::{is_private, web_address};
pub use ways::{Email, Log, PagerDuty, Slack, Tls, Webhook};

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
            Some(Channel::Slack(slack)) => slack.faults(),
            Some(Channel::PagerDuty(pagerduty)) => pagerduty.faults(),
            Some(Channel::Email(email)) => email.faults(),
        }
    }
}

#[cfg(test)]
mod tests;
