//! Transformed weights.

use std::sync::OnceLock;

use crate::contract::{COEFFICIENTS, SIDE, WINDOW, WinogradKernel};
use crate::dense::DenseWeights;
use crate::geometry::ConvShape;
use crate::panel::AlignedBytes;

/// Taps of a kernel.
const TAPS: usize = 9;
/// Rows of `G`.
const TRANSFORM: [[i16; 3]; WINDOW] = [[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 12]];
/// Sums below this are exact.
const LIMIT: u64 = 1 << 25;
/// Fewer output channels are less work than transforming what they read.
const LEAST_OUTPUTS: usize = 8;
/// Bytes of coefficients of a row of tiles: the width of an image may come from a file.
const LARGEST_ROW: usize = 64 << 20;
/// Kernels that are transformed at a time.
const GROUP: usize = 8;

/// The weights of a layer that Winograd's algorithm can compute. They are transformed when they are used first,
/// because whether it pays depends on the size of the image, and they take eight times their room.
#[derive(Debug, Clone)]
pub(crate) struct WinogradWeights {
    pub(super) kernel: &'static WinogradKernel,
    /// `[out_channels][in_channels][3][3]`.
    weights: Box<[i8]>,
    pub(super) in_channels: usize,
    out_channels: usize,
    packed: OnceLock<AlignedBytes>,
}

impl WinogradWeights {
    /// `None` if the algorithm is not for convolutions of this shape or the weights are so large that sums might
    /// not be exact.
    pub(crate) fn new(shape: &ConvShape, weights: &[i8], kernel: &'static WinogradKernel) -> Option<Self> {
        let ConvShape { in_channels, out_channels, .. } = *shape;
        let expected =
            ConvShape { kernel_h: 3, kernel_w: 3, ..ConvShape::pointwise(shape.in_channels, shape.out_channels) };
        let is_exact = |weights: &[i8]| {
            let sum: u64 = weights.iter().map(|weight| u64::from(weight.unsigned_abs())).sum();
            128 * sum < LIMIT
        };
        let fits = isize::try_from(packed_bytes(kernel, in_channels, out_channels)?).is_ok();
        if *shape != expected || !fits || !weights.chunks(TAPS * in_channels).all(is_exact) {
            return None;
        }
        Some(Self { kernel, weights: weights.into(), in_channels, out_channels, packed: OnceLock::new() })
    }

    pub(crate) fn name(&self) -> &'static str {
        self.kernel.name
    }

    /// Bytes of the coefficients of one tile, of inputs and of a panel's sums.
    pub(super) fn tile_bytes(&self) -> usize {
        COEFFICIENTS * size_of::<i32>() * (self.pairs() + self.kernel.lanes * self.kernel.vectors)
    }

    /// Whether the coefficients of a row of tiles have no more bytes than could make sense.
    pub(crate) fn takes(&self, width: usize) -> bool {
        width.div_ceil(SIDE).saturating_mul(self.tile_bytes()) <= LARGEST_ROW
    }

    /// Whether the algorithm was measured to be faster for an output of that size.
    pub(crate) fn pays(&self, height: usize, width: usize) -> bool {
        self.in_channels >= self.kernel.least_channels
            && self.out_channels >= LEAST_OUTPUTS
            && height.div_ceil(SIDE).saturating_mul(width.div_ceil(SIDE)) >= self.kernel.least_tiles
    }

    /// Transforms the weights, if that is not done.
    pub(crate) fn prepare(&self, dense: &DenseWeights) {
        self.packed(dense);
    }

    /// Pairs of input channels.
    pub(super) fn pairs(&self) -> usize {
        self.in_channels.div_ceil(2)
    }

    /// Bytes of the transformed weights of one lane.
    pub(super) fn lane_bytes(&self) -> usize {
        COEFFICIENTS * self.pairs() * size_of::<i32>()
    }

    /// The transformed weights of all panels of `dense`, whose lanes they have.
    pub(super) fn packed(&self, dense: &DenseWeights) -> &[i8] {
        self.packed.get_or_init(|| self.pack(dense)).as_slice()
    }

    fn pack(&self, dense: &DenseWeights) -> AlignedBytes {
        let (pairs, lane_bytes, depths) = (self.pairs(), self.lane_bytes(), self.kernel.depths);
        let lanes = dense.panels().last().map_or(0, |panel| panel.lane + panel.lanes(self.kernel.lanes));
        let mut packed = AlignedBytes::zeros(lanes * lane_bytes);
        for panel in dense.panels() {
            let lanes = panel.lanes(self.kernel.lanes);
            let bytes = &mut packed.as_mut_slice()[panel.lane * lane_bytes..][..lanes * lane_bytes];
            for first in (0..panel.channels).step_by(GROUP) {
                let count = GROUP.min(panel.channels - first);
                for channel in 0..self.in_channels {
                    let coefficients = transform(&self.kernels(panel.channel + first, count, channel));
                    let at = (channel / depths * lanes + first) * depths + channel % depths;
                    let bytes = bytes[at * size_of::<i16>()..].chunks_mut(pairs * lanes * size_of::<i32>());
                    for (bytes, values) in bytes.zip(&coefficients) {
                        let places = bytes.chunks_mut(depths * size_of::<i16>());
                        for (bytes, value) in places.zip(&values[..count]) {
                            let [low, high] = value.to_le_bytes();
                            bytes[..2].copy_from_slice(&[low as i8, high as i8]);
                        }
                    }
                }
            }
        }
        packed
    }

    /// The kernels of `count` output channels from `first` on for an input channel, tap by tap.
    fn kernels(&self, first: usize, count: usize, channel: usize) -> [[i16; GROUP]; TAPS] {
        let mut taps = [[0; GROUP]; TAPS];
        for index in 0..count {
            let at = ((first + index) * self.in_channels + channel) * TAPS;
            for (tap, &weight) in taps.iter_mut().zip(&self.weights[at..at + TAPS]) {
                tap[index] = i16::from(weight);
            }
        }
        taps
    }
}

/// Bytes of all panels at most, if that is a number.
fn packed_bytes(kernel: &WinogradKernel, in_channels: usize, out_channels: usize) -> Option<usize> {
    let lanes = out_channels.checked_add(kernel.lanes * kernel.vectors)?;
    in_channels.checked_add(1)?.checked_mul(2 * COEFFICIENTS)?.checked_mul(lanes)
}

/// `G · weights · Gᵀ` of some kernels at a time.
fn transform(kernels: &[[i16; GROUP]; TAPS]) -> [[i16; GROUP]; COEFFICIENTS] {
    let mut columns = [[[0; GROUP]; 3]; WINDOW];
    for (row, column) in TRANSFORM.iter().zip(&mut columns) {
        for (x, values) in column.iter_mut().enumerate() {
            *values = combine(row, [&kernels[x], &kernels[3 + x], &kernels[6 + x]]);
        }
    }
    let mut coefficients = [[0; GROUP]; COEFFICIENTS];
    for (to, column) in coefficients.as_chunks_mut::<WINDOW>().0.iter_mut().zip(&columns) {
        for (to, row) in to.iter_mut().zip(&TRANSFORM) {
            *to = combine(row, [&column[0], &column[1], &column[2]]);
        }
    }
    coefficients
}

fn combine(row: &[i16; 3], values: [&[i16; GROUP]; 3]) -> [i16; GROUP] {
    std::array::from_fn(|i| row[0] * values[0][i] + row[1] * values[1][i] + row[2] * values[2][i])
}
