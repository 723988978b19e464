//! `RMSNorm`: rows, planes or channels are divided by the root of their mean square.

use ncnn_format::{Result, WeightRole, typed};

use super::loading::{count, floats};
use super::standardize::{ByRuns, divide_by_root_mean_square};
use crate::Layer;

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<impl Layer + use<>> {
    let params = typed::RMSNorm::read(layer)?;
    let size = count("affine_size", params.affine_size)?;
    let gamma = if params.affine == 0 { None } else { Some(floats(layer, WeightRole::Gamma, size)?) };
    Ok(rms_norm(size, params.eps, gamma))
}

fn rms_norm(size: usize, eps: f32, gamma: Option<Vec<f32>>) -> impl Layer {
    let has_factors = gamma.is_some();
    let change = move |values: &mut [f32]| {
        divide_by_root_mean_square(values, eps);
        for (value, gamma) in values.iter_mut().zip(gamma.iter().flatten()) {
            *value *= gamma;
        }
    };
    ByRuns { size, has_factors, change }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tensor;

    #[test]
    fn divides_by_the_root_of_the_mean_square() {
        let layer = rms_norm(2, 0.0, Some(vec![1.0, 2.0]));
        let input = Tensor::new([1, 2], vec![7.0, -1.0]).unwrap();
        assert_eq!(layer.run(vec![input]).unwrap()[0].as_slice(), [1.4, -0.4]);
    }
}
