//! `Clip`: limits values to a range.

use ncnn_format::{Result, typed};

use super::pointwise::Pointwise;
use crate::Layer;

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<impl Layer + use<>> {
    let typed::Clip { min, max, .. } = typed::Clip::read(layer)?;
    Ok(Pointwise(move |x: f32| {
        let raised = if x < min { min } else { x };
        if raised > max { max } else { raised }
    }))
}

#[cfg(test)]
mod tests {
    use ncnn_format::{LayerKind, typed};

    use crate::layers::pointwise::tests::{apply, assert_close};

    #[test]
    fn limits_from_both_sides() {
        assert_close(
            &apply(LayerKind::Clip, &[(typed::Clip::MIN, 0.0), (typed::Clip::MAX, 6.0)], &[-1.0, 3.0, 7.0]),
            &[0.0, 3.0, 6.0],
        );
    }
}
