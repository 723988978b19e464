//! `AbsVal`: absolute values.

use ncnn_format::Result;

use super::pointwise::Pointwise;
use crate::Layer;

pub(super) fn build(_: &ncnn_format::Layer) -> Result<impl Layer + use<>> {
    Ok(Pointwise(f32::abs))
}

#[cfg(test)]
mod tests {
    use ncnn_format::LayerKind;

    use crate::layers::pointwise::tests::{apply, assert_close};

    #[test]
    fn drops_the_sign() {
        assert_close(&apply(LayerKind::AbsVal, &[], &[-1.5, 2.0]), &[1.5, 2.0]);
    }
}
