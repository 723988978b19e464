//! `UnaryOp`: a function of every element.

use ncnn_format::{Error, Result, typed};

use super::pointwise::Pointwise;
use crate::Layer;

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
    f32::tanh,
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
    use ncnn_format::LayerKind;

    use crate::layers::pointwise::tests::assert_close;
    use crate::{Tensor, build};

    fn apply(op_type: i32, x: f32) -> f32 {
        let mut layer = ncnn_format::Layer::new(LayerKind::UnaryOp, "unary");
        layer.params.set_int(0, op_type);
        build(&layer).unwrap().run(vec![Tensor::new([1], vec![x]).unwrap()]).unwrap()[0].as_slice()[0]
    }

    #[test]
    fn numbers_are_ncnns() {
        let found: Vec<f32> = (0..25).chain(26..28).map(|op| apply(op, 0.5)).collect();
        let expected = [
            0.5, -0.5, 0.0, 1.0, 0.25, 0.707_106_8, 1.414_213_5, 1.648_721_3, -0.693_147_2, 0.479_425_55, 0.877_582_55,
            0.546_302_5, 0.523_598_8, 1.047_197_6, 0.463_647_6, 2.0, 0.462_117_17, -0.301_03, 0.0, 0.0, 1.0, 0.648_721_3,
            0.521_095_3, 0.481_211_84, 1.127_625_9, 0.549_306_15, 0.405_465_1,
        ];
        assert_close(&found, &expected);
        assert_close(&[apply(25, 2.0)], &[1.316_957_9]);
    }

    #[test]
    fn rounds_halves_to_even() {
        assert_eq!([apply(18, 0.5), apply(18, 1.5), apply(18, -2.5)], [0.0, 2.0, -2.0]);
    }
}
