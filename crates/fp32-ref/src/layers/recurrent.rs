//! What the recurrent layers share, floats and int8 alike: directions, states and steps.

use ncnn_format::{Error, LayerKind, Result, WeightRole, typed};
use ndarray::linalg::{general_mat_mul, general_mat_vec_mul};
use ndarray::{ArrayView1, ArrayViewMut1};

use super::loading::{floats, share};
use super::matrix::{matrix, matrix_mut};
use super::window::positive;
use crate::{Layer, Shape, Tensor};

/// A recurrent layer; `C` is what happens at every step.
#[derive(Debug)]
pub struct Recurrent<C> {
    form: RecurrentForm,
    /// One per direction, in the order of the output.
    cells: Vec<C>,
    /// The file names outputs for the last states.
    gives_states: bool,
}

/// How a step makes new states from old ones, in one direction.
pub trait Cell: Send + Sync {
    /// Memory that the steps of a run share.
    type Scratch: Default;

    /// The lengths of the states; the first is the output.
    fn states(&self) -> Vec<usize>;

    /// Writes what the rows of `input` contribute to `gates`, `[steps][gate rows]`.
    ///
    /// # Errors
    /// None where the sizes are those of the layer.
    fn project(&self, input: &Tensor, gates: &mut [f32]) -> Result<()>;

    /// Replaces the states. `gates` is one row of [`Cell::project`] and may be overwritten.
    fn step(&self, gates: &mut [f32], states: &mut [Vec<f32>], scratch: &mut Self::Scratch);
}

/// What the parameters of an `RNN`, `GRU` or `LSTM` say. Lengths are those of one direction.
#[derive(Debug, Clone, Copy)]
pub struct RecurrentForm {
    /// Whether each direction runs backwards, in the order of the output.
    pub backwards: &'static [bool],
    /// Values of a row of the input.
    pub inputs: usize,
    /// Rows of all gates.
    pub rows: usize,
    /// Number of biases; those beyond the rows are the cell's.
    pub biases: usize,
    /// Rows of one gate.
    pub hidden: usize,
    /// Values of a row of the output.
    pub outputs: usize,
}

impl RecurrentForm {
    /// Reads the parameters of `layer`.
    ///
    /// # Errors
    /// `Malformed` when a size is not positive, too large or contradicts another one;
    /// `Unsupported` for a layer that is not recurrent.
    pub fn read(layer: &ncnn_format::Layer) -> Result<Self> {
        let (size, direction, outputs, hidden, gates, biases) = match layer.kind {
            LayerKind::RNN => {
                let params = typed::RNN::read(layer)?;
                (params.weight_data_size, params.direction, params.num_output, params.num_output, 1, 1)
            }
            LayerKind::GRU => {
                let params = typed::GRU::read(layer)?;
                (params.weight_data_size, params.direction, params.num_output, params.num_output, 3, 4)
            }
            LayerKind::LSTM => {
                let params = typed::LSTM::read(layer)?;
                (params.weight_data_size, params.direction, params.num_output, params.hidden_size, 4, 4)
            }
            _ => return Err(Error::unsupported(format!("a {} is not recurrent", layer.kind))),
        };
        let (outputs, hidden) = (positive("num_output", outputs)?, positive("hidden_size", hidden)?);
        let backwards: &[bool] = match direction {
            0 => &[false],
            1 => &[true],
            2 => &[false, true],
            other => return Err(Error::malformed(format!("direction is {other}, expected 0, 1 or 2"))),
        };
        let rows = product(&[gates, hidden])?;
        let total = positive("weight_data_size", size)?;
        let inputs = share("inputs", total, product(&[rows, backwards.len()])?)?;
        // The largest of the other weights; all sizes below are its factors.
        product(&[rows, outputs, backwards.len()])?;
        Ok(Self { backwards, inputs, rows, biases: product(&[biases, hidden])?, hidden, outputs })
    }

    /// The number of elements of a weight that has `len` in each direction.
    pub fn total(&self, len: usize) -> usize {
        len.saturating_mul(self.backwards.len())
    }

    /// The part of `values` that belongs to a direction.
    pub fn part<'a, T>(&self, values: &'a [T], direction: usize) -> &'a [T] {
        let len = values.len() / self.backwards.len();
        &values[direction * len..][..len]
    }
}

/// The weights of all directions, as floats.
pub(super) struct FloatWeights {
    form: RecurrentForm,
    input: Vec<f32>,
    bias: Vec<f32>,
    hidden: Vec<f32>,
}

impl FloatWeights {
    pub(super) fn read(layer: &ncnn_format::Layer, form: RecurrentForm) -> Result<Self> {
        let take = |role, len| floats(layer, role, form.total(len));
        Ok(Self {
            form,
            input: take(WeightRole::InputWeight, form.rows * form.inputs)?,
            bias: take(WeightRole::Bias, form.biases)?,
            hidden: take(WeightRole::HiddenWeight, form.rows * form.outputs)?,
        })
    }

    /// What the inputs of a direction are multiplied by.
    pub(super) fn input(&self, direction: usize) -> InputWeights {
        let bias = self.form.part(&self.bias, direction);
        InputWeights {
            weights: self.form.part(&self.input, direction).to_vec(),
            bias: bias[..self.form.rows.min(bias.len())].to_vec(),
        }
    }

    /// Row-major `[gate rows][outputs]`.
    pub(super) fn hidden(&self, direction: usize) -> Vec<f32> {
        self.form.part(&self.hidden, direction).to_vec()
    }

    /// The biases beyond the gates.
    pub(super) fn own_bias(&self, direction: usize) -> Vec<f32> {
        self.form.part(&self.bias, direction)[self.form.rows..].to_vec()
    }
}

/// `W · x + b` of all rows at once.
#[derive(Default)]
pub(super) struct InputWeights {
    /// Row-major `[gate rows][inputs]`.
    weights: Vec<f32>,
    bias: Vec<f32>,
}

impl InputWeights {
    pub(super) fn project(&self, input: &Tensor, gates: &mut [f32]) -> Result<()> {
        let (steps, rows) = (input.shape().h(), self.bias.len());
        let inputs = self.weights.len() / rows;
        for gates in gates.chunks_exact_mut(rows) {
            gates.copy_from_slice(&self.bias);
        }
        let x = matrix(input.as_slice(), steps, inputs)?;
        let weights = matrix(&self.weights, rows, inputs)?;
        general_mat_mul(1.0, &x, &weights.t(), 1.0, &mut matrix_mut(gates, steps, rows)?);
        Ok(())
    }
}

impl<C: Cell> Recurrent<C> {
    /// The layer whose steps in each direction are those of `cell`.
    ///
    /// # Errors
    /// Those of `cell`; `Malformed` if `layer` names another number of outputs than it has.
    pub fn new(layer: &ncnn_format::Layer, form: RecurrentForm, cell: impl FnMut(usize) -> Result<C>) -> Result<Self> {
        let cells = (0..form.backwards.len()).map(cell).collect::<Result<Vec<_>>>()?;
        let states = cells.first().map_or(0, |cell| cell.states().len());
        let gives_states = match layer.outputs.len() {
            0 | 1 => false,
            found if found == states + 1 => true,
            found => {
                return Err(Error::malformed(format!("makes 1 or {} blobs, the file names {found}", states + 1)));
            }
        };
        Ok(Self { form, cells, gives_states })
    }

    /// Writes the outputs of all steps of a direction to its columns of `output`, whose rows
    /// have `width` values, and leaves the last states.
    fn run_direction(
        &self,
        index: usize,
        input: &Tensor,
        states: &mut [Vec<f32>],
        output: &mut [f32],
        width: usize,
    ) -> Result<()> {
        let (cell, rows, first) = (&self.cells[index], self.form.rows, index * self.form.outputs);
        let mut gates = vec![0.0; Shape::new(&[input.shape().h(), rows])?.volume()];
        cell.project(input, &mut gates)?;
        let mut steps: Vec<_> = gates.chunks_exact_mut(rows).zip(output.chunks_exact_mut(width)).collect();
        if self.form.backwards[index] {
            steps.reverse();
        }
        let mut scratch = C::Scratch::default();
        for (gates, row) in steps {
            cell.step(gates, states, &mut scratch);
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
        let Some(cell) = self.cells.first() else { return Err(Error::malformed("has no direction")) };
        let widths = cell.states();
        let (input, states) = match inputs {
            [input] => (input, None),
            [input, states @ ..] if states.len() == widths.len() => (input, Some(states)),
            _ => {
                let most = widths.len() + 1;
                return Err(Error::malformed(format!("takes 1 or {most} blobs, the file gives it {}", inputs.len())));
            }
        };
        if input.rank() > 2 || input.w() != self.form.inputs {
            return Err(Error::invalid(format!("expects rows of {} values, the input is {input}", self.form.inputs)));
        }
        let directions = self.cells.len();
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
        for (index, cell) in self.cells.iter().enumerate() {
            let widths = cell.states();
            let parts = last.iter().zip(&widths);
            let mut states: Vec<Vec<f32>> =
                parts.map(|(state, &len)| state.as_slice()[index * len..][..len].to_vec()).collect();
            self.run_direction(index, &inputs[0], &mut states, output.as_mut_slice(), width)?;
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

/// `1 / (1 + exp(-x))`, the gate of recurrent layers.
pub fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}
