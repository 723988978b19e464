//! Pooling of one, two and three dimensions.

use crate::support::{Array, Draw, Trial, indices};

/// Ids of the parameters per axis, innermost first: kernel, stride, pad before, pad after, output size.
const IDS: [[u8; 5]; 3] = [[1, 2, 3, 14, 8], [11, 12, 13, 15, 18], [21, 22, 23, 16, 28]];

#[derive(Debug, Clone)]
struct Windows {
    size: Vec<usize>,
    kernel: Vec<usize>,
    stride: Vec<usize>,
    /// As written; how much is really added depends on the mode.
    pads: Vec<[usize; 2]>,
    /// 0 full, 1 valid, 2 SAME_UPPER, 3 SAME_LOWER.
    mode: usize,
}

impl Windows {
    fn draw(draw: &mut Draw, rank: usize) -> Self {
        let kernel: Vec<usize> = (0..rank).map(|_| draw.size(1, 4)).collect();
        let mode = draw.size(0, 3);
        let exact = mode < 2 && draw.flag();
        // A pad as wide as the kernel gives windows without a value.
        let pads = kernel
            .iter()
            .map(|&kernel| if exact { [draw.size(0, kernel - 1), draw.size(0, kernel - 1)] } else { [0, 0] })
            .collect();
        let size = kernel.iter().map(|&kernel| kernel + draw.size(0, 5)).collect();
        Self { size, kernel, stride: (0..rank).map(|_| draw.size(1, 3)).collect(), pads, mode }
    }

    fn params(&self) -> String {
        let mut text = format!("5={}", self.mode);
        for (axis, ids) in (0..self.size.len()).rev().zip(IDS) {
            let values = [self.kernel[axis], self.stride[axis], self.pads[axis][0], self.pads[axis][1]];
            for (id, value) in ids.into_iter().zip(values) {
                text += &format!(" {id}={value}");
            }
        }
        text
    }

    /// Cells before, cells after that the file asks for, and cells behind those that fill the last window.
    fn added(&self, axis: usize) -> [usize; 3] {
        let [size, kernel, stride] = [self.size[axis], self.kernel[axis], self.stride[axis]];
        let [before, after] = self.pads[axis];
        let same = ((size - 1) / stride * stride + kernel).saturating_sub(size);
        match self.mode {
            0 => [before, after, (stride - (size + before + after - kernel) % stride) % stride],
            1 => [before, after, 0],
            2 => [same / 2, same - same / 2, 0],
            // ncnn's depth always has the odd one behind.
            _ if (self.size.len(), axis) == (3, 0) => [same / 2, same - same / 2, 0],
            _ => [same - same / 2, same / 2, 0],
        }
    }

    fn outputs(&self, axis: usize) -> usize {
        (self.size[axis] + self.added(axis).iter().sum::<usize>() - self.kernel[axis]) / self.stride[axis] + 1
    }

    /// What a window holds: its values with their number of cells that an average counts.
    fn pooled(&self, input: &Array, f: impl Fn(&[f64], usize) -> f64, count_pads: bool) -> Array {
        let rank = self.size.len();
        let added: Vec<_> = (0..rank).map(|axis| self.added(axis)).collect();
        let dims: Vec<usize> = std::iter::once(input.dims[0]).chain((0..rank).map(|axis| self.outputs(axis))).collect();
        Array::build(&dims, |index| {
            let mut values = Vec::new();
            let mut cells = 0;
            for tap in indices(&self.kernel) {
                let place: Vec<i64> = (0..rank)
                    .map(|axis| (index[axis + 1] * self.stride[axis] + tap[axis]) as i64 - added[axis][0] as i64)
                    .collect();
                let full: Vec<i64> = std::iter::once(index[0] as i64).chain(place.iter().copied()).collect();
                values.extend(input.get(&full));
                // Cells that SAME adds count; those that the file names or the last window lacks do not.
                let counts =
                    self.mode >= 2 || place.iter().zip(&self.size).all(|(&at, &size)| (0..size as i64).contains(&at));
                cells += usize::from(count_pads || counts);
            }
            f(&values, cells)
        })
    }
}

const KINDS: [&str; 3] = ["Pooling1D", "Pooling", "Pooling3D"];

fn largest(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::from(f32::MIN), f64::max)
}

#[test]
fn windows_give_their_maximum_or_average_in_every_mode() {
    for rank in 1..=3 {
        for case in 0..120 {
            let mut draw = Draw::new(100 * rank as u64 + 7 * case);
            let windows = Windows::draw(&mut draw, rank);
            let channels = draw.size(1, 4);
            let input = draw.array(&[&[channels], &windows.size[..]].concat(), -3.0, 3.0);
            let params = windows.params();
            let kind = KINDS[rank - 1];
            Trial::new(kind, format!("0=0 {params}"), &[&input]).gives(&[windows.pooled(
                &input,
                |values, _| largest(values),
                false,
            )]);
            let average = |values: &[f64], cells: usize| values.iter().sum::<f64>() / cells as f64;
            Trial::new(kind, format!("0=1 {params}"), &[&input]).gives(&[windows.pooled(&input, average, false)]);
            Trial::new(kind, format!("0=1 6=1 {params}"), &[&input]).gives(&[windows.pooled(&input, average, true)]);
        }
    }
}

#[test]
fn images_of_many_channels_are_pooled_as_single_ones() {
    for case in 0..30 {
        let mut draw = Draw::new(5000 + case);
        let windows = Windows::draw(&mut draw, 2);
        let channels = draw.pick(&[7, 8, 9, 16, 31, 32, 33]);
        let input = draw.array(&[&[channels], &windows.size[..]].concat(), -3.0, 3.0);
        let params = windows.params();
        Trial::new("Pooling", format!("0=0 {params}"), &[&input]).gives(&[windows.pooled(
            &input,
            |values, _| largest(values),
            false,
        )]);
        let average = |values: &[f64], cells: usize| values.iter().sum::<f64>() / cells as f64;
        Trial::new("Pooling", format!("0=1 {params}"), &[&input]).gives(&[windows.pooled(&input, average, false)]);
    }
}

#[test]
fn global_pooling_leaves_a_value_per_channel() {
    let mut draw = Draw::new(2);
    for rank in 1..=3 {
        for _ in 0..8 {
            let dims = draw.dims(rank + 1, 6);
            let input = draw.array(&dims, -3.0, 3.0);
            let per_channel = |f: &dyn Fn(&[f64]) -> f64| {
                Array::row(&input.values.chunks_exact(input.values.len() / dims[0]).map(f).collect::<Vec<_>>())
            };
            Trial::new(KINDS[rank - 1], "0=0 4=1", &[&input]).gives(&[per_channel(&largest)]);
            Trial::new(KINDS[rank - 1], "0=1 4=1", &[&input])
                .gives(&[per_channel(&|values| values.iter().sum::<f64>() / values.len() as f64)]);
        }
    }
}

#[test]
fn adaptive_pooling_shares_the_input_among_its_outputs() {
    let mut draw = Draw::new(3);
    for rank in 1..=3 {
        for _ in 0..40 {
            let dims = draw.dims(rank + 1, 8);
            let input = draw.array(&dims, -3.0, 3.0);
            let wanted: Vec<usize> = (0..rank).map(|_| draw.size(1, 9)).collect();
            // Kept sizes may be written as such, except for rows.
            let kept: Vec<bool> = (0..rank).map(|_| rank > 1 && draw.size(0, 4) == 0).collect();
            let sizes: Vec<usize> =
                (0..rank).map(|axis| if kept[axis] { dims[axis + 1] } else { wanted[axis] }).collect();
            let mut params = String::from("7=1");
            for (axis, ids) in (0..rank).rev().zip(IDS) {
                let written = if kept[axis] { -233 } else { wanted[axis] as i64 };
                params += &format!(" {}={written}", ids[4]);
            }
            let pooled = |f: &dyn Fn(&[f64]) -> f64| {
                Array::build(&[&[dims[0]], &sizes[..]].concat(), |index| {
                    let part = |axis: usize| {
                        let (at, count, size) = (index[axis + 1], sizes[axis], dims[axis + 1]);
                        at * size / count..((at + 1) * size).div_ceil(count)
                    };
                    let ranges: Vec<std::ops::Range<usize>> = (0..rank).map(part).collect();
                    let values: Vec<f64> =
                        indices(&ranges.iter().map(std::iter::ExactSizeIterator::len).collect::<Vec<_>>())
                            .iter()
                            .map(|inner| {
                                let place = inner.iter().zip(&ranges).map(|(at, range)| range.start + at);
                                input.at(&std::iter::once(index[0]).chain(place).collect::<Vec<_>>())
                            })
                            .collect();
                    f(&values)
                })
            };
            let kind = KINDS[rank - 1];
            Trial::new(kind, format!("0=0 {params}"), &[&input]).gives(&[pooled(&largest)]);
            Trial::new(kind, format!("0=1 {params}"), &[&input])
                .gives(&[pooled(&|values| values.iter().sum::<f64>() / values.len() as f64)]);
        }
    }
}

#[test]
fn a_window_that_does_not_fit_is_refused() {
    let image = Array::new(&[1, 3, 3], vec![1.0; 9]);
    for params in ["1=4 5=1", "1=0", "1=2 2=0", "0=2 1=1", "1=2 5=4", "1=2 2=-1", "7=1 8=0"] {
        Trial::new("Pooling", params, &[&image]).refused();
    }
}
