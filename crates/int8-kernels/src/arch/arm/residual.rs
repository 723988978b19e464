//! What is added to values before they leave a tile.
//!
//! Values are zero or multiples of 2^-104 (see `finish.rs`). If addends are zero or at least 2^-81, so are their
//! sums, and no denormal float occurs. The assembly keeps the least addend; if that is less, VFP adds again.

use std::arch::naked_asm;

use super::call::call;
use super::rows::dequantize;
use crate::activation::Activation;
use crate::finish::Tile;
use crate::sink::{Addend, Residual, Sink};

/// Channels that a kernel computes.
pub(super) const BLOCK: usize = 8;
/// Pixels that go through the buffer at a time.
pub(super) const PIXELS: usize = 16;

/// What the assembly reads and leaves, word by word.
#[repr(C)]
struct Work {
    /// Blocks of all pixels, one after the other.
    values: *const f32,
    addends: *const f32,
    /// Bytes from one pixel's addends to the next.
    step: usize,
    to: *mut f32,
    /// At least 1.
    pixels: usize,
    /// Zero, or all bits if sums that are not positive stay.
    kept: u32,
    /// How tiny an addend is: minus twice the bits of the least that is not zero.
    tiny: u32,
}

/// The largest [`Work::tiny`] of addends of 2^-81 or more.
const TINY: u32 = 0xD200_0000;

/// `then(value + addend)` of a block of some pixels, at least one and at most [`PIXELS`].
///
/// # Safety
/// As of `finish`.
pub(super) unsafe fn add(residual: &Residual<'_>, block: &Tile<'_>, sinks: &[Sink<'_>], values: &mut [f32]) {
    let mut dequantized = [0.0; PIXELS * BLOCK];
    let (addends, step) = match (&residual.addend, sinks) {
        (Addend::F32 { values, pixel_stride }, _) => {
            (&values[block.whole_pixel * pixel_stride + block.channel..], *pixel_stride)
        }
        (Addend::InSink, [Sink::F32 { values, place }, ..]) => {
            let start = block.pixel * place.pixel_stride + place.first_channel + block.channel;
            (&values[start..], place.pixel_stride)
        }
        (Addend::I8 { image, step }, _) => {
            let stride = image.pixel_stride();
            let mut bytes = [0; PIXELS * BLOCK];
            let from = image.bytes()[block.whole_pixel * stride + block.channel..].chunks(stride);
            for (bytes, from) in bytes.as_chunks_mut::<BLOCK>().0.iter_mut().zip(from).take(block.pixels) {
                bytes.copy_from_slice(&from[..BLOCK]);
            }
            // SAFETY: promised by the caller.
            unsafe { dequantize(&bytes[..values.len()], *step, &mut dequantized[..values.len()]) };
            (&dequantized[..], BLOCK)
        }
        // There is no such sink; `Residual::check` refuses that.
        (Addend::InSink, _) => (&dequantized[..], BLOCK),
    };
    if matches!(residual.then, Activation::None | Activation::Relu) {
        let mut sums = [0.0; PIXELS * BLOCK];
        let mut work = Work {
            values: values[..block.pixels * BLOCK].as_ptr(),
            addends: addends[..(block.pixels - 1) * step + BLOCK].as_ptr(),
            // The step of a single pixel may be any number, and nobody goes that way.
            step: step.wrapping_mul(size_of::<f32>()),
            to: sums[..block.pixels * BLOCK].as_mut_ptr(),
            pixels: block.pixels,
            kept: if residual.then == Activation::None { u32::MAX } else { 0 },
            tiny: 0,
        };
        // SAFETY: promised by the caller; the slices have blocks of all pixels, since no product wrapped.
        unsafe { call(add_blocks, &mut work) };
        if work.tiny <= TINY {
            values.copy_from_slice(&sums[..values.len()]);
            return;
        }
    }
    for (values, addends) in values.as_chunks_mut::<BLOCK>().0.iter_mut().zip(addends.chunks(step)) {
        for (value, addend) in values.iter_mut().zip(addends) {
            *value = residual.then.apply(*value + addend);
        }
    }
}

/// All of this file.
#[cfg(test)]
pub(super) fn kernels() -> [usize; 1] {
    [add_blocks as super::call::Kernel<Work> as usize]
}

/// `r1` values; `r2` addends, `r3` their step; `r4` to; `r12` pixels left; `q12` what is kept; `q13` tiny.
#[unsafe(naked)]
unsafe extern "C" fn add_blocks(work: *mut Work) {
    naked_asm!(
        neon!(),
        "push {r4, lr}",
        "ldm r0!, {r1-r4, r12}",
        "vld1.32 {d24[], d25[]}, [r0]!",
        "vmov.i32 q13, #0",
        "10:",
        "vld1.32 {d0-d3}, [r1]!",
        "vld1.32 {d4-d7}, [r2], r3",
        "subs r12, r12, #1",
        "vshl.i32 q8, q2, #1",
        "vshl.i32 q9, q3, #1",
        "vadd.f32 q0, q0, q2",
        "vadd.f32 q1, q1, q3",
        "vneg.s32 q8, q8",
        "vneg.s32 q9, q9",
        "vcgt.f32 q2, q0, #0",
        "vcgt.f32 q3, q1, #0",
        "vmax.u32 q13, q13, q8",
        "vmax.u32 q13, q13, q9",
        "vorr q2, q2, q12",
        "vorr q3, q3, q12",
        "vand q0, q0, q2",
        "vand q1, q1, q3",
        "vst1.32 {d0-d3}, [r4]!",
        "bne 10b",
        "vpmax.u32 d26, d26, d27",
        "vpmax.u32 d26, d26, d26",
        "vst1.32 {d26[0]}, [r0]",
        "pop {r4, pc}",
        options(raw)
    )
}
