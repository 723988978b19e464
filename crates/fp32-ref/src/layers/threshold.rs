//! `Threshold`: 1 above the threshold, else 0.

use ncnn_format::{Result, typed};

use super::pointwise::Pointwise;
use crate::Layer;

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<impl Layer + use<>> {
    let threshold = typed::Threshold::read(layer)?.threshold;
    Ok(Pointwise(move |x: f32| if x > threshold { 1.0 } else { 0.0 }))
}

#[cfg(test)]
mod tests {
    use ncnn_format::{LayerKind, typed};

    use crate::layers::pointwise::tests::{apply, assert_close};

    #[test]
    fn tells_above_from_below() {
        assert_close(&apply(LayerKind::Threshold, &[(typed::Threshold::THRESHOLD, 0.5)], &[0.5, 0.6]), &[0.0, 1.0]);
    }
}
