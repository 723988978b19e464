//! What `ncnn_format` says that layers do to values, held to what they do.

use std::collections::BTreeSet;

use ncnn_format::{Activation, Effect, Layer, LinearLayer};

use crate::lines::LAYERS;
use crate::support::{Array, Draw, Trial, with};

/// More lines than one per type: those whose parameters decide the effect.
const MORE: &[(&str, &str, &[&[usize]])] = &[
    ("BinaryOp", "0=0", &[&[3, 4, 5], &[3, 4, 5]]),
    ("BinaryOp", "0=2", &[&[3, 4, 5], &[3, 4, 5]]),
    ("BinaryOp", "0=0 1=1 2=1.5", &[&[3, 4, 5]]),
    ("BinaryOp", "0=1 1=1 2=1.5", &[&[3, 4, 5]]),
    ("BinaryOp", "0=2 1=1 2=-1.5", &[&[3, 4, 5]]),
    ("BinaryOp", "0=3 1=1 2=1.5", &[&[3, 4, 5]]),
    ("BinaryOp", "0=4 1=1 2=0.5", &[&[3, 4, 5]]),
    ("BinaryOp", "0=6 1=1 2=2.0", &[&[3, 4, 5]]),
    ("BinaryOp", "0=7 1=1 2=1.5", &[&[3, 4, 5]]),
    ("BinaryOp", "0=8 1=1 2=1.5", &[&[3, 4, 5]]),
    ("Dropout", "0=1.0", &[&[3, 4, 5]]),
    ("Dropout", "", &[&[3, 4, 5]]),
    ("Eltwise", "0=1", &[&[3, 4, 5], &[3, 4, 5]]),
    ("Eltwise", "0=1", &[&[4, 5], &[4, 5], &[4, 5]]),
    ("Eltwise", "0=1 -23301=2,1.0,1.0", &[&[3, 4, 5], &[3, 4, 5]]),
    ("Eltwise", "0=1 -23301=2,1.0,-1.0", &[&[3, 4, 5], &[3, 4, 5]]),
    ("Eltwise", "0=0", &[&[3, 4, 5], &[3, 4, 5]]),
    ("Eltwise", "0=2", &[&[3, 4, 5], &[3, 4, 5]]),
    ("Power", "0=1.0 1=2.0 2=-1.0", &[&[3, 4, 5]]),
    ("Power", "0=3.0", &[&[3, 4, 5]]),
    ("ReLU", "", &[&[3, 4, 5]]),
    ("Clip", "0=0.0 1=6.0", &[&[4, 5]]),
    ("HardSwish", "0=0.25 1=0.5", &[&[4, 5]]),
    ("Pooling", "0=0 1=2 2=2", &[&[3, 4, 5]]),
    ("Pooling", "0=0 1=1", &[&[3, 4, 5]]),
    ("Pooling", "0=1 1=1", &[&[3, 4, 5]]),
    ("Pooling", "0=0 4=1", &[&[3, 4, 5]]),
    ("Pooling", "0=1 4=1", &[&[3, 4, 5]]),
    ("Pooling", "0=0 7=1 8=2", &[&[3, 4, 5]]),
    ("Pooling", "0=1 7=1 8=3 18=2", &[&[3, 4, 5]]),
    ("Pooling1D", "0=0 1=2 2=1", &[&[3, 5]]),
    ("Pooling1D", "0=1 4=1", &[&[3, 5]]),
    ("Pooling3D", "0=0 1=2 2=2", &[&[3, 4, 4, 5]]),
    ("Pooling3D", "0=1 7=1 8=2", &[&[3, 4, 4, 5]]),
    ("Interp", "0=1 3=7 4=3", &[&[3, 4, 5]]),
    ("Interp", "0=1 3=7 4=3", &[&[3]]),
    ("Interp", "0=3 3=7 4=3", &[&[3, 4, 5]]),
    ("Padding", "0=1 1=2 2=1 4=1", &[&[3, 4, 5]]),
    ("Padding", "0=1 1=2 2=1 4=2", &[&[3, 4, 5]]),
    ("Padding", "0=1 5=-2.5", &[&[3, 4, 5]]),
    ("Concat", "0=-1", &[&[4, 5], &[4, 2], &[4, 1]]),
    ("Tile", "-23302=3,2,1,3", &[&[3, 4, 5]]),
    ("Scale", "0=3", &[&[3, 4, 5]]),
    ("Scale", "0=-233", &[&[3, 4, 5], &[3]]),
    ("PReLU", "0=1", &[&[3, 4, 5]]),
    ("Crop", "0=1 1=1", &[&[4, 5], &[2, 3]]),
    ("Reshape", "6=\"0w,-1\"", &[&[3, 4, 5]]),
    ("Noop", "", &[&[3, 4, 5], &[2]]),
    ("GELU", "", &[&[3, 4, 5]]),
];

/// All lines as trials with weights, and what is said of them.
fn all(draw: &mut Draw) -> Vec<(Trial, Effect)> {
    LAYERS
        .iter()
        .chain(MORE)
        .map(|&(kind, params, shapes)| {
            let inputs: Vec<Array> = shapes.iter().map(|dims| draw.array(dims, -2.0, 2.0)).collect();
            let trial = Trial::new(kind, params, &inputs.iter().collect::<Vec<_>>()).with_any_weights(draw);
            let effect = trial.layer().effect().unwrap();
            (trial, effect)
        })
        .collect()
}

/// Those trials of which `wanted` says more than nothing.
fn those<T>(draw: &mut Draw, wanted: impl Fn(&Effect) -> Option<T>) -> Vec<(Trial, T)> {
    let found: Vec<(Trial, T)> =
        all(draw).into_iter().filter_map(|(trial, effect)| Some((trial, wanted(&effect)?))).collect();
    assert!(!found.is_empty());
    found
}

/// The first output for other inputs.
fn output(trial: &Trial, inputs: Vec<Array>) -> Array {
    trial.fed(inputs).run().unwrap_or_else(|error| panic!("{trial}: {error}")).remove(0)
}

/// The first output for the inputs that a trial has.
fn own(trial: &Trial) -> Array {
    output(trial, trial.inputs().to_vec())
}

fn is(effect: &Effect, wanted: &Effect) -> Option<()> {
    (effect == wanted).then_some(())
}

#[track_caller]
fn assert_close(trial: &Trial, found: &Array, expected: &Array) {
    assert_eq!(found.dims, expected.dims, "{trial}");
    let largest = expected.values.iter().fold(1.0_f64, |largest, value| largest.max(value.abs()));
    for (found, expected) in found.values.iter().zip(&expected.values) {
        assert!((found - expected).abs() <= 2e-5 * largest, "{trial}: {found} is not {expected}");
    }
}

fn sum(a: &Array, b: &Array) -> Array {
    Array::build(&a.dims, |index| a.at(index) + b.at(index))
}

/// Bits of the values of an array, as a set.
fn values(arrays: &[Array]) -> BTreeSet<u64> {
    arrays.iter().flat_map(|array| &array.values).map(|value| value.to_bits()).collect()
}

#[test]
fn an_alias_hands_its_inputs_on_bit_for_bit() {
    let mut draw = Draw::new(1);
    for (trial, ()) in those(&mut draw, |effect| is(effect, &Effect::Alias)) {
        assert_eq!(own(&trial), trial.inputs()[0], "{trial}");
    }
    let identities = all(&mut draw).into_iter().filter(|(_, effect)| effect.is_identity());
    for (trial, _) in identities {
        assert_eq!(own(&trial), trial.inputs()[0], "{trial}");
    }
}

#[test]
fn what_moves_values_makes_none() {
    let mut draw = Draw::new(2);
    let moving = those(&mut draw, |effect| effect.moves_values().then_some(()));
    assert!(moving.len() > 15);
    for (trial, ()) in moving {
        let (made, given) = (values(&[own(&trial)]), values(trial.inputs()));
        assert!(made.is_subset(&given), "{trial}");
    }
}

#[test]
fn what_fills_adds_constants_only() {
    let mut draw = Draw::new(3);
    for (trial, ()) in those(&mut draw, |effect| is(effect, &Effect::Fill)) {
        let before = own(&trial);
        let other: Vec<Array> = trial.inputs().iter().map(|input| draw.array(&input.dims, 5.0, 9.0)).collect();
        let given = [values(trial.inputs()), values(&other)];
        let after = output(&trial, other);
        for (a, b) in before.values.iter().zip(&after.values) {
            let from_inputs = given[0].contains(&a.to_bits()) && given[1].contains(&b.to_bits());
            assert!(from_inputs || a == b, "{trial}: {a} and {b}");
        }
    }
}

#[test]
fn a_concat_joins_along_the_axis_that_it_names() {
    let mut draw = Draw::new(4);
    let joining = those(&mut draw, |effect| match effect {
        Effect::Concat { axis } => Some(*axis),
        _ => None,
    });
    for (trial, axis) in joining {
        let joined = own(&trial);
        let rank = joined.rank() as i32;
        let axis = (axis + rank) as usize % rank as usize;
        let mut start = 0;
        for input in trial.inputs() {
            let part = Array::build(&input.dims, |index| joined.at(&with(index, axis, start + index[axis])));
            assert_eq!(&part, input, "{trial}");
            start += input.dims[axis];
        }
        assert_eq!(joined.dims[axis], start);
    }
}

#[test]
fn pooling_takes_the_largest_or_is_linear() {
    let mut draw = Draw::new(5);
    for (trial, ()) in those(&mut draw, |effect| matches!(effect, Effect::MaxPool(_)).then_some(())) {
        let (made, given) = (values(&[own(&trial)]), values(trial.inputs()));
        assert!(made.is_subset(&given), "{trial}");
        let moved = output(&trial, vec![trial.inputs()[0].map(|x| 2.0 * x + 4.0)]);
        assert_close(&trial, &moved, &own(&trial).map(|x| 2.0 * x + 4.0));
    }
    for (trial, ()) in those(&mut draw, |effect| matches!(effect, Effect::AveragePool(_)).then_some(())) {
        let other = draw.array(&trial.inputs()[0].dims, -2.0, 2.0);
        let joined = output(&trial, vec![sum(&trial.inputs()[0], &other)]);
        assert_close(&trial, &joined, &sum(&own(&trial), &output(&trial, vec![other])));
    }
}

#[test]
fn what_adds_counts_every_input_once() {
    let mut draw = Draw::new(6);
    let adding = those(&mut draw, |effect| is(effect, &Effect::Add));
    assert!(adding.len() >= 4);
    for (trial, ()) in adding {
        let count = trial.inputs().len();
        let zeros: Vec<Array> = trial.inputs().iter().map(|input| input.map(|_| 0.0)).collect();
        let mut total = output(&trial, zeros.clone());
        assert!(total.values.iter().all(|&value| value == 0.0), "{trial}");
        for number in 0..count {
            let mut inputs = zeros.clone();
            inputs[number] = trial.inputs()[number].clone();
            let alone = output(&trial, inputs);
            assert!(values(std::slice::from_ref(&alone)).is_subset(&values(trial.inputs())), "{trial}");
            total = sum(&total, &alone);
        }
        assert_close(&trial, &own(&trial), &total);
    }
}

/// `a · x + b` of a value in a channel, read off at two constants.
fn lines_of_channels(trial: &Trial) -> Vec<(f64, f64)> {
    let input = &trial.inputs()[0];
    let at = |x: f64| output(trial, vec![input.map(|_| x)]);
    let (zero, one) = (at(0.0), at(1.0));
    let channel = input.values.len() / input.dims[0];
    zero.values.iter().zip(&one.values).step_by(channel).map(|(zero, one)| (one - zero, *zero)).collect()
}

#[test]
fn what_is_per_channel_or_uniform_is_a_line() {
    let mut draw = Draw::new(7);
    let lines = those(&mut draw, |effect| match effect {
        Effect::PerChannel => Some(false),
        Effect::Uniform => Some(true),
        _ => None,
    });
    assert!(lines.len() >= 10);
    for (trial, uniform) in lines {
        let input = &trial.inputs()[0];
        let factors = lines_of_channels(&trial);
        let expected = Array::build(&input.dims, |index| {
            let (a, b) = factors[index[0]];
            a * input.at(index) + b
        });
        assert_close(&trial, &own(&trial), &expected);
        if uniform {
            assert!(factors.iter().all(|line| *line == factors[0]), "{trial}: {factors:?}");
        }
    }
}

fn activated(activation: Activation, x: f64) -> f64 {
    match activation {
        Activation::None => x,
        Activation::Relu => x.max(0.0),
        Activation::LeakyRelu { slope } => {
            if x < 0.0 {
                x * f64::from(slope)
            } else {
                x
            }
        }
        Activation::Clip { min, max } => x.clamp(f64::from(min), f64::from(max)),
        Activation::Sigmoid => 1.0 / (1.0 + (-x).exp()),
        Activation::Mish => x * x.exp().ln_1p().tanh(),
        Activation::HardSwish { alpha, beta } => x * (x * f64::from(alpha) + f64::from(beta)).clamp(0.0, 1.0),
    }
}

#[test]
fn an_activation_is_its_function() {
    let mut draw = Draw::new(8);
    let activations = those(&mut draw, |effect| match effect {
        Effect::Activation(activation) => Some(*activation),
        _ => None,
    });
    assert!(activations.len() >= 6);
    for (trial, activation) in activations {
        let input = trial.inputs()[0].map(|x| 3.0 * x);
        assert_close(&trial, &output(&trial, vec![input.clone()]), &input.map(|x| activated(activation, x)));
    }
}

#[test]
fn what_is_elementwise_looks_at_no_neighbour() {
    let mut draw = Draw::new(9);
    let elementwise = those(&mut draw, |effect| {
        let alone =
            matches!(effect, Effect::Elementwise | Effect::Activation(_) | Effect::Uniform | Effect::PerChannel);
        alone.then_some(())
    });
    assert!(elementwise.len() > 25);
    for (trial, ()) in elementwise {
        // Positive: logarithms have no others.
        let input = draw.array(&trial.inputs()[0].dims, 0.125, 2.0);
        let last = input.values.len() / input.dims[0] - 1;
        let flat = input.reshaped(&[input.dims[0], last + 1]);
        let reversed = |flat: &Array| Array::build(&flat.dims, |i| flat.at(&[i[0], last - i[1]]));
        let turned = output(&trial, vec![reversed(&flat).reshaped(&input.dims)]).reshaped(&flat.dims);
        assert_eq!(turned, reversed(&output(&trial, vec![input.clone()]).reshaped(&flat.dims)), "{trial}");
        // One value that changes changes one value.
        let mut other = input.clone();
        other.values[0] += 0.5;
        let (before, after) = (output(&trial, vec![input]), output(&trial, vec![other]));
        assert_eq!(before.values[1..], after.values[1..], "{trial}");
    }
}

#[test]
fn what_scales_through_hands_a_positive_factor_on() {
    let mut draw = Draw::new(10);
    let scaling = those(&mut draw, |effect| effect.scales_through().then_some(()));
    assert!(scaling.len() > 12);
    for (trial, ()) in scaling {
        for factor in [0.5, 2.0, 8.0] {
            let inputs = trial.inputs().iter().map(|input| input.map(|x| x * factor)).collect();
            // A power of two changes no digit, so nothing but the factor may.
            assert_eq!(output(&trial, inputs), own(&trial).map(|x| x * factor), "{trial} times {factor}");
        }
    }
}

#[test]
fn what_does_not_read_values_gives_the_same_for_all() {
    let mut draw = Draw::new(11);
    for (trial, ()) in those(&mut draw, |effect| (!effect.reads_values()).then_some(())) {
        let other = trial.inputs().iter().map(|input| draw.array(&input.dims, -9.0, 9.0)).collect();
        assert_eq!(output(&trial, other), own(&trial), "{trial}");
    }
}

/// Makes the layer of a trial one without a bias and an activation, as `LinearLayer` says it is.
fn is_linear(trial: &Trial) -> LinearLayer {
    LinearLayer::of(&trial.layer()).unwrap().unwrap()
}

#[test]
fn a_linear_layer_without_an_activation_is_affine() {
    let mut draw = Draw::new(12);
    let linear = those(&mut draw, |effect| is(effect, &Effect::Linear));
    assert!(linear.len() >= 9);
    for (trial, ()) in linear {
        let trial = Trial::new(trial.kind(), trial.params(), &trial.inputs().iter().collect::<Vec<_>>())
            .with_params("9=0")
            .with_any_weights(&mut draw);
        assert_eq!(is_linear(&trial).activation().unwrap(), Activation::None, "{trial}");
        let (x, y) = (&trial.inputs()[0], &draw.array(&trial.inputs()[0].dims, -2.0, 2.0));
        let at = |input: &Array| output(&trial, vec![input.clone()]);
        let zero = at(&x.map(|_| 0.0));
        assert_close(&trial, &sum(&at(&sum(x, y)), &zero), &sum(&at(x), &at(y)));
        // What is left without an input is the bias, where nothing is padded with another value.
        let bias: &[f64] = trial.weights_of().last().unwrap();
        let channel = zero.values.len() / bias.len();
        for (number, value) in zero.values.iter().enumerate() {
            assert!((value - bias[number / channel]).abs() < 1e-6, "{trial}");
        }
    }
}

#[test]
fn the_sizes_of_a_linear_layer_are_those_of_its_run() {
    let mut draw = Draw::new(13);
    for (trial, ()) in those(&mut draw, |effect| is(effect, &Effect::Linear)) {
        let linear = is_linear(&trial);
        let (input, made) = (&trial.inputs()[0], own(&trial));
        assert_eq!(made.dims[0], linear.outputs, "{trial}");
        assert_eq!(trial.weights_of()[0].len(), linear.weight_len, "{trial}");
        assert_eq!(linear.has_bias, trial.weights_of().len() == 2, "{trial}");
        assert_eq!(linear.outputs * linear.depth(), linear.weight_len, "{trial}");
        let taps: i32 = linear.window.iter().map(|axis| axis.kernel).product();
        // Transposed convolutions of groups count the depth of a group as well.
        let channels = if linear.window.is_empty() { input.values.len() } else { input.dims[0] };
        assert_eq!(linear.depth(), channels / linear.groups * taps as usize, "{trial}");
        assert_eq!(linear.window.len(), if linear.window.is_empty() { 0 } else { input.rank() - 1 }, "{trial}");
    }
}

#[test]
fn a_layer_that_was_given_a_bias_and_an_activation_runs_with_them() {
    let mut draw = Draw::new(14);
    for (trial, ()) in those(&mut draw, |effect| is(effect, &Effect::Linear)) {
        let plain = Trial::new(trial.kind(), trial.params(), &trial.inputs().iter().collect::<Vec<_>>())
            .with_params("9=0")
            .with_any_weights(&mut draw);
        let before = own(&plain);
        let linear = is_linear(&plain);
        let activation = Activation::Clip { min: -0.5, max: 0.75 };
        let bias = draw.floats(linear.outputs, -1.0, 1.0);
        let old: Vec<f64> = plain.weights_of().last().unwrap().clone();
        let change = |layer: &mut Layer| {
            linear.set_activation(layer, activation);
            linear.set_bias(layer, bias.iter().map(|&value| value as f32).collect());
        };
        let after = plain.changed(change).unwrap_or_else(|error| panic!("{plain}: {error}"));
        let channel = before.values.len() / linear.outputs;
        let values = before.values.iter().enumerate().map(|(number, value)| {
            let at = number / channel;
            activated(activation, value - old[at] + bias[at])
        });
        assert_close(&plain, &after, &Array::new(&before.dims, values.collect()));
    }
}

#[test]
fn every_effect_that_layers_have_is_held_here() {
    let mut draw = Draw::new(15);
    let found: BTreeSet<String> = all(&mut draw)
        .iter()
        .map(|(_, effect)| format!("{effect:?}").split([' ', '(']).next().unwrap().to_owned())
        .collect();
    for effect in [
        "Constant",
        "Alias",
        "Move",
        "Fill",
        "Concat",
        "MaxPool",
        "AveragePool",
        "Add",
        "PerChannel",
        "Uniform",
        "Activation",
        "Elementwise",
        "Linear",
        "ShapeOnly",
        "Retype",
        "Other",
    ] {
        assert!(found.contains(effect), "no line has the effect {effect}");
    }
}
