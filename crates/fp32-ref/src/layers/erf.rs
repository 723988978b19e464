//! `Erf`: the error function.

use ncnn_format::{Result, typed};

use super::pointwise::Pointwise;
use crate::Layer;

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<impl Layer + use<>> {
    typed::Erf::read(layer)?;
    Ok(Pointwise(libm::erff))
}

#[cfg(test)]
mod tests {
    use ncnn_format::LayerKind;

    use crate::layers::pointwise::tests::{apply, assert_close};

    #[test]
    fn is_odd() {
        assert_close(&apply(LayerKind::Erf, &[], &[-1.0, 0.0, 1.0]), &[-0.842_700_8, 0.0, 0.842_700_8]);
    }
}
