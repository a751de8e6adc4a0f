//! A workspace in a folder that vanishes, at a stated point of a model's life, and the programs run in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

use regent::govern::{Order, Override, Standing, fold};
use regent::registry;
use regent::store::{Disk, Durability};
use regent::types::{ModelName, Span, Timestamp, Version};
use regent::yaml;
use tempfile::TempDir;

pub(crate) const REGENT: &str = env!("CARGO_BIN_EXE_regent");
pub(crate) const GOVERNOR: &str = env!("CARGO_BIN_EXE_governor");
const WEATHER: &str = include_str!("../../data/noaa_rain.csv");
pub(crate) const SECOND: Version = Version::new(1, 1, 0);

/// Few windows, so that a run that seals them has a bounded number of points.
const POLICY: &str = "windows:\n  base: 6h\n  judge: 12h\n  grace: 1m\n";

/// Instants lie around this one: two hours ago, so that what a server writes at its own clock comes after it.
static BEGIN: LazyLock<Timestamp> = LazyLock::new(|| {
    let now = std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH).unwrap();
    Timestamp::from_micros(i64::try_from(now.as_secs()).unwrap() * 1_000_000) - Span::from_hours(2)
});

pub(crate) fn at(minute: i64) -> Timestamp {
    *BEGIN + Span::from_mins(minute)
}

/// When the windows that a server filled are over.
pub(crate) fn a_day_later() -> Timestamp {
    at(28 * 60)
}

/// Memory where there is such a folder: thousands of copies need no disk.
fn somewhere() -> PathBuf {
    let memory = Path::new("/dev/shm");
    let writable = rustix::fs::access(memory, rustix::fs::Access::WRITE_OK).is_ok();
    let chosen = std::env::var_os("REGENT_FAULTS_DIR").map(PathBuf::from);
    chosen.unwrap_or_else(|| if writable { memory.to_owned() } else { std::env::temp_dir() })
}

pub(crate) struct Room(TempDir);

/// Points of a model's life, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Point {
    /// Contract, schema, policy and two files of rows are written.
    Written,
    Registered,
    Ingested,
    /// The first model is published.
    Trained,
    /// It is PROMOTABLE.
    Walked,
    /// It serves.
    Champion,
    /// The second file is taken in.
    MoreRows,
    /// A second model is published.
    Candidate,
    /// Somebody ordered its promotion.
    PromotionOrdered,
    /// It serves.
    Promoted,
    /// Somebody ordered the way back.
    RollbackOrdered,
}

const LIFE: [Point; 11] = [
    Point::Written,
    Point::Registered,
    Point::Ingested,
    Point::Trained,
    Point::Walked,
    Point::Champion,
    Point::MoreRows,
    Point::Candidate,
    Point::PromotionOrdered,
    Point::Promoted,
    Point::RollbackOrdered,
];

impl Room {
    pub(crate) fn empty() -> Room {
        Room(tempfile::Builder::new().prefix("regent-power-").tempdir_in(somewhere()).unwrap())
    }

    /// A workspace at this point of a model's life.
    pub(crate) fn at(point: Point) -> Room {
        let room = Room::empty();
        LIFE.into_iter().filter(|earlier| *earlier <= point).for_each(|point| room.live(point));
        room
    }

    fn live(&self, point: Point) {
        match point {
            Point::Written => self.write_all(),
            Point::Registered => self.done(&["contract", "register", "rain"]),
            Point::Ingested => self.done_at(at(0), &["ingest", "past.csv", "--contract", "rain"]),
            Point::Trained => self.done_at(at(1), &["train", "baseline", "rain"]),
            Point::Walked => self.govern(at(2)),
            Point::Champion => self.govern(at(3)),
            Point::MoreRows => self.done_at(at(4), &["ingest", "more.csv", "--contract", "rain"]),
            Point::Candidate => self.done_at(at(4), &["train", "candidate", "rain"]),
            Point::PromotionOrdered => self.order(Order::Promote, Some(SECOND)),
            Point::Promoted => self.govern(at(5)),
            Point::RollbackOrdered => self.order(Order::Rollback, None),
        }
    }

    fn write_all(&self) {
        self.done(&["init", "--example", "rain"]);
        self.write("governance/rain/policy.yaml", POLICY);
        self.write("past.csv", weather(0, 400));
        self.write("more.csv", weather(400, 300));
        fs::remove_dir_all(self.path("data")).unwrap();
        fs::remove_dir_all(self.path("schemas/json")).unwrap();
    }

    pub(crate) fn copy(&self) -> Room {
        let copy = Room::empty();
        let copied = Command::new("cp").arg("-a").arg(self.path(".")).arg(copy.root()).status().unwrap();
        assert!(copied.success());
        copy
    }

    pub(crate) fn root(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.root().join(path)
    }

    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.root());
        for name in ["REGENT_WORKSPACE", "REGENT_LISTEN", "REGENT_REPLICA"] {
            command.env_remove(name);
        }
        command.env("USER", "ana");
        command
    }

    pub(crate) fn run(&self, program: &str, arguments: &[&str]) -> Output {
        self.command(program, arguments).output().unwrap()
    }

    pub(crate) fn done(&self, arguments: &[&str]) {
        let output = self.run(REGENT, arguments);
        assert_eq!(output.status.code(), Some(0), "regent {arguments:?}: {output:?}");
    }

    fn done_at(&self, now: Timestamp, arguments: &[&str]) {
        let now = now.to_string();
        self.done(&[&["--now", now.as_str()], arguments].concat());
    }

    pub(crate) fn govern(&self, now: Timestamp) {
        let output = self.governed(now);
        assert_eq!(output.status.code(), Some(0), "governor --now {now}: {output:?}");
    }

    pub(crate) fn governed(&self, now: Timestamp) -> Output {
        self.run(GOVERNOR, &["--now", &now.to_string()])
    }

    /// The order as a file that lasts.
    pub(crate) fn order(&self, order: Order, version: Option<Version>) {
        let text = yaml::print(&self.an_order(order, version)).unwrap();
        self.write(&format!("governance/rain/overrides/{order}.yaml"), text);
    }

    pub(crate) fn an_order(&self, order: Order, version: Option<Version>) -> Override {
        let model = model();
        let digest = |version| registry::fetch(&self.store(), &model, version).unwrap().digest();
        Override {
            id: format!("to-{order}"),
            order,
            version,
            bundle: version.map(digest),
            author: "ana".to_owned(),
            reason: "the power fails".to_owned(),
            expires: a_day_later() + Span::from_days(30),
            model,
        }
    }

    pub(crate) fn store(&self) -> Disk {
        Disk::open(self.root().to_owned(), Durability::Durable).unwrap()
    }

    pub(crate) fn standing(&self) -> Standing {
        fold(&self.store(), &model()).unwrap()
    }

    /// What the doctor finds, with the code it ends with.
    pub(crate) fn doctor(&self, now: Timestamp) -> (Option<i32>, serde_json::Value) {
        let output = self.run(REGENT, &["--now", &now.to_string(), "-o", "json", "doctor"]);
        let value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
        (output.status.code(), value)
    }

    /// That the doctor finds nothing to be mended; what a crash may leave is named, and harmless.
    pub(crate) fn is_healthy(&self, now: Timestamp) -> Result<(), String> {
        let (code, value) = self.doctor(now);
        let faults: Vec<_> = value["findings"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|finding| finding["level"] == "fail" || (finding["level"] == "warn" && !may_stay(finding)))
            .collect();
        if code == Some(0) && faults.is_empty() {
            Ok(())
        } else {
            Err(format!("doctor ends with {code:?}: {faults:?}"))
        }
    }
}

/// What a crash may leave, and what concerns the machine that runs the test.
fn may_stay(finding: &serde_json::Value) -> bool {
    ["leftovers", "spool", "room", "governor", "draft", "overrides"].iter().any(|check| finding["check"] == *check)
}

pub(crate) fn model() -> ModelName {
    "rain".parse().unwrap()
}

/// Rows of the weather file with its header.
fn weather(skip: usize, take: usize) -> String {
    let mut lines = WEATHER.lines();
    let header = lines.next().unwrap();
    let rows: Vec<&str> = lines.skip(skip).take(take).collect();
    format!("{header}\n{}\n", rows.join("\n"))
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
