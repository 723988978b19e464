//! Dense and grouped convolutions: panels of weights over tiles of pixels.

use std::ops::Range;

use crate::error::{Error, checked_product};
use crate::gather::BandWindows;
use crate::geometry::ConvShape;
use crate::lanes::Lanes;
use crate::micro_kernel::{DenseKernel, Strip, Taps};
use crate::panel::{AlignedBytes, put};
use crate::source::{Needs, Source};

/// Weights of a convolution, packed in panels of some output channels of one group.
#[derive(Debug, Clone)]
pub(crate) struct DenseWeights {
    pub(crate) kernel: &'static DenseKernel,
    pub(crate) panels: Vec<Panel>,
    bytes: AlignedBytes,
    /// Taps whose weights follow each other without gaps: all if windows are gathered; those of a kernel
    /// row, `kernel_w · channels` bytes, if single taps would end in depths without weights; else one.
    run_taps: usize,
    /// Input channels of a group.
    pub(crate) in_group: usize,
    /// The one run of a gathered window.
    pub(crate) gathered: Taps,
}

#[derive(Debug, Clone)]
pub(crate) struct Panel {
    pub(crate) group: usize,
    vectors: usize,
    bytes: Range<usize>,
    /// Where its lanes lie among those of all panels.
    pub(crate) lane: usize,
    pub(crate) channel: usize,
    pub(crate) channels: usize,
}

/// The output pixels of a band as lines, all equally wide.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lines {
    pub(crate) count: usize,
    pub(crate) width: usize,
}

/// Sums of consecutive pixels, as a kernel leaves them.
pub(crate) struct Computed<'a> {
    pub(crate) sums: &'a [i32],
    pub(crate) stride: usize,
    pub(crate) pixels: usize,
    /// First pixel of the band.
    pub(crate) pixel: usize,
    pub(crate) lane: usize,
    pub(crate) channel: usize,
    pub(crate) channels: usize,
}

/// The most sums that one tile may have, so that a tile fits the stack.
pub(crate) const LARGEST_TILE: usize = 512;

impl Panel {
    /// Its lanes, if a vector has `lanes`.
    pub(crate) fn lanes(&self, lanes: usize) -> usize {
        self.vectors * lanes
    }
}

impl DenseWeights {
    /// Packs weights `[out_channels][in_channels / groups][kernel_h][kernel_w]` of a valid shape.
    pub(crate) fn new(shape: &ConvShape, weights: &[i8], kernel: &'static DenseKernel) -> Result<(Self, Lanes), Error> {
        let (in_group, out_group) = (shape.in_channels / shape.groups, shape.out_channels / shape.groups);
        let taps = shape.kernel_h * shape.kernel_w;
        let joins_rows =
            shape.groups == 1 && shape.dilation_w == 1 && shape.kernel_w > 1 && !in_group.is_multiple_of(kernel.depths);
        let run_taps = match (&kernel.gather, joins_rows) {
            (Some(_), _) => taps,
            (None, true) => shape.kernel_w,
            (None, false) => 1,
        };
        let (runs, run) = (taps / run_taps, run_taps * in_group);
        let groups = runs * run.div_ceil(kernel.depths);
        let mut panels = Vec::new();
        let (mut end, mut lane) = (0usize, 0);
        for group in 0..shape.groups {
            for first in (0..out_group).step_by(kernel.lanes * kernel.vectors) {
                let channels = (kernel.lanes * kernel.vectors).min(out_group - first);
                let vectors = channels.div_ceil(kernel.lanes).max(kernel.least_vectors);
                let size = [groups, vectors * kernel.lanes, kernel.form.bytes_per_lane(kernel.depths)];
                let next = end.checked_add(checked_product("packed weights", &size)?);
                let next = next.ok_or(Error::TooLarge { what: "packed weights" })?;
                panels.push(Panel {
                    group,
                    vectors,
                    bytes: end..next,
                    lane,
                    channel: group * out_group + first,
                    channels,
                });
                end = next;
                lane += vectors * kernel.lanes;
            }
        }
        let gathered = Taps::gathered(taps * in_group, kernel);
        let mut packed = Self { kernel, panels, bytes: AlignedBytes::zeros(end), run_taps, in_group, gathered };
        let mut lanes = Lanes::new(lane);
        for panel in &packed.panels {
            lanes.place(panel.lane, panel.channel..panel.channel + panel.channels);
        }
        packed.fill(shape, weights);
        lanes.start_at_sums(kernel.form.initial_factor(), weights, taps * in_group);
        Ok((packed, lanes))
    }

    /// Every weight to its place: run by run, within a run by depth.
    fn fill(&mut self, shape: &ConvShape, weights: &[i8]) {
        let (kernel, taps) = (self.kernel, shape.kernel_h * shape.kernel_w);
        let depth = self.in_group * taps;
        let vector_bytes = kernel.lanes * kernel.form.bytes_per_lane(kernel.depths);
        let run = self.run_taps * self.in_group;
        let run_bytes = run.next_multiple_of(kernel.depths);
        let bytes = self.bytes.as_mut_slice();
        // The weights of one channel in the order of the runs, zeros where a run ends within a group.
        let mut row = vec![0; depth / run * run_bytes];
        for panel in &self.panels {
            let bytes = &mut bytes[panel.bytes.clone()];
            for index in 0..panel.channels {
                let weights = &weights[(panel.channel + index) * depth..][..depth];
                // Nearly half of the weights of some networks: one copy is faster than a loop of steps.
                if taps == 1 {
                    row[..depth].copy_from_slice(weights);
                }
                for tap in (0..taps).filter(|_| taps > 1) {
                    let start = tap / self.run_taps * run_bytes + tap % self.run_taps * self.in_group;
                    let from = weights[tap..].iter().step_by(taps);
                    row[start..start + self.in_group].iter_mut().zip(from).for_each(|(to, &weight)| *to = weight);
                }
                let vectors = bytes[index / kernel.lanes * vector_bytes..].chunks_mut(panel.vectors * vector_bytes);
                for (vector, group) in vectors.zip(row.chunks_exact(kernel.depths)) {
                    put(&mut vector[..vector_bytes], kernel.form, kernel.lanes, index % kernel.lanes, group);
                }
            }
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        self.kernel.name
    }

    pub(crate) fn panels(&self) -> &[Panel] {
        &self.panels
    }

    pub(crate) fn needs(&self, shape: &ConvShape) -> Needs {
        if self.kernel.gather.is_some() {
            return Needs { is_dense: false, last_pixel: shape.in_channels };
        }
        let depths = self.kernel.depths;
        let is_joined = self.run_taps > 1;
        let group = shape.in_channels - self.in_group + self.in_group.next_multiple_of(depths);
        let joined = shape.in_channels + (shape.kernel_w * self.in_group).next_multiple_of(depths)
            - shape.kernel_w * self.in_group;
        Needs { is_dense: is_joined, last_pixel: if is_joined { joined } else { group } }
    }

    /// The runs of a window over `source`.
    pub(crate) fn set_taps(&self, shape: &ConvShape, source: &Source<'_>, taps: &mut Taps) {
        let depths = if self.kernel.gather.is_some() { 1 } else { self.kernel.depths };
        // Taps side by side in memory are one run, if no depth without weights lies between them.
        let is_joined = shape.groups == 1
            && shape.dilation_w == 1
            && source.pixel_stride == shape.in_channels
            && (self.run_taps > 1 || shape.in_channels.is_multiple_of(depths));
        let run = if is_joined { shape.kernel_w * self.in_group } else { self.in_group };
        let columns = if is_joined { 1 } else { shape.kernel_w };
        let offsets = (0..shape.kernel_h).flat_map(|y| (0..columns).map(move |x| source.tap(shape, y, x)));
        taps.set(offsets, run.div_ceil(depths), depths);
    }

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

    /// The channels of a panel with the windows of one pixel.
    pub(crate) fn strip<'a>(&'a self, panel: &Panel, bytes: &'a [u8], taps: &'a Taps, lanes: &'a Lanes) -> Strip<'a> {
        Strip {
            bytes,
            starts: [0; 2],
            halves: 1,
            pixels: 1,
            step: taps.reach(),
            taps,
            vectors: panel.vectors,
            panel: &self.bytes.as_slice()[panel.bytes.clone()],
            ahead: &[],
            initial: &lanes.initial[panel.lane..][..panel.vectors * self.kernel.lanes],
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
            (self.kernel.run)(&strip, &mut tile);
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

impl Panel {
    /// Sums `[pixel][stride]` of this panel's channels from pixel `pixel` of the band on.
    pub(crate) fn computed<'a>(&self, sums: &'a [i32], stride: usize, pixels: usize, pixel: usize) -> Computed<'a> {
        let Self { lane, channel, channels, .. } = *self;
        Computed { sums, stride, pixels, pixel, lane, channel, channels }
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
