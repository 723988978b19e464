//! Layers that normalize by what is around a value, and others that look along an axis.

use crate::support::{Array, Draw, Trial, float, with};

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Applies `f` to each run of that many neighbours in memory.
fn by_runs(input: &Array, len: usize, f: impl Fn(&[f64]) -> Vec<f64>) -> Array {
    Array::new(&input.dims, input.values.chunks_exact(len).flat_map(f).collect())
}

/// `(x - mean) / sqrt(variance + eps)`.
fn standardized(values: &[f64], eps: f64) -> Vec<f64> {
    let middle = mean(values);
    let variance = mean(&values.iter().map(|x| (x - middle).powi(2)).collect::<Vec<_>>());
    values.iter().map(|x| (x - middle) / (variance + eps).sqrt()).collect()
}

fn over_root_mean_square(values: &[f64], eps: f64) -> Vec<f64> {
    let square = mean(&values.iter().map(|x| x * x).collect::<Vec<_>>());
    values.iter().map(|x| x / (square + eps).sqrt()).collect()
}

/// The affine sizes that a blob of such sizes allows: rows, planes, channels.
fn affine_sizes(dims: &[usize]) -> Vec<usize> {
    let inner = |count: usize| dims[dims.len() - count..].iter().product();
    match dims.len() {
        1 | 2 => vec![inner(1)],
        3 => vec![inner(1), inner(2)],
        _ => vec![inner(1), inner(2), inner(3)],
    }
}

#[test]
fn layer_norm_standardizes_rows_planes_or_channels() {
    let mut draw = Draw::new(1);
    for rank in (1..=4).cycle().take(24) {
        let dims: Vec<usize> = (0..rank).map(|_| draw.size(2, 6)).collect();
        let input = draw.array(&dims, -3.0, 5.0);
        for size in affine_sizes(&dims) {
            let eps = draw.pick(&[1e-5, 1e-3, 0.5]);
            let (gamma, beta) = (draw.floats(size, -2.0, 2.0), draw.floats(size, -1.0, 1.0));
            let normal = by_runs(&input, size, |values| standardized(values, eps));
            let params = format!("0={size} 1={}", float(eps));
            Trial::new("LayerNorm", format!("{params} 2=0"), &[&input]).gives(&normal);
            let moved = by_runs(&normal, size, |values| {
                values.iter().zip(&gamma).zip(&beta).map(|((x, gamma), beta)| x * gamma + beta).collect()
            });
            Trial::new("LayerNorm", params, &[&input]).weights(&[&gamma, &beta]).gives(&[moved]);
        }
    }
}

#[test]
fn rms_norm_divides_rows_planes_or_channels_by_their_root_mean_square() {
    let mut draw = Draw::new(2);
    for rank in (1..=4).cycle().take(24) {
        let dims: Vec<usize> = (0..rank).map(|_| draw.size(1, 6)).collect();
        let input = draw.array(&dims, -3.0, 5.0);
        for size in affine_sizes(&dims) {
            let eps = draw.pick(&[1e-5, 1e-3, 0.5]);
            let gamma = draw.floats(size, -2.0, 2.0);
            let normal = by_runs(&input, size, |values| over_root_mean_square(values, eps));
            let params = format!("0={size} 1={}", float(eps));
            Trial::new("RMSNorm", format!("{params} 2=0"), &[&input]).gives(&normal);
            let scaled =
                by_runs(&normal, size, |values| values.iter().zip(&gamma).map(|(x, gamma)| x * gamma).collect());
            Trial::new("RMSNorm", params, &[&input]).weights(&[&gamma]).gives(&[scaled]);
        }
    }
}

#[test]
fn an_affine_size_that_fits_no_dimension_is_refused() {
    let mut draw = Draw::new(3);
    for dims in [&[5][..], &[3, 5], &[2, 3, 5], &[2, 2, 3, 5]] {
        let input = draw.array(dims, -1.0, 1.0);
        let factors = draw.floats(7, -1.0, 1.0);
        Trial::new("LayerNorm", "0=7", &[&input]).weights(&[&factors, &factors]).refused();
        Trial::new("RMSNorm", "0=7", &[&input]).weights(&[&factors]).refused();
    }
}

#[test]
fn group_norm_standardizes_groups_of_channels() {
    let mut draw = Draw::new(4);
    for (groups, each) in [(1, 4), (2, 2), (3, 2), (4, 1), (2, 5)] {
        for rank in 1..=4 {
            let channels = groups * each;
            let dims = with(&draw.dims(rank, 5), 0, channels);
            let input = draw.array(&dims, -3.0, 5.0);
            let eps = draw.pick(&[1e-5, 1e-3]);
            let (gamma, beta) = (draw.floats(channels, -2.0, 2.0), draw.floats(channels, -1.0, 1.0));
            let normal = by_runs(&input, input.values.len() / groups, |values| standardized(values, eps));
            let params = format!("0={groups} 1={channels} 2={}", float(eps));
            // Single values give 0 / sqrt(eps), which has no relative precision.
            let group = input.values.len() / groups;
            if group > 1 {
                Trial::new("GroupNorm", format!("{params} 3=0"), &[&input]).gives(&normal);
            }
            let moved = Array::build(&dims, |i| normal.at(i) * gamma[i[0]] + beta[i[0]]);
            Trial::new("GroupNorm", params, &[&input]).weights(&[&gamma, &beta]).gives(&[moved]);
        }
    }
}

#[test]
fn instance_norm_standardizes_each_channel() {
    let mut draw = Draw::new(5);
    for rank in [3, 4].into_iter().cycle().take(16) {
        let dims: Vec<usize> = (0..rank).map(|_| draw.size(2, 5)).collect();
        let input = draw.array(&dims, -3.0, 5.0);
        let eps = draw.pick(&[1e-5, 1e-3]);
        let c = dims[0];
        let (gamma, beta) = (draw.floats(c, -2.0, 2.0), draw.floats(c, -1.0, 1.0));
        let normal = by_runs(&input, input.values.len() / c, |values| standardized(values, eps));
        let params = format!("0={c} 1={}", float(eps));
        Trial::new("InstanceNorm", format!("{params} 2=0"), &[&input]).gives(&normal);
        let moved = Array::build(&dims, |i| normal.at(i) * gamma[i[0]] + beta[i[0]]);
        Trial::new("InstanceNorm", params, &[&input]).weights(&[&gamma, &beta]).gives(&[moved]);
    }
}

#[test]
fn mvn_subtracts_the_mean_and_divides_by_the_deviation() {
    let mut draw = Draw::new(6);
    for rank in 1..=4 {
        for (variance, across) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let dims: Vec<usize> = (0..rank).map(|_| draw.size(2, 5)).collect();
            let input = draw.array(&dims, -3.0, 5.0);
            // Vectors and matrices become images of one channel.
            let shown = match rank {
                1 => vec![1, 1, dims[0]],
                2 => vec![1, dims[0], dims[1]],
                _ => dims.clone(),
            };
            let eps = draw.pick(&[1e-4, 0.25]);
            let run = input.values.len() / if across == 1 { 1 } else { shown[0] };
            let expected = by_runs(&input.reshaped(&shown), run, |values| {
                let middle = mean(values);
                let deviation = mean(&values.iter().map(|x| (x - middle).powi(2)).collect::<Vec<_>>()).sqrt();
                let divisor = if variance == 1 { deviation + eps } else { 1.0 };
                values.iter().map(|x| (x - middle) / divisor).collect()
            });
            Trial::new("MVN", format!("0={variance} 1={across} 2={}", float(eps)), &[&input]).gives(&[expected]);
        }
    }
}

#[test]
fn normalize_divides_by_the_norm_over_planes_channels_or_both() {
    let mut draw = Draw::new(7);
    for (spatial, channel) in [(0, 1), (1, 0), (1, 1)] {
        for (mode, eps) in [(0, 1e-4), (0, 0.5), (1, 1e-4), (1, 1.5), (2, 1e-4), (2, 1.5)] {
            for shared in [0, 1] {
                let rank = draw.pick(&[3, 4]);
                let dims = draw.dims(rank, 5);
                let c = dims[0];
                let input = draw.array(&dims, -1.0, 1.0);
                let scales = draw.floats(if shared == 1 { 1 } else { c }, -2.0, 2.0);
                let plane = input.values.len() / c;
                let flat = input.reshaped(&[c, plane]);
                let sum = |own: usize, at: usize| -> f64 {
                    let channels = if channel == 1 { 0..c } else { own..own + 1 };
                    channels
                        .flat_map(|q| if spatial == 1 { 0..plane } else { at..at + 1 }.map(move |i| (q, i)))
                        .map(|(q, i)| flat.at(&[q, i]).powi(2))
                        .sum()
                };
                let divisor = |sum: f64| match mode {
                    0 => (sum + eps).sqrt(),
                    1 => sum.sqrt().max(eps),
                    _ => sum.max(eps).sqrt(),
                };
                let expected =
                    Array::build(&flat.dims, |i| flat.at(i) / divisor(sum(i[0], i[1])) * scales[i[0] % scales.len()]);
                let params = format!("0={spatial} 1={shared} 2={} 3={} 4={channel} 9={mode}", float(eps), scales.len());
                Trial::new("Normalize", params, &[&input]).weights(&[&scales]).gives(&[expected.reshaped(&dims)]);
            }
        }
    }
}

#[test]
fn lrn_divides_by_a_power_of_the_squares_around() {
    let mut draw = Draw::new(8);
    for within in [0, 1] {
        for size in 1..=7_usize {
            for (alpha, beta, bias) in [(1.0, 0.75, 1.0), (0.5, 0.75, 2.0), (2.0, 0.5, 1.0), (1.0, 1.0, 0.5)] {
                let dims = draw.dims(3, 7);
                let input = draw.array(&dims, -2.0, 2.0);
                let before = size as i64 / 2;
                // Across channels an even size reaches as far to both sides as the odd one above it.
                let after = if within == 0 { before } else { size as i64 - before - 1 };
                let cells = if within == 0 { size } else { size * size } as f64;
                let expected = Array::build(&dims, |index| {
                    let [c, y, x] = [index[0] as i64, index[1] as i64, index[2] as i64];
                    let mut sum = 0.0;
                    for i in -before..=after {
                        if within == 0 {
                            sum += input.get(&[c + i, y, x]).unwrap_or(0.0).powi(2);
                            continue;
                        }
                        for j in -before..=after {
                            sum += input.get(&[c, y + i, x + j]).unwrap_or(0.0).powi(2);
                        }
                    }
                    input.at(index) * (bias + alpha / cells * sum).powf(-beta)
                });
                let params = format!("0={within} 1={size} 2={} 3={} 4={}", float(alpha), float(beta), float(bias));
                Trial::new("LRN", params, &[&input]).gives(&[expected]);
            }
        }
    }
}

#[test]
fn softmax_sums_to_one_along_every_axis() {
    let mut draw = Draw::new(9);
    for rank in 1..=4 {
        for axis in 0..rank {
            for (low, high) in [(-1.0, 1.0), (-60.0, 60.0), (500.0, 510.0)] {
                let dims = draw.dims(rank, 7);
                let input = draw.array(&dims, low, high);
                let along = |index: &[usize]| -> Vec<f64> {
                    (0..dims[axis]).map(|at| input.at(&with(index, axis, at))).collect()
                };
                let expected = Array::build(&dims, |index| {
                    let values = along(index);
                    let largest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                    (input.at(index) - largest).exp() / values.iter().map(|x| (x - largest).exp()).sum::<f64>()
                });
                for written in [axis as i64, axis as i64 - rank as i64] {
                    Trial::new("Softmax", format!("0={written} 1=1"), &[&input]).gives(&expected);
                }
            }
        }
    }
}

#[test]
fn an_axis_that_is_not_there_is_refused() {
    let input = Array::new(&[2, 4], vec![1.0; 8]);
    for axis in [2, 3, -3, -4, 100] {
        Trial::new("Softmax", format!("0={axis} 1=1"), &[&input]).refused();
        Trial::new("CumulativeSum", format!("0={axis}"), &[&input]).refused();
        Trial::new("GLU", format!("0={axis}"), &[&input]).refused();
    }
}

#[test]
fn glu_gates_one_half_with_the_other() {
    let mut draw = Draw::new(10);
    for rank in 1..=4 {
        for axis in 0..rank {
            for half in 1..=3 {
                let dims = with(&draw.dims(rank, 5), axis, 2 * half);
                let input = draw.array(&dims, -4.0, 4.0);
                let expected = Array::build(&with(&dims, axis, half), |index| {
                    let gate = input.at(&with(index, axis, index[axis] + half));
                    input.at(index) / (1.0 + (-gate).exp())
                });
                for written in [axis as i64, axis as i64 - rank as i64] {
                    Trial::new("GLU", format!("0={written}"), &[&input]).gives(&expected);
                }
            }
        }
    }
}

#[test]
fn a_cumulative_sum_adds_all_before() {
    let mut draw = Draw::new(11);
    for rank in 1..=4 {
        for axis in 0..rank {
            for _ in 0..3 {
                let dims = draw.dims(rank, 7);
                let input = draw.array(&dims, -1.0, 1.0);
                let expected =
                    Array::build(&dims, |index| (0..=index[axis]).map(|at| input.at(&with(index, axis, at))).sum());
                for written in [axis as i64, axis as i64 - rank as i64] {
                    Trial::new("CumulativeSum", format!("0={written}"), &[&input]).gives(&expected);
                }
            }
        }
    }
}
