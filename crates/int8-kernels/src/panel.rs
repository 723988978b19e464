//! Weights in the order and form in which kernels read them.

use crate::contract::{KR, WeightForm};

/// Bytes that start at a cache line, so that vector loads never cross two.
#[derive(Debug, Clone, Default)]
pub(crate) struct AlignedBytes {
    lines: Vec<Line>,
    length: usize,
}

#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
struct Line([i8; 64]);

impl AlignedBytes {
    pub(crate) fn zeros(length: usize) -> Self {
        Self { lines: vec![Line([0; 64]); length.div_ceil(64)], length }
    }

    pub(crate) fn as_slice(&self) -> &[i8] {
        // SAFETY: `lines` holds at least `length` bytes, and a `Line` is 64 bytes without padding.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.length) }
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [i8] {
        // SAFETY: as in `as_slice`, and `self` is borrowed mutably.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.length) }
    }
}

/// Puts the weights of one group of one lane into `vector`, which holds those of all lanes.
///
/// # Panics
/// If `vector` is too short for the lane.
#[inline]
pub(crate) fn put(vector: &mut [i8], form: WeightForm, lanes: usize, lane: usize, weights: &[i8]) {
    match form {
        WeightForm::Bytes => {
            let to = &mut vector[lane * weights.len()..][..weights.len()];
            // Copying a number of bytes that is known takes an instruction, not a call.
            match (<&mut [i8; KR]>::try_from(&mut *to), weights) {
                (Ok(to), &[a, b, c, d]) => *to = [a, b, c, d],
                _ => to.copy_from_slice(weights),
            }
        }
        WeightForm::Rows => {
            for (depth, &weight) in weights.iter().enumerate() {
                vector[depth * lanes + lane] = weight;
            }
        }
        WeightForm::BytePairs => {
            for (depth, &weight) in weights.iter().enumerate() {
                vector[(depth / 2 * lanes + lane) * 2 + depth % 2] = weight;
            }
        }
        WeightForm::WordPairs => {
            // Of four depths the even ones come first.
            for (depth, &weight) in weights.iter().enumerate() {
                let word = i16::from(weight).to_le_bytes().map(|byte| byte as i8);
                let at = (depth % 2 * lanes + lane) * weights.len() + depth / 2 * 2;
                vector[at..][..2].copy_from_slice(&word);
            }
        }
    }
}

/// The channel of each lane of a depthwise block: byte order if the block is one vector, else the
/// order in which interleaving leaves four vectors (lane `i` of part `j` of the 128-bit block `b`
/// is byte `16 b + 4 j + i`).
pub(crate) fn channel_of_lane(index: usize, lanes: usize, channels: usize) -> usize {
    if lanes == channels {
        index
    } else {
        let (part, lane) = (index / lanes, index % lanes);
        lane / 4 * 16 + part * 4 + lane % 4
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_lie_in_fours_or_pairs_of_bytes_or_in_rows_or_in_pairs_of_words() {
        let mut bytes = [0; 8];
        put(&mut bytes, WeightForm::Bytes, 2, 1, &[1, 2, 3, -4]);
        assert_eq!(bytes, [0, 0, 0, 0, 1, 2, 3, -4]);
        put(&mut bytes, WeightForm::Rows, 2, 0, &[5, 6, 7, 8]);
        assert_eq!(bytes, [5, 0, 6, 0, 7, 2, 8, -4]);
        put(&mut bytes, WeightForm::BytePairs, 2, 0, &[1, 2, 3, 4]);
        put(&mut bytes, WeightForm::BytePairs, 2, 1, &[5, 6, 7, 8]);
        assert_eq!(bytes, [1, 2, 5, 6, 3, 4, 7, 8]);
        let mut words = [0; 16];
        put(&mut words, WeightForm::WordPairs, 2, 1, &[1, 2, 3, -4]);
        assert_eq!(words, [0, 0, 0, 0, 1, 0, 3, 0, 0, 0, 0, 0, 2, 0, -4, -1]);
    }

    #[test]
    fn every_channel_of_a_block_has_a_lane() {
        for (lanes, channels) in [(16, 64), (8, 32), (16, 16)] {
            let mut found: Vec<usize> = (0..channels).map(|index| channel_of_lane(index, lanes, channels)).collect();
            found.sort_unstable();
            assert!(found.into_iter().eq(0..channels));
        }
    }

    #[test]
    fn aligned_bytes_start_at_a_cache_line() {
        let mut bytes = AlignedBytes::zeros(100);
        bytes.as_mut_slice()[99] = 3;
        assert_eq!(bytes.as_slice().len(), 100);
        assert_eq!(bytes.as_slice()[99], 3);
        assert_eq!(bytes.as_slice().as_ptr() as usize % 64, 0);
    }
}
