//! `Shrink`: small values become 0, the others move towards it.

use ncnn_format::{Result, typed};

use super::pointwise::Pointwise;
use crate::Layer;

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<impl Layer + use<>> {
    let typed::Shrink { bias, lambd, .. } = typed::Shrink::read(layer)?;
    Ok(Pointwise(move |x: f32| {
        if x < -lambd {
            x + bias
        } else if x > lambd {
            x - bias
        } else {
            0.0
        }
    }))
}

#[cfg(test)]
mod tests {
    use ncnn_format::{LayerKind, typed};

    use crate::layers::pointwise::tests::{apply, assert_close};

    #[test]
    fn moves_what_is_outside_the_dead_zone() {
        assert_close(
            &apply(LayerKind::Shrink, &[(typed::Shrink::BIAS, 0.25), (typed::Shrink::LAMBD, 1.0)], &[-2.0, 1.0, 1.5]),
            &[-1.75, 0.0, 1.25],
        );
    }
}
