//! What a decision was made on, if it is still what was recorded; through the store.

use super::AuditError;
use crate::govern::Entry;
use crate::promote::Inputs;
use crate::store::{Key, Store};
use crate::types::{Digest, ModelName};

/// The inputs of an entry: hashed, then parsed. None for an entry that names none.
///
/// # Errors
/// `Altered` when the bytes are not the ones that the entry names; `Unreadable`; the store's.
pub fn read_inputs(store: &dyn Store, model: &ModelName, entry: &Entry) -> Result<Option<Inputs>, AuditError> {
    let Some(named) = entry.inputs.first().copied() else { return Ok(None) };
    let key = Key::new(&format!("governance/{model}/inputs/{named}.json"))?;
    let bytes = store.read(&key)?;
    let found = Digest::of(&bytes);
    if found != named {
        return Err(AuditError::Altered { key: key.to_string(), seq: entry.seq, named, found });
    }
    match serde_json::from_slice(&bytes) {
        Ok(inputs) => Ok(Some(inputs)),
        Err(source) => Err(AuditError::Unreadable { key: key.to_string(), source }),
    }
}
