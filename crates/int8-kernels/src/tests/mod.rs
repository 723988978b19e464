//! Every kernel against its definition. What a kernel leaves and what it must not touch is private to the crate, so
//! these checks are too.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod kernels;
mod refused;
mod report;
mod rows;
mod winograd;
