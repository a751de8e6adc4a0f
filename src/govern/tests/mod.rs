//! Governing under fire: the transition table and its edges, orders, bad evidence, long random walks, and a model check to the end.

mod bad_evidence;
mod edges;
mod evidence;
mod files;
mod laws;
mod model;
mod orders;
mod rejection;
mod scene;
mod standing;
mod table;
mod walks;
