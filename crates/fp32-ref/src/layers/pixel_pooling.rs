//! Largest and average values of windows of a channels-last image.

use std::ops::Range;

use super::pixel_windows::Image;
use crate::shares::each_share;
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
    each_window(
        image,
        rows,
        columns,
        output,
        #[inline(always)]
        |row, column, pixel| {
            pixel.fill(if row.padded || column.padded { f32::MIN } else { f32::NEG_INFINITY });
            each_pixel(image, row, column, |values| {
                for (largest, &value) in pixel.iter_mut().zip(values) {
                    *largest = if *largest < value { value } else { *largest };
                }
            });
        },
    );
}

/// Writes the average of every window, channel by channel.
pub(super) fn average(image: Image<'_>, rows: &[Cells], columns: &[Cells], divisor: Divisor, output: &mut [f32]) {
    each_window(
        image,
        rows,
        columns,
        output,
        #[inline(always)]
        |row, column, pixel| {
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
        },
    );
}

fn each_window(
    image: Image<'_>,
    rows: &[Cells],
    columns: &[Cells],
    output: &mut [f32],
    work: impl Fn(&Cells, &Cells, &mut [f32]) + Sync,
) {
    let line = columns.len() * image.c;
    let largest = |cells: &[Cells]| cells.iter().map(|cells| cells.range.len()).max().unwrap_or(0);
    let window = largest(rows).saturating_mul(largest(columns));
    each_share(output, line, window.saturating_mul(OPERATIONS), |first, lines| {
        vectorized(
            #[inline(always)]
            || {
                for (row, line) in rows[first..].iter().zip(lines.chunks_exact_mut(line)) {
                    for (column, pixel) in columns.iter().zip(line.chunks_exact_mut(image.c)) {
                        work(row, column, pixel);
                    }
                }
            },
        );
    });
}

/// What a value of a window takes, with its way from memory.
const OPERATIONS: usize = 8;

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
