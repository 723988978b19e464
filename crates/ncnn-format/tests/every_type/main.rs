//! Laws that hold for every layer type: its parameters, its weights, and damaged files of it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod damage;
mod parameters;
mod support;
mod tables;
mod weights;
