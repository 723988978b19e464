//! Layers whose weights are a few plain vectors.

use super::plan::Plan;
use crate::typed::{
    BatchNorm, Bias, Dequantize, GroupNorm, InstanceNorm, LayerNorm, MemoryData, Normalize, PReLU, Padding, Quantize,
    RMSNorm, Requantize, Scale,
};
use crate::{Error, Layer, Result, WeightRole};

/// `scale_data_size` of a Scale whose multipliers come from a second input.
const SCALE_FROM_INPUT: i32 = -233;

pub(super) fn batch_norm(plan: &mut Plan, layer: &Layer) -> Result<()> {
    let channels = ("channels", BatchNorm::read(layer)?.channels);
    for role in [WeightRole::Slope, WeightRole::Mean, WeightRole::Variance, WeightRole::Bias] {
        plan.raw(role, &[channels])?;
    }
    Ok(())
}

pub(super) fn bias(plan: &mut Plan, layer: &Layer) -> Result<()> {
    plan.raw(WeightRole::Bias, &[("bias_data_size", Bias::read(layer)?.bias_data_size)])
}

pub(super) fn scale(plan: &mut Plan, layer: &Layer) -> Result<()> {
    let Scale { scale_data_size, bias_term } = Scale::read(layer)?;
    if scale_data_size == SCALE_FROM_INPUT {
        return Ok(());
    }
    plan.raw(WeightRole::Scale, &[("scale_data_size", scale_data_size)])?;
    if bias_term != 0 {
        plan.raw(WeightRole::Bias, &[("scale_data_size", scale_data_size)])?;
    }
    Ok(())
}

pub(super) fn prelu(plan: &mut Plan, layer: &Layer) -> Result<()> {
    plan.raw(WeightRole::Slope, &[("num_slope", PReLU::read(layer)?.num_slope)])
}

pub(super) fn normalize(plan: &mut Plan, layer: &Layer) -> Result<()> {
    plan.raw(WeightRole::Scale, &[("scale_data_size", Normalize::read(layer)?.scale_data_size)])
}

pub(super) fn instance_norm(plan: &mut Plan, layer: &Layer) -> Result<()> {
    let InstanceNorm { channels, affine, .. } = InstanceNorm::read(layer)?;
    gamma_and_beta(plan, affine, ("channels", channels))
}

pub(super) fn group_norm(plan: &mut Plan, layer: &Layer) -> Result<()> {
    let GroupNorm { channels, affine, .. } = GroupNorm::read(layer)?;
    gamma_and_beta(plan, affine, ("channels", channels))
}

pub(super) fn layer_norm(plan: &mut Plan, layer: &Layer) -> Result<()> {
    let LayerNorm { affine_size, affine, .. } = LayerNorm::read(layer)?;
    gamma_and_beta(plan, affine, ("affine_size", affine_size))
}

fn gamma_and_beta(plan: &mut Plan, affine: i32, size: super::plan::Size) -> Result<()> {
    if affine != 0 {
        plan.raw(WeightRole::Gamma, &[size])?;
        plan.raw(WeightRole::Beta, &[size])?;
    }
    Ok(())
}

pub(super) fn rms_norm(plan: &mut Plan, layer: &Layer) -> Result<()> {
    let RMSNorm { affine_size, affine, .. } = RMSNorm::read(layer)?;
    if affine != 0 {
        plan.raw(WeightRole::Gamma, &[("affine_size", affine_size)])?;
    }
    Ok(())
}

pub(super) fn padding(plan: &mut Plan, layer: &Layer) -> Result<()> {
    let size = Padding::read(layer)?.per_channel_pad_data_size;
    if size != 0 {
        plan.raw(WeightRole::PadValues, &[("per_channel_pad_data_size", size)])?;
    }
    Ok(())
}

/// The outermost size that is not 0 decides the number of dimensions; the sizes
/// inside it count, and without any the layer reads nothing.
pub(super) fn memory_data(plan: &mut Plan, layer: &Layer) -> Result<()> {
    let MemoryData { w, h, c, d, load_type } = MemoryData::read(layer)?;
    let (w, h, d, c) = (("w", w), ("h", h), ("d", d), ("c", c));
    let sizes = match (d.1, c.1, h.1, w.1) {
        (0, 0, 0, 0) => return Ok(()),
        (0, 0, 0, _) => vec![w],
        (0, 0, _, _) => vec![w, h],
        (0, _, _, _) => vec![w, h, c],
        (_, _, _, _) => vec![w, h, d, c],
    };
    match load_type {
        0 => plan.tagged(WeightRole::Data, &sizes),
        1 => plan.raw(WeightRole::Data, &sizes),
        other => Err(Error::malformed(format!("load_type should be 0 or 1, found {other}"))),
    }
}

pub(super) fn quantize(plan: &mut Plan, layer: &Layer) -> Result<()> {
    plan.raw(WeightRole::Scale, &[("scale_data_size", Quantize::read(layer)?.scale_data_size)])
}

pub(super) fn dequantize(plan: &mut Plan, layer: &Layer) -> Result<()> {
    let Dequantize { scale_data_size, bias_data_size } = Dequantize::read(layer)?;
    plan.raw(WeightRole::Scale, &[("scale_data_size", scale_data_size)])?;
    optional_bias(plan, bias_data_size)
}

pub(super) fn requantize(plan: &mut Plan, layer: &Layer) -> Result<()> {
    let params = Requantize::read(layer)?;
    plan.raw(WeightRole::InputScale, &[("scale_in_data_size", params.scale_in_data_size)])?;
    plan.raw(WeightRole::OutputScale, &[("scale_out_data_size", params.scale_out_data_size)])?;
    optional_bias(plan, params.bias_data_size)
}

fn optional_bias(plan: &mut Plan, size: i32) -> Result<()> {
    if size != 0 { plan.raw(WeightRole::Bias, &[("bias_data_size", size)]) } else { Ok(()) }
}
