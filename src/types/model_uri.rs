//! A model and which of its versions is meant, as MLflow writes it; pure. A bare name is one, too, and says nothing of versions.

use std::fmt;
use std::str::FromStr;

use super::{ModelName, NameError, Version};

/// What MLflow's names begin with.
const SCHEME: &str = "models:/";

/// `rain`, `models:/rain@champion`, `models:/rain/1.2.0`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelUri {
    /// The model.
    pub model: ModelName,
    /// Which of its versions, if that is said.
    pub which: Option<Which>,
}

/// Which version of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// `@champion`: the one that answers.
    Champion,
    /// `@candidate` or `@shadow`: the one that walks.
    Candidate,
    /// `/latest`: the newest that was published.
    Newest,
    /// `/1.2.0`
    Version(Version),
}

/// Why a word does not name a model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UriError {
    /// The name itself cannot be one.
    #[error(transparent)]
    Name(#[from] NameError),
    /// There is a scheme and a name, and nothing about versions.
    #[error(
        "`{given}` names no version: write models:/NAME@champion, models:/NAME@candidate, models:/NAME/1.2.0 or the bare NAME"
    )]
    NoVersion {
        /// The word as it was given.
        given: String,
    },
    /// An alias that nobody gives.
    #[error("`@{alias}` is not an alias: there are @champion and @candidate, which is @shadow too")]
    Alias {
        /// The alias as it was given.
        alias: String,
    },
    /// A version that cannot be one, such as a stage.
    #[error("`/{given}` is not a version: write /MAJOR.MINOR.PATCH or /latest; for the one that answers, @champion")]
    Version {
        /// The version as it was given.
        given: String,
    },
}

impl FromStr for ModelUri {
    type Err = UriError;

    fn from_str(given: &str) -> Result<Self, UriError> {
        let Some(rest) = given.strip_prefix(SCHEME) else {
            return Ok(ModelUri { model: given.parse()?, which: None });
        };
        let Some(end) = rest.find(['@', '/']) else {
            return Err(UriError::NoVersion { given: given.to_owned() });
        };
        let (name, which) = rest.split_at(end);
        let model = name.parse()?;
        let which = match (which.strip_prefix('@'), which.strip_prefix('/')) {
            (Some(alias), _) => alias_of(alias)?,
            (None, Some("latest")) => Which::Newest,
            (None, version) => {
                let version = version.unwrap_or_default();
                let parsed = version.parse().map_err(|_| UriError::Version { given: version.to_owned() });
                Which::Version(parsed?)
            }
        };
        Ok(ModelUri { model, which: Some(which) })
    }
}

fn alias_of(alias: &str) -> Result<Which, UriError> {
    match alias {
        "champion" => Ok(Which::Champion),
        "candidate" | "shadow" => Ok(Which::Candidate),
        _ => Err(UriError::Alias { alias: alias.to_owned() }),
    }
}

impl fmt::Display for ModelUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let model = &self.model;
        match self.which {
            None => write!(f, "{model}"),
            Some(Which::Champion) => write!(f, "{SCHEME}{model}@champion"),
            Some(Which::Candidate) => write!(f, "{SCHEME}{model}@candidate"),
            Some(Which::Newest) => write!(f, "{SCHEME}{model}/latest"),
            Some(Which::Version(version)) => write!(f, "{SCHEME}{model}/{version}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_which_version_or_nothing_of_versions() {
        let which = |given: &str| given.parse::<ModelUri>().unwrap();
        assert_eq!(which("rain"), ModelUri { model: "rain".parse().unwrap(), which: None });
        for (given, expected) in [
            ("models:/rain@champion", Which::Champion),
            ("models:/rain@candidate", Which::Candidate),
            ("models:/rain@shadow", Which::Candidate),
            ("models:/rain/latest", Which::Newest),
            ("models:/rain/1.2.0", Which::Version(Version::new(1, 2, 0))),
        ] {
            let uri = which(given);
            assert_eq!((uri.model.as_str(), uri.which), ("rain", Some(expected)), "{given}");
            assert_eq!(which(&uri.to_string()), uri);
        }
    }

    #[test]
    fn what_is_no_name_is_told_with_what_would_be_one() {
        let told = |given: &str| given.parse::<ModelUri>().unwrap_err().to_string();
        assert!(told("models:/rain").contains("names no version"));
        assert!(told("models:/rain@best").contains("`@best` is not an alias"));
        assert!(told("models:/rain@champion/1.0.0").contains("is not an alias"));
        assert!(told("models:/rain/Production").contains("`/Production` is not a version"));
        assert!(told("models:/rain/").contains("`/` is not a version"));
        for given in
            ["models:/Rain@champion", "models://rain/1.0.0", "models:rain", "runs:/1/model", "rain@champion", ""]
        {
            assert!(given.parse::<ModelUri>().is_err(), "{given}");
        }
    }
}
