//! `BatchNorm`: `slope · (x - mean) / sqrt(variance + eps) + bias` per channel.

use ncnn_format::{Result, WeightRole, typed};

use super::loading::floats;
use super::per_channel::Affine;
use super::window::positive;

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<Affine> {
    let params = typed::BatchNorm::read(layer)?;
    let channels = positive("channels", params.channels)?;
    let slope = floats(layer, WeightRole::Slope, channels)?;
    let mean = floats(layer, WeightRole::Mean, channels)?;
    let variance = floats(layer, WeightRole::Variance, channels)?;
    let bias = floats(layer, WeightRole::Bias, channels)?;
    let deviation: Vec<f32> = variance
        .iter()
        .map(|variance| match (variance + params.eps).sqrt() {
            0.0 => 0.0001,
            deviation => deviation,
        })
        .collect();
    Ok(Affine {
        scale: (0..channels).map(|i| slope[i] / deviation[i]).collect(),
        offset: (0..channels).map(|i| bias[i] - slope[i] * mean[i] / deviation[i]).collect(),
    })
}

#[cfg(test)]
mod tests {
    use ncnn_format::{F32Tag, LayerKind, Weight, WeightData};

    use super::*;
    use crate::{Layer, Shape, Tensor};

    fn layer() -> ncnn_format::Layer {
        let mut layer = ncnn_format::Layer::new(LayerKind::BatchNorm, "bn");
        layer.params.set(typed::BatchNorm::CHANNELS, 2);
        for (role, values) in [
            (WeightRole::Slope, vec![2.0, 1.0]),
            (WeightRole::Mean, vec![1.0, 0.0]),
            (WeightRole::Variance, vec![4.0, 0.0]),
            (WeightRole::Bias, vec![0.5, 0.0]),
        ] {
            layer.weights.push(Weight { role, data: WeightData::F32(values, F32Tag::Raw) });
        }
        layer
    }

    #[test]
    fn a_variance_of_zero_counts_as_a_small_deviation() {
        let input = Tensor::new([2, 1, 1], vec![3.0, 1.0]).unwrap();
        let output = build(&layer()).unwrap().run(vec![input]).unwrap().remove(0);
        assert_eq!(output.as_slice(), [2.5, 10_000.0]);
    }

    #[test]
    fn names_the_channels_expected_and_found() {
        let error = build(&layer()).unwrap().output_shapes(&[Shape::new(&[3, 4, 4]).unwrap()]).unwrap_err();
        assert_eq!(error.to_string(), "expects 2 channels, the input has 3 (3x4x4)");
    }
}
