//! ARMv7 with NEON: kernels in assembly, because stable Rust has neither the intrinsics nor the feature.
//!
//! 1. Every kernel is a naked function of one pointer to what it works on, so that its symbol and its calls are
//!    checked by the compiler and its code is only what stands here. (An `asm!` block cannot name NEON's registers
//!    as clobbered while the compiler thinks that there are none: it drops them in silence.)
//! 2. Under the procedure call standard `d0`–`d7`, `d16`–`d31`, `r0`–`r3` and `r12` are free; kernels save others
//!    that they use. The tests of `call.rs` look at every kernel.
//! 3. NEON takes denormal floats for zero. What could tell goes the portable way, which each file explains.

/// First line of every kernel: instructions of ARMv7 with NEON, whatever the compiler was told.
macro_rules! neon {
    () => {
        ".syntax unified\n.arch armv7-a\n.fpu neon"
    };
}

#[macro_use]
mod rounds;
mod call;
mod dense;
mod depthwise;
mod finish;
mod peak;
mod residual;
mod rows;
mod transforms;
mod winograd;

use crate::contract::MicroKernels;
use crate::isa::Level;

pub(super) static KERNELS: MicroKernels = MicroKernels {
    level: Level::Neon,
    dense: dense::DENSE,
    depthwise: depthwise::DEPTHWISE,
    winograd: Some(winograd::WINOGRAD),
    finish: finish::finish,
    rows: rows::ROWS,
    peak: (peak::MACS, peak::peak),
};
