//! Layers that compute each element by itself.

use std::f64::consts::PI;

use crate::support::{Array, Draw, Trial, float};

/// Both signs, both sides of every kink, and values around 0.
const VALUES: [f64; 18] =
    [-6.5, -3.0, -2.5, -1.5, -1.0, -0.75, -0.5, -0.125, -0.0, 0.0, 0.125, 0.5, 0.75, 1.0, 1.5, 2.5, 3.0, 6.5];

/// A function of one number.
type Function = fn(f64) -> f64;

/// Runs a layer on values of all ranks; `f` is the definition.
#[track_caller]
fn check(kind: &'static str, params: &str, low: f64, high: f64, f: impl Fn(f64) -> f64) {
    let mut draw = Draw::new(kind.len() as u64 + 7 * params.len() as u64);
    for rank in 1..=4 {
        for largest in [2, 5, 9] {
            let dims = draw.dims(rank, largest);
            let input = draw.array(&dims, low, high);
            Trial::new(kind, params, &[&input]).gives(&[input.map(&f)]);
        }
    }
    let inside: Vec<f64> = VALUES.iter().copied().filter(|value| (low..=high).contains(value)).collect();
    let input = Array::row(&inside);
    Trial::new(kind, params, &[&input]).gives(&[input.map(&f)]);
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

#[test]
fn functions_without_parameters_are_their_formulas() {
    let table: [(&str, Function); 8] = [
        ("AbsVal", f64::abs),
        ("Erf", libm::erf),
        ("Mish", |x| x * softplus(x).tanh()),
        ("Sigmoid", sigmoid),
        ("Softplus", softplus),
        ("Swish", |x| x * sigmoid(x)),
        ("TanH", f64::tanh),
        ("GELU", |x| 0.5 * x * (1.0 + libm::erf(x / 2.0_f64.sqrt()))),
    ];
    for (kind, f) in table {
        check(kind, "", -8.0, 8.0, f);
    }
}

#[test]
fn functions_without_parameters_keep_their_limits() {
    let far = Array::row(&[-1e30, -200.0, -80.0, 80.0, 200.0, 1e30]);
    let limits: [(&str, [f64; 6]); 3] = [
        ("TanH", [-1.0, -1.0, -1.0, 1.0, 1.0, 1.0]),
        ("Erf", [-1.0, -1.0, -1.0, 1.0, 1.0, 1.0]),
        ("Sigmoid", [0.0, 0.0, 0.0, 1.0, 1.0, 1.0]),
    ];
    for (kind, expected) in limits {
        Trial::new(kind, "", &[&far]).gives(&[Array::row(&expected)]);
    }
}

#[test]
fn the_fast_gelu_is_the_formula_with_tanh() {
    check("GELU", "0=1", -6.0, 6.0, |x| 0.5 * x * (1.0 + ((2.0 / PI).sqrt() * (x + 0.044_715 * x.powi(3))).tanh()));
}

#[test]
fn relu_multiplies_negative_values_by_its_slope() {
    for slope in [0.0, 0.1, 1.0, -0.5, 3.0] {
        let slope = f64::from(slope as f32);
        check("ReLU", &format!("0={}", float(slope)), -5.0, 5.0, |x| if x < 0.0 { x * slope } else { x });
    }
    check("ReLU", "", -5.0, 5.0, |x| x.max(0.0));
}

#[test]
fn elu_and_its_kin_bend_below_zero() {
    for alpha in [0.1, 0.5, 1.0, 2.0] {
        let alpha = f64::from(alpha as f32);
        let params = format!("0={}", float(alpha));
        check("ELU", &params, -5.0, 5.0, |x| if x < 0.0 { alpha * x.exp_m1() } else { x });
        check("CELU", &params, -5.0, 5.0, |x| x.max(0.0) + (alpha * (x / alpha).exp_m1()).min(0.0));
        let lambda = 1.25;
        check("SELU", &format!("{params} 1={}", float(lambda)), -5.0, 5.0, |x| {
            if x < 0.0 { lambda * alpha * x.exp_m1() } else { lambda * x }
        });
    }
    // The documented defaults.
    let alpha = f64::from(0.1_f32);
    check("ELU", "", -5.0, 5.0, |x| if x < 0.0 { alpha * x.exp_m1() } else { x });
    check("CELU", "", -5.0, 5.0, |x| if x < 0.0 { x.exp_m1() } else { x });
    let (alpha, lambda) = (1.673_263_24, 1.050_700_99);
    check("SELU", "", -5.0, 5.0, |x| lambda * if x < 0.0 { alpha * x.exp_m1() } else { x });
}

#[test]
fn hard_functions_are_ramps() {
    let ramps = [(1.0 / 6.0, 0.5), (0.25, 0.5), (0.5, 0.0), (1.0, -1.0), (0.2, 0.5)];
    for (alpha, beta) in ramps.map(|(alpha, beta)| (f64::from(alpha as f32), beta)) {
        let params = format!("0={} 1={}", float(alpha), float(beta));
        check("HardSigmoid", &params, -6.0, 6.0, |x| (x * alpha + beta).clamp(0.0, 1.0));
        check("HardSwish", &params, -6.0, 6.0, |x| x * (x * alpha + beta).clamp(0.0, 1.0));
    }
    let alpha = f64::from(0.2_f32);
    check("HardSigmoid", "", -6.0, 6.0, |x| (x * alpha + 0.5).clamp(0.0, 1.0));
    check("HardSwish", "", -6.0, 6.0, |x| x * (x * alpha + 0.5).clamp(0.0, 1.0));
}

#[test]
fn clip_shrink_threshold_and_dropout_are_their_formulas() {
    for (low, high) in [(-1.0, 1.0), (0.0, 6.0), (-3.0, -2.0), (2.0, 2.0)] {
        check("Clip", &format!("0={} 1={}", float(low), float(high)), -5.0, 5.0, |x| x.clamp(low, high));
    }
    check("Clip", "0=0.0", -5.0, 5.0, |x| x.max(0.0));
    check("Clip", "1=2.0", -5.0, 5.0, |x| x.min(2.0));
    check("Clip", "", -5.0, 5.0, |x| x);
    for (bias, lambd) in [(0.0, 0.5), (0.5, 0.5), (1.0, 0.25), (0.25, 2.0)] {
        check("Shrink", &format!("0={} 1={}", float(bias), float(lambd)), -5.0, 5.0, |x| {
            if x < -lambd {
                x + bias
            } else if x > lambd {
                x - bias
            } else {
                0.0
            }
        });
    }
    for threshold in [-2.0, 0.0, 0.5] {
        check("Threshold", &format!("0={}", float(threshold)), -5.0, 5.0, |x| f64::from(u8::from(x > threshold)));
    }
    for scale in [1.0, 0.5, -2.0] {
        check("Dropout", &format!("0={}", float(scale)), -5.0, 5.0, |x| x * scale);
    }
}

#[test]
fn powers_exponentials_and_logarithms_take_scale_and_shift() {
    for (power, scale, shift) in
        [(2.0, 1.0, 0.0), (0.5, 2.0, 1.0), (3.0, 0.5, 0.25), (-1.0, 1.0, 0.5), (1.0, -3.0, 2.0)]
    {
        let params = format!("0={} 1={} 2={}", float(power), float(scale), float(shift));
        let high = if scale < 0.0 { 0.5 } else { 4.0 };
        check("Power", &params, 0.0, high, |x| (shift + x * scale).powf(power));
    }
    for (base, scale, shift) in [(-1.0, 1.0, 0.0), (2.0, 0.5, 1.0), (10.0, -0.5, 0.25), (0.5, 1.0, 0.0)] {
        let params = format!("0={} 1={} 2={}", float(base), float(scale), float(shift));
        let e = if base == -1.0 { 1.0_f64.exp() } else { base };
        check("Exp", &params, -4.0, 4.0, |x| e.powf(shift + x * scale));
        let factor = if base == -1.0 { 1.0 } else { 1.0 / base.ln() };
        let shift = 8.0;
        let params = format!("0={} 1={} 2={}", float(base), float(scale), float(shift));
        check("Log", &params, -3.0, 3.0, |x| (shift + x * scale).ln() * factor);
    }
    check("Power", "", -4.0, 4.0, |x| x);
    check("Exp", "", -4.0, 4.0, f64::exp);
    check("Log", "", 0.125, 4.0, f64::ln);
}

#[test]
fn each_unary_operation_is_its_function() {
    let all = (-4.0, 4.0);
    let positive = (0.0625, 6.0);
    let unit = (-0.9375, 0.9375);
    let table: [((f64, f64), Function); 28] = [
        (all, f64::abs),
        (all, |x| -x),
        (all, f64::floor),
        (all, f64::ceil),
        (all, |x| x * x),
        (positive, f64::sqrt),
        (positive, |x| 1.0 / x.sqrt()),
        (all, f64::exp),
        (positive, f64::ln),
        (all, f64::sin),
        (all, f64::cos),
        (unit, f64::tan),
        (unit, f64::asin),
        (unit, f64::acos),
        (all, f64::atan),
        (positive, |x| 1.0 / x),
        (all, f64::tanh),
        (positive, f64::log10),
        (all, f64::round_ties_even),
        (all, f64::trunc),
        (all, |x| if x == 0.0 { 0.0 } else { x.signum() }),
        (all, f64::exp_m1),
        (all, f64::sinh),
        (all, f64::asinh),
        (all, f64::cosh),
        ((1.0625, 8.0), f64::acosh),
        (unit, f64::atanh),
        ((-0.5, 6.0), f64::ln_1p),
    ];
    for (number, ((low, high), f)) in table.into_iter().enumerate() {
        check("UnaryOp", &format!("0={number}"), low, high, f);
    }
}

#[test]
fn operations_outside_of_their_domain_are_not_numbers() {
    let outside = Array::row(&[-2.0]);
    let nan = Array::row(&[f64::NAN]);
    for op in [5, 6, 8, 12, 13, 17, 25, 26, 27] {
        Trial::new("UnaryOp", format!("0={op}"), &[&outside]).gives(&nan);
    }
    let zero = Array::row(&[0.0]);
    Trial::new("UnaryOp", "0=8", &[&zero]).gives(&[Array::row(&[f64::NEG_INFINITY])]);
    Trial::new("UnaryOp", "0=15", &[&zero]).gives(&[Array::row(&[f64::INFINITY])]);
    Trial::new("UnaryOp", "0=6", &[&zero]).gives(&[Array::row(&[f64::INFINITY])]);
}

#[test]
fn a_cast_rounds_to_what_the_narrow_type_holds() {
    // A value of 11 bits of mantissa is exact as f16, one of 8 bits as bf16.
    let exact = [0.0, 1.0, -1.5, 2048.0, 0.125, -0.007_812_5];
    for (from, to) in [(1, 2), (1, 4), (2, 1), (4, 1), (1, 1), (0, 0)] {
        let input = Array::row(&exact);
        Trial::new("Cast", format!("0={from} 1={to}"), &[&input]).gives(&input);
    }
    // Halfway to even for f16, towards zero for bf16.
    Trial::new("Cast", "0=1 1=2", &[&Array::row(&[2049.0, 2051.0, -2049.0, 70000.0])])
        .tolerance(0.0)
        .gives(&[Array::row(&[2048.0, 2052.0, -2048.0, f64::INFINITY])]);
    Trial::new("Cast", "0=1 1=4", &[&Array::row(&[257.0, 259.0, -259.0])])
        .tolerance(0.0)
        .gives(&[Array::row(&[256.0, 258.0, -258.0])]);
}

#[test]
fn layers_that_pass_values_on_change_none() {
    let mut draw = Draw::new(5);
    for rank in 1..=4 {
        let input = draw.array(&draw_dims(rank), -3.0, 3.0);
        Trial::new("Split", "", &[&input]).outputs(3).gives(&[input.clone(), input.clone(), input.clone()]);
        Trial::new("Noop", "", &[&input]).gives(&input);
        Trial::new("Packing", "0=4", &[&input]).gives(&input);
        let other = draw.array(&[2], 0.0, 1.0);
        Trial::new("Noop", "", &[&input, &other]).outputs(2).gives(&[input.clone(), other.clone()]);
        Trial::new("Noop", "", &[&input, &other]).gives(&input);
    }
}

fn draw_dims(rank: usize) -> Vec<usize> {
    [4, 3, 1, 2][..rank].to_vec()
}
