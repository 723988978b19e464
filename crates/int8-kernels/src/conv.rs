//! Convolutions of planes, as ncnn lays images out: an interface to [`PixelConv`].

use crate::error::{Error, check_length, checked_product};
use crate::geometry::{ConvShape, Padding};
use crate::image::{Image, stored};
use crate::isa::Isa;
use crate::pixel_conv::{PixelConv, PixelScratch};
use crate::sink::Run;

/// A convolution of planes to sums of planes.
///
/// It turns the input into pixels and the sums back into planes, which costs time; whatever needs
/// speed stays with pixels.
///
/// ```
/// use int8_kernels::{ConvShape, Isa, PackedConv, Padding, Scratch};
///
/// // The difference of neighbours.
/// let shape = ConvShape { kernel_w: 2, ..ConvShape::pointwise(1, 1) };
/// let conv = PackedConv::new(shape, &[-1, 1], Isa::detect())?;
/// let mut sums = [0; 3];
/// conv.run(&[1, 4, 9, 16], 1, 4, &Padding::default(), &mut Scratch::default(), &mut sums)?;
/// assert_eq!(sums, [3, 5, 7]);
/// # Ok::<(), int8_kernels::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct PackedConv(PixelConv);

/// Buffers that runs reuse. After the first run of the largest layer, runs allocate nothing.
#[derive(Debug, Clone, Default)]
pub struct Scratch {
    pixels: Vec<u8>,
    sums: Vec<i32>,
    inner: PixelScratch,
}

impl PackedConv {
    /// Packs `weights`, laid out `[out_channels][in_channels / groups][kernel_h][kernel_w]`.
    ///
    /// # Errors
    /// Those of [`ConvShape::validate`]; `Length` if there is another number of weights.
    pub fn new(shape: ConvShape, weights: &[i8], isa: Isa) -> Result<Self, Error> {
        PixelConv::of_sums(shape, weights, isa).map(Self)
    }

    /// The sizes it was made for.
    pub fn shape(&self) -> &ConvShape {
        self.0.shape()
    }

    /// What the weights are packed for.
    pub fn isa(&self) -> Isa {
        self.0.isa()
    }

    /// Height and width of the output; `None` if the kernel does not fit.
    pub fn output_size(&self, height: usize, width: usize, padding: &Padding) -> Option<(usize, usize)> {
        self.shape().output_size(height, width, padding)
    }

    /// Convolves `input`, laid out `[in_channels][height][width]` with values within ±127, into
    /// `accumulators`, laid out `[out_channels][out height][out width]` and overwritten.
    ///
    /// # Errors
    /// `KernelTooLarge` if the kernel does not fit, `Zero` for an empty input, `PaddingValue` if that is −128, `Length` if a
    /// slice has another length than its shape, `TooLarge` if a size overflows.
    pub fn run(
        &self,
        input: &[i8],
        height: usize,
        width: usize,
        padding: &Padding,
        scratch: &mut Scratch,
        accumulators: &mut [i32],
    ) -> Result<(), Error> {
        let shape = self.0.shape();
        let (out_height, out_width) = check_run(shape, input, height, width, padding, accumulators)?;
        let Scratch { pixels, sums, inner } = scratch;
        pixels.clear();
        pixels.resize(input.len(), 0);
        for (channel, plane) in input.chunks_exact(height * width).enumerate() {
            let to = pixels[channel..].iter_mut().step_by(shape.in_channels);
            to.zip(plane).for_each(|(to, &value)| *to = stored(value));
        }
        let input = Image::new(pixels, height, width, shape.in_channels, shape.in_channels)?;
        sums.clear();
        sums.resize(accumulators.len(), 0);
        self.0.accumulate(&Run { input, padding: *padding, rows: 0..out_height, residual: None }, sums, inner)?;
        for (channel, plane) in accumulators.chunks_exact_mut(out_height * out_width).enumerate() {
            let from = sums[channel..].iter().step_by(shape.out_channels);
            plane.iter_mut().zip(from).for_each(|(to, &sum)| *to = sum);
        }
        Ok(())
    }
}

/// Checks everything that a run is given; returns the height and width of the output.
pub(crate) fn check_run(
    shape: &ConvShape,
    input: &[i8],
    height: usize,
    width: usize,
    padding: &Padding,
    accumulators: &[i32],
) -> Result<(usize, usize), Error> {
    for (what, size) in [("input height", height), ("input width", width)] {
        if size == 0 {
            return Err(Error::Zero { what });
        }
    }
    let (out_height, out_width) = shape.checked_output([height, width, shape.in_channels], padding)?;
    let expected = checked_product("input", &[shape.in_channels, height, width])?;
    check_length("input", expected, input.len())?;
    let expected = checked_product("accumulators", &[shape.out_channels, out_height, out_width])?;
    check_length("accumulators", expected, accumulators.len())?;
    Ok((out_height, out_width))
}
