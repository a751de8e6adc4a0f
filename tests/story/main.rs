//! The story of a model's life as tests, a chapter for each part of it, and tidy, which keeps the house in order.
#![cfg(test)] // clippy then takes helpers for what they are: tests, which may unwrap
#![expect(clippy::disallowed_methods, reason = "tests look at the disk, the clock and the programs from outside")]

mod estate;
mod receivers;
mod stage;

mod a_bad_candidate_is_refused;
mod a_candidate_rises;
mod a_human_intervenes;
mod a_model_from_elsewhere;
mod a_model_is_born;
mod a_model_serves;
mod a_training_in_flight;
mod a_version_is_carried;
mod an_auditor_comes;
mod labels_come_in;
mod neighbours;
mod neighbours_are_told;
mod nobody_else_writes;
mod only_what_verifies;
mod people_are_told;
mod somebody_looks;
mod the_power_fails;
mod the_world_drifts;
mod two_files;
mod what_was_decided_is_known;
mod who_may_call;
mod windows_are_looked_at;

mod commands;
mod programs;
mod readme;
mod tidy;
