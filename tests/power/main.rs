//! The power fails: faults are brought to the programs from outside, at every point at which they write, and what is left is
//! looked at. `make test-faults` runs all of it and prints a table; `make test` runs a few points of each.
#![cfg(test)] // clippy then takes helpers for what they are: tests, which may unwrap
#![expect(clippy::disallowed_methods, reason = "tests look at the disk, the clock and the programs from outside")]

mod room;
mod scenes;
mod serving;
mod small;
mod state;
mod strace;
mod table;

mod clock;
mod crowd;
mod doctor;
mod full_disk;
mod injected;
mod order;
mod orders;
