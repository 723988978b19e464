//! `HardSwish`: `x` times a ramp from 0 to 1.

use ncnn_format::{Result, typed};

use super::pointwise::Pointwise;
use crate::{Activate, Activation, Layer};

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<impl Layer + use<>> {
    let typed::HardSwish { alpha, beta, .. } = typed::HardSwish::read(layer)?;
    Ok(Pointwise(move |x| Activation::HardSwish { alpha, beta }.apply(x)))
}

#[cfg(test)]
mod tests {
    use ncnn_format::{LayerKind, typed};

    use crate::layers::pointwise::tests::{apply, assert_close};

    #[test]
    fn is_x_times_a_ramp() {
        assert_close(
            &apply(
                LayerKind::HardSwish,
                &[(typed::HardSwish::ALPHA, 0.25), (typed::HardSwish::BETA, 0.5)],
                &[-3.0, 1.0, 3.0],
            ),
            &[0.0, 0.75, 3.0],
        );
    }
}
