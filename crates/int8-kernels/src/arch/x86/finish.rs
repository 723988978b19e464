//! The epilogue of an instruction set.
//!
//! ```text
//! for each vector of channels, for each pixel: value = activation(sum · scale + bias), in place of the sum
//! if there is a residual:                      value = then(value + addend), in place
//! for each sink, for each pixel:               store the values, or their quantized bytes
//! ```
//!
//! 1. Stage by stage, so that every loop is short and decides nothing; the tile is in the first
//!    cache, where a store and a load cost little.
//! 2. Whole vectors go straight to the sinks; the channels beyond the last whole vector go one by
//!    one, so that nothing beyond them is touched.
//! 3. Activations without vector code take the portable way.

/// The activations with vector code, as numbers that functions are compiled for.
pub(super) mod kind {
    pub(in super::super) const NONE: u8 = 0;
    pub(in super::super) const RELU: u8 = 1;
    pub(in super::super) const LEAKY: u8 = 2;
    pub(in super::super) const CLIP: u8 = 3;
}

macro_rules! finish_kernel {
    ($features:literal) => {
        use super::finish::kind;
        use crate::activation::Activation;
        use crate::finish::{Finish, Tile, finish_values};
        use crate::image::unstored;
        use crate::sink::{Addend, Residual, Sink};

        fn finish(finish: &Finish<'_>, tile: &mut Tile<'_>, sinks: &mut [Sink<'_>]) {
            let then = finish.residual.map_or(Activation::None, |residual| residual.then);
            let is_vector = |activation| {
                matches!(
                    activation,
                    Activation::None | Activation::Relu | Activation::LeakyRelu { .. } | Activation::Clip { .. }
                )
            };
            // Pixels of few channels share vectors.
            let is_whole = tile.stride.is_multiple_of(LANES);
            if is_whole && is_vector(finish.activation) && matches!(then, Activation::None | Activation::Relu) {
                // SAFETY: the table of kernels gives out this function only where the CPU has the features.
                unsafe { finish_tile(finish, tile, sinks) }
            } else {
                finish_values(finish, tile, sinks);
            }
        }

        #[target_feature(enable = $features)]
        fn finish_tile(finish: &Finish<'_>, tile: &mut Tile<'_>, sinks: &mut [Sink<'_>]) {
            if let (None, [Sink::I8 { bytes, place, scale }]) = (&finish.residual, &mut *sinks)
                && tile.channels == tile.stride
            {
                let start = tile.pixel * place.pixel_stride + place.first_channel + tile.channel;
                let to = &mut bytes[start..];
                return match finish.activation {
                    Activation::Relu if *scale >= 0.0 => {
                        requantize::<{ kind::RELU }, true>(finish, tile, [0.0; 2], *scale, place.pixel_stride, to);
                    }
                    Activation::Relu => {
                        requantize::<{ kind::RELU }, false>(finish, tile, [0.0; 2], *scale, place.pixel_stride, to);
                    }
                    Activation::LeakyRelu { slope } => {
                        requantize::<{ kind::LEAKY }, false>(finish, tile, [slope; 2], *scale, place.pixel_stride, to);
                    }
                    Activation::Clip { min, max } => {
                        requantize::<{ kind::CLIP }, false>(finish, tile, [min, max], *scale, place.pixel_stride, to);
                    }
                    _ => requantize::<{ kind::NONE }, false>(finish, tile, [0.0; 2], *scale, place.pixel_stride, to),
                };
            }
            match finish.activation {
                Activation::Relu => activated::<{ kind::RELU }>(finish, tile, [0.0; 2]),
                Activation::LeakyRelu { slope } => activated::<{ kind::LEAKY }>(finish, tile, [slope; 2]),
                Activation::Clip { min, max } => activated::<{ kind::CLIP }>(finish, tile, [min, max]),
                _ => activated::<{ kind::NONE }>(finish, tile, [0.0; 2]),
            }
            if let Some(residual) = &finish.residual {
                add_residual(residual, tile);
            }
            for sink in sinks {
                match sink {
                    Sink::F32 { values: to, place } => {
                        let start = tile.pixel * place.pixel_stride + place.first_channel + tile.channel;
                        write_floats(tile, place.pixel_stride, &mut to[start..]);
                    }
                    Sink::I8 { bytes: to, place, scale } => {
                        let start = tile.pixel * place.pixel_stride + place.first_channel + tile.channel;
                        write_stored(tile, *scale, place.pixel_stride, &mut to[start..]);
                    }
                }
            }
        }

        /// `activation(sum · scale + bias)` of a vector.
        #[inline]
        #[target_feature(enable = $features)]
        fn value<const ACTIVATION: u8>(
            sums: &[i32; LANES],
            scale: Floats,
            bias: Floats,
            limits: [Floats; 2],
            fused_bias: bool,
        ) -> Floats {
            let sums = to_floats(load_ints(sums));
            let value = if fused_bias { multiply_add(sums, scale, bias) } else { add(multiply(sums, scale), bias) };
            match ACTIVATION {
                kind::RELU => larger(value, splat(0.0)),
                kind::LEAKY => positive_or(value, multiply(value, limits[0])),
                kind::CLIP => smaller(limits[1], larger(limits[0], value)),
                _ => value,
            }
        }

        /// The values of every lane, in place of the sums.
        #[inline]
        #[target_feature(enable = $features)]
        fn activated<const ACTIVATION: u8>(finish: &Finish<'_>, tile: &mut Tile<'_>, limits: [f32; 2]) {
            let limits = [splat(limits[0]), splat(limits[1])];
            let vectors = tile.stride / LANES;
            let lanes = tile.lane..tile.lane + tile.stride;
            let scales = finish.scales[lanes.clone()].as_chunks::<LANES>().0;
            let bias = finish.bias[lanes].as_chunks::<LANES>().0;
            let sums = tile.sums[..tile.pixels * tile.stride].as_chunks_mut::<LANES>().0;
            for (vector, (scale, bias)) in scales.iter().zip(bias).enumerate() {
                let (scale, bias) = (load_floats(scale), load_floats(bias));
                for sums in sums[vector..].iter_mut().step_by(vectors) {
                    let value = value::<ACTIVATION>(sums, scale, bias, limits, finish.fused_bias);
                    store_ints(sums, bits(value));
                }
            }
        }

        /// The usual case, whole vectors to one int8 sink, in one pass.
        #[inline]
        #[target_feature(enable = $features)]
        fn requantize<const ACTIVATION: u8, const POSITIVE: bool>(
            finish: &Finish<'_>,
            tile: &Tile<'_>,
            limits: [f32; 2],
            out_scale: f32,
            pixel_stride: usize,
            to: &mut [u8],
        ) {
            let mut vector = 0;
            let vectors = tile.stride / LANES;
            while vector + 2 <= vectors {
                requantize_vectors::<ACTIVATION, POSITIVE, 2>(
                    finish,
                    tile,
                    limits,
                    out_scale,
                    vector,
                    pixel_stride,
                    to,
                );
                vector += 2;
            }
            if vector < vectors {
                requantize_vectors::<ACTIVATION, POSITIVE, 1>(
                    finish,
                    tile,
                    limits,
                    out_scale,
                    vector,
                    pixel_stride,
                    to,
                );
            }
        }

        /// `V` vectors of channels of every pixel.
        #[inline]
        #[target_feature(enable = $features)]
        fn requantize_vectors<const ACTIVATION: u8, const POSITIVE: bool, const V: usize>(
            finish: &Finish<'_>,
            tile: &Tile<'_>,
            limits: [f32; 2],
            out_scale: f32,
            vector: usize,
            pixel_stride: usize,
            to: &mut [u8],
        ) {
            let limits = [splat(limits[0]), splat(limits[1])];
            let out_scale = splat(out_scale);
            let first = vector * LANES;
            let lane = tile.lane + first;
            let mut scales = [out_scale; V];
            let mut bias = [out_scale; V];
            for v in 0..V {
                let (Some(scale), Some(offset)) =
                    (finish.scales[lane + v * LANES..].first_chunk(), finish.bias[lane + v * LANES..].first_chunk())
                else {
                    return;
                };
                (scales[v], bias[v]) = (load_floats(scale), load_floats(offset));
            }
            let pixels = tile.sums.chunks_exact(tile.stride).take(tile.pixels);
            for (sums, to) in pixels.zip(to.chunks_mut(pixel_stride)) {
                let sums = &sums[first..first + V * LANES].as_chunks::<LANES>().0[..V];
                let to = &mut to[first..first + V * LANES].as_chunks_mut::<LANES>().0[..V];
                for v in 0..V {
                    let value = value::<ACTIVATION>(&sums[v], scales[v], bias[v], limits, finish.fused_bias);
                    let product = multiply(value, out_scale);
                    if POSITIVE {
                        store_positive(&mut to[v], product);
                    } else {
                        store_stored(&mut to[v], product);
                    }
                }
            }
        }

        /// `then(value + addend)` of every channel.
        #[inline]
        #[target_feature(enable = $features)]
        fn add_residual(residual: &Residual<'_>, tile: &mut Tile<'_>) {
            let is_relu = residual.then == Activation::Relu;
            let pixels = tile.sums.chunks_exact_mut(tile.stride).take(tile.pixels);
            match residual.addend {
                Addend::F32 { values: addends, pixel_stride } => {
                    let start = tile.whole_pixel * pixel_stride + tile.channel;
                    for (values, addends) in pixels.zip(addends[start..].chunks(pixel_stride)) {
                        let (values, rest) = values[..tile.channels].as_chunks_mut::<LANES>();
                        let (addends, rest_addends) = addends[..tile.channels].as_chunks::<LANES>();
                        for (value, addend) in values.iter_mut().zip(addends) {
                            let sum = add(floats(load_ints(value)), load_floats(addend));
                            store_ints(value, bits(if is_relu { larger(sum, splat(0.0)) } else { sum }));
                        }
                        for (value, addend) in rest.iter_mut().zip(rest_addends) {
                            *value = then_bits(residual, *value, *addend);
                        }
                    }
                }
                Addend::I8 { image, step } => {
                    let start = tile.whole_pixel * image.pixel_stride() + tile.channel;
                    for (values, addends) in pixels.zip(image.bytes()[start..].chunks(image.pixel_stride())) {
                        let (values, rest) = values[..tile.channels].as_chunks_mut::<LANES>();
                        let (addends, rest_addends) = addends[..tile.channels].as_chunks::<LANES>();
                        for (value, addend) in values.iter_mut().zip(addends) {
                            let sum = add(floats(load_ints(value)), multiply(load_stored(addend), splat(step)));
                            store_ints(value, bits(if is_relu { larger(sum, splat(0.0)) } else { sum }));
                        }
                        for (value, &addend) in rest.iter_mut().zip(rest_addends) {
                            *value = then_bits(residual, *value, f32::from(unstored(addend)) * step);
                        }
                    }
                }
            }
        }

        /// One channel beyond the last whole vector.
        fn then_bits(residual: &Residual<'_>, value: i32, addend: f32) -> i32 {
            residual.then.apply(f32::from_bits(value as u32) + addend).to_bits() as i32
        }

        #[inline]
        #[target_feature(enable = $features)]
        fn write_floats(tile: &Tile<'_>, pixel_stride: usize, to: &mut [f32]) {
            let pixels = tile.sums.chunks_exact(tile.stride).take(tile.pixels);
            for (values, to) in pixels.zip(to.chunks_mut(pixel_stride)) {
                let (values, rest) = values[..tile.channels].as_chunks::<LANES>();
                let (to, rest_to) = to[..tile.channels].as_chunks_mut::<LANES>();
                for (value, to) in values.iter().zip(to) {
                    store_floats(to, floats(load_ints(value)));
                }
                rest_to.iter_mut().zip(rest).for_each(|(to, &bits)| *to = f32::from_bits(bits as u32));
            }
        }

        #[inline]
        #[target_feature(enable = $features)]
        fn write_stored(tile: &Tile<'_>, scale: f32, pixel_stride: usize, to: &mut [u8]) {
            let scale = splat(scale);
            let pixels = tile.sums.chunks_exact(tile.stride).take(tile.pixels);
            for (values, to) in pixels.zip(to.chunks_mut(pixel_stride)) {
                let (values, _) = values.as_chunks::<LANES>();
                let (to, rest) = to[..tile.channels].as_chunks_mut::<LANES>();
                for (value, to) in values.iter().zip(&mut *to) {
                    store_stored(to, multiply(floats(load_ints(value)), scale));
                }
                if !rest.is_empty() {
                    let mut padded = [0; LANES];
                    store_stored(&mut padded, multiply(floats(load_ints(&values[to.len()])), scale));
                    rest.copy_from_slice(&padded[..rest.len()]);
                }
            }
        }
    };
}
