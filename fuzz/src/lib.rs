//! What the fuzz targets share: an allocator that refuses, and the bound it enforces.

#![forbid(unsafe_code)]

use std::alloc::System;

use cap::Cap;

/// Counts what is allocated; a request above the limit aborts the process, which
/// libFuzzer reports as a crash of the input at hand.
#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// The bound of reading: so many bytes of memory for each byte of input ...
///
/// A layer line has at least eight bytes (`A b 0 0⏎`), a [`ncnn_format::Layer`] has
/// about two hundred, and a vector that grows holds up to three times its elements
/// for a moment.
const PER_BYTE: usize = 128;
/// ... and so many on top, for warnings (at most a thousand) and messages.
const ON_TOP: usize = 512 * 1024;

/// Runs `read` and aborts if it holds more memory at any moment than an input of
/// `len` bytes justifies.
pub fn bounded<T>(len: usize, read: impl FnOnce() -> T) -> T {
    bounded_by(len.saturating_mul(PER_BYTE).saturating_add(ON_TOP), read)
}

/// Runs `work` and aborts if it holds more than `bytes` at any moment.
pub fn bounded_by<T>(bytes: usize, work: impl FnOnce() -> T) -> T {
    let limit = ALLOCATOR.allocated().saturating_add(bytes);
    assert!(ALLOCATOR.set_limit(limit).is_ok(), "the limit is above what is allocated");
    let result = work();
    assert!(ALLOCATOR.set_limit(usize::MAX).is_ok(), "there is no larger limit");
    result
}

/// Whether `text` is none of 2017, which has no magic number and is written back in
/// today's words.
pub fn has_magic(text: &str) -> bool {
    let start = text.trim_start_matches([' ', '\t', '\n', '\x0b', '\x0c', '\r']);
    start.strip_prefix('+').unwrap_or(start).starts_with("7767517")
}
