//! Layers that multiply and add numbers, one pair for all or one per channel.

use ncnn_format::{Layer, LayerKind, Result, WeightRole, typed};

use super::network::Network;

/// `scale · x + offset`; both have one value for all channels or one per channel.
pub(super) struct Affine {
    /// Which input of the layer x is.
    pub(super) input: usize,
    scale: Vec<f64>,
    offset: Vec<f64>,
}

impl Affine {
    /// What the layer at `index` does, if it is one of these and its numbers are constants.
    pub(super) fn of(network: &Network, index: usize) -> Result<Option<Self>> {
        let layer = &network.layers[index];
        if layer.outputs.len() != 1 || layer.inputs.is_empty() {
            return Ok(None);
        }
        match layer.kind {
            LayerKind::BatchNorm => Self::of_batch_norm(layer).map(Some),
            LayerKind::Scale => Self::of_scale(layer),
            LayerKind::Bias => Self::of_bias(network, layer),
            LayerKind::Dropout => {
                let scale = f64::from(typed::Dropout::read(layer)?.scale);
                Ok(Some(Self::uniform(scale, 0.0)))
            }
            LayerKind::Power => {
                let typed::Power { power, scale, shift, .. } = typed::Power::read(layer)?;
                Ok((power == 1.0).then(|| Self::uniform(f64::from(scale), f64::from(shift))))
            }
            LayerKind::BinaryOp => Self::of_binary_op(network, layer),
            _ => Ok(None),
        }
    }

    fn uniform(scale: f64, offset: f64) -> Self {
        Self { input: 0, scale: vec![scale], offset: vec![offset] }
    }

    fn of_batch_norm(layer: &Layer) -> Result<Self> {
        let eps = typed::BatchNorm::read(layer)?.eps;
        let weight = |role| layer.weight_f32(role);
        let (slope, mean) = (weight(WeightRole::Slope)?, weight(WeightRole::Mean)?);
        let (variance, bias) = (weight(WeightRole::Variance)?, weight(WeightRole::Bias)?);
        // As the running layer does, a deviation of 0 counts as 0.0001.
        let deviation = variance.iter().map(|variance| match (variance + eps).sqrt() {
            0.0 => 0.0001,
            deviation => deviation,
        });
        let scale: Vec<f64> = slope.iter().zip(deviation).map(|(&s, d)| f64::from(s) / f64::from(d)).collect();
        let moved = bias.iter().zip(mean.iter()).zip(&scale);
        let offset = moved.map(|((&bias, &mean), scale)| f64::from(bias) - scale * f64::from(mean)).collect();
        Ok(Self { input: 0, scale, offset })
    }

    fn of_scale(layer: &Layer) -> Result<Option<Self>> {
        let params = typed::Scale::read(layer)?;
        if params.scale_data_size == -233 || layer.inputs.len() != 1 {
            return Ok(None);
        }
        let scale = in_f64(&layer.weight_f32(WeightRole::Scale)?);
        let offset = match params.bias_term {
            0 => vec![0.0],
            _ => in_f64(&layer.weight_f32(WeightRole::Bias)?),
        };
        Ok(Some(Self { input: 0, scale, offset }))
    }

    /// A Bias sees one channel in a blob of one or two dimensions.
    fn of_bias(network: &Network, layer: &Layer) -> Result<Option<Self>> {
        if network.shape(&layer.inputs[0]).is_none_or(|shape| shape.rank() < 3) {
            return Ok(None);
        }
        let offset = in_f64(&layer.weight_f32(WeightRole::Bias)?);
        Ok(Some(Self { input: 0, scale: vec![1.0], offset }))
    }

    fn of_binary_op(network: &Network, layer: &Layer) -> Result<Option<Self>> {
        let params = typed::BinaryOp::read(layer)?;
        let (input, values) = match (params.with_scalar, layer.inputs.len()) {
            (0, 2) => match per_channel_operand(network, layer)? {
                Some((position, values)) => (1 - position, values),
                None => return Ok(None),
            },
            (0, _) => return Ok(None),
            (_, 1) => (0, vec![f64::from(params.b)]),
            _ => return Ok(None),
        };
        let (same, negated) = (vec![1.0], || values.iter().map(|value| -value).collect());
        let nothing = vec![0.0];
        let (scale, offset) = match (params.op_type, input) {
            (0, _) => (same, values),
            (2, _) => (values, nothing),
            // x - v, as `sub` of the first operand or `rsub` of the second.
            (1, 0) | (7, 1) => (same, negated()),
            (7, 0) | (1, 1) => (vec![-1.0], values),
            (3, 0) | (8, 1) => (values.iter().map(|value| 1.0 / value).collect(), nothing),
            _ => return Ok(None),
        };
        Ok(Some(Self { input, scale, offset }))
    }

    /// The factor of `channel`.
    pub(super) fn scale(&self, channel: usize) -> f64 {
        self.scale[if self.scale.len() == 1 { 0 } else { channel }]
    }

    /// What is added to `channel`.
    pub(super) fn offset(&self, channel: usize) -> f64 {
        self.offset[if self.offset.len() == 1 { 0 } else { channel }]
    }

    /// Whether there is one pair for all channels.
    pub(super) fn is_uniform(&self) -> bool {
        self.scale.len() == 1 && self.offset.len() == 1
    }

    /// Whether nothing is multiplied.
    pub(super) fn only_adds(&self) -> bool {
        self.scale.iter().all(|&scale| scale == 1.0)
    }

    /// Whether it has a pair for each of `channels`.
    pub(super) fn fits(&self, channels: usize) -> bool {
        [&self.scale, &self.offset].iter().all(|values| values.len() == 1 || values.len() == channels)
    }
}

/// The position and values of the operand that is a constant per channel of the other one.
fn per_channel_operand(network: &Network, layer: &Layer) -> Result<Option<(usize, Vec<f64>)>> {
    for position in 0..2 {
        let Some(constant) = network.constant(&layer.inputs[position]) else { continue };
        let other = network.shape(&layer.inputs[1 - position]);
        let typed::MemoryData { w, h, d, c, .. } = typed::MemoryData::read(constant)?;
        let goes_with_channels = match ([w, h, d, c], other) {
            // A vector goes with the outermost dimension if it has its length.
            ([_, 0, 0, 0], Some(other)) => usize::try_from(w) == Ok(other.outer()),
            ([1, 1, 0, _], Some(other)) => other.rank() == 3 && usize::try_from(c) == Ok(other.c()),
            _ => false,
        };
        if goes_with_channels {
            return Ok(Some((position, in_f64(&constant.weight_f32(WeightRole::Data)?))));
        }
    }
    Ok(None)
}

fn in_f64(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| f64::from(value)).collect()
}
