//! Convolutions of every kind: a kernel with a tag, then plain vectors.

use super::plan::{Plan, Size, quotient};
use crate::typed;
use crate::{Error, Layer, LayerKind, Result, WeightRole};

/// Terms above this one have the scale of an int8 output.
const REQUANTIZE: i32 = 100;

pub(super) fn convolution(plan: &mut Plan, layer: &Layer) -> Result<()> {
    let params = typed::Convolution::read(layer)?;
    if params.dynamic_weight != 0 {
        return Ok(());
    }
    let outputs = ("num_output", params.num_output);
    let size = ("weight_data_size", params.weight_data_size);
    quotient(size, &[outputs, ("kernel_w", params.kernel_w), ("kernel_h", params.kernel_h)])?;
    weight_and_bias(plan, size, outputs, params.bias_term)?;
    if params.int8_scale_term != 0 {
        plan.raw(WeightRole::WeightScales, &[outputs])?;
        plan.raw_single(WeightRole::InputScale);
    }
    output_scale(plan, params.int8_scale_term);
    Ok(())
}

pub(super) fn convolution_depthwise(plan: &mut Plan, layer: &Layer) -> Result<()> {
    let params = typed::ConvolutionDepthWise::read(layer)?;
    if params.dynamic_weight != 0 {
        return Ok(());
    }
    let outputs = ("num_output", params.num_output);
    let group = ("group", params.group);
    let size = ("weight_data_size", params.weight_data_size);
    quotient(outputs, &[group])?;
    quotient(size, &[outputs, ("kernel_w", params.kernel_w), ("kernel_h", params.kernel_h)])?;
    weight_and_bias(plan, size, outputs, params.bias_term)?;
    match params.int8_scale_term {
        1 | 101 => {
            plan.raw(WeightRole::WeightScales, &[group])?;
            plan.raw_single(WeightRole::InputScale);
        }
        2 | 102 => {
            plan.raw_single(WeightRole::WeightScales);
            plan.raw_single(WeightRole::InputScale);
        }
        _ => {}
    }
    output_scale(plan, params.int8_scale_term);
    Ok(())
}

fn output_scale(plan: &mut Plan, int8_scale_term: i32) {
    if int8_scale_term > REQUANTIZE {
        plan.raw_single(WeightRole::OutputScale);
    }
}

/// The convolutions that have no int8 form.
pub(super) fn float_only(plan: &mut Plan, layer: &Layer) -> Result<()> {
    macro_rules! sizes {
        ($kind:ident [$($kernel:ident)*] group: $group:expr, dynamic: $dynamic:expr) => {{
            let params = typed::$kind::read(layer)?;
            Sizes {
                outputs: ("num_output", params.num_output),
                size: ("weight_data_size", params.weight_data_size),
                kernel: vec![$((stringify!($kernel), params.$kernel)),*],
                group: $group(&params),
                bias_term: params.bias_term,
                dynamic: $dynamic(&params),
            }
        }};
        ($kind:ident [$($kernel:ident)*]) => { sizes!($kind [$($kernel)*] group: |_: &_| 1, dynamic: |_: &_| 0) };
        ($kind:ident [$($kernel:ident)*] dynamic) => {
            sizes!($kind [$($kernel)*] group: |_: &_| 1, dynamic: |params: &typed::$kind| params.dynamic_weight)
        };
        ($kind:ident [$($kernel:ident)*] group) => {
            sizes!($kind [$($kernel)*] group: |params: &typed::$kind| params.group, dynamic: |_: &_| 0)
        };
        ($kind:ident [$($kernel:ident)*] group dynamic) => {
            sizes!($kind [$($kernel)*] group: |params: &typed::$kind| params.group,
                dynamic: |params: &typed::$kind| params.dynamic_weight)
        };
    }
    let sizes = match layer.kind {
        LayerKind::Convolution1D => sizes!(Convolution1D [kernel_w] dynamic),
        LayerKind::ConvolutionDepthWise1D => sizes!(ConvolutionDepthWise1D [kernel_w] group dynamic),
        LayerKind::Convolution3D => sizes!(Convolution3D [kernel_w kernel_h kernel_d]),
        LayerKind::ConvolutionDepthWise3D => sizes!(ConvolutionDepthWise3D [kernel_w kernel_h kernel_d] group),
        LayerKind::Deconvolution => sizes!(Deconvolution [kernel_w kernel_h] dynamic),
        LayerKind::DeconvolutionDepthWise => sizes!(DeconvolutionDepthWise [kernel_w kernel_h] group dynamic),
        LayerKind::Deconvolution1D => sizes!(Deconvolution1D [kernel_w] dynamic),
        LayerKind::DeconvolutionDepthWise1D => sizes!(DeconvolutionDepthWise1D [kernel_w] group dynamic),
        LayerKind::Deconvolution3D => sizes!(Deconvolution3D [kernel_w kernel_h kernel_d]),
        LayerKind::DeconvolutionDepthWise3D => sizes!(DeconvolutionDepthWise3D [kernel_w kernel_h kernel_d] group),
        LayerKind::DeformableConv2D => sizes!(DeformableConv2D [kernel_w kernel_h]),
        ref other => return Err(Error::unsupported(format!("the weights of {other} are not known"))),
    };
    sizes.fill(plan)
}

struct Sizes {
    outputs: Size,
    size: Size,
    kernel: Vec<Size>,
    group: i32,
    bias_term: i32,
    dynamic: i32,
}

impl Sizes {
    fn fill(mut self, plan: &mut Plan) -> Result<()> {
        if self.dynamic != 0 {
            return Ok(());
        }
        quotient(self.outputs, &[("group", self.group)])?;
        self.kernel.insert(0, self.outputs);
        quotient(self.size, &self.kernel)?;
        weight_and_bias(plan, self.size, self.outputs, self.bias_term)
    }
}

pub(super) fn weight_and_bias(plan: &mut Plan, weight: Size, outputs: Size, bias_term: i32) -> Result<()> {
    plan.tagged(WeightRole::Weight, &[weight])?;
    if bias_term != 0 {
        plan.raw(WeightRole::Bias, &[outputs])?;
    }
    Ok(())
}
