//! The values that an int8 blob was rounded from.

use fp32_ref::{Activate, Activation, Tensor};
use int8_exec::{Int8Net, Options};
use ncnn_format::{Error, Layer, LayerKind, Model, Result, WeightRole, typed};

/// The values of `blob` times its output scale just before the last rounding, but for f32's own.
///
/// # Errors
/// `Unsupported` when another layer than a Convolution, ConvolutionDepthWise, Quantize or Requantize
/// makes it.
pub(crate) fn unrounded(model: &Model, blob: &str, feeds: &[(String, Tensor)]) -> Result<Vec<f64>> {
    let mut model = model.clone();
    let at = model.layers.iter().position(|layer| layer.outputs.iter().any(|output| output == blob));
    model.layers.truncate(at.map_or(0, |at| at + 1));
    let Some(layer) = model.layers.last_mut() else { return Err(Error::invalid(format!("nobody makes {blob}"))) };
    let term = match layer.kind {
        LayerKind::Convolution | LayerKind::ConvolutionDepthWise => layer.int8_term()?.unwrap_or(0),
        LayerKind::Quantize | LayerKind::Requantize => return rescaled(layer, &feeds[0].1),
        _ => return Err(Error::unsupported(format!("int8 made by {}", layer.kind))),
    };
    let scale = f64::from(layer.weight_f32(WeightRole::OutputScale)?[0]);
    layer.set_int8_term(term % 100)?;
    layer.weights.retain(|weight| weight.role != WeightRole::OutputScale);
    let net = Int8Net::with_options(&model, Options::default().with_fuse(false))?;
    let feeds: Vec<(&str, Tensor)> = feeds.iter().map(|(name, tensor)| (name.as_str(), tensor.clone())).collect();
    let outputs = net.run(&feeds, &mut ())?;
    let values = outputs.get(blob).ok_or_else(|| Error::invalid(format!("{blob} was not made")))?;
    Ok(values.as_slice().iter().map(|&value| f64::from(value) * scale).collect())
}

/// The same for the layers that only rescale.
fn rescaled(layer: &Layer, input: &Tensor) -> Result<Vec<f64>> {
    let slices = if input.shape().rank() > 1 { input.shape().dims()[0] } else { 1 };
    let values = |role| Ok::<Vec<f32>, Error>(layer.weight_f32(role)?.into_owned());
    let of = |values: &[f32], slice: usize| f64::from(values.get(slice).or(values.first()).copied().unwrap_or(0.0));
    let chunks = input.as_slice().chunks(input.as_slice().len() / slices).enumerate();
    if layer.kind == LayerKind::Quantize {
        let scales = values(WeightRole::Scale)?;
        return Ok(chunks
            .flat_map(|(at, xs)| xs.iter().map(|x| f64::from(*x) * of(&scales, at)).collect::<Vec<_>>())
            .collect());
    }
    let params = typed::Requantize::read(layer)?;
    let (scale_in, scale_out) = (values(WeightRole::InputScale)?, values(WeightRole::OutputScale)?);
    let bias = if params.bias_data_size == 0 { Vec::new() } else { values(WeightRole::Bias)? };
    let activation = Activation::new(params.activation_type, &params.activation_params)?;
    let one = |x: f32, slice| {
        let sum = f64::from(x.to_bits() as i32) * of(&scale_in, slice) + of(&bias, slice);
        f64::from(activation.apply(sum as f32)) * of(&scale_out, slice)
    };
    Ok(chunks.flat_map(|(slice, xs)| xs.iter().map(|&x| one(x, slice)).collect::<Vec<_>>()).collect())
}
