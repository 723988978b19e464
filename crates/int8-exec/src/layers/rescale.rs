//! Quantize, Dequantize and Requantize: layers that change the type of a blob.
//!
//! An int32 blob is an f32 blob whose bits are the integers, as ncnn keeps both in the same memory
//! and fp32-ref's Embed reads its indices. No layer here makes one; a caller can feed one.

use fp32_ref::{Activate, Activation, Shape, Tensor};
use int8_kernels::quantize;
use ncnn_format::{Error, Layer, LayerKind, Result, WeightRole, typed};

use crate::{Options, Roundings, Value};

/// One of the three layers; scales and biases are one for all or one per slice of the outermost
/// dimension (a vector has one slice).
pub(crate) enum Rescale {
    /// f32 to int8.
    Quantize { scale: Vec<f32> },
    /// int32 to f32.
    Dequantize(Affine),
    /// int32 to int8.
    Requantize { affine: Affine, activation: Activation, scale: Vec<f32> },
}

/// `integer · scale + bias`.
pub(crate) struct Affine {
    scale: Vec<f32>,
    bias: Option<Vec<f32>>,
    /// Round once as ncnn's x86 code.
    is_fused: bool,
}

impl Rescale {
    /// # Errors
    /// `Malformed` when parameters or weights do not work, `Unsupported` for another layer or
    /// activation.
    pub(super) fn new(layer: &Layer, options: &Options) -> Result<Self> {
        let owned = |role| Ok::<_, Error>(layer.weight_f32(role)?.into_owned());
        let affine = |role, biases: i32| {
            let bias = if biases != 0 { Some(owned(WeightRole::Bias)?) } else { None };
            Ok::<_, Error>(Affine { scale: owned(role)?, bias, is_fused: options.roundings == Roundings::NcnnX86 })
        };
        Ok(match layer.kind {
            LayerKind::Quantize => Self::Quantize { scale: owned(WeightRole::Scale)? },
            LayerKind::Dequantize => {
                Self::Dequantize(affine(WeightRole::Scale, typed::Dequantize::read(layer)?.bias_data_size)?)
            }
            LayerKind::Requantize => {
                let params = typed::Requantize::read(layer)?;
                Self::Requantize {
                    affine: affine(WeightRole::InputScale, params.bias_data_size)?,
                    activation: Activation::new(params.activation_type, &params.activation_params)?,
                    scale: owned(WeightRole::OutputScale)?,
                }
            }
            _ => return Err(Error::unsupported(format!("layers of type {} do not rescale", layer.kind))),
        })
    }
}

impl Rescale {
    /// # Errors
    /// `Malformed` for another number of inputs, `Invalid` for a shape, `Unsupported` for a type that the layer
    /// cannot work on.
    pub(crate) fn run(&self, inputs: Vec<Value>) -> Result<Vec<Value>> {
        let found = inputs.len();
        let Some(input) = inputs.into_iter().next().filter(|_| found == 1) else {
            return Err(Error::malformed(format!("takes one input, found {found}")));
        };
        let input = input.into_f32()?;
        let output = match self {
            Self::Quantize { scale } => {
                let integers = by_slice(&input, [Some(scale), None, None], |x, [scale, ..]| quantize(x, scale))?;
                Value::I8 { tensor: integers, scale: common(scale) }
            }
            Self::Dequantize(affine) => {
                Value::F32(by_slice(&input, affine.slices(None), |x, given| affine.of(x, given))?)
            }
            Self::Requantize { affine, activation, scale } => {
                let integers = by_slice(&input, affine.slices(Some(scale)), |x, given| {
                    quantize(activation.apply(affine.of(x, given)), given[2])
                })?;
                Value::I8 { tensor: integers, scale: common(scale) }
            }
        };
        Ok(vec![output])
    }
}

impl Affine {
    fn slices<'a>(&'a self, last: Option<&'a Vec<f32>>) -> [Option<&'a Vec<f32>>; 3] {
        [Some(&self.scale), self.bias.as_ref(), last]
    }

    /// Of the integer in the bits of `x`; a bias that is not there is 0 and added.
    fn of(&self, x: f32, [scale, bias, _]: [f32; 3]) -> f32 {
        let integer = (x.to_bits() as i32) as f32;
        if self.is_fused { integer.mul_add(scale, bias) } else { integer * scale + bias }
    }
}

/// The scale that integers made with several stand for: that of all, or 1 where they are bare integers.
fn common(scales: &[f32]) -> f32 {
    match scales {
        [first, rest @ ..] if rest.iter().all(|other| other == first) => *first,
        _ => 1.0,
    }
}

/// Applies `change` to every value with what is `given` for its slice, 0 where nothing is.
fn by_slice<T: Copy>(
    input: &Tensor,
    given: [Option<&Vec<f32>>; 3],
    change: impl Fn(f32, [f32; 3]) -> T,
) -> Result<Tensor<T>> {
    let shape: Shape = input.shape();
    let slices = if shape.rank() > 1 { shape.dims()[0] } else { 1 };
    for values in given.into_iter().flatten().filter(|values| values.len() != 1 && shape.rank() > 1) {
        if values.len() != slices {
            return Err(Error::invalid(format!("has {} scales or biases, the input is {shape}", values.len())));
        }
    }
    let at = |values: Option<&Vec<f32>>, slice: usize| {
        values.and_then(|values| values.get(slice).or(values.first())).copied().unwrap_or(0.0)
    };
    let volume = shape.volume() / slices.max(1);
    let mut changed = Vec::with_capacity(shape.volume());
    for (slice, values) in input.as_slice().chunks(volume.max(1)).enumerate() {
        let given = given.map(|values| at(values, slice));
        changed.extend(values.iter().map(|&x| change(x, given)));
    }
    Tensor::new(shape.dims(), changed)
}

#[cfg(test)]
mod tests {
    use ncnn_format::{F32Tag, Model, Weight, WeightData};

    use super::*;

    /// What the layer in `line`, with `scales`, makes of `input`.
    fn run(line: &str, role: WeightRole, scales: &[f32], input: Tensor) -> Result<Vec<Value>> {
        let mut model = Model::from_param_text(&format!("7767517\n1 2\n{line}\n")).unwrap();
        model.layers[0].weights = vec![Weight { role, data: WeightData::F32(scales.to_vec(), F32Tag::Raw) }];
        Rescale::new(&model.layers[0], &Options::default())?.run(vec![Value::F32(input)])
    }

    #[test]
    fn rows_have_their_own_scales_and_integers_made_with_several_are_bare() {
        let input = Tensor::new([2, 2], vec![0.5, -1.0, 0.5, 100.0]).unwrap();
        let outputs = run("Quantize q 1 1 in out 0=2", WeightRole::Scale, &[1.0, 4.0], input).unwrap();
        let Value::I8 { tensor, scale } = &outputs[0] else { panic!("{outputs:?}") };
        assert_eq!((tensor.as_slice(), *scale), (&[1, -1, 2, 127][..], 1.0));
        assert_eq!(common(&[4.0, 4.0]), 4.0);
    }

    #[test]
    fn integers_are_the_bits_of_floats() {
        let input = Tensor::new([2], [-3_i32, 100].map(|integer| f32::from_bits(integer as u32)).to_vec()).unwrap();
        let outputs = run("Dequantize d 1 1 in out", WeightRole::Scale, &[0.5], input).unwrap();
        assert_eq!(outputs[0].to_f32().unwrap().as_slice(), [-1.5, 50.0]);
    }

    #[test]
    fn another_number_of_scales_than_rows_is_refused() {
        let input = Tensor::new([3, 1], vec![0.0; 3]).unwrap();
        let error = run("Quantize q 1 1 in out 0=2", WeightRole::Scale, &[1.0, 4.0], input).unwrap_err();
        assert!(error.to_string().contains("has 2 scales or biases"), "{error}");
    }
}
