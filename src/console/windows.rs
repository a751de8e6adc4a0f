//! Sealed windows, in the order of time; through the store.

use schemars::JsonSchema;
use serde::Serialize;

use super::{ConsoleError, FORMAT_VERSION, Page};
use crate::snapshot::{self, Snapshot};
use crate::store::{Key, Store};
use crate::types::{ModelName, Span, Timestamp};

/// `snapshots`: sealed windows of one size.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Snapshots {
    /// 1: first form.
    pub format_version: u32,
    /// The model.
    pub model: ModelName,
    /// How long each window is.
    pub size: Span,
    /// The windows.
    pub snapshots: Vec<Snapshot>,
    /// The start of the window to go on after, if there are more.
    pub next: Option<String>,
}

/// The sealed windows of a page. They are sealed in order, so a list only grows at its end.
///
/// # Errors
/// A snapshot that cannot be read.
pub fn snapshots(store: &dyn Store, model: &ModelName, size: Span, page: &Page) -> Result<Snapshots, ConsoleError> {
    let after: Option<Timestamp> = page.cursor("the start of a window")?;
    let folder = Key::new(&format!("var/{model}/snapshots/{size}"))?;
    let told = after.map(|start| format!("{}.json", start.compact()));
    let names = store.list_folder(&folder)?.into_iter().filter(|name| told.as_ref().is_none_or(|told| name > told));
    let mut snapshots = Vec::new();
    for name in names.take(page.and_one()) {
        snapshots.extend(snapshot::read(store, &folder.join(&name)?)?);
    }
    let (snapshots, next) = page.cut(snapshots, |snapshot| snapshot.window.start.to_string());
    Ok(Snapshots { format_version: FORMAT_VERSION, model: model.clone(), size, snapshots, next })
}
