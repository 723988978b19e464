//! An activation as a parameter of the layer before it.

use ncnn_format::{Layer, LayerKind, Number, ParamValue, Result, typed};

use super::linear::{ACTIVATION_PARAMS, ACTIVATION_TYPE, Ids};
use super::network::Network;

/// Fuses an activation into the convolution or inner product that makes its input.
pub(super) fn apply(network: &mut Network, index: usize) -> Result<bool> {
    let layer = &network.layers[index];
    let ([input], [_]) = (layer.inputs.as_slice(), layer.outputs.as_slice()) else { return Ok(false) };
    let (Some(activation), Some(producer)) = (Activation::of(layer)?, network.producer(input)) else {
        return Ok(false);
    };
    let input = input.clone();
    let into = &network.layers[producer];
    let Some(ids) = Ids::of(&into.kind) else { return Ok(false) };
    let name = into.name.clone();
    if !activation.is_known_to(&into.kind) {
        return Ok(network.refuse(index, format!("{} {name} cannot have it inside", into.kind)));
    }
    if let Some(obstacle) = ids.obstacle(into)? {
        return Ok(network.refuse(index, format!("{name} {obstacle}")));
    }
    if !network.is_read_once(&input) {
        return Ok(network.refuse(index, format!("others read the output of {name} too")));
    }
    network.note(index, format!("fused into {name}"));
    activation.set(&mut network.layers[producer]);
    network.absorb(index, &input);
    Ok(true)
}

/// An activation in ncnn's words.
struct Activation {
    number: i32,
    params: Vec<f32>,
}

impl Activation {
    /// The one that `layer` applies, if it can be fused.
    fn of(layer: &Layer) -> Result<Option<Self>> {
        let (number, params) = match layer.kind {
            LayerKind::ReLU => match typed::ReLU::read(layer)?.slope {
                0.0 => (1, vec![]),
                slope => (2, vec![slope]),
            },
            LayerKind::Clip => {
                let typed::Clip { min, max, .. } = typed::Clip::read(layer)?;
                (3, vec![min, max])
            }
            LayerKind::Sigmoid => (4, vec![]),
            LayerKind::Mish => (5, vec![]),
            LayerKind::HardSwish => {
                let typed::HardSwish { alpha, beta, .. } = typed::HardSwish::read(layer)?;
                (6, vec![alpha, beta])
            }
            _ => return Ok(None),
        };
        Ok(Some(Self { number, params }))
    }

    /// Whether ncnn's own tool fuses it into `kind`: what its kernels are used with.
    fn is_known_to(&self, kind: &LayerKind) -> bool {
        match kind {
            LayerKind::Convolution | LayerKind::ConvolutionDepthWise | LayerKind::InnerProduct => true,
            LayerKind::Convolution1D | LayerKind::ConvolutionDepthWise1D => self.number <= 5,
            _ => self.number <= 4,
        }
    }

    fn set(self, layer: &mut Layer) {
        layer.params.set_int(ACTIVATION_TYPE, self.number);
        if self.params.is_empty() {
            layer.params.remove(ACTIVATION_PARAMS);
        } else {
            let params = self.params.into_iter().map(Number::Float).collect();
            layer.params.set(ACTIVATION_PARAMS, ParamValue::Array(params));
        }
    }
}
