//! Criterion benches across the crates.

#![forbid(unsafe_code)]
