//! `Pooling1D`: the largest or the mean value of windows along rows.

use ncnn_format::{Error, Result, typed};

use super::arity::only;
use super::loading::count;
use super::window::{padded, positive, same_pad, windows};
use crate::{Layer, Shape, Tensor};

pub(super) struct Pooling1d {
    mean: bool,
    form: Form,
}

enum Form {
    /// The whole row.
    Global,
    /// This many windows that share the row out.
    Adaptive(usize),
    Windows(Windows),
}

struct Windows {
    kernel: usize,
    stride: usize,
    left: usize,
    right: usize,
    mode: Mode,
    /// Padding counts as zeros.
    counts_padding: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// The last window may reach beyond the end.
    Full,
    Valid,
    SameUpper,
    SameLower,
}

/// Columns added to the left, those that are seen as padding at the end, and the windows.
struct Place {
    left: usize,
    padded: usize,
    tail: usize,
    count: usize,
}

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<Pooling1d> {
    let params = typed::Pooling1D::read(layer)?;
    let mean = match params.pooling_type {
        0 => false,
        1 => true,
        other => return Err(Error::malformed(format!("pooling_type is {other}, expected 0 or 1"))),
    };
    let form = if params.global_pooling != 0 {
        Form::Global
    } else if params.adaptive_pooling != 0 {
        Form::Adaptive(positive("out_w", params.out_w)?)
    } else {
        Form::Windows(Windows {
            kernel: positive("kernel_w", params.kernel_w)?,
            stride: positive("stride_w", params.stride_w)?,
            left: count("pad_left", params.pad_left)?,
            right: count("pad_right", params.pad_right)?,
            mode: match params.pad_mode {
                0 => Mode::Full,
                1 => Mode::Valid,
                2 => Mode::SameUpper,
                3 => Mode::SameLower,
                other => return Err(Error::malformed(format!("pad_mode is {other}, expected 0 to 3"))),
            },
            counts_padding: params.avgpool_count_include_pad != 0,
        })
    };
    Ok(Pooling1d { mean, form })
}

impl Windows {
    fn place(&self, w: usize) -> Result<Place> {
        let (left, right, tail) = match self.mode {
            Mode::Full => {
                let rest = padded(w, self.left, self.right)?.checked_sub(self.kernel).map_or(0, |room| room % self.stride);
                let tail = if rest == 0 { 0 } else { self.stride - rest };
                (self.left, padded(self.right, tail, 0)?, tail)
            }
            Mode::Valid => (self.left, self.right, 0),
            Mode::SameUpper | Mode::SameLower => {
                let pad = same_pad(w, self.kernel, self.stride);
                let less = pad / 2;
                if self.mode == Mode::SameUpper { (less, pad - less, 0) } else { (pad - less, less, 0) }
            }
        };
        let padded = padded(w, left, right)?;
        Ok(Place { left, padded, tail, count: windows("columns", padded, self.kernel, self.stride)? })
    }

    /// Where the window that starts at `start` begins and ends on the padded row. Cells
    /// that do not count are left out; ncnn takes the pads of the file for them, whatever
    /// SAME padding has added.
    fn span(&self, place: &Place, start: usize, mean: bool) -> (usize, usize) {
        let end = start.saturating_add(self.kernel);
        if !mean || self.counts_padding {
            return (start, end);
        }
        let inside = place.padded.saturating_sub(self.right).saturating_sub(place.tail);
        let start = start.max(self.left);
        (start, end.min(inside).max(start))
    }
}

impl Pooling1d {
    fn pool(&self, values: &[f32], cells: usize) -> f32 {
        if self.mean {
            values.iter().sum::<f32>() / cells as f32
        } else {
            values.iter().fold(f32::MIN, |largest, &value| if largest < value { value } else { largest })
        }
    }

    fn pool_row(&self, row: &[f32], output: &mut [f32]) -> Result<()> {
        match &self.form {
            Form::Global => output.fill(self.pool(row, row.len())),
            Form::Adaptive(parts) => {
                for (index, value) in output.iter_mut().enumerate() {
                    let part = &row[row.len() * index / parts..(row.len() * (index + 1)).div_ceil(*parts)];
                    *value = self.pool(part, part.len());
                }
            }
            Form::Windows(form) => {
                let place = form.place(row.len())?;
                for (index, value) in output.iter_mut().enumerate() {
                    let (start, end) = form.span(&place, index * form.stride, self.mean);
                    let clip = |at: usize| at.saturating_sub(place.left).min(row.len());
                    *value = self.pool(&row[clip(start)..clip(end)], end - start);
                }
            }
        }
        Ok(())
    }
}

impl Layer for Pooling1d {
    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        let input = only(inputs.iter().copied())?;
        if input.rank() > 2 {
            return Err(Error::invalid(format!("expects a matrix, the input is {input}")));
        }
        Ok(vec![match &self.form {
            Form::Global => Shape::new(&[input.h()])?,
            Form::Adaptive(parts) => Shape::new(&[input.h(), *parts])?,
            Form::Windows(form) => Shape::new(&[input.h(), form.place(input.w())?.count])?,
        }])
    }

    fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>> {
        let input = only(inputs)?;
        let mut output = Tensor::filled(only(self.output_shapes(&[input.shape()])?)?, 0.0);
        let (rows, w) = (input.shape().h(), input.shape().w());
        let width = output.shape().volume() / rows;
        for (out, row) in output.as_mut_slice().chunks_exact_mut(width).zip(input.as_slice().chunks_exact(w)) {
            self.pool_row(row, out)?;
        }
        Ok(vec![output])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pooled(mean: bool, mode: Mode, counts_padding: bool) -> Vec<f32> {
        let form = Form::Windows(Windows { kernel: 2, stride: 2, left: 1, right: 0, mode, counts_padding });
        let input = Tensor::new([1, 4], vec![1.0, 2.0, 3.0, 4.0]).unwrap();
        Pooling1d { mean, form }.run(vec![input]).unwrap()[0].as_slice().to_vec()
    }

    #[test]
    fn the_last_window_may_reach_beyond_the_end() {
        assert_eq!(pooled(false, Mode::Full, false), [1.0, 3.0, 4.0]);
        assert_eq!(pooled(false, Mode::Valid, false), [1.0, 3.0]);
    }

    #[test]
    fn padding_counts_as_zeros_or_not_at_all() {
        assert_eq!(pooled(true, Mode::Full, true), [0.5, 2.5, 2.0]);
        assert_eq!(pooled(true, Mode::Full, false), [1.0, 2.5, 4.0]);
    }
}
