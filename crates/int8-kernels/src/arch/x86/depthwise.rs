//! The depthwise kernel of an instruction set.
//!
//! ```text
//! for each 4 taps: load a vector of channels of each, interleave their bytes, multiply, add
//! ```
//!
//! 1. Interleaving gives lanes of 4 taps of one channel, which is what the dot products take.
//! 2. It leaves the channels in blocks of 4 by part; weights and initial sums are packed in that
//!    order, and the sums are put back in the order of the channels at the end.

macro_rules! depthwise_kernel {
    ($features:literal) => {
        const DEPTHWISE_PIXELS: usize = 8;

        fn depthwise(windows: &crate::micro_kernel::Windows<'_>, out: &mut [i32]) {
            assert!(windows.fit(&KERNELS.depthwise), "operands do not fit {}", KERNELS.depthwise.name);
            // SAFETY: the table of kernels gives out this function only where the CPU has the features.
            unsafe { depthwise_pixels(windows, out) }
        }

        #[target_feature(enable = $features)]
        fn depthwise_pixels(windows: &crate::micro_kernel::Windows<'_>, out: &mut [i32]) {
            match windows.three_columns() {
                Some((columns, 1)) => three_columns::<1>(windows, columns, out),
                Some((columns, _)) => three_columns::<2>(windows, columns, out),
                None => any_taps(windows, windows.taps.offsets().as_chunks().0, out),
            }
        }

        #[target_feature(enable = $features)]
        fn any_taps(windows: &crate::micro_kernel::Windows<'_>, groups: &[[usize; KR]], out: &mut [i32]) {
            let initial = initial_sums::<4>(windows.initial);
            let (out, _) = out.as_chunks_mut::<LANES>();
            let (panel, _) = windows.panel.as_chunks::<{ product::WEIGHT_BYTES }>();
            for (p, out) in out.as_chunks_mut::<4>().0.iter_mut().take(windows.pixels).enumerate() {
                let mut sums = initial;
                for (taps, weights) in groups.iter().zip(panel.as_chunks::<4>().0) {
                    let rows = [
                        load_tap(windows, p, taps[0]),
                        load_tap(windows, p, taps[1]),
                        load_tap(windows, p, taps[2]),
                        load_tap(windows, p, taps[3]),
                    ];
                    add_group(&mut sums, interleave(rows), weights);
                }
                store_parts(out, sums);
            }
        }

        /// A kernel of 3 x 3 taps, given column by column, of which the last of a pixel is the middle
        /// (stride 1) or the first (stride 2) of the next: it is interleaved once.
        #[target_feature(enable = $features)]
        fn three_columns<const STRIDE: usize>(
            windows: &crate::micro_kernel::Windows<'_>,
            columns: &[[usize; KR]; 3],
            out: &mut [i32],
        ) {
            let initial = initial_sums::<4>(windows.initial);
            let (out, _) = out.as_chunks_mut::<LANES>();
            let (panel, _) = windows.panel.as_chunks::<{ product::WEIGHT_BYTES }>();
            let Some([w0, w1, w2]) = panel.as_chunks::<4>().0.first_chunk() else { return };
            let mut first = load_column(windows, 0, &columns[0]);
            let mut middle = load_column(windows, 0, &columns[1]);
            for (p, out) in out.as_chunks_mut::<4>().0.iter_mut().take(windows.pixels).enumerate() {
                if STRIDE == 2 && p > 0 {
                    middle = load_column(windows, p, &columns[1]);
                }
                let last = load_column(windows, p, &columns[2]);
                let mut sums = initial;
                add_group(&mut sums, first, w0);
                add_group(&mut sums, middle, w1);
                add_group(&mut sums, last, w2);
                store_parts(out, sums);
                (first, middle) = if STRIDE == 1 { (middle, last) } else { (last, middle) };
            }
        }

        /// Three taps; the fourth has no weight.
        #[inline]
        #[target_feature(enable = $features)]
        fn load_column(windows: &crate::micro_kernel::Windows<'_>, pixel: usize, taps: &[usize; KR]) -> [Ints; 4] {
            let last = load_tap(windows, pixel, taps[2]);
            interleave([load_tap(windows, pixel, taps[0]), load_tap(windows, pixel, taps[1]), last, last])
        }

        /// The channels of one tap.
        #[inline]
        #[target_feature(enable = $features)]
        fn load_tap(windows: &crate::micro_kernel::Windows<'_>, pixel: usize, tap: usize) -> Ints {
            let at = windows.bytes.as_ptr().wrapping_add(windows.start + pixel * windows.step + tap);
            // SAFETY: `Windows::fit` holds, `tap` is one of its offsets and `pixel` one of its pixels, so
            // these bytes lie within `windows.bytes`; bytes need no alignment.
            load_bytes(unsafe { &*at.cast::<[i8; BYTES]>() })
        }

        /// Adds the products of four taps.
        #[inline]
        #[target_feature(enable = $features)]
        fn add_group(sums: &mut [Ints; 4], parts: [Ints; 4], weights: &[[i8; product::WEIGHT_BYTES]; 4]) {
            for part in 0..4 {
                let weights = product::load_weights(&weights[part]);
                sums[part] = product::add_products(sums[part], product::widen(parts[part]), weights);
            }
        }

        #[inline]
        #[target_feature(enable = $features)]
        fn store_parts(out: &mut [[i32; LANES]; 4], sums: [Ints; 4]) {
            let sums = in_byte_order(sums);
            for part in 0..4 {
                store_ints(&mut out[part], sums[part]);
            }
        }
    };
}
