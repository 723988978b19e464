//! Largest and average values of windows of a channels-last image.

use std::ops::Range;

use super::pixel_windows::Image;
use crate::simd::vectorized;

/// What a window covers along one axis.
pub(super) struct Cells {
    /// The rows or columns of the image.
    pub(super) range: Range<usize>,
    /// How many an average counts.
    pub(super) count: usize,
    /// Whether the window reaches out of the image.
    pub(super) padded: bool,
}

/// How an average divides its sum.
#[derive(Clone, Copy)]
pub(super) enum Divisor {
    /// By the number of elements.
    Product,
    /// By the number of rows, then by the number of columns.
    OneByOne,
}

/// Writes the largest value of every window, channel by channel; what lies outside
/// the image counts as the smallest float.
pub(super) fn largest(image: Image<'_>, rows: &[Cells], columns: &[Cells], output: &mut [f32]) {
    vectorized(
        #[inline(always)]
        || {
            each_window(image, rows, columns, output, |row, column, pixel| {
                pixel.fill(if row.padded || column.padded { f32::MIN } else { f32::NEG_INFINITY });
                each_pixel(image, row, column, |values| {
                    for (largest, &value) in pixel.iter_mut().zip(values) {
                        *largest = if *largest < value { value } else { *largest };
                    }
                });
            });
        },
    );
}

/// Writes the average of every window, channel by channel.
pub(super) fn average(image: Image<'_>, rows: &[Cells], columns: &[Cells], divisor: Divisor, output: &mut [f32]) {
    vectorized(
        #[inline(always)]
        || {
            each_window(image, rows, columns, output, |row, column, pixel| {
                pixel.fill(0.0);
                each_pixel(image, row, column, |values| {
                    for (sum, &value) in pixel.iter_mut().zip(values) {
                        *sum += value;
                    }
                });
                let (first, second) = match divisor {
                    Divisor::Product => ((row.count * column.count) as f32, 1.0),
                    Divisor::OneByOne => (row.count as f32, column.count as f32),
                };
                for sum in pixel {
                    *sum = *sum / first / second;
                }
            });
        },
    );
}

#[inline(always)]
fn each_window(
    image: Image<'_>,
    rows: &[Cells],
    columns: &[Cells],
    output: &mut [f32],
    mut work: impl FnMut(&Cells, &Cells, &mut [f32]),
) {
    for (row, line) in rows.iter().zip(output.chunks_exact_mut(columns.len() * image.c)) {
        for (column, pixel) in columns.iter().zip(line.chunks_exact_mut(image.c)) {
            work(row, column, pixel);
        }
    }
}

#[inline(always)]
fn each_pixel(image: Image<'_>, row: &Cells, column: &Cells, mut work: impl FnMut(&[f32])) {
    for y in row.range.clone() {
        let line =
            &image.values[(y * image.w + column.range.start) * image.c..(y * image.w + column.range.end) * image.c];
        for values in line.chunks_exact(image.c) {
            work(values);
        }
    }
}
