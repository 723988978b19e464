//! ncnn's bilinear resize of 8-bit images, bit for bit.
//!
//! Everything is fixed point: 11 bits of weight, 4 dropped after the horizontal
//! pass, 16 in the vertical one. Source: `resize_bilinear_c3` in ncnn's `src/mat_pixel_resize.cpp`.

use crate::image::{RgbImage8, check_size};
use ncnn_format::Result;

/// One, as a weight.
const ONE: f32 = 2048.0;

/// `image` at exactly `width` × `height`; the same image when that is its size.
///
/// # Errors
/// As [`check_size`].
pub(crate) fn resize(image: RgbImage8, width: usize, height: usize) -> Result<RgbImage8> {
    if (width, height) == (image.width(), image.height()) {
        return Ok(image);
    }
    let mut pixels = Vec::with_capacity(3 * check_size(width, height)?);
    let columns = taps(image.width(), width);
    // Successive output rows mostly share their source rows.
    let mut rows = RowCache::default();
    for row in taps(image.height(), height) {
        rows.fill(&image, &columns, &row);
        let pairs = rows.first.values.iter().zip(&rows.second.values);
        pixels.extend(pairs.map(|(&a, &b)| {
            let sum = ((row.weight[0] * i32::from(a)) >> 16) + ((row.weight[1] * i32::from(b)) >> 16);
            // At most (2 · 510 + 2) >> 2: always fits.
            ((sum + 2) >> 2) as u8
        }));
    }
    RgbImage8::new(width, height, pixels)
}

/// Which two neighbours make one output position, and their weights of 2048.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Tap {
    at: [usize; 2],
    weight: [i32; 2],
}

/// The taps of an axis that goes from `from` to `to` positions.
fn taps(from: usize, to: usize) -> Vec<Tap> {
    let scale = from as f64 / to as f64;
    (0..to).map(|position| tap(position, scale, from)).collect()
}

fn tap(position: usize, scale: f64, from: usize) -> Tap {
    let centre = ((position as f64 + 0.5) * scale - 0.5) as f32;
    let floor = centre.floor();
    if floor < 0.0 {
        // ncnn tests the left edge before the right one, and a single column or
        // row is both; either way all the weight lies on position 0.
        return Tap { at: [0, 1.min(from - 1)], weight: [ONE as i32, 0] };
    }
    if floor as usize + 1 >= from {
        return Tap { at: [from.saturating_sub(2), from - 1], weight: [0, ONE as i32] };
    }
    let fraction = centre - floor;
    let weight = [1.0 - fraction, fraction].map(|part| (part * ONE + 0.5) as i32);
    Tap { at: [floor as usize, floor as usize + 1], weight }
}

/// The two horizontally resized source rows of the current output row.
#[derive(Default)]
struct RowCache {
    first: CachedRow,
    second: CachedRow,
}

#[derive(Default)]
struct CachedRow {
    y: Option<usize>,
    values: Vec<i16>,
}

impl RowCache {
    fn fill(&mut self, image: &RgbImage8, columns: &[Tap], row: &Tap) {
        if self.second.y == Some(row.at[0]) {
            std::mem::swap(&mut self.first, &mut self.second);
        }
        self.first.fill(image, columns, row.at[0]);
        self.second.fill(image, columns, row.at[1]);
    }
}

impl CachedRow {
    fn fill(&mut self, image: &RgbImage8, columns: &[Tap], y: usize) {
        if self.y == Some(y) {
            return;
        }
        let source = image.row(y);
        self.values.clear();
        for tap in columns {
            let [left, right] = tap.at.map(|x| &source[3 * x..3 * x + 3]);
            self.values.extend(left.iter().zip(right).map(|(&a, &b)| {
                // At most 255 · 2048 >> 4 = 32640: fits i16.
                ((i32::from(a) * tap.weight[0] + i32::from(b) * tap.weight[1]) >> 4) as i16
            }));
        }
        self.y = Some(y);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn grey(width: usize, height: usize, values: &[u8]) -> RgbImage8 {
        RgbImage8::new(width, height, values.iter().flat_map(|&value| [value; 3]).collect()).unwrap()
    }

    fn greys(image: &RgbImage8) -> Vec<u8> {
        image.pixels().iter().copied().step_by(3).collect()
    }

    #[test]
    fn doubling_interpolates_a_quarter_and_three_quarters() {
        let image = resize(grey(2, 1, &[0, 100]), 4, 1).unwrap();
        assert_eq!(greys(&image), [0, 25, 75, 100]);
    }

    #[test]
    fn halving_averages_two() {
        let image = resize(grey(2, 2, &[0, 100, 50, 150]), 1, 1).unwrap();
        assert_eq!(greys(&image), [75]);
    }

    #[test]
    fn a_single_pixel_fills_any_size() {
        let image = resize(grey(1, 1, &[201]), 5, 3).unwrap();
        assert_eq!(greys(&image), [201; 15]);
    }

    #[test]
    fn a_single_column_or_row_keeps_its_values() {
        assert_eq!(greys(&resize(grey(1, 2, &[7, 9]), 3, 2).unwrap()), [7, 7, 7, 9, 9, 9]);
        assert_eq!(greys(&resize(grey(2, 1, &[7, 9]), 2, 2).unwrap()), [7, 9, 7, 9]);
    }

    #[test]
    fn an_enormous_target_is_refused() {
        assert!(resize(grey(1, 1, &[0]), 1 << 20, 1 << 20).is_err());
        assert!(resize(grey(1, 1, &[0]), 0, 1).is_err());
    }

    proptest! {
        #[test]
        fn weights_sum_to_one_and_stay_inside(from in 1usize..400, to in 1usize..400) {
            for tap in taps(from, to) {
                prop_assert!((2047..=2049).contains(&(tap.weight[0] + tap.weight[1])));
                prop_assert!(tap.at[0] <= tap.at[1] && tap.at[1] < from);
            }
        }

        #[test]
        fn a_flat_image_stays_flat_within_the_fixed_point(
            value in 0u8..=255, from in (1usize..9, 1usize..9), to in (1usize..20, 1usize..20),
        ) {
            let image = resize(grey(from.0, from.1, &vec![value; from.0 * from.1]), to.0, to.1).unwrap();
            for found in greys(&image) {
                prop_assert!(found.abs_diff(value) <= 1, "{value} became {found}");
            }
        }

        #[test]
        fn brighter_pixels_never_give_a_darker_image(
            low in proptest::collection::vec(0u8..=255, 12),
            more in proptest::collection::vec(0u8..=255, 12),
            to in (1usize..9, 1usize..9),
        ) {
            let high: Vec<u8> = low.iter().zip(&more).map(|(&a, &b)| a.saturating_add(b)).collect();
            let low = resize(grey(4, 3, &low), to.0, to.1).unwrap();
            let high = resize(grey(4, 3, &high), to.0, to.1).unwrap();
            prop_assert!(low.pixels().iter().zip(high.pixels()).all(|(a, b)| a <= b));
        }

        #[test]
        fn the_own_size_is_the_identity(values in proptest::collection::vec(0u8..=255, 15)) {
            let image = grey(5, 3, &values);
            prop_assert_eq!(resize(image.clone(), 5, 3).unwrap(), image);
        }
    }
}
