//! Every layer type against a slow definition of it: nested loops over indices in `f64`.
//!
//! The goldens of stock ncnn say what single cases give. These say what all cases give, so
//! that options, ranks and sizes meet which no golden has together.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod attention;
mod detection;
mod effects;
mod elementwise;
mod interpolation;
mod lines;
mod moves;
mod norms;
mod operands;
mod paddings;
mod pools;
mod products;
mod recurrent;
mod reductions;
mod refusals;
mod regions;
mod support;
mod threads;
mod windows;
