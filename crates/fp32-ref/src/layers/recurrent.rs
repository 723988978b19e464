//! What the recurrent layers share: directions, states, and the products with all inputs.

use ncnn_format::{Error, Result, WeightRole};
use ndarray::linalg::{general_mat_mul, general_mat_vec_mul};
use ndarray::{ArrayView1, ArrayViewMut1};

use super::loading::{floats, share};
use super::matrix::{matrix, matrix_mut};
use super::window::positive;
use crate::{Layer, Shape, Tensor};

/// A recurrent layer; `C` is what happens at every step.
pub(super) struct Recurrent<C> {
    /// One per direction, in the order of the output.
    passes: Vec<Pass<C>>,
    /// The file names outputs for the last states.
    gives_states: bool,
}

/// One direction.
struct Pass<C> {
    backwards: bool,
    /// Row-major `[gate rows][inputs]`.
    weights: Vec<f32>,
    bias: Vec<f32>,
    cell: C,
}

/// How a step makes new states from old ones.
pub(super) trait Cell: Send + Sync {
    /// The lengths of the states; the first is the output.
    fn states(&self) -> Vec<usize>;

    /// Replaces the states. `gates` are the products with the input, biases included,
    /// and may be overwritten.
    fn step(&self, gates: &mut [f32], states: &mut [Vec<f32>]);
}

/// The parameters from which the sizes of all weights follow.
pub(super) struct Sizes {
    pub(super) weight_data_size: i32,
    pub(super) direction: i32,
    pub(super) gates: usize,
    /// Rows of biases; those beyond the gates are the cell's.
    pub(super) biases: usize,
    /// Rows of one gate.
    pub(super) hidden: usize,
    /// Length of the output of one direction.
    pub(super) outputs: usize,
}

/// The weights of one direction that the cell keeps.
pub(super) struct CellWeights<'a> {
    /// The position among the directions.
    pub(super) index: usize,
    /// Row-major `[gate rows][outputs]`.
    pub(super) hidden: &'a [f32],
    /// The rows beyond the gates.
    pub(super) bias: &'a [f32],
}

impl<C: Cell> Recurrent<C> {
    /// Takes the weights of `layer`; `cell` makes the step of each direction.
    pub(super) fn build(
        layer: &ncnn_format::Layer,
        sizes: &Sizes,
        cell: impl Fn(CellWeights<'_>) -> Result<C>,
    ) -> Result<Self> {
        let backwards: &[bool] = match sizes.direction {
            0 => &[false],
            1 => &[true],
            2 => &[false, true],
            other => return Err(Error::malformed(format!("direction is {other}, expected 0, 1 or 2"))),
        };
        let rows = product(&[sizes.gates, sizes.hidden])?;
        let total = positive("weight_data_size", sizes.weight_data_size)?;
        share("inputs", total, product(&[rows, backwards.len()])?)?;
        let input_len = total / backwards.len();
        let hidden_len = product(&[rows, sizes.outputs])?;
        let bias_len = product(&[sizes.biases, sizes.hidden])?;
        let weights = floats(layer, WeightRole::InputWeight, total)?;
        let bias = floats(layer, WeightRole::Bias, product(&[bias_len, backwards.len()])?)?;
        let hidden = floats(layer, WeightRole::HiddenWeight, product(&[hidden_len, backwards.len()])?)?;
        let mut passes = Vec::with_capacity(backwards.len());
        for (index, &backwards) in backwards.iter().enumerate() {
            let (bias, own) = bias[index * bias_len..][..bias_len].split_at(rows.min(bias_len));
            passes.push(Pass {
                backwards,
                weights: weights[index * input_len..][..input_len].to_vec(),
                bias: bias.to_vec(),
                cell: cell(CellWeights { index, hidden: &hidden[index * hidden_len..][..hidden_len], bias: own })?,
            });
        }
        let states = passes.first().map_or(0, |pass| pass.cell.states().len());
        let gives_states = match layer.outputs.len() {
            0 | 1 => false,
            found if found == states + 1 => true,
            found => {
                return Err(Error::malformed(format!("makes 1 or {} blobs, the file names {found}", states + 1)));
            }
        };
        Ok(Self { passes, gives_states })
    }
}

impl<C: Cell> Pass<C> {
    fn inputs(&self) -> usize {
        self.weights.len() / self.bias.len()
    }

    /// Writes the outputs of all steps to the `columns` of `output`, whose rows have
    /// `width` values, and leaves the last states.
    fn run(
        &self,
        input: &Tensor,
        states: &mut [Vec<f32>],
        output: &mut [f32],
        width: usize,
        first: usize,
    ) -> Result<()> {
        let (steps, rows) = (input.shape().h(), self.bias.len());
        let mut gates = vec![0.0; Shape::new(&[steps, rows])?.volume()];
        for gates in gates.chunks_exact_mut(rows) {
            gates.copy_from_slice(&self.bias);
        }
        let x = matrix(input.as_slice(), steps, self.inputs())?;
        let weights = matrix(&self.weights, rows, self.inputs())?;
        general_mat_mul(1.0, &x, &weights.t(), 1.0, &mut matrix_mut(&mut gates, steps, rows)?);
        let mut steps: Vec<_> = gates.chunks_exact_mut(rows).zip(output.chunks_exact_mut(width)).collect();
        if self.backwards {
            steps.reverse();
        }
        for (gates, row) in steps {
            self.cell.step(gates, states);
            if let Some(hidden) = states.first() {
                row[first..first + hidden.len()].copy_from_slice(hidden);
            }
        }
        Ok(())
    }
}

impl<C: Cell> Recurrent<C> {
    /// The shapes of the output and of the last states.
    fn shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        let Some(pass) = self.passes.first() else { return Err(Error::malformed("has no direction")) };
        let widths = pass.cell.states();
        let (input, states) = match inputs {
            [input] => (input, None),
            [input, states @ ..] if states.len() == widths.len() => (input, Some(states)),
            _ => {
                let most = widths.len() + 1;
                return Err(Error::malformed(format!("takes 1 or {most} blobs, the file gives it {}", inputs.len())));
            }
        };
        if input.rank() > 2 || input.w() != pass.inputs() {
            return Err(Error::invalid(format!("expects rows of {} values, the input is {input}", pass.inputs())));
        }
        let directions = self.passes.len();
        let mut shapes = vec![Shape::new(&[input.h(), directions * widths[0]])?];
        for (index, &width) in widths.iter().enumerate() {
            let made = Shape::new(&[directions, width])?;
            let given = states.map_or(made, |states| states[index]);
            if given != made && (given.rank() != 1 || given.volume() != made.volume() || directions != 1) {
                return Err(Error::invalid(format!("expects states of {made}, found {given}")));
            }
            shapes.push(given);
        }
        Ok(shapes)
    }
}

impl<C: Cell> Layer for Recurrent<C> {
    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        let mut shapes = self.shapes(inputs)?;
        if !self.gives_states {
            shapes.truncate(1);
        }
        Ok(shapes)
    }

    fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>> {
        let shapes = self.shapes(&inputs.iter().map(Tensor::shape).collect::<Vec<_>>())?;
        let mut outputs: Vec<Tensor> = shapes.iter().map(|&shape| Tensor::filled(shape, 0.0)).collect();
        for (state, given) in outputs.iter_mut().skip(1).zip(inputs.iter().skip(1)) {
            *state = given.clone();
        }
        let [output, last @ ..] = outputs.as_mut_slice() else { return Ok(outputs) };
        let width = output.shape().w();
        for (index, pass) in self.passes.iter().enumerate() {
            let widths = pass.cell.states();
            let parts = last.iter().zip(&widths);
            let mut states: Vec<Vec<f32>> =
                parts.map(|(state, &len)| state.as_slice()[index * len..][..len].to_vec()).collect();
            pass.run(&inputs[0], &mut states, output.as_mut_slice(), width, index * widths[0])?;
            for (state, value) in last.iter_mut().zip(&states) {
                state.as_mut_slice()[index * value.len()..][..value.len()].copy_from_slice(value);
            }
        }
        if !self.gives_states {
            outputs.truncate(1);
        }
        Ok(outputs)
    }
}

/// `output = beta · output + weights · input`, of row-major weights.
pub(super) fn multiply(weights: &[f32], input: &[f32], beta: f32, output: &mut [f32]) {
    // Cannot fail: the cells' weights have the sizes of their states.
    let Ok(weights) = matrix(weights, output.len(), input.len()) else { return };
    general_mat_vec_mul(1.0, &weights, &ArrayView1::from(input), beta, &mut ArrayViewMut1::from(output));
}

/// The product of sizes of weights.
pub(super) fn product(sizes: &[usize]) -> Result<usize> {
    sizes
        .iter()
        .try_fold(1_usize, |product, &size| product.checked_mul(size))
        .ok_or_else(|| Error::malformed(format!("a weight of {sizes:?} elements is too large")))
}

/// `1 / (1 + exp(-x))`.
pub(super) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}
