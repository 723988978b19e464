//! `HardSigmoid`: `x · alpha + beta`, limited to 0 and 1.

use ncnn_format::{Result, typed};

use super::pointwise::Pointwise;
use crate::Layer;

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<impl Layer + use<>> {
    let typed::HardSigmoid { alpha, beta, .. } = typed::HardSigmoid::read(layer)?;
    let lower = -beta / alpha;
    let upper = 1.0 / alpha + lower;
    Ok(Pointwise(move |x: f32| {
        if x < lower {
            0.0
        } else if x > upper {
            1.0
        } else {
            x * alpha + beta
        }
    }))
}

#[cfg(test)]
mod tests {
    use ncnn_format::{LayerKind, typed};

    use crate::layers::pointwise::tests::{apply, assert_close};

    #[test]
    fn is_a_ramp() {
        assert_close(
            &apply(
                LayerKind::HardSigmoid,
                &[(typed::HardSigmoid::ALPHA, 0.25), (typed::HardSigmoid::BETA, 0.5)],
                &[-3.0, 1.0, 3.0],
            ),
            &[0.0, 0.75, 1.0],
        );
    }
}
