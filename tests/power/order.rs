//! The order in which things reach the disk, read from the log of system calls: a file before its name, a name before whatever
//! is built on it, the journal last, and all of it before anybody is told.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::room::{Point, Room};
use super::scenes::{self, Scene};
use super::serving;
use super::strace;
use super::table::Row;

#[derive(Debug, Clone, PartialEq)]
enum Step {
    Create(PathBuf),
    Write(PathBuf),
    Sync(PathBuf),
    Folder(PathBuf),
    Name(PathBuf, PathBuf),
    /// A second name for a file that has one.
    Link(PathBuf),
    Remove(PathBuf),
    /// Somebody outside is told.
    Tell,
}

/// The steps of a log inside a workspace, in order.
fn steps(log: &str, root: &Path) -> Vec<Step> {
    // A call of one thread may be cut in two by another's; a file is on disk when the second half is told.
    let mut begun: BTreeMap<&str, Step> = BTreeMap::new();
    let mut steps = Vec::new();
    for (thread, line) in log.lines().filter_map(|line| line.split_once(char::is_whitespace)) {
        let line = line.trim_start();
        match step(line) {
            Some(sync @ Step::Sync(_)) if line.contains("<unfinished") => drop(begun.insert(thread, sync)),
            Some(step) => steps.push(step),
            None if line.contains("sync resumed") => steps.extend(begun.remove(thread)),
            None => {}
        }
    }
    let inside = |step: &Step| match step {
        Step::Tell => true,
        Step::Create(path) | Step::Write(path) | Step::Sync(path) | Step::Folder(path) | Step::Remove(path) => {
            path.starts_with(root)
        }
        Step::Name(_, path) | Step::Link(path) => path.starts_with(root),
    };
    steps.into_iter().filter(inside).collect()
}

fn step(line: &str) -> Option<Step> {
    let (kind, given) = line.split_once('(')?;
    if given.contains(" = -1 ") {
        return None;
    }
    let folders: Vec<&str> = given.split('<').skip(1).filter_map(|rest| Some(rest.split_once('>')?.0)).collect();
    let names: Vec<&str> = given.split('"').skip(1).step_by(2).collect();
    let descriptor = || folders.first().map(PathBuf::from);
    let path = |place: usize| Some(Path::new(folders.get(place)?).join(names.get(place)?));
    match kind {
        "write" | "writev" if given.starts_with("1<") || given.contains("<TCP") || given.contains("<socket") => {
            Some(Step::Tell)
        }
        "sendto" | "sendmsg" => Some(Step::Tell),
        "write" | "writev" | "pwrite64" | "copy_file_range" => descriptor().map(Step::Write),
        "fsync" | "fdatasync" => descriptor().map(Step::Sync),
        "openat" if given.contains("O_CREAT") => path(0).map(Step::Create),
        "mkdirat" => path(0).map(Step::Folder),
        "mkdir" => names.first().map(PathBuf::from).map(Step::Folder),
        "unlinkat" => path(0).map(Step::Remove),
        "unlink" => names.first().map(PathBuf::from).map(Step::Remove),
        "linkat" => path(1).map(Step::Link),
        "link" => names.get(1).map(PathBuf::from).map(Step::Link),
        "renameat2" => Some(Step::Name(path(0)?, path(1)?)),
        _ => None,
    }
}

/// What has not reached the disk yet.
#[derive(Default)]
struct Afloat {
    /// Files with bytes, and folders with entries, that were not synced since.
    files: BTreeSet<PathBuf>,
    folders: BTreeSet<PathBuf>,
    named: Vec<PathBuf>,
}

impl Afloat {
    fn take(&mut self, step: &Step) -> Result<(), String> {
        let parent = |path: &Path| path.parent().unwrap().to_owned();
        match step {
            Step::Create(path) => {
                self.files.insert(path.clone());
                self.folders.insert(parent(path));
            }
            Step::Write(path) => drop(self.files.insert(path.clone())),
            Step::Folder(path) => drop(self.folders.insert(parent(path))),
            Step::Sync(path) => {
                self.files.remove(path);
                self.folders.remove(path);
            }
            Step::Link(path) => drop(self.folders.insert(parent(path))),
            Step::Remove(path) => {
                // What is taken away lives on somewhere else, and there it must be on disk.
                self.all_is_on_disk(&format!("{} was taken away", path.display()))?;
                self.folders.insert(parent(path));
            }
            Step::Name(from, to) => self.name(from, to)?,
            Step::Tell => self.all_is_on_disk("somebody was told")?,
        }
        Ok(())
    }

    fn all_is_on_disk(&self, what: &str) -> Result<(), String> {
        match self.files.iter().chain(&self.folders).next() {
            None => Ok(()),
            Some(afloat) => Err(format!("{what} before {} was on disk", afloat.display())),
        }
    }

    fn name(&mut self, from: &Path, to: &Path) -> Result<(), String> {
        if let Some(file) = self.files.iter().find(|file| file.starts_with(from)) {
            return Err(format!("{} got its name before {} was on disk", to.display(), file.display()));
        }
        let own = to.parent().unwrap();
        // A temporary file made its folder afloat; that folder is synced after the name. All others must be done.
        if let Some(folder) = self.folders.iter().find(|folder| *folder != own) {
            return Err(format!("{} got its name before the names in {} were on disk", to.display(), folder.display()));
        }
        self.folders.insert(own.to_owned());
        self.named.push(to.to_owned());
        Ok(())
    }
}

/// The journal entry comes after all that it rests on, and only alerts come after it.
fn the_journal_is_last(named: &[PathBuf], may_follow: &[&str]) -> Result<(), String> {
    let Some(entry) = named.iter().rposition(|path| path.to_string_lossy().contains("/journal/")) else {
        return Err("no entry was written".to_owned());
    };
    let after = named.iter().skip(entry + 1).map(|path| path.to_string_lossy());
    match after.into_iter().find(|path| !may_follow.iter().any(|allowed| path.contains(allowed))) {
        Some(path) => Err(format!("{path} came after the entry")),
        None => Ok(()),
    }
}

fn look(scene: &Scene, may_follow: Option<&[&str]>) -> usize {
    let room: Room = scene.before.copy();
    let (output, log) = strace::run(&room, scene.program, &scene.arguments(), None);
    assert_eq!(output.status.code(), Some(0), "{}: {output:?}", scene.name);
    let steps = steps(&log, room.root());
    assert!(steps.iter().any(|step| matches!(step, Step::Name(..) | Step::Link(_))), "{}: {log}", scene.name);
    assert!(steps.iter().any(|step| matches!(step, Step::Sync(_))), "{} syncs nothing", scene.name);
    let mut afloat = Afloat::default();
    for step in &steps {
        afloat.take(step).unwrap_or_else(|why| panic!("{}: {why}", scene.name));
    }
    let journal = may_follow.map_or(Ok(()), |may_follow| the_journal_is_last(&afloat.named, may_follow));
    journal.unwrap_or_else(|why| panic!("{}: {why}", scene.name));
    steps.len()
}

#[test]
fn a_file_is_on_disk_before_its_name_and_the_journal_comes_last() {
    if !strace::is_usable() {
        return;
    }
    let row = Row::begin("order of fsync");
    let alerts: &[&str] = &["/alerts/"];
    let scenes = [
        (scenes::init(), None),
        (scenes::draft(), None),
        (scenes::give_an_order(), None),
        (scenes::take_an_order_back(), None),
        (scenes::sign(), None),
        (scenes::export(), None),
        (scenes::import(), None),
        (scenes::register(), None),
        (scenes::ingest(), None),
        // A training is journalled before it begins: whoever finds the entry repeats it.
        (scenes::train(), Some(&["/registry/rain/1.0.0"][..])),
        (scenes::govern(), Some(alerts)),
        (scenes::promote_the_first(), Some(alerts)),
        (scenes::promote(), Some(alerts)),
        (scenes::roll_back(), Some(alerts)),
        (scenes::obey(), Some(alerts)),
        (scenes::judge(), Some(alerts)),
    ];
    let steps: usize = scenes.iter().map(|(scene, may_follow)| look(scene, *may_follow)).sum();
    row.end(&format!("{} commands", scenes.len()), steps, "file before name, folder after, journal last");
}

/// P14: with `events: durable` nobody is answered before the line is on disk.
#[test]
fn an_answer_is_given_after_its_line_is_on_disk() {
    if !strace::is_usable() {
        return;
    }
    let row = Row::begin("order of fsync");
    let room = Room::at(Point::Champion);
    room.write("regent.yaml", "events: durable\n");
    let log = serving::log_of(&room, 8);
    let is_segment = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "jsonl");
    let (mut afloat, mut synced, mut told): (BTreeSet<PathBuf>, _, _) = (BTreeSet::new(), 0, 0);
    for step in steps(&log, &room.path("var/spool")) {
        match step {
            Step::Create(path) if is_segment(&path) => drop(afloat.insert(path.parent().unwrap().to_owned())),
            Step::Write(path) if is_segment(&path) => drop(afloat.insert(path)),
            Step::Sync(path) if afloat.remove(&path) => synced += 1,
            Step::Tell => {
                assert!(afloat.is_empty(), "somebody was answered before {afloat:?} was on disk: {log}");
                told += 1;
            }
            _ => {}
        }
    }
    assert!(synced > 8 && told >= 8, "{synced} {told}: {log}");
    row.end("durable answers", told, "the line and its folder on disk before the answer");
}

/// A segment goes only after its parts are on disk under their names.
#[test]
fn a_segment_is_taken_away_after_its_parts_are_on_disk() {
    if !strace::is_usable() {
        return;
    }
    let row = Row::begin("order of fsync");
    let room = Room::at(Point::Champion);
    serving::answer_and_die(&room, 6);
    let log = serving::log_of(&room, 0);
    let (mut afloat, mut taken) = (Afloat::default(), 0);
    for step in steps(&log, &room.path("var")) {
        // What the living replica opens for itself is its own.
        let own = |path: &Path| path.starts_with(room.path("var/spool"));
        match &step {
            Step::Create(path) | Step::Write(path) | Step::Folder(path) if own(path) => {}
            Step::Remove(path) => {
                assert!(own(path), "{} was taken away", path.display());
                afloat.take(&step).unwrap();
                afloat.folders.remove(path.parent().unwrap());
                taken += 1;
            }
            Step::Tell => {}
            _ => afloat.take(&step).unwrap(),
        }
    }
    assert_eq!(taken, 1, "{log}");
    assert!(afloat.named.iter().any(|path| path.starts_with(room.path("var/rain/events"))), "{log}");
    row.end("seal the spool", taken, "parts on disk before their segment goes");
}

#[test]
fn the_reader_of_logs_sees_what_is_wrong() {
    let root = Path::new("/w");
    let good = "\
1 openat(5</w/a>, \".tmp-1\", O_WRONLY|O_CREAT|O_EXCL, 0600) = 4</w/a/.tmp-1>
1 write(4</w/a/.tmp-1>, \"x\", 1) = 1
1 fsync(4</w/a/.tmp-1>) = 0
1 renameat2(5</w/a>, \".tmp-1\", 5</w/a>, \"b\", RENAME_NOREPLACE) = 0
1 fsync(5</w/a>) = 0
1 write(1</dev/pts/0>, \"done\", 4) = 4
";
    let judged = |log: &str| {
        steps(log, root).iter().try_fold(Afloat::default(), |mut afloat, step| afloat.take(step).map(|()| afloat))
    };
    assert_eq!(judged(good).unwrap().named, [PathBuf::from("/w/a/b")]);
    for needed in ["1 fsync(4</w/a/.tmp-1>) = 0\n", "1 fsync(5</w/a>) = 0\n"] {
        assert!(judged(&good.replace(needed, "")).is_err(), "without {needed}");
    }
}
