//! A version: three numbers, no pre-release and no build part; pure.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::parsed::parsed;

/// Why a word cannot be a version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not a version: write MAJOR.MINOR.PATCH, for example 1.0.0")]
pub struct VersionError {
    /// The word as it was given.
    pub given: String,
}

/// `MAJOR.MINOR.PATCH`, ordered by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// Grows when what callers send must change.
    pub major: u64,
    /// Grows when the content is new and callers are unharmed.
    pub minor: u64,
    /// Grows when only text changed.
    pub patch: u64,
}

/// Three of the largest numbers, with their points.
const LONGEST: usize = 3 * 20 + 2;

/// By how much a version grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Bump {
    /// Only text changed.
    Patch,
    /// New content, callers unharmed.
    Minor,
    /// Callers must change.
    Major,
}

impl Version {
    /// The first version of anything.
    pub const FIRST: Version = Version::new(1, 0, 0);

    /// A version from its three numbers.
    pub const fn new(major: u64, minor: u64, patch: u64) -> Self {
        Version { major, minor, patch }
    }

    /// The next version after a change of this size.
    #[must_use]
    pub fn bump(self, bump: Bump) -> Self {
        match bump {
            Bump::Major => Version::new(self.major + 1, 0, 0),
            Bump::Minor => Version::new(self.major, self.minor + 1, 0),
            Bump::Patch => Version::new(self.major, self.minor, self.patch + 1),
        }
    }

    /// Its text, made where it is used: every event and every answer has one.
    pub fn spelled<T>(self, use_it: impl FnOnce(&str) -> T) -> T {
        let (mut text, mut end) = ([b'.'; LONGEST], 0);
        for number in [self.major, self.minor, self.patch] {
            let mut digits = itoa::Buffer::new();
            let digits = digits.format(number).as_bytes();
            text[end..][..digits.len()].copy_from_slice(digits);
            end += digits.len() + 1;
        }
        // Digits and points, every one of them ASCII.
        use_it(str::from_utf8(&text[..end - 1]).unwrap_or_default())
    }
}

impl fmt::Display for Bump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Bump::Patch => "patch",
            Bump::Minor => "minor",
            Bump::Major => "major",
        })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.spelled(|text| f.write_str(text))
    }
}

impl FromStr for Version {
    type Err = VersionError;

    fn from_str(given: &str) -> Result<Self, VersionError> {
        match semver::Version::parse(given) {
            Ok(v) if v.pre.is_empty() && v.build.is_empty() => Ok(Version::new(v.major, v.minor, v.patch)),
            Ok(_) | Err(_) => Err(VersionError { given: given.to_owned() }),
        }
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parsed(deserializer)
    }
}

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.spelled(|text| serializer.serialize_str(text))
    }
}

impl JsonSchema for Version {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Version".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": r"^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_by_number_and_refuse_decoration() {
        let nine: Version = "1.9.0".parse().unwrap();
        let ten: Version = "1.10.0".parse().unwrap();
        assert!(nine < ten);
        for bad in ["1", "1.0", "1.0.0-rc1", "1.0.0+x", "01.0.0", "v1.0.0", ""] {
            assert!(bad.parse::<Version>().is_err(), "{bad:?} was taken");
        }
        assert_eq!(nine.bump(Bump::Major), Version::new(2, 0, 0));
        for version in [nine, ten, Version::new(0, 0, 0), Version::new(u64::MAX, 7, u64::MAX)] {
            assert_eq!(serde_json::to_string(&version).unwrap(), format!("\"{version}\""));
        }
    }
}
