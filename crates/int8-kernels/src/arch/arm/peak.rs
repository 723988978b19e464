//! What the CPU could do if the dense kernel had no loads.

use std::arch::naked_asm;

use super::call::call;

/// What the register-only loop reads and leaves, word by word.
#[repr(C)]
struct Rounds {
    /// At least 1.
    count: usize,
    sum: i32,
}

/// Multiply-accumulates of one round of [`peak`].
pub(super) const MACS: u64 = 8 * 16;

/// Products of 16 depths for 8 sums, so many times.
///
/// # Safety
/// The CPU has NEON.
pub(super) unsafe fn peak(rounds: u64) -> i32 {
    let mut work = Rounds { count: usize::try_from(rounds).unwrap_or(usize::MAX).max(1), sum: 0 };
    // SAFETY: promised by the caller.
    unsafe { call(register_loop, &mut work) };
    work.sum
}

/// All of this file.
#[cfg(test)]
pub(super) fn kernels() -> [usize; 1] {
    [register_loop as super::call::Kernel<Rounds> as usize]
}

macro_rules! products {
    ($($sum:literal)*) => {
        concat!($("vmull.s8 q2, d0, d2\nvmlal.s8 q2, d1, d3\nvpadal.s16 ", $sum, ", q2\n"),*)
    };
}

#[unsafe(naked)]
unsafe extern "C" fn register_loop(work: *mut Rounds) {
    naked_asm!(
        neon!(),
        "ldr r1, [r0]",
        "vmov.i8 q0, #1",
        "vmov.i8 q1, #1",
        "10:",
        "subs r1, r1, #1",
        products!("q8" "q9" "q10" "q11" "q12" "q13" "q14" "q15"),
        "bne 10b",
        "vmov.32 r1, d16[0]",
        "str r1, [r0, #4]",
        "bx lr",
        options(raw)
    )
}
