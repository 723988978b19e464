//! Convolutions whose weights, and biases, are blobs.
//!
//! Such a layer is the plain one with the weights filled in, made anew for every run.

use ncnn_format::typed::{ConvolutionDepthWise, Deconvolution};
use ncnn_format::{Error, F32Tag, LayerKind, LinearFamily, LinearLayer, Result, Weight, WeightData, WeightRole};

use super::loading::share;
use super::{convolution, convolution_depth_wise, deconvolution, deconvolution_depth_wise};
use crate::{BuildOptions, Layer, Shape, Tensor};

pub(super) struct DynamicConvolution {
    /// The layer with `dynamic_weight` off and without weights.
    plain: ncnn_format::Layer,
    has_bias: bool,
    /// Of a deconvolution, whose weights come as `[in][out per group]`.
    turned_groups: Option<usize>,
}

/// `None` for layers that own their weights.
pub(super) fn build(layer: &ncnn_format::Layer) -> Result<Option<DynamicConvolution>> {
    let Some(linear) = LinearLayer::of(layer)?.filter(|linear| linear.is_dynamic && linear.window.len() == 2) else {
        return Ok(None);
    };
    let is_turned = linear.family == LinearFamily::Deconvolution;
    let mut plain = ncnn_format::Layer::new(layer.kind.clone(), layer.name.clone());
    plain.params = layer.params.clone();
    plain.params.remove(if is_turned { Deconvolution::DYNAMIC_WEIGHT } else { ConvolutionDepthWise::DYNAMIC_WEIGHT });
    let (has_bias, turned_groups) = (linear.has_bias, is_turned.then_some(linear.groups));
    Ok(Some(DynamicConvolution { plain, has_bias, turned_groups }))
}

impl Layer for DynamicConvolution {
    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        let blobs = inputs.iter().map(|&shape| Tensor::filled(shape, 0.0)).collect();
        let (_, plain) = self.plain(blobs)?;
        plain.output_shapes(&inputs[..1])
    }

    fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>> {
        let (input, plain) = self.plain(inputs)?;
        plain.run(vec![input])
    }
}

impl DynamicConvolution {
    /// The input and the layer with its weights.
    fn plain(&self, inputs: Vec<Tensor>) -> Result<(Tensor, Box<dyn Layer>)> {
        let expected = if self.has_bias { 3 } else { 2 };
        if inputs.len() != expected {
            return Err(Error::malformed(format!("takes {expected} blobs, the file gives it {}", inputs.len())));
        }
        let mut inputs = inputs.into_iter();
        let missing = || Error::malformed("takes its weights from a blob, the file gives it none");
        let (input, weights) = (inputs.next().ok_or_else(missing)?, inputs.next().ok_or_else(missing)?);
        let mut layer = self.plain.clone();
        let shape = weights.shape();
        let outputs = self.outputs(shape)?;
        // All of them have the same parameters for this.
        for (key, size) in [
            (Deconvolution::NUM_OUTPUT, outputs),
            (Deconvolution::KERNEL_W, shape.w()),
            (Deconvolution::KERNEL_H, shape.h()),
            (Deconvolution::WEIGHT_DATA_SIZE, shape.volume()),
        ] {
            let size = i32::try_from(size).map_err(|_| Error::too_large(format!("weights of the shape {shape}")))?;
            layer.params.set(key, size);
        }
        let weights = match self.turned_groups {
            None => weights.as_slice().to_vec(),
            Some(groups) => turned(weights.as_slice(), shape, groups)?,
        };
        add(&mut layer, WeightRole::Weight, weights, F32Tag::Tagged);
        if let Some(bias) = inputs.next() {
            add(&mut layer, WeightRole::Bias, bias.as_slice().to_vec(), F32Tag::Raw);
        }
        Ok((input, build_plain(&layer)?))
    }

    /// Output channels of weights of this shape.
    fn outputs(&self, weights: Shape) -> Result<usize> {
        match self.turned_groups {
            None => Ok(weights.c()),
            Some(groups) => weights
                .d()
                .checked_mul(groups)
                .ok_or_else(|| Error::too_large(format!("{groups} groups of weights of the shape {weights}"))),
        }
    }
}

/// The layer that owns its weights. Transforming them for Winograd's algorithm would not pay for one run.
fn build_plain(layer: &ncnn_format::Layer) -> Result<Box<dyn Layer>> {
    Ok(match layer.kind {
        LayerKind::ConvolutionDepthWise => Box::new(convolution_depth_wise::build(layer)?),
        LayerKind::Deconvolution => Box::new(deconvolution::build(layer)?),
        LayerKind::DeconvolutionDepthWise => Box::new(deconvolution_depth_wise::build(layer)?),
        _ => Box::new(convolution::build(layer, BuildOptions::default().with_winograd(false))?),
    })
}

/// `[in][out per group][kernel]` as `[group][out per group][in per group][kernel]`.
fn turned(weights: &[f32], shape: Shape, groups: usize) -> Result<Vec<f32>> {
    let (inputs, outputs, taps) = (share("input channels", shape.c(), groups)?, shape.d(), shape.h() * shape.w());
    let mut values = Vec::with_capacity(weights.len());
    for group in weights.chunks_exact(inputs * outputs * taps) {
        for output in 0..outputs {
            for input in group.chunks_exact(outputs * taps) {
                values.extend_from_slice(&input[output * taps..(output + 1) * taps]);
            }
        }
    }
    Ok(values)
}

fn add(layer: &mut ncnn_format::Layer, role: WeightRole, values: Vec<f32>, tag: F32Tag) {
    layer.weights.push(Weight { role, data: WeightData::F32(values, tag) });
}

#[cfg(test)]
mod tests {
    use ncnn_format::typed::{self, DeconvolutionDepthWise, ParamKey};

    use super::*;

    fn layer(kind: LayerKind, params: &[(ParamKey<i32>, i32)]) -> DynamicConvolution {
        let mut layer = ncnn_format::Layer::new(kind, "conv");
        for &(key, value) in params {
            layer.params.set(key, value);
        }
        build(&layer).unwrap().unwrap()
    }

    fn blob(dims: &[usize], values: &[f32]) -> Tensor {
        Tensor::new(dims, values.to_vec()).unwrap()
    }

    #[test]
    fn the_kernel_and_the_bias_are_blobs() {
        let conv = layer(
            LayerKind::Convolution,
            &[(typed::Convolution::DYNAMIC_WEIGHT, 1), (typed::Convolution::BIAS_TERM, 1)],
        );
        let inputs = vec![
            blob(&[1, 1, 3], &[1.0, 2.0, 3.0]),
            blob(&[2, 1, 1, 2], &[1.0, 10.0, 2.0, 0.0]),
            blob(&[2], &[0.5, -0.5]),
        ];
        let shapes: Vec<Shape> = inputs.iter().map(Tensor::shape).collect();
        assert_eq!(conv.output_shapes(&shapes).unwrap()[0].dims(), [2, 1, 2]);
        assert_eq!(conv.run(inputs).unwrap()[0].as_slice(), [21.5, 32.5, 1.5, 3.5]);
    }

    #[test]
    fn weights_of_a_deconvolution_come_with_the_inputs_first() {
        let up = layer(LayerKind::Deconvolution, &[(typed::Deconvolution::DYNAMIC_WEIGHT, 1)]);
        let inputs = vec![blob(&[2, 1, 1], &[1.0, 10.0]), blob(&[2, 3, 1, 1], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])];
        assert_eq!(up.run(inputs).unwrap()[0].as_slice(), [41.0, 52.0, 63.0]);
    }

    #[test]
    fn refuses_what_lacks_weights_or_groups() {
        let conv = layer(LayerKind::Convolution, &[(typed::Convolution::DYNAMIC_WEIGHT, 1)]);
        assert!(conv.run(vec![blob(&[1, 1, 1], &[1.0])]).is_err());
        assert!(conv.output_shapes(&[]).is_err());
        for group in [0, -1, 2, i32::MAX] {
            let params = [(DeconvolutionDepthWise::DYNAMIC_WEIGHT, 1), (DeconvolutionDepthWise::GROUP, group)];
            let up = layer(LayerKind::DeconvolutionDepthWise, &params);
            assert!(up.run(vec![blob(&[1, 1, 1], &[1.0]), blob(&[1, 1, 1, 1], &[1.0])]).is_err(), "{group}");
        }
    }
}
