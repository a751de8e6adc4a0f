//! The commands that change something, each with the workspace it is given in and what is typed after a crash.

use regent::govern::Order;

use super::room::{GOVERNOR, Point, REGENT, Room, a_day_later, at};
use super::serving;

/// One command on its way from an old state to a new one.
pub(crate) struct Scene {
    pub(crate) name: &'static str,
    pub(crate) before: Room,
    pub(crate) program: &'static str,
    pub(crate) arguments: Vec<String>,
    /// It takes something back: a file may go, and once it is gone there is nothing to take back.
    pub(crate) takes_back: bool,
    /// Instants at which the governor is run after it, with and without a crash.
    pub(crate) afterwards: Vec<regent::types::Timestamp>,
}

impl Scene {
    fn regent(name: &'static str, before: Room, arguments: &[&str]) -> Scene {
        let arguments = arguments.iter().map(|word| (*word).to_owned()).collect();
        Scene { name, before, program: REGENT, arguments, takes_back: false, afterwards: Vec::new() }
    }

    fn governor(name: &'static str, before: Room, now: regent::types::Timestamp) -> Scene {
        let arguments = vec!["--now".to_owned(), now.to_string()];
        Scene { name, before, program: GOVERNOR, arguments, takes_back: false, afterwards: Vec::new() }
    }

    pub(crate) fn arguments(&self) -> Vec<&str> {
        self.arguments.iter().map(String::as_str).collect()
    }
}

pub(crate) fn init() -> Scene {
    Scene::regent("init", Room::empty(), &["init"])
}

pub(crate) fn draft() -> Scene {
    let arguments = ["contract", "infer", "rain", "--target", "rain", "--name", "shower", "--write"];
    Scene::regent("draft", Room::at(Point::Written), &arguments)
}

pub(crate) fn register() -> Scene {
    Scene::regent("register", Room::at(Point::Written), &["contract", "register", "rain"])
}

pub(crate) fn ingest() -> Scene {
    let now = at(0).to_string();
    let typed = ["--now", &now, "ingest", "past.csv", "--contract", "rain"];
    Scene::regent("ingest", Room::at(Point::Registered), &typed)
}

pub(crate) fn train() -> Scene {
    let now = at(1).to_string();
    let scene = Scene::regent("train", Room::at(Point::Ingested), &["train", "baseline", "rain", "--now", &now]);
    // A training that fell silent is repeated after an hour; then the model walks on.
    Scene { afterwards: vec![at(70), at(71), at(72)], ..scene }
}

pub(crate) fn govern() -> Scene {
    Scene::governor("govern", Room::at(Point::Trained), at(2))
}

pub(crate) fn promote_the_first() -> Scene {
    Scene::governor("promote the first", Room::at(Point::Walked), at(3))
}

pub(crate) fn promote() -> Scene {
    Scene::governor("promote", Room::at(Point::PromotionOrdered), at(5))
}

pub(crate) fn roll_back() -> Scene {
    Scene::governor("roll back", Room::at(Point::RollbackOrdered), at(6))
}

/// An order that changes nothing else is obeyed once, and journalled.
pub(crate) fn obey() -> Scene {
    let room = Room::at(Point::Champion);
    room.order(Order::Clock, None);
    Scene::governor("obey an override", room, at(6))
}

/// A governor takes in a file, and trains by order.
pub(crate) fn retrain() -> Scene {
    let room = Room::at(Point::Champion);
    room.write("governance/rain/policy.yaml", "windows:\n  base: 6h\n  judge: 12h\n  grace: 1m\nsources: [more.csv]\n");
    room.order(Order::Retrain, None);
    let scene = Scene::governor("take in, train", room, at(5));
    Scene { afterwards: vec![at(70), at(71), at(72)], ..scene }
}

/// Somebody gives an order.
pub(crate) fn give_an_order() -> Scene {
    let now = at(6).to_string();
    let typed =
        ["--now", &now, "override", "set", "rain", "freeze", "--reason", "night", "--for", "24h", "--id", "night"];
    Scene::regent("override set", Room::at(Point::Champion), &typed)
}

/// And takes it back.
pub(crate) fn take_an_order_back() -> Scene {
    let room = Room::at(Point::Champion);
    room.order(Order::Freeze, None);
    let now = at(6).to_string();
    let scene = Scene::regent("override clear", room, &["--now", &now, "override", "clear", "rain", "to-freeze"]);
    Scene { takes_back: true, ..scene }
}

/// A version is signed.
pub(crate) fn sign() -> Scene {
    let room = Room::at(Point::Trained);
    room.done(&["signing", "keygen", "--out", "key.pem"]);
    Scene::regent("sign", room, &["registry", "sign", "rain", "1.0.0", "--key", "key.pem"])
}

/// A version leaves as one file.
pub(crate) fn export() -> Scene {
    Scene::regent("export", Room::at(Point::Trained), &["registry", "export", "rain", "1.0.0", "--out", "rain.tar"])
}

/// It enters another registry.
pub(crate) fn import() -> Scene {
    let elsewhere = Room::at(Point::Trained);
    elsewhere.done(&["registry", "export", "rain", "1.0.0", "--out", "rain.tar"]);
    let room = Room::at(Point::Registered);
    room.write("rain.tar", std::fs::read(elsewhere.path("rain.tar")).unwrap());
    Scene::regent("import", room, &["registry", "import", "rain.tar"])
}

/// Windows are sealed and judged.
pub(crate) fn judge() -> Scene {
    let room = Room::at(Point::Champion);
    serving::answer_and_stop(&room, 30);
    Scene::governor("seal windows, judge", room, a_day_later())
}
