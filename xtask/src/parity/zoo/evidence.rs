//! How far a blob is from the stock runtime's, and whether that says anything.

use fp32_ref::Tensor;
use ncnn_format::{LayerKind, Result};

use crate::batch::BlobValues;
use crate::parity::closeness::worst;

/// Largest relative error of a blob.
pub(super) const LIMIT: f32 = 1e-4;
/// Below this part of the largest value a blob counts as constant.
const SPREAD: f32 = 1e-3;
/// Values that can still be told from zero and infinity after a layer more.
const MODERATE: std::ops::RangeInclusive<f32> = 1e-6..=1e6;
/// Values of a row of a detection layer: label, score, four edges.
const COLUMNS: usize = 6;
const SCORE: usize = 1;

/// Why the values of `blob` would agree with anything, if they would.
pub(super) fn emptiness(blob: &Tensor) -> Option<&'static str> {
    let values = blob.as_slice();
    if !values.iter().all(|value| value.is_finite()) {
        return Some("is not finite");
    }
    let (low, high) = values.iter().fold((f32::MAX, f32::MIN), |(low, high), &x| (low.min(x), high.max(x)));
    let largest = high.max(-low);
    match largest {
        0.0 => Some("is all zero"),
        _ if !MODERATE.contains(&largest) => Some("has vanished or exploded"),
        _ if high - low <= SPREAD * largest => Some("is constant"),
        _ => None,
    }
}

/// Whether `kind` makes rows of label, score and edges.
pub(super) fn is_detection(kind: &LayerKind) -> bool {
    matches!(kind, LayerKind::DetectionOutput | LayerKind::YoloDetectionOutput | LayerKind::Yolov3DetectionOutput)
}

/// The largest error relative to the largest value; of detections the largest of any column,
/// for labels are larger than scores and would hide their errors.
///
/// # Errors
/// `Invalid` when the numbers of values differ.
pub(super) fn error(blob: &str, ours: &Tensor, theirs: &Tensor, detections: bool) -> Result<f32> {
    let compare = |ours: Tensor, theirs: Tensor| {
        let values = |tensor| BlobValues { blob: blob.to_owned(), values: vec![tensor] };
        Ok(worst(&values(ours), &values(theirs), 0.0)?.relative)
    };
    if !detections || ours.as_slice().len() != theirs.as_slice().len() {
        return compare(ours.clone(), theirs.clone());
    }
    let (ours, theirs) = (ours.as_slice().as_chunks().0, theirs.as_slice().as_chunks().0);
    let partners = aligned(ours, theirs);
    let column = |rows: &[[f32; COLUMNS]], column: usize| {
        Tensor::new([rows.len()], rows.iter().map(|row| row[column]).collect())
    };
    (0..COLUMNS).try_fold(0.0_f32, |largest, index| {
        // The scores themselves must fall in the same way.
        let ours = if index == SCORE { ours } else { &partners };
        Ok(largest.max(compare(column(ours, index)?, column(theirs, index)?)?))
    })
}

/// The rows of `ours` in the order of `theirs`, where scores that agree leave the order open.
fn aligned(ours: &[[f32; COLUMNS]], theirs: &[[f32; COLUMNS]]) -> Vec<[f32; COLUMNS]> {
    let mut left = ours.to_vec();
    let mut rows = Vec::with_capacity(left.len());
    for wanted in theirs {
        let distance = |row: &[f32; COLUMNS]| row.iter().zip(wanted).map(|(a, b)| (a - b).abs()).sum::<f32>();
        let same_score = |row: &[f32; COLUMNS]| (row[SCORE] - wanted[SCORE]).abs() <= LIMIT;
        let nearest = (0..left.len())
            .filter(|&index| same_score(&left[index]))
            .min_by(|&a, &b| distance(&left[a]).total_cmp(&distance(&left[b])));
        if !left.is_empty() {
            rows.push(left.remove(nearest.unwrap_or(0)));
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(values: &[f32]) -> Tensor {
        Tensor::new([values.len()], values.to_vec()).unwrap()
    }

    #[test]
    fn zeros_constants_and_no_numbers_are_no_evidence() {
        assert_eq!(emptiness(&row(&[0.0, 0.0])), Some("is all zero"));
        assert_eq!(emptiness(&row(&[2.0, 2.000_1])), Some("is constant"));
        assert_eq!(emptiness(&row(&[2.0, f32::NAN])), Some("is not finite"));
        assert_eq!(emptiness(&row(&[1e9, 1.0])), Some("has vanished or exploded"));
        assert_eq!(emptiness(&row(&[2.0, 1.0])), None);
    }

    #[test]
    fn the_columns_of_detections_are_judged_apart() {
        let ours = Tensor::new([1, 6], vec![80.0, 0.5, 0.0, 0.0, 1.0, 1.0]).unwrap();
        let theirs = Tensor::new([1, 6], vec![80.0, 0.4, 0.0, 0.0, 1.0, 1.0]).unwrap();
        assert!((error("out", &ours, &theirs, true).unwrap() - 0.25).abs() < 1e-6);
        assert!(error("out", &ours, &theirs, false).unwrap() < 0.01);
    }

    #[test]
    fn detections_may_change_places_where_their_scores_agree() {
        let rows = |labels: [f32; 2], scores: [f32; 2]| {
            let row = |i: usize| [labels[i], scores[i], 0.0, 0.0, 1.0, 1.0];
            Tensor::new([2, 6], [row(0), row(1)].concat()).unwrap()
        };
        let error =
            |labels, scores, other| error("out", &rows(labels, scores), &rows([1.0, 2.0], other), true).unwrap();
        assert!(error([2.0, 1.0], [0.5, 0.5], [0.5, 0.499_99]) <= LIMIT);
        assert!(error([2.0, 1.0], [0.5, 0.4], [0.5, 0.4]) > LIMIT);
        assert!(error([2.0, 1.0], [0.4, 0.5], [0.5, 0.4]) > LIMIT);
    }
}
