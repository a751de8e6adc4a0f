//! Careless files among the overrides, while the governor comes again and again: each holds the model and is named, none is
//! ignored in silence, and nothing moves until it is mended.

use std::fs;
use std::os::unix::fs::symlink;
use std::time::Instant;

use regent::govern::{Order, State};
use regent::types::Version;
use regent::yaml;

use super::room::{Point, Room, at, model, text};
use super::table::{Row, chosen};

const FOLDER: &str = "governance/rain/overrides";

/// A workspace in which the next run would promote.
fn about_to_promote() -> Room {
    let room = Room::at(Point::Walked);
    fs::create_dir_all(room.path(FOLDER)).unwrap();
    room
}

fn a_freeze() -> String {
    yaml::print(&about_an_order(Order::Freeze)).unwrap()
}

fn about_an_order(order: Order) -> regent::govern::Override {
    Room::empty().an_order(order, None)
}

/// The governor comes three times: the model is held, the file is named, nothing moves; mended, it goes on.
fn holds(room: &Room, file: &str) {
    let before = room.standing();
    for minute in 3..6 {
        let begun = Instant::now();
        let output = room.governed(at(minute));
        let said = text(&output.stdout) + &text(&output.stderr);
        assert_eq!(output.status.code(), Some(4), "{file}: {said}");
        assert!(said.contains("held") && said.contains(file), "{file}: {said}");
        assert_eq!(room.standing(), before, "{file}: something moved");
        assert!(begun.elapsed().as_secs() < 5, "{file} kept the governor busy");
    }
    let (code, found) = room.doctor(at(6));
    assert_eq!(code, Some(4), "{file}: {found}");
    let place = room.path(FOLDER).join(file);
    if place.is_dir() {
        fs::remove_dir(place).unwrap();
    } else {
        fs::remove_file(place).unwrap();
    }
    room.govern(at(7));
    assert_eq!(room.standing().champion_version(), Some(Version::FIRST), "{file}: it does not go on");
}

#[test]
fn a_careless_file_holds_the_model_and_is_named() {
    let row = Row::begin("careless override");
    let before = about_to_promote();
    let order = a_freeze();
    let other_model = order.replace("model: rain", "model: churn");
    let mistyped = order.replace("reason:", "raeson:");
    let twice = format!("{order}order: rollback\n");
    let unknown = format!("{order}until: tomorrow\n");
    let two = format!("{order}---\n{order}");
    let files: Vec<(&str, Vec<u8>)> = vec![
        ("empty.yaml", Vec::new()),
        ("blank.yaml", b"\n\n# freeze it\n".to_vec()),
        ("bom.yaml", [b"\xEF\xBB\xBF", order.as_bytes()].concat()),
        ("utf16.yaml", order.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("latin.yaml", [order.as_bytes(), b"# caf\xE9\n"].concat()),
        ("zeros.yaml", vec![0; 512]),
        ("unknown.yaml", unknown.into_bytes()),
        ("mistyped.yaml", mistyped.into_bytes()),
        ("twice.yaml", twice.into_bytes()),
        ("two.yaml", two.into_bytes()),
        ("churn.yaml", other_model.into_bytes()),
        ("nameless.yaml", order.replace("author: ana", "author: ''").into_bytes()),
        ("endless.yaml", order.trim_end().as_bytes().to_vec()),
        ("order.yml", order.clone().into_bytes()),
        (".order.yaml.swp", order.clone().into_bytes()),
        ("large.yaml", [order.as_bytes(), "# and on\n".repeat(1_200_000).as_bytes()].concat()),
    ];
    assert!(files.iter().any(|(_, bytes)| bytes.len() > 10_000_000));
    for (name, bytes) in &files {
        let room = before.copy();
        room.write(&format!("{FOLDER}/{name}"), bytes);
        holds(&room, name);
    }
    let links = before.copy();
    links.write("elsewhere.yaml", &order);
    symlink(links.path("elsewhere.yaml"), links.path(FOLDER).join("link.yaml")).unwrap();
    holds(&links, "link.yaml");
    let folder = before.copy();
    fs::create_dir(folder.path(FOLDER).join("folder.yaml")).unwrap();
    holds(&folder, "folder.yaml");
    row.end("18 files × 3 runs", (files.len() + 2) * 3, "held, named, exit 4; goes on once mended");
}

/// An order torn after any byte is never taken for another one.
#[test]
fn an_order_torn_anywhere_holds_the_model() {
    let row = Row::begin("torn override");
    let before = about_to_promote();
    let order = a_freeze();
    // Towards the end a torn order reads as another one, so those places are always tried.
    let (begin, end) = (0..order.len()).partition::<Vec<_>, _>(|place| place + 8 < order.len());
    let places = [chosen(&begin, 8), end].concat();
    for end in &places {
        let room = before.copy();
        room.write(&format!("{FOLDER}/torn.yaml"), &order[..*end]);
        let output = room.governed(at(3));
        let said = text(&output.stdout);
        assert_eq!(output.status.code(), Some(4), "torn after {end} bytes: {said}");
        assert!(said.contains("torn.yaml"), "torn after {end} bytes: {said}");
        assert_eq!(room.standing().champion_version(), None);
    }
    row.end("after every byte", places.len(), "held, named, exit 4");
}

/// Another system's line ends change no word of an order.
#[test]
fn line_ends_of_another_system_are_read() {
    let room = about_to_promote();
    room.write(&format!("{FOLDER}/night.yaml"), a_freeze().replace('\n', "\r\n"));
    let output = room.governed(at(3));
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(text(&output.stdout).contains("frozen by `to-freeze`"), "{output:?}");
    assert_eq!(room.standing().versions[&Version::FIRST], State::Promotable);
    assert_eq!(room.standing().champion_version(), None);
    assert_eq!(model(), about_an_order(Order::Freeze).model);
}
