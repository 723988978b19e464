//! Routines over slices that every CPU runs: what instruction sets do not do better, and the ends of slices.

use crate::contract::MaxWindows;
use crate::image::{larger, stored, unstored};
use crate::quantize::quantize;

pub(crate) fn quantize_each(values: &[f32], scale: f32, out: &mut [u8]) {
    out.iter_mut().zip(values).for_each(|(byte, &value)| *byte = stored(quantize(value, scale)));
}

pub(crate) fn dequantize_each(bytes: &[u8], step: f32, out: &mut [f32]) {
    out.iter_mut().zip(bytes).for_each(|(value, &byte)| *value = f32::from(unstored(byte)) * step);
}

pub(crate) fn requantize_each(bytes: &[u8], step: f32, scale: f32, out: &mut [u8]) {
    let rescale = |byte: u8| stored(quantize(f32::from(unstored(byte)) * step, scale));
    out.iter_mut().zip(bytes).for_each(|(to, &byte)| *to = rescale(byte));
}

#[inline(always)]
pub(crate) fn interleave_each(planes: [&[u8]; 3], out: &mut [u8]) {
    let (out, _) = out.as_chunks_mut::<3>();
    let [a, b, c] = planes.map(|plane| &plane[..out.len()]);
    for (index, pixel) in out.iter_mut().enumerate() {
        *pixel = [a[index], b[index], c[index]];
    }
}

/// The largest bytes of every window, `N` channels at a time, then 16, then one by one.
#[inline(always)]
pub(crate) fn largest<const N: usize>(windows: &MaxWindows<'_>, out: &mut [u8]) {
    for (index, out) in out.chunks_mut(windows.out_step).take(windows.count).enumerate() {
        let start = windows.start + index * windows.step;
        let out = &mut out[..windows.channels];
        let wide = out.len() / N * N;
        let (wide_out, rest) = out.split_at_mut(wide);
        for (chunk, out) in wide_out.as_chunks_mut::<N>().0.iter_mut().enumerate() {
            *out = largest_chunk(windows, start + chunk * N);
        }
        let (chunks, rest) = rest.as_chunks_mut::<16>();
        let at = start + wide;
        let narrow = chunks.len() * 16;
        for (chunk, out) in chunks.iter_mut().enumerate() {
            *out = largest_chunk(windows, at + chunk * 16);
        }
        for (channel, out) in rest.iter_mut().enumerate() {
            [*out] = largest_chunk(windows, at + narrow + channel);
        }
    }
}

/// The largest of `N` channels of one window.
#[inline(always)]
fn largest_chunk<const N: usize>(windows: &MaxWindows<'_>, start: usize) -> [u8; N] {
    let mut best = [stored(-127); N];
    for y in 0..windows.rows.0 {
        for x in 0..windows.columns.0 {
            let at = start + y * windows.rows.1 + x * windows.columns.1;
            let Some(bytes) = windows.bytes.get(at..).and_then(|bytes| bytes.first_chunk::<N>()) else { return best };
            for (best, &byte) in best.iter_mut().zip(bytes) {
                *best = larger(*best, byte);
            }
        }
    }
    best
}
