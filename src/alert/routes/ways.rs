//! The ways that a route can go, each with what it needs; pure.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Fault;
use super::places::{Address, Secret, is_this_machine, open_url_fault, private_url_fault, secret_fault};

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

impl Webhook {
    pub(super) fn secrets(&self) -> Vec<&Secret> {
        let hidden = match &self.url {
            Address::Hidden(secret) => Some(secret),
            Address::Open(_) => None,
        };
        hidden.into_iter().chain(&self.token).collect()
    }

    pub(super) fn faults(&self) -> Vec<Fault> {
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

impl Slack {
    pub(super) fn faults(&self) -> Vec<Fault> {
        secret_fault(".slack.url", &self.url).into_iter().collect()
    }
}

impl PagerDuty {
    pub(super) fn faults(&self) -> Vec<Fault> {
        let key = secret_fault(".pagerduty.routing_key", &self.routing_key);
        key.into_iter().chain(private_url_fault(".pagerduty.url", &self.url)).collect()
    }
}

impl Email {
    pub(super) fn faults(&self) -> Vec<Fault> {
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
