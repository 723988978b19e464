//! Analytic thresholds from a fitted distribution (ACIQ).
//!
//! If values follow a known distribution, the expected squared error of coding them with steps of
//! s = α / 127 and clipping beyond α has a closed form whose minimum is a constant times the
//! distribution's width. Source: Banner, Nahshan, Soudry, "Post training 4-bit quantization of
//! convolutional networks for rapid-deployment", 2019 (first as "ACIQ: Analytical Clipping for
//! Integer Quantization", 2018).
//!
//! ```text
//! Laplace, b = mean |x|:    E(α) = 2 b² · exp(−α / b) + s² / 12        α = z · b,  z · exp z = 12 · 127²
//! Gauss,   σ² = mean x²:    E(α) = (σ² + α²) · erfc(α / √2σ) − √(2/π) · α σ · exp(−α² / 2σ²) + s² / 12
//!                           α = z · σ,  z · erfc(z / √2) − √(2/π) · exp(−z² / 2) + z / (12 · 127²) = 0
//! ```
//!
//! so z = 9.883 and z = 3.921. The paper has 3 · 4⁸ levels where this has 12 · 127² (ncnn's code has 127
//! on each side, not 128), hence its 9.897 and 3.924.
//!
//! *Zeros and half ranges.* Exact zeros are left out of the fit: they cost nothing at any threshold and
//! come from a ReLU rather than the distribution. Magnitudes alone are fitted, so a blob that is never
//! negative is taken for one half of a symmetric distribution; with signed codes its best threshold is
//! that of the whole.
//!
//! # As ncnn2table does it
//!
//! `method=aciq` fits nothing. It takes the width that a Gauss distribution of N values most likely
//! has if its largest magnitude is absmax (ncnn's `tools/quantize/ncnn2table.cpp`):
//!
//! ```text
//! σ = 2 · absmax · 0.5 · 0.35 · (1 + √(π · ln 4)) / √(2 · ln N),   α = z(bits) · σ
//! ```
//!
//! This may be above absmax, which wastes part of the code; it is kept, because the table is to be the same.

use std::f64::consts::PI;

use statrs::distribution::{Continuous, ContinuousCDF, Normal};

use crate::histogram::Histogram;
use crate::threshold::Threshold;

/// Rounding costs α² / this.
const ROUNDING: f64 = 12.0 * 127.0 * 127.0;

/// ncnn2table's z for 2 to 8 bits.
const NCNN_GAUSS: [f32; 7] =
    [1.710_635_2, 2.151_592_7, 2.559_136_5, 2.936_200_6, 3.286_914_8, 3.615_114_6, 3.924_037_2];

/// The threshold of the fitted Laplace distribution; `None` if every bin is empty.
pub(crate) fn laplace(histogram: &Histogram) -> Option<Threshold> {
    let (mean, _) = moments(histogram)?;
    let z = root(|z| z * z.exp() - ROUNDING);
    Some(Threshold::at_position(histogram, z * mean))
}

/// The threshold of the fitted Gauss distribution; `None` if every bin is empty.
pub(crate) fn gauss(histogram: &Histogram) -> Option<Threshold> {
    let (_, square) = moments(histogram)?;
    Some(Threshold::at_position(histogram, gauss_reach() * square.sqrt()))
}

/// The best threshold for a Gauss distribution, in standard deviations: 3.921.
///
/// ```
/// assert_eq!(format!("{:.3}", histogram_kl::aciq::gauss_reach()), "3.921");
/// ```
pub fn gauss_reach() -> f64 {
    let normal = Normal::standard();
    root(|z: f64| 2.0 * z * normal.sf(z) - 2.0 * normal.pdf(z) + z / ROUNDING)
}

/// The threshold of ncnn2table's `aciq` for a blob of `elements` values of which the largest has
/// magnitude `absmax`, coded in `bits` bits, 2 to 8.
///
/// `None` for less than two values, of which nothing can be said about a width (ncnn2table's answer is
/// infinite), and for another number of bits.
///
/// ```
/// use histogram_kl::aciq::from_extreme;
///
/// // The first activation of a LeNet: 28 · 28 values up to 2.02222.
/// assert_eq!(from_extreme(2.022_22, 784, 8).map(|it| format!("{it:.5}")), Some("2.34832".to_owned()));
/// assert_eq!(from_extreme(2.022_22, 1, 8), None);
/// ```
pub fn from_extreme(absmax: f32, elements: u64, bits: usize) -> Option<f32> {
    if elements < 2 {
        return None;
    }
    let z = *NCNN_GAUSS.get(bits.checked_sub(2)?)?;
    let width = f64::from(absmax * 2.0) * (0.5 * 0.35 * (1.0 + (PI * 4f64.ln()).sqrt()));
    let deviation = width / (2.0 * (elements as f64).ln()).sqrt();
    Some((f64::from(z) * deviation) as f32)
}

/// Mean magnitude and mean square in units of a bin, every value in the middle of its bin.
fn moments(histogram: &Histogram) -> Option<(f64, f64)> {
    let mut sums = (0.0, 0.0, 0.0);
    for (bin, &count) in histogram.counts().iter().enumerate().filter(|&(_, &count)| count > 0) {
        let (count, x) = (count as f64, bin as f64 + 0.5);
        sums = (sums.0 + count, sums.1 + count * x, sums.2 + count * x * x);
    }
    (sums.0 > 0.0).then(|| (sums.1 / sums.0, sums.2 / sums.0))
}

/// Where a function that grows from below 0 crosses it, between 1 and 20.
fn root(function: impl Fn(f64) -> f64) -> f64 {
    let (mut below, mut above) = (1.0, 20.0);
    for _ in 0..60 {
        let middle = (below + above) / 2.0;
        if function(middle) < 0.0 { below = middle } else { above = middle }
    }
    below
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::squared_error;
    use statrs::distribution::Laplace;

    fn histogram(distribution: &impl ContinuousCDF<f64, f64>, absmax: f64) -> Histogram {
        let width = absmax / 2048.0;
        let mass = |bin: usize| distribution.cdf((bin + 1) as f64 * width) - distribution.cdf(bin as f64 * width);
        let counts: Vec<u64> = (0..2048).map(|bin| (mass(bin) * 1e15) as u64).collect();
        Histogram::from_counts(absmax as f32, &counts).unwrap()
    }

    #[test]
    fn the_widths_of_known_distributions_are_found() {
        let found = laplace(&histogram(&Laplace::new(0.0, 0.5).unwrap(), 8.0)).unwrap().value();
        assert!((found / 0.5 - 9.8827).abs() < 2e-3, "{found}");
        let found = gauss(&histogram(&Normal::new(0.0, 0.5).unwrap(), 8.0)).unwrap().value();
        assert!((found / 0.5 - 3.9214).abs() < 2e-3, "{found}");
    }

    #[test]
    fn the_analytic_threshold_is_the_one_that_a_search_finds() {
        let distribution = histogram(&Normal::new(0.0, 1.0).unwrap(), 7.0);
        let (analytic, searched) = (gauss(&distribution).unwrap(), squared_error::search(&distribution).unwrap());
        assert!((analytic.value() / searched.value() - 1.0).abs() < 0.01, "{analytic:?} {searched:?}");
    }

    #[test]
    fn zeros_do_not_change_the_fit_and_the_range_bounds_it() {
        let plain = Histogram::from_counts(1.0, &[5; 2048]).unwrap();
        let with_zeros = plain.clone().with_unbinned(1_000_000, 0);
        assert_eq!(laplace(&plain), laplace(&with_zeros));
        assert_eq!(laplace(&plain).unwrap().value(), 1.0, "4.9 times the range is not clipped");
    }

    #[test]
    fn a_single_value_has_no_width() {
        assert_eq!(from_extreme(3.0, 0, 8), None);
        assert_eq!(from_extreme(3.0, 1, 8), None);
        assert!(from_extreme(3.0, 2, 8).unwrap() > 3.0);
    }

    #[test]
    fn more_bits_reach_farther_and_only_two_to_eight_are_known() {
        let reaches: Vec<f32> = (2..=8).map(|bits| from_extreme(1.0, 1000, bits).unwrap()).collect();
        assert!(reaches.is_sorted_by(|a, b| a < b), "{reaches:?}");
        assert!([0, 1, 9, usize::MAX].iter().all(|&bits| from_extreme(1.0, 1000, bits).is_none()));
    }

    #[test]
    fn more_values_of_the_same_extreme_are_a_narrower_distribution() {
        let reaches = [2, 10, 1000, 1 << 20, u64::MAX].map(|elements| from_extreme(1.0, elements, 8).unwrap());
        assert!(reaches.is_sorted_by(|a, b| a > b), "{reaches:?}");
    }
}
