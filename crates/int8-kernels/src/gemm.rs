//! Matrix products: an interface to [`PixelConv`].

use crate::epilogue::Epilogue;
use crate::error::{Error, check_length};
use crate::geometry::{ConvShape, Padding};
use crate::image::Image;
use crate::isa::Isa;
use crate::pixel_conv::{PixelConv, PixelScratch};
use crate::sink::{Residual, Run, Sink};

/// The product of packed int8 weights with rows of int8 values: a GEMM, or a fully connected layer over a batch.
///
/// ```text
/// out[n][m] = Σ weights[m][k] · inputs[n][k]          exact, i32; then the epilogue, if one is wanted
/// ```
///
/// Weights are `[m][k]`, each row one output's. Inputs are `[n][k]` *stored* bytes ([`stored`](crate::stored)) of values
/// within ±127, each row one sample's, with as many rows as there are. Outputs are `[n][m]`. Weights are packed once,
/// for one instruction set; a product with them allocates nothing after the first.
///
/// Rows that are further apart than `k` bytes are pixels of an [`Image`]: see [`Conv1x1`](crate::Conv1x1).
///
/// ```
/// use int8_kernels::{Gemm, Isa, PixelScratch, stored};
///
/// // Two outputs from three inputs, for a batch of two.
/// let gemm = Gemm::new(2, 3, &[1, 2, 3, -1, 0, 1], Isa::detect())?;
/// let inputs = [1, 1, 1, 10, 20, 30].map(stored);
/// let mut sums = [0; 4];
/// gemm.accumulate(&inputs, &mut sums, &mut PixelScratch::default())?;
/// assert_eq!(sums, [6, 0, 140, 20]);
/// # Ok::<(), int8_kernels::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Gemm(PixelConv);

impl Gemm {
    /// Packs `weights`, laid out `[outputs][depth]`, for sums as they are: scale 1, no bias, no activation.
    ///
    /// # Errors
    /// `Zero` for a size of zero, `Depth` beyond [`MAX_DEPTH`](crate::MAX_DEPTH), `Length` if there is another number of
    /// weights, `TooLarge` if a size overflows.
    pub fn new(outputs: usize, depth: usize, weights: &[i8], isa: Isa) -> Result<Self, Error> {
        PixelConv::of_sums(ConvShape::pointwise(depth, outputs), weights, isa).map(Self)
    }

    /// The same with what follows the sums.
    ///
    /// # Errors
    /// `Length` if it has another number of channels than there are outputs.
    pub fn with_epilogue(self, epilogue: Epilogue) -> Result<Self, Error> {
        self.0.with_epilogue(epilogue).map(Self)
    }

    /// Outputs of a row, `m`.
    pub fn outputs(&self) -> usize {
        self.0.shape().out_channels
    }

    /// Products per output, `k`.
    pub fn depth(&self) -> usize {
        self.0.shape().in_channels
    }

    /// Computes the exact sums `[n][m]` of the inputs `[n][k]`.
    ///
    /// # Errors
    /// `Length` if the inputs are no whole rows or `out` is not as long as their outputs.
    pub fn accumulate(&self, inputs: &[u8], out: &mut [i32], scratch: &mut PixelScratch) -> Result<(), Error> {
        match self.run_over(inputs, None)? {
            Some(run) => self.0.accumulate(&run, out, scratch),
            None => check_length("sums", 0, out.len()),
        }
    }

    /// Computes the outputs `[n][m]` of the inputs `[n][k]` into every sink: epilogue, then what `residual` says, whose
    /// pixels are rows.
    ///
    /// # Errors
    /// `Length` if the inputs are no whole rows; `TooShort`, `PixelStride`, `ImageSize` or `NoAddend` if a sink or the
    /// residual does not fit the outputs.
    pub fn run(
        &self,
        inputs: &[u8],
        residual: Option<Residual<'_>>,
        sinks: &mut [Sink<'_>],
        scratch: &mut PixelScratch,
    ) -> Result<(), Error> {
        match self.run_over(inputs, residual)? {
            Some(run) => self.0.run(&run, sinks, scratch),
            None => Ok(()),
        }
    }

    /// The inputs as a column of pixels; `None` if there are none.
    fn run_over<'a>(&self, inputs: &'a [u8], residual: Option<Residual<'a>>) -> Result<Option<Run<'a>>, Error> {
        let (depth, rows) = (self.depth(), inputs.len() / self.depth());
        check_length("inputs", rows * depth, inputs.len())?;
        if rows == 0 {
            return Ok(None);
        }
        let input = Image::new(inputs, rows, 1, depth, depth)?;
        Ok(Some(Run { input, padding: Padding::default(), rows: 0..rows, residual }))
    }
}
