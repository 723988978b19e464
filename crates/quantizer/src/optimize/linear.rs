//! Layers whose outputs are weighted sums, whatever their kernel looks like.

use ncnn_format::{F32Tag, Layer, LayerKind, Result, Storage, Weight, WeightData, WeightRole};

/// Ids of the parameters that all of these layers have under one number or another.
pub(super) struct Ids {
    bias_term: u8,
    dynamic_weight: Option<u8>,
}

/// Parameter `num_output`.
const NUM_OUTPUT: u8 = 0;
/// Parameter `int8_scale_term`, where there is one.
const INT8_SCALE_TERM: u8 = 8;
/// Parameter `activation_type`.
pub(super) const ACTIVATION_TYPE: u8 = 9;
/// Parameter `activation_params`.
pub(super) const ACTIVATION_PARAMS: u8 = 10;

impl Ids {
    /// Those of `kind`, if it is such a layer: each output channel has weights of its own, one
    /// after another in the file, and a bias.
    pub(super) fn of(kind: &LayerKind) -> Option<Self> {
        let (bias_term, dynamic_weight) = match kind {
            LayerKind::InnerProduct => (1, None),
            LayerKind::Convolution
            | LayerKind::ConvolutionDepthWise
            | LayerKind::Convolution1D
            | LayerKind::ConvolutionDepthWise1D => (5, Some(19)),
            LayerKind::Convolution3D
            | LayerKind::ConvolutionDepthWise3D
            | LayerKind::Deconvolution3D
            | LayerKind::DeconvolutionDepthWise3D => (5, None),
            LayerKind::Deconvolution
            | LayerKind::DeconvolutionDepthWise
            | LayerKind::Deconvolution1D
            | LayerKind::DeconvolutionDepthWise1D => (5, Some(28)),
            _ => return None,
        };
        Some(Self { bias_term, dynamic_weight })
    }

    /// Why the weights and the function of `layer` cannot be changed, if so.
    pub(super) fn obstacle(&self, layer: &Layer) -> Result<Option<&'static str>> {
        let dynamic = self.dynamic_weight.map_or(Ok(0), |id| layer.params.int(id, 0))?;
        let has_int8_term = !matches!(layer.kind, LayerKind::Deconvolution | LayerKind::DeconvolutionDepthWise)
            && layer.params.int(INT8_SCALE_TERM, 0)? != 0;
        let is_int8 = layer.weights.iter().any(|weight| weight.data.storage() == Storage::I8);
        Ok(if dynamic != 0 {
            Some("takes its weights from blobs")
        } else if has_int8_term || is_int8 {
            Some("is int8 already")
        } else if layer.params.int(ACTIVATION_TYPE, 0)? != 0 {
            Some("has an activation already")
        } else {
            None
        })
    }

    /// Number of output channels.
    pub(super) fn outputs(layer: &Layer) -> Result<usize> {
        Ok(usize::try_from(layer.params.int(NUM_OUTPUT, 0)?).unwrap_or(0))
    }

    /// The biases; zeros where there are none.
    pub(super) fn bias(&self, layer: &Layer, outputs: usize) -> Result<Vec<f32>> {
        if layer.params.int(self.bias_term, 0)? == 0 {
            return Ok(vec![0.0; outputs]);
        }
        Ok(layer.weight_f32(WeightRole::Bias)?.into_owned())
    }

    /// Gives the layer other biases, which it may not have had.
    pub(super) fn set_bias(&self, layer: &mut Layer, bias: Vec<f32>) {
        layer.params.set_int(self.bias_term, 1);
        let bias = Weight { role: WeightRole::Bias, data: WeightData::F32(bias, F32Tag::Raw) };
        match layer.weights.iter_mut().find(|weight| weight.role == WeightRole::Bias) {
            Some(old) => *old = bias,
            // Behind the kernel, in front of scales.
            None => layer.weights.insert(1.min(layer.weights.len()), bias),
        }
    }
}

/// Replaces the values of a weight, stored as fp32 from now on.
pub(super) fn set_weight(layer: &mut Layer, role: WeightRole, values: Vec<f32>) {
    for weight in layer.weights.iter_mut().filter(|weight| weight.role == role) {
        let tag = match weight.data {
            WeightData::F32(_, tag) => tag,
            _ => F32Tag::Tagged,
        };
        weight.data = WeightData::F32(values.clone(), tag);
    }
}
