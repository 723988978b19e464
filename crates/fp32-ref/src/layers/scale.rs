//! `Scale`: `x · scale + bias` per channel; the scale may be a second blob.

use ncnn_format::{Error, Result, WeightRole, typed};

use super::arity::exactly;
use super::loading::{bias, floats};
use super::per_channel::{Affine, expect_outer};
use super::window::positive;
use crate::{Layer, Order, Pixels, Shape, Tensor, Value, Workspace};

pub(super) enum Scale {
    Constant(Affine),
    /// Multiplies each channel of the first blob by an element of the second.
    ByBlob,
}

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<Scale> {
    let params = typed::Scale::read(layer)?;
    if params.scale_data_size == -233 {
        if params.bias_term != 0 {
            return Err(Error::malformed("a scale from a second blob cannot have a bias"));
        }
        return Ok(Scale::ByBlob);
    }
    let channels = positive("scale_data_size", params.scale_data_size)?;
    let scale = floats(layer, WeightRole::Scale, channels)?;
    Ok(Scale::Constant(Affine { scale, offset: bias(layer, params.bias_term, channels)? }))
}

impl Layer for Scale {
    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        if let Self::Constant(affine) = self {
            return affine.output_shapes(inputs);
        }
        let [input, scale] = exactly(inputs.iter().copied())?;
        expect_outer(scale.volume(), input)?;
        Ok(vec![input])
    }

    fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>> {
        if let Self::Constant(affine) = self {
            return affine.run(inputs);
        }
        let [mut tensor, scale] = exactly(inputs)?;
        expect_outer(scale.shape().volume(), tensor.shape())?;
        for (values, &scale) in tensor.channels_mut().zip(scale.as_slice()) {
            for value in values {
                *value *= scale;
            }
        }
        Ok(vec![tensor])
    }

    fn order(&self, inputs: &[Shape]) -> Order {
        if let Self::Constant(_) = self { Order::either_for_images(inputs) } else { Order::Planar }
    }

    fn run_pixels(&self, inputs: Vec<Pixels>, workspace: &mut Workspace) -> Result<Vec<Value>> {
        match self {
            Self::Constant(affine) => affine.run_pixels(inputs, workspace),
            Self::ByBlob => Err(Error::unsupported("a scale from a second blob works on planes")),
        }
    }
}

#[cfg(test)]
mod tests {
    use ncnn_format::LayerKind;

    use super::*;

    #[test]
    fn a_second_blob_scales_channels() {
        let mut layer = ncnn_format::Layer::new(LayerKind::Scale, "scale");
        layer.params.set(typed::Scale::SCALE_DATA_SIZE, -233);
        let values = Tensor::new([2, 1, 2], vec![1.0, 2.0, 3.0, 4.0]).unwrap();
        let scale = Tensor::new([2], vec![10.0, 100.0]).unwrap();
        let output = build(&layer).unwrap().run(vec![values, scale]).unwrap().remove(0);
        assert_eq!(output.as_slice(), [10.0, 20.0, 300.0, 400.0]);
    }
}
