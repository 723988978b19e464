//! Convolutions of channels-last images, with everything that follows the sums.

use std::ops::Range;

use crate::activation::Activation;
use crate::algorithm::Algorithm;
use crate::arch::kernels_of;
use crate::contract::{MicroKernels, SIDE, Taps};
use crate::dense::DenseWeights;
use crate::depthwise::DepthwiseWeights;
use crate::epilogue::Epilogue;
use crate::error::{Error, check_length, checked_product};
use crate::finish::{Finish, Tile};
use crate::geometry::ConvShape;
use crate::image::check_rows;
use crate::isa::Isa;
use crate::lanes::Lanes;
use crate::sink::{Run, Sink};
use crate::source::Source;
use crate::sums::{Computed, Lines};
use crate::winograd::{WinogradScratch, WinogradWeights};

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
///
/// ```
/// use int8_kernels::{
///     Activation, ConvShape, Epilogue, Image, Isa, Padding, PixelConv, PixelScratch, Place, Run, Sink, stored,
/// };
///
/// // One input and one output channel, a 2x2 kernel of ones over a 3x3 picture.
/// let shape = ConvShape { kernel_h: 2, kernel_w: 2, ..ConvShape::pointwise(1, 1) };
/// let epilogue = Epilogue::new(vec![0.5], None, Activation::Relu)?;
/// let conv = PixelConv::new(shape, &[1, 1, 1, 1], epilogue, Isa::detect())?;
/// let picture = [1, 2, 3, 4, 5, 6, 7, 8, 9].map(stored);
/// let input = Image::new(&picture, 3, 3, 1, 1)?;
/// let run = Run { input, padding: Padding::default(), rows: 0..2, residual: None };
/// let mut values = [0.0; 4];
/// let mut sinks = [Sink::F32 { values: &mut values, place: Place::whole(1) }];
/// conv.run(&run, &mut sinks, &mut PixelScratch::default())?;
/// assert_eq!(values, [6.0, 8.0, 12.0, 14.0]);
/// # Ok::<(), int8_kernels::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct PixelConv {
    shape: ConvShape,
    weights: Weights,
    algorithm: Algorithm,
    lanes: Lanes,
    epilogue: Epilogue,
    kernels: &'static MicroKernels,
    isa: Isa,
}

#[derive(Debug, Clone)]
enum Weights {
    /// Also as Winograd's algorithm wants them, if it can compute the layer.
    Dense(DenseWeights, Option<WinogradWeights>),
    Depthwise(DepthwiseWeights),
}

/// Buffers that runs reuse: one per thread. After the run of the largest layer nothing is allocated.
#[derive(Debug, Clone, Default)]
pub struct PixelScratch {
    /// Rows of the input with their padding.
    rows: Vec<u8>,
    taps: Taps,
    /// Windows in the order in which kernels read them.
    gathered: Vec<u8>,
    winograd: WinogradScratch,
}

/// Bytes of input and of output that are worked on at a time, so that they stay in the second cache
/// while every panel of weights passes over them.
const BAND_BYTES: usize = 256 << 10;

impl PixelConv {
    /// Packs `weights`, laid out `[out_channels][in_channels / groups][kernel_h][kernel_w]`.
    ///
    /// # Errors
    /// Those of [`ConvShape::validate`]; `Length` if there is another number of weights or the
    /// epilogue has another number of channels.
    pub fn new(shape: ConvShape, weights: &[i8], epilogue: Epilogue, isa: Isa) -> Result<Self, Error> {
        Self::with_algorithm(shape, weights, epilogue, isa, Algorithm::Fastest)
    }

    /// [`PixelConv::new`] with a choice of how sums are computed, which no result depends on.
    ///
    /// # Errors
    /// As [`PixelConv::new`].
    pub fn with_algorithm(
        shape: ConvShape,
        weights: &[i8],
        epilogue: Epilogue,
        isa: Isa,
        algorithm: Algorithm,
    ) -> Result<Self, Error> {
        shape.validate()?;
        let depth = shape.depth()?;
        check_length("weights", checked_product("weights", &[shape.out_channels, depth])?, weights.len())?;
        check_length("epilogue", shape.out_channels, epilogue.channels())?;
        let kernels = kernels_of(isa);
        let (weights, mut lanes) = if shape.is_depthwise() {
            let (weights, lanes) = DepthwiseWeights::new(&shape, weights, &kernels.depthwise)?;
            (Weights::Depthwise(weights), lanes)
        } else {
            let (dense, lanes) = DenseWeights::new(&shape, weights, &kernels.dense)?;
            let kernel = kernels.winograd.as_ref().filter(|_| algorithm != Algorithm::Direct);
            let winograd = kernel.and_then(|kernel| WinogradWeights::new(&shape, weights, kernel));
            (Weights::Dense(dense, winograd), lanes)
        };
        lanes.set_epilogue(&epilogue);
        Ok(Self { shape, weights, algorithm, lanes, epilogue, kernels, isa })
    }

    /// A convolution of which nobody wants more than the sums.
    pub(crate) fn of_sums(shape: ConvShape, weights: &[i8], isa: Isa) -> Result<Self, Error> {
        shape.validate()?;
        check_length("weights", checked_product("weights", &[shape.out_channels, shape.depth()?])?, weights.len())?;
        let epilogue = Epilogue::new(vec![1.0; shape.out_channels], None, Activation::None)?;
        Self::new(shape, weights, epilogue, isa)
    }

    /// The same weights with another epilogue.
    ///
    /// # Errors
    /// `Length` if it has another number of channels.
    pub fn with_epilogue(mut self, epilogue: Epilogue) -> Result<Self, Error> {
        check_length("epilogue", self.shape.out_channels, epilogue.channels())?;
        self.lanes.set_epilogue(&epilogue);
        self.epilogue = epilogue;
        Ok(self)
    }

    /// The sizes it was made for.
    pub fn shape(&self) -> &ConvShape {
        &self.shape
    }

    /// What the weights are packed for.
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// Name of the micro-kernel that computes the sums of an output of `height · width` pixels.
    pub fn kernel(&self, height: usize, width: usize) -> &'static str {
        match (&self.weights, self.winograd(height, width)) {
            (_, Some((_, winograd))) => winograd.name(),
            (Weights::Dense(weights, _), None) => weights.name(),
            (Weights::Depthwise(weights), None) => weights.name(),
        }
    }

    /// The algorithm that computes an output of `height · width` pixels: `Direct` or `Winograd`.
    pub fn algorithm(&self, height: usize, width: usize) -> Algorithm {
        if self.winograd(height, width).is_some() { Algorithm::Winograd } else { Algorithm::Direct }
    }

    /// Rows of an output of `height · width` pixels that cost least together: who splits an image gives every
    /// part a multiple of them.
    pub fn rows_together(&self, height: usize, width: usize) -> usize {
        if self.winograd(height, width).is_some() { SIDE } else { 1 }
    }

    /// Does now what the first run for an output of `height · width` pixels would do.
    pub fn prepare(&self, height: usize, width: usize) {
        if let Some((dense, winograd)) = self.winograd(height, width) {
            winograd.prepare(dense);
        }
    }

    /// The weights for Winograd's algorithm, if that is to compute an output of `height · width` pixels.
    fn winograd(&self, height: usize, width: usize) -> Option<(&DenseWeights, &WinogradWeights)> {
        match &self.weights {
            Weights::Dense(dense, Some(winograd))
                if winograd.takes(width) && (self.algorithm == Algorithm::Winograd || winograd.pays(height, width)) =>
            {
                Some((dense, winograd))
            }
            _ => None,
        }
    }

    /// Computes the rows `run.rows` of the output into every sink; without a sink it computes nothing.
    ///
    /// # Errors
    /// `ImageSize` if the input has other channels, `KernelTooLarge` if the kernel does not fit,
    /// `PaddingValue` if that is −128, `Rows` beyond the output, `TooShort` or `PixelStride` if a
    /// sink or the residual does not fit the output, `NoAddend` if it is in no sink, `TooLarge` if a
    /// size overflows.
    pub fn run(&self, run: &Run<'_>, sinks: &mut [Sink<'_>], scratch: &mut PixelScratch) -> Result<(), Error> {
        let (height, width) = self.check(run)?;
        let channels = self.shape.out_channels;
        for sink in &*sinks {
            sink.check(run.rows.len(), width, channels)?;
        }
        if let Some(residual) = &run.residual {
            residual.check(height, width, channels, sinks)?;
        }
        if sinks.is_empty() {
            return Ok(());
        }
        let finish = Finish {
            scales: &self.lanes.scales,
            bias: &self.lanes.bias,
            fused_bias: self.epilogue.has_fused_bias(),
            activation: self.epilogue.activation(),
            residual: run.residual,
        };
        let first = run.rows.start * width;
        self.walk(run, (height, width), scratch, |band, computed| {
            let whole_pixel = band.start * width + computed.pixel;
            let tile = Tile {
                sums: computed.sums,
                stride: computed.stride,
                pixels: computed.pixels,
                lane: computed.lane,
                channel: computed.channel,
                channels: computed.channels,
                pixel: whole_pixel - first,
                whole_pixel,
            };
            // SAFETY: the sinks hold the rows of the run and the addend the whole output, as was checked, and the
            // tile's pixels are some of them; walkers hand on the sums of all pixels of a tile.
            unsafe { self.kernels.finish(&finish, &tile, sinks) };
        })
    }

    /// Computes the exact sums of the rows `run.rows`, channels-last without gaps; a residual is
    /// not looked at.
    ///
    /// # Errors
    /// As [`PixelConv::run`]; `Length` if `out` has another length than those rows.
    pub fn accumulate(&self, run: &Run<'_>, out: &mut [i32], scratch: &mut PixelScratch) -> Result<(), Error> {
        let (height, width) = self.check(run)?;
        let channels = self.shape.out_channels;
        check_length("sums", checked_product("sums", &[run.rows.len(), width, channels])?, out.len())?;
        let first = run.rows.start * width;
        self.walk(run, (height, width), scratch, |band, computed| {
            let pixel = band.start * width + computed.pixel - first;
            let pixels = out[pixel * channels..].chunks_exact_mut(channels);
            for (out, sums) in pixels.zip(computed.sums.chunks_exact(computed.stride)).take(computed.pixels) {
                out[computed.channel..][..computed.channels].copy_from_slice(&sums[..computed.channels]);
            }
        })
    }

    /// Checks everything but the outputs; returns height and width of the whole output.
    fn check(&self, run: &Run<'_>) -> Result<(usize, usize), Error> {
        let Run { input, padding, rows, .. } = run;
        let size = [input.height(), input.width(), input.channels()];
        let (height, width) = self.shape.checked_output(size, padding)?;
        check_rows(rows, height)?;
        check_copy(&self.shape, run)?;
        Ok((height, width))
    }

    /// Computes the rows band by band and hands on what kernels leave.
    fn walk(
        &self,
        run: &Run<'_>,
        (height, width): (usize, usize),
        scratch: &mut PixelScratch,
        mut emit: impl FnMut(Range<usize>, Computed<'_>),
    ) -> Result<(), Error> {
        let shape = &self.shape;
        if let Some((dense, winograd)) = self.winograd(height, width) {
            let PixelScratch { rows, winograd: scratch, .. } = scratch;
            return winograd.walk(dense, shape, run, width, (rows, scratch), emit);
        }
        let needs = match &self.weights {
            Weights::Dense(weights, _) => weights.needs(shape),
            Weights::Depthwise(weights) => weights.needs(),
        };
        let input_width = run.input.width() + run.padding.left + run.padding.right;
        let input_row = input_width.saturating_mul(shape.in_channels).saturating_mul(shape.stride_h);
        let row_bytes = input_row.max(width.saturating_mul(shape.out_channels)).max(1);
        let step = (BAND_BYTES / row_bytes).max(1);
        let mut first = run.rows.start;
        while first < run.rows.end {
            let band = first..run.rows.end.min(first + step);
            first = band.end;
            let PixelScratch { rows, taps, gathered, .. } = &mut *scratch;
            let source = Source::new(shape, &run.input, &run.padding, band.clone(), width, needs, rows);
            let mut lines = Lines { count: band.len(), width };
            if source.line_step == width * source.pixel_step {
                lines = Lines { count: 1, width: band.len() * width };
            }
            match &self.weights {
                Weights::Dense(weights, _) => {
                    weights.set_taps(shape, &source, taps);
                    weights.walk(&source, lines, taps, &self.lanes, gathered, |computed| emit(band.clone(), computed));
                }
                Weights::Depthwise(weights) => {
                    weights.set_taps(shape, &source, taps);
                    weights.walk(&source, lines, taps, |computed| emit(band.clone(), computed));
                }
            }
        }
        Ok(())
    }
}

/// Fails if the padded rows that one output row reads have more bytes than could make sense: they may be
/// copied, and padding comes from files.
fn check_copy(shape: &ConvShape, run: &Run<'_>) -> Result<(), Error> {
    const MOST: usize = 1 << 30;
    let width = run.input.width() + run.padding.left + run.padding.right;
    let (rows, _) = shape.extent().unwrap_or((usize::MAX, 0));
    match checked_product("padded input", &[width, shape.in_channels, rows])? {
        0..=MOST => Ok(()),
        _ => Err(Error::TooLarge { what: "padded input" }),
    }
}
