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
    int8x16_t, uint8x16_t, vget_lane_u64, vget_low_s8, vld1q_s8, vld1q_u8, vqtbl1q_s8, vreinterpret_u64_s8,
    vreinterpretq_s8_s32, vreinterpretq_s32_s8, vst1q_u8,
};

use super::dense::RUN_PIXELS;
use super::operands::{store_activations, transpose};
use super::{dense_dotprod, dense_i8mm, dense_neon};
use crate::contract::{COLUMN, Gather, Patch};

pub(super) const SIXTEENS: Gather = gather_of::<Sixteens>(gather_sixteens);
pub(super) const EIGHTS: Gather = gather_of::<Eights>(gather_eights);
pub(super) const PAIRS: Gather = gather_of::<Pairs>(gather_pairs);

const fn gather_of<O: Order>(code: unsafe fn(&Patch<'_>, &mut [u8], &mut [u8])) -> Gather {
    Gather { pixels: O::PIXELS, tiles: RUN_PIXELS / O::PIXELS, copies: O::COPIES, code }
}

/// An order of activations.
trait Order {
    /// Pixels of a tile.
    const PIXELS: usize;
    /// Bytes that an activation becomes.
    const COPIES: usize;

    /// Writes a column of `P` pixels.
    fn store<const P: usize>(column: [int8x16_t; P], out: &mut [u8]);
}

struct Sixteens;
struct Eights;
struct Pairs;

/// # Safety
/// `Patch::fits` holds.
#[inline(never)]
unsafe fn gather_sixteens(patch: &Patch<'_>, spare: &mut [u8], out: &mut [u8]) {
    // SAFETY: promised by the caller.
    unsafe { gather::<Sixteens>(patch, spare, out) }
}

/// # Safety
/// `Patch::fits` holds.
#[inline(never)]
unsafe fn gather_eights(patch: &Patch<'_>, spare: &mut [u8], out: &mut [u8]) {
    // SAFETY: promised by the caller.
    unsafe { gather::<Eights>(patch, spare, out) }
}

/// # Safety
/// `Patch::fits` holds.
#[inline(never)]
unsafe fn gather_pairs(patch: &Patch<'_>, spare: &mut [u8], out: &mut [u8]) {
    // SAFETY: promised by the caller.
    unsafe { gather::<Pairs>(patch, spare, out) }
}

/// Gathers tile by tile.
///
/// # Safety
/// `Patch::fits` holds.
#[inline(always)]
unsafe fn gather<O: Order>(patch: &Patch<'_>, spare: &mut [u8], out: &mut [u8]) {
    let tile_bytes = O::PIXELS * patch.row_bytes() * O::COPIES;
    for (starts, out) in patch.starts.chunks(O::PIXELS).zip(out.chunks_mut(tile_bytes)) {
        match *starts {
            // SAFETY: promised by the caller; the starts are some of the patch's.
            [a] => unsafe { gather_tile::<O, 1>(patch, [a], spare, out) },
            // SAFETY: as above.
            [a, b] => unsafe { gather_tile::<O, 2>(patch, [a, b], spare, out) },
            // SAFETY: as above.
            [a, b, c] => unsafe { gather_tile::<O, 3>(patch, [a, b, c], spare, out) },
            // SAFETY: as above.
            [a, b, c, d] => unsafe { gather_tile::<O, 4>(patch, [a, b, c, d], spare, out) },
            // SAFETY: as above.
            [a, b, c, d, e] => unsafe { gather_tile::<O, 5>(patch, [a, b, c, d, e], spare, out) },
            // SAFETY: as above.
            [a, b, c, d, e, f] => unsafe { gather_tile::<O, 6>(patch, [a, b, c, d, e, f], spare, out) },
            _ => {}
        }
    }
}

/// Gathers the windows of some pixels.
///
/// # Safety
/// `Patch::fits` holds, and `starts` are some of its starts, at most a tile of them.
#[inline(always)]
unsafe fn gather_tile<O: Order, const P: usize>(
    patch: &Patch<'_>,
    starts: [usize; P],
    spare: &mut [u8],
    out: &mut [u8],
) {
    let (offsets, run) = (patch.taps.offsets(), patch.taps.groups());
    let run_columns = run.div_ceil(COLUMN);
    // Whole columns may end beyond the bytes.
    let last = starts.iter().fold(0, |last, &start| start.max(last)) + patch.taps.reach() - run;
    let is_open = last + run_columns * COLUMN <= patch.bytes.len();
    let bytes = patch.bytes.as_ptr();
    if is_open && (offsets.len() == 1 || run.is_multiple_of(COLUMN)) {
        for (tap, out) in offsets.iter().zip(out.chunks_exact_mut(run_columns * P * COLUMN * O::COPIES)) {
            let rows = starts.map(|start| bytes.wrapping_add(start + tap));
            // SAFETY: the patch fits and is open, so every run has these columns.
            unsafe { store_columns::<O, P>(rows, run_columns, out) };
        }
        return;
    }
    let row = patch.row_bytes();
    for (pixel, start) in starts.into_iter().enumerate() {
        let mut at = pixel * row;
        for tap in offsets {
            if is_open {
                let (from, to) = (bytes.wrapping_add(start + tap), spare.as_mut_ptr().wrapping_add(at));
                // SAFETY: the patch fits and is open; of `spare`, which is a column longer than the rows, the
                // next run overwrites what is too much.
                unsafe { copy_columns(from, to, run_columns) };
            } else {
                spare[at..at + run].copy_from_slice(&patch.bytes[start + tap..][..run]);
            }
            at += run;
        }
    }
    let rows = std::array::from_fn(|pixel| spare.as_ptr().wrapping_add(pixel * row));
    // SAFETY: `spare` has `P` rows, as the patch fits.
    unsafe { store_columns::<O, P>(rows, row / COLUMN, out) };
}

/// Copies columns, at least one: the first apart, because the compiler turns the loop into a call, which costs
/// more than a column.
///
/// # Safety
/// Both must be valid for so many columns.
#[inline(always)]
unsafe fn copy_columns(from: *const u8, to: *mut u8, columns: usize) {
    // SAFETY: promised by the caller.
    unsafe { copy_column(from, to) };
    for index in 1..columns {
        // SAFETY: promised by the caller.
        unsafe { copy_column(from.wrapping_add(index * COLUMN), to.wrapping_add(index * COLUMN)) };
    }
}

/// Copies a column.
///
/// # Safety
/// Both must be valid for a column.
#[inline(always)]
unsafe fn copy_column(from: *const u8, to: *mut u8) {
    // SAFETY: promised by the caller.
    let vector = unsafe { vld1q_u8(from) };
    // SAFETY: promised by the caller.
    unsafe { vst1q_u8(to, vector) };
}

/// Stores rows column by column.
///
/// # Safety
/// Each row must be valid for so many columns.
#[inline(always)]
unsafe fn store_columns<O: Order, const P: usize>(rows: [*const u8; P], columns: usize, out: &mut [u8]) {
    for (index, out) in out.chunks_exact_mut(P * COLUMN * O::COPIES).enumerate().take(columns) {
        // SAFETY: promised by the caller.
        O::store(rows.map(|row| unsafe { vld1q_s8(row.wrapping_add(index * COLUMN).cast()) }), out);
    }
}

macro_rules! order {
    ($order:ident, $pixels:expr, copies $copies:literal, $store:ident) => {
        impl Order for $order {
            const PIXELS: usize = $pixels;
            const COPIES: usize = $copies;

            #[inline(always)]
            fn store<const P: usize>(column: [int8x16_t; P], out: &mut [u8]) {
                // SAFETY: every ARMv8 target of Rust's has NEON.
                unsafe { $store(column, out) }
            }
        }
    };
}

order!(Sixteens, dense_dotprod::PIXELS, copies 1, store_sixteens);
order!(Eights, dense_i8mm::PIXELS, copies 1, store_eights);
order!(Pairs, dense_neon::PIXELS, copies 4, store_pairs);

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
        let halves = transpose(vreinterpretq_s32_s8(first), vreinterpretq_s32_s8(next));
        for (to, halves) in [low, high].into_iter().zip(halves) {
            let vector = vreinterpretq_s8_s32(halves);
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
