//! `RotaryEmbed`: turns pairs of values by angles that depend on the position.

use ncnn_format::{Error, Result, typed};

use super::arity::exactly;
use crate::{Layer, Shape, Tensor};

pub(super) struct RotaryEmbed {
    interleaved: bool,
}

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<RotaryEmbed> {
    Ok(RotaryEmbed { interleaved: typed::RotaryEmbed::read(layer)?.interleaved != 0 })
}

impl Layer for RotaryEmbed {
    /// `[heads, positions, width]` (or one head), and cosines and sines with at least
    /// one row per position and one value per pair; what they have beyond is not read.
    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        let [input, cosines, sines] = exactly(inputs.iter().copied())?;
        if input.rank() == 4 || !input.w().is_multiple_of(2) {
            return Err(Error::invalid(format!("expects heads of an even width, the input is {input}")));
        }
        for (what, angles) in [("cosines", cosines), ("sines", sines)] {
            if angles.rank() > 2 || angles.h() < input.h() || angles.w() < input.w() / 2 {
                return Err(Error::invalid(format!("the {what} are {angles}, too few for {input}")));
            }
        }
        Ok(vec![input])
    }

    fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>> {
        self.output_shapes(&inputs.iter().map(Tensor::shape).collect::<Vec<_>>())?;
        let [mut tensor, cosines, sines] = exactly(inputs)?;
        let (positions, width) = (tensor.shape().h(), tensor.shape().w());
        let (cosine_width, sine_width) = (cosines.shape().w(), sines.shape().w());
        for (index, row) in tensor.as_mut_slice().chunks_exact_mut(width).enumerate() {
            let position = index % positions;
            let cosines = &cosines.as_slice()[position * cosine_width..];
            let sines = &sines.as_slice()[position * sine_width..];
            for (pair, (cosine, sine)) in cosines.iter().zip(sines).take(width / 2).enumerate() {
                let (a, b) = if self.interleaved { (2 * pair, 2 * pair + 1) } else { (pair, pair + width / 2) };
                let (x, y) = (row[a], row[b]);
                row[a] = x * cosine - y * sine;
                row[b] = x * sine + y * cosine;
            }
        }
        Ok(vec![tensor])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turned(interleaved: bool) -> Vec<f32> {
        let input = Tensor::new([1, 4], vec![1.0, 2.0, 3.0, 4.0]).unwrap();
        let cosines = Tensor::new([1, 2], vec![0.0, 1.0]).unwrap();
        let sines = Tensor::new([1, 2], vec![1.0, 0.0]).unwrap();
        let output = RotaryEmbed { interleaved }.run(vec![input, cosines, sines]).unwrap();
        output[0].as_slice().to_vec()
    }

    #[test]
    fn pairs_are_neighbours_or_halves_apart() {
        assert_eq!(turned(true), [-2.0, 1.0, 3.0, 4.0]);
        assert_eq!(turned(false), [-3.0, 2.0, 1.0, 4.0]);
    }
}
