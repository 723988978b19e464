//! `Dropout`: in a trained network a multiplication, usually by 1.

use ncnn_format::{Result, typed};

use super::pointwise::Pointwise;
use crate::Layer;

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<impl Layer + use<>> {
    let scale = typed::Dropout::read(layer)?.scale;
    Ok(Pointwise(move |x: f32| x * scale))
}

#[cfg(test)]
mod tests {
    use ncnn_format::{LayerKind, typed};

    use crate::layers::pointwise::tests::{apply, assert_close};

    #[test]
    fn scales() {
        assert_close(&apply(LayerKind::Dropout, &[(typed::Dropout::SCALE, 0.5)], &[2.0]), &[1.0]);
    }
}
