//! JSON spelled piece by piece, for what is said at every request; pure. What is between the values stands where it is written, and a test
//! beside it holds the whole to what serde would say.

use serde::Serialize;
use uuid::Uuid;

use super::{ModelName, Version};

/// A text that is being written.
#[derive(Debug)]
pub struct Spelling(Vec<u8>);

impl Spelling {
    /// Nothing yet, with room for so many bytes before what is there must move.
    pub fn with_room(bytes: usize) -> Spelling {
        Spelling(Vec::with_capacity(bytes))
    }

    /// Marks, names, and words that need no escapes.
    pub fn text(&mut self, text: &str) {
        self.0.extend_from_slice(text.as_bytes());
    }

    /// A value as serde spells it, after these marks. Nothing that can fail to be spelled belongs here: a map has words for keys.
    pub fn value(&mut self, before: &str, value: &impl Serialize) {
        self.text(before);
        let _ = serde_json::to_writer(&mut self.0, value);
    }

    /// Which request, and whose answer: `"request_id":"...","model":"...","model_version":"..."`
    pub fn whose(&mut self, request_id: Uuid, model: &ModelName, version: Version) {
        self.text(r#""request_id":""#);
        self.text(request_id.hyphenated().encode_lower(&mut Uuid::encode_buffer()));
        self.text(r#"","model":""#);
        // No name needs an escape.
        self.text(model.as_str());
        self.text(r#"","model_version":""#);
        version.spelled(|version| self.text(version));
        self.text("\"");
    }

    /// What was written.
    pub fn finish(self) -> Vec<u8> {
        self.0
    }
}
