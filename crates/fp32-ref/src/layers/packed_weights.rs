//! Weights prepared once for every matrix product with them.

use ncnn_format::{Error, Result};
use rten_gemm::{BiasVector, GemmExecutor, GemmInputA, GemmInputB, GemmOptions, PackedBMatrix};
use rten_tensor::NdTensorView;

/// A matrix of weights in the order that the multiplication of this CPU reads.
///
/// Results do not depend on the number of threads: a sum over the depth is always
/// cut at the same places.
pub(super) struct PackedWeights {
    packed: PackedBMatrix<f32>,
    depth: usize,
    outputs: usize,
}

impl PackedWeights {
    /// `weights` are `[outputs][depth]` in row-major order.
    pub(super) fn new(weights: &[f32], outputs: usize) -> Result<Self> {
        let depth = weights.len() / outputs;
        let transposed = NdTensorView::from_data_with_strides([depth, outputs], weights, [1, depth])
            .map_err(|error| Error::invalid(format!("the weights are no matrix of {outputs} rows")).caused_by(error))?;
        Ok(Self { packed: executor().prepack_b(transposed), depth, outputs })
    }

    /// The length of the vectors that are multiplied.
    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    /// The number of results per vector.
    pub(super) fn outputs(&self) -> usize {
        self.outputs
    }

    /// `output = rows · weightsᵀ + bias`, for `[n][depth]` rows, `stride` elements
    /// apart, of which the last need not be followed by anything; `output` is
    /// `[n][outputs]`.
    pub(super) fn multiply(&self, rows: &[f32], stride: usize, bias: Option<&[f32]>, output: &mut [f32]) -> Result<()> {
        let count = output.len() / self.outputs;
        let rows = NdTensorView::from_data_with_strides([count, self.depth], rows, [stride, 1])
            .map_err(|error| Error::invalid(format!("the input is no matrix of {count} rows")).caused_by(error))?;
        let options = GemmOptions { bias: bias.map(BiasVector::Row), ..GemmOptions::default() };
        executor()
            .gemm(output, GemmInputA::Unpacked(rows), GemmInputB::Packed(&self.packed), options)
            .map_err(|error| Error::invalid("cannot multiply by the weights").caused_by(error))
    }
}

/// The multiplication for this CPU; it holds nothing, so making it costs nothing.
fn executor() -> GemmExecutor<f32, f32, f32> {
    GemmExecutor::default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multiplies_rows_and_adds_the_bias() {
        let weights = PackedWeights::new(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 2).unwrap();
        let mut output = [0.0; 4];
        weights.multiply(&[1.0, 0.0, 2.0, 4.0, 4.0, 4.0], 3, Some(&[0.5, -40.0]), &mut output).unwrap();
        assert_eq!(output, [7.5, -24.0, 24.5, 20.0]);
    }

    #[test]
    fn takes_a_part_of_longer_rows() {
        let weights = PackedWeights::new(&[1.0, 10.0], 1).unwrap();
        let mut output = [0.0; 2];
        weights.multiply(&[1.0, 2.0, 9.0, 3.0, 4.0], 3, None, &mut output).unwrap();
        assert_eq!(output, [21.0, 43.0]);
    }

    #[test]
    fn the_number_of_threads_does_not_matter() {
        let (depth, outputs, rows) = (700, 300, 5);
        let values = |len: usize| (0..len).map(|i| (i as f32 * 0.37).sin()).collect::<Vec<_>>();
        let weights = PackedWeights::new(&values(depth * outputs), outputs).unwrap();
        let run = |threads| {
            let mut output = vec![0.0; rows * outputs];
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| weights.multiply(&values(rows * depth), depth, None, &mut output)).unwrap();
            output
        };
        assert_eq!(run(1), run(3));
    }
}
