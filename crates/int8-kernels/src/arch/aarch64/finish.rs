//! The epilogue in NEON.
//!
//! Most layers hand int8 values to one reader. With a scale that is not negative quantizing is
//! monotone, so that ReLU and clipping to a range around zero are limits of the bytes: two instructions
//! for sixteen channels, whatever the activation. All else takes the way of every architecture.

use std::arch::aarch64::*;

use super::vector::{load_four, narrow};
use crate::activation::Activation;
use crate::finish::{Finish, Tile};
use crate::quantize::quantize;
use crate::sink::Sink;

/// Lanes of a register.
const FOUR: usize = 4;

/// Any activation, residual and sinks.
mod any {
    use super::super::vector::*;

    finish_kernel!("neon");
}

/// # Safety
/// What [`MicroKernels::finish`](crate::contract::MicroKernels::finish) asks holds.
#[inline(never)]
#[target_feature(enable = "neon")]
pub(super) unsafe fn finish(finish: &Finish<'_>, tile: &Tile<'_>, sinks: &mut [Sink<'_>]) {
    if finish.residual.is_none()
        && tile.stride.is_multiple_of(FOUR)
        && let [Sink::I8 { bytes, place, scale }] = &mut *sinks
        && let Some(limits) = byte_limits(finish.activation, *scale)
    {
        let start = tile.pixel * place.pixel_stride + place.first_channel + tile.channel;
        let reader = Reader { scale: *scale, limits, pixel_stride: place.pixel_stride };
        let to = &mut bytes[start..];
        // SAFETY: promised by the caller.
        unsafe { requantize_tile(finish, tile, reader, to) }
    } else {
        any::finish(finish, tile, sinks);
    }
}

/// The one reader of a tile.
#[derive(Debug, Clone, Copy)]
struct Reader {
    scale: f32,
    /// Lowest and highest int8 value.
    limits: [i8; 2],
    /// Bytes from one pixel to the next.
    pixel_stride: usize,
}

/// The limits of the quantized values that an activation before quantizing amounts to, if it amounts to
/// limits. The quantized NaN, 0, must be within them.
fn byte_limits(activation: Activation, scale: f32) -> Option<[i8; 2]> {
    match activation {
        Activation::None => Some([-127, 127]),
        Activation::Relu if scale >= 0.0 => Some([0, 127]),
        Activation::Clip { min, max } if scale >= 0.0 && min <= 0.0 && max >= 0.0 => {
            Some([quantize(min, scale), quantize(max, scale)])
        }
        _ => None,
    }
}

/// All channels of a tile, whose bytes are given from the first pixel's first channel on.
///
/// # Safety
/// As of [`finish`].
#[target_feature(enable = "neon")]
unsafe fn requantize_tile(finish: &Finish<'_>, tile: &Tile<'_>, reader: Reader, to: &mut [u8]) {
    match finish.fused_bias {
        // SAFETY: promised by the caller.
        true => unsafe { requantize::<true>(finish, tile, reader, to) },
        // SAFETY: promised by the caller.
        false => unsafe { requantize::<false>(finish, tile, reader, to) },
    }
}

/// # Safety
/// As of [`finish`].
#[inline]
#[target_feature(enable = "neon")]
unsafe fn requantize<const FUSED: bool>(finish: &Finish<'_>, tile: &Tile<'_>, reader: Reader, to: &mut [u8]) {
    let mut first = 0;
    while first + 4 * FOUR <= tile.channels {
        // SAFETY: promised by the caller.
        unsafe { requantize_columns::<FUSED, 4>(finish, tile, reader, first, to) };
        first += 4 * FOUR;
    }
    if first + 2 * FOUR <= tile.channels {
        // SAFETY: promised by the caller.
        unsafe { requantize_columns::<FUSED, 2>(finish, tile, reader, first, to) };
        first += 2 * FOUR;
    }
    if first + FOUR <= tile.channels {
        // SAFETY: promised by the caller.
        unsafe { requantize_columns::<FUSED, 1>(finish, tile, reader, first, to) };
        first += FOUR;
    }
    if first < tile.channels {
        requantize_part::<FUSED>(finish, tile, reader, first, to);
    }
}

/// `V` registers of channels, from `first` on, of every pixel.
///
/// # Safety
/// As of [`finish`].
#[inline]
#[target_feature(enable = "neon")]
unsafe fn requantize_columns<const FUSED: bool, const V: usize>(
    finish: &Finish<'_>,
    tile: &Tile<'_>,
    reader: Reader,
    first: usize,
    to: &mut [u8],
) {
    let columns = Columns::<V>::new(finish, tile, reader, first);
    let (sums, to) = (&tile.sums[first..], &mut to[first..]);
    let last = tile.pixels.saturating_sub(1);
    assert!(sums.len() >= last * tile.stride + V * FOUR && to.len() >= last * reader.pixel_stride + V * FOUR);
    for pixel in 0..tile.pixels {
        let from = sums.as_ptr().wrapping_add(pixel * tile.stride).cast::<[[i32; FOUR]; V]>();
        // SAFETY: the sums of the last pixel end within `sums`, as was asserted, and no product wraps.
        let words = columns.quantized::<FUSED>(unsafe { &*from });
        let at = to.as_mut_ptr().wrapping_add(pixel * reader.pixel_stride).cast::<[[u8; FOUR]; V]>();
        // SAFETY: the bytes of the last pixel end within `to`, as was asserted, and nothing else refers to
        // them; bytes need no alignment.
        columns.store(unsafe { &mut *at }, words);
    }
}

/// The channels from `first` on, fewer than a register has: computed as one, stored through a buffer.
#[target_feature(enable = "neon")]
fn requantize_part<const FUSED: bool>(
    finish: &Finish<'_>,
    tile: &Tile<'_>,
    reader: Reader,
    first: usize,
    to: &mut [u8],
) {
    let columns = Columns::<1>::new(finish, tile, reader, first);
    let lanes = tile.channels - first;
    let pixels = tile.sums.chunks_exact(tile.stride).take(tile.pixels);
    for (sums, to) in pixels.zip(to.chunks_mut(reader.pixel_stride)) {
        let Some(sums) = sums[first..].as_chunks().0.first_chunk() else { return };
        let mut bytes = [[0; FOUR]; 1];
        columns.store(&mut bytes, columns.quantized::<FUSED>(sums));
        to[first..first + lanes].copy_from_slice(&bytes[0][..lanes]);
    }
}

/// What `V` registers of channels are computed with.
struct Columns<const V: usize> {
    scales: [float32x4_t; V],
    bias: [float32x4_t; V],
    out_scale: float32x4_t,
    limits: [int8x16_t; 2],
}

impl<const V: usize> Columns<V> {
    #[inline]
    #[target_feature(enable = "neon")]
    fn new(finish: &Finish<'_>, tile: &Tile<'_>, reader: Reader, first: usize) -> Self {
        let lane = tile.lane + first;
        let scales = &finish.scales[lane..][..V * FOUR].as_chunks::<FOUR>().0[..V];
        let bias = &finish.bias[lane..][..V * FOUR].as_chunks::<FOUR>().0[..V];
        let mut columns = Self {
            scales: [vdupq_n_f32(0.0); V],
            bias: [vdupq_n_f32(0.0); V],
            out_scale: vdupq_n_f32(reader.scale),
            limits: [vdupq_n_s8(reader.limits[0]), vdupq_n_s8(reader.limits[1])],
        };
        for v in 0..V {
            columns.scales[v] = load_four(&scales[v]);
            columns.bias[v] = load_four(&bias[v]);
        }
        columns
    }

    /// `(sum · scale + bias) · out_scale`, rounded halves away from zero.
    #[inline]
    #[target_feature(enable = "neon")]
    fn quantized<const FUSED: bool>(&self, sums: &[[i32; FOUR]; V]) -> [int32x4_t; V] {
        let mut words = [vdupq_n_s32(0); V];
        for v in 0..V {
            // SAFETY: the reference is valid for a register.
            let sums = vcvtq_f32_s32(unsafe { vld1q_s32(sums[v].as_ptr()) });
            let value = match FUSED {
                true => vfmaq_f32(self.bias[v], sums, self.scales[v]),
                false => vaddq_f32(vmulq_f32(sums, self.scales[v]), self.bias[v]),
            };
            words[v] = vcvtaq_s32_f32(vmulq_f32(value, self.out_scale));
        }
        words
    }

    /// Limits and stores what was quantized, 4, 8 or 16 bytes.
    #[inline]
    #[target_feature(enable = "neon")]
    fn store(&self, to: &mut [[u8; FOUR]; V], words: [int32x4_t; V]) {
        let [low, high] = self.limits;
        let of = |v: usize| words[v.min(V - 1)];
        let bytes = vminq_s8(vmaxq_s8(narrow([of(0), of(1), of(2), of(3)]), low), high);
        let (half, quarter) = (vget_low_s8(bytes), vgetq_lane_s32::<0>(vreinterpretq_s32_s8(bytes)));
        let to = to.as_mut_ptr();
        match V {
            // SAFETY: four arrays of four bytes.
            4 => unsafe { vst1q_s8(to.cast(), bytes) },
            // SAFETY: two arrays of four bytes.
            2 => unsafe { vst1_s8(to.cast(), half) },
            // SAFETY: at least one array of four bytes; it needs no alignment.
            _ => unsafe { to.cast::<i32>().write_unaligned(quarter) },
        }
    }
}
