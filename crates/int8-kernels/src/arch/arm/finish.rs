//! The epilogue: 8 channels of every pixel of a tile at a time.
//!
//! 1. A single sink without a residual has a kernel that goes from sums to floats or to bytes.
//! 2. Otherwise the values go through a buffer, where residuals are added.
//! 3. What has no assembly goes the portable way: rare activations, a fused bias (ARMv7 has no NEON instruction
//!    that rounds once without VFPv4), channels beyond the last eight.
//!
//! # Denormal floats
//!
//! NEON takes them for zero. If every scale and bias is zero or at least 2^-81, none occurs: f32(sum) · scale is a
//! multiple of the last place of 2^-81, 2^-104, so is the bias, and so is their sum, rounded or not. Limits of a clip
//! must be zero or as large, and a slope zero or at least 2^-20, which leaves products of 2^-124. The assembly
//! looks at scales and bias and stops before channels of others ([`Work::blocks`]).

use std::arch::naked_asm;

use super::call::{Kernel, call};
use super::residual::{BLOCK, PIXELS, add};
use super::rows::{is_plain_scale, quantize_apart};
use crate::activation::Activation;
use crate::finish::{Finish, Tile, finish_values};
use crate::image::stored;
use crate::quantize::quantize;
use crate::sink::Sink;

/// What the assembly reads, word by word.
#[repr(C)]
struct Work<To> {
    sums: *const i32,
    /// Bytes from one pixel's sums to the next.
    sums_step: usize,
    scales: *const f32,
    bias: *const f32,
    pixels: usize,
    to: *mut To,
    /// Bytes from one pixel's values to the next.
    to_step: usize,
    /// Slope, or least and largest value.
    limits: [f32; 2],
    /// Of bytes.
    scale: f32,
    /// Least and largest twice the byte.
    bounds: [i16; 2],
    /// Blocks of channels, which the assembly counts down. It stops before one with scales or bias that it must
    /// leave alone.
    blocks: usize,
}

/// The kernels of an activation.
#[derive(Clone, Copy)]
struct Activated {
    activation: Activation,
    limits: [f32; 2],
    floats: Kernel<Work<f32>>,
    bytes: Kernel<Work<u8>>,
}

/// # Safety
/// The CPU has NEON, and what [`MicroKernels::finish`](crate::contract::MicroKernels::finish) asks holds.
pub(super) unsafe fn finish(finish: &Finish<'_>, tile: &Tile<'_>, sinks: &mut [Sink<'_>]) {
    let Some(activated) = Activated::new(finish.activation).filter(|_| !finish.fused_bias && tile.pixels > 0) else {
        return finish_values(finish, tile, sinks);
    };
    let whole = tile.channels / BLOCK * BLOCK;
    let mut first = 0;
    while first < whole {
        let blocks = part(tile, first, whole - first);
        let done = match (&finish.residual, &mut *sinks) {
            (None, [Sink::F32 { values, place }]) => {
                let start = blocks.pixel * place.pixel_stride + place.first_channel + blocks.channel;
                let to = &mut values[start..];
                // SAFETY: promised by the caller.
                unsafe { run(activated.floats, &activated, finish, &blocks, to, place.pixel_stride, 0.0) }
            }
            (None, [Sink::I8 { bytes, place, scale }]) if activated.has_bytes(*scale) => {
                let start = blocks.pixel * place.pixel_stride + place.first_channel + blocks.channel;
                let to = &mut bytes[start..];
                // SAFETY: promised by the caller.
                unsafe { run(activated.bytes, &activated, finish, &blocks, to, place.pixel_stride, *scale) }
            }
            // SAFETY: promised by the caller.
            _ => unsafe { distribute(&activated, finish, &blocks, sinks) },
        };
        first += done;
        if done < blocks.channels {
            finish_values(finish, &part(tile, first, BLOCK), sinks);
            first += BLOCK;
        }
    }
    if whole < tile.channels {
        finish_values(finish, &part(tile, whole, tile.channels - whole), sinks);
    }
}

/// Some channels of a tile.
fn part<'a>(tile: &Tile<'a>, first: usize, channels: usize) -> Tile<'a> {
    Tile { sums: &tile.sums[first..], lane: tile.lane + first, channel: tile.channel + first, channels, ..*tile }
}

/// Some pixels of a tile.
fn rows<'a>(tile: &Tile<'a>, first: usize, pixels: usize) -> Tile<'a> {
    Tile {
        sums: &tile.sums[first * tile.stride..],
        pixels,
        pixel: tile.pixel + first,
        whole_pixel: tile.whole_pixel + first,
        ..*tile
    }
}

/// Computes blocks, one pixel's `step` elements after the other's, until one that is not for the assembly. Returns
/// how many channels are done.
///
/// # Safety
/// As of [`finish`], of a `step` too; `kernel` is one of this file.
unsafe fn run<To>(
    kernel: Kernel<Work<To>>,
    activated: &Activated,
    finish: &Finish<'_>,
    tile: &Tile<'_>,
    to: &mut [To],
    step: usize,
    scale: f32,
) -> usize {
    let channels = tile.channels / BLOCK * BLOCK;
    let mut work = Work {
        sums: tile.sums[..(tile.pixels - 1) * tile.stride + channels].as_ptr(),
        sums_step: tile.stride * size_of::<i32>(),
        scales: finish.scales[tile.lane..][..channels].as_ptr(),
        bias: finish.bias[tile.lane..][..channels].as_ptr(),
        pixels: tile.pixels,
        to: to[..(tile.pixels - 1) * step + channels].as_mut_ptr(),
        // The step of a single pixel may be any number, and nobody goes that way.
        to_step: step.wrapping_mul(size_of::<To>()),
        limits: activated.limits,
        scale,
        bounds: activated.bounds(scale),
        blocks: channels / BLOCK,
    };
    // SAFETY: promised by the caller; the slices have what it reads and writes, since no product wrapped.
    unsafe { call(kernel, &mut work) };
    channels - work.blocks * BLOCK
}

/// Blocks to any sinks, until one that is not for the assembly. Returns how many channels are done.
///
/// # Safety
/// As of [`finish`].
unsafe fn distribute(activated: &Activated, finish: &Finish<'_>, tile: &Tile<'_>, sinks: &mut [Sink<'_>]) -> usize {
    for first in (0..tile.channels).step_by(BLOCK) {
        let block = part(tile, first, BLOCK);
        for first_pixel in (0..block.pixels).step_by(PIXELS) {
            let block = rows(&block, first_pixel, PIXELS.min(block.pixels - first_pixel));
            let mut buffer = [0.0; PIXELS * BLOCK];
            let values = &mut buffer[..block.pixels * BLOCK];
            // Scales and bias are those of all pixels, so the first of them decides.
            // SAFETY: promised by the caller.
            if unsafe { run(activated.floats, activated, finish, &block, values, BLOCK, 0.0) } == 0 {
                return first;
            }
            if let Some(residual) = &finish.residual {
                // SAFETY: promised by the caller.
                unsafe { add(residual, &block, sinks, values) };
            }
            for sink in &mut *sinks {
                // SAFETY: promised by the caller.
                unsafe { store(sink, &block, values) };
            }
        }
    }
    tile.channels
}

/// # Safety
/// The CPU has NEON.
unsafe fn store(sink: &mut Sink<'_>, block: &Tile<'_>, values: &[f32]) {
    match sink {
        Sink::F32 { values: to, place } => {
            let start = block.pixel * place.pixel_stride + place.first_channel + block.channel;
            for (values, to) in values.as_chunks::<BLOCK>().0.iter().zip(to[start..].chunks_mut(place.pixel_stride)) {
                to[..BLOCK].copy_from_slice(values);
            }
        }
        Sink::I8 { bytes: to, place, scale } => {
            let start = block.pixel * place.pixel_stride + place.first_channel + block.channel;
            let to = &mut to[start..];
            if is_plain_scale(*scale) {
                // SAFETY: promised by the caller.
                return unsafe { quantize_apart(values, *scale, to, place.pixel_stride) };
            }
            for (values, to) in values.as_chunks::<BLOCK>().0.iter().zip(to.chunks_mut(place.pixel_stride)) {
                to.iter_mut().zip(values).for_each(|(to, &value)| *to = stored(quantize(value, *scale)));
            }
        }
    }
}

impl Activated {
    /// Whether the kernel of bytes gives what floats would give when quantized.
    ///
    /// Limits are applied after quantizing, to twice the value without its fraction. That is the same for a scale
    /// that is not negative, because products and cuts keep the order of values, if the limits let zero through,
    /// which NaN has become.
    fn has_bytes(&self, scale: f32) -> bool {
        let is_in_order = match self.activation {
            Activation::Relu => scale >= 0.0,
            Activation::Clip { min, max } => scale >= 0.0 && min <= 0.0 && max >= 0.0,
            _ => true,
        };
        is_in_order && is_plain_scale(scale)
    }

    /// Limits of twice a byte.
    fn bounds(&self, scale: f32) -> [i16; 2] {
        const LARGEST: f32 = 254.0;
        let bounds = match self.activation {
            Activation::Relu => [0.0, LARGEST],
            Activation::Clip { min, max } => [min, max].map(|limit| 2.0 * (limit * scale)),
            _ => [-LARGEST, LARGEST],
        };
        bounds.map(|bound| bound.clamp(-LARGEST, LARGEST) as i16)
    }

    /// `None` for what has no assembly.
    fn new(activation: Activation) -> Option<Self> {
        let is_at_least = |value: f32, least: f32| value == 0.0 || value.abs() >= least;
        let tiny = f32::from_bits((127 - 81) << 23);
        match activation {
            Activation::None => Some(Self { activation, limits: [0.0; 2], floats: floats_plain, bytes: bytes_plain }),
            Activation::Relu => Some(Self { activation, limits: [0.0; 2], floats: floats_relu, bytes: bytes_relu }),
            Activation::LeakyRelu { slope } if is_at_least(slope, f32::from_bits((127 - 20) << 23)) => {
                Some(Self { activation, limits: [slope; 2], floats: floats_leaky, bytes: bytes_leaky })
            }
            Activation::Clip { min, max } if is_at_least(min, tiny) && is_at_least(max, tiny) => {
                Some(Self { activation, limits: [min, max], floats: floats_clip, bytes: bytes_clip })
            }
            _ => None,
        }
    }
}

/// All of this file.
#[cfg(test)]
pub(super) fn kernels() -> [usize; 8] {
    let floats: [Kernel<Work<f32>>; 4] = [floats_plain, floats_relu, floats_leaky, floats_clip];
    let bytes: [Kernel<Work<u8>>; 4] = [bytes_plain, bytes_relu, bytes_leaky, bytes_clip];
    let (floats, bytes) = (floats.map(|kernel| kernel as usize), bytes.map(|kernel| kernel as usize));
    std::array::from_fn(|index| if index < 4 { floats[index] } else { bytes[index - 4] })
}

/// A kernel: `r1` sums, `r2` their step; `r3` pixels left; `r12` to, `r4` its step; `r5` scales, `r6` bias; `r7` sums
/// and `r8` to of the next block. `q8`, `q9` scales; `q10`, `q11` bias; `q12`, `q13` limits; `q14` scale of bytes;
/// `q15`, `q4` bounds; `q0`, `q1` values.
macro_rules! finish_kernel {
    ($name:ident, $to:ty, $block_bytes:literal, [$($activation:literal)*], [$($store:literal)*]) => {
        #[unsafe(naked)]
        unsafe extern "C" fn $name(work: *mut Work<$to>) {
            naked_asm!(
                neon!(),
                "push {r4-r8, lr}",
                "vpush {d8-d9}",
                "ldr r7, [r0]",
                "ldr r2, [r0, #4]",
                "ldr r5, [r0, #8]",
                "ldr r6, [r0, #12]",
                "ldr r8, [r0, #20]",
                "ldr r4, [r0, #24]",
                "add r12, r0, #28",
                "vld1.32 {d24[], d25[]}, [r12]!",
                "vld1.32 {d26[], d27[]}, [r12]!",
                "vld1.32 {d28[], d29[]}, [r12]!",
                "vld1.16 {d30[], d31[]}, [r12]!",
                "vld1.16 {d8[], d9[]}, [r12]",
                "10:", // block
                "vld1.32 {d16-d19}, [r5]!",
                "vld1.32 {d20-d23}, [r6]!",
                // Without the sign and negative, zero is the least number, and what is below 2^-81 is large.
                "vshl.i32 q0, q8, #1",
                "vshl.i32 q1, q9, #1",
                "vshl.i32 q2, q10, #1",
                "vshl.i32 q3, q11, #1",
                "vneg.s32 q0, q0",
                "vneg.s32 q1, q1",
                "vneg.s32 q2, q2",
                "vneg.s32 q3, q3",
                "vmax.u32 q0, q0, q1",
                "vmax.u32 q2, q2, q3",
                "vmax.u32 q0, q0, q2",
                "vpmax.u32 d0, d0, d1",
                "vpmax.u32 d0, d0, d0",
                "vmov.32 r1, d0[0]",
                "ldr r3, [r0, #16]",
                "mov r12, r8",
                "cmp r1, #0xd2000000",
                "mov r1, r7",
                "bhi 30f",
                "add r7, r7, #32",
                concat!("add r8, r8, #", $block_bytes),
                "20:", // pixel
                "vld1.32 {d0-d3}, [r1], r2",
                "subs r3, r3, #1",
                "vcvt.f32.s32 q0, q0",
                "vcvt.f32.s32 q1, q1",
                "vmul.f32 q0, q0, q8",
                "vmul.f32 q1, q1, q9",
                "vadd.f32 q0, q0, q10",
                "vadd.f32 q1, q1, q11",
                $($activation,)*
                $($store,)*
                "bne 20b",
                "ldr r1, [r0, #44]",
                "subs r1, r1, #1",
                "str r1, [r0, #44]",
                "bne 10b",
                "30:",
                "vpop {d8-d9}",
                "pop {r4-r8, pc}",
                options(raw)
            )
        }
    };
}

macro_rules! to_floats {
    ($name:ident, [$($activation:literal)*]) => {
        finish_kernel!($name, f32, 32, [$($activation)*], ["vst1.32 {d0-d3}, [r12], r4"]);
    };
}

/// Rounds as `rows.rs` explains. `$bounds` is what limits twice the values as 16-bit integers.
macro_rules! to_bytes {
    ($name:ident, [$($activation:literal)*], [$($bounds:literal)*]) => {
        finish_kernel!($name, u8, 8, [$($activation)*], [
            "vmul.f32 q0, q0, q14"
            "vmul.f32 q1, q1, q14"
            "vcvt.s32.f32 q0, q0, #1"
            "vcvt.s32.f32 q1, q1, #1"
            "vqmovn.s32 d0, q0"
            "vqmovn.s32 d1, q1"
            $($bounds)*
            "vqrshrn.s16 d0, q0, #1"
            "vst1.8 {d0}, [r12], r4"
        ]);
    };
}

to_floats!(floats_plain, []);
// The positive zero for NaN and -0.0, which `vmax` does not give.
to_floats!(floats_relu, [
    "vcgt.f32 q2, q0, #0"
    "vcgt.f32 q3, q1, #0"
    "vand q0, q0, q2"
    "vand q1, q1, q3"
]);
to_floats!(floats_leaky, [
    "vcgt.f32 q2, q0, #0"
    "vmul.f32 q3, q0, q12"
    "vbif q0, q3, q2"
    "vcgt.f32 q2, q1, #0"
    "vmul.f32 q3, q1, q12"
    "vbif q1, q3, q2"
]);
to_floats!(floats_clip, [
    "vcgt.f32 q2, q12, q0"
    "vcgt.f32 q3, q12, q1"
    "vbit q0, q12, q2"
    "vbit q1, q12, q3"
    "vcgt.f32 q2, q0, q13"
    "vcgt.f32 q3, q1, q13"
    "vbit q0, q13, q2"
    "vbit q1, q13, q3"
]);
to_bytes!(bytes_plain, [], ["vmax.s16 q0, q0, q15" "vsra.s16 q0, q0, #15"]);
to_bytes!(bytes_relu, [], ["vmax.s16 q0, q0, q15"]);
to_bytes!(bytes_leaky, [
    "vcgt.f32 q2, q0, #0"
    "vmul.f32 q3, q0, q12"
    "vbif q0, q3, q2"
    "vcgt.f32 q2, q1, #0"
    "vmul.f32 q3, q1, q12"
    "vbif q1, q3, q2"
], ["vmax.s16 q0, q0, q15" "vsra.s16 q0, q0, #15"]);
to_bytes!(bytes_clip, [], ["vmax.s16 q0, q0, q15" "vmin.s16 q0, q0, q4" "vsra.s16 q0, q0, #15"]);
