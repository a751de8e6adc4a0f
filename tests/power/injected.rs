//! A program dies, or the system refuses, at every call by which it could change the disk: the old state stands or the new one,
//! the doctor finds nothing to mend, and the same command again comes to the same bytes.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;

use super::room::{GOVERNOR, Room, a_day_later, text};
use super::scenes::{self, Scene};
use super::state::{self, Left, Tree};
use super::strace::{self, Call, Fault, REFUSED};
use super::table::{Row, chosen, in_full};

/// So many points of each scene are tried where not all are.
const FEW: usize = 6;

/// What an uninterrupted run comes to.
struct Reference {
    old: Tree,
    new: Tree,
    /// After the governors that follow.
    settled: Tree,
    calls: Vec<Call>,
}

impl Reference {
    fn of(scene: &Scene) -> Reference {
        let room = scene.before.copy();
        let old = state::read(&room);
        let (output, log) = strace::run(&room, scene.program, &scene.arguments(), None);
        assert_eq!(output.status.code(), Some(0), "{}: {output:?}", scene.name);
        let new = state::read(&room);
        assert!(old != new, "{} changes nothing", scene.name);
        scene.afterwards.iter().for_each(|now| room.govern(*now));
        let calls = strace::calls(&log);
        assert!(calls.len() > 5, "{}: {log}", scene.name);
        Reference { old, new, settled: state::read(&room), calls }
    }
}

/// What came of a fault at one call.
fn bring(scene: &Scene, reference: &Reference, call: &Call, fault: Fault) -> Result<Left, String> {
    let room = scene.before.copy();
    let (output, log) = strace::run(&room, scene.program, &scene.arguments(), Some((call, fault)));
    let seen = state::read(&room);
    let left = state::judge(&reference.old, &reference.new, &seen)?;
    let taken_back = scene.takes_back && left == Left::New;
    let said = || format!("{} {}", text(&output.stdout), text(&output.stderr));
    match fault {
        Fault::Kill if output.status.signal() != Some(9) => return Err(format!("it was not killed: {output:?}")),
        Fault::Refuse(_) if !log.contains("INJECTED") => return Err("nothing was refused".to_owned()),
        Fault::Refuse(_) if output.status.code() == Some(0) && left != Left::New => {
            return Err(format!("it was acknowledged and is not there: {}", said()));
        }
        Fault::Refuse(_) if output.status.code().is_none_or(|code| code == 101) => {
            return Err(format!("it ended with {:?}: {}", output.status, said()));
        }
        Fault::Kill | Fault::Refuse(_) => {}
    }
    room.is_healthy(a_day_later())?;
    if !taken_back {
        converge(scene, reference, &room)?;
    }
    Ok(left)
}

/// The same command again, and the governors that follow, come to what an uninterrupted run came to.
fn converge(scene: &Scene, reference: &Reference, room: &Room) -> Result<(), String> {
    let again = room.run(scene.program, &scene.arguments());
    // A person is told that the training has begun already; the governor repeats it.
    let began = !scene.afterwards.is_empty() && text(&again.stderr).contains("is TRAINING already");
    let began = began || (!scene.afterwards.is_empty() && text(&again.stderr).contains("serves already"));
    if again.status.code() != Some(0) && !began {
        return Err(format!("again, it ends with {:?}: {} {}", again.status, text(&again.stdout), text(&again.stderr)));
    }
    for now in &scene.afterwards {
        let governed = room.run(GOVERNOR, &["--now", &now.to_string()]);
        if governed.status.code() != Some(0) {
            return Err(format!("the governor afterwards: {governed:?}"));
        }
    }
    room.is_healthy(a_day_later())?;
    let settled = state::read(room);
    if settled == reference.settled {
        return Ok(());
    }
    // A repeated training is journalled as such, so the journal tells more; what it made is the same.
    let made = |tree: &Tree| -> Tree {
        tree.clone()
            .into_iter()
            .filter(|(path, _)| path.starts_with("registry/") || path.contains("/datasets/"))
            .collect()
    };
    let standing = room.standing();
    let repeated = standing.candidate.as_ref().map(|candidate| candidate.training.attempt).into_iter().max();
    let repeated = repeated.or_else(|| standing.last_training.as_ref().map(|training| training.attempt));
    if !scene.afterwards.is_empty() && repeated == Some(2) && made(&settled) == made(&reference.settled) {
        return Ok(());
    }
    Err(format!("again, it comes to other bytes: {}", state::difference(&reference.settled, &settled)))
}

fn judge(scene: &Scene, what: &'static str, tried: &[(Call, Fault)], reference: &Reference, row: Row) {
    let mut counts: BTreeMap<Left, usize> = BTreeMap::new();
    let mut failures = Vec::new();
    for (call, fault) in tried {
        match bring(scene, reference, call, *fault) {
            Ok(left) => *counts.entry(left).or_default() += 1,
            Err(why) => failures.push(format!("{what} at {} {}: {why}", call.kind, call.number)),
        }
    }
    assert!(failures.is_empty(), "{}: {} of {}\n{}", scene.name, failures.len(), tried.len(), failures.join("\n"));
    let count = |left| counts.get(&left).copied().unwrap_or_default();
    let outcome =
        format!("old {} · part of the way {} · new {}", count(Left::Old), count(Left::Between), count(Left::New));
    row.end(scene.name, tried.len(), &outcome);
}

fn is_killed_anywhere(scene: &Scene) {
    if !strace::is_usable() {
        return;
    }
    let row = Row::begin("SIGKILL");
    let reference = Reference::of(scene);
    let tried: Vec<_> = chosen(&reference.calls, FEW).into_iter().map(|call| (call, Fault::Kill)).collect();
    judge(scene, "killed", &tried, &reference, row);
}

fn is_refused_anywhere(scene: &Scene) {
    if !strace::is_usable() {
        return;
    }
    let row = Row::begin("EIO, ENOSPC");
    let reference = Reference::of(scene);
    let calls: Vec<Call> =
        reference.calls.iter().filter(|call| REFUSED.contains(&call.kind.as_str())).cloned().collect();
    let errors: &[&'static str] = if in_full() { &["EIO", "ENOSPC"] } else { &["ENOSPC"] };
    let tried: Vec<_> = errors
        .iter()
        .flat_map(|error| chosen(&calls, FEW).into_iter().map(|call| (call, Fault::Refuse(error))))
        .collect();
    judge(scene, "refused", &tried, &reference, row);
}

macro_rules! scenes {
    ($($name:ident),*) => {
        mod killed {
            $(#[test] fn $name() { super::is_killed_anywhere(&super::scenes::$name()); })*
        }
        mod refused {
            $(#[test] fn $name() { super::is_refused_anywhere(&super::scenes::$name()); })*
        }
    };
}

scenes!(
    give_an_order,
    take_an_order_back,
    sign,
    export,
    import,
    init,
    draft,
    register,
    ingest,
    train,
    govern,
    promote_the_first,
    promote,
    roll_back,
    obey,
    retrain,
    judge
);
