//! `regent snapshot`: sealed windows, listed and shown; a door.

use clap::Subcommand;
use regent::console;
use regent::snapshot::{self, Snapshot as Sealed, Window};
use regent::types::{ModelName, Span, Timestamp};

use crate::edge::{Answer, Failure, Scene};
use crate::part::Part;

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
        #[command(flatten)]
        part: Part,
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
        let judged = |model: &ModelName| Ok::<_, Failure>(workspace.governed(model)?.rules.windows.judge);
        match self {
            Snapshot::List { model, size, part } => {
                let model = workspace.model(model)?;
                let size = size.map_or_else(|| judged(&model), Ok)?;
                let listed = console::snapshots(&workspace.store, &model, size, &part.page())?;
                let lines = listed.snapshots.iter().map(line).chain(Part::more(listed.next.as_ref()));
                let lines: Vec<String> = lines.collect();
                let text =
                    if lines.is_empty() { format!("{model}: no window is sealed yet") } else { lines.join("\n") };
                Answer::new(text, &listed)
            }
            Snapshot::Show { model, start, size } => {
                let size = size.map_or_else(|| judged(&model), Ok)?;
                let Some(sealed) = snapshot::judged(&workspace.store, &model, Window { start, size })? else {
                    let what = format!("{model} has no sealed window of {size} that starts at {start}");
                    return Err(Failure::usage(what).hint(format!("regent snapshot list {model}")));
                };
                Answer::new(text(&sealed), &sealed)
            }
        }
    }
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
