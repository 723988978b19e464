//! Convolutions from weights packed once per layer.

use crate::depthwise::convolve_plane;
use crate::error::{Error, check_length, checked_product};
use crate::gemm::{Matrix, Output, multiply};
use crate::geometry::{ConvShape, Padding};
use crate::im2col::Patches;
use crate::isa::Isa;
use crate::packing::PackedWeights;

/// A convolution whose weights lie in the order that its kernels read.
///
/// Depthwise convolutions run directly; others multiply matrices, group by group. An inner product
/// is a [`ConvShape::pointwise`] over an input of 1 x 1.
#[derive(Debug, Clone)]
pub struct PackedConv {
    shape: ConvShape,
    weights: Weights,
    isa: Isa,
}

/// Buffers that runs reuse. After the first run of the largest layer, runs allocate nothing.
#[derive(Debug, Clone, Default)]
pub struct Scratch {
    /// Columns of a block of output pixels.
    pub(crate) columns: Vec<i8>,
    /// Columns of one tile that cannot be read in place.
    pub(crate) strip: Vec<i8>,
}

#[derive(Debug, Clone)]
enum Weights {
    /// `[channel][kernel_h][kernel_w]`.
    Depthwise(Vec<i8>),
    /// One matrix per group, `[out_channels / groups][depth]`.
    Groups(Vec<PackedWeights>),
}

/// Output pixels whose columns are made at a time: few enough to stay in the cache until every
/// panel of weights has been multiplied with them.
const BLOCK_PIXELS: usize = 256;

impl PackedConv {
    /// Packs `weights`, laid out `[out_channels][in_channels / groups][kernel_h][kernel_w]`.
    ///
    /// # Errors
    /// Those of [`ConvShape::validate`]; `Length` if there is another number of weights.
    pub fn new(shape: ConvShape, weights: &[i8], isa: Isa) -> Result<Self, Error> {
        shape.validate()?;
        let depth = shape.depth()?;
        check_length("weights", checked_product("weights", &[shape.out_channels, depth])?, weights.len())?;
        let weights = if shape.is_depthwise() {
            Weights::Depthwise(weights.to_vec())
        } else {
            let rows = shape.out_channels / shape.groups;
            let groups = weights.chunks_exact(rows * depth);
            Weights::Groups(groups.map(|group| PackedWeights::new(rows, depth, group, isa)).collect::<Result<_, _>>()?)
        };
        Ok(Self { shape, weights, isa })
    }

    /// The sizes it was made for.
    pub fn shape(&self) -> &ConvShape {
        &self.shape
    }

    /// What the weights are packed for.
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// Height and width of the output; `None` if the kernel does not fit.
    pub fn output_size(&self, height: usize, width: usize, padding: &Padding) -> Option<(usize, usize)> {
        self.shape.output_size(height, width, padding)
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
        let shape = &self.shape;
        let (out_height, out_width) = check_run(shape, input, height, width, padding, accumulators)?;
        let (plane, out_plane) = (height * width, out_height * out_width);
        match &self.weights {
            Weights::Depthwise(weights) => {
                let kernels = weights.chunks_exact(shape.kernel_h * shape.kernel_w);
                let outputs = accumulators.chunks_exact_mut(out_plane);
                for (channel, (weights, out)) in kernels.zip(outputs).enumerate() {
                    let plane = &input[channel * plane..(channel + 1) * plane];
                    convolve_plane(shape, weights, plane, width, padding, out, out_width);
                }
            }
            Weights::Groups(groups) => {
                let in_group = shape.in_channels / shape.groups * plane;
                let out_group = shape.out_channels / shape.groups * out_plane;
                for (group, (weights, out)) in groups.iter().zip(accumulators.chunks_exact_mut(out_group)).enumerate() {
                    let input = &input[group * in_group..(group + 1) * in_group];
                    let patches = Patches { shape, padding, input, height, width, out_width };
                    convolve_group(&patches, weights, out_plane, scratch, out);
                }
            }
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
    if padding.value == i8::MIN {
        return Err(Error::PaddingValue);
    }
    for (what, size) in [("input height", height), ("input width", width)] {
        if size == 0 {
            return Err(Error::Zero { what });
        }
    }
    let (out_height, out_width) = shape.output_size(height, width, padding).ok_or(Error::KernelTooLarge {
        kernel: shape.extent().unwrap_or((usize::MAX, usize::MAX)),
        input: (height, width),
    })?;
    let expected = checked_product("input", &[shape.in_channels, height, width])?;
    check_length("input", expected, input.len())?;
    let expected = checked_product("accumulators", &[shape.out_channels, out_height, out_width])?;
    check_length("accumulators", expected, accumulators.len())?;
    Ok((out_height, out_width))
}

/// One group: the matrix product of its weights with the columns of its input.
fn convolve_group(
    patches: &Patches<'_>,
    weights: &PackedWeights,
    out_plane: usize,
    scratch: &mut Scratch,
    out: &mut [i32],
) {
    let shape = patches.shape;
    let mut out = Output { values: out, row_stride: out_plane, first_column: 0 };
    // With a single tap at each pixel the input already is the matrix of columns.
    let in_place =
        (shape.kernel_h, shape.kernel_w, shape.stride_h, shape.stride_w) == (1, 1, 1, 1) && patches.padding.is_empty();
    if in_place {
        let matrix = Matrix { values: patches.input, columns: out_plane, row_stride: out_plane, column_stride: 1 };
        multiply(weights, &matrix, &mut scratch.strip, &mut out);
        return;
    }
    let mut first = 0;
    while first < out_plane {
        let pixels = first..out_plane.min(first + BLOCK_PIXELS);
        first = pixels.end;
        let columns = pixels.len();
        patches.write(pixels, &mut scratch.columns);
        let matrix = Matrix { values: &scratch.columns, columns, row_stride: columns, column_stride: 1 };
        multiply(weights, &matrix, &mut scratch.strip, &mut out);
    }
}
