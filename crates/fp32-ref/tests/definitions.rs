//! Layers against plain loops written from their definitions.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use fp32_ref::{BuildOptions, Layer, Tensor, build};
use ncnn_format::Model;

/// The layer of a line; weight `role` number `index` is `weight(index)`.
fn layer(line: &str) -> Box<dyn Layer> {
    let mut layer = Model::from_param_text(&format!("7767517\n1 9\n{line}\n")).unwrap().layers.remove(0);
    layer.fill_weights(|_, index| weight(index)).unwrap();
    build(&layer, BuildOptions::default()).unwrap_or_else(|error| panic!("{line}: {error}"))
}

/// Small eighths: products and short sums of them are exact.
fn weight(index: usize) -> f32 {
    ((index * 7 % 13) as f32 - 6.0) * 0.125
}

fn numbered(dims: &[usize]) -> Tensor {
    let values = (0..dims.iter().product::<usize>()).map(|index| (index * 5 % 17) as f32 - 8.0).collect();
    Tensor::new(dims, values).unwrap()
}

fn run(line: &str, inputs: Vec<Tensor>) -> Tensor {
    layer(line).run(inputs).unwrap_or_else(|error| panic!("{line}: {error}")).remove(0)
}

#[track_caller]
fn assert_close(found: &Tensor, dims: &[usize], expected: &[f32], what: &str) {
    assert_eq!(found.shape().dims(), dims, "{what}");
    for (index, (found, expected)) in found.as_slice().iter().zip(expected).enumerate() {
        let difference = (found - expected).abs();
        assert!(difference <= 2e-6 * expected.abs().max(1.0), "{what}: value {index} is {found}, expected {expected}");
    }
}

/// The values of `function` at every index of `dims`, row-major.
fn grid(dims: &[usize], function: impl Fn(&[usize]) -> f32) -> Vec<f32> {
    let mut values = Vec::new();
    for position in 0..dims.iter().product() {
        let (mut rest, mut index) = (position, vec![0; dims.len()]);
        for axis in (0..dims.len()).rev() {
            index[axis] = rest % dims[axis];
            rest /= dims[axis];
        }
        values.push(function(&index));
    }
    values
}

/// The value at `index`, or `outside` if one is below 0 or too large.
fn at(tensor: &Tensor, index: &[i64], outside: f32) -> f32 {
    let index: Option<Vec<usize>> = index
        .iter()
        .zip(tensor.shape().dims())
        .map(|(&i, &size)| usize::try_from(i).ok().filter(|&i| i < size))
        .collect();
    index.map_or(outside, |index| tensor.view()[&index[..]])
}

#[test]
fn convolutions_of_rows() {
    for (kernel, stride, dilation, pad, pad_value) in
        [(1, 1, 1, 0, 0.0), (3, 1, 1, 1, 0.0), (3, 2, 1, 0, 0.0), (2, 1, 3, 2, 0.5), (4, 3, 2, 3, -1.0)]
    {
        let (channels, outputs, width) = (3, 2, 11);
        let weights = outputs * channels * kernel;
        let line = format!(
            "Convolution1D l 1 1 a y 0={outputs} 1={kernel} 2={dilation} 3={stride} 4={pad} 5=1 6={weights} 18={pad_value:?}"
        );
        let input = numbered(&[channels, width]);
        let out_w = (width + 2 * pad - dilation * (kernel - 1) - 1) / stride + 1;
        let expected = grid(&[outputs, out_w], |index| {
            let mut sum = weight(index[0]);
            for (c, k) in (0..channels).flat_map(|c| (0..kernel).map(move |k| (c, k))) {
                let x = (index[1] * stride + k * dilation) as i64 - pad as i64;
                sum += weight((index[0] * channels + c) * kernel + k) * at(&input, &[c as i64, x], pad_value);
            }
            sum
        });
        assert_close(&run(&line, vec![input]), &[outputs, out_w], &expected, &line);
    }
}

#[test]
fn convolutions_of_rows_by_groups() {
    for (group, channels, outputs) in [(3, 3, 3), (2, 4, 6), (3, 3, 6)] {
        let (kernel, width) = (3, 8);
        let each = channels / group;
        let weights = outputs * each * kernel;
        let line = format!("ConvolutionDepthWise1D l 1 1 a y 0={outputs} 1={kernel} 4=1 5=1 6={weights} 7={group}");
        let input = numbered(&[channels, width]);
        let expected = grid(&[outputs, width], |index| {
            let first = index[0] / (outputs / group) * each;
            let taps = (0..each).flat_map(|c| (0..kernel).map(move |k| (c, k)));
            taps.fold(weight(index[0]), |sum, (c, k)| {
                let x = (index[1] + k) as i64 - 1;
                sum + weight((index[0] * each + c) * kernel + k) * at(&input, &[(first + c) as i64, x], 0.0)
            })
        });
        assert_close(&run(&line, vec![input]), &[outputs, width], &expected, &line);
    }
}

#[test]
fn convolutions_of_volumes() {
    for (kernel, stride, pad) in [(1, 1, 0), (2, 1, 0), (3, 1, 1), (2, 2, 1)] {
        let (channels, outputs, size) = (2, 3, [4, 5, 6]);
        let weights = outputs * channels * kernel * kernel * kernel;
        let line = format!("Convolution3D l 1 1 a y 0={outputs} 1={kernel} 3={stride} 4={pad} 5=1 6={weights}");
        let input = numbered(&[channels, size[0], size[1], size[2]]);
        let [d, h, w] = size.map(|size| (size + 2 * pad - kernel) / stride + 1);
        let expected = grid(&[outputs, d, h, w], |index| {
            let mut sum = weight(index[0]);
            let mut tap = index[0] * channels * kernel * kernel * kernel;
            for (c, kd, kh, kw) in (0..channels).flat_map(|c| {
                (0..kernel).flat_map(move |d| (0..kernel).flat_map(move |h| (0..kernel).map(move |w| (c, d, h, w))))
            }) {
                let place = |axis: usize, k: usize| (index[axis] * stride + k) as i64 - pad as i64;
                sum += weight(tap) * at(&input, &[c as i64, place(1, kd), place(2, kh), place(3, kw)], 0.0);
                tap += 1;
            }
            sum
        });
        assert_close(&run(&line, vec![input]), &[outputs, d, h, w], &expected, &line);
    }
}

#[test]
fn deconvolutions_scatter_what_convolutions_gather() {
    for (kernel, stride, dilation, pad) in [(1, 1, 1, 0), (2, 2, 1, 0), (3, 1, 1, 1), (3, 2, 1, 1), (2, 1, 2, 0)] {
        let (channels, outputs, h, w) = (2, 3, 4, 5);
        let weights = outputs * channels * kernel * kernel;
        let line = format!(
            "Deconvolution l 1 1 a y 0={outputs} 1={kernel} 2={dilation} 3={stride} 4={pad} 5=1 6={weights}"
        );
        let input = numbered(&[channels, h, w]);
        let size = |size: usize| (size - 1) * stride + dilation * (kernel - 1) + 1;
        let (full_h, full_w) = (size(h), size(w));
        let mut full = vec![0.0; outputs * full_h * full_w];
        for (o, c, y, x) in (0..outputs)
            .flat_map(|o| (0..channels).flat_map(move |c| (0..h).flat_map(move |y| (0..w).map(move |x| (o, c, y, x)))))
        {
            for (ky, kx) in (0..kernel).flat_map(|ky| (0..kernel).map(move |kx| (ky, kx))) {
                let place = (o * full_h + y * stride + ky * dilation) * full_w + x * stride + kx * dilation;
                let tap = ((o * channels + c) * kernel + ky) * kernel + kx;
                full[place] += weight(tap) * input.view()[[c, y, x]];
            }
        }
        let (out_h, out_w) = (full_h - 2 * pad, full_w - 2 * pad);
        let expected = grid(&[outputs, out_h, out_w], |index| {
            full[(index[0] * full_h + index[1] + pad) * full_w + index[2] + pad] + weight(index[0])
        });
        assert_close(&run(&line, vec![input]), &[outputs, out_h, out_w], &expected, &line);
    }
}

#[test]
fn inner_products_of_everything_and_of_rows() {
    for (bias, activation) in [(0, 0), (1, 0), (1, 1)] {
        let line = format!("InnerProduct l 1 1 a y 0=4 1={bias} 2=24 9={activation}");
        let row = |values: &[f32]| -> Vec<f32> {
            let sum = |output: usize| {
                let start = if bias != 0 { weight(output) } else { 0.0 };
                let sum = values.iter().enumerate().fold(start, |sum, (i, x)| sum + weight(output * 6 + i) * x);
                if activation == 1 { sum.max(0.0) } else { sum }
            };
            (0..4).map(sum).collect()
        };
        for dims in [&[6][..], &[1, 2, 3], &[3, 2]] {
            let input = numbered(dims);
            assert_close(&run(&line, vec![input.clone()]), &[4], &row(input.as_slice()), &line);
        }
        let input = numbered(&[5, 6]);
        let expected: Vec<f32> = input.as_slice().chunks_exact(6).flat_map(row).collect();
        assert_close(&run(&line, vec![input]), &[5, 4], &expected, &line);
    }
}

#[test]
fn matrix_products_with_either_factor_turned() {
    let (m, n, k) = (3, 4, 5);
    for (turn_a, turn_b) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        let a = numbered(&if turn_a == 1 { [k, m] } else { [m, k] });
        let b = numbered(&if turn_b == 1 { [n, k] } else { [k, n] });
        let line = format!("Gemm l 2 1 a b y 0=2.0 2={turn_a} 3={turn_b}");
        let expected = grid(&[m, n], |index| {
            let a = |depth: usize| if turn_a == 1 { a.view()[[depth, index[0]]] } else { a.view()[[index[0], depth]] };
            let b = |depth: usize| if turn_b == 1 { b.view()[[index[1], depth]] } else { b.view()[[depth, index[1]]] };
            2.0 * (0..k).map(|depth| a(depth) * b(depth)).sum::<f32>()
        });
        assert_close(&run(&line, vec![a, b]), &[m, n], &expected, &line);
    }
}

#[test]
fn products_of_stacks_of_matrices() {
    let (a, b) = (numbered(&[2, 3, 4]), numbered(&[2, 4, 5]));
    let expected =
        grid(&[2, 3, 5], |i| (0..4).map(|k| a.view()[[i[0], i[1], k]] * b.view()[[i[0], k, i[2]]]).sum::<f32>());
    assert_close(&run("MatMul l 2 1 a b y", vec![a.clone(), b]), &[2, 3, 5], &expected, "plain");
    let turned = numbered(&[2, 5, 4]);
    let expected =
        grid(&[2, 3, 5], |i| (0..4).map(|k| a.view()[[i[0], i[1], k]] * turned.view()[[i[0], i[2], k]]).sum::<f32>());
    assert_close(&run("MatMul l 2 1 a b y 0=1", vec![a, turned]), &[2, 3, 5], &expected, "turned");
}

#[test]
fn operations_of_two_numbers() {
    type Operation = fn(f32, f32) -> f32;
    let operations: [(i32, Operation); 8] = [
        (0, |a, b| a + b),
        (1, |a, b| a - b),
        (2, |a, b| a * b),
        (3, |a, b| a / b),
        (4, f32::max),
        (5, f32::min),
        (7, |a, b| b - a),
        (8, |a, b| b / a),
    ];
    let a = Tensor::new([2, 3], vec![1.0, -2.0, 0.5, 4.0, 3.0, -1.0]).unwrap();
    let b = Tensor::new([2, 3], vec![2.0, 0.25, -1.0, 8.0, -3.0, 5.0]).unwrap();
    for (op_type, operation) in operations {
        let pairs = |values: &[f32]| a.as_slice().iter().zip(values).map(|(&a, &b)| operation(a, b)).collect::<Vec<_>>();
        let line = format!("BinaryOp l 2 1 a b y 0={op_type}");
        let found = run(&line, vec![a.clone(), b.clone()]);
        assert_close(&found, &[2, 3], &pairs(b.as_slice()), &line);
        let line = format!("BinaryOp l 1 1 a y 0={op_type} 1=1 2=1.5");
        assert_close(&run(&line, vec![a.clone()]), &[2, 3], &pairs(&[1.5; 6]), &line);
        let row = Tensor::new([3], vec![2.0, -4.0, 0.5]).unwrap();
        let found = run(&format!("BinaryOp l 2 1 a b y 0={op_type}"), vec![a.clone(), row]);
        // A vector beside a matrix of as many columns counts along the row.
        assert_close(&found, &[2, 3], &pairs(&[2.0, -4.0, 0.5, 2.0, -4.0, 0.5]), &format!("{op_type} by rows"));
    }
}

#[test]
fn operations_of_one_number() {
    type Operation = fn(f32) -> f32;
    let operations: [(i32, Operation); 15] = [
        (0, f32::abs),
        (1, |x| -x),
        (2, f32::floor),
        (3, f32::ceil),
        (4, |x| x * x),
        (7, f32::exp),
        (9, f32::sin),
        (10, f32::cos),
        (11, f32::tan),
        (14, f32::atan),
        (15, |x| 1.0 / x),
        (16, f32::tanh),
        (18, f32::round_ties_even),
        (19, f32::trunc),
        (1, |x| 0.0 - x),
    ];
    let values = [0.3, -1.7, 2.5, -0.5, 1.5, 7.25];
    for (op_type, operation) in operations {
        let line = format!("UnaryOp l 1 1 a y 0={op_type}");
        let expected: Vec<f32> = values.iter().map(|&x| operation(x)).collect();
        assert_close(&run(&line, vec![Tensor::new([6], values.to_vec()).unwrap()]), &[6], &expected, &line);
    }
    let positive = [0.25, 1.0, 9.0, 0.01];
    for (op_type, operation) in [(5, f32::sqrt as Operation), (6, |x| 1.0 / x.sqrt()), (8, f32::ln), (17, f32::log10)] {
        let line = format!("UnaryOp l 1 1 a y 0={op_type}");
        let expected: Vec<f32> = positive.iter().map(|&x| operation(x)).collect();
        assert_close(&run(&line, vec![Tensor::new([4], positive.to_vec()).unwrap()]), &[4], &expected, &line);
    }
}

#[test]
fn reductions_of_every_kind_and_axis() {
    type Reduction = fn(&[f32]) -> f32;
    let reductions: [(i32, Reduction); 9] = [
        (0, |values| values.iter().sum()),
        (1, |values| values.iter().map(|x| x.abs()).sum()),
        (2, |values| values.iter().map(|x| x * x).sum()),
        (3, |values| values.iter().sum::<f32>() / values.len() as f32),
        (4, |values| values.iter().copied().fold(f32::MIN, f32::max)),
        (5, |values| values.iter().copied().fold(f32::MAX, f32::min)),
        (6, |values| values.iter().product()),
        (7, |values| values.iter().map(|x| x.abs()).sum()),
        (8, |values| values.iter().map(|x| x * x).sum::<f32>().sqrt()),
    ];
    let input = Tensor::new([2, 3, 2], (0..12).map(|i| [1.5, -2.0, 0.5, 1.0][i % 4]).collect()).unwrap();
    for (operation, reduce) in reductions {
        let all = run(&format!("Reduction l 1 1 a y 0={operation} 1=1"), vec![input.clone()]);
        let expected = if operation == 7 { continue } else { reduce(input.as_slice()) };
        assert_close(&all, &[1], &[expected], &format!("{operation} of all"));
        for axis in 0..3 {
            let mut dims = [2, 3, 2];
            let size = std::mem::replace(&mut dims[axis], 1);
            let expected = grid(&dims, |index| {
                let mut at = [index[0], index[1], index[2]];
                let line: Vec<f32> = (0..size)
                    .map(|place| {
                        at[axis] = place;
                        input.view()[&at[..]]
                    })
                    .collect();
                reduce(&line)
            });
            let line = format!("Reduction l 1 1 a y 0={operation} 1=0 -23303=1,{axis} 4=1 5=1");
            assert_close(&run(&line, vec![input.clone()]), &dims, &expected, &line);
        }
    }
}

#[test]
fn softmax_is_a_distribution_that_shifts_do_not_change() {
    let input = numbered(&[3, 4, 5]);
    for axis in 0..3 {
        let line = format!("Softmax l 1 1 a y 0={axis} 1=1");
        let found = run(&line, vec![input.clone()]);
        let expected = grid(&[3, 4, 5], |index| {
            let mut at = [index[0], index[1], index[2]];
            let own = f64::from(input.view()[&at[..]]);
            let total: f64 = (0..[3, 4, 5][axis])
                .map(|place| {
                    at[axis] = place;
                    (f64::from(input.view()[&at[..]]) - own).exp()
                })
                .sum();
            (1.0 / total) as f32
        });
        assert_close(&found, &[3, 4, 5], &expected, &line);
        let shifted = run(&line, vec![input.clone().map(|x| x + 64.0)]);
        assert_close(&shifted, &[3, 4, 5], found.as_slice(), "shifted");
    }
}

#[test]
fn normalizations_leave_no_mean_and_a_variance_of_one() {
    for (line, group) in [
        ("LayerNorm l 1 1 a y 0=20 1=0.0 2=0", 20),
        ("LayerNorm l 1 1 a y 0=5 1=0.0 2=0", 5),
        ("GroupNorm l 1 1 a y 0=2 1=4 2=0.0 3=0", 40),
        ("InstanceNorm l 1 1 a y 0=0 1=0.0 2=0", 20),
        ("MVN l 1 1 a y 0=1 2=0.0", 20),
        ("MVN l 1 1 a y 0=1 1=1 2=0.0", 80),
    ] {
        let found = run(line, vec![numbered(&[4, 4, 5])]);
        for values in found.as_slice().chunks_exact(group) {
            let mean = values.iter().sum::<f32>() / group as f32;
            let variance = values.iter().map(|x| (x - mean) * (x - mean)).sum::<f32>() / group as f32;
            assert!(mean.abs() < 1e-5 && (variance - 1.0).abs() < 1e-4, "{line}: mean {mean}, variance {variance}");
        }
    }
    let found = run("RMSNorm l 1 1 a y 0=5 1=0.0 2=0", vec![numbered(&[4, 5])]);
    for values in found.as_slice().chunks_exact(5) {
        let square = values.iter().map(|x| x * x).sum::<f32>() / 5.0;
        assert!((square - 1.0).abs() < 1e-5, "{square}");
    }
}

#[test]
fn average_windows_may_or_may_not_count_padding() {
    let ones = Tensor::filled(fp32_ref::Shape::new(&[1, 4, 4]).unwrap(), 1.0);
    for (include, corner, edge) in [(0, 1.0, 1.0), (1, 4.0 / 9.0, 6.0 / 9.0)] {
        let line = format!("Pooling l 1 1 a y 0=1 1=3 2=1 3=1 5=1 6={include}");
        let expected = grid(&[1, 4, 4], |i| match [i[1], i[2]].iter().filter(|&&place| place == 0 || place == 3).count() {
            0 => 1.0,
            1 => edge,
            _ => corner,
        });
        assert_close(&run(&line, vec![ones.clone()]), &[1, 4, 4], &expected, &line);
    }
}

#[test]
fn windows_of_a_pooling_by_definition() {
    for (kernel, stride, pad) in [(1, 1, 0), (2, 2, 0), (3, 1, 1), (3, 2, 1), (2, 1, 1)] {
        let input = numbered(&[2, 6, 7]);
        let size = |size: usize| (size + 2 * pad - kernel) / stride + 1;
        let dims = [2, size(6), size(7)];
        let window = |index: &[usize]| -> Vec<f32> {
            let taps = (0..kernel).flat_map(|y| (0..kernel).map(move |x| (y, x)));
            let place = |tap: usize, index: usize| (index * stride + tap) as i64 - pad as i64;
            let value = |(y, x)| at(&input, &[index[0] as i64, place(y, index[1]), place(x, index[2])], f32::NAN);
            taps.map(value).filter(|x| !x.is_nan()).collect()
        };
        let line = |kind: i32| format!("Pooling l 1 1 a y 0={kind} 1={kernel} 2={stride} 3={pad} 5=1");
        let largest = grid(&dims, |index| window(index).into_iter().fold(f32::MIN, f32::max));
        assert_close(&run(&line(0), vec![input.clone()]), &dims, &largest, &line(0));
        let mean = grid(&dims, |index| window(index).iter().sum::<f32>() / window(index).len() as f32);
        assert_close(&run(&line(1), vec![input.clone()]), &dims, &mean, &line(1));
    }
}

#[test]
fn padding_of_every_kind() {
    let input = numbered(&[2, 3, 4]);
    let (top, bottom, left, right) = (2, 1, 1, 2);
    for (kind, place) in [
        (0, None),
        (1, Some((|i: i64, size: i64| i.clamp(0, size - 1)) as fn(i64, i64) -> i64)),
        (2, Some(|i: i64, size: i64| if i < 0 { -i } else if i >= size { 2 * size - 2 - i } else { i })),
    ] {
        let line = format!("Padding l 1 1 a y 0={top} 1={bottom} 2={left} 3={right} 4={kind} 5=0.75");
        let dims = [2, 3 + top + bottom, 4 + left + right];
        let expected = grid(&dims, |index| {
            let (y, x) = (index[1] as i64 - top as i64, index[2] as i64 - left as i64);
            match place {
                Some(place) => at(&input, &[index[0] as i64, place(y, 3), place(x, 4)], f32::NAN),
                None => at(&input, &[index[0] as i64, y, x], 0.75),
            }
        });
        assert_close(&run(&line, vec![input.clone()]), &dims, &expected, &line);
    }
}

#[test]
fn resizing_to_the_same_size_changes_nothing() {
    let input = numbered(&[2, 5, 6]);
    for kind in 1..=3 {
        let found = run(&format!("Interp l 1 1 a y 0={kind} 3=5 4=6"), vec![input.clone()]);
        assert_close(&found, &[2, 5, 6], input.as_slice(), &format!("kind {kind}"));
    }
}

#[test]
fn nearest_neighbours_are_repeated() {
    let input = numbered(&[2, 3, 4]);
    let expected = grid(&[2, 6, 12], |i| input.view()[[i[0], i[1] / 2, i[2] / 3]]);
    assert_close(&run("Interp l 1 1 a y 0=1 1=2.0 2=3.0", vec![input]), &[2, 6, 12], &expected, "2 x 3");
}

#[test]
fn linear_resizing_keeps_ramps() {
    // A ramp between the outermost centres stays one; aligned corners keep all of it.
    let ramp = Tensor::new([1, 1, 4], vec![0.0, 3.0, 6.0, 9.0]).unwrap();
    let corners = run("Interp l 1 1 a y 0=2 3=1 4=7 6=1", vec![ramp.clone()]);
    assert_close(&corners, &[1, 1, 7], &[0.0, 1.5, 3.0, 4.5, 6.0, 7.5, 9.0], "aligned corners");
    let halves = run("Interp l 1 1 a y 0=2 3=1 4=8", vec![ramp]);
    assert_close(&halves, &[1, 1, 8], &[0.0, 0.75, 2.25, 3.75, 5.25, 6.75, 8.25, 9.0], "half pixels");
}

#[test]
fn shuffles_of_channels_and_pixels_have_inverses() {
    let input = numbered(&[12, 4, 6]);
    for group in [2, 3, 4, 6] {
        let forth = run(&format!("ShuffleChannel l 1 1 a y 0={group}"), vec![input.clone()]);
        let back = run(&format!("ShuffleChannel l 1 1 a y 0={group} 1=1"), vec![forth]);
        assert_eq!(back, input, "{group} groups");
    }
    let apart = run("Reorg l 1 1 a y 0=2", vec![input.clone()]);
    assert_eq!(apart.shape().dims(), [48, 2, 3]);
    assert_eq!(run("PixelShuffle l 1 1 a y 0=2", vec![apart]), input);
    let expected = grid(&[12, 4, 6], |i| input.view()[[i[0] % 3 * 4 + i[0] / 3, i[1], i[2]]]);
    assert_close(&run("ShuffleChannel l 1 1 a y 0=3", vec![input]), &[12, 4, 6], &expected, "by definition");
}

#[test]
fn sums_along_an_axis() {
    let input = numbered(&[2, 3, 4]);
    for axis in 0..3 {
        let expected = grid(&[2, 3, 4], |index| {
            let mut at = [index[0], index[1], index[2]];
            (0..=index[axis])
                .map(|place| {
                    at[axis] = place;
                    input.view()[&at[..]]
                })
                .sum()
        });
        let line = format!("CumulativeSum l 1 1 a y 0={axis}");
        assert_close(&run(&line, vec![input.clone()]), &[2, 3, 4], &expected, &line);
    }
}

#[test]
fn tiles_and_crops_by_definition() {
    let input = numbered(&[2, 3, 4]);
    for (axis, dims) in [(0, [6, 3, 4]), (1, [2, 9, 4]), (2, [2, 3, 12])] {
        let expected = grid(&dims, |i| input.view()[[i[0] % 2, i[1] % 3, i[2] % 4]]);
        assert_close(&run(&format!("Tile l 1 1 a y 0={axis} 1=3"), vec![input.clone()]), &dims, &expected, "tiles");
    }
    let expected = grid(&[1, 2, 2], |i| input.view()[[i[0] + 1, i[1] + 1, i[2] + 2]]);
    assert_close(&run("Crop l 1 1 a y 0=2 1=1 2=1 3=2 4=2 5=1", vec![input]), &[1, 2, 2], &expected, "crop");
}

#[test]
fn permutations_by_definition() {
    let input = numbered(&[2, 3, 4]);
    // Where the axes (w, h, c) of the output come from, as ncnn numbers the orders.
    for (order, axes) in [(0, [2, 1, 0]), (1, [1, 2, 0]), (2, [2, 0, 1]), (3, [0, 2, 1]), (4, [1, 0, 2]), (5, [0, 1, 2])] {
        let size = |axis: usize| [2, 3, 4][axis];
        let dims = [size(axes[2]), size(axes[1]), size(axes[0])];
        let expected = grid(&dims, |index| {
            let mut at = [0; 3];
            (at[axes[2]], at[axes[1]], at[axes[0]]) = (index[0], index[1], index[2]);
            input.view()[&at[..]]
        });
        let line = format!("Permute l 1 1 a y 0={order}");
        assert_close(&run(&line, vec![input.clone()]), &dims, &expected, &line);
    }
}

#[test]
fn local_responses_by_definition() {
    let (input, size, alpha, beta, bias) = (numbered(&[5, 2, 3]), 3_usize, 0.5_f32, 0.75_f32, 2.0_f32);
    let line = format!("LRN l 1 1 a y 1={size} 2={alpha:?} 3={beta:?} 4={bias:?}");
    let expected = grid(&[5, 2, 3], |i| {
        let near = (0..5).filter(|c: &usize| c.abs_diff(i[0]) <= size / 2);
        let squares: f32 = near.map(|c| input.view()[[c, i[1], i[2]]].powi(2)).sum();
        input.view()[[i[0], i[1], i[2]]] * (bias + alpha / size as f32 * squares).powf(-beta)
    });
    assert_close(&run(&line, vec![input]), &[5, 2, 3], &expected, &line);
}

#[test]
fn a_recurrent_layer_goes_step_by_step() {
    let (steps, size, hidden) = (4, 3, 2);
    let input = numbered(&[steps, size]).map(|x| 0.125 * x);
    let weights = |role_len: usize, first: usize| (0..role_len).map(|index| weight(first + index)).collect::<Vec<_>>();
    let (of_input, bias, of_state) = (weights(hidden * size, 0), weights(hidden, 0), weights(hidden * hidden, 0));
    let mut state = vec![0.0_f32; hidden];
    let mut expected = Vec::new();
    for row in input.as_slice().chunks_exact(size) {
        let next = (0..hidden).map(|h| {
            let from_input = row.iter().zip(&of_input[h * size..]).fold(bias[h], |sum, (x, w)| sum + w * x);
            state.iter().zip(&of_state[h * hidden..]).fold(from_input, |sum, (x, w)| sum + w * x).tanh()
        });
        state = next.collect();
        expected.extend_from_slice(&state);
    }
    let found = run(&format!("RNN l 1 1 a y 0={hidden} 1={}", hidden * size), vec![input]);
    assert_close(&found, &[steps, hidden], &expected, "RNN");
}
