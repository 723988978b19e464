//! `Embed`: looks up a row of the weight for every integer of the input.

use ncnn_format::{Error, Result, WeightRole, typed};

use super::arity::only;
use super::loading;
use super::window::positive;
use crate::{Layer, Shape, Tensor};

/// Indices are the bits of the input's elements read as i32, as ncnn does: the caller
/// feeds integers through `f32::from_bits`.
pub(super) struct Embed {
    /// Row-major `[rows][width]`.
    weights: Vec<f32>,
    bias: Vec<f32>,
}

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<Embed> {
    let params = typed::Embed::read(layer)?;
    loading::refuse_int8(layer, params.int8_scale_term)?;
    let width = positive("num_output", params.num_output)?;
    let rows = positive("input_dim", params.input_dim)?;
    let count = positive("weight_data_size", params.weight_data_size)?;
    if rows.checked_mul(width) != Some(count) {
        return Err(Error::malformed(format!("weight_data_size is {count}, expected {rows} rows of {width}")));
    }
    Ok(Embed {
        weights: loading::floats(layer, WeightRole::Weight, count)?,
        bias: loading::bias(layer, params.bias_term, width)?,
    })
}

impl Layer for Embed {
    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        let input = only(inputs.iter().copied())?;
        if input.w() != input.volume() {
            return Err(Error::invalid(format!("expects a vector of indices, the input is {input}")));
        }
        Ok(vec![Shape::new(&[input.w(), self.bias.len()])?])
    }

    fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>> {
        let input = only(inputs)?;
        let mut output = Tensor::filled(only(self.output_shapes(&[input.shape()])?)?, 0.0);
        let width = self.bias.len();
        let last = self.weights.len() / width - 1;
        for (row, word) in output.as_mut_slice().chunks_exact_mut(width).zip(input.as_slice()) {
            // Negative indices are the first row, too large ones the last.
            let index = usize::try_from(word.to_bits() as i32).unwrap_or(0).min(last);
            let found = &self.weights[index * width..][..width];
            for ((to, from), bias) in row.iter_mut().zip(found).zip(&self.bias) {
                *to = from + bias;
            }
        }
        Ok(vec![output])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indices_are_integers_and_clamped() {
        let layer = Embed { weights: vec![1.0, 2.0, 3.0, 4.0], bias: vec![0.0, 10.0] };
        let words = [1, -7, 99].map(|index: i32| f32::from_bits(index as u32));
        let output = layer.run(vec![Tensor::new([3], words.to_vec()).unwrap()]).unwrap().remove(0);
        assert_eq!(output.shape().dims(), [3, 2]);
        assert_eq!(output.as_slice(), [3.0, 14.0, 1.0, 12.0, 3.0, 14.0]);
        assert!(layer.output_shapes(&[Shape::new(&[2, 2]).unwrap()]).is_err());
    }
    #[test]
    fn an_int8_table_is_refused_by_its_type() {
        let mut layer = ncnn_format::Layer::new(ncnn_format::LayerKind::Embed, "words");
        layer.params.set_int(18, 2);
        assert_eq!(build(&layer).err().unwrap().to_string(), "int8 layers of type Embed cannot be run");
    }
}
