//! Orders that people drop as files in `governance/<model>/overrides/`; through the store. One that cannot be read holds
//! the model; none is ignored in silence.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::GovernError;
use crate::store::{Key, Store, StoreError};
use crate::types::{Digest, ModelName, Timestamp, Version};
use crate::yaml;

/// One order, as written in `governance/<model>/overrides/<any name>.yaml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Override {
    /// Its name for ever: an order that is obeyed once is obeyed once by this.
    pub id: String,
    /// The model it speaks to.
    pub model: ModelName,
    /// What is ordered.
    pub order: Order,
    /// The version that is meant (`pin`, `approve`, `promote`, `reject`; for `rollback` the one to return to).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
    /// The digest of that version's manifest, as `regent registry show` prints it (`pin`, `approve`, `promote`; for `reject`
    /// and `rollback` it may be left out: a candidate that trains has none yet).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bundle: Option<Digest>,
    /// Who orders.
    pub author: String,
    /// Why.
    pub reason: String,
    /// From when on it is ignored.
    pub expires: Timestamp,
}

/// What can be ordered, the stricter first: where two conflict, the stricter wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// Take the champion back and return to a former one. Works while frozen. Once.
    Rollback,
    /// Reject the candidate. Works while frozen. Once.
    Reject,
    /// Nothing moves while this file stands.
    Freeze,
    /// The champion stays what it is while this file stands: nothing but a `rollback` changes it. A pin of a version that does
    /// not serve says so, and holds all the same.
    Pin,
    /// The candidate may be promoted once its gates pass; stricter than `promote`, so the gates decide where both stand.
    Approve,
    /// The candidate takes the rest of the road now; its bundle is still verified, and a new contract major still needs an
    /// `approve`. Once.
    Promote,
    /// Start a training now. Once.
    Retrain,
    /// The clock is right although it jumped. Once.
    Clock,
}

impl Order {
    /// Whether an order is obeyed once, by its id, and not for as long as its file stands.
    pub fn is_one_shot(self) -> bool {
        match self {
            Order::Rollback | Order::Reject | Order::Promote | Order::Retrain | Order::Clock => true,
            Order::Freeze | Order::Pin | Order::Approve => false,
        }
    }

    /// Whether it must name the version it means.
    pub fn names_a_version(self) -> bool {
        match self {
            Order::Pin | Order::Approve | Order::Promote | Order::Reject => true,
            Order::Rollback | Order::Freeze | Order::Retrain | Order::Clock => false,
        }
    }

    /// Whether it must name the digest of that version's manifest, too.
    pub fn names_a_bundle(self) -> bool {
        match self {
            Order::Pin | Order::Approve | Order::Promote => true,
            Order::Reject | Order::Rollback | Order::Freeze | Order::Retrain | Order::Clock => false,
        }
    }
}

impl std::fmt::Display for Order {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Order::Rollback => "rollback",
            Order::Reject => "reject",
            Order::Freeze => "freeze",
            Order::Pin => "pin",
            Order::Approve => "approve",
            Order::Promote => "promote",
            Order::Retrain => "retrain",
            Order::Clock => "clock",
        })
    }
}

/// Where a model's overrides lie.
///
/// # Errors
/// Never for a valid name; the store's word for it.
pub fn folder(model: &ModelName) -> Result<Key, StoreError> {
    Ok(Key::new(&format!("governance/{model}/overrides"))?)
}

/// An order is a dozen lines; what is larger is no order, and is refused unread.
const LARGEST_BYTES: u64 = 64 * 1024;

/// A link, a pipe or a folder among the orders is named as what it is.
fn no_file(error: StoreError) -> GovernError {
    match error {
        StoreError::NotAnObject { key } => GovernError::Override {
            file: key.to_string(),
            what: "it is a link, a folder or a device: an order is a regular file".to_owned(),
        },
        other => other.into(),
    }
}

/// Every order that stands in the folder, by file name.
///
/// # Errors
/// The first file that is not an order, with the place and the mend: the model is held until it is one.
pub fn load(store: &dyn Store, model: &ModelName) -> Result<Vec<Override>, GovernError> {
    let folder = folder(model)?;
    let mut orders: Vec<Override> = Vec::new();
    for name in store.list_folder(&folder).map_err(no_file)? {
        let key = folder.join(&name).map_err(StoreError::from)?;
        let file = key.to_string();
        let refuse = |what: String| GovernError::Override { file: file.clone(), what };
        if !name.ends_with(".yaml") {
            return Err(refuse("an order is a file that ends in .yaml: rename it or take it away".to_owned()));
        }
        let bytes = store.len(&key).map_err(no_file)?;
        if bytes > LARGEST_BYTES {
            return Err(refuse(format!("it has {bytes} bytes, an order at most {LARGEST_BYTES}: take it away")));
        }
        let bytes = store.read(&key).map_err(no_file)?;
        let text = String::from_utf8(bytes).map_err(|_| refuse("it is not UTF-8 text".to_owned()))?;
        // Every prefix of a text that ends within a line may read as another order: another day, a shorter reason.
        if !text.is_empty() && !text.ends_with('\n') {
            return Err(refuse("its last line has no end, so it may be half-written: end it".to_owned()));
        }
        let order: Override = yaml::read(&file, &text)?;
        check(&order, model).map_err(refuse)?;
        if orders.iter().any(|other| other.id == order.id) {
            return Err(refuse(format!("the id `{}` stands in two files: give each order its own", order.id)));
        }
        orders.push(order);
    }
    Ok(orders)
}

fn check(order: &Override, model: &ModelName) -> Result<(), String> {
    if &order.model != model {
        return Err(format!("it is for model `{}`, not `{model}`: move it", order.model));
    }
    for (key, text) in [("id", &order.id), ("author", &order.author), ("reason", &order.reason)] {
        if text.trim().is_empty() {
            return Err(format!("`{key}` is empty: say it"));
        }
    }
    if order.order.names_a_version() && order.version.is_none() {
        return Err(format!("`{}` names the `version` it means: say it", order.order));
    }
    if order.order.names_a_bundle() && order.bundle.is_none() {
        return Err(format!(
            "`{}` names the `version` it means and the `bundle` digest that `regent registry show` prints",
            order.order
        ));
    }
    Ok(())
}
