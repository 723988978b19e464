//! The two transforms of Winograd's algorithm (see [`crate::winograd`]) on an instruction set, made from its
//! vocabulary of vector operations.
//!
//! Inputs are transformed with channels in lanes, in 16 bits; sums with output channels in lanes, in 32.

/// `transform_inputs` and `transform_sums`.
macro_rules! winograd_transforms {
    ($features:literal) => {
        /// # Safety
        /// `Patches::fit` holds.
        #[target_feature(enable = $features)]
        unsafe fn transform_inputs(patches: &crate::contract::Patches<'_>, out: &mut [i32]) {
            use crate::contract::{Patches, SIDE, WINDOW};
            let &Patches { bytes, start, row_stride, pixel_stride, tiles, first, grid } = patches;
            for tile in 0..tiles {
                let from = start + tile * SIDE * pixel_stride;
                let to = grid.at(first + tile);
                for chunk in 0..grid.chunks() {
                    let from = bytes.as_ptr().wrapping_add(from + chunk * 2 * LANES);
                    let mut rows = [[word_zero(); WINDOW]; WINDOW];
                    for x in 0..WINDOW {
                        let mut column = [word_zero(); WINDOW];
                        for y in 0..WINDOW {
                            let at = from.wrapping_add(y * row_stride + x * pixel_stride).cast();
                            // SAFETY: promised by the caller, so these bytes lie within `bytes`.
                            column[y] = load_stored_words(unsafe { &*at });
                        }
                        let column = transform_words(column);
                        for y in 0..WINDOW {
                            rows[y][x] = column[y];
                        }
                    }
                    let to = out.as_mut_ptr().wrapping_add(to + chunk * grid.tiles() * LANES);
                    for y in 0..WINDOW {
                        let row = transform_words(rows[y]);
                        for x in 0..WINDOW {
                            let at = to.wrapping_add((y * WINDOW + x) * grid.input_stride()).cast();
                            // SAFETY: promised by the caller, so these elements lie within `out`.
                            store_words(unsafe { &mut *at }, row[x]);
                        }
                    }
                }
            }
        }

        /// `Bᵀ` times a column.
        #[inline]
        #[target_feature(enable = $features)]
        fn transform_words(d: [Words; 6]) -> [Words; 6] {
            let (even, odd) = (subtract_words(d[4], d[2]), subtract_words(d[3], d[1]));
            let a = subtract_four_times_words(d[4], d[2]);
            let b = subtract_four_times_words(d[3], d[1]);
            [
                add_four_times_words(even, subtract_words(d[0], d[2])),
                add_words(a, b),
                subtract_words(a, b),
                add_twice_words(even, odd),
                subtract_twice_words(even, odd),
                subtract_four_times_words(subtract_words(d[5], d[3]), odd),
            ]
        }

        /// # Safety
        /// `Squares::fit` holds.
        #[target_feature(enable = $features)]
        unsafe fn transform_sums(squares: &crate::contract::Squares<'_>, out: &mut [i32]) {
            use crate::contract::{SIDE, WINDOW};
            let crate::contract::Squares { sums, stride, channels, tiles } = *squares;
            for index in 0..tiles * channels / LANES {
                let from = sums.as_ptr().wrapping_add(index * LANES);
                let mut rows = [[int_zero(); WINDOW]; SIDE];
                for x in 0..WINDOW {
                    let mut column = [int_zero(); WINDOW];
                    for y in 0..WINDOW {
                        let at = from.wrapping_add((y * WINDOW + x) * stride).cast();
                        // SAFETY: promised by the caller, so these elements lie within `sums`.
                        column[y] = load_ints(unsafe { &*at });
                    }
                    let column = transform_ints(column);
                    for y in 0..SIDE {
                        rows[y][x] = column[y];
                    }
                }
                let (tile, lane) = (index * LANES / channels, index * LANES % channels);
                let to = out.as_mut_ptr().wrapping_add(tile * SIDE * channels + lane);
                for y in 0..SIDE {
                    let row = transform_ints(rows[y]);
                    for x in 0..SIDE {
                        let at = to.wrapping_add((y * tiles * SIDE + x) * channels).cast();
                        // SAFETY: promised by the caller, so these elements lie within `out`.
                        store_ints(unsafe { &mut *at }, unscale_ints(row[x]));
                    }
                }
            }
        }

        /// `Aᵀ` times a column.
        #[inline]
        #[target_feature(enable = $features)]
        fn transform_ints(m: [Ints; 6]) -> [Ints; 4] {
            let (near, near_odd) = (add_ints(m[1], m[2]), subtract_ints(m[1], m[2]));
            let (far, far_odd) = (add_ints(m[3], m[4]), subtract_ints(m[3], m[4]));
            [
                add_ints(add_ints(m[0], near), far),
                add_twice_ints(near_odd, far_odd),
                add_four_times_ints(near, far),
                add_twice_ints(near_odd, add_four_times_ints(m[5], far_odd)),
            ]
        }
    };
}
