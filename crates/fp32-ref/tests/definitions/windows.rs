//! Convolutions and transposed convolutions of one, two and three dimensions.

use crate::support::{Array, Draw, Trial, float, floats, indices};

/// The sizes of a layer with a kernel; vectors have one element per spatial dimension, outermost first.
#[derive(Debug, Clone)]
struct Geometry {
    groups: usize,
    /// Channels of the input and the output per group.
    channels: usize,
    outputs: usize,
    size: Vec<usize>,
    kernel: Vec<usize>,
    stride: Vec<usize>,
    dilation: Vec<usize>,
    pads: Padding,
}

#[derive(Debug, Clone)]
enum Padding {
    Exact(Vec<[usize; 2]>),
    /// As much as gives an output per stride, the odd one after or before.
    Same {
        lower: bool,
    },
}

impl Geometry {
    fn draw(draw: &mut Draw, rank: usize, groups: usize, kernel: usize) -> Self {
        let kernel: Vec<usize> = (0..rank).map(|_| draw.size(1, kernel)).collect();
        let stride = (0..rank).map(|_| draw.size(1, 3)).collect();
        let dilation: Vec<usize> = (0..rank).map(|_| draw.size(1, 2)).collect();
        let size = (0..rank).map(|axis| dilation[axis] * (kernel[axis] - 1) + draw.size(1, 5)).collect();
        let pads = match draw.size(0, 3) {
            0 => Padding::Same { lower: draw.flag() },
            1 => Padding::Exact(vec![[0, 0]; rank]),
            _ => Padding::Exact((0..rank).map(|_| [draw.size(0, 2), draw.size(0, 2)]).collect()),
        };
        Self { groups, channels: draw.size(1, 4), outputs: draw.size(1, 4), size, kernel, stride, dilation, pads }
    }

    fn rank(&self) -> usize {
        self.size.len()
    }

    fn extent(&self, axis: usize) -> usize {
        self.dilation[axis] * (self.kernel[axis] - 1) + 1
    }

    fn weights(&self) -> usize {
        self.groups * self.outputs * self.channels * self.kernel.iter().product::<usize>()
    }

    /// Cells before and after along each axis.
    fn exact_pads(&self) -> Vec<[usize; 2]> {
        match &self.pads {
            Padding::Exact(pads) => pads.clone(),
            Padding::Same { lower } => (0..self.rank())
                .map(|axis| {
                    let covered = (self.size[axis] - 1) / self.stride[axis] * self.stride[axis] + self.extent(axis);
                    let pad = covered.saturating_sub(self.size[axis]);
                    // ncnn's depth always has the odd one behind.
                    if *lower && (self.rank(), axis) != (3, 0) {
                        [pad - pad / 2, pad / 2]
                    } else {
                        [pad / 2, pad - pad / 2]
                    }
                })
                .collect(),
        }
    }

    /// The parameters that all these layers have, with all ids written.
    fn params(&self) -> String {
        let rank = self.rank();
        // Kernel, dilation, stride, before, after; innermost first.
        let ids: [[u8; 5]; 3] = [[1, 2, 3, 4, 15], [11, 12, 13, 14, 16], [21, 22, 23, 24, 17]];
        let mut text = format!("0={} 6={}", self.groups * self.outputs, self.weights());
        if self.groups > 1 {
            text += &format!(" 7={}", self.groups);
        }
        for (axis, ids) in (0..rank).rev().zip(ids) {
            let [before, after] = match &self.pads {
                Padding::Exact(pads) => pads[axis].map(|pad| pad as i64),
                Padding::Same { lower } => [if *lower { -234 } else { -233 }; 2],
            };
            let values =
                [self.kernel[axis] as i64, self.dilation[axis] as i64, self.stride[axis] as i64, before, after];
            for (id, value) in ids.into_iter().zip(values) {
                text += &format!(" {id}={value}");
            }
        }
        text
    }

    fn input_dims(&self) -> Vec<usize> {
        [&[self.groups * self.channels], &self.size[..]].concat()
    }

    /// The weight between an output, an input of its group and a tap.
    fn weight(&self, weights: &[f64], output: usize, channel: usize, tap: &[usize]) -> f64 {
        let taps = tap.iter().zip(&self.kernel).fold(0, |place, (at, size)| place * size + at);
        weights[(output * self.channels + channel) * self.kernel.iter().product::<usize>() + taps]
    }

    /// The convolution of `input` with the weights, before bias and activation; outside is `outside`.
    fn convolved(&self, input: &Array, weights: &[f64], outside: f64) -> Array {
        let pads = self.exact_pads();
        let out =
            |axis: usize| (self.size[axis] + pads[axis][0] + pads[axis][1] - self.extent(axis)) / self.stride[axis] + 1;
        let dims: Vec<usize> = std::iter::once(self.groups * self.outputs).chain((0..self.rank()).map(out)).collect();
        let taps = indices(&self.kernel);
        Array::build(&dims, |index| {
            let first = index[0] / self.outputs * self.channels;
            let mut sum = 0.0;
            for channel in 0..self.channels {
                for tap in &taps {
                    let place = (0..self.rank()).map(|axis| {
                        (index[axis + 1] * self.stride[axis] + tap[axis] * self.dilation[axis]) as i64
                            - pads[axis][0] as i64
                    });
                    let place: Vec<i64> = std::iter::once((first + channel) as i64).chain(place).collect();
                    sum += input.get(&place).unwrap_or(outside) * self.weight(weights, index[0], channel, tap);
                }
            }
            sum
        })
    }

    /// The transposed convolution, each input spread over the taps around it, `cut` at both ends
    /// after `added` cells at the end.
    fn spread(&self, input: &Array, weights: &[f64], added: &[usize], cut: &[[usize; 2]]) -> Array {
        let full: Vec<usize> = (0..self.rank())
            .map(|axis| (self.size[axis] - 1) * self.stride[axis] + self.extent(axis) + added[axis])
            .collect();
        let mut sums = Array::build(&[&[self.groups * self.outputs], &full[..]].concat(), |_| 0.0);
        let taps = indices(&self.kernel);
        for index in indices(&input.dims) {
            let (group, channel) = (index[0] / self.channels, index[0] % self.channels);
            for output in group * self.outputs..(group + 1) * self.outputs {
                for tap in &taps {
                    let place = (0..self.rank()).fold(output, |place, axis| {
                        place * full[axis] + index[axis + 1] * self.stride[axis] + tap[axis] * self.dilation[axis]
                    });
                    sums.values[place] += input.at(&index) * self.weight(weights, output, channel, tap);
                }
            }
        }
        let dims: Vec<usize> = std::iter::once(sums.dims[0])
            .chain((0..self.rank()).map(|axis| full[axis] - cut[axis][0] - cut[axis][1]))
            .collect();
        Array::build(&dims, |index| {
            let place: Vec<usize> =
                std::iter::once(index[0]).chain((0..self.rank()).map(|axis| index[axis + 1] + cut[axis][0])).collect();
            sums.at(&place)
        })
    }
}

/// A fused activation: its parameters and its function.
pub(crate) fn activation(draw: &mut Draw) -> (String, Box<dyn Fn(f64) -> f64>) {
    let kind = draw.size(0, 6);
    let (low, high) = (draw.float(-1.0, 0.0), draw.float(0.25, 2.0));
    let (alpha, beta) = (draw.float(0.125, 0.5), draw.float(0.25, 0.75));
    let text = match kind {
        2 => floats(10, &[alpha]),
        3 => floats(10, &[low, high]),
        6 => floats(10, &[alpha, beta]),
        _ => String::new(),
    };
    let function: Box<dyn Fn(f64) -> f64> = match kind {
        0 => Box::new(|x| x),
        1 => Box::new(|x| x.max(0.0)),
        2 => Box::new(move |x| if x > 0.0 { x } else { x * alpha }),
        3 => Box::new(move |x| x.clamp(low, high)),
        4 => Box::new(|x| 1.0 / (1.0 + (-x).exp())),
        5 => Box::new(|x| x * x.exp().ln_1p().tanh()),
        _ => Box::new(move |x| x * (x * alpha + beta).clamp(0.0, 1.0)),
    };
    (format!("9={kind} {text}"), function)
}

/// Convolutions of a type with random options.
#[track_caller]
fn check_convolutions(kind: &'static str, rank: usize, grouped: bool, cases: u64) {
    for case in 0..cases {
        let mut draw = Draw::new(case + 1000 * rank as u64 + u64::from(grouped));
        let groups = if grouped { draw.size(1, 4) } else { 1 };
        let mut geometry = Geometry::draw(&mut draw, rank, groups, if rank == 3 { 3 } else { 5 });
        if grouped && draw.flag() {
            // One channel per group.
            (geometry.channels, geometry.outputs) = (1, draw.pick(&[1, 1, 2]));
        }
        let input = draw.array(&geometry.input_dims(), -1.0, 1.0);
        let weights = draw.floats(geometry.weights(), -1.0, 1.0);
        let outputs = geometry.groups * geometry.outputs;
        let bias = draw.flag().then(|| draw.floats(outputs, -1.0, 1.0));
        let outside = if draw.size(0, 3) == 0 { draw.float(-1.0, 1.0) } else { 0.0 };
        let (fused, activate) = activation(&mut draw);
        let mut params = format!("{} {fused}", geometry.params());
        if outside != 0.0 {
            params += &format!(" 18={}", float(outside));
        }
        let sums = geometry.convolved(&input, &weights, outside);
        let expected =
            Array::build(&sums.dims, |i| activate(sums.at(i) + bias.as_ref().map_or(0.0, |bias| bias[i[0]])));
        let trial = match &bias {
            Some(bias) => Trial::new(kind, params + " 5=1", &[&input]).weights(&[&weights, bias]),
            None => Trial::new(kind, params, &[&input]).weights(&[&weights]),
        };
        trial.gives(&[expected]);
    }
}

#[test]
fn convolutions_are_their_definition_in_one_dimension() {
    check_convolutions("Convolution1D", 1, false, 120);
    check_convolutions("ConvolutionDepthWise1D", 1, true, 120);
}

#[test]
fn convolutions_are_their_definition_in_two_dimensions() {
    check_convolutions("Convolution", 2, false, 160);
    check_convolutions("ConvolutionDepthWise", 2, true, 160);
}

#[test]
fn convolutions_are_their_definition_in_three_dimensions() {
    check_convolutions("Convolution3D", 3, false, 50);
    check_convolutions("ConvolutionDepthWise3D", 3, true, 50);
}

#[test]
fn convolutions_with_many_channels_are_their_definition() {
    // Numbers around the widths of vectors, panels and tiles, where Winograd's algorithm is chosen too.
    for case in 0..60 {
        let mut draw = Draw::new(5000 + case);
        let mut geometry = Geometry::draw(&mut draw, 2, 1, 3);
        geometry.channels = draw.pick(&[7, 8, 15, 16, 17, 32, 33]);
        geometry.outputs = draw.pick(&[1, 7, 8, 9, 16, 24, 31, 32, 33]);
        if draw.flag() {
            geometry.kernel = vec![3, 3];
            geometry.stride = vec![1, 1];
            geometry.dilation = vec![1, 1];
            geometry.size = vec![draw.size(3, 13), draw.size(3, 13)];
        }
        let input = draw.array(&geometry.input_dims(), -1.0, 1.0);
        let weights = draw.floats(geometry.weights(), -1.0, 1.0);
        let bias = draw.floats(geometry.outputs, -1.0, 1.0);
        let (fused, activate) = activation(&mut draw);
        let sums = geometry.convolved(&input, &weights, 0.0);
        Trial::new("Convolution", format!("{} 5=1 {fused}", geometry.params()), &[&input])
            .weights(&[&weights, &bias])
            .gives(&[Array::build(&sums.dims, |i| activate(sums.at(i) + bias[i[0]]))]);
    }
}

#[test]
fn depthwise_convolutions_with_many_channels_are_their_definition() {
    for case in 0..60 {
        let mut draw = Draw::new(6000 + case);
        let groups = draw.pick(&[7, 8, 9, 16, 17, 31, 32, 40]);
        let mut geometry = Geometry::draw(&mut draw, 2, groups, 5);
        (geometry.channels, geometry.outputs) = (1, 1);
        if draw.flag() {
            let edge = draw.pick(&[3, 5]);
            geometry.kernel = vec![edge; 2];
            geometry.stride = vec![draw.size(1, 2); 2];
            geometry.dilation = vec![1, 1];
            geometry.size = vec![draw.size(edge, 14), draw.size(edge, 14)];
        }
        let input = draw.array(&geometry.input_dims(), -1.0, 1.0);
        let weights = draw.floats(geometry.weights(), -1.0, 1.0);
        let bias = draw.floats(groups, -1.0, 1.0);
        let (fused, activate) = activation(&mut draw);
        let sums = geometry.convolved(&input, &weights, 0.0);
        Trial::new("ConvolutionDepthWise", format!("{} 5=1 {fused}", geometry.params()), &[&input])
            .weights(&[&weights, &bias])
            .gives(&[Array::build(&sums.dims, |i| activate(sums.at(i) + bias[i[0]]))]);
    }
}

#[test]
fn sizes_that_are_not_written_are_those_of_the_width() {
    let mut draw = Draw::new(7);
    let geometry = |edge: usize, stride: usize, dilation: usize, pad: usize| Geometry {
        groups: 1,
        channels: 2,
        outputs: 3,
        size: vec![9, 11],
        kernel: vec![edge; 2],
        stride: vec![stride; 2],
        dilation: vec![dilation; 2],
        pads: Padding::Exact(vec![[pad; 2]; 2]),
    };
    for (edge, stride, dilation, pad) in [(1, 1, 1, 0), (3, 2, 1, 1), (3, 1, 2, 2), (2, 3, 1, 0)] {
        let geometry = geometry(edge, stride, dilation, pad);
        let input = draw.array(&geometry.input_dims(), -1.0, 1.0);
        let weights = draw.floats(geometry.weights(), -1.0, 1.0);
        let params = format!("0=3 1={edge} 2={dilation} 3={stride} 4={pad} 6={}", weights.len());
        Trial::new("Convolution", params.clone(), &[&input])
            .weights(&[&weights])
            .gives(&[geometry.convolved(&input, &weights, 0.0)]);
        Trial::new("Deconvolution", params, &[&input]).weights(&[&weights]).gives(&[geometry.spread(
            &input,
            &weights,
            &[0, 0],
            &[[pad; 2]; 2],
        )]);
    }
}

#[test]
fn weights_that_are_inputs_give_what_stored_weights_give() {
    for case in 0..40 {
        let mut draw = Draw::new(8000 + case);
        let (kind, rank, groups) = draw.pick(&[("Convolution", 2, 1), ("ConvolutionDepthWise", 2, 3)]);
        let geometry = Geometry::draw(&mut draw, rank, groups, 3);
        let input = draw.array(&geometry.input_dims(), -1.0, 1.0);
        let outputs = geometry.groups * geometry.outputs;
        let kernel = &geometry.kernel;
        // Four dimensions for an image's kernel: outputs, channels per group, rows, columns.
        let dims = [&[outputs, geometry.channels], &kernel[..]].concat();
        let weights = draw.array(&dims, -1.0, 1.0);
        let bias = draw.array(&[outputs], -1.0, 1.0);
        let sums = geometry.convolved(&input, &weights.values, 0.0);
        let params = format!("{} 19=1", geometry.params());
        Trial::new(kind, params.clone(), &[&input, &weights]).gives(&sums);
        let moved = Array::build(&sums.dims, |i| sums.at(i) + bias.values[i[0]]);
        Trial::new(kind, params + " 5=1", &[&input, &weights, &bias]).gives(&[moved]);
    }
}

#[test]
fn transposed_convolutions_are_their_definition() {
    for case in 0..160 {
        let mut draw = Draw::new(9000 + case);
        let grouped = draw.flag();
        let groups = if grouped { draw.size(1, 4) } else { 1 };
        let mut geometry = Geometry::draw(&mut draw, 2, groups, 4);
        if grouped && draw.flag() {
            (geometry.channels, geometry.outputs) = (1, 1);
        }
        geometry.size = vec![draw.size(1, 5), draw.size(1, 5)];
        let added = [draw.size(0, 2), draw.size(0, 2)];
        let full: Vec<usize> = (0..2)
            .map(|axis| (geometry.size[axis] - 1) * geometry.stride[axis] + geometry.extent(axis) + added[axis])
            .collect();
        // Cells cut off, as numbers or as what a wanted size leaves over.
        let wanted: Vec<usize> = full.iter().map(|&size| draw.size(1, size)).collect();
        let (cut, wanted) = match draw.size(0, 2) {
            0 => (vec![[0, 0]; 2], None),
            1 => {
                let of = |axis: usize, before: usize| [before.min(full[axis] - wanted[axis]), 0];
                let cut = (0..2)
                    .map(|axis| {
                        let [before, _] = of(axis, draw.size(0, 3));
                        [before, full[axis] - wanted[axis] - before]
                    })
                    .collect();
                (cut, None)
            }
            _ => {
                let lower = draw.flag();
                let cut = (0..2)
                    .map(|axis| {
                        let cut = full[axis] - wanted[axis];
                        if lower { [cut - cut / 2, cut / 2] } else { [cut / 2, cut - cut / 2] }
                    })
                    .collect();
                (cut, Some((wanted, lower)))
            }
        };
        geometry.pads = match &wanted {
            Some((_, lower)) => Padding::Same { lower: *lower },
            None => Padding::Exact(cut.clone()),
        };
        let mut params = format!("{} 18={} 19={}", geometry.params(), added[1], added[0]);
        if let Some((wanted, _)) = &wanted {
            params += &format!(" 20={} 21={}", wanted[1], wanted[0]);
        }
        let input = draw.array(&geometry.input_dims(), -1.0, 1.0);
        let weights = draw.floats(geometry.weights(), -1.0, 1.0);
        let bias = draw.floats(geometry.groups * geometry.outputs, -1.0, 1.0);
        let (fused, activate) = activation(&mut draw);
        let sums = geometry.spread(&input, &weights, &added, &cut);
        let expected = Array::build(&sums.dims, |i| activate(sums.at(i) + bias[i[0]]));
        let kind = if grouped { "DeconvolutionDepthWise" } else { "Deconvolution" };
        Trial::new(kind, format!("{params} 5=1 {fused}"), &[&input]).weights(&[&weights, &bias]).gives(&[expected]);
    }
}

#[test]
fn a_deconvolution_of_rows_spreads_each_value_along_its_row() {
    for case in 0..40 {
        let mut draw = Draw::new(9500 + case);
        let geometry = Geometry::draw(&mut draw, 1, 1, 3);
        let input = draw.array(&geometry.input_dims(), -1.0, 1.0);
        let weights = draw.floats(geometry.weights(), -1.0, 1.0);
        let bias = draw.floats(geometry.outputs, -1.0, 1.0);
        let (fused, activate) = activation(&mut draw);
        let added = draw.pick(&[0, 1, 2]);
        let (outputs, size) = (geometry.outputs, weights.len());
        let (kernel, stride, dilation) = (geometry.kernel[0], geometry.stride[0], geometry.dilation[0]);
        let params = format!("0={outputs} 1={kernel} 2={dilation} 3={stride} 6={size} 18={added} 5=1 {fused}");
        let sums = geometry.spread(&input, &weights, &[added], &[[0, 0]]);
        let expected = Array::build(&sums.dims, |i| activate(sums.at(i) + bias[i[0]]));
        Trial::new("Deconvolution1D", params, &[&input]).weights(&[&weights, &bias]).gives(&[expected]);
    }
}

#[test]
fn kernels_larger_than_the_padded_input_are_refused() {
    let mut draw = Draw::new(10);
    let image = draw.array(&[1, 3, 4], -1.0, 1.0);
    let rows = draw.array(&[1, 4], -1.0, 1.0);
    let volume = draw.array(&[1, 3, 3, 4], -1.0, 1.0);
    let weights = draw.floats(125, -1.0, 1.0);
    Trial::new("Convolution", "0=1 1=5 6=25", &[&image]).weights(&[&weights[..25]]).refused();
    Trial::new("Convolution", "0=1 1=2 2=4 6=4", &[&image]).weights(&[&weights[..4]]).refused();
    Trial::new("Convolution1D", "0=1 1=5 6=5", &[&rows]).weights(&[&weights[..5]]).refused();
    Trial::new("Convolution3D", "0=1 1=5 6=125", &[&volume]).weights(&[&weights]).refused();
    Trial::new("ConvolutionDepthWise", "0=1 1=5 6=25 7=1", &[&image]).weights(&[&weights[..25]]).refused();
    // Two channels where the weights are for one.
    let two = draw.array(&[2, 6, 6], -1.0, 1.0);
    Trial::new("Convolution", "0=1 1=5 6=25", &[&two]).weights(&[&weights[..25]]).refused();
    Trial::new("Deconvolution", "0=1 1=5 6=25", &[&two]).weights(&[&weights[..25]]).refused();
    Trial::new("ConvolutionDepthWise", "0=3 1=1 6=3 7=3", &[&two]).weights(&[&weights[..3]]).refused();
}
