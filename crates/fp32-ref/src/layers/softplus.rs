//! `Softplus`: `ln(exp(x) + 1)`, infinite from about 88.7 on as in ncnn.

use ncnn_format::{Result, typed};

use super::pointwise::Pointwise;
use crate::Layer;

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<impl Layer + use<>> {
    typed::Softplus::read(layer)?;
    Ok(Pointwise(|x: f32| (x.exp() + 1.0).ln()))
}

#[cfg(test)]
mod tests {
    use ncnn_format::LayerKind;

    use crate::layers::pointwise::tests::{apply, assert_close};

    #[test]
    fn is_smooth_at_zero() {
        assert_close(&apply(LayerKind::Softplus, &[], &[0.0, 20.0]), &[std::f32::consts::LN_2, 20.0]);
    }
}
