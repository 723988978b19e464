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

        /// # Safety
        /// `Windows::fit` holds.
        #[target_feature(enable = $features)]
        unsafe fn depthwise(windows: &crate::contract::Windows<'_>, out: &mut [i32]) {
            match windows.three_columns() {
                // SAFETY: promised by the caller, and the columns are those of the taps.
                Some((columns, 1)) => unsafe { three_columns::<1>(windows, columns, out) },
                // SAFETY: as above.
                Some((columns, _)) => unsafe { three_columns::<2>(windows, columns, out) },
                // SAFETY: promised by the caller, and the groups are those of the taps.
                None => unsafe { any_taps(windows, windows.taps.offsets().as_chunks().0, out) },
            }
        }

        /// # Safety
        /// `Windows::fit` holds, and `groups` are its taps.
        #[target_feature(enable = $features)]
        unsafe fn any_taps(windows: &crate::contract::Windows<'_>, groups: &[[usize; KR]], out: &mut [i32]) {
            let initial = initial_sums::<4>(windows.initial);
            let (out, _) = out.as_chunks_mut::<LANES>();
            let (panel, _) = windows.panel.as_chunks::<{ product::WEIGHT_BYTES }>();
            for (p, out) in out.as_chunks_mut::<4>().0.iter_mut().take(windows.pixels).enumerate() {
                let mut sums = initial;
                for (taps, weights) in groups.iter().zip(panel.as_chunks::<4>().0) {
                    let mut rows = [int_zero(); KR];
                    for (row, &tap) in rows.iter_mut().zip(taps) {
                        // SAFETY: promised by the caller; there are only as many outputs as pixels.
                        *row = unsafe { load_tap(windows, p, tap) };
                    }
                    add_group(&mut sums, interleave(rows), weights);
                }
                store_parts(out, sums);
            }
        }

        /// A kernel of 3 x 3 taps, given column by column, of which the last of a pixel is the middle
        /// (stride 1) or the first (stride 2) of the next: it is interleaved once.
        ///
        /// # Safety
        /// `Windows::fit` holds, and `columns` are its taps.
        #[target_feature(enable = $features)]
        unsafe fn three_columns<const STRIDE: usize>(
            windows: &crate::contract::Windows<'_>,
            columns: &[[usize; KR]; 3],
            out: &mut [i32],
        ) {
            let initial = initial_sums::<4>(windows.initial);
            let (out, _) = out.as_chunks_mut::<LANES>();
            let (panel, _) = windows.panel.as_chunks::<{ product::WEIGHT_BYTES }>();
            let Some([w0, w1, w2]) = panel.as_chunks::<4>().0.first_chunk() else { return };
            // SAFETY: promised by the caller; every strip of windows has a first pixel.
            let mut first = unsafe { load_column(windows, 0, &columns[0]) };
            // SAFETY: as above.
            let mut middle = unsafe { load_column(windows, 0, &columns[1]) };
            for (p, out) in out.as_chunks_mut::<4>().0.iter_mut().take(windows.pixels).enumerate() {
                if STRIDE == 2 && p > 0 {
                    // SAFETY: promised by the caller; there are only as many outputs as pixels.
                    middle = unsafe { load_column(windows, p, &columns[1]) };
                }
                // SAFETY: as above.
                let last = unsafe { load_column(windows, p, &columns[2]) };
                let mut sums = initial;
                add_group(&mut sums, first, w0);
                add_group(&mut sums, middle, w1);
                add_group(&mut sums, last, w2);
                store_parts(out, sums);
                (first, middle) = if STRIDE == 1 { (middle, last) } else { (last, middle) };
            }
        }

        /// Three taps; the fourth has no weight.
        ///
        /// # Safety
        /// As of `load_tap`, of every tap.
        #[inline]
        #[target_feature(enable = $features)]
        unsafe fn load_column(windows: &crate::contract::Windows<'_>, pixel: usize, taps: &[usize; KR]) -> [Ints; 4] {
            let mut rows = [int_zero(); KR - 1];
            for (row, &tap) in rows.iter_mut().zip(taps) {
                // SAFETY: promised by the caller.
                *row = unsafe { load_tap(windows, pixel, tap) };
            }
            interleave([rows[0], rows[1], rows[2], rows[2]])
        }

        /// The channels of one tap.
        ///
        /// # Safety
        /// `Windows::fit` holds, `tap` is one of its offsets and `pixel` one of its pixels.
        #[inline]
        #[target_feature(enable = $features)]
        unsafe fn load_tap(windows: &crate::contract::Windows<'_>, pixel: usize, tap: usize) -> Ints {
            let at = windows.bytes.as_ptr().wrapping_add(windows.start + pixel * windows.step + tap);
            // SAFETY: promised by the caller, so these bytes lie within `windows.bytes`; bytes need no alignment.
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
