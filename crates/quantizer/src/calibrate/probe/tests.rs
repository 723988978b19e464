//! Probes against plain loops.

use super::*;
use ncnn_format::{F32Tag, Model, Weight, WeightData};
use proptest::prelude::*;

/// A layer as its line in a `.param`, with these weights and this bias.
fn layer(line: &str, weights: &[f32], bias: Option<&[f32]>) -> Layer {
    let mut model = Model::from_param_text(&format!("7767517\n1 1\n{line}\n")).unwrap();
    let mut layer = model.layers.remove(0);
    let weight = |role, values: &[f32], tag| Weight { role, data: WeightData::F32(values.to_vec(), tag) };
    layer.weights.push(weight(WeightRole::Weight, weights, F32Tag::Tagged));
    layer.weights.extend(bias.map(|bias| weight(WeightRole::Bias, bias, F32Tag::Raw)));
    layer
}

/// A layer, its form, and what is known of it.
struct Case {
    line: &'static str,
    outputs: usize,
    groups: usize,
    /// Products of an output.
    depth: usize,
    scales: usize,
    relu: bool,
    bias: bool,
}

const CASES: [Case; 5] = [
    Case {
        line: "Convolution c 0 1 c 0=4 1=1 5=1 6=12 9=1",
        outputs: 4,
        groups: 1,
        depth: 3,
        scales: 4,
        relu: true,
        bias: true,
    },
    Case {
        line: "Convolution c 0 1 c 0=2 1=3 6=36",
        outputs: 2,
        groups: 1,
        depth: 18,
        scales: 2,
        relu: false,
        bias: false,
    },
    Case {
        line: "ConvolutionDepthWise c 0 1 c 0=3 1=3 5=1 6=27 7=3",
        outputs: 3,
        groups: 3,
        depth: 9,
        scales: 3,
        relu: false,
        bias: true,
    },
    Case {
        line: "ConvolutionDepthWise c 0 1 c 0=4 1=1 6=12 7=2 9=1",
        outputs: 4,
        groups: 2,
        depth: 3,
        scales: 2,
        relu: true,
        bias: false,
    },
    Case {
        line: "InnerProduct c 0 1 c 0=5 1=1 2=35",
        outputs: 5,
        groups: 1,
        depth: 7,
        scales: 5,
        relu: false,
        bias: true,
    },
];

fn wave(count: usize, step: f32) -> Vec<f32> {
    (0..count).map(|i| (i as f32 * step).sin() * 2.0).collect()
}

/// Outputs of all patches in f64, `[patch][output]`, before the activation: exact products of floats, or of the
/// integers that stand for them.
fn plain(case: &Case, patches: &[f32], weights: &[f32], bias: &[f32], scales: Option<(f32, &[f32])>) -> Vec<f64> {
    let level = |value: f32, scale: f32| f64::from((value * scale).round_ties_even().clamp(-127.0, 127.0));
    let mut found = Vec::new();
    for patch in patches.chunks(case.groups * case.depth) {
        for output in 0..case.outputs {
            let group = output / (case.outputs / case.groups);
            let inputs = &patch[group * case.depth..][..case.depth];
            let row = &weights[output * case.depth..][..case.depth];
            let pairs = inputs.iter().zip(row);
            let sum: f64 = match scales {
                None => pairs.map(|(&x, &w)| f64::from(x) * f64::from(w)).sum(),
                Some((input, scales)) => {
                    let scale = scales[output / (case.outputs / case.scales)];
                    let sum: f64 = pairs.map(|(&x, &w)| level(x, input) * level(w, scale)).sum();
                    sum / f64::from(input) / f64::from(scale)
                }
            };
            found.push(sum + f64::from(bias[output]));
        }
    }
    found
}

#[test]
fn outputs_and_errors_are_those_of_plain_loops() {
    for case in &CASES {
        let count = 20;
        let patches = Patches::new(case.groups * case.depth, wave(count * case.groups * case.depth, 0.7));
        let weights = wave(case.outputs * case.depth, 1.3);
        let bias = if case.bias { wave(case.outputs, 2.1) } else { vec![0.0; case.outputs] };
        let layer = layer(case.line, &weights, case.bias.then_some(&bias[..]));
        let scales: Vec<f32> = (0..case.scales).map(|i| 40.0 + i as f32).collect();
        let probe = Probe::new(&layer, &patches, &scales).unwrap().unwrap();
        let active = |y: f64| if case.relu { y.max(0.0) } else { y };
        let expected = plain(case, &patches.values, &weights, &bias, None);
        let signal = expected.iter().map(|&y| active(y).powi(2)).sum::<f64>() / count as f64;
        assert!((probe.signal() / signal - 1.0).abs() < 1e-5, "{}", case.line);
        for input_scale in [20.0, 63.5, 200.0] {
            let found = plain(case, &patches.values, &weights, &bias, Some((input_scale, &scales)));
            let errors = probe.errors(input_scale).unwrap();
            let alignments = probe.alignments(input_scale, case.outputs).unwrap();
            for output in 0..case.outputs {
                let pairs = || expected.iter().zip(&found).skip(output).step_by(case.outputs);
                let mean = |f: &dyn Fn(f64, f64) -> f64| pairs().map(|(&a, &b)| f(a, b)).sum::<f64>() / count as f64;
                let squared = mean(&|a, b| (active(a) - active(b)).powi(2));
                let shift = mean(&|a, b| a - b);
                assert!((errors[output].squared - squared).abs() < 1e-4 * squared + 1e-9, "{}", case.line);
                assert!((errors[output].shift - shift).abs() < 1e-5, "{}", case.line);
                let product = count as f64 * mean(&|a, b| active(a) * active(b));
                assert!((alignments[output].product - product).abs() < 1e-3, "{}", case.line);
            }
            let whole: Alignment = alignments.iter().copied().sum();
            let slices = probe.alignments(input_scale, case.scales).unwrap();
            assert_eq!(slices.len(), case.scales);
            assert!((slices.into_iter().sum::<Alignment>().cosine() - whole.cosine()).abs() < 1e-12);
        }
    }
}

#[test]
fn without_rounding_nothing_is_lost() {
    // Integers times integers at the scale 1.
    let layer = layer("InnerProduct c 0 1 c 0=2 2=6", &[1.0, -2.0, 3.0, 100.0, 0.0, -127.0], None);
    let patches = Patches::new(3, vec![5.0, -7.0, 127.0, 0.0, 1.0, 2.0]);
    let probe = Probe::new(&layer, &patches, &[1.0, 1.0]).unwrap().unwrap();
    assert_eq!(probe.errors(1.0).unwrap(), [ChannelError::default(); 2]);
    let cosine = probe.alignments(1.0, 1).unwrap()[0].cosine();
    assert!((cosine - 1.0).abs() < 1e-15, "{cosine}");
}

#[test]
fn clipping_shifts_the_mean() {
    let layer = layer("InnerProduct c 0 1 c 0=1 2=1", &[1.0], None);
    let patches = Patches::new(1, vec![200.0, 100.0]);
    let probe = Probe::new(&layer, &patches, &[127.0]).unwrap().unwrap();
    // 200 is read as 127: 73 are missing in one of two outputs.
    let errors = probe.errors(1.0).unwrap();
    assert!((errors[0].shift - 36.5).abs() < 1e-4 && (errors[0].squared - 73.0 * 36.5).abs() < 1e-2, "{errors:?}");
}

#[test]
fn patches_that_do_not_fit_give_no_probe() {
    let layer = layer("InnerProduct c 0 1 c 0=2 2=6", &[1.0; 6], None);
    for values in [vec![], vec![1.0; 4], vec![1.0; 7]] {
        assert!(Probe::new(&layer, &Patches::new(3, values), &[1.0; 2]).unwrap().is_none());
    }
    assert!(Probe::new(&layer, &Patches::new(3, vec![1.0; 9]), &[1.0; 2]).unwrap().is_some());
}

#[test]
fn scales_that_cannot_be_shared_are_refused() {
    let layer = layer("InnerProduct c 0 1 c 0=4 2=4", &[1.0; 4], None);
    let patches = Patches::new(1, vec![1.0; 3]);
    let message = |scales: &[f32]| Probe::new(&layer, &patches, scales).err().unwrap().to_string();
    assert_eq!(message(&[]), "0 scales cannot be shared by 4 outputs");
    assert_eq!(message(&[1.0; 3]), "3 scales cannot be shared by 4 outputs");
    assert_eq!(message(&[1.0; 5]), "5 scales cannot be shared by 4 outputs");
    let mut probe = Probe::new(&layer, &patches, &[1.0; 2]).unwrap().unwrap();
    assert!(probe.quantize_weights(&[2.0; 4]).is_ok() && probe.quantize_weights(&[2.0; 8]).is_err());
}

proptest! {
    #[test]
    fn patches_in_another_order_have_the_same_errors(
        values in proptest::collection::vec(-3f32..3.0, 12),
        scale in 1f32..200.0,
    ) {
        let layer = layer("InnerProduct c 0 1 c 0=1 2=3", &[0.5, -1.0, 0.25], None);
        let backward: Vec<f32> = values.chunks(3).rev().flatten().copied().collect();
        let [a, b] = [values, backward].map(|values| {
            let patches = Patches::new(3, values);
            Probe::new(&layer, &patches, &[127.0]).unwrap().unwrap().errors(scale).unwrap()[0]
        });
        prop_assert!((a.squared - b.squared).abs() <= 1e-12 * a.squared.max(1.0));
        prop_assert!((a.shift - b.shift).abs() <= 1e-9);
    }
}
