//! Names that may reach a path; pure, refuses anything that is not `^[a-z0-9][a-z0-9._-]{0,63}$`.

use std::borrow::{Borrow, Cow};
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use smol_str::SmolStr;

use super::parsed::parsed;

/// The shape every name has, as a regular expression.
const PATTERN: &str = "^[a-z0-9][a-z0-9._-]{0,63}$";
const LONGEST: usize = 64;

/// Why a word cannot be a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not a name: use 1 to 64 of a-z 0-9 . _ - and begin with a letter or digit")]
pub struct NameError {
    /// The word as it was given.
    pub given: String,
}

fn checked(given: &str) -> Result<SmolStr, NameError> {
    let mut characters = given.chars();
    let first = characters.next().is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let rest = characters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-'));
    if first && rest && given.len() <= LONGEST { Ok(given.into()) } else { Err(NameError { given: given.to_owned() }) }
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(SmolStr);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        /// Names are compared and ordered as their text is.
        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(given: &str) -> Result<Self, NameError> {
                checked(given).map(Self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                parsed(deserializer)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "pattern": PATTERN })
            }
        }
    };
}

name! {
    /// The name of a model, of its contract and of its folders.
    ModelName
}
name! {
    /// The name of one serving process among several.
    ReplicaName
}
name! {
    /// The name of a route that alerts take to people.
    RouteName
}
name! {
    /// The name that people give a key: of whoever calls with it.
    KeyName
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_leave_its_folder() {
        for bad in ["", ".", "..", "a/b", "../a", "A", "-a", "a b", "é", &"a".repeat(65)] {
            assert!(bad.parse::<ModelName>().is_err(), "{bad:?} was taken");
        }
        for good in ["rain", "0", "a.b-c_d", &"a".repeat(64)] {
            assert_eq!(good.parse::<ModelName>().unwrap().as_str(), good);
        }
    }
}
