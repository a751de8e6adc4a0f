//! The words of a column and a code for each, in the order they came; pure. Holds ten thousand at most: what is new after that is
//! counted and not told apart.

use super::super::domain::is_missing;
use super::super::record::Unreadable;

/// The code of a cell without a value.
pub const MISSING: u32 = 0;
/// The code of a word that came when the table was full.
pub const OTHER: u32 = 1;
const FIRST: u32 = 2;
/// A column of more words than this is text, and a table of them would grow with the file.
const MOST: usize = 10_000;
/// Places of the search, a power of two; never more than half full after it grew.
const LEAST_SLOTS: usize = 64;
const EMPTY: u32 = u32::MAX;

/// A table of words.
#[derive(Debug, Clone, PartialEq)]
pub struct Words {
    words: Vec<String>,
    slots: Vec<u32>,
}

impl Default for Words {
    fn default() -> Self {
        Words { words: Vec::new(), slots: vec![EMPTY; LEAST_SLOTS] }
    }
}

impl Words {
    /// A table of these words, each once.
    pub fn of<'a>(words: impl IntoIterator<Item = &'a str>) -> Words {
        let mut table = Words::default();
        for word in words {
            table.insert(word);
        }
        table
    }

    /// How many codes there are: those of the words, and two before them.
    pub fn codes(&self) -> usize {
        self.words.len() + FIRST as usize
    }

    /// The words, each with its code.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &str)> {
        self.words.iter().enumerate().map(|(place, word)| (place + FIRST as usize, word.as_str()))
    }

    /// The code of a cell; a new word is put down.
    ///
    /// # Errors
    /// A new word that is not UTF-8.
    #[inline]
    pub(super) fn code(&mut self, cell: &[u8]) -> Result<u32, Unreadable> {
        match self.find(cell) {
            Ok(code) => Ok(code),
            Err(_) => self.new_code(cell),
        }
    }

    fn new_code(&mut self, cell: &[u8]) -> Result<u32, Unreadable> {
        let word = str::from_utf8(cell).map_err(|_| Unreadable::NotUtf8)?;
        Ok(if is_missing(word) { MISSING } else { self.insert(word) })
    }

    fn insert(&mut self, word: &str) -> u32 {
        match self.find(word.as_bytes()) {
            Ok(code) => code,
            Err(_) if self.words.len() >= MOST => OTHER,
            Err(slot) => {
                let code = self.words.len() as u32 + FIRST;
                self.words.push(word.to_owned());
                self.slots[slot] = code;
                if self.words.len() * 2 > self.slots.len() {
                    self.grow();
                }
                code
            }
        }
    }

    fn grow(&mut self) {
        self.slots = vec![EMPTY; self.slots.len() * 4];
        for place in 0..self.words.len() {
            if let Err(slot) = self.find(self.words[place].as_bytes()) {
                self.slots[slot] = place as u32 + FIRST;
            }
        }
    }

    /// The word's code, or the free place where its search ends.
    #[inline]
    fn find(&self, cell: &[u8]) -> Result<u32, usize> {
        let most = self.slots.len() - 1;
        let mut slot = hash(cell) as usize & most;
        loop {
            let code = self.slots[slot];
            if code == EMPTY {
                return Err(slot);
            }
            if self.words.get((code - FIRST) as usize).is_some_and(|word| word.as_bytes() == cell) {
                return Ok(code);
            }
            slot = (slot + 1) & most;
        }
    }
}

/// FNV-1a, folded: words are short, and files are their owner's.
#[inline]
fn hash(cell: &[u8]) -> u64 {
    let hash = cell
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3));
    hash ^ (hash >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_keeps_its_code_and_a_full_table_tells_no_more_apart() {
        let mut words = Words::of(["a", "b", "a"]);
        assert_eq!((words.code(b"b"), words.code(b"c"), words.code(b"c")), (Ok(3), Ok(4), Ok(4)));
        assert_eq!((words.code(b""), words.code(b"NA"), words.code(b"null")), (Ok(MISSING), Ok(MISSING), Ok(MISSING)));
        assert_eq!(words.code(b"\xff"), Err(Unreadable::NotUtf8));
        for word in 0..2 * MOST {
            words.code(word.to_string().as_bytes()).unwrap();
        }
        assert_eq!((words.codes(), words.code(b"b"), words.code(b"new")), (MOST + 2, Ok(3), Ok(OTHER)));
        assert!(words.iter().all(|(code, word)| words.find(word.as_bytes()) == Ok(code as u32)));
    }
}
