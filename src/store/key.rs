//! The name of an object or a folder in a store; pure. Refuses whatever could leave the store or hide in it.

use std::borrow::Borrow;
use std::fmt;

/// What S3 allows for a key, so that a workspace on disk can move there.
const LONGEST_KEY: usize = 1024;
/// What Linux file systems allow for a file name.
const LONGEST_SEGMENT: usize = 255;
/// How the names of unfinished files and folders begin. No key may, so leftovers of a crash can never be read.
const UNFINISHED: [&str; 2] = [TEMPORARY, STAGED];
/// An object that is still being written.
pub(super) const TEMPORARY: &str = ".tmp-";
/// A folder that is still being filled.
pub(super) const STAGED: &str = ".staged-";

/// Why a text cannot be a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("use {given:?} as a key: {reason}")]
pub struct KeyError {
    /// The text as it was given.
    pub given: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// A relative path such as `registry/rain/1.0.0/model.txt`, ordered by its bytes.
///
/// Its segments are never empty, `.` or `..`, hold no control character and no backslash, and never begin like an
/// unfinished file; so a key names something inside its store whatever a caller was sent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(String);

impl Key {
    /// The key this text spells.
    ///
    /// # Errors
    /// [`KeyError`] with the rule that the text breaks.
    pub fn new(given: &str) -> Result<Key, KeyError> {
        let too_long = (given.len() > LONGEST_KEY).then_some("it is longer than 1024 bytes");
        match too_long.or_else(|| given.split('/').find_map(broken_rule)) {
            None => Ok(Key(given.to_owned())),
            Some(reason) => Err(KeyError { given: given.to_owned(), reason }),
        }
    }

    /// The key of the child `segment` of this folder.
    ///
    /// # Errors
    /// [`KeyError`] when `segment` is not one single segment, or the whole becomes too long.
    pub fn join(&self, segment: &str) -> Result<Key, KeyError> {
        if segment.contains('/') {
            return Err(KeyError { given: segment.to_owned(), reason: "a segment holds no `/`" });
        }
        Key::new(&format!("{self}/{segment}"))
    }

    /// The folder that holds this key; none for a key of one segment.
    pub fn parent(&self) -> Option<Key> {
        self.0.rsplit_once('/').map(|(parent, _)| Key(parent.to_owned()))
    }

    /// The last segment: a file's name without its folder.
    pub fn name(&self) -> &str {
        self.0.rsplit_once('/').map_or(&self.0, |(_, name)| name)
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What remains of this key inside `folder`: `1.0.0/model.txt`; none when it lies elsewhere.
    pub fn within(&self, folder: &Key) -> Option<&str> {
        self.0.strip_prefix(folder.as_str())?.strip_prefix('/')
    }

    /// Every folder on the way to this key, outermost first, without the key itself.
    pub(super) fn folders(&self) -> impl Iterator<Item = Key> + '_ {
        let ends = self.0.match_indices('/').map(|(end, _)| end);
        ends.filter_map(|end| self.0.get(..end)).map(|folder| Key(folder.to_owned()))
    }
}

/// Whether this is what a crashed writer leaves behind.
pub(super) fn is_unfinished(name: &str) -> bool {
    UNFINISHED.iter().any(|prefix| name.starts_with(prefix))
}

fn broken_rule(segment: &str) -> Option<&'static str> {
    let rules = [
        (segment.is_empty(), "it has an empty segment"),
        (matches!(segment, "." | ".."), "`.` and `..` are not names"),
        (segment.len() > LONGEST_SEGMENT, "a segment is longer than 255 bytes"),
        (segment.contains('\\'), "it holds a backslash"),
        (segment.contains(char::is_control), "it holds a control character"),
        (is_unfinished(segment), "`.tmp-` and `.staged-` belong to the store"),
    ];
    rules.into_iter().find_map(|(broken, rule)| broken.then_some(rule))
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A `BTreeMap<Key, _>` can be searched by text: both are ordered by their bytes.
impl Borrow<str> for Key {
    fn borrow(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_key_cannot_leave_its_store_or_hide_in_it() {
        let (long, longest) = ("a".repeat(256), "a/".repeat(513));
        for bad in [
            "",
            "/",
            "/a",
            "a/",
            "a//b",
            ".",
            "..",
            "../a",
            "a/..",
            "a/./b",
            "a\\b",
            "a\0b",
            "a\nb",
            "a/.tmp-1",
            ".staged-1/a",
            &long,
            &longest,
        ] {
            assert!(Key::new(bad).is_err(), "{bad:?} was taken");
        }
        for good in ["a", "date=2026-11-21/hour=10/r-b-1.parquet", "...", ".gitkeep", "é/ü", &long[1..]] {
            assert_eq!(Key::new(good).unwrap().to_string(), good);
        }
    }

    #[test]
    fn a_key_knows_its_folder_and_its_name() {
        let key = Key::new("registry/rain/1.0.0").unwrap();
        assert_eq!((key.parent(), key.name()), (Some(Key::new("registry/rain").unwrap()), "1.0.0"));
        assert_eq!(Key::new("registry").unwrap().parent(), None);
        assert_eq!(key.join("model.txt").unwrap().as_str(), "registry/rain/1.0.0/model.txt");
        for bad in ["", "..", "a/b", "/a"] {
            assert!(key.join(bad).is_err(), "{bad:?} was joined");
        }
        assert_eq!(key.within(&Key::new("registry").unwrap()), Some("rain/1.0.0"));
        assert_eq!(key.within(&Key::new("regis").unwrap()), None);
        assert_eq!(key.within(&key), None);
        let folders: Vec<_> = key.folders().map(|folder| folder.to_string()).collect();
        assert_eq!(folders, ["registry", "registry/rain"]);
    }

    proptest! {
        #[test]
        fn no_key_has_a_segment_that_leads_up(text in r"[a./\\=-]{0,12}") {
            if let Ok(key) = Key::new(&text) {
                prop_assert!(key.as_str().split('/').all(|segment| !matches!(segment, "" | "." | "..")));
                prop_assert_eq!(key.folders().last(), key.parent());
            }
        }
    }
}
