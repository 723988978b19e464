//! `Embed`: looks up a row of the weight for every integer of the input.

use ncnn_format::{Error, Result, WeightRole, typed};

use super::arity::only;
use super::loading;
use super::window::positive;
use crate::{Layer, Shape, Tensor};

/// Indices are the bits of the input's elements read as i32, as ncnn does: the caller
/// feeds integers through `f32::from_bits`. `F` writes a row of the weight, biases included.
#[derive(Debug)]
pub struct Embed<F> {
    rows: usize,
    width: usize,
    write_row: F,
}

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<Embed<impl Fn(usize, &mut [f32]) + use<>>> {
    let params = typed::Embed::read(layer)?;
    loading::refuse_int8(layer, params.int8_scale_term)?;
    Embed::new(layer, |rows, width| {
        let weights = loading::floats(layer, WeightRole::Weight, rows * width)?;
        let bias = loading::bias(layer, params.bias_term, width)?;
        Ok(move |index: usize, row: &mut [f32]| {
            for ((to, from), bias) in row.iter_mut().zip(&weights[index * width..][..width]).zip(&bias) {
                *to = from + bias;
            }
        })
    })
}

impl<F: Fn(usize, &mut [f32])> Embed<F> {
    /// The layer with the parameters of `layer`; `writer` gets the numbers of rows and columns
    /// of the weight and makes what writes a row.
    ///
    /// # Errors
    /// Those of `writer`; `Malformed` when a size is not positive or contradicts another one.
    pub fn new(layer: &ncnn_format::Layer, writer: impl FnOnce(usize, usize) -> Result<F>) -> Result<Self> {
        let params = typed::Embed::read(layer)?;
        let width = positive("num_output", params.num_output)?;
        let rows = positive("input_dim", params.input_dim)?;
        let count = positive("weight_data_size", params.weight_data_size)?;
        if rows.checked_mul(width) != Some(count) {
            return Err(Error::malformed(format!("weight_data_size is {count}, expected {rows} rows of {width}")));
        }
        Ok(Self { rows, width, write_row: writer(rows, width)? })
    }
}

impl<F: Fn(usize, &mut [f32]) + Send + Sync> Layer for Embed<F> {
    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        let input = only(inputs.iter().copied())?;
        if input.w() != input.volume() {
            return Err(Error::invalid(format!("expects a vector of indices, the input is {input}")));
        }
        Ok(vec![Shape::new(&[input.w(), self.width])?])
    }

    fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>> {
        let input = only(inputs)?;
        let mut output = Tensor::filled(only(self.output_shapes(&[input.shape()])?)?, 0.0);
        for (row, word) in output.as_mut_slice().chunks_exact_mut(self.width).zip(input.as_slice()) {
            // Negative indices are the first row, too large ones the last.
            let index = usize::try_from(word.to_bits() as i32).unwrap_or(0).min(self.rows - 1);
            (self.write_row)(index, row);
        }
        Ok(vec![output])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indices_are_integers_and_clamped() {
        let write_row = |index: usize, row: &mut [f32]| {
            row.copy_from_slice(&[1.0 + 2.0 * index as f32, 12.0 + 2.0 * index as f32]);
        };
        let layer = Embed { rows: 2, width: 2, write_row };
        let words = [1, -7, 99].map(|index: i32| f32::from_bits(index as u32));
        let output = layer.run(vec![Tensor::new([3], words.to_vec()).unwrap()]).unwrap().remove(0);
        assert_eq!(output.shape().dims(), [3, 2]);
        assert_eq!(output.as_slice(), [3.0, 14.0, 1.0, 12.0, 3.0, 14.0]);
        assert!(layer.output_shapes(&[Shape::new(&[2, 2]).unwrap()]).is_err());
    }

    #[test]
    fn an_int8_table_is_refused_by_its_type() {
        let mut layer = ncnn_format::Layer::new(ncnn_format::LayerKind::Embed, "words");
        layer.params.set(typed::Embed::INT8_SCALE_TERM, 2);
        assert_eq!(build(&layer).err().unwrap().to_string(), "int8 layers of type Embed cannot be run");
    }
}
