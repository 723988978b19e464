//! `Sigmoid`: `1 / (1 + e^-x)`.

use ncnn_format::Result;

use super::pointwise::Pointwise;
use crate::{Activate, Activation, Layer};

pub(super) fn build(_: &ncnn_format::Layer) -> Result<impl Layer + use<>> {
    Ok(Pointwise(|x| Activation::Sigmoid.apply(x)))
}

#[cfg(test)]
mod tests {
    use ncnn_format::LayerKind;

    use crate::layers::pointwise::tests::{apply, assert_close};

    #[test]
    fn maps_to_zero_to_one() {
        assert_close(&apply(LayerKind::Sigmoid, &[], &[-100.0, 0.0, 1.0]), &[0.0, 0.5, 0.731_058_6]);
    }
}
