//! Nothing is lost: servers under load are told to stop, killed, left without room, multiplied, and given one champion after
//! another; then what was answered is held against what is in the log. `make test-steady` does all of it against a release build and
//! prints a table, `make test` does a little of each.
#![cfg(test)] // clippy then takes helpers for what they are: tests, which may unwrap
#![expect(clippy::disallowed_methods, reason = "tests look at the disk, the clock and the programs from outside")]

mod load;
#[path = "../power/room.rs"]
mod room;
#[path = "../hostile/server.rs"]
#[expect(dead_code, reason = "who asks politely looks at less than who attacks")]
mod server;
#[path = "../power/small.rs"]
mod small;
#[path = "../power/table.rs"]
#[expect(dead_code, reason = "turns are counted here, and points are chosen there")]
mod table;

mod changes;
mod damage;
mod full;
mod replicas;
mod shadow;
mod start;
mod stopped;
