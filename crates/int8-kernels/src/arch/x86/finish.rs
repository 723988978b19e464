//! The epilogue of an instruction set.
//!
//! Vectors of channels are the outer loop, so that scales stay in registers; for each pixel the value
//! is made once and goes to every sink. Activations without vector code take the portable way.

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
        use crate::sink::{Addend, Sink};

        fn finish(finish: &Finish<'_>, tile: &Tile<'_>, sinks: &mut [Sink<'_>]) {
            let then = finish.residual.map_or(Activation::None, |residual| residual.then);
            if !matches!(then, Activation::None | Activation::Relu) {
                return finish_values(finish, tile, sinks);
            }
            // SAFETY: the table of kernels gives out this function only where the CPU has the features.
            let is_done = unsafe { choose_activation(finish, tile, sinks) };
            if !is_done {
                finish_values(finish, tile, sinks);
            }
        }

        #[target_feature(enable = $features)]
        fn choose_activation(finish: &Finish<'_>, tile: &Tile<'_>, sinks: &mut [Sink<'_>]) -> bool {
            match finish.activation {
                Activation::None => finish_tile::<{ kind::NONE }>(finish, tile, sinks, [0.0; 2]),
                Activation::Relu => finish_tile::<{ kind::RELU }>(finish, tile, sinks, [0.0; 2]),
                Activation::LeakyRelu { slope } => {
                    finish_tile::<{ kind::LEAKY }>(finish, tile, sinks, [slope; 2]);
                }
                Activation::Clip { min, max } => finish_tile::<{ kind::CLIP }>(finish, tile, sinks, [min, max]),
                _ => return false,
            }
            true
        }

        #[target_feature(enable = $features)]
        fn finish_tile<const ACTIVATION: u8>(
            finish: &Finish<'_>,
            tile: &Tile<'_>,
            sinks: &mut [Sink<'_>],
            limits: [f32; 2],
        ) {
            let limits = [splat(limits[0]), splat(limits[1])];
            let scales = finish.scales[tile.lane..].as_chunks::<LANES>().0;
            let bias = finish.bias[tile.lane..].as_chunks::<LANES>().0;
            for (vector, (scale, bias)) in scales.iter().zip(bias).take(tile.channels.div_ceil(LANES)).enumerate() {
                let (scale, bias) = (load_floats(scale), load_floats(bias));
                let first = vector * LANES;
                let lanes = LANES.min(tile.channels - first);
                let channel = tile.channel + first;
                for (pixel, sums) in tile.sums.chunks_exact(tile.stride).take(tile.pixels).enumerate() {
                    let Some(sums) = sums[first..].first_chunk() else { return };
                    let sums = to_floats(load_ints(sums));
                    let value = if finish.fused_bias {
                        multiply_add(sums, scale, bias)
                    } else {
                        add(multiply(sums, scale), bias)
                    };
                    let mut value = match ACTIVATION {
                        kind::RELU => larger(value, splat(0.0)),
                        kind::LEAKY => positive_or(value, multiply(value, limits[0])),
                        kind::CLIP => smaller(limits[1], larger(limits[0], value)),
                        _ => value,
                    };
                    if let Some(residual) = &finish.residual {
                        value = add(value, addend(&residual.addend, tile.whole_pixel + pixel, channel, lanes));
                        if residual.then == Activation::Relu {
                            value = larger(value, splat(0.0));
                        }
                    }
                    for sink in &mut *sinks {
                        write(sink, tile.pixel + pixel, channel, lanes, value);
                    }
                }
            }
        }

        #[inline]
        #[target_feature(enable = $features)]
        fn addend(addend: &Addend<'_>, pixel: usize, channel: usize, lanes: usize) -> Floats {
            match addend {
                Addend::F32 { values, pixel_stride } => {
                    let values = &values[pixel * pixel_stride + channel..];
                    match values.first_chunk() {
                        Some(values) => load_floats(values),
                        None => {
                            let mut padded = [0.0; LANES];
                            padded[..lanes].copy_from_slice(&values[..lanes]);
                            load_floats(&padded)
                        }
                    }
                }
                Addend::I8 { image, step } => {
                    let bytes = &image.bytes()[pixel * image.pixel_stride() + channel..];
                    let values = match bytes.first_chunk() {
                        Some(bytes) => load_stored(bytes),
                        None => {
                            let mut padded = [0; LANES];
                            padded[..lanes].copy_from_slice(&bytes[..lanes]);
                            load_stored(&padded)
                        }
                    };
                    multiply(values, splat(*step))
                }
            }
        }

        #[inline]
        #[target_feature(enable = $features)]
        fn write(sink: &mut Sink<'_>, pixel: usize, channel: usize, lanes: usize, value: Floats) {
            match sink {
                Sink::F32 { values, place } => {
                    let to = &mut values[pixel * place.pixel_stride + place.first_channel + channel..][..lanes];
                    match to.first_chunk_mut() {
                        Some(to) => store_floats(to, value),
                        None => {
                            let mut padded = [0.0; LANES];
                            store_floats(&mut padded, value);
                            to.copy_from_slice(&padded[..lanes]);
                        }
                    }
                }
                Sink::I8 { bytes, place, scale } => {
                    let to = &mut bytes[pixel * place.pixel_stride + place.first_channel + channel..][..lanes];
                    let product = multiply(value, splat(*scale));
                    match to.first_chunk_mut() {
                        Some(to) => store_stored(to, product),
                        None => {
                            let mut padded = [0; LANES];
                            store_stored(&mut padded, product);
                            to.copy_from_slice(&padded[..lanes]);
                        }
                    }
                }
            }
        }
    };
}
