//! How the weights of a layer fall into parts that share a scale.

use std::borrow::Cow;

use ncnn_format::{Error, Layer, LinearLayer, Result, WeightRole};

/// The weights of a layer with an int8 form, cut by scale: one slice per output channel, or per group of a depthwise
/// convolution. Source: ncnn's `ncnn2int8.cpp`.
#[derive(Debug)]
pub(crate) struct WeightSlices<'a> {
    values: Cow<'a, [f32]>,
    count: usize,
}

/// Whether `layer` has static scales in a table and an int8 form: a convolution of images with weights of its own,
/// or an inner product ([`LinearLayer::has_int8_form`]).
///
/// # Errors
/// `Malformed` when its parameters cannot be read.
pub fn is_quantizable(layer: &Layer) -> Result<bool> {
    Ok(quantizable(layer)?.is_some())
}

/// `layer` if it [is quantizable](is_quantizable).
pub(crate) fn quantizable(layer: &Layer) -> Result<Option<LinearLayer>> {
    Ok(LinearLayer::of(layer)?.filter(LinearLayer::has_int8_form))
}

impl<'a> WeightSlices<'a> {
    /// # Errors
    /// `Unsupported` when the layer is not [quantizable](is_quantizable),
    /// `Invalid` when its weights were not read or are int8, `Malformed` when they
    /// do not divide evenly, or one is not finite.
    pub(crate) fn of(layer: &'a Layer) -> Result<Self> {
        let slices = Self::of_weight(layer, WeightRole::Weight, slice_count(layer)?)?;
        check_bias(layer)?;
        Ok(slices)
    }

    /// Any weight of a layer, cut into `count` slices.
    ///
    /// # Errors
    /// `Invalid` when it was not read or is int8, `Malformed` when it does not divide evenly or a
    /// value is not finite.
    pub(crate) fn of_weight(layer: &'a Layer, role: WeightRole, count: usize) -> Result<Self> {
        let values = layer.weight_f32(role)?;
        if count == 0 || values.is_empty() || !values.len().is_multiple_of(count) {
            let message = format!("{} weights cannot be divided among {count} scales", values.len());
            return Err(Error::malformed(message).in_layer(&layer.name));
        }
        let slices = Self { values, count };
        slices.check_finite().map_err(|error| error.in_layer(&layer.name))?;
        Ok(slices)
    }

    fn check_finite(&self) -> Result<()> {
        for (channel, slice) in self.iter().enumerate() {
            if let Some(index) = slice.iter().position(|weight| !weight.is_finite()) {
                return Err(Error::malformed(format!(
                    "weight {index} of channel {channel} is {}, expected finite numbers",
                    slice[index]
                )));
            }
        }
        Ok(())
    }

    /// The number of slices, so of scales; at least 1.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// The slices in order, all of the same length.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.values.len() / self.count)
    }
}

/// # Errors
/// `Malformed` when a bias is NaN or infinite.
fn check_bias(layer: &Layer) -> Result<()> {
    if layer.weight(WeightRole::Bias).is_none() {
        return Ok(());
    }
    let bias = layer.weight_f32(WeightRole::Bias)?;
    match bias.iter().position(|value| !value.is_finite()) {
        Some(channel) => {
            let message = format!("the bias of channel {channel} is {}, expected finite numbers", bias[channel]);
            Err(Error::malformed(message).in_layer(&layer.name))
        }
        None => Ok(()),
    }
}

fn slice_count(layer: &Layer) -> Result<usize> {
    let linear = quantizable(layer)?.ok_or_else(|| {
        let message = format!("a {} with these parameters has no static int8 form", layer.kind);
        Error::unsupported(message).in_layer(&layer.name)
    })?;
    Ok(linear.scale_count())
}
