//! The dense kernel of an instruction set.
//!
//! ```text
//! for each group of depths:
//!   load the weights of up to 4 vectors of 4 output channels
//!   for each of up to 6 gathered pixels: multiply with every weight vector, add
//! ```
//!
//! 1. Lanes are output channels, so that sums lie channels-last and scales load as vectors.
//! 2. 24 vectors of sums leave 8 of the 32 registers for 4 of weights, and for activations and products.
//! 3. Pixels are gathered, so that their activations load as vectors too, two to an instruction, and so
//!    that all taps are one run: an in-place kernel spends a load on every pixel and group, and depths
//!    without weights at the end of every tap.

/// The most pixels of a tile.
pub(super) const PIXELS: usize = 6;
/// The most vectors of output channels of a tile.
pub(super) const VECTORS: usize = 4;

/// `dense` of the surrounding module from its `tile`.
macro_rules! dense_kernel {
    ($features:literal, $table:path) => {
        #[inline(never)]
        pub(super) fn dense(strip: &Strip<'_>, out: &mut [i32]) {
            assert!(strip.fits(&$table.dense), "operands do not fit {}", $table.dense.name);
            // SAFETY: the table of kernels gives out this function only where the CPU has the features.
            unsafe { choose_vectors(strip, out) }
        }

        #[target_feature(enable = $features)]
        fn choose_vectors(strip: &Strip<'_>, out: &mut [i32]) {
            match strip.vectors {
                1 => choose_pixels::<1>(strip, out),
                2 => choose_pixels::<2>(strip, out),
                3 => choose_pixels::<3>(strip, out),
                _ => choose_pixels::<4>(strip, out),
            }
        }

        #[inline]
        #[target_feature(enable = $features)]
        fn choose_pixels<const V: usize>(strip: &Strip<'_>, out: &mut [i32]) {
            match strip.pixels {
                1 => tile::<1, V>(strip, out),
                2 => tile::<2, V>(strip, out),
                3 => tile::<3, V>(strip, out),
                4 => tile::<4, V>(strip, out),
                5 => tile::<5, V>(strip, out),
                _ => tile::<6, V>(strip, out),
            }
        }
    };
}
