//! How weights lie in memory.

use crate::image::ZERO;

/// Taps of a depthwise kernel that meet one weight vector, and most dense kernels' depths: four, as in the
/// dot products of x86 and of ARM.
pub(crate) const KR: usize = 4;

/// How weights lie in memory for a kernel's multiplication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(dead_code, reason = "each architecture has some of them")]
pub(crate) enum WeightForm {
    /// The bytes of a group side by side, lane by lane: dot products.
    Bytes,
    /// Per vector of lanes two vectors of 16-bit pairs, depths `(k, k + 2)` and then `(k + 1, k + 3)`;
    /// groups of four.
    WordPairs,
    /// Two depths of every lane, then the next two of every lane: products of pairs that 16 bits hold.
    BytePairs,
    /// Depth by depth, one byte per lane, for kernels that turn stored bytes into values themselves and
    /// add two products in 16 bits, which values within ±127 allow.
    Rows,
}

impl WeightForm {
    /// Bytes of a group of `depths` depths of one lane.
    pub(crate) const fn bytes_per_lane(self, depths: usize) -> usize {
        match self {
            Self::Bytes | Self::BytePairs | Self::Rows => depths,
            Self::WordPairs => 2 * depths,
        }
    }

    /// What multiplies the sum of a lane's weights to give what its sum begins with: −[`ZERO`], if stored
    /// bytes are multiplied as they are.
    pub(crate) const fn initial_factor(self) -> i32 {
        match self {
            Self::Bytes | Self::BytePairs | Self::WordPairs => -(ZERO as i32),
            Self::Rows => 0,
        }
    }
}
