//! Dense convolutions: panels of weights over tiles of pixels.

use crate::contract::{Strip, Taps};
use crate::dense::{DenseWeights, Panel};
use crate::gather::BandWindows;
use crate::lanes::Lanes;
use crate::source::Source;
use crate::sums::{Computed, LARGEST_TILE, Lines};

impl DenseWeights {
    /// Computes all channels of the pixels of a band and hands them on, tile by tile.
    pub(crate) fn walk(
        &self,
        source: &Source<'_>,
        lines: Lines,
        taps: &Taps,
        lanes: &Lanes,
        gathered: &mut Vec<u8>,
        mut emit: impl FnMut(Computed<'_>),
    ) {
        if let Some(gather) = &self.kernel.gather {
            return self.walk_gathered(gather, &BandWindows { source, lines, taps }, lanes, gathered, emit);
        }
        let pieces = Pieces::new(lines, self.kernel.pixels);
        for (index, panel) in self.panels.iter().enumerate() {
            let next = self.panels.get(index + 1).map_or(0..0, |next| next.bytes.clone());
            let strip = self.strip(panel, source.bytes, taps, lanes);
            let strip = Strip { pixels: pieces.pixels, step: source.pixel_step, ..strip };
            self.walk_panel(source, pieces, panel, strip, &self.bytes.as_slice()[next], &mut emit);
        }
    }

    /// Computes the channels of one panel, while the bytes of the `next` come to the cache bit by bit.
    fn walk_panel<'a>(
        &self,
        source: &Source<'_>,
        pieces: Pieces,
        panel: &Panel,
        mut strip: Strip<'a>,
        next: &'a [i8],
        emit: &mut impl FnMut(Computed<'_>),
    ) {
        let mut tile = [0i32; LARGEST_TILE];
        let origin = source.origin + panel.group * self.in_group;
        let stride = panel.vectors * self.kernel.lanes;
        let half_sums = pieces.pixels * stride;
        let mut send = |sums: &[i32], pixels, pixel| emit(panel.computed(sums, stride, pixels, pixel));
        let passes = pieces.count().div_ceil(self.kernel.halves);
        let mut parts = next.chunks(next.len().div_ceil(passes).max(1));
        for piece in (0..pieces.count()).step_by(self.kernel.halves) {
            strip.ahead = parts.next().unwrap_or_default();
            strip.halves = self.kernel.halves.min(pieces.count() - piece);
            // What is sent twice would be added twice to an addend in its sink.
            let mut sent = [(0, 0); 2];
            for (half, (start, sent)) in strip.starts.iter_mut().zip(&mut sent).take(strip.halves).enumerate() {
                let (line, x, known) = pieces.at(piece + half);
                *start = origin + line * source.line_step + x * source.pixel_step;
                *sent = (line * pieces.lines.width + x, known);
            }
            self.kernel.run(&strip, &mut tile);
            let [(pixel, known), (next, next_known)] = sent;
            if strip.halves == 2 && next == pixel + pieces.pixels && next_known == 0 {
                send(&tile[known * stride..2 * half_sums], 2 * pieces.pixels - known, pixel + known);
            } else {
                for (sums, &(pixel, known)) in tile.chunks_exact(half_sums).zip(&sent[..strip.halves]) {
                    send(&sums[known * stride..], pieces.pixels - known, pixel + known);
                }
            }
        }
    }
}

/// Lines cut into pieces of the same number of pixels; the last piece of a line overlaps the one
/// before it where the width does not divide, because computing a pixel twice costs less than
/// kernels that are nearly empty.
#[derive(Debug, Clone, Copy)]
struct Pieces {
    lines: Lines,
    per_line: usize,
    pixels: usize,
}

impl Pieces {
    fn new(lines: Lines, most: usize) -> Self {
        let per_line = lines.width.div_ceil(most).max(1);
        Self { lines, per_line, pixels: lines.width.div_ceil(per_line) }
    }

    fn count(&self) -> usize {
        self.lines.count * self.per_line
    }

    /// Line and first pixel of a piece, and how many of its pixels the piece before has too.
    fn at(&self, index: usize) -> (usize, usize, usize) {
        let wanted = index % self.per_line * self.pixels;
        let x = wanted.min(self.lines.width - self.pixels);
        (index / self.per_line, x, wanted - x)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_cover_every_line_and_are_equally_long() {
        for width in 1..60 {
            let pieces = Pieces::new(Lines { count: 2, width }, 7);
            assert!(pieces.pixels <= 7 && pieces.pixels <= width);
            let mut seen = vec![0; 2 * width];
            for index in 0..pieces.count() {
                let (line, x, known) = pieces.at(index);
                (x + known..x + pieces.pixels).for_each(|x| seen[line * width + x] += 1);
            }
            assert!(seen.iter().all(|&seen| seen == 1), "width {width}");
        }
    }
}
