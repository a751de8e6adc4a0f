//! Posts JSON to webhooks, Slack and PagerDuty; part of the door. Follows no redirect: a message goes where its owner said.

use http::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::Value;
use ureq::Agent;
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};

use super::secrets::Keyring;
use super::{TIMEOUT, Trouble};
use crate::alert::routes::{is_private, web_address};
use crate::alert::{Address, Message, PagerDuty, Slack, Webhook};

/// What of an answer is repeated to people.
const REPEATED: usize = 160;
/// An answer is a few words; more is not read.
const LONGEST_ANSWER: u64 = 64 * 1024;

pub(super) fn webhook(webhook: &Webhook, keyring: &mut Keyring<'_>, message: &Message) -> Result<String, Trouble> {
    let url = match &webhook.url {
        Address::Open(url) => url.clone(),
        Address::Hidden(secret) => hidden(keyring.open(secret)?)?,
    };
    let token = webhook.token.as_ref().map(|token| keyring.open(token)).transpose()?;
    let agent = agent(keyring.authority(webhook.ca_file.as_ref())?.as_deref())?;
    post(&agent, &url, token.as_deref(), message, &message.webhook())
}

pub(super) fn slack(slack: &Slack, keyring: &mut Keyring<'_>, message: &Message) -> Result<String, Trouble> {
    let url = hidden(keyring.open(&slack.url)?)?;
    let agent = agent(keyring.authority(slack.ca_file.as_ref())?.as_deref())?;
    post(&agent, &url, None, message, &message.slack())
}

pub(super) fn pagerduty(
    pagerduty: &PagerDuty,
    keyring: &mut Keyring<'_>,
    message: &Message,
) -> Result<String, Trouble> {
    let key = keyring.open(&pagerduty.routing_key)?;
    let agent = agent(keyring.authority(pagerduty.ca_file.as_ref())?.as_deref())?;
    let events = message.pagerduty(&key);
    let said = events.iter().map(|event| post(&agent, &pagerduty.url, None, message, event));
    said.collect::<Result<Vec<_>, _>>().map(|said| said.join(", "))
}

/// A URL that is a secret is not sent where others can read it.
fn hidden(url: String) -> Result<String, Trouble> {
    if is_private(&url) {
        return Ok(url);
    }
    let what = match web_address(&url) {
        Some(_) => "the URL is a secret and begins with http://: it must be https://",
        None => "the secret is no URL that begins with https://",
    };
    Err(Trouble::Setting { what: what.to_owned() })
}

fn agent(authority: Option<&[u8]>) -> Result<Agent, Trouble> {
    let roots = match authority {
        None => RootCerts::WebPki,
        Some(pem) => {
            let certificates = parse_pem(pem).filter_map(|item| match item {
                Ok(PemItem::Certificate(certificate)) => Some(certificate),
                Ok(_) | Err(_) => None,
            });
            let certificates: Vec<_> = certificates.collect();
            if certificates.is_empty() {
                return Err(Trouble::Setting { what: "ca_file holds no certificate".to_owned() });
            }
            RootCerts::from(certificates)
        }
    };
    let config = Agent::config_builder()
        .timeout_global(Some(TIMEOUT))
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .user_agent(concat!("regent/", env!("CARGO_PKG_VERSION")))
        .tls_config(TlsConfig::builder().root_certs(roots).build());
    Ok(config.build().new_agent())
}

/// Any answer of the two hundreds means that it was taken.
fn post(agent: &Agent, url: &str, token: Option<&str>, message: &Message, body: &Value) -> Result<String, Trouble> {
    let mut request = agent.post(url).header(CONTENT_TYPE, "application/json").header("Idempotency-Key", &message.id);
    if let Some(token) = token {
        request = request.header(AUTHORIZATION, format!("Bearer {token}"));
    }
    let mut answer = request.send(body.to_string()).map_err(|error| Trouble::NoAnswer { why: error.to_string() })?;
    let status = answer.status();
    if status.is_success() {
        return Ok(format!("answered {}", status.as_u16()));
    }
    let said = answer.body_mut().with_config().limit(LONGEST_ANSWER).read_to_string().unwrap_or_default();
    let said: String = said.chars().map(|c| if c.is_control() { ' ' } else { c }).take(REPEATED).collect();
    Err(Trouble::Refused { status: status.as_u16(), said: said.trim().to_owned() })
}
