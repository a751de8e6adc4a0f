//! JSON spelled piece by piece, for what is said at every request; pure. What is between the values stands where it is written, and a test
//! beside it holds the whole to what serde would say.

use serde::Serialize;
use uuid::Uuid;

/// A text that grows at its end.
#[derive(Debug)]
pub struct Spelling<'a>(&'a mut Vec<u8>);

impl<'a> Spelling<'a> {
    /// Write behind what is there.
    pub fn onto(text: &'a mut Vec<u8>) -> Spelling<'a> {
        Spelling(text)
    }

    /// Marks, names, and words that need no escapes.
    pub fn text(&mut self, text: &str) {
        self.0.extend_from_slice(text.as_bytes());
    }

    /// An id of a request, without quotes.
    pub fn id(&mut self, id: Uuid) {
        self.text(id.hyphenated().encode_lower(&mut Uuid::encode_buffer()));
    }

    /// A value as serde spells it, after these marks. Nothing that can fail to be spelled belongs here: a map has words for keys.
    pub fn value(&mut self, before: &str, value: &impl Serialize) {
        self.text(before);
        let _ = serde_json::to_writer(&mut *self.0, value);
    }
}
