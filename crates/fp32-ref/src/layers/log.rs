//! `Log`: logarithm of `shift + x · scale`; base -1 stands for e.

use ncnn_format::{Result, typed};

use super::pointwise::Pointwise;
use crate::Layer;

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<impl Layer + use<>> {
    let typed::Log { base, scale, shift, .. } = typed::Log::read(layer)?;
    let factor = if base == -1.0 { 1.0 } else { 1.0 / base.ln() };
    Ok(Pointwise(move |x: f32| (shift + x * scale).ln() * factor))
}

#[cfg(test)]
mod tests {
    use ncnn_format::{LayerKind, typed};

    use crate::layers::pointwise::tests::{apply, assert_close};

    #[test]
    fn takes_any_base() {
        assert_close(&apply(LayerKind::Log, &[(typed::Log::BASE, 2.0)], &[1.0, 8.0]), &[0.0, 3.0]);
    }
}
