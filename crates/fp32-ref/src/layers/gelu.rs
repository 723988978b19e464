//! `GELU`: `x` times the normal distribution's cumulative function.

use std::f32::consts::FRAC_1_SQRT_2;

use ncnn_format::{Result, typed};

use super::pointwise::Pointwise;
use crate::{Layer, tanh};

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<impl Layer + use<>> {
    let fast = typed::GELU::read(layer)?.fast_gelu != 0;
    Ok(Pointwise(move |x: f32| {
        if fast {
            0.5 * x * (1.0 + tanh(0.797_884_5 * (x + 0.044_715 * x * x * x)))
        } else {
            0.5 * x * libm::erfcf(-FRAC_1_SQRT_2 * x)
        }
    }))
}

#[cfg(test)]
mod tests {
    use ncnn_format::LayerKind;

    use crate::layers::pointwise::tests::{apply, assert_close};

    #[test]
    fn weighs_by_the_normal_distribution() {
        assert_close(&apply(LayerKind::GELU, &[], &[-1.0, 0.0, 2.0]), &[-0.158_655_26, 0.0, 1.954_499_7]);
    }
}
