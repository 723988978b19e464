//! The epilogue of an instruction set.
//!
//! ```text
//! for each vector of channels, for each pixel: value = activation(sum · scale + bias), to a buffer
//! if there is a residual:                      value = then(value + addend), in the buffer
//! for each sink, for each pixel:               store the values, or their quantized bytes
//! ```
//!
//! 1. Stage by stage, so that every loop is short and decides nothing; the buffer is in the first
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
        use crate::dense::LARGEST_TILE;
        use crate::finish::{Finish, Tile, finish_values};
        use crate::image::unstored;
        use crate::sink::{Addend, Residual, Sink};

        type Values = [f32; LARGEST_TILE];

        fn finish(finish: &Finish<'_>, tile: &Tile<'_>, sinks: &mut [Sink<'_>]) {
            let then = finish.residual.map_or(Activation::None, |residual| residual.then);
            let is_vector = |activation| {
                matches!(
                    activation,
                    Activation::None | Activation::Relu | Activation::LeakyRelu { .. } | Activation::Clip { .. }
                )
            };
            if is_vector(finish.activation) && matches!(then, Activation::None | Activation::Relu) {
                // SAFETY: the table of kernels gives out this function only where the CPU has the features.
                unsafe { finish_tile(finish, tile, sinks) }
            } else {
                finish_values(finish, tile, sinks);
            }
        }

        #[target_feature(enable = $features)]
        fn finish_tile(finish: &Finish<'_>, tile: &Tile<'_>, sinks: &mut [Sink<'_>]) {
            let mut values: Values = [0.0; LARGEST_TILE];
            match finish.activation {
                Activation::Relu => activated::<{ kind::RELU }>(finish, tile, [0.0; 2], &mut values),
                Activation::LeakyRelu { slope } => activated::<{ kind::LEAKY }>(finish, tile, [slope; 2], &mut values),
                Activation::Clip { min, max } => activated::<{ kind::CLIP }>(finish, tile, [min, max], &mut values),
                _ => activated::<{ kind::NONE }>(finish, tile, [0.0; 2], &mut values),
            }
            if let Some(residual) = &finish.residual {
                add_residual(residual, tile, &mut values);
            }
            for sink in sinks {
                match sink {
                    Sink::F32 { values: to, place } => {
                        let start = tile.pixel * place.pixel_stride + place.first_channel + tile.channel;
                        write_floats(&values, tile, place.pixel_stride, &mut to[start..]);
                    }
                    Sink::I8 { bytes: to, place, scale } => {
                        let start = tile.pixel * place.pixel_stride + place.first_channel + tile.channel;
                        write_stored(&values, tile, *scale, place.pixel_stride, &mut to[start..]);
                    }
                }
            }
        }

        /// `activation(sum · scale + bias)` of every lane.
        #[inline]
        #[target_feature(enable = $features)]
        fn activated<const ACTIVATION: u8>(finish: &Finish<'_>, tile: &Tile<'_>, limits: [f32; 2], out: &mut Values) {
            let limits = [splat(limits[0]), splat(limits[1])];
            let vectors = tile.stride / LANES;
            let lanes = tile.lane..tile.lane + tile.stride;
            let scales = finish.scales[lanes.clone()].as_chunks::<LANES>().0;
            let bias = finish.bias[lanes].as_chunks::<LANES>().0;
            let sums = tile.sums[..tile.pixels * tile.stride].as_chunks::<LANES>().0;
            let (out, _) = out.as_chunks_mut::<LANES>();
            for (vector, (scale, bias)) in scales.iter().zip(bias).enumerate() {
                let (scale, bias) = (load_floats(scale), load_floats(bias));
                let sums = sums[vector..].iter().step_by(vectors);
                for (sums, out) in sums.zip(out[vector..].iter_mut().step_by(vectors)) {
                    let sums = to_floats(load_ints(sums));
                    let value = if finish.fused_bias {
                        multiply_add(sums, scale, bias)
                    } else {
                        add(multiply(sums, scale), bias)
                    };
                    let value = match ACTIVATION {
                        kind::RELU => larger(value, splat(0.0)),
                        kind::LEAKY => positive_or(value, multiply(value, limits[0])),
                        kind::CLIP => smaller(limits[1], larger(limits[0], value)),
                        _ => value,
                    };
                    store_floats(out, value);
                }
            }
        }

        /// `then(value + addend)` of every channel.
        #[inline]
        #[target_feature(enable = $features)]
        fn add_residual(residual: &Residual<'_>, tile: &Tile<'_>, values: &mut Values) {
            let is_relu = residual.then == Activation::Relu;
            let pixels = values.chunks_exact_mut(tile.stride).take(tile.pixels);
            match residual.addend {
                Addend::F32 { values: addends, pixel_stride } => {
                    let start = tile.whole_pixel * pixel_stride + tile.channel;
                    for (values, addends) in pixels.zip(addends[start..].chunks(pixel_stride)) {
                        let (values, rest) = values[..tile.channels].as_chunks_mut::<LANES>();
                        let (addends, rest_addends) = addends[..tile.channels].as_chunks::<LANES>();
                        for (value, addend) in values.iter_mut().zip(addends) {
                            let sum = add(load_floats(value), load_floats(addend));
                            store_floats(value, if is_relu { larger(sum, splat(0.0)) } else { sum });
                        }
                        for (value, addend) in rest.iter_mut().zip(rest_addends) {
                            *value = residual.then.apply(*value + addend);
                        }
                    }
                }
                Addend::I8 { image, step } => {
                    let start = tile.whole_pixel * image.pixel_stride() + tile.channel;
                    for (values, addends) in pixels.zip(image.bytes()[start..].chunks(image.pixel_stride())) {
                        let (values, rest) = values[..tile.channels].as_chunks_mut::<LANES>();
                        let (addends, rest_addends) = addends[..tile.channels].as_chunks::<LANES>();
                        for (value, addend) in values.iter_mut().zip(addends) {
                            let sum = add(load_floats(value), multiply(load_stored(addend), splat(step)));
                            store_floats(value, if is_relu { larger(sum, splat(0.0)) } else { sum });
                        }
                        for (value, &addend) in rest.iter_mut().zip(rest_addends) {
                            *value = residual.then.apply(*value + f32::from(unstored(addend)) * step);
                        }
                    }
                }
            }
        }

        #[inline]
        #[target_feature(enable = $features)]
        fn write_floats(values: &Values, tile: &Tile<'_>, pixel_stride: usize, to: &mut [f32]) {
            let pixels = values.chunks_exact(tile.stride).take(tile.pixels);
            for (values, to) in pixels.zip(to.chunks_mut(pixel_stride)) {
                let (values, rest) = values[..tile.channels].as_chunks::<LANES>();
                let (to, rest_to) = to[..tile.channels].as_chunks_mut::<LANES>();
                for (value, to) in values.iter().zip(to) {
                    store_floats(to, load_floats(value));
                }
                rest_to.copy_from_slice(rest);
            }
        }

        #[inline]
        #[target_feature(enable = $features)]
        fn write_stored(values: &Values, tile: &Tile<'_>, scale: f32, pixel_stride: usize, to: &mut [u8]) {
            let scale = splat(scale);
            let pixels = values.chunks_exact(tile.stride).take(tile.pixels);
            for (values, to) in pixels.zip(to.chunks_mut(pixel_stride)) {
                let (values, _) = values.as_chunks::<LANES>();
                let (to, rest) = to[..tile.channels].as_chunks_mut::<LANES>();
                for (value, to) in values.iter().zip(&mut *to) {
                    store_stored(to, multiply(load_floats(value), scale));
                }
                if !rest.is_empty() {
                    let mut padded = [0; LANES];
                    store_stored(&mut padded, multiply(load_floats(&values[to.len()]), scale));
                    rest.copy_from_slice(&padded[..rest.len()]);
                }
            }
        }
    };
}
