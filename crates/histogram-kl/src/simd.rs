//! The best vector instructions of this machine for plain loops.

use pulp::Arch;

/// Runs `work` compiled for the widest vectors that this CPU has.
///
/// Only what is inlined into `work` profits: mark it `#[inline(always)]`. No
/// operations are fused or reordered, so the result is the same everywhere.
#[inline(always)]
pub(crate) fn vectorized<R>(work: impl FnOnce() -> R) -> R {
    Arch::new().dispatch(work)
}
