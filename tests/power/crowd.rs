//! Many at once: sixteen governors take one turn, sixteen racers publish one version, and whoever looks meanwhile sees one
//! champion.

use std::fs;
use std::process::{Child, Stdio};
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use regent::config::Policy;
use regent::govern::{Order, Rules, State, fold, journal};
use regent::ingest::NoSources;
use regent::promote::{self, Context, PromoteError, Turn};
use regent::registry::RegistryError;
use regent::store::{Body, Disk, Durability, Key, Store, StoreError};
use regent::types::{Span, Timestamp, Version};

use super::room::{GOVERNOR, Point, Room, at, model};
use super::table::{Row, in_full};

const MANY: usize = 16;

fn rules(room: &Room) -> Rules {
    let text = fs::read_to_string(room.path("governance/rain/policy.yaml")).unwrap();
    Policy::read("policy.yaml", &text).unwrap().rules()
}

/// Act as one process would: with a store of its own.
fn as_one<T>(room: &Room, actor: &str, act: impl FnOnce(&Context<'_>) -> T) -> T {
    let txn = || ulid::Ulid::generate().to_string();
    let (store, model, rules) = (room.store(), model(), rules(room));
    act(&Context { store: &store, model: &model, rules: &rules, sources: &NoSources, txn: &txn, actor })
}

/// Look at the journal again and again until it is over; how often, with one champion each time.
fn look_meanwhile(room: &Room, over: &AtomicBool) -> usize {
    let (store, model) = (room.store(), model());
    let mut looks = 0;
    while !over.load(Ordering::SeqCst) {
        let standing = fold(&store, &model).unwrap();
        let promoted = standing.versions.values().filter(|state| **state == State::Promoted).count();
        assert!(promoted == 1 && standing.champion.is_some(), "{promoted} champions after {looks} looks");
        looks += 1;
    }
    looks
}

fn entries(room: &Room) -> usize {
    journal::read(&room.store(), &model()).unwrap().len()
}

/// The next instant at which a window is due: one new decision.
fn round(number: usize) -> Timestamp {
    at(3) + Span::from_hours(12).times(i64::try_from(number).unwrap()) + Span::from_mins(2)
}

/// A second model, third, …: trained by a person, and ordered to serve in this round.
fn order_another(room: &Room, now: Timestamp) {
    let version = as_one(room, "ana", |context| promote::begin(context, "another", now)).unwrap();
    let mut order = room.an_order(Order::Promote, Some(version));
    order.id = format!("promote-{version}");
    order.expires = now + Span::from_days(1);
    room.write("governance/rain/overrides/promote.yaml", regent::yaml::print(&order).unwrap());
}

#[test]
fn sixteen_governors_take_one_turn_and_there_is_one_champion() {
    let row = Row::begin("16 governors at once");
    let rounds = if in_full() { 100 } else { 4 };
    let room = Room::at(Point::MoreRows);
    let over = AtomicBool::new(false);
    let looks = thread::scope(|scope| {
        let looking = scope.spawn(|| look_meanwhile(&room, &over));
        for number in 1..=rounds {
            let now = round(number);
            if number % 10 == 2 {
                order_another(&room, now);
            }
            let before = entries(&room);
            let barrier = Barrier::new(MANY);
            let govern = || {
                as_one(&room, "governor", |context| {
                    barrier.wait();
                    promote::tick(context, now, Turn::Real).map(|tick| tick.receipt.entry.is_some())
                })
            };
            let acted = thread::scope(|scope| {
                let governors: Vec<_> = (0..MANY).map(|_| scope.spawn(govern)).collect();
                governors
                    .into_iter()
                    .filter(|_| true)
                    .map(|one| one.join().unwrap().unwrap())
                    .filter(|acted| *acted)
                    .count()
            });
            assert_eq!((acted, entries(&room) - before), (1, 1), "round {number}");
        }
        over.store(true, Ordering::SeqCst);
        looking.join().unwrap()
    });
    let changes = room.standing().versions.len() - 1;
    assert!(changes >= 1, "no champion changed");
    assert_eq!(room.is_healthy(round(rounds)), Ok(()));
    row.end(
        &format!("{rounds} rounds of threads"),
        MANY * rounds,
        &format!("{rounds} decisions, {changes} changes of champion, {looks} looks at one champion"),
    );
}

#[test]
fn sixteen_processes_take_one_turn() {
    let row = Row::begin("16 governors at once");
    let rounds = if in_full() { 20 } else { 2 };
    let room = Room::at(Point::MoreRows);
    let over = AtomicBool::new(false);
    let looks = thread::scope(|scope| {
        let looking = scope.spawn(|| look_meanwhile(&room, &over));
        for number in 1..=rounds {
            let now = round(number);
            if number % 10 == 2 {
                order_another(&room, now);
            }
            let before = entries(&room);
            let start = |_| -> Child {
                let mut command = room.command(GOVERNOR, &["--now", &now.to_string()]);
                command.stdout(Stdio::null()).spawn().unwrap()
            };
            let governors: Vec<Child> = (0..MANY).map(start).collect();
            for mut governor in governors {
                assert!(governor.wait().unwrap().success(), "round {number}");
            }
            assert_eq!(entries(&room) - before, 1, "round {number}");
        }
        over.store(true, Ordering::SeqCst);
        looking.join().unwrap()
    });
    assert_eq!(room.is_healthy(round(rounds)), Ok(()));
    let outcome = format!("{rounds} decisions, {looks} looks at one champion");
    row.end(&format!("{rounds} rounds of processes"), MANY * rounds, &outcome);
}

/// Sixteen trainings of one version: equal bytes are success for all, other bytes for one.
#[test]
fn of_sixteen_who_publish_one_version_one_wins() {
    let row = Row::begin("16 publish one version");
    let rounds = if in_full() { 5 } else { 1 };
    let before = Room::at(Point::Trained);
    let pinned = before.standing().candidate.unwrap().training;
    fs::remove_dir_all(before.path("registry/rain/1.0.0")).unwrap();
    for other_bytes in [false, true] {
        for _ in 0..rounds {
            let room = before.copy();
            let (barrier, published) = (Barrier::new(MANY), AtomicUsize::new(0));
            thread::scope(|scope| {
                for racer in 0..MANY {
                    let mut training = pinned.clone();
                    if other_bytes {
                        training.created_at = training.created_at + Span::from_secs(i64::try_from(racer).unwrap());
                    }
                    let (room, barrier, published) = (&room, &barrier, &published);
                    scope.spawn(move || {
                        as_one(room, "governor", |context| {
                            barrier.wait();
                            match promote::train(context, &training) {
                                Ok(_) => drop(published.fetch_add(1, Ordering::SeqCst)),
                                Err(PromoteError::Registry(RegistryError::AlreadyExists { .. })) => {}
                                Err(other) => panic!("{other}"),
                            }
                        });
                    });
                }
            });
            let wanted = if other_bytes { 1 } else { MANY };
            assert_eq!(published.into_inner(), wanted, "other bytes: {other_bytes}");
            let sound = regent::registry::verify(&room.store(), &model(), Version::FIRST, None).unwrap();
            assert_eq!(sound.damage, []);
        }
    }
    row.end(
        &format!("{rounds} rounds, equal and other bytes"),
        MANY * rounds * 2,
        "equal: 16 succeed; other: 1 wins, 15 \"exists\"",
    );
}

/// The store's own promise, which all of it stands on.
#[test]
fn of_sixteen_who_create_one_folder_one_wins() {
    let row = Row::begin("16 create one folder");
    let rounds = if in_full() { 200 } else { 20 };
    let room = Room::empty();
    for number in 0..rounds {
        let (barrier, won) = (Barrier::new(MANY), AtomicUsize::new(0));
        let folder = Key::new(&format!("registry/rain/1.0.{number}")).unwrap();
        thread::scope(|scope| {
            for racer in 0..MANY {
                let (barrier, won, folder, room) = (&barrier, &won, &folder, &room);
                scope.spawn(move || {
                    let store = Disk::open(room.root().to_owned(), Durability::Durable).unwrap();
                    let mine = racer.to_string();
                    let files = ["a", "b", "c"].map(|name| (name.to_owned(), Body::from(mine.as_str()))).into();
                    barrier.wait();
                    match store.create_all(folder, files) {
                        Ok(()) => drop(won.fetch_add(1, Ordering::SeqCst)),
                        Err(StoreError::AlreadyExists { .. }) => {}
                        Err(other) => panic!("{other}"),
                    }
                });
            }
        });
        assert_eq!(won.into_inner(), 1, "round {number}");
        let store = room.store();
        let read = |name: &str| store.read(&folder.join(name).unwrap()).unwrap();
        assert!(read("a") == read("b") && read("b") == read("c"), "round {number} is a mixture");
    }
    row.end(&format!("{rounds} rounds"), MANY * rounds, "1 wins, 15 \"exists\"");
}
