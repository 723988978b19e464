//! `ELU`: negative values become `alpha · (e^x - 1)`.

use ncnn_format::{Result, typed};

use super::pointwise::Pointwise;
use crate::Layer;

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<impl Layer + use<>> {
    let alpha = typed::ELU::read(layer)?.alpha;
    Ok(Pointwise(move |x: f32| if x < 0.0 { alpha * (x.exp() - 1.0) } else { x }))
}

#[cfg(test)]
mod tests {
    use ncnn_format::{LayerKind, typed};

    use crate::layers::pointwise::tests::{apply, assert_close};

    #[test]
    fn bends_negative_values() {
        assert_close(&apply(LayerKind::ELU, &[(typed::ELU::ALPHA, 0.5)], &[-1.0, 2.0]), &[-0.316_060_28, 2.0]);
    }
}
