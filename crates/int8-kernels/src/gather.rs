//! Dense convolutions of kernels that want windows gathered.

use crate::dense::{Computed, DenseWeights, LARGEST_TILE, Lines};
use crate::lanes::Lanes;
use crate::micro_kernel::{Gather, Patch, Strip, Taps};
use crate::source::Source;

/// Bytes of gathered windows that all panels pass over before the next are gathered: with a panel of
/// weights they stay in the second cache, and each panel is read from memory once for all of them.
const BLOCK_BYTES: usize = 64 << 10;

impl DenseWeights {
    /// Computes all channels of the pixels of a band: some strips of pixels are gathered, then every panel
    /// passes over all of them.
    #[allow(clippy::too_many_arguments, reason = "those of `walk`")]
    pub(crate) fn walk_gathered(
        &self,
        gather: &Gather,
        source: &Source<'_>,
        lines: Lines,
        taps: &Taps,
        lanes: &Lanes,
        buffer: &mut Vec<u8>,
        mut emit: impl FnMut(Computed<'_>),
    ) {
        let strips = Strips::new(lines.count * lines.width, self.kernel.pixels);
        let pixel_bytes = self.gathered.reach();
        let strip_bytes = strips.most * pixel_bytes;
        let per_block = (BLOCK_BYTES / strip_bytes).clamp(1, strips.count);
        let mut starts = [0; MOST_PIXELS];
        let spare_bytes = Patch { bytes: &[], starts: &starts[..strips.most], taps }.spare_bytes();
        if buffer.len() < per_block * strip_bytes + spare_bytes {
            buffer.resize(per_block * strip_bytes + spare_bytes, 0);
        }
        let (spare, block) = buffer.split_at_mut(spare_bytes);
        let mut tile = [0i32; LARGEST_TILE];
        for panels in self.panels.chunk_by(|a, b| a.group == b.group) {
            let origin = source.origin + panels[0].group * self.in_group;
            for first in (0..strips.count).step_by(per_block) {
                let indices = first..strips.count.min(first + per_block);
                for (index, out) in indices.clone().zip(block.chunks_exact_mut(strip_bytes)) {
                    let (pixel, pixels) = strips.at(index);
                    let starts = &mut starts[..pixels];
                    set_starts(starts, pixel, origin, source, lines);
                    (gather.run)(&Patch { bytes: source.bytes, starts, taps }, spare, &mut out[..pixels * pixel_bytes]);
                }
                for panel in panels {
                    for (index, bytes) in indices.clone().zip(block.chunks_exact(strip_bytes)) {
                        let (pixel, pixels) = strips.at(index);
                        let strip = Strip { pixels, ..self.strip(panel, bytes, &self.gathered, lanes) };
                        (self.kernel.run)(&strip, &mut tile);
                        let stride = strip.vectors * self.kernel.lanes;
                        emit(panel.computed(&tile[..pixels * stride], stride, pixels, pixel));
                    }
                }
            }
        }
    }
}

/// Pixels that a gathering kernel may take at once.
const MOST_PIXELS: usize = 16;

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

/// Pixels in strips that differ in length by at most one, because a strip of one pixel costs as much
/// weight traffic as a long one.
#[derive(Debug, Clone, Copy)]
struct Strips {
    pixels: usize,
    count: usize,
    /// Pixels of the longest.
    most: usize,
}

impl Strips {
    fn new(pixels: usize, most: usize) -> Self {
        let count = pixels.div_ceil(most).max(1);
        Self { pixels, count, most: pixels.div_ceil(count).max(1) }
    }

    /// The first pixel of a strip and the number of them.
    fn at(&self, index: usize) -> (usize, usize) {
        let (least, longer) = (self.pixels / self.count, self.pixels % self.count);
        (index * least + index.min(longer), least + usize::from(index < longer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strips_follow_each_other_and_are_nearly_equally_long() {
        for pixels in 1..60 {
            let strips = Strips::new(pixels, 6);
            let mut next = 0;
            for (first, length) in (0..strips.count).map(|index| strips.at(index)) {
                assert!(first == next && (strips.most - 1..=strips.most).contains(&length) && length > 0);
                next += length;
            }
            assert!(next == pixels && strips.most <= 6);
        }
    }
}
