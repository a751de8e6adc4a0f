//! `regent snapshot`: sealed windows, listed and shown; a door.

use clap::Subcommand;
use regent::snapshot::Snapshot as Sealed;
use regent::store::{Key, Store};
use regent::types::{ModelName, Span, Timestamp};
use serde_json::json;

use crate::edge::{Answer, Exit, Failure, Scene};

/// Sealed windows: what features, predictions and latencies looked like
#[derive(Debug, Subcommand)]
pub enum Snapshot {
    /// List the sealed windows
    List {
        /// The model
        model: Option<ModelName>,
        /// The size of the windows, for example 5m [default: the judged one]
        #[arg(long)]
        size: Option<Span>,
    },
    /// Show one sealed window
    Show {
        /// The model
        model: ModelName,
        /// Where the window starts, as `regent snapshot list` prints it
        start: Timestamp,
        /// Its size [default: the judged one]
        size: Option<Span>,
    },
}

impl Snapshot {
    pub fn run(self, scene: &Scene) -> Result<Answer, Failure> {
        let workspace = scene.workspace()?;
        match self {
            Snapshot::List { model, size } => {
                let model = workspace.model(model)?;
                let size =
                    size.map_or_else(|| Ok(workspace.governed(&model)?.rules.windows.judge), Ok::<_, Failure>)?;
                let mut sealed = all(&workspace.store, &model)?;
                sealed.retain(|snapshot| snapshot.window.size == size);
                let lines: Vec<String> = sealed.iter().map(line).collect();
                let text =
                    if lines.is_empty() { format!("{model}: no window is sealed yet") } else { lines.join("\n") };
                Answer::new(text, &json!({ "format_version": 1, "model": model, "snapshots": sealed }))
            }
            Snapshot::Show { model, start, size } => {
                let size =
                    size.map_or_else(|| Ok(workspace.governed(&model)?.rules.windows.judge), Ok::<_, Failure>)?;
                let found = all(&workspace.store, &model)?
                    .into_iter()
                    .find(|sealed| sealed.window.start == start && sealed.window.size == size);
                let Some(sealed) = found else {
                    let what = format!("{model} has no sealed window of {size} that starts at {start}");
                    return Err(Failure::usage(what).hint(format!("regent snapshot list {model}")));
                };
                Answer::new(text(&sealed), &sealed)
            }
        }
    }
}

/// Every sealed window, the smallest size first, then by time.
///
/// # Errors
/// A snapshot that cannot be read.
pub fn all(store: &dyn Store, model: &ModelName) -> Result<Vec<Sealed>, Failure> {
    let keys = store.list(&Key::new(&format!("var/{model}/snapshots"))?)?;
    let read = |key: Key| {
        let bytes = store.read(&key)?;
        serde_json::from_slice(&bytes).map_err(|error| Failure::because(Exit::Integrity, format!("read {key}"), error))
    };
    let mut sealed: Vec<Sealed> = keys.into_iter().map(read).collect::<Result<_, Failure>>()?;
    sealed.sort_by_key(|snapshot| (snapshot.window.size, snapshot.window.start));
    Ok(sealed)
}

fn line(sealed: &Sealed) -> String {
    let counts = &sealed.counts;
    format!("{}  requests {}  counted {}  valid {}", sealed.window, sealed.requests, counts.counted, counts.valid)
}

fn text(sealed: &Sealed) -> String {
    let mut lines = vec![line(sealed), format!("  sealed at {} from {} parts", sealed.sealed_at, sealed.merged.len())];
    lines.extend(sealed.silent_replicas.iter().map(|replica| format!("  {replica} was silent")));
    lines.extend(sealed.counts.codes.iter().map(|(code, count)| format!("  refused for {code}: {count}")));
    for (version, counts) in &sealed.counts.versions {
        lines.push(format!("  {version} saw {} rows, dropped {}", counts.rows, counts.dropped));
    }
    lines.join("\n")
}
