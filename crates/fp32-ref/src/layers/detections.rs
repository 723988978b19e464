//! What detection heads share: boxes in order of their scores, without overlaps.

use ncnn_format::Result;

use crate::Tensor;

/// A box that a detection head found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Detection {
    pub(super) label: f32,
    pub(super) score: f32,
    pub(super) corners: Corners,
    pub(super) area: f32,
}

/// Left, top, right and bottom edge of a box.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Corners {
    pub(super) left: f32,
    pub(super) top: f32,
    pub(super) right: f32,
    pub(super) bottom: f32,
}

impl Detection {
    /// A box whose area is that of its corners.
    pub(super) fn new(label: f32, score: f32, corners: Corners) -> Self {
        Self { label, score, corners, area: (corners.right - corners.left) * (corners.bottom - corners.top) }
    }
}

impl Corners {
    /// A box from its centre and size.
    pub(super) fn centered(x: f32, y: f32, width: f32, height: f32) -> Self {
        Self { left: x - width * 0.5, top: y - height * 0.5, right: x + width * 0.5, bottom: y + height * 0.5 }
    }

    fn intersection(&self, other: &Self) -> f32 {
        if self.left > other.right || self.right < other.left || self.top > other.bottom || self.bottom < other.top {
            return 0.0;
        }
        (self.right.min(other.right) - self.left.max(other.left))
            * (self.bottom.min(other.bottom) - self.top.max(other.top))
    }
}

/// Sorts by falling score, equal scores in the order of ncnn's partitioning.
///
/// That order is neither that of the input nor its reverse, and it decides which of
/// two overlapping boxes with saturated scores stays.
pub(super) fn sort_descending(found: &mut [Detection]) {
    sort_strongest(found, found.len());
}

/// As [`sort_descending`] for the first `most`; those behind them are in no order.
pub(super) fn sort_strongest(found: &mut [Detection], most: usize) {
    let mut open = vec![(0, found.len())];
    while let Some((start, end)) = open.pop() {
        if end - start < 2 || start >= most {
            continue;
        }
        let pivot = found[start + (end - start - 1) / 2].score;
        let (mut low, mut high) = (start, end);
        while low < high {
            // A NaN is on neither side, so the scans end at the pivot or at what was swapped.
            while low < end && found[low].score > pivot {
                low += 1;
            }
            while high > start && found[high - 1].score < pivot {
                high -= 1;
            }
            if low < high {
                found.swap(low, high - 1);
                low += 1;
                high -= 1;
            }
        }
        open.push((start, high));
        open.push((low, end));
    }
}

/// Keeps each box that does not `overlap` one kept before it; `found` is sorted.
///
/// `overlap` judges the area that two boxes share and the area that they cover.
pub(super) fn suppress(found: &[Detection], overlap: impl Fn(f32, f32) -> bool) -> Vec<Detection> {
    let mut kept: Vec<Detection> = Vec::new();
    for candidate in found {
        let hidden = kept.iter().any(|other| {
            let shared = candidate.corners.intersection(&other.corners);
            overlap(shared, candidate.area + other.area - shared)
        });
        if !hidden {
            kept.push(*candidate);
        }
    }
    kept
}

/// Whether two boxes share more than `limit` of what they cover.
///
/// Two boxes without an area do: ncnn's builds take 0 / 0 for more than any limit.
pub(super) fn overlaps(shared: f32, covered: f32, limit: f32) -> bool {
    let part = shared / covered;
    part > limit || part.is_nan()
}

/// A row of label, score, left, top, right and bottom per box.
///
/// A blob cannot be empty here, so nothing found is one row of -1, as in the Caffe
/// layers that these heads come from; ncnn makes an empty blob then.
pub(super) fn rows(found: &[Detection]) -> Result<Tensor> {
    if found.is_empty() {
        return Tensor::new([1, 6], vec![-1.0; 6]);
    }
    let values = found.iter().flat_map(|Detection { label, score, corners, .. }| {
        [*label, *score, corners.left, corners.top, corners.right, corners.bottom]
    });
    Tensor::new([found.len(), 6], values.collect())
}

/// The logistic function.
pub(super) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scored(scores: &[f32]) -> Vec<Detection> {
        (0..).zip(scores).map(|(label, &score)| Detection::new(label as f32, score, Corners::default())).collect()
    }

    fn order(scores: &[f32]) -> Vec<f32> {
        let mut found = scored(scores);
        sort_descending(&mut found);
        found.iter().map(|detection| detection.label).collect()
    }

    #[test]
    fn sorts_by_falling_score_and_turns_equal_ones_around() {
        assert_eq!(order(&[0.1, 0.9, 0.5, 0.7]), [1.0, 3.0, 2.0, 0.0]);
        assert_eq!(order(&[0.5, 0.5]), [1.0, 0.0]);
        assert_eq!(order(&[]), []);
    }

    #[test]
    fn the_strongest_are_those_of_the_whole_order() {
        let scores: Vec<f32> = (0..97_u32).map(|i| (i * 37 % 11) as f32).collect();
        for most in [0, 1, 5, 96, 97, 200] {
            let (mut all, mut some) = (scored(&scores), scored(&scores));
            sort_descending(&mut all);
            sort_strongest(&mut some, most);
            let most = most.min(all.len());
            assert_eq!(some[..most], all[..most]);
        }
    }

    #[test]
    fn scores_that_are_no_numbers_lose_no_box() {
        let nan = f32::NAN;
        for scores in [vec![nan; 5], vec![0.1, nan, 0.9, nan, 0.5, 0.7, nan], vec![nan, 1.0], vec![1.0, nan]] {
            let mut labels = order(&scores);
            labels.sort_by(f32::total_cmp);
            assert_eq!(labels, scored(&scores).iter().map(|detection| detection.label).collect::<Vec<_>>());
        }
    }

    #[test]
    fn the_weaker_of_two_overlapping_boxes_goes() {
        let corners = |left| Corners { left, top: 0.0, right: left + 1.0, bottom: 1.0 };
        let found = [0.0, 0.2, 3.0].map(|left| Detection::new(left, 1.0, corners(left)));
        let labels = |limit: f32| -> Vec<f32> {
            suppress(&found, |shared, covered| overlaps(shared, covered, limit)).iter().map(|kept| kept.label).collect()
        };
        assert_eq!(labels(0.5), [0.0, 3.0]);
        assert_eq!(labels(0.7), [0.0, 0.2, 3.0]);
    }

    #[test]
    fn nothing_found_is_a_row_of_minus_one() {
        let rows = rows(&[]).unwrap();
        assert_eq!((rows.shape().dims(), rows.as_slice()), (&[1, 6][..], &[-1.0; 6][..]));
    }
}
