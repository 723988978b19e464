//! `ReLU`: negative values become 0, or are multiplied by a slope.

use ncnn_format::{Result, typed};

use super::pointwise::Pointwise;
use crate::Layer;

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<impl Layer + use<>> {
    let slope = typed::ReLU::read(layer)?.slope;
    Ok(Pointwise(move |x: f32| {
        if slope == 0.0 {
            x.max(0.0)
        } else if x < 0.0 {
            x * slope
        } else {
            x
        }
    }))
}

#[cfg(test)]
mod tests {
    use ncnn_format::{LayerKind, typed};

    use crate::layers::pointwise::tests::{apply, assert_close};

    #[test]
    fn a_slope_keeps_a_part_of_negative_values() {
        assert_close(&apply(LayerKind::ReLU, &[(typed::ReLU::SLOPE, 0.5)], &[-2.0, 3.0]), &[-1.0, 3.0]);
    }

    #[test]
    fn without_a_slope_negative_values_become_zero() {
        assert_close(&apply(LayerKind::ReLU, &[], &[-2.0, 3.0]), &[0.0, 3.0]);
    }
}
