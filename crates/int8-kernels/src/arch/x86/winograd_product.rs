//! The products of Winograd's algorithm (see [`crate::winograd`]) on an instruction set.
//!
//! 1. The products of a coefficient are a matrix product of tiles by channels: weights of a pair of input
//!    channels are loaded once per block of tiles, and each tile's pair is broadcast.
//! 2. A block's inputs are in the order in which they are read, so that all addresses are one pointer and constants.

macro_rules! winograd_product {
    ($features:literal, [$($tiles:literal)*] x [$($vectors:literal)*]) => {
        const BLOCKS: &[usize] = &[$($tiles),*];

        #[target_feature(enable = $features)]
        fn multiply_tiles(product: &crate::contract::Product<'_>, out: &mut [i32]) {
            match product.vectors {
                $($vectors => choose_block::<$vectors>(product, out),)*
                _ => {}
            }
        }

        #[target_feature(enable = $features)]
        fn choose_block<const V: usize>(product: &crate::contract::Product<'_>, out: &mut [i32]) {
            match product.grid.tiles() {
                $($tiles => multiply_blocks::<$tiles, V>(product, out),)*
                _ => {}
            }
        }

        /// All blocks, each of `T` tiles, for `V` vectors of output channels.
        #[target_feature(enable = $features)]
        fn multiply_blocks<const T: usize, const V: usize>(
            product: &crate::contract::Product<'_>,
            out: &mut [i32],
        ) {
            let crate::contract::Product { inputs, grid, pairs, panel, sum_stride, .. } = *product;
            let block_length = T * grid.chunks() * LANES;
            let panel = panel.as_chunks::<BYTES>().0.as_chunks::<V>().0;
            let coefficients = inputs.chunks(grid.input_stride()).zip(out.chunks_mut(sum_stride));
            for ((inputs, out), panel) in coefficients.zip(panel.chunks_exact(pairs)) {
                let blocks = inputs.chunks_exact(block_length).zip(out.as_chunks_mut::<LANES>().0.chunks_exact_mut(T * V));
                for (block, out) in blocks.take(grid.blocks()) {
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
    };
}
