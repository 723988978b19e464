//! Convolutions of channels-last images, with everything that follows the sums.

use crate::epilogue::Epilogue;
use crate::error::{Error, check_length, checked_product};
use crate::geometry::ConvShape;
use crate::image::{check_rows, stored, unstored};
use crate::isa::Isa;
use crate::quantize::quantize;
use crate::sink::{Addend, Run, Sink};

/// A convolution with packed weights and its epilogue: dense, grouped or depthwise, any kernel,
/// stride, dilation and padding. An inner product is a [`ConvShape::pointwise`] over one pixel.
///
/// For each output value, in this order (each line one f32 operation per sign, none merged):
///
/// ```text
/// v = activation(f32(acc) · scale[c] + bias[c])       as Epilogue says
/// v = then(v + addend)                                if there is a residual
/// every sink: v itself, or quantize(v, sink.scale)
/// ```
#[derive(Debug, Clone)]
pub struct PixelConv {
    shape: ConvShape,
    weights: Vec<i8>,
    epilogue: Epilogue,
    isa: Isa,
}

/// Buffers that runs reuse: one per thread. After the run of the largest layer nothing is allocated.
#[derive(Debug, Clone, Default)]
pub struct PixelScratch {
    sums: Vec<i32>,
}

impl PixelConv {
    /// Packs `weights`, laid out `[out_channels][in_channels / groups][kernel_h][kernel_w]`.
    ///
    /// # Errors
    /// Those of [`ConvShape::validate`]; `Length` if there is another number of weights or the
    /// epilogue has another number of channels.
    pub fn new(shape: ConvShape, weights: &[i8], epilogue: Epilogue, isa: Isa) -> Result<Self, Error> {
        shape.validate()?;
        let depth = shape.depth()?;
        check_length("weights", checked_product("weights", &[shape.out_channels, depth])?, weights.len())?;
        check_length("epilogue", shape.out_channels, epilogue.channels())?;
        Ok(Self { shape, weights: weights.to_vec(), epilogue, isa })
    }

    /// The sizes it was made for.
    pub fn shape(&self) -> &ConvShape {
        &self.shape
    }

    /// What the weights are packed for.
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// Name of the micro-kernel that computes most of it.
    pub fn kernel(&self) -> &'static str {
        "conv__scalar"
    }

    /// Computes the rows `run.rows` of the output into every sink.
    ///
    /// # Errors
    /// `ImageSize` if the input has other channels, `KernelTooLarge` if the kernel does not fit,
    /// `PaddingValue` if that is −128, `Rows` beyond the output, `TooShort` or `PixelStride` if a
    /// sink or the residual does not fit the output, `TooLarge` if a size overflows.
    pub fn run(&self, run: &Run<'_>, sinks: &mut [Sink<'_>], scratch: &mut PixelScratch) -> Result<(), Error> {
        let (height, width) = self.check(run)?;
        let channels = self.shape.out_channels;
        for sink in &*sinks {
            sink.check(run.rows.len(), width, channels)?;
        }
        if let Some(residual) = &run.residual {
            residual.check(height, width, channels)?;
        }
        scratch.sums.clear();
        scratch.sums.resize(channels, 0);
        for y in run.rows.clone() {
            for x in 0..width {
                self.sums(run, y, x, &mut scratch.sums);
                for (channel, &sum) in scratch.sums.iter().enumerate() {
                    let mut value = [0.0];
                    self.epilogue.dequantize(channel, &[sum], &mut value);
                    let value = add(run, y * width + x, channel, value[0]);
                    let pixel = (y - run.rows.start) * width + x;
                    sinks.iter_mut().for_each(|sink| write(sink, pixel, channel, value));
                }
            }
        }
        Ok(())
    }

    /// Computes the exact sums of the rows `run.rows`, channels-last without gaps; a residual is
    /// not looked at.
    ///
    /// # Errors
    /// As [`PixelConv::run`]; `Length` if `out` has another length than those rows.
    pub fn accumulate(&self, run: &Run<'_>, out: &mut [i32], _: &mut PixelScratch) -> Result<(), Error> {
        let (_, width) = self.check(run)?;
        let channels = self.shape.out_channels;
        check_length("sums", checked_product("sums", &[run.rows.len(), width, channels])?, out.len())?;
        for (index, sums) in out.chunks_exact_mut(channels).enumerate() {
            self.sums(run, run.rows.start + index / width, index % width, sums);
        }
        Ok(())
    }

    /// Checks everything but the outputs; returns height and width of the whole output.
    fn check(&self, run: &Run<'_>) -> Result<(usize, usize), Error> {
        let Run { input, padding, rows, .. } = run;
        if padding.value == i8::MIN {
            return Err(Error::PaddingValue);
        }
        let found = [input.height(), input.width(), input.channels()];
        let expected = [input.height(), input.width(), self.shape.in_channels];
        if found != expected {
            return Err(Error::ImageSize { what: "input", expected, found });
        }
        let size = self.shape.output_size(input.height(), input.width(), padding);
        let (height, width) = size.ok_or(Error::KernelTooLarge {
            kernel: self.shape.extent().unwrap_or((usize::MAX, usize::MAX)),
            input: (input.height(), input.width()),
        })?;
        check_rows(rows, height)?;
        Ok((height, width))
    }

    fn sums(&self, run: &Run<'_>, out_y: usize, out_x: usize, sums: &mut [i32]) {
        let shape = &self.shape;
        let (in_group, out_group) = (shape.in_channels / shape.groups, shape.out_channels / shape.groups);
        let taps = shape.kernel_h * shape.kernel_w;
        sums.fill(0);
        for tap in 0..taps {
            let y = out_y * shape.stride_h + tap / shape.kernel_w * shape.dilation_h;
            let x = out_x * shape.stride_w + tap % shape.kernel_w * shape.dilation_w;
            let pixel = match (y.checked_sub(run.padding.top), x.checked_sub(run.padding.left)) {
                (Some(y), Some(x)) if y < run.input.height() && x < run.input.width() => Some(run.input.pixel(y, x)),
                _ => None,
            };
            for (o, sum) in sums.iter_mut().enumerate() {
                for i in 0..in_group {
                    let byte = pixel.map_or(stored(run.padding.value), |pixel| pixel[o / out_group * in_group + i]);
                    let weight = self.weights[(o * in_group + i) * taps + tap];
                    *sum = sum.wrapping_add(i32::from(weight) * i32::from(unstored(byte)));
                }
            }
        }
    }
}

fn add(run: &Run<'_>, pixel: usize, channel: usize, value: f32) -> f32 {
    let Some(residual) = &run.residual else { return value };
    let addend = match residual.addend {
        Addend::F32 { values, pixel_stride } => values[pixel * pixel_stride + channel],
        Addend::I8 { image, step } => f32::from(unstored(image.bytes()[pixel * image.pixel_stride() + channel])) * step,
    };
    residual.then.apply(value + addend)
}

fn write(sink: &mut Sink<'_>, pixel: usize, channel: usize, value: f32) {
    match sink {
        Sink::F32 { values, place } => values[pixel * place.pixel_stride + place.first_channel + channel] = value,
        Sink::I8 { bytes, place, scale } => {
            bytes[pixel * place.pixel_stride + place.first_channel + channel] = stored(quantize(value, *scale));
        }
    }
}
