//! `Padding`: rows, columns and channels around a blob.

use ncnn_format::{Error, Result, WeightRole, typed};

use super::arity::only;
use super::loading::{count, floats};
use super::pass_through::{Element, PassThrough, Passing};
use super::window::padded;
use crate::{Shape, Tensor};

pub(super) struct Padding {
    /// Before and after, in the order depth-or-channel, h, w.
    pads: [(usize, usize); 3],
    fill: Fill,
}

enum Fill {
    /// A value, or one per output channel of an image.
    Constant { value: f32, per_channel: Vec<f32> },
    /// The nearest value.
    Replicate,
    /// Mirrored at the edge, whose value is not repeated.
    Reflect,
}

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<Passing<Padding>> {
    let params = typed::Padding::read(layer)?;
    let per_channel = match count("per_channel_pad_data_size", params.per_channel_pad_data_size)? {
        0 => Vec::new(),
        len => floats(layer, WeightRole::PadValues, len)?,
    };
    let fill = match params.pad_type {
        0 => Fill::Constant { value: params.value, per_channel },
        1 => Fill::Replicate,
        2 => Fill::Reflect,
        other => return Err(Error::malformed(format!("type is {other}, expected 0, 1 or 2"))),
    };
    let pads = [
        (count("front", params.front)?, count("behind", params.behind)?),
        (count("top", params.top)?, count("bottom", params.bottom)?),
        (count("left", params.left)?, count("right", params.right)?),
    ];
    Ok(Passing(Padding { pads, fill }))
}

impl Padding {
    /// Padding before and after per axis of `shape`, outermost first. Front and behind
    /// are for the channels of 3-D, the depth of 4-D.
    fn per_axis(&self, shape: Shape) -> Vec<(usize, usize)> {
        match shape.rank() {
            1 => self.pads[2..].to_vec(),
            2 => self.pads[1..].to_vec(),
            3 => self.pads.to_vec(),
            _ => [&[(0, 0)], &self.pads[..]].concat(),
        }
    }

    /// Where along an axis of `size` the value at `index` of the padded axis comes from.
    fn source(&self, index: usize, before: usize, size: usize) -> Option<usize> {
        let inside = index.checked_sub(before).filter(|&index| index < size);
        match self.fill {
            Fill::Constant { .. } => inside,
            Fill::Replicate => Some(index.saturating_sub(before).min(size - 1)),
            Fill::Reflect => {
                Some(
                    inside.unwrap_or_else(|| {
                        if index < before { before - index } else { 2 * (size - 1) - (index - before) }
                    }),
                )
            }
        }
    }

    fn value(&self, channel: usize, rank: usize) -> f32 {
        match &self.fill {
            Fill::Constant { value, per_channel } if rank >= 3 => per_channel.get(channel).copied().unwrap_or(*value),
            Fill::Constant { value, .. } => *value,
            _ => 0.0,
        }
    }
}

impl PassThrough for Padding {
    fn shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        let input = only(inputs.iter().copied())?;
        let mut dims = Vec::with_capacity(4);
        for (&size, (before, after)) in input.dims().iter().zip(self.per_axis(input)) {
            if matches!(self.fill, Fill::Reflect) && before.max(after) >= size {
                return Err(Error::invalid(format!(
                    "cannot mirror {} values beyond the edge of {size} ({input})",
                    before.max(after)
                )));
            }
            dims.push(padded(size, before, after)?);
        }
        let output = Shape::new(&dims)?;
        if let Fill::Constant { per_channel, .. } = &self.fill
            && !per_channel.is_empty()
            && input.rank() >= 3
            && per_channel.len() != output.c()
        {
            return Err(Error::invalid(format!(
                "has values for {} channels, the output has {} ({output})",
                per_channel.len(),
                output.c()
            )));
        }
        Ok(vec![output])
    }

    fn pass<T: Element>(&self, inputs: Vec<Tensor<T>>, outputs: &[Shape]) -> Result<Vec<Tensor<T>>> {
        let input = only(inputs)?;
        let output = only(outputs.iter().copied())?;
        let from = input.shape();
        if output == from {
            return Ok(vec![input]);
        }
        let before: Vec<usize> = self.per_axis(from).into_iter().map(|(before, _)| before).collect();
        let rank = from.rank();
        let values = input.as_slice();
        // A vector is a single row.
        let rows_per_channel = (output.volume() / output.w() / output.outer()).max(1);
        let mut padded = Tensor::filled(output, T::default());
        for (row, out) in padded.as_mut_slice().chunks_exact_mut(output.w()).enumerate() {
            let constant = T::constant(self.value(row / rows_per_channel, rank));
            match self.source_row(row, output, from, &before) {
                None => out.fill(constant),
                Some(source) => {
                    let source = &values[source * from.w()..(source + 1) * from.w()];
                    let left = before[rank - 1];
                    out[left..left + source.len()].copy_from_slice(source);
                    for x in (0..left).chain(left + source.len()..out.len()) {
                        out[x] = self.source(x, left, source.len()).map_or(constant, |x| source[x]);
                    }
                }
            }
        }
        Ok(vec![padded])
    }
}

impl Padding {
    /// The row of the input that the `row`-th row of the output shows, counted over all outer axes.
    fn source_row(&self, mut row: usize, output: Shape, input: Shape, before: &[usize]) -> Option<usize> {
        let mut source = 0;
        let mut stride = 1;
        for axis in (0..input.rank() - 1).rev() {
            let size = input.dims()[axis];
            source += self.source(row % output.dims()[axis], before[axis], size)? * stride;
            row /= output.dims()[axis];
            stride *= size;
        }
        Some(source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pad(fill: Fill, pads: [(usize, usize); 3], dims: &[usize]) -> Vec<f32> {
        let input = Tensor::new(dims, (1..=dims.iter().product::<usize>()).map(|i| i as f32).collect()).unwrap();
        let padding = Padding { pads, fill };
        let shapes = padding.shapes(&[input.shape()]).unwrap();
        padding.pass(vec![input], &shapes).unwrap()[0].as_slice().to_vec()
    }

    #[test]
    fn fills_with_a_constant_the_edge_or_the_mirror_image() {
        let pads = [(0, 0), (0, 1), (2, 1)];
        let constant = Fill::Constant { value: 9.0, per_channel: vec![] };
        assert_eq!(pad(constant, pads, &[1, 2]), [9.0, 9.0, 1.0, 2.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0]);
        let twice = |row: [f32; 6]| [row, row].concat();
        assert_eq!(pad(Fill::Replicate, pads, &[1, 3]), twice([1.0, 1.0, 1.0, 2.0, 3.0, 3.0]));
        let mirrored = [(0, 0), (1, 0), (2, 1)];
        let expected = [[6.0, 5.0, 4.0, 5.0, 6.0, 5.0], [3.0, 2.0, 1.0, 2.0, 3.0, 2.0], [6.0, 5.0, 4.0, 5.0, 6.0, 5.0]];
        assert_eq!(pad(Fill::Reflect, mirrored, &[2, 3]), expected.concat());
    }

    #[test]
    fn a_vector_is_padded_at_both_ends() {
        let fill = Fill::Constant { value: 9.0, per_channel: vec![] };
        assert_eq!(pad(fill, [(0, 0), (1, 1), (1, 2)], &[2]), [9.0, 1.0, 2.0, 9.0, 9.0]);
    }

    #[test]
    fn channels_may_be_added_each_with_its_value() {
        let fill = Fill::Constant { value: 9.0, per_channel: vec![7.0, 8.0] };
        assert_eq!(pad(fill, [(1, 0), (0, 0), (0, 1)], &[1, 1, 1]), [7.0, 7.0, 1.0, 8.0]);
    }

    #[test]
    fn refuses_to_mirror_more_than_there_is() {
        let padding = Padding { pads: [(0, 0), (0, 0), (3, 0)], fill: Fill::Reflect };
        let message = padding.shapes(&[Shape::new(&[3]).unwrap()]).unwrap_err().to_string();
        assert_eq!(message, "cannot mirror 3 values beyond the edge of 3 (3)");
    }
}
