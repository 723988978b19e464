//! Recurrent layers: matrices for each gate and direction.

use super::plan::{Plan, Size, quotient};
use crate::typed::{GRU, LSTM, RNN};
use crate::{Layer, Result, WeightRole};

/// What differs between the three recurrent types.
struct Recurrence {
    weight_data_size: i32,
    direction: i32,
    /// Rows of one gate.
    hidden: Size,
    gates: i32,
    /// Rows of bias per output.
    biases: i32,
    /// Columns of the hidden projection.
    outputs: Size,
    int8_scale_term: i32,
}

pub(super) fn lstm(plan: &mut Plan, layer: &Layer) -> Result<()> {
    let params = LSTM::read(layer)?;
    Recurrence {
        weight_data_size: params.weight_data_size,
        direction: params.direction,
        hidden: ("hidden_size", params.hidden_size),
        gates: 4,
        biases: 4,
        outputs: ("num_output", params.num_output),
        int8_scale_term: params.int8_scale_term,
    }
    .fill(plan)
}

pub(super) fn gru(plan: &mut Plan, layer: &Layer) -> Result<()> {
    let params = GRU::read(layer)?;
    Recurrence {
        weight_data_size: params.weight_data_size,
        direction: params.direction,
        hidden: ("num_output", params.num_output),
        gates: 3,
        biases: 4,
        outputs: ("num_output", params.num_output),
        int8_scale_term: params.int8_scale_term,
    }
    .fill(plan)
}

pub(super) fn rnn(plan: &mut Plan, layer: &Layer) -> Result<()> {
    let params = RNN::read(layer)?;
    Recurrence {
        weight_data_size: params.weight_data_size,
        direction: params.direction,
        hidden: ("num_output", params.num_output),
        gates: 1,
        biases: 1,
        outputs: ("num_output", params.num_output),
        int8_scale_term: params.int8_scale_term,
    }
    .fill(plan)
}

impl Recurrence {
    fn fill(&self, plan: &mut Plan) -> Result<()> {
        let (hidden, outputs, gates) = (self.hidden, self.outputs, ("gates", self.gates));
        let directions = ("directions", if self.direction == 2 { 2 } else { 1 });
        let whole = ("weight_data_size", self.weight_data_size);
        let inputs = ("size", quotient(whole, &[directions, hidden, gates])?);
        plan.tagged(WeightRole::InputWeight, &[inputs, gates, hidden, directions])?;
        plan.tagged(WeightRole::Bias, &[hidden, ("biases", self.biases), directions])?;
        plan.tagged(WeightRole::HiddenWeight, &[outputs, gates, hidden, directions])?;
        if outputs.1 != hidden.1 {
            plan.tagged(WeightRole::ProjectionWeight, &[hidden, outputs, directions])?;
        }
        if self.int8_scale_term != 0 {
            plan.raw(WeightRole::InputWeightScales, &[gates, hidden, directions])?;
            plan.raw(WeightRole::HiddenWeightScales, &[gates, hidden, directions])?;
        }
        Ok(())
    }
}
