//! Fetches secrets from where they lie, and keeps them out of everything that is said; part of the door.
#![expect(clippy::disallowed_methods, reason = "a door: secrets lie in files and in the environment")]

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use super::Trouble;
use crate::alert::Secret;

/// The secrets that one message needed.
pub(super) struct Keyring<'a> {
    root: &'a Path,
    opened: Vec<String>,
}

impl<'a> Keyring<'a> {
    /// `root` is where relative paths begin.
    pub(super) fn new(root: &'a Path) -> Keyring<'a> {
        Keyring { root, opened: Vec::new() }
    }

    /// A secret, without the line end that editors put behind it.
    pub(super) fn open(&mut self, secret: &Secret) -> Result<String, Trouble> {
        let setting = |why: String| Trouble::Setting { what: format!("cannot read {secret}: {why}") };
        let text = match (&secret.file, &secret.env) {
            (Some(file), _) => fs::read_to_string(self.root.join(file)).map_err(|error| setting(error.to_string()))?,
            (None, Some(name)) => env::var(name).map_err(|error| match error {
                env::VarError::NotPresent => setting("it is not set".to_owned()),
                env::VarError::NotUnicode(_) => setting("it is no text".to_owned()),
            })?,
            (None, None) => return Err(setting("no place is named".to_owned())),
        };
        let text = text.trim().to_owned();
        if text.is_empty() {
            return Err(setting("it is empty".to_owned()));
        }
        self.opened.push(text.clone());
        Ok(text)
    }

    /// The PEM of the one authority to be trusted, if one is named.
    pub(super) fn authority(&self, file: Option<&PathBuf>) -> Result<Option<Vec<u8>>, Trouble> {
        let Some(file) = file else { return Ok(None) };
        let unread = |error| Trouble::Setting { what: format!("cannot read ca_file {}: {error}", file.display()) };
        fs::read(self.root.join(file)).map(Some).map_err(unread)
    }

    /// What others say, without any secret they may have repeated.
    pub(super) fn conceal(&self, said: &str) -> String {
        self.opened.iter().fold(said.to_owned(), |said, secret| said.replace(secret.as_str(), "…"))
    }
}
