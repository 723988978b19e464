//! `UnaryOp`: a function of every element.

use ncnn_format::{Error, Result, typed};

use super::pointwise::Pointwise;
use crate::{Layer, tanh};

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<impl Layer + use<>> {
    let op_type = typed::UnaryOp::read(layer)?.op_type;
    let function = usize::try_from(op_type).ok().and_then(|index| FUNCTIONS.get(index));
    match function {
        Some(&function) => Ok(Pointwise(function)),
        None => Err(Error::unsupported(format!("the unary operation {op_type} is unknown"))),
    }
}

/// In the order of ncnn's numbers.
const FUNCTIONS: [fn(f32) -> f32; 28] = [
    f32::abs,
    |x| -x,
    f32::floor,
    f32::ceil,
    |x| x * x,
    f32::sqrt,
    |x| 1.0 / x.sqrt(),
    f32::exp,
    f32::ln,
    f32::sin,
    f32::cos,
    f32::tan,
    f32::asin,
    f32::acos,
    f32::atan,
    |x| 1.0 / x,
    tanh,
    f32::log10,
    f32::round_ties_even,
    f32::trunc,
    |x| {
        if x > 0.0 {
            1.0
        } else if x < 0.0 {
            -1.0
        } else {
            0.0
        }
    },
    f32::exp_m1,
    f32::sinh,
    libm::asinhf,
    f32::cosh,
    libm::acoshf,
    libm::atanhf,
    f32::ln_1p,
];

#[cfg(test)]
mod tests {
    use ncnn_format::{LayerKind, typed};

    use crate::layers::pointwise::tests::assert_close;
    use crate::{BuildOptions, Tensor, build};

    fn apply(op_type: i32, x: f32) -> f32 {
        let mut layer = ncnn_format::Layer::new(LayerKind::UnaryOp, "unary");
        layer.params.set(typed::UnaryOp::OP_TYPE, op_type);
        build(&layer, BuildOptions::default()).unwrap().run(vec![Tensor::new([1], vec![x]).unwrap()]).unwrap()[0]
            .as_slice()[0]
    }

    #[test]
    fn numbers_are_ncnns() {
        let found: Vec<f32> = (0..25).chain(26..28).map(|op| apply(op, 0.5)).collect();
        let x = 0.5_f64;
        let roots = [x.sqrt(), 1.0 / x.sqrt(), x.exp(), x.ln()];
        let circle = [x.sin(), x.cos(), x.tan(), x.asin(), x.acos(), x.atan()];
        let others = [2.0, x.tanh(), x.log10(), 0.0, 0.0, 1.0, x.exp_m1()];
        let hyperbolic = [x.sinh(), x.asinh(), x.cosh(), x.atanh(), x.ln_1p()];
        let expected: Vec<f32> = [&[0.5, -0.5, 0.0, 1.0, 0.25][..], &roots, &circle, &others, &hyperbolic]
            .concat()
            .into_iter()
            .map(|x| x as f32)
            .collect();
        assert_close(&found, &expected);
        assert_close(&[apply(25, 2.0)], &[2.0_f64.acosh() as f32]);
    }

    #[test]
    fn rounds_halves_to_even() {
        assert_eq!([apply(18, 0.5), apply(18, 1.5), apply(18, -2.5)], [0.0, 2.0, -2.0]);
    }
}
