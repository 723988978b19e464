//! Random weights under which the blobs of a network keep a moderate size.
//!
//! Layers are filled in file order, each while the real input passes through it:
//! weights start with a spread of 1 / sqrt(fan-in), then the layer is run without its
//! activation and its weights and biases are chosen so that its output varies by 1
//! around 0, as batch normalization would have it. Without that, deep networks of
//! random weights give the same answer to every image.

use std::collections::HashMap;

use fp32_ref::{BuildOptions, Tensor, build};
use ncnn_format::{
    Activation, Encoding, Error, F32Tag, Layer, LayerKind, LinearLayer, Model, Result, Weight, WeightData, WeightRole,
    typed::InnerProduct, weight_layout,
};

/// Cells of a plane from which on its channel has a mean of its own.
const PLANE: usize = 4;

/// Gives `model`, which has no weights yet, weights drawn with `seed`, for an input like `input`.
///
/// # Errors
/// Those of preparing and running each layer.
pub(super) fn fill(model: &mut Model, input: &Tensor, seed: u64) -> Result<()> {
    let mut random = Random(seed);
    let mut blobs: HashMap<String, Tensor> = HashMap::new();
    for layer in &mut model.layers {
        let outputs = if layer.kind == LayerKind::Input {
            vec![input.clone()]
        } else {
            let value = |name: &String| {
                blobs.get(name).cloned().ok_or_else(|| Error::malformed(format!("no layer makes {name}")))
            };
            let inputs = layer.inputs.iter().map(value).collect::<Result<Vec<_>>>()?;
            draw(layer, &mut random)?;
            level(layer, &inputs, &mut random).map_err(|error| error.in_layer(&layer.name))?;
            run(layer, inputs).map_err(|error| error.in_layer(&layer.name))?
        };
        blobs.extend(layer.outputs.iter().cloned().zip(outputs));
    }
    Ok(())
}

fn run(layer: &Layer, inputs: Vec<Tensor>) -> Result<Vec<Tensor>> {
    build(layer, BuildOptions::default().with_winograd(false))?.run(inputs)
}

/// Weights of the right number and kind.
fn draw(layer: &mut Layer, random: &mut Random) -> Result<()> {
    for spec in weight_layout(layer)? {
        let values = match spec.role {
            WeightRole::Weight => matrix(spec.len, rows(layer)?, random),
            WeightRole::MatrixB => matrix(spec.len, layer.gemm()?.constant_n, random),
            WeightRole::QueryWeight | WeightRole::KeyWeight | WeightRole::ValueWeight | WeightRole::OutWeight => {
                matrix(spec.len, layer.multi_head_attention()?.embed_dim, random)
            }
            WeightRole::Slope if layer.kind == LayerKind::PReLU => random.uniform(spec.len, 0.0, 0.5),
            WeightRole::Slope | WeightRole::Variance | WeightRole::Gamma | WeightRole::Scale => {
                random.uniform(spec.len, 0.5, 1.5)
            }
            WeightRole::Data => random.normal(spec.len, 0.5),
            _ => random.normal(spec.len, 0.1),
        };
        let tag = match spec.encoding {
            Encoding::Tagged => F32Tag::Tagged,
            Encoding::Raw => F32Tag::Raw,
            Encoding::Packed => {
                return Err(Error::unsupported(format!("packed weights of {} are not made up", layer.kind)));
            }
        };
        layer.weights.push(Weight { role: spec.role, data: WeightData::F32(values, tag) });
    }
    Ok(())
}

/// Rows of the weight of `layer`.
fn rows(layer: &Layer) -> Result<i32> {
    // All types that have this role have this parameter.
    Ok(layer.params.get(InnerProduct::NUM_OUTPUT)?.unwrap_or(1))
}

/// `len` values in `rows` rows of unequal strength.
fn matrix(len: usize, rows: i32, random: &mut Random) -> Vec<f32> {
    let fan_in = len / usize::try_from(rows).unwrap_or(1).clamp(1, len.max(1));
    let mut values = random.normal(len, 1.0 / (fan_in.max(1) as f32).sqrt());
    for row in values.chunks_mut(fan_in.max(1)) {
        let strength = (0.3 * random.gauss()).exp();
        row.iter_mut().for_each(|value| *value *= strength);
    }
    values
}

fn without_activation(layer: &Layer) -> Result<Layer> {
    let mut plain = layer.clone();
    if let Some(linear) = LinearLayer::of(layer)? {
        linear.set_activation(&mut plain, Activation::None);
    }
    Ok(plain)
}

/// Scales the weights of a convolution or an inner product and moves its biases.
fn level(layer: &mut Layer, inputs: &[Tensor], random: &mut Random) -> Result<()> {
    if layer.weight(WeightRole::Weight).is_none() {
        return Ok(());
    }
    edit(layer, WeightRole::Bias, |_, bias| *bias = 0.0);
    let outputs = run(&without_activation(layer)?, inputs.to_vec());
    let Some(output) = outputs?.into_iter().next() else { return Ok(()) };
    let (means, deviation) = statistics(&output);
    let factor = if deviation > f32::MIN_POSITIVE { 1.0 / deviation } else { 1.0 };
    edit(layer, WeightRole::Weight, |_, weight| *weight *= factor);
    edit(layer, WeightRole::Bias, |channel, bias| {
        *bias = 0.1 * random.gauss() - factor * means.get(channel).copied().unwrap_or(0.0);
    });
    Ok(())
}

/// The mean of every channel of an image, none of smaller blobs, and the deviation from it.
fn statistics(output: &Tensor) -> (Vec<f32>, f32) {
    let shape = output.shape();
    let by_channel = shape.rank() == 3 && shape.h() * shape.w() >= PLANE;
    let mean = |values: &[f32]| (values.iter().map(|&x| f64::from(x)).sum::<f64>() / values.len() as f64) as f32;
    let squares = |values: &[f32], mean: f32| values.iter().map(|x| f64::from(x - mean).powi(2)).sum::<f64>();
    let (means, sum) = if by_channel {
        let means: Vec<f32> = output.channels().map(mean).collect();
        let sum: f64 = output.channels().zip(&means).map(|(values, &mean)| squares(values, mean)).sum();
        (means, sum)
    } else {
        (Vec::new(), squares(output.as_slice(), mean(output.as_slice())))
    };
    (means, (sum / shape.volume() as f64).sqrt() as f32)
}

fn edit(layer: &mut Layer, role: WeightRole, mut change: impl FnMut(usize, &mut f32)) {
    for weight in layer.weights.iter_mut().filter(|weight| weight.role == role) {
        if let WeightData::F32(values, _) = &mut weight.data {
            values.iter_mut().enumerate().for_each(|(index, value)| change(index, value));
        }
    }
}

/// Steele, Lea and Flood's SplitMix64.
struct Random(u64);

impl Random {
    /// A number above 0 and at most 1.
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64 + f64::EPSILON
    }

    /// A number of the standard normal distribution, by Box and Muller.
    fn gauss(&mut self) -> f32 {
        let (radius, turn) = ((-2.0 * self.next().min(1.0).ln()).sqrt(), self.next() * std::f64::consts::TAU);
        (radius * turn.cos()) as f32
    }

    fn normal(&mut self, len: usize, deviation: f32) -> Vec<f32> {
        (0..len).map(|_| deviation * self.gauss()).collect()
    }

    fn uniform(&mut self, len: usize, low: f32, high: f32) -> Vec<f32> {
        (0..len).map(|_| low + self.next() as f32 * (high - low)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NET: &str = "7767517\n4 4\nInput data 0 1 data\nConvolution conv 1 1 data conv 0=4 1=3 5=1 6=72 9=1\n\
                       BatchNorm bn 1 1 conv bn 0=4\nInnerProduct fc 1 1 bn fc 0=3 1=1 2=432\n";

    fn filled(seed: u64) -> Model {
        let mut model = Model::from_param_text(NET).unwrap();
        let input = Tensor::new([2, 8, 8], (0..128).map(|i| ((i * 37) % 101) as f32).collect()).unwrap();
        fill(&mut model, &input, seed).unwrap();
        model
    }

    #[test]
    fn the_same_seed_gives_the_same_bytes() {
        assert_eq!(filled(1).bin_bytes().unwrap(), filled(1).bin_bytes().unwrap());
        assert_ne!(filled(1).bin_bytes().unwrap(), filled(2).bin_bytes().unwrap());
    }

    #[test]
    fn outputs_vary_by_one_around_zero_and_the_activation_stays() {
        let model = filled(3);
        assert_eq!(model.layers[1].convolution().unwrap().activation_type, 1);
        let plain = without_activation(&model.layers[1]).unwrap();
        let input = Tensor::new([2, 8, 8], (0..128).map(|i| ((i * 37) % 101) as f32).collect()).unwrap();
        let (means, deviation) = statistics(&run(&plain, vec![input]).unwrap()[0]);
        assert!((deviation - 1.0).abs() < 1e-3, "{deviation}");
        assert!(means.iter().all(|mean| mean.abs() < 0.5), "{means:?}");
    }
}
