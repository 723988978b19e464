//! `TanH`: hyperbolic tangent.

use ncnn_format::Result;

use super::pointwise::Pointwise;
use crate::{Layer, tanh};

pub(super) fn build(_: &ncnn_format::Layer) -> Result<impl Layer + use<>> {
    Ok(Pointwise(tanh))
}

#[cfg(test)]
mod tests {
    use ncnn_format::LayerKind;

    use crate::layers::pointwise::tests::{apply, assert_close};

    #[test]
    fn maps_to_minus_one_to_one() {
        assert_close(&apply(LayerKind::TanH, &[], &[-100.0, 0.5]), &[-1.0, 0.462_117_16]);
    }
}
