//! The epilogue of an instruction set, made from its vocabulary of vector operations.
//!
//! ```text
//! for each two vectors of channels, for each pixel:
//!   value = activation(sum · scale + bias)
//!   value = then(value + addend)                 if there is a residual
//!   for each sink: store the value, or its quantized bytes
//! ```
//!
//! 1. Channels are the outer loop, so that scales stay in registers.
//! 2. A single int8 sink without a residual has a loop of its own that decides nothing inside, and so have
//!    floats, perhaps added to those that are there, with at most one int8 sink beside them.
//! 3. Channels beyond the last whole vector go through a buffer, so that nothing beyond them is touched.
//! 4. Activations without vector code take the portable way.

/// The activations with vector code, as numbers that functions are compiled for.
pub(super) mod kind {
    pub(in crate::arch) const NONE: u8 = 0;
    pub(in crate::arch) const RELU: u8 = 1;
    pub(in crate::arch) const LEAKY: u8 = 2;
    pub(in crate::arch) const CLIP: u8 = 3;
}

macro_rules! finish_kernel {
    ($features:literal) => {
        use std::slice::ChunksMut;

        use crate::activation::Activation;
        use crate::arch::finish::kind;
        use crate::finish::{Finish, Tile, addend, finish_values};
        use crate::sink::{Addend, Place, Residual, Sink};

        #[inline(never)]
        #[target_feature(enable = $features)]
        pub(super) fn finish(finish: &Finish<'_>, tile: &Tile<'_>, sinks: &mut [Sink<'_>]) {
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
                finish_tile(finish, tile, sinks);
            } else {
                finish_values(finish, tile, sinks);
            }
        }

        #[target_feature(enable = $features)]
        fn finish_tile(finish: &Finish<'_>, tile: &Tile<'_>, sinks: &mut [Sink<'_>]) {
            match finish.activation {
                Activation::Relu => finish_all::<{ kind::RELU }>(finish, tile, [0.0; 2], sinks),
                Activation::LeakyRelu { slope } => finish_all::<{ kind::LEAKY }>(finish, tile, [slope; 2], sinks),
                Activation::Clip { min, max } => finish_all::<{ kind::CLIP }>(finish, tile, [min, max], sinks),
                _ => finish_all::<{ kind::NONE }>(finish, tile, [0.0; 2], sinks),
            }
        }

        /// Vectors two by two, then what is left.
        #[inline]
        #[target_feature(enable = $features)]
        fn finish_all<const ACTIVATION: u8>(
            finish: &Finish<'_>,
            tile: &Tile<'_>,
            limits: [f32; 2],
            sinks: &mut [Sink<'_>],
        ) {
            let vectors = tile.channels / LANES;
            let mut vector = 0;
            while vector + 2 <= vectors {
                finish_vectors::<ACTIVATION, 2>(finish, tile, limits, vector * LANES, sinks);
                vector += 2;
            }
            if vector < vectors {
                finish_vectors::<ACTIVATION, 1>(finish, tile, limits, vector * LANES, sinks);
            }
            if vectors * LANES < tile.channels {
                finish_part::<ACTIVATION>(finish, tile, limits, vectors * LANES, sinks);
            }
        }

        /// The channels from `first` on, fewer than a vector: computed as one, stored through a buffer.
        #[inline(never)]
        #[target_feature(enable = $features)]
        fn finish_part<const ACTIVATION: u8>(
            finish: &Finish<'_>,
            tile: &Tile<'_>,
            limits: [f32; 2],
            first: usize,
            sinks: &mut [Sink<'_>],
        ) {
            let limits = [splat(limits[0]), splat(limits[1])];
            let [scale] = load_all::<1>(&finish.scales[tile.lane + first..]);
            let [bias] = load_all::<1>(&finish.bias[tile.lane + first..]);
            let (lanes, channel) = (tile.channels - first, tile.channel + first);
            for pixel in 0..tile.pixels {
                let sums = &tile_vectors::<1>(tile, pixel, first)[0];
                let mut values = [0.0; LANES];
                store_floats(&mut values, value::<ACTIVATION>(sums, scale, bias, limits, finish.fused_bias));
                if let Some(residual) = &finish.residual {
                    for (lane, value) in values[..lanes].iter_mut().enumerate() {
                        let sum = *value + addend(residual, sinks, tile, pixel, channel + lane);
                        *value = residual.then.apply(sum);
                    }
                }
                for sink in &mut *sinks {
                    match sink {
                        Sink::F32 { values: to, place } => {
                            let start = (tile.pixel + pixel) * place.pixel_stride + place.first_channel + channel;
                            to[start..start + lanes].copy_from_slice(&values[..lanes]);
                        }
                        Sink::I8 { bytes: to, place, scale } => {
                            let start = (tile.pixel + pixel) * place.pixel_stride + place.first_channel + channel;
                            let mut bytes = [0; LANES];
                            store_stored(&mut bytes, multiply(load_floats(&values), splat(*scale)));
                            to[start..start + lanes].copy_from_slice(&bytes[..lanes]);
                        }
                    }
                }
            }
        }

        /// `V` vectors of channels, from `first` on, of every pixel.
        #[inline]
        #[target_feature(enable = $features)]
        fn finish_vectors<const ACTIVATION: u8, const V: usize>(
            finish: &Finish<'_>,
            tile: &Tile<'_>,
            limits: [f32; 2],
            first: usize,
            sinks: &mut [Sink<'_>],
        ) {
            let start = |place: &Place| tile.pixel * place.pixel_stride + place.first_channel + tile.channel + first;
            let is_in_sink = matches!(finish.residual, None | Some(Residual { addend: Addend::InSink, .. }));
            match &mut *sinks {
                [Sink::I8 { bytes, place, scale }] if finish.residual.is_none() => {
                    let (scale, pixel_stride, to) = (*scale, place.pixel_stride, &mut bytes[start(place)..]);
                    if ACTIVATION == kind::RELU && scale >= 0.0 {
                        requantize::<ACTIVATION, true, V>(finish, tile, limits, first, scale, pixel_stride, to);
                    } else {
                        requantize::<ACTIVATION, false, V>(finish, tile, limits, first, scale, pixel_stride, to);
                    }
                }
                [Sink::F32 { values, place }] if is_in_sink => {
                    let floats = values[start(place)..].chunks_mut(place.pixel_stride);
                    keep_floats::<ACTIVATION, V>(finish, tile, limits, first, floats, None);
                }
                [Sink::F32 { values, place }, Sink::I8 { bytes, place: byte_place, scale }] if is_in_sink => {
                    let floats = values[start(place)..].chunks_mut(place.pixel_stride);
                    let bytes = bytes[start(byte_place)..].chunks_mut(byte_place.pixel_stride);
                    keep_floats::<ACTIVATION, V>(finish, tile, limits, first, floats, Some((bytes, *scale)));
                }
                _ => distribute::<ACTIVATION, V>(finish, tile, limits, first, sinks),
            }
        }

        /// `V` vectors of channels to the floats, which hold the addend if there is a residual, and to the
        /// int8 sink beside them; both begin at the first channel.
        #[inline(never)]
        #[target_feature(enable = $features)]
        fn keep_floats<const ACTIVATION: u8, const V: usize>(
            finish: &Finish<'_>,
            tile: &Tile<'_>,
            limits: [f32; 2],
            first: usize,
            floats: ChunksMut<'_, f32>,
            bytes: Option<(ChunksMut<'_, u8>, f32)>,
        ) {
            let limits = [splat(limits[0]), splat(limits[1])];
            let scales = load_all::<V>(&finish.scales[tile.lane + first..]);
            let bias = load_all::<V>(&finish.bias[tile.lane + first..]);
            let is_rectified = finish.residual.is_some_and(|residual| residual.then == Activation::Relu);
            let (mut bytes, byte_scale) = bytes.unzip();
            let is_positive = is_rectified && byte_scale.is_some_and(|scale| scale >= 0.0);
            let byte_scale = splat(byte_scale.unwrap_or(0.0));
            let pixels = tile.sums.chunks_exact(tile.stride).take(tile.pixels);
            for (sums, floats) in pixels.zip(floats) {
                // The tile after this one has as many pixels, and its sums take as long as memory does.
                let ahead = floats.as_ptr().wrapping_add(tile.pixels * floats.len());
                for v in 0..V {
                    hint_at(ahead.wrapping_add(v * LANES));
                }
                let sums = &sums[first..first + V * LANES].as_chunks::<LANES>().0[..V];
                let floats = &mut floats[..V * LANES].as_chunks_mut::<LANES>().0[..V];
                let mut values = scales;
                for v in 0..V {
                    values[v] = value::<ACTIVATION>(&sums[v], scales[v], bias[v], limits, finish.fused_bias);
                    if finish.residual.is_some() {
                        values[v] = add(values[v], load_floats(&floats[v]));
                    }
                    if is_rectified {
                        values[v] = larger(values[v], splat(0.0));
                    }
                    store_floats(&mut floats[v], values[v]);
                }
                if let Some(bytes) = bytes.as_mut().and_then(Iterator::next) {
                    let bytes = &mut bytes[..V * LANES].as_chunks_mut::<LANES>().0[..V];
                    for v in 0..V {
                        let product = multiply(values[v], byte_scale);
                        if is_positive {
                            store_positive(&mut bytes[v], product);
                        } else {
                            store_stored(&mut bytes[v], product);
                        }
                    }
                }
            }
        }

        /// `V` vectors of channels to any sinks. Not inlined, as its setup would be everyone's.
        #[inline(never)]
        #[target_feature(enable = $features)]
        fn distribute<const ACTIVATION: u8, const V: usize>(
            finish: &Finish<'_>,
            tile: &Tile<'_>,
            limits: [f32; 2],
            first: usize,
            sinks: &mut [Sink<'_>],
        ) {
            let limits = [splat(limits[0]), splat(limits[1])];
            let scales = load_all::<V>(&finish.scales[tile.lane + first..]);
            let bias = load_all::<V>(&finish.bias[tile.lane + first..]);
            let channel = tile.channel + first;
            for pixel in 0..tile.pixels {
                let sums = tile_vectors::<V>(tile, pixel, first);
                let mut values = scales;
                for v in 0..V {
                    values[v] = value::<ACTIVATION>(&sums[v], scales[v], bias[v], limits, finish.fused_bias);
                }
                if let Some(residual) = &finish.residual {
                    let addends = match (&residual.addend, &*sinks) {
                        (Addend::InSink, [Sink::F32 { values, place }, ..]) => {
                            let pixel = tile.pixel + pixel;
                            load_all(&values[pixel * place.pixel_stride + place.first_channel + channel..])
                        }
                        (addend, _) => load_addends::<V>(addend, tile.whole_pixel + pixel, channel),
                    };
                    for v in 0..V {
                        values[v] = add(values[v], addends[v]);
                        if residual.then == Activation::Relu {
                            values[v] = larger(values[v], splat(0.0));
                        }
                    }
                }
                for sink in &mut *sinks {
                    store_values(sink, tile.pixel + pixel, channel, values);
                }
            }
        }

        /// `V` vectors of one pixel's sums, from channel `first` on.
        #[inline]
        #[target_feature(enable = $features)]
        fn tile_vectors<'a, const V: usize>(tile: &Tile<'a>, pixel: usize, first: usize) -> &'a [[i32; LANES]] {
            &tile.sums[pixel * tile.stride + first..][..V * LANES].as_chunks::<LANES>().0[..V]
        }

        #[inline]
        #[target_feature(enable = $features)]
        fn load_all<const V: usize>(floats: &[f32]) -> [Floats; V] {
            let floats = &floats[..V * LANES].as_chunks::<LANES>().0[..V];
            let mut vectors = [splat(0.0); V];
            for v in 0..V {
                vectors[v] = load_floats(&floats[v]);
            }
            vectors
        }

        #[inline]
        #[target_feature(enable = $features)]
        fn load_addends<const V: usize>(addend: &Addend<'_>, pixel: usize, channel: usize) -> [Floats; V] {
            match addend {
                Addend::F32 { values, pixel_stride } => load_all(&values[pixel * pixel_stride + channel..]),
                Addend::I8 { image, step } => {
                    let bytes = &image.bytes()[pixel * image.pixel_stride() + channel..][..V * LANES];
                    let bytes = &bytes.as_chunks::<LANES>().0[..V];
                    let mut vectors = [splat(*step); V];
                    for v in 0..V {
                        vectors[v] = multiply(load_stored(&bytes[v]), vectors[v]);
                    }
                    vectors
                }
                // There is no such sink; `Residual::check` refuses that.
                Addend::InSink => [splat(0.0); V],
            }
        }

        #[inline]
        #[target_feature(enable = $features)]
        fn store_values<const V: usize>(sink: &mut Sink<'_>, pixel: usize, channel: usize, values: [Floats; V]) {
            match sink {
                Sink::F32 { values: to, place } => {
                    let start = pixel * place.pixel_stride + place.first_channel + channel;
                    let to = &mut to[start..start + V * LANES].as_chunks_mut::<LANES>().0[..V];
                    for v in 0..V {
                        store_floats(&mut to[v], values[v]);
                    }
                }
                Sink::I8 { bytes, place, scale } => {
                    let start = pixel * place.pixel_stride + place.first_channel + channel;
                    let to = &mut bytes[start..start + V * LANES].as_chunks_mut::<LANES>().0[..V];
                    let scale = splat(*scale);
                    for v in 0..V {
                        store_stored(&mut to[v], multiply(values[v], scale));
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

        /// `V` vectors of channels to the one int8 sink, whose bytes are given from the first channel on.
        #[inline(never)]
        #[target_feature(enable = $features)]
        fn requantize<const ACTIVATION: u8, const POSITIVE: bool, const V: usize>(
            finish: &Finish<'_>,
            tile: &Tile<'_>,
            limits: [f32; 2],
            first: usize,
            out_scale: f32,
            pixel_stride: usize,
            to: &mut [u8],
        ) {
            let limits = [splat(limits[0]), splat(limits[1])];
            let scales = load_all::<V>(&finish.scales[tile.lane + first..]);
            let bias = load_all::<V>(&finish.bias[tile.lane + first..]);
            let out_scale = splat(out_scale);
            let pixels = tile.sums.chunks_exact(tile.stride).take(tile.pixels);
            for (sums, to) in pixels.zip(to.chunks_mut(pixel_stride)) {
                let sums = &sums[first..first + V * LANES].as_chunks::<LANES>().0[..V];
                let to = &mut to[..V * LANES].as_chunks_mut::<LANES>().0[..V];
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
    };
}
