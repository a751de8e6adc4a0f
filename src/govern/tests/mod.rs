//! Governing under fire: the transition table, orders, bad evidence, long random walks, and a model check to the end.

mod bad_evidence;
mod laws;
mod model;
mod orders;
mod scene;
mod table;
mod walks;
