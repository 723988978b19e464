//! Winograd's algorithm on an instruction set (see [`crate::winograd`]).
//!
//! 1. Inputs are transformed with channels in lanes, in 16 bits; sums with output channels in lanes.
//! 2. The products of a coefficient are a matrix product of tiles by channels: weights of a pair of input
//!    channels are loaded once per block of tiles, and each tile's pair is broadcast.
//! 3. A block's inputs are in the order in which they are read, so that all addresses are one pointer and constants.

macro_rules! winograd_kernel {
    ($features:literal, [$($tiles:literal)*] x [$($vectors:literal)*]) => {
        const BLOCKS: &[usize] = &[$($tiles),*];

        fn transform_inputs(patches: &crate::winograd::Patches<'_>, out: &mut [i32]) {
            let fits = KERNELS.winograd.as_ref().is_some_and(|kernel| patches.fit(kernel, out));
            assert!(fits, "patches do not fit");
            // SAFETY: the table of kernels gives out this function only where the CPU has the features.
            unsafe { transform_all_inputs(patches, out) }
        }

        #[target_feature(enable = $features)]
        fn transform_all_inputs(patches: &crate::winograd::Patches<'_>, out: &mut [i32]) {
            use crate::winograd::{Patches, SIDE, WINDOW};
            let &Patches { bytes, start, row_stride, pixel_stride, tiles, first, grid } = patches;
            for tile in 0..tiles {
                let from = start + tile * SIDE * pixel_stride;
                let to = grid.at(first + tile);
                for chunk in 0..grid.chunks {
                    let from = bytes.as_ptr().wrapping_add(from + chunk * 2 * LANES);
                    let mut rows = [[int_zero(); WINDOW]; WINDOW];
                    for x in 0..WINDOW {
                        let mut column = [int_zero(); WINDOW];
                        for y in 0..WINDOW {
                            let at = from.wrapping_add(y * row_stride + x * pixel_stride).cast();
                            // SAFETY: `Patches::fit` holds, so these bytes lie within `bytes`.
                            column[y] = load_stored_words(unsafe { &*at });
                        }
                        let column = transform_words(column);
                        for y in 0..WINDOW {
                            rows[y][x] = column[y];
                        }
                    }
                    let to = out.as_mut_ptr().wrapping_add(to + chunk * grid.tiles * LANES);
                    for y in 0..WINDOW {
                        let row = transform_words(rows[y]);
                        for x in 0..WINDOW {
                            let at = to.wrapping_add((y * WINDOW + x) * grid.input_stride).cast();
                            // SAFETY: `Patches::fit` holds, so these elements lie within `out`.
                            store_ints(unsafe { &mut *at }, row[x]);
                        }
                    }
                }
            }
        }

        /// `Bᵀ` times a column.
        #[inline]
        #[target_feature(enable = $features)]
        fn transform_words(d: [Ints; 6]) -> [Ints; 6] {
            let (even, odd) = (subtract_words(d[4], d[2]), subtract_words(d[3], d[1]));
            let odd2 = add_words(odd, odd);
            let a = subtract_words(d[4], four_times_words(d[2]));
            let b = subtract_words(d[3], four_times_words(d[1]));
            [
                add_words(four_times_words(subtract_words(d[0], d[2])), even),
                add_words(a, b),
                subtract_words(a, b),
                add_words(even, odd2),
                subtract_words(even, odd2),
                subtract_words(subtract_words(d[5], d[3]), four_times_words(odd)),
            ]
        }

        fn multiply_tiles(product: &crate::winograd::Product<'_>, out: &mut [i32]) {
            let fits = KERNELS.winograd.as_ref().is_some_and(|kernel| product.fits(kernel, out));
            assert!(fits, "operands do not fit");
            // SAFETY: the table of kernels gives out this function only where the CPU has the features.
            unsafe { choose_block_vectors(product, out) }
        }

        #[target_feature(enable = $features)]
        fn choose_block_vectors(product: &crate::winograd::Product<'_>, out: &mut [i32]) {
            match product.vectors {
                $($vectors => choose_block::<$vectors>(product, out),)*
                _ => {}
            }
        }

        #[target_feature(enable = $features)]
        fn choose_block<const V: usize>(product: &crate::winograd::Product<'_>, out: &mut [i32]) {
            match product.grid.tiles {
                $($tiles => multiply_blocks::<$tiles, V>(product, out),)*
                _ => {}
            }
        }

        /// All blocks, each of `T` tiles, for `V` vectors of output channels.
        #[target_feature(enable = $features)]
        fn multiply_blocks<const T: usize, const V: usize>(
            product: &crate::winograd::Product<'_>,
            out: &mut [i32],
        ) {
            let crate::winograd::Product { inputs, grid, pairs, panel, sum_stride, .. } = *product;
            let block_length = T * grid.chunks * LANES;
            let panel = panel.as_chunks::<BYTES>().0.as_chunks::<V>().0;
            let coefficients = inputs.chunks(grid.input_stride).zip(out.chunks_mut(sum_stride));
            for ((inputs, out), panel) in coefficients.zip(panel.chunks_exact(pairs)) {
                let blocks = inputs.chunks_exact(block_length).zip(out.as_chunks_mut::<LANES>().0.chunks_exact_mut(T * V));
                for (block, out) in blocks.take(grid.blocks) {
                    multiply_block::<T, V>(block, panel, out);
                }
            }
        }

        #[inline]
        #[target_feature(enable = $features)]
        fn multiply_block<const T: usize, const V: usize>(
            block: &[i32],
            panel: &[[[i8; BYTES]; V]],
            out: &mut [[i32; LANES]],
        ) {
            let mut sums = [[int_zero(); V]; T];
            let chunks = block.as_chunks::<LANES>().0.as_chunks::<T>().0;
            for (chunk, panel) in chunks.iter().zip(panel.chunks(LANES)) {
                for (pair, group) in (0..LANES).zip(panel) {
                    let mut weights = [load_bytes(&group[0]); V];
                    for v in 1..V {
                        weights[v] = load_bytes(&group[v]);
                    }
                    for t in 0..T {
                        let inputs = splat_ints(chunk[t][pair]);
                        for v in 0..V {
                            sums[t][v] = product::add_word_products(sums[t][v], inputs, weights[v]);
                        }
                    }
                }
            }
            let out = &mut out[..T * V];
            for t in 0..T {
                for v in 0..V {
                    store_ints(&mut out[t * V + v], sums[t][v]);
                }
            }
        }

        fn transform_sums(squares: &crate::winograd::Squares<'_>, out: &mut [i32]) {
            let fits = KERNELS.winograd.as_ref().is_some_and(|kernel| squares.fit(kernel, out));
            assert!(fits, "squares do not fit");
            // SAFETY: the table of kernels gives out this function only where the CPU has the features.
            unsafe { transform_all_sums(squares, out) }
        }

        #[target_feature(enable = $features)]
        fn transform_all_sums(squares: &crate::winograd::Squares<'_>, out: &mut [i32]) {
            use crate::winograd::{SIDE, WINDOW};
            let crate::winograd::Squares { sums, stride, channels, tiles } = *squares;
            for index in 0..tiles * channels / LANES {
                let from = sums.as_ptr().wrapping_add(index * LANES);
                let mut rows = [[int_zero(); WINDOW]; SIDE];
                for x in 0..WINDOW {
                    let mut column = [int_zero(); WINDOW];
                    for y in 0..WINDOW {
                        let at = from.wrapping_add((y * WINDOW + x) * stride).cast();
                        // SAFETY: `Squares::fit` holds, so these elements lie within `sums`.
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
                        // SAFETY: `Squares::fit` holds, so these elements lie within `out`.
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
            let last = add_ints(four_times_ints(far_odd), m[5]);
            [
                add_ints(add_ints(m[0], near), far),
                add_ints(near_odd, add_ints(far_odd, far_odd)),
                add_ints(near, four_times_ints(far)),
                add_ints(near_odd, add_ints(last, last)),
            ]
        }
    };
}
