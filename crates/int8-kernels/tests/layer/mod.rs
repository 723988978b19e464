//! A layer with made-up weights and input, and what its definition says of it.

#![allow(dead_code, reason = "not every test needs all of it")]

use int8_kernels::{Algorithm, ConvShape, Epilogue, Image, Isa, Padding, PixelConv, Residual, reference, stored};

/// A convolution over an image without gaps.
#[derive(Debug, Clone)]
pub(crate) struct Layer {
    pub(crate) shape: ConvShape,
    pub(crate) height: usize,
    pub(crate) width: usize,
    pub(crate) padding: Padding,
    pub(crate) weights: Vec<i8>,
    /// Channels-last stored bytes.
    pub(crate) bytes: Vec<u8>,
}

impl Layer {
    /// Weights and input are the same for the same sizes.
    pub(crate) fn new(shape: ConvShape, (height, width): (usize, usize), padding: Padding) -> Self {
        let mut state = 1u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8 as i8
        };
        let weights = (0..shape.out_channels * shape.depth().unwrap()).map(|_| next()).collect();
        let bytes = (0..height * width * shape.in_channels).map(|_| stored(next().max(-127))).collect();
        Self { shape, height, width, padding, weights, bytes }
    }

    pub(crate) fn out_size(&self) -> (usize, usize) {
        self.shape.output_size(self.height, self.width, &self.padding).unwrap()
    }

    pub(crate) fn input(&self) -> Image<'_> {
        let channels = self.shape.in_channels;
        Image::new(&self.bytes, self.height, self.width, channels, channels).unwrap()
    }

    pub(crate) fn conv(&self, epilogue: Epilogue, isa: Isa, algorithm: Algorithm) -> PixelConv {
        PixelConv::with_algorithm(self.shape, &self.weights, epilogue, isa, algorithm).unwrap()
    }

    /// Channels-last sums by the definition.
    pub(crate) fn sums(&self) -> Vec<i32> {
        let (rows, columns) = self.out_size();
        let (inputs, outputs, pixels) = (self.shape.in_channels, self.shape.out_channels, rows * columns);
        let area = self.height * self.width;
        let plane = |i: usize| int8_kernels::unstored(self.bytes[i % area * inputs + i / area]);
        let planes: Vec<i8> = (0..self.bytes.len()).map(plane).collect();
        let mut sums = vec![0; pixels * outputs];
        reference::conv(&self.shape, &self.weights, &planes, self.height, self.width, &self.padding, &mut sums)
            .unwrap();
        (0..sums.len()).map(|i| sums[i % outputs * pixels + i / outputs]).collect()
    }

    /// Channels-last values by the steps of the epilogue, with `addends` if there is a residual.
    pub(crate) fn values(&self, epilogue: &Epilogue, residual: Option<&Residual<'_>>, addends: &[f32]) -> Vec<f32> {
        let outputs = self.shape.out_channels;
        let mut values = vec![0.0; self.sums().len()];
        for (at, (sum, value)) in self.sums().iter().zip(&mut values).enumerate() {
            epilogue.dequantize(at % outputs, std::slice::from_ref(sum), std::slice::from_mut(value)).unwrap();
            if let Some(residual) = residual {
                *value = residual.then.apply(*value + addends[at]);
            }
        }
        values
    }
}

/// Every instruction set with every algorithm.
pub(crate) fn ways() -> impl Iterator<Item = (Isa, Algorithm)> {
    let algorithms = [Algorithm::Fastest, Algorithm::Direct, Algorithm::Winograd];
    Isa::available().iter().flat_map(move |&isa| algorithms.map(|algorithm| (isa, algorithm)))
}

/// Bits of floats.
pub(crate) fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// A square kernel with `stride`.
pub(crate) fn square(inputs: usize, outputs: usize, groups: usize, kernel: usize, stride: usize) -> ConvShape {
    ConvShape {
        groups,
        kernel_h: kernel,
        kernel_w: kernel,
        stride_h: stride,
        stride_w: stride,
        ..ConvShape::pointwise(inputs, outputs)
    }
}
