//! Where secrets lie, and what a URL may show; pure. What may be a secret is never repeated.

use std::fmt;
use std::path::PathBuf;

use http::Uri;
use schemars::JsonSchema;
use serde::de::{Deserializer, IgnoredAny};
use serde::{Deserialize, Serialize};

use super::Fault;

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

pub(super) fn secret_fault(key: &str, secret: &Secret) -> Option<Fault> {
    let named =
        usize::from(secret.file.is_some()) + usize::from(secret.env.as_ref().is_some_and(|env| !env.is_empty()));
    let what = "a secret never stands here: write where it lies, `{ file: PATH }` or `{ env: NAME }`";
    (named != 1).then(|| (key.to_owned(), what.to_owned()))
}

/// A URL over which a secret goes: nobody on the way may read it.
pub(super) fn private_url_fault(key: &str, url: &str) -> Option<Fault> {
    let readable = || (!is_private(url)).then(|| (key.to_owned(), "a secret goes there: write https://".to_owned()));
    open_url_fault(key, url).or_else(readable)
}

/// A URL that everybody may read must hold nothing that they may not.
pub(super) fn open_url_fault(key: &str, url: &str) -> Option<Fault> {
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
pub(in crate::alert) fn web_address(url: &str) -> Option<Uri> {
    let uri: Uri = url.parse().ok()?;
    let web = matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some_and(|host| !host.is_empty());
    web.then_some(uri)
}

/// Whether what is sent there can be read by nobody on the way.
pub(in crate::alert) fn is_private(url: &str) -> bool {
    let private = |uri: Uri| uri.scheme_str() == Some("https") || uri.host().is_some_and(is_this_machine);
    web_address(url).is_some_and(private)
}

/// Whether a host is the machine itself.
pub(super) fn is_this_machine(host: &str) -> bool {
    let ip = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || ip == "::1" || ip.strip_prefix("127.").is_some_and(|rest| rest.split('.').count() == 3)
}
