//! Dense convolutions of kernels that want windows gathered.

use crate::contract::{Gather, Patch, Taps};
use crate::dense::DenseWeights;
use crate::lanes::Lanes;
use crate::source::Source;
use crate::sums::{Computed, LARGEST_TILE, Lines};

/// Bytes of gathered windows that all panels pass over before the next are gathered: with a panel of
/// weights they stay in the second cache, and each panel is read from memory once for all of them.
const BLOCK_BYTES: usize = 64 << 10;

impl DenseWeights {
    /// Computes all channels of the pixels of a band: some strips of pixels are gathered, then every panel
    /// passes over all of them.
    pub(crate) fn walk_gathered(
        &self,
        gather: &Gather,
        windows: &BandWindows<'_>,
        lanes: &Lanes,
        buffer: &mut Vec<u8>,
        mut emit: impl FnMut(Computed<'_>),
    ) {
        let BandWindows { source, lines, taps } = *windows;
        let (tile_pixels, pixel_bytes) = (self.kernel.pixels, self.gathered.reach());
        let fitting = BLOCK_BYTES / (tile_pixels * pixel_bytes);
        let strips = Strips { pixels: lines.count * lines.width, most: fitting.clamp(1, gather.tiles) * tile_pixels };
        let strip_bytes = strips.most * pixel_bytes;
        let per_block = (BLOCK_BYTES / strip_bytes).clamp(1, strips.count());
        let mut starts = [0; MOST_PIXELS];
        let spare_bytes = gather.spare_bytes(taps);
        if buffer.len() < per_block * strip_bytes + spare_bytes {
            buffer.resize(per_block * strip_bytes + spare_bytes, 0);
        }
        let (spare, block) = buffer.split_at_mut(spare_bytes);
        let mut tile = [0i32; LARGEST_TILE];
        for panels in self.panels.chunk_by(|a, b| a.group == b.group) {
            let origin = source.origin + panels[0].group * self.in_group;
            for first in (0..strips.count()).step_by(per_block) {
                let indices = first..strips.count().min(first + per_block);
                for (index, out) in indices.clone().zip(block.chunks_exact_mut(strip_bytes)) {
                    let (pixel, pixels) = strips.at(index);
                    let starts = &mut starts[..pixels];
                    set_starts(starts, pixel, origin, source, lines);
                    gather.run(&Patch { bytes: source.bytes, starts, taps }, spare, &mut out[..pixels * pixel_bytes]);
                }
                for panel in panels {
                    let mut strip = self.strip(panel, &[], &self.gathered, lanes);
                    let stride = strip.vectors * self.kernel.lanes;
                    for (index, bytes) in indices.clone().zip(block.chunks_exact(strip_bytes)) {
                        let (pixel, pixels) = strips.at(index);
                        (strip.bytes, strip.pixels) = (bytes, pixels);
                        self.kernel.run(&strip, &mut tile);
                        emit(panel.computed(&tile[..pixels * stride], stride, pixels, pixel));
                    }
                }
            }
        }
    }
}

/// The windows of the pixels of a band.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BandWindows<'a> {
    pub(crate) source: &'a Source<'a>,
    pub(crate) lines: Lines,
    pub(crate) taps: &'a Taps,
}

/// Pixels that a run of a gathering kernel may take.
const MOST_PIXELS: usize = 32;

/// Where the pixels from `pixel` of the band on start.
fn set_starts(starts: &mut [usize], pixel: usize, origin: usize, source: &Source<'_>, lines: Lines) {
    let (mut line, mut x) = (pixel / lines.width, pixel % lines.width);
    for start in starts {
        *start = origin + line * source.line_step + x * source.pixel_step;
        x += 1;
        if x == lines.width {
            (line, x) = (line + 1, 0);
        }
    }
}

/// Pixels in strips of `most`; the last has what is left.
#[derive(Debug, Clone, Copy)]
struct Strips {
    pixels: usize,
    most: usize,
}

impl Strips {
    fn count(self) -> usize {
        self.pixels.div_ceil(self.most).max(1)
    }

    /// The first pixel of a strip and the number of them.
    fn at(self, index: usize) -> (usize, usize) {
        let first = index * self.most;
        (first, self.most.min(self.pixels - first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strips_cover_every_pixel_once() {
        for (pixels, most) in (1..70).flat_map(|pixels| [1, 5, 6, 30].map(|most| (pixels, most))) {
            let strips = Strips { pixels, most };
            let all: Vec<(usize, usize)> = (0..strips.count()).map(|index| strips.at(index)).collect();
            assert_eq!(all[0].0, 0);
            assert!(all.windows(2).all(|pair| pair[0].0 + pair[0].1 == pair[1].0), "{all:?}");
            assert!(all.iter().all(|&(_, count)| (1..=most).contains(&count)), "{all:?}");
            assert_eq!(all.iter().map(|&(_, count)| count).sum::<usize>(), pixels);
        }
    }

    #[test]
    fn pixels_of_several_lines_start_where_their_lines_do() {
        let source = Source { bytes: &[], origin: 0, line_step: 1000, pixel_step: 10, row_stride: 0, pixel_stride: 0 };
        let mut starts = [0; 7];
        set_starts(&mut starts, 2, 5, &source, Lines { count: 3, width: 3 });
        assert_eq!(starts, [25, 1005, 1015, 1025, 2005, 2015, 2025]);
    }
}
