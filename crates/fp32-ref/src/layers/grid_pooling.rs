//! The largest or the mean value of windows on rows and on volumes.

use std::ops::Range;

use ncnn_format::{Error, Result};

use super::loading::count;
use super::window::{padded, positive, same_pad, windows};
use crate::Tensor;

/// Pooling over up to three axes: depth, rows, columns.
pub(super) struct GridPooling {
    pub(super) mean: bool,
    pub(super) form: PoolForm,
}

pub(super) enum PoolForm {
    /// Everything.
    Global,
    /// These numbers of windows that share the axes out; `None` keeps an axis as it is.
    Adaptive([Option<usize>; 3]),
    Windows {
        axes: [PoolAxis; 3],
        mode: PoolMode,
        /// Padding counts as zeros in a mean.
        counts_padding: bool,
    },
}

/// Windows along one axis.
#[derive(Debug, Clone, Copy)]
pub(super) struct PoolAxis {
    kernel: usize,
    stride: usize,
    before: usize,
    after: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PoolMode {
    /// The last window may reach beyond the end.
    Full,
    Valid,
    SameUpper,
    SameLower,
}

/// A [`PoolAxis`] laid on an axis of a particular size.
struct PoolPlace {
    axis: PoolAxis,
    size: usize,
    /// Elements added before the input.
    before: usize,
    /// The padded elements that a mean counts.
    counted: Range<usize>,
    count: usize,
}

/// The windows along one axis.
enum Spans {
    /// These many, which cover all elements evenly.
    Shares {
        size: usize,
        parts: usize,
    },
    Windows(PoolPlace),
}

/// What a window covers of an axis, and how many cells a mean divides by.
type Span = (Range<usize>, usize);

impl PoolMode {
    /// From the parameter `pad_mode`.
    pub(super) fn new(pad_mode: i32) -> Result<Self> {
        Ok(match pad_mode {
            0 => Self::Full,
            1 => Self::Valid,
            2 => Self::SameUpper,
            3 => Self::SameLower,
            other => return Err(Error::malformed(format!("pad_mode is {other}, expected 0 to 3"))),
        })
    }
}

impl PoolAxis {
    /// An axis whose windows are its elements.
    pub(super) const SINGLE: Self = Self { kernel: 1, stride: 1, before: 0, after: 0 };

    /// From the parameters called `kernel_` and `stride_` plus `name`, and the pads.
    pub(super) fn new(name: &str, [kernel, stride]: [i32; 2], (before, after): (i32, i32)) -> Result<Self> {
        Ok(Self {
            kernel: positive(&format!("kernel_{name}"), kernel)?,
            stride: positive(&format!("stride_{name}"), stride)?,
            before: count(&format!("padding before {name}"), before)?,
            after: count(&format!("padding after {name}"), after)?,
        })
    }

    /// The axis laid on `size` elements. If only `inner` cells count, those that the file's
    /// pads say are padding do not, whatever SAME padding has added.
    fn place(&self, size: usize, mode: PoolMode, inner: bool) -> Result<PoolPlace> {
        let same = same_pad(size, self.kernel, self.stride);
        let rest = padded(size, self.before, self.after)?.saturating_sub(self.kernel) % self.stride;
        let tail = if mode == PoolMode::Full && rest > 0 { self.stride - rest } else { 0 };
        let (before, after) = match mode {
            PoolMode::Full | PoolMode::Valid => (self.before, padded(self.after, tail, 0)?),
            PoolMode::SameUpper => (same / 2, same - same / 2),
            PoolMode::SameLower => (same - same / 2, same / 2),
        };
        let all = padded(size, before, after)?;
        let count = windows("elements", all, self.kernel, self.stride)?;
        let counted = if inner { self.before..all.saturating_sub(self.after).saturating_sub(tail) } else { 0..all };
        Ok(PoolPlace { axis: *self, size, before, counted, count })
    }
}

impl Spans {
    fn len(&self) -> usize {
        match self {
            Self::Shares { parts, .. } => *parts,
            Self::Windows(place) => place.count,
        }
    }

    fn get(&self, index: usize) -> Span {
        match self {
            Self::Shares { size, parts } => {
                let range = size * index / parts..(size * (index + 1)).div_ceil(*parts);
                (range.clone(), range.len())
            }
            Self::Windows(place) => {
                let clip = |at: usize| at.saturating_sub(place.before).min(place.size);
                let start = index * place.axis.stride;
                let end = (start + place.axis.kernel).min(place.counted.end);
                let start = start.max(place.counted.start);
                (clip(start)..clip(end.max(start)), end.saturating_sub(start))
            }
        }
    }

    fn iter(&self) -> impl Iterator<Item = Span> {
        (0..self.len()).map(|index| self.get(index))
    }
}

impl GridPooling {
    /// `pooling_type` 0 is the largest value, 1 the mean.
    pub(super) fn new(pooling_type: i32, form: PoolForm) -> Result<Self> {
        match pooling_type {
            0 | 1 => Ok(Self { mean: pooling_type == 1, form }),
            other => Err(Error::malformed(format!("pooling_type is {other}, expected 0 or 1"))),
        }
    }

    /// The number of windows along each axis of a volume.
    pub(super) fn counts(&self, volume: [usize; 3]) -> Result<[usize; 3]> {
        Ok(self.spans(volume)?.map(|spans| spans.len()))
    }

    fn spans(&self, [d, h, w]: [usize; 3]) -> Result<[Spans; 3]> {
        let shares = |size, parts| Spans::Shares { size, parts };
        Ok(match &self.form {
            PoolForm::Global => [d, h, w].map(|size| shares(size, 1)),
            PoolForm::Adaptive([along_d, along_h, along_w]) => {
                [shares(d, along_d.unwrap_or(d)), shares(h, along_h.unwrap_or(h)), shares(w, along_w.unwrap_or(w))]
            }
            PoolForm::Windows { axes: [along_d, along_h, along_w], mode, counts_padding } => {
                let inner = self.mean && !counts_padding;
                // ncnn puts the remainder along the depth after the end in both modes.
                let depth = if *mode == PoolMode::SameLower { PoolMode::SameUpper } else { *mode };
                [
                    Spans::Windows(along_d.place(d, depth, inner)?),
                    Spans::Windows(along_h.place(h, *mode, inner)?),
                    Spans::Windows(along_w.place(w, *mode, inner)?),
                ]
            }
        })
    }

    /// Pools every channel of `input`, which has the sizes `volume`, into `output`.
    pub(super) fn run(&self, input: &Tensor, volume: [usize; 3], output: &mut [f32]) -> Result<()> {
        let [d, h, w] = volume;
        let [along_d, along_h, along_w] = self.spans(volume)?;
        let mut output = output.iter_mut();
        for channel in input.as_slice().chunks_exact(d * h * w) {
            for (z, cells_z) in along_d.iter() {
                for (y, cells_y) in along_h.iter() {
                    for (x, cells_x) in along_w.iter() {
                        let rows = z.clone().flat_map(|z| y.clone().map(move |y| (z * h + y) * w));
                        let values = rows.flat_map(|row| &channel[row..][x.clone()]);
                        let cells = [cells_z, cells_y, cells_x].map(|cells| cells as u64);
                        let cells = cells.into_iter().fold(1, u64::saturating_mul);
                        if let Some(output) = output.next() {
                            *output = self.pool(values, cells);
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn pool<'a>(&self, values: impl Iterator<Item = &'a f32>, cells: u64) -> f32 {
        if self.mean {
            values.sum::<f32>() / cells as f32
        } else {
            values.fold(f32::MIN, |largest, &value| if largest < value { value } else { largest })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pooled(mean: bool, mode: PoolMode, counts_padding: bool) -> Vec<f32> {
        let axis = PoolAxis::new("w", [2, 2], (1, 0)).unwrap();
        let axes = [PoolAxis::SINGLE, PoolAxis::SINGLE, axis];
        let pooling = GridPooling { mean, form: PoolForm::Windows { axes, mode, counts_padding } };
        let input = Tensor::new([1, 4], vec![1.0, 2.0, 3.0, 4.0]).unwrap();
        let mut output = vec![0.0; pooling.counts([1, 1, 4]).unwrap()[2]];
        pooling.run(&input, [1, 1, 4], &mut output).unwrap();
        output
    }

    #[test]
    fn the_last_window_may_reach_beyond_the_end() {
        assert_eq!(pooled(false, PoolMode::Full, false), [1.0, 3.0, 4.0]);
        assert_eq!(pooled(false, PoolMode::Valid, false), [1.0, 3.0]);
    }

    #[test]
    fn padding_counts_as_zeros_or_not_at_all() {
        assert_eq!(pooled(true, PoolMode::Full, true), [0.5, 2.5, 2.0]);
        assert_eq!(pooled(true, PoolMode::Full, false), [1.0, 2.5, 4.0]);
    }

    #[test]
    fn shares_overlap_where_they_do_not_come_out_even() {
        let spans: Vec<Span> = Spans::Shares { size: 5, parts: 2 }.iter().collect();
        assert_eq!(spans, [(0..3, 3), (2..5, 3)]);
    }
}
