//! `LayerNorm`: rows, planes or channels get mean 0 and variance 1, then a scale and an
//! offset per position.

use ncnn_format::{Result, typed};

use super::loading::count;
use super::standardize::{Affine, ByRuns, standardize};
use crate::Layer;

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<impl Layer + use<>> {
    let params = typed::LayerNorm::read(layer)?;
    let size = count("affine_size", params.affine_size)?;
    Ok(layer_norm(size, params.eps, Affine::read(layer, params.affine, size)?))
}

fn layer_norm(size: usize, eps: f32, affine: Option<Affine>) -> impl Layer {
    let has_factors = affine.is_some();
    let change = move |values: &mut [f32]| {
        standardize(values, eps);
        if let Some(Affine { gamma, beta }) = &affine {
            for (value, (gamma, beta)) in values.iter_mut().zip(gamma.iter().zip(beta)) {
                *value = *value * gamma + beta;
            }
        }
    };
    ByRuns { size, has_factors, change }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Shape, Tensor};

    #[test]
    fn factors_belong_to_positions() {
        let affine = Some(Affine { gamma: vec![1.0, 10.0], beta: vec![0.0, 5.0] });
        let layer = layer_norm(2, 0.0, affine);
        let input = Tensor::new([2, 2], vec![1.0, 3.0, 7.0, 5.0]).unwrap();
        assert_eq!(layer.run(vec![input]).unwrap()[0].as_slice(), [-1.0, 15.0, 1.0, -5.0]);
        let message = layer.output_shapes(&[Shape::new(&[2, 3]).unwrap()]).unwrap_err().to_string();
        assert_eq!(message, "normalizes 2 values together, the input has 3 (2x3)");
    }
}
