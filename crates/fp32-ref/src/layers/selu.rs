//! `SELU`: a scaled `ELU` that keeps mean and variance.

use ncnn_format::{Result, typed};

use super::pointwise::Pointwise;
use crate::Layer;

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<impl Layer + use<>> {
    let typed::SELU { alpha, lambda, .. } = typed::SELU::read(layer)?;
    let steepness = alpha * lambda;
    Ok(Pointwise(move |x: f32| if x < 0.0 { (x.exp() - 1.0) * steepness } else { x * lambda }))
}

#[cfg(test)]
mod tests {
    use ncnn_format::{LayerKind, typed};

    use crate::layers::pointwise::tests::{apply, assert_close};

    #[test]
    fn bends_below_zero() {
        assert_close(
            &apply(LayerKind::SELU, &[(typed::SELU::ALPHA, 2.0), (typed::SELU::LAMBDA, 0.5)], &[-1.0, 3.0]),
            &[-0.632_120_56, 1.5],
        );
    }
}
