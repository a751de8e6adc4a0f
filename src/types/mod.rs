//! Validated words that every room uses; pure, imports nothing of the house.

mod digest;
mod json;
mod model_uri;
mod name;
mod parsed;
mod plain;
mod rate;
mod spelling;
mod time;
mod trace;
mod verdict;
mod version;

pub use digest::{Digest, DigestError, Hasher, canonical_json, digest_json};
pub use json::{JsonError, read_json};
pub use model_uri::{ModelUri, UriError, Which};
pub use name::{KeyName, ModelName, NameError, ReplicaName, RouteName};
pub use plain::{Known, Plain};
pub use rate::{Rate, RateError};
pub use spelling::Spelling;
pub use time::{Span, SpanError, Timestamp, TimestampError};
pub use trace::{SpanId, TraceError, TraceId, TraceParent, TraceWord};
pub use verdict::{Check, Measurement, NotComputable, Operator, Value, Verdict};
pub use version::{Bump, Version, VersionError};
