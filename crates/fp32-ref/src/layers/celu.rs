//! `CELU`: an `ELU` whose slope is 1 at 0 for every `alpha`.

use ncnn_format::{Result, typed};

use super::pointwise::Pointwise;
use crate::Layer;

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<impl Layer + use<>> {
    let alpha = typed::CELU::read(layer)?.alpha;
    Ok(Pointwise(move |x: f32| if x < 0.0 { ((x / alpha).exp() - 1.0) * alpha } else { x }))
}

#[cfg(test)]
mod tests {
    use ncnn_format::{LayerKind, typed};

    use crate::layers::pointwise::tests::{apply, assert_close};

    #[test]
    fn bends_below_zero() {
        assert_close(&apply(LayerKind::CELU, &[(typed::CELU::ALPHA, 2.0)], &[-2.0, 3.0]), &[-1.264_241_1, 3.0]);
    }
}
