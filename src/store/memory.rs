//! A store in memory, with the promises of the one on disk but durability; for tests and for backtests. Pure.

use std::collections::BTreeMap;
use std::io::Read;
use std::ops::Bound::{Included, Unbounded};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Body, Key, Store, StoreError, keys_in};

/// A store that lives as long as its value.
#[derive(Debug, Default)]
pub struct Memory {
    objects: Mutex<Objects>,
}

type Objects = BTreeMap<Key, Arc<[u8]>>;

impl Memory {
    /// A store with nothing in it.
    pub fn new() -> Self {
        Memory::default()
    }

    fn objects(&self) -> MutexGuard<'_, Objects> {
        // Every change is one `insert` or `append` of finished values, so a panic elsewhere cannot leave half of one.
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, key: &Key) -> Result<Arc<[u8]>, StoreError> {
        let objects = self.objects();
        if let Some(bytes) = objects.get(key) {
            return Ok(Arc::clone(bytes));
        }
        refuse_objects_among(&objects, key.folders())?;
        let key = key.clone();
        Err(match is_folder(&objects, &key) {
            true => StoreError::NotAnObject { key },
            false => StoreError::NotFound { key },
        })
    }
}

/// The objects of a folder and of all folders below it.
fn below<'a>(objects: &'a Objects, folder: &'a Key) -> impl Iterator<Item = (&'a Key, &'a str)> {
    let start = format!("{folder}/");
    let from = objects.range::<str, _>((Included(start.as_str()), Unbounded));
    from.map_while(move |(key, _)| Some((key, key.within(folder)?)))
}

fn is_folder(objects: &Objects, key: &Key) -> bool {
    below(objects, key).next().is_some()
}

fn refuse_objects_among(objects: &Objects, mut folders: impl Iterator<Item = Key>) -> Result<(), StoreError> {
    match folders.find(|folder| objects.contains_key(folder)) {
        Some(key) => Err(StoreError::NotAFolder { key }),
        None => Ok(()),
    }
}

fn refuse_taken(objects: &Objects, key: &Key) -> Result<(), StoreError> {
    refuse_objects_among(objects, key.folders())?;
    if objects.contains_key(key) || is_folder(objects, key) {
        return Err(StoreError::AlreadyExists { key: key.clone() });
    }
    Ok(())
}

fn bytes_of(key: &Key, mut body: Body<'_>) -> Result<Arc<[u8]>, StoreError> {
    let mut bytes = Vec::new();
    match body.read_to_end(&mut bytes) {
        Ok(_) => Ok(bytes.into()),
        Err(source) => Err(StoreError::Io { operation: "write", key: key.clone(), source }),
    }
}

impl Store for Memory {
    fn create(&self, key: &Key, body: Body<'_>) -> Result<(), StoreError> {
        let bytes = bytes_of(key, body)?;
        let mut objects = self.objects();
        refuse_taken(&objects, key)?;
        objects.insert(key.clone(), bytes);
        Ok(())
    }

    fn create_all(&self, folder: &Key, files: Vec<(String, Body<'_>)>) -> Result<(), StoreError> {
        let keys = keys_in(folder, &files)?;
        let mut made = Objects::new();
        for (key, (_, body)) in keys.into_iter().zip(files) {
            let bytes = bytes_of(&key, body)?;
            made.insert(key, bytes);
        }
        let mut objects = self.objects();
        refuse_taken(&objects, folder)?;
        objects.append(&mut made);
        Ok(())
    }

    fn read(&self, key: &Key) -> Result<Vec<u8>, StoreError> {
        Ok(self.find(key)?.to_vec())
    }

    fn read_range(&self, key: &Key, offset: u64, wanted: usize) -> Result<Vec<u8>, StoreError> {
        let bytes = self.find(key)?;
        let start = usize::try_from(offset).ok();
        let range = start.and_then(|start| bytes.get(start..start.checked_add(wanted)?));
        let has = bytes.len() as u64;
        range.map(<[u8]>::to_vec).ok_or_else(|| StoreError::OutOfRange { key: key.clone(), offset, wanted, has })
    }

    fn len(&self, key: &Key) -> Result<u64, StoreError> {
        Ok(self.find(key)?.len() as u64)
    }

    fn list(&self, folder: &Key) -> Result<Vec<Key>, StoreError> {
        let objects = self.objects();
        refuse_objects_among(&objects, folder.folders().chain([folder.clone()]))?;
        Ok(below(&objects, folder).map(|(key, _)| key.clone()).collect())
    }

    fn list_folder(&self, folder: &Key) -> Result<Vec<String>, StoreError> {
        let objects = self.objects();
        refuse_objects_among(&objects, folder.folders().chain([folder.clone()]))?;
        let mut names = Vec::new();
        let mut from = format!("{folder}/");
        // Leap over what lies below each child: `0` is the character after `/`.
        while let Some((key, _)) = objects.range::<str, _>((Included(from.as_str()), Unbounded)).next() {
            let Some(rest) = key.within(folder) else { break };
            let (name, past) = rest.split_once('/').map_or((rest, '\0'), |(name, _)| (name, '0'));
            from = format!("{folder}/{name}{past}");
            names.push(name.to_owned());
        }
        // `a-b` comes before `a/c` among keys, but `a` before `a-b` among names.
        names.sort_unstable();
        Ok(names)
    }
}

#[cfg(test)]
mod tests {
    use super::Memory;

    crate::store::promises::promises!((Memory::new(), ()));
}
