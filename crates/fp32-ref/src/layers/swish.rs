//! `Swish`: `x / (1 + e^-x)`.

use ncnn_format::Result;

use super::pointwise::Pointwise;
use crate::Layer;

pub(super) fn build(_: &ncnn_format::Layer) -> Result<impl Layer + use<>> {
    Ok(Pointwise(|x: f32| x / (1.0 + (-x).exp())))
}

#[cfg(test)]
mod tests {
    use ncnn_format::LayerKind;

    use crate::layers::pointwise::tests::{apply, assert_close};

    #[test]
    fn is_x_times_its_sigmoid() {
        assert_close(&apply(LayerKind::Swish, &[], &[-1.0, 0.0, 2.0]), &[-0.268_941_42, 0.0, 1.761_594_2]);
    }
}
