//! Whole slices: between floats and stored int8 values, and the largest of windows.

macro_rules! row_kernels {
    ($features:literal) => {
        use crate::contract::MaxWindows;
        use crate::portable::{dequantize_each, largest, quantize_each, requantize_each};

        #[target_feature(enable = $features)]
        fn quantize(values: &[f32], scale: f32, out: &mut [u8]) {
            let (values, last_values) = values.as_chunks::<LANES>();
            let (out, last_out) = out.as_chunks_mut::<LANES>();
            for (values, out) in values.iter().zip(out) {
                store_stored(out, multiply(load_floats(values), splat(scale)));
            }
            quantize_each(last_values, scale, last_out);
        }

        #[target_feature(enable = $features)]
        fn dequantize(bytes: &[u8], step: f32, out: &mut [f32]) {
            let (bytes, last_bytes) = bytes.as_chunks::<LANES>();
            let (out, last_out) = out.as_chunks_mut::<LANES>();
            for (bytes, out) in bytes.iter().zip(out) {
                store_floats(out, multiply(load_stored(bytes), splat(step)));
            }
            dequantize_each(last_bytes, step, last_out);
        }

        #[target_feature(enable = $features)]
        fn requantize_row(bytes: &[u8], step: f32, scale: f32, out: &mut [u8]) {
            let (bytes, last_bytes) = bytes.as_chunks::<LANES>();
            let (out, last_out) = out.as_chunks_mut::<LANES>();
            for (bytes, out) in bytes.iter().zip(out) {
                let values = multiply(load_stored(bytes), splat(step));
                store_stored(out, multiply(values, splat(scale)));
            }
            requantize_each(last_bytes, step, scale, last_out);
        }

        /// The portable code, compiled for these features.
        #[target_feature(enable = $features)]
        fn max(windows: &MaxWindows<'_>, out: &mut [u8]) {
            largest::<BYTES>(windows, out);
        }

        /// The portable code, compiled for these features.
        #[target_feature(enable = $features)]
        fn interleave_three(planes: [&[u8]; 3], out: &mut [u8]) {
            crate::portable::interleave_each(planes, out);
        }
    };
}
