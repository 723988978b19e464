//! `Mish`: `x · tanh(ln(1 + e^x))`.
//!
//! Unlike the fused activation it takes short cuts beyond ±20, where `e^x` is
//! too large or too small to be added to 1.

use ncnn_format::Result;

use super::pointwise::Pointwise;
use crate::{Layer, tanh};

pub(super) fn build(_: &ncnn_format::Layer) -> Result<impl Layer + use<>> {
    Ok(Pointwise(|x: f32| {
        let softplus = if x > 20.0 {
            x
        } else if x < -20.0 {
            x.exp()
        } else {
            (x.exp() + 1.0).ln()
        };
        x * tanh(softplus)
    }))
}

#[cfg(test)]
mod tests {
    use ncnn_format::LayerKind;

    use crate::layers::pointwise::tests::{apply, assert_close};

    #[test]
    fn is_nearly_the_identity_for_large_values() {
        assert_close(&apply(LayerKind::Mish, &[], &[-1.0, 0.0, 1.0, 200.0]), &[-0.303_401_47, 0.0, 0.865_098_4, 200.0]);
    }
}
