//! `Exp`: `base ^ (shift + x · scale)`; base -1 stands for e.

use ncnn_format::{Result, typed};

use super::pointwise::Pointwise;
use crate::Layer;

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<impl Layer + use<>> {
    let typed::Exp { base, scale, shift, .. } = typed::Exp::read(layer)?;
    Ok(Pointwise(move |x: f32| {
        let exponent = shift + x * scale;
        if base == -1.0 { exponent.exp() } else { base.powf(exponent) }
    }))
}

#[cfg(test)]
mod tests {
    use ncnn_format::{LayerKind, typed};

    use crate::layers::pointwise::tests::{apply, assert_close};

    #[test]
    fn raises_the_base() {
        assert_close(
            &apply(
                LayerKind::Exp,
                &[(typed::Exp::BASE, 2.0), (typed::Exp::SCALE, 2.0), (typed::Exp::SHIFT, 1.0)],
                &[0.0, 1.0],
            ),
            &[2.0, 8.0],
        );
    }

    #[test]
    fn the_default_base_is_e() {
        assert_close(&apply(LayerKind::Exp, &[], &[1.0]), &[std::f32::consts::E]);
    }
}
