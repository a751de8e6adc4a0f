//! Walks a workspace's folders and remembers what a look at their files tells; a door. It opens no file and follows no link.

use std::fs::{self, Metadata};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use regent::types::{ModelName, Span, Timestamp};

/// Files of one kind: how many there are, and the first few, to be named.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Named {
    pub(super) count: usize,
    first: Vec<String>,
}

/// So many are named; the rest is counted.
const NAMED: usize = 3;

impl Named {
    fn add(&mut self, path: &Path) {
        self.count += 1;
        if self.first.len() < NAMED {
            self.first.push(path.display().to_string());
        }
    }

    /// `a, b, c and 4 more`
    pub(super) fn told(&self) -> String {
        match self.count - self.first.len() {
            0 => self.first.join(", "),
            more => format!("{} and {more} more", self.first.join(", ")),
        }
    }
}

/// What was seen.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Walked {
    pub(super) files: usize,
    /// Stored objects, or any file, that somebody else may change.
    pub(super) open_to_others: Named,
    /// Files of people that their group may change.
    pub(super) open_to_group: Named,
    pub(super) links: Named,
    pub(super) unreadable: Named,
    pub(super) unfinished: Named,
    pub(super) oldest_unfinished: Option<Timestamp>,
    pub(super) from_the_future: Named,
}

/// Clocks of machines that share a folder differ by less than this.
const SKEW: Span = Span::from_mins(5);

/// Whether Regent alone writes here, or people do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Writer {
    Regent,
    People,
}

/// Walk what belongs to these models and what they share; `now` tells what is from the future.
pub(super) fn walk(root: &Path, models: &[ModelName], now: Timestamp) -> Walked {
    let mut walked = Walked::default();
    let mut places: Vec<(PathBuf, Writer)> =
        ["regent.yaml", "schemas"].map(|name| (name.into(), Writer::People)).into();
    for model in models {
        places.push((format!("contracts/{model}.yaml").into(), Writer::People));
        places.push((format!("governance/{model}").into(), Writer::People));
        places.push((format!("registry/{model}").into(), Writer::Regent));
        places.push((format!("var/{model}").into(), Writer::Regent));
    }
    places.push(("var/spool".into(), Writer::Regent));
    for (place, writer) in places {
        let place = Place { root, path: place, writer, now };
        if let Ok(metadata) = fs::symlink_metadata(root.join(&place.path)) {
            walked.enter(place, &metadata);
        }
    }
    walked
}

/// One file or folder, with its path in the workspace.
struct Place<'a> {
    root: &'a Path,
    path: PathBuf,
    writer: Writer,
    now: Timestamp,
}

impl Walked {
    fn enter(&mut self, place: Place<'_>, metadata: &Metadata) {
        let Place { root, path, writer, now } = &place;
        if metadata.is_symlink() {
            // Somebody's contract may be a link; a link among the orders is told with the orders.
            if *writer == Writer::Regent {
                self.links.add(path);
            }
            return;
        }
        self.judge(&place, metadata);
        if !metadata.is_dir() {
            self.files += 1;
            return;
        }
        let Ok(entries) = fs::read_dir(root.join(path)) else {
            self.unreadable.add(path);
            return;
        };
        let mut inside: Vec<PathBuf> = entries.flatten().map(|entry| path.join(entry.file_name())).collect();
        inside.sort_unstable();
        for path in inside {
            // Gone since it was listed: a temporary file that was finished.
            let Ok(metadata) = fs::symlink_metadata(root.join(&path)) else { continue };
            if is_unfinished(&path) {
                self.unfinished.add(&path);
                self.oldest_unfinished = self.oldest_unfinished.into_iter().chain(modified(&metadata)).min();
                continue;
            }
            // Journals and their inputs lie beside what people write.
            let stored = path.ends_with("journal") || path.ends_with("inputs");
            let writer = if stored { Writer::Regent } else { *writer };
            self.enter(Place { root, path, writer, now: *now }, &metadata);
        }
    }

    fn judge(&mut self, Place { root, path, writer, now }: &Place<'_>, metadata: &Metadata) {
        let mode = metadata.permissions().mode();
        let (group, others) = (mode & 0o020 != 0, mode & 0o002 != 0);
        match writer {
            Writer::Regent if group || others => self.open_to_others.add(path),
            Writer::People if others => self.open_to_others.add(path),
            Writer::People if group => self.open_to_group.add(path),
            Writer::Regent | Writer::People => {}
        }
        let needed = if metadata.is_dir() {
            rustix::fs::Access::READ_OK.union(rustix::fs::Access::EXEC_OK)
        } else {
            rustix::fs::Access::READ_OK
        };
        if rustix::fs::access(root.join(path), needed).is_err() {
            self.unreadable.add(path);
        }
        if modified(metadata).is_some_and(|modified| modified > *now + SKEW) {
            self.from_the_future.add(path);
        }
    }
}

/// How the store names what is not finished; a crash leaves it behind, and no reader ever sees it.
fn is_unfinished(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    [".tmp-", ".staged-"].iter().any(|prefix| name.starts_with(prefix))
}

pub(super) fn modified(metadata: &Metadata) -> Option<Timestamp> {
    let modified = metadata.modified().ok()?;
    Some(chrono::DateTime::<chrono::Utc>::from(modified).into())
}
