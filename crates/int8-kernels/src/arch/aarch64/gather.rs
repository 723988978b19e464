//! Gathered windows: what the dense kernels read.
//!
//! Sixteen depths (a column) of every pixel are loaded, put into the order of an instruction, and stored:
//!
//! ```text
//! sixteens   [column][pixel][16 depths]                     sdot, whose operand names 4 of 16 depths
//! eights     [column][half][pixel][8 depths]                smmla, whose operand is two pixels
//! pairs      [column][quarter][pixel][pair][4 times 2]      smull and smlal2, one pair of depths for 4 channels
//! ```

use std::arch::aarch64::{
    int8x16_t, uint8x16_t, vcombine_s8, vget_high_s8, vget_lane_u64, vget_low_s8, vld1q_u8, vqtbl1q_s8,
    vreinterpret_u64_s8,
};

use super::dense::PIXELS;
use super::vectors::{load_activations, store_activations};
use crate::micro_kernel::{COLUMN, Gather, Patch};

pub(super) const SIXTEENS: Gather = Gather { copies: 1, run: gather_sixteens };
pub(super) const EIGHTS: Gather = Gather { copies: 1, run: gather_eights };
pub(super) const PAIRS: Gather = Gather { copies: 4, run: gather_pairs };

/// An order of activations.
trait Order {
    const GATHER: &Gather;

    /// Writes a column of `P` pixels.
    fn store<const P: usize>(column: [int8x16_t; P], out: &mut [u8]);
}

struct Sixteens;
struct Eights;
struct Pairs;

#[inline(never)]
fn gather_sixteens(patch: &Patch<'_>, spare: &mut [u8], out: &mut [u8]) {
    choose_pixels::<Sixteens>(patch, spare, out);
}

#[inline(never)]
fn gather_eights(patch: &Patch<'_>, spare: &mut [u8], out: &mut [u8]) {
    choose_pixels::<Eights>(patch, spare, out);
}

#[inline(never)]
fn gather_pairs(patch: &Patch<'_>, spare: &mut [u8], out: &mut [u8]) {
    choose_pixels::<Pairs>(patch, spare, out);
}

#[inline(always)]
fn choose_pixels<O: Order>(patch: &Patch<'_>, spare: &mut [u8], out: &mut [u8]) {
    assert!(patch.fits(O::GATHER, PIXELS, spare, out), "operands do not fit a gather");
    match patch.starts {
        &[a] => gather::<O, 1>(patch, [a], spare, out),
        &[a, b] => gather::<O, 2>(patch, [a, b], spare, out),
        &[a, b, c] => gather::<O, 3>(patch, [a, b, c], spare, out),
        &[a, b, c, d] => gather::<O, 4>(patch, [a, b, c, d], spare, out),
        &[a, b, c, d, e] => gather::<O, 5>(patch, [a, b, c, d, e], spare, out),
        &[a, b, c, d, e, f] => gather::<O, 6>(patch, [a, b, c, d, e, f], spare, out),
        _ => {}
    }
}

#[inline(always)]
fn gather<O: Order, const P: usize>(patch: &Patch<'_>, starts: [usize; P], spare: &mut [u8], out: &mut [u8]) {
    let (offsets, run) = (patch.taps.offsets(), patch.taps.groups());
    let columns = run.div_ceil(COLUMN);
    let column_bytes = P * COLUMN * O::GATHER.copies;
    let last = starts.iter().fold(0, |last, &start| start.max(last)) + patch.taps.reach() - run;
    // Whole columns may end beyond the bytes.
    if (offsets.len() == 1 || run.is_multiple_of(COLUMN)) && last + columns * COLUMN <= patch.bytes.len() {
        for (tap, out) in offsets.iter().zip(out.chunks_exact_mut(columns * column_bytes)) {
            store_columns::<O, P>(patch.bytes, starts.map(|start| start + tap), out);
        }
        return;
    }
    let row = patch.row_bytes();
    for (pixel, start) in starts.into_iter().enumerate() {
        let mut at = pixel * row;
        for tap in offsets {
            copy_run(&patch.bytes[start + tap..], run, &mut spare[at..]);
            at += run;
        }
    }
    store_columns::<O, P>(spare, std::array::from_fn(|pixel| pixel * row), out);
}

/// Copies `run` bytes, in whole columns if both slices are long enough: what follows is overwritten.
#[inline(always)]
fn copy_run(from: &[u8], run: usize, to: &mut [u8]) {
    let length = run.next_multiple_of(COLUMN);
    match (from.get(..length), to.get_mut(..length)) {
        (Some(from), Some(to)) => {
            let columns = from.as_chunks::<COLUMN>().0.iter().zip(to.as_chunks_mut::<COLUMN>().0);
            columns.for_each(|(from, to)| store_activations(to, load_activations(from)));
        }
        _ => to[..run].copy_from_slice(&from[..run]),
    }
}

/// Loads columns from `starts` on until `out` is full.
#[inline(always)]
fn store_columns<O: Order, const P: usize>(bytes: &[u8], starts: [usize; P], out: &mut [u8]) {
    let column_bytes = P * COLUMN * O::GATHER.copies;
    let rows = starts.map(|start| &bytes[start..][..out.len() / column_bytes * COLUMN]);
    for (index, out) in out.chunks_exact_mut(column_bytes).enumerate() {
        let column = rows.map(|row| load_activations(row[index * COLUMN..].first_chunk().unwrap_or(&[0; COLUMN])));
        O::store(column, out);
    }
}

macro_rules! order {
    ($order:ident, $gather:ident, $store:ident) => {
        impl Order for $order {
            const GATHER: &Gather = &$gather;

            #[inline(always)]
            fn store<const P: usize>(column: [int8x16_t; P], out: &mut [u8]) {
                // SAFETY: every ARMv8 target of Rust's has NEON.
                unsafe { $store(column, out) }
            }
        }
    };
}

order!(Sixteens, SIXTEENS, store_sixteens);
order!(Eights, EIGHTS, store_eights);
order!(Pairs, PAIRS, store_pairs);

#[inline]
#[target_feature(enable = "neon")]
fn store_sixteens<const P: usize>(column: [int8x16_t; P], out: &mut [u8]) {
    column.into_iter().zip(out.as_chunks_mut().0).for_each(|(vector, to)| store_activations(to, vector));
}

#[inline]
#[target_feature(enable = "neon")]
fn store_eights<const P: usize>(column: [int8x16_t; P], out: &mut [u8]) {
    let (low, high) = out.split_at_mut(P * COLUMN / 2);
    for (pair, (low, high)) in low.chunks_mut(COLUMN).zip(high.chunks_mut(COLUMN)).enumerate() {
        let first = column[2 * pair];
        let next = if 2 * pair + 1 < P { column[2 * pair + 1] } else { first };
        let halves = [
            (low, vcombine_s8(vget_low_s8(first), vget_low_s8(next))),
            (high, vcombine_s8(vget_high_s8(first), vget_high_s8(next))),
        ];
        for (to, vector) in halves {
            match to.first_chunk_mut::<COLUMN>() {
                Some(to) => store_activations(to, vector),
                None => store_half(to, vector),
            }
        }
    }
}

#[inline]
#[target_feature(enable = "neon")]
fn store_pairs<const P: usize>(column: [int8x16_t; P], out: &mut [u8]) {
    for (quarter, out) in out.chunks_exact_mut(P * COLUMN).enumerate() {
        let order = pairs_of(quarter);
        for (vector, to) in column.into_iter().zip(out.as_chunks_mut().0) {
            store_activations(to, vqtbl1q_s8(vector, order));
        }
    }
}

/// Four times the first pair of depths of a quarter of a column, then four times the other.
#[inline(always)]
fn pairs_of(quarter: usize) -> uint8x16_t {
    const ORDER: [u8; 16] = [0, 1, 0, 1, 0, 1, 0, 1, 2, 3, 2, 3, 2, 3, 2, 3];
    let order = ORDER.map(|depth| depth + 4 * quarter as u8);
    // SAFETY: the reference is valid for a vector; every ARMv8 target of Rust's has NEON.
    unsafe { vld1q_u8(order.as_ptr()) }
}

/// Stores the first eight bytes.
#[inline]
#[target_feature(enable = "neon")]
fn store_half(to: &mut [u8], vector: int8x16_t) {
    if let Some(to) = to.first_chunk_mut::<8>() {
        *to = vget_lane_u64::<0>(vreinterpret_u64_s8(vget_low_s8(vector))).to_le_bytes();
    }
}
