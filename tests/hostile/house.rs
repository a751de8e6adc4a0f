//! A workspace with a champion, in a folder that vanishes.

use std::fs;
use std::process::Command;
use std::sync::LazyLock;

use tempfile::TempDir;

use super::server::{Door, Server};

pub(crate) const REGENT: &str = env!("CARGO_BIN_EXE_regent");
const WEATHER: &str = include_str!("../../data/noaa_rain.csv");

/// What the champion answers.
pub(crate) const SOUND: &str = r#"{"features":{"temperature":-0.4,"dew_point":0.9,"sea_level_pressure":-0.8,"visibility":-1.2,"average_wind_speed":0.6,"max_sustained_wind_speed":0.5,"minimum_temperature":-0.1,"maximum_temperature":-0.5}}"#;

static BORN: LazyLock<House> = LazyLock::new(|| {
    let house = House(tempfile::tempdir().unwrap());
    house.done(REGENT, &["init", "--example", "rain"]);
    house.done(REGENT, &["contract", "register", "rain"]);
    let rows: String = WEATHER.lines().take(401).map(|line| format!("{line}\n")).collect();
    fs::write(house.0.path().join("past.csv"), rows).unwrap();
    house.done(REGENT, &["ingest", "past.csv", "--contract", "rain"]);
    house.done(REGENT, &["train", "baseline", "rain"]);
    for _ in 0..2 {
        house.done(env!("CARGO_BIN_EXE_governor"), &[]);
    }
    house
});

pub(crate) struct House(TempDir);

impl House {
    /// A copy of one that is made once.
    pub(crate) fn with_champion() -> House {
        let house = House(tempfile::tempdir().unwrap());
        let copied = Command::new("cp").arg("-a").arg(BORN.0.path().join(".")).arg(house.0.path()).status();
        assert!(copied.unwrap().success());
        house
    }

    pub(crate) fn serve(&self, door: Door, arguments: &[&str]) -> Server {
        let serve = ["-v", "serve", "rain", "--listen", "127.0.0.1:0", "--door", door.word()];
        Server::of(self.command(REGENT, &[&serve, arguments].concat())).unwrap()
    }

    pub(crate) fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.0.path());
        for name in ["REGENT_WORKSPACE", "REGENT_LISTEN", "REGENT_REPLICA"] {
            command.env_remove(name);
        }
        command
    }

    fn done(&self, program: &str, arguments: &[&str]) {
        let output = self.command(program, arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{program} {arguments:?}: {output:?}");
    }
}
