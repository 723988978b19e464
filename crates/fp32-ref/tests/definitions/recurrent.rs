//! Layers that walk over the rows of their input: `RNN`, `GRU` and `LSTM`.

use crate::support::{Array, Draw, Trial};

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// Weights of one direction: row-major matrices of `gates` blocks of rows.
struct Direction {
    /// `[gates · hidden][inputs]`
    input: Array,
    /// `[biases][hidden]`
    bias: Array,
    /// `[gates · hidden][outputs]`
    hidden: Array,
    /// `[outputs][hidden]`, if outputs are projections.
    projection: Option<Array>,
}

/// Row `row` of a matrix times a vector.
fn dot(matrix: &Array, row: usize, vector: &[f64]) -> f64 {
    vector.iter().enumerate().map(|(k, value)| matrix.at(&[row, k]) * value).sum()
}

/// What is remembered from row to row.
#[derive(Clone)]
struct State {
    hidden: Vec<f64>,
    cell: Vec<f64>,
}

/// One row by the formulas of the type.
fn step(kind: &str, weights: &Direction, x: &[f64], state: &State) -> State {
    let width = weights.bias.dims[1];
    let gate = |number: usize, unit: usize| {
        let row = number * width + unit;
        dot(&weights.input, row, x) + dot(&weights.hidden, row, &state.hidden)
    };
    match kind {
        "RNN" => {
            let hidden = (0..width).map(|unit| (gate(0, unit) + weights.bias.at(&[0, unit])).tanh()).collect();
            State { hidden, cell: Vec::new() }
        }
        "GRU" => {
            let hidden = (0..width)
                .map(|unit| {
                    let reset = sigmoid(gate(0, unit) + weights.bias.at(&[0, unit]));
                    let update = sigmoid(gate(1, unit) + weights.bias.at(&[1, unit]));
                    let row = 2 * width + unit;
                    let inner = dot(&weights.hidden, row, &state.hidden) + weights.bias.at(&[3, unit]);
                    let new = (weights.bias.at(&[2, unit]) + reset * inner + dot(&weights.input, row, x)).tanh();
                    (1.0 - update) * new + update * state.hidden[unit]
                })
                .collect();
            State { hidden, cell: Vec::new() }
        }
        _ => {
            let (mut out, mut cells) = (Vec::new(), Vec::new());
            for unit in 0..width {
                let [i, f, o, g] = [0, 1, 2, 3].map(|number| gate(number, unit) + weights.bias.at(&[number, unit]));
                let cell = sigmoid(f) * state.cell[unit] + sigmoid(i) * g.tanh();
                out.push(sigmoid(o) * cell.tanh());
                cells.push(cell);
            }
            let hidden = match &weights.projection {
                Some(projection) => (0..projection.dims[0]).map(|row| dot(projection, row, &out)).collect(),
                None => out,
            };
            State { hidden, cell: cells }
        }
    }
}

/// A whole layer: outputs `[rows][directions · outputs]` and the last states.
fn walk(kind: &str, directions: &[(Direction, bool)], input: &Array, states: &[State]) -> (Array, Vec<State>) {
    let rows = input.dims[0];
    let mut columns = Vec::new();
    let mut last = Vec::new();
    for ((weights, backwards), start) in directions.iter().zip(states) {
        let mut state = start.clone();
        let mut outputs = vec![Vec::new(); rows];
        let order: Vec<usize> = if *backwards { (0..rows).rev().collect() } else { (0..rows).collect() };
        for row in order {
            let x: Vec<f64> = (0..input.dims[1]).map(|k| input.at(&[row, k])).collect();
            state = step(kind, weights, &x, &state);
            outputs[row].clone_from(&state.hidden);
        }
        columns.push(outputs);
        last.push(state);
    }
    let width: usize = columns.iter().map(|outputs| outputs[0].len()).sum();
    let values = (0..rows).flat_map(|row| columns.iter().flat_map(move |outputs| outputs[row].clone())).collect();
    (Array::new(&[rows, width], values), last)
}

fn draw_direction(draw: &mut Draw, kind: &str, inputs: usize, hidden: usize, outputs: usize) -> Direction {
    let (gates, biases) = match kind {
        "RNN" => (1, 1),
        "GRU" => (3, 4),
        _ => (4, 4),
    };
    Direction {
        input: draw.array(&[gates * hidden, inputs], -1.0, 1.0),
        bias: draw.array(&[biases, hidden], -1.0, 1.0),
        hidden: draw.array(&[gates * hidden, outputs], -1.0, 1.0),
        projection: (hidden != outputs).then(|| draw.array(&[outputs, hidden], -1.0, 1.0)),
    }
}

fn check(kind: &'static str, case: u64) {
    let mut draw = Draw::new(case);
    let [rows, inputs, outputs] = [draw.size(1, 6), draw.size(1, 7), draw.size(1, 9)];
    let hidden = if kind == "LSTM" && draw.flag() { draw.size(1, 9) } else { outputs };
    let direction = draw.size(0, 2);
    let directions: Vec<(Direction, bool)> = match direction {
        2 => vec![false, true],
        other => vec![other == 1],
    }
    .into_iter()
    .map(|backwards| (draw_direction(&mut draw, kind, inputs, hidden, outputs), backwards))
    .collect();
    let input = draw.array(&[rows, inputs], -2.0, 2.0);
    // Each role holds all directions, one after another.
    let all = |part: fn(&Direction) -> &Array| -> Vec<f64> {
        directions.iter().flat_map(|(weights, _)| part(weights).values.clone()).collect()
    };
    let mut weights = vec![all(|w| &w.input), all(|w| &w.bias), all(|w| &w.hidden)];
    let mut params = format!("0={outputs} 1={} 2={direction}", weights[0].len());
    if hidden != outputs {
        weights.push(all(|w| w.projection.as_ref().unwrap()));
        params += &format!(" 3={hidden}");
    }
    let weights: Vec<&[f64]> = weights.iter().map(Vec::as_slice).collect();
    let zero = vec![State { hidden: vec![0.0; outputs], cell: vec![0.0; hidden] }; directions.len()];
    let (expected, _) = walk(kind, &directions, &input, &zero);
    Trial::new(kind, params.clone(), &[&input]).weights(&weights).gives(&[expected]);

    // With states from before, which go on to the next call.
    let begin: Vec<State> = directions
        .iter()
        .map(|_| State { hidden: draw.floats(outputs, -1.0, 1.0), cell: draw.floats(hidden, -1.0, 1.0) })
        .collect();
    let (expected, end) = walk(kind, &directions, &input, &begin);
    let joined = |states: &[State], part: fn(&State) -> &Vec<f64>| {
        let values: Vec<f64> = states.iter().flat_map(|state| part(state).clone()).collect();
        Array::new(&[states.len(), values.len() / states.len()], values)
    };
    let hidden_in = joined(&begin, |state| &state.hidden);
    let hidden_out = joined(&end, |state| &state.hidden);
    if kind == "LSTM" {
        let (cell_in, cell_out) = (joined(&begin, |state| &state.cell), joined(&end, |state| &state.cell));
        Trial::new(kind, params, &[&input, &hidden_in, &cell_in])
            .outputs(3)
            .weights(&weights)
            .gives(&[expected, hidden_out, cell_out]);
    } else {
        Trial::new(kind, params, &[&input, &hidden_in]).outputs(2).weights(&weights).gives(&[expected, hidden_out]);
    }
}

#[test]
fn a_plain_recurrence_is_its_formula_in_every_direction() {
    (0..60).for_each(|case| check("RNN", case));
}

#[test]
fn a_gated_recurrent_unit_is_its_formulas_in_every_direction() {
    (100..160).for_each(|case| check("GRU", case));
}

#[test]
fn a_long_short_term_memory_is_its_formulas_in_every_direction() {
    (200..280).for_each(|case| check("LSTM", case));
}

#[test]
fn rows_of_another_width_are_refused() {
    let mut draw = Draw::new(1);
    let input = draw.array(&[3, 5], -1.0, 1.0);
    let [w, b, h] = [draw.floats(8, -1.0, 1.0), draw.floats(2, -1.0, 1.0), draw.floats(4, -1.0, 1.0)];
    Trial::new("RNN", "0=2 1=8 2=0", &[&input]).weights(&[&w, &b, &h]).refused();
    let fitting = draw.array(&[3, 4], -1.0, 1.0);
    Trial::new("RNN", "0=2 1=8 2=0", &[&fitting]).weights(&[&w, &b, &h]).run().unwrap();
    Trial::new("RNN", "0=2 1=8 2=0", &[&fitting, &draw.array(&[1, 3], 0.0, 1.0)])
        .outputs(2)
        .weights(&[&w, &b, &h])
        .refused();
}
