//! Tiles of an image through the three steps.

use std::ops::Range;

use super::weights::WinogradWeights;
use crate::contract::{COEFFICIENTS, Grid, Patches, Product, SIDE, Squares};
use crate::dense::DenseWeights;
use crate::error::Error;
use crate::geometry::ConvShape;
use crate::sink::Run;
use crate::source::Source;
use crate::sums::{Computed, LARGEST_TILE};

/// Coefficients of a band of tiles.
#[derive(Debug, Clone, Default)]
pub(crate) struct WinogradScratch {
    inputs: Vec<i32>,
    sums: Vec<i32>,
}

/// Bytes of coefficients that are worked on at a time, so that they stay in the second cache.
const BAND_BYTES: usize = 384 << 10;
/// Sizes of a band that `usize` does not hold.
const TOO_LARGE: Error = Error::TooLarge { what: "band of tiles" };
/// Elements of a cache line.
const LINE: usize = 16;

/// The tiles of a band of output rows.
struct Band {
    rows: Range<usize>,
    width: usize,
    across: usize,
    grid: Grid,
}

impl WinogradWeights {
    /// Computes the rows band by band and hands on the sums, with their band.
    pub(crate) fn walk(
        &self,
        dense: &DenseWeights,
        shape: &ConvShape,
        run: &Run<'_>,
        width: usize,
        (rows, scratch): (&mut Vec<u8>, &mut WinogradScratch),
        mut emit: impl FnMut(Range<usize>, Computed<'_>),
    ) -> Result<(), Error> {
        let packed = self.packed(dense);
        let across = width.div_ceil(SIDE);
        let step = SIDE * self.tile_rows(across, run.rows.len());
        let mut first = run.rows.start;
        while first < run.rows.end {
            let end = run.rows.end.min(first + step);
            let down = (end - first).div_ceil(SIDE);
            let tiles = down.checked_mul(across);
            let grid = tiles.and_then(|tiles| self.kernel.grid(tiles, self.in_channels)).ok_or(TOO_LARGE)?;
            let band = Band { rows: first..end, width, across, grid };
            let whole = first..first + down * SIDE;
            let source = Source::copied(shape, &run.input, &run.padding, whole, across * SIDE, rows);
            let inputs = aligned(&mut scratch.inputs, band.grid.inputs());
            self.transform(&band, &source, inputs);
            self.walk_panels(&band, dense, packed, (inputs, &mut scratch.sums), |computed| {
                emit(band.rows.clone(), computed);
            })?;
            first = end;
        }
        Ok(())
    }

    /// Rows of tiles of a band: as many as the cache holds, all bands about equal.
    fn tile_rows(&self, across: usize, rows: usize) -> usize {
        let most = (BAND_BYTES / self.tile_bytes().saturating_mul(across).max(1)).max(1);
        let down = rows.div_ceil(SIDE).max(1);
        down.div_ceil(down.div_ceil(most))
    }

    /// All tiles of a band.
    fn transform(&self, band: &Band, source: &Source<'_>, inputs: &mut [i32]) {
        for row in 0..band.rows.len().div_ceil(SIDE) {
            let patches = Patches {
                bytes: source.bytes,
                start: row * SIDE * source.row_stride,
                row_stride: source.row_stride,
                pixel_stride: source.pixel_stride,
                tiles: band.across,
                first: row * band.across,
                grid: band.grid,
            };
            self.kernel.transform_inputs(&patches, inputs);
        }
    }

    /// All channels of a band.
    fn walk_panels(
        &self,
        band: &Band,
        dense: &DenseWeights,
        packed: &[i8],
        (inputs, sums): (&[i32], &mut Vec<i32>),
        mut emit: impl FnMut(Computed<'_>),
    ) -> Result<(), Error> {
        let mut outputs = [0; SIDE * LARGEST_TILE];
        for panel in dense.panels() {
            let channels = panel.lanes(self.kernel.lanes);
            let most = (LARGEST_TILE / (SIDE * channels)).max(1);
            let stride = band.grid.sum_stride(channels).ok_or(TOO_LARGE)?;
            let sums = aligned(sums, COEFFICIENTS * stride);
            let product = Product {
                inputs,
                grid: band.grid,
                pairs: self.pairs(),
                vectors: channels / self.kernel.lanes,
                panel: &packed[panel.lane * self.lane_bytes()..][..channels * self.lane_bytes()],
                sum_stride: stride,
            };
            self.kernel.multiply(&product, sums);
            for first in band.pieces(most) {
                let tiles = most.min(band.across - first % band.across);
                let squares = Squares { sums: &sums[first * channels..], stride, channels, tiles };
                self.kernel.transform_sums(&squares, &mut outputs);
                let (y, x) = (first / band.across * SIDE, first % band.across * SIDE);
                let pixels = (tiles * SIDE).min(band.width - x);
                let rows = outputs.chunks_exact(tiles * SIDE * channels).take((band.rows.len() - y).min(SIDE));
                for (row, sums) in rows.enumerate() {
                    let pixel = (y + row) * band.width + x;
                    let (lane, channel) = (panel.lane, panel.channel);
                    emit(Computed { sums, stride: channels, pixels, pixel, lane, channel, channels: panel.channels });
                }
            }
        }
        Ok(())
    }
}

impl Band {
    /// The first tile of every run of at most `most` tiles beside each other.
    fn pieces(&self, most: usize) -> impl Iterator<Item = usize> {
        let across = self.across;
        let rows = (0..self.rows.len().div_ceil(SIDE)).map(move |row| row * across);
        rows.flat_map(move |first| (first..first + across).step_by(most))
    }
}

/// `length` elements of `buffer` that start at a cache line.
fn aligned(buffer: &mut Vec<i32>, length: usize) -> &mut [i32] {
    if buffer.len() < length + LINE {
        buffer.resize(length + LINE, 0);
    }
    let skip = buffer.as_ptr().align_offset(LINE * size_of::<i32>()).min(LINE);
    &mut buffer[skip..skip + length]
}
