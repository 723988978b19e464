//! Counting slot numbers fast.

use crate::simd::vectorized;

/// Zeros are frequent, and a count waits for the one before it in the same slot:
/// neighbours count their zeros in different slots.
pub(crate) const ZERO_LANES: usize = 64;

/// Adds 1 to the slot of every value. `slot` takes a value and its lane,
/// `0..`[`ZERO_LANES`], and returns an index into `slots`.
#[inline(always)]
pub(crate) fn count(slots: &mut [u64], values: &[f32], slot: impl Fn(f32, u32) -> u32 + Copy) {
    let (blocks, rest) = values.as_chunks::<BLOCK>();
    vectorized(
        #[inline(always)]
        || {
            for block in blocks {
                add_all(slots, &indices(block, slot));
            }
            let mut last = [0.0; BLOCK];
            last[..rest.len()].copy_from_slice(rest);
            add_all(slots, &indices(&last, slot)[..rest.len()]);
        },
    );
}

/// Values whose slots are found side by side, which is vector code.
const BLOCK: usize = 256;

#[inline(always)]
fn indices(block: &[f32; BLOCK], slot: impl Fn(f32, u32) -> u32) -> [u32; BLOCK] {
    let mut indices = [0; BLOCK];
    for i in 0..BLOCK {
        indices[i] = slot(block[i], i as u32 % ZERO_LANES as u32);
    }
    indices
}

#[inline(always)]
fn add_all(slots: &mut [u64], indices: &[u32]) {
    for &index in indices {
        let count = &mut slots[index as usize];
        // One by one nobody counts to 2^64.
        *count = count.wrapping_add(1);
    }
}

/// The integer part of `position`, or `last` if that is less.
///
/// `last` is below 2^22. A cast would be one scalar instruction after the other; adding 2^23 leaves
/// the rounded value in the lowest bits, and rounding up is seen by comparing.
#[inline(always)]
pub(crate) fn whole_part(position: f32, last: f32) -> u32 {
    const INTEGERS: f32 = 8_388_608.0;
    let position = if position < last { position } else { last };
    let rounded = position + INTEGERS;
    let is_up = rounded - INTEGERS > position;
    rounded.to_bits().wrapping_sub(INTEGERS.to_bits()).wrapping_sub(u32::from(is_up))
}

/// Moves the counts of all lanes to the first, so that equal counts are equal bits.
pub(crate) fn join_lanes(lanes: &mut [u64]) {
    let total = lanes.iter().fold(0u64, |sum, &count| sum.saturating_add(count));
    lanes.fill(0);
    if let [first, ..] = lanes {
        *first = total;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_part_is_that_of_a_cast() {
        for position in [0.0, 1e-45, 0.49, 0.5, 0.99999994, 1.0, 1.5, 2.5, 2046.9999, 2047.0, 3e38, f32::INFINITY] {
            assert_eq!(whole_part(position, 2047.0), position.min(2047.0) as u32, "{position}");
        }
        for index in 0..1 << 15 {
            for position in [index as f32, (index as f32).next_up(), (index as f32).next_down().max(0.0)] {
                assert_eq!(whole_part(position, 32767.0), position.min(32767.0) as u32, "{position}");
            }
        }
    }
}
