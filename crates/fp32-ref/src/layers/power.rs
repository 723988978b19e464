//! `Power`: `(shift + x · scale) ^ power`.

use ncnn_format::{Result, typed};

use super::pointwise::Pointwise;
use crate::Layer;

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<impl Layer + use<>> {
    let typed::Power { power, scale, shift, .. } = typed::Power::read(layer)?;
    Ok(Pointwise(move |x: f32| (shift + x * scale).powf(power)))
}

#[cfg(test)]
mod tests {
    use ncnn_format::{LayerKind, typed};

    use crate::layers::pointwise::tests::{apply, assert_close};

    #[test]
    fn raises_a_linear_function() {
        assert_close(
            &apply(
                LayerKind::Power,
                &[(typed::Power::POWER, 2.0), (typed::Power::SCALE, 3.0), (typed::Power::SHIFT, 1.0)],
                &[0.0, 1.0],
            ),
            &[1.0, 16.0],
        );
    }
}
