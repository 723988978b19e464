//! How far two runs of the same network are apart.

use fp32_ref::Tensor;
use ncnn_format::{Error, Result};
use quantizer::{Labels, top_k};

use crate::batch::BlobValues;

/// Below this the largest reference value does not set the scale: an output of
/// zeros would turn rounding noise into an infinite relative error.
const SMALLEST_REFERENCE: f32 = 1e-3;

/// The largest error of one blob over all samples.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Worst {
    /// Largest |a − b| ÷ max(largest |b|, 0.001) of any sample; infinite if a value is not finite.
    pub relative: f32,
    /// The sample it happened at.
    pub sample: usize,
    /// Samples with an error above the limit that was asked for.
    pub above: usize,
}

/// Compares `ours` with `reference`, sample by sample.
///
/// # Errors
/// `Invalid` when numbers of samples or shapes differ.
pub(crate) fn worst(ours: &BlobValues, reference: &BlobValues, limit: f32) -> Result<Worst> {
    if ours.values.len() != reference.values.len() {
        return Err(Error::invalid(format!(
            "blob {}: {} samples against {}",
            ours.blob,
            ours.values.len(),
            reference.values.len()
        )));
    }
    let mut worst = Worst::default();
    for (sample, (a, b)) in ours.values.iter().zip(&reference.values).enumerate() {
        let relative =
            relative_error(a, b).map_err(|error| Error::invalid(format!("blob {}: {}", ours.blob, error.message())))?;
        if relative > worst.relative {
            worst.relative = relative;
            worst.sample = sample;
        }
        worst.above += usize::from(relative > limit);
    }
    Ok(worst)
}

fn relative_error(ours: &Tensor, reference: &Tensor) -> Result<f32> {
    // ncnn drops or keeps dimensions of 1 where we do the opposite; the values count.
    if ours.as_slice().len() != reference.as_slice().len() {
        return Err(Error::invalid(format!("the shape {} against {}", ours.shape(), reference.shape())));
    }
    let pairs = || ours.as_slice().iter().zip(reference.as_slice());
    // `f32::max` would lose NaN.
    if !pairs().all(|(a, b)| a.is_finite() && b.is_finite()) {
        return Ok(f32::INFINITY);
    }
    let difference = pairs().fold(0.0_f32, |worst, (a, b)| worst.max((a - b).abs()));
    let reference = pairs().fold(SMALLEST_REFERENCE, |largest, (_, b)| largest.max(b.abs()));
    Ok(difference / reference)
}

/// The class with the largest score per sample.
pub(crate) fn top1(scores: &BlobValues) -> Vec<Option<usize>> {
    scores.values.iter().map(|values| top_k(values.as_slice(), 1).first().copied()).collect()
}

/// How many of `answers` are right, among the samples that have a label.
pub(crate) fn correct(answers: &[Option<usize>], names: &[String], labels: &Labels) -> usize {
    answers
        .iter()
        .zip(names)
        .filter(|(answer, name)| answer.is_some_and(|class| labels.get(name).is_some_and(|label| label.matches(class))))
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blob(samples: &[&[f32]]) -> BlobValues {
        let values = samples.iter().map(|values| Tensor::new([values.len()], values.to_vec()).unwrap()).collect();
        BlobValues { blob: "out".into(), values }
    }

    #[test]
    fn the_error_is_relative_to_the_largest_reference_value_of_the_sample() {
        let found = worst(&blob(&[&[1.0, 8.0], &[0.0, 1.5]]), &blob(&[&[2.0, 8.0], &[0.0, 1.0]]), 0.2).unwrap();
        assert_eq!(found, Worst { relative: 0.5, sample: 1, above: 1 });
    }

    #[test]
    fn nan_is_the_worst_error_and_does_not_get_lost() {
        let found = worst(&blob(&[&[f32::NAN], &[9.0]]), &blob(&[&[1.0], &[1.0]]), 1.0).unwrap();
        assert_eq!(found, Worst { relative: f32::INFINITY, sample: 0, above: 2 });
    }

    #[test]
    fn a_reference_of_zeros_does_not_divide_by_zero() {
        let found = worst(&blob(&[&[1e-9]]), &blob(&[&[0.0]]), 1e-4).unwrap();
        assert!((found.relative - 1e-6).abs() < 1e-9 && found.above == 0);
    }

    #[test]
    fn different_sizes_are_refused() {
        let message = worst(&blob(&[&[1.0]]), &blob(&[&[1.0, 2.0]]), 1.0).unwrap_err().to_string();
        assert_eq!(message, "blob out: the shape 1 against 2");
    }

    #[test]
    fn the_first_of_the_largest_scores_is_the_answer() {
        let answers = top1(&blob(&[&[0.1, 0.7, 0.2], &[3.0, 1.0, 2.0], &[-5.0, -9.0, -1.0]]));
        assert_eq!(answers, [Some(1), Some(0), Some(2)]);
    }

    #[test]
    fn an_infinite_reference_is_the_worst_error_too() {
        for value in [f32::INFINITY, f32::NEG_INFINITY, f32::NAN] {
            let found = worst(&blob(&[&[1.0]]), &blob(&[&[value]]), 1e9).unwrap();
            assert_eq!(found, Worst { relative: f32::INFINITY, sample: 0, above: 1 });
        }
    }

    #[test]
    fn another_number_of_samples_is_refused() {
        let message = worst(&blob(&[&[1.0]]), &blob(&[&[1.0], &[1.0]]), 1.0).unwrap_err().to_string();
        assert_eq!(message, "blob out: 1 samples against 2");
    }

    #[test]
    fn equal_runs_have_no_worst_sample() {
        let runs = blob(&[&[1.0, -2.0], &[0.0, 0.0]]);
        assert_eq!(worst(&runs, &runs, 0.0).unwrap(), Worst::default());
    }
}
