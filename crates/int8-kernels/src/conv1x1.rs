//! Convolutions of single pixels: an interface to [`PixelConv`].

use crate::epilogue::Epilogue;
use crate::error::Error;
use crate::geometry::{ConvShape, Padding};
use crate::image::Image;
use crate::isa::Isa;
use crate::pixel_conv::{PixelConv, PixelScratch};
use crate::sink::{Residual, Run, Sink};

/// A pointwise (1×1) convolution with packed int8 weights: at every pixel the same matrix product over its channels.
///
/// ```text
/// out[y][x][o] = Σ weights[o][i] · input[y][x][i]      exact, i32; then the epilogue, if one is wanted
/// ```
///
/// For strides, groups or part of the rows, [`Conv1x1::into_inner`] gives the [`PixelConv`] that it is, or make one of
/// another shape.
///
/// ```
/// use int8_kernels::{Conv1x1, Image, Isa, PixelScratch, stored};
///
/// // The sum and the difference of two channels of a picture of 1x2 pixels.
/// let conv = Conv1x1::new(2, 2, &[1, 1, 1, -1], Isa::detect())?;
/// let bytes = [5, 3, 100, -27].map(stored);
/// let picture = Image::new(&bytes, 1, 2, 2, 2)?;
/// let mut sums = [0; 4];
/// conv.accumulate(&picture, &mut sums, &mut PixelScratch::default())?;
/// assert_eq!(sums, [8, 2, 73, 127]);
/// # Ok::<(), int8_kernels::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Conv1x1(PixelConv);

impl Conv1x1 {
    /// Packs `weights`, laid out `[out_channels][in_channels]`, for sums as they are: scale 1, no bias, no activation.
    ///
    /// # Errors
    /// `Zero` for a size of zero, `Depth` beyond [`MAX_DEPTH`](crate::MAX_DEPTH), `Length` if there is another number of
    /// weights, `TooLarge` if a size overflows.
    pub fn new(in_channels: usize, out_channels: usize, weights: &[i8], isa: Isa) -> Result<Self, Error> {
        PixelConv::of_sums(ConvShape::pointwise(in_channels, out_channels), weights, isa).map(Self)
    }

    /// The same with what follows the sums.
    ///
    /// # Errors
    /// `Length` if it has another number of channels.
    pub fn with_epilogue(self, epilogue: Epilogue) -> Result<Self, Error> {
        self.0.with_epilogue(epilogue).map(Self)
    }

    /// Computes the exact sums of every pixel, channels-last without gaps.
    ///
    /// # Errors
    /// `ImageSize` if the input has other channels, `Length` if `out` is not as long as the output.
    pub fn accumulate(&self, input: &Image<'_>, out: &mut [i32], scratch: &mut PixelScratch) -> Result<(), Error> {
        self.0.accumulate(&run_over(input, None), out, scratch)
    }

    /// Computes every pixel into every sink: epilogue, then what `residual` says.
    ///
    /// # Errors
    /// As [`PixelConv::run`].
    pub fn run(
        &self,
        input: &Image<'_>,
        residual: Option<Residual<'_>>,
        sinks: &mut [Sink<'_>],
        scratch: &mut PixelScratch,
    ) -> Result<(), Error> {
        self.0.run(&run_over(input, residual), sinks, scratch)
    }

    /// The convolution behind it.
    pub fn into_inner(self) -> PixelConv {
        self.0
    }
}

/// All rows of an image.
fn run_over<'a>(input: &Image<'a>, residual: Option<Residual<'a>>) -> Run<'a> {
    Run { input: *input, padding: Padding::default(), rows: 0..input.height(), residual }
}
