//! Depthwise convolutions: blocks of channels over pixels.

use crate::contract::{DepthwiseKernel, KR, Taps, Windows};
use crate::error::{Error, checked_product};
use crate::geometry::ConvShape;
use crate::lanes::Lanes;
use crate::panel::{AlignedBytes, channel_of_lane, put};
use crate::source::{Needs, Source};
use crate::sums::{Computed, LARGEST_TILE, Lines};

/// Weights of a depthwise convolution, packed in blocks of channels.
#[derive(Debug, Clone)]
pub(crate) struct DepthwiseWeights {
    kernel: &'static DepthwiseKernel,
    bytes: AlignedBytes,
    /// What the sums of a block begin with, in the order of its lanes.
    initial: Vec<i32>,
    channels: usize,
    /// Neighbouring pixels that share a block, where a pixel has too few channels to fill one.
    shared: usize,
}

impl DepthwiseWeights {
    /// Packs weights `[channels][kernel_h][kernel_w]`.
    pub(crate) fn new(
        shape: &ConvShape,
        weights: &[i8],
        kernel: &'static DepthwiseKernel,
    ) -> Result<(Self, Lanes), Error> {
        let taps = shape.kernel_h * shape.kernel_w;
        let channels = shape.out_channels;
        // A pixel of whole vectors, as the epilogue wants it.
        let can_share =
            shape.stride_w == 1 && kernel.channels.is_multiple_of(channels) && channels.is_multiple_of(kernel.lanes);
        let shared = if can_share { kernel.channels / channels } else { 1 };
        let blocks = channels.div_ceil(kernel.channels);
        let groups = slots(shape).count() / KR;
        let vector_bytes = kernel.lanes * kernel.form.bytes_per_lane(KR);
        let parts = kernel.channels / kernel.lanes;
        let mut bytes = AlignedBytes::zeros(checked_product("packed weights", &[blocks, groups, parts, vector_bytes])?);
        let mut initial = vec![0i32; blocks * kernel.channels];
        for (index, initial) in initial.iter_mut().enumerate() {
            let (block, lane) = (index / kernel.channels, index % kernel.channels);
            let mut channel = block * kernel.channels + channel_of_lane(lane, kernel.lanes, kernel.channels);
            if shared > 1 {
                channel %= channels;
            }
            let Some(weights) = weights.get(channel * taps..(channel + 1) * taps) else { continue };
            let sum: i32 = weights.iter().map(|&weight| i32::from(weight)).sum();
            *initial = kernel.form.initial_factor() * sum;
            let slots: Vec<i8> =
                slots(shape).map(|tap| tap.map_or(0, |(y, x)| weights[y * shape.kernel_w + x])).collect();
            for (group, four) in slots.chunks_exact(KR).enumerate() {
                let vector = (block * groups + group) * parts + lane / kernel.lanes;
                let to = &mut bytes.as_mut_slice()[vector * vector_bytes..][..vector_bytes];
                put(to, kernel.form, kernel.lanes, lane % kernel.lanes, four);
            }
        }
        let mut lanes = Lanes::new(blocks * kernel.channels);
        lanes.place(0, 0..channels);
        Ok((Self { kernel, bytes, initial, channels, shared }, lanes))
    }

    pub(crate) fn name(&self) -> &'static str {
        self.kernel.name
    }

    pub(crate) fn needs(&self) -> Needs {
        Needs { is_dense: self.shared > 1, last_pixel: self.channels.next_multiple_of(self.kernel.channels) }
    }

    /// The taps of a window over `source`, filled up to whole groups.
    pub(crate) fn set_taps(&self, shape: &ConvShape, source: &Source<'_>, taps: &mut Taps) {
        taps.set(slots(shape).map(|tap| tap.map_or(0, |(y, x)| source.tap(shape, y, x))), 0, KR);
    }

    /// Computes all channels of the pixels of a band and hands them on.
    pub(crate) fn walk(&self, source: &Source<'_>, lines: Lines, taps: &Taps, mut emit: impl FnMut(Computed<'_>)) {
        let mut tile = [0i32; LARGEST_TILE];
        let block = self.kernel.channels;
        let block_bytes = taps.offsets().len() / KR * block * self.kernel.form.bytes_per_lane(KR);
        let panels = self.bytes.as_slice().chunks_exact(block_bytes);
        let step = source.pixel_step * self.shared;
        for (index, (panel, initial)) in panels.zip(self.initial.chunks_exact(block)).enumerate() {
            let channel = index * block;
            let mut windows = Windows { bytes: source.bytes, start: 0, pixels: 0, step, taps, panel, initial };
            for line in 0..lines.count {
                for x in (0..lines.width).step_by(self.kernel.pixels * self.shared) {
                    let pixels = (self.kernel.pixels * self.shared).min(lines.width - x);
                    windows.pixels = pixels.div_ceil(self.shared);
                    windows.start = source.origin + line * source.line_step + x * source.pixel_step + channel;
                    self.kernel.run(&windows, &mut tile);
                    let stride = block / self.shared;
                    emit(Computed {
                        sums: &tile[..pixels * stride],
                        stride,
                        pixels,
                        pixel: line * lines.width + x,
                        lane: channel,
                        channel,
                        channels: block.min(self.channels - channel),
                    });
                }
            }
        }
    }
}

/// The taps in the order of packing, filled up to groups of `KR` with places without a tap: kernels of
/// three rows column by column, because kernels reuse columns; others row by row.
fn slots(shape: &ConvShape) -> impl Iterator<Item = Option<(usize, usize)>> {
    let (height, width) = (shape.kernel_h, shape.kernel_w);
    let is_by_columns = height == 3;
    let count = if is_by_columns { width * KR } else { (height * width).next_multiple_of(KR) };
    (0..count).map(move |slot| {
        let tap = if is_by_columns { (slot % KR, slot / KR) } else { (slot / width, slot % width) };
        (tap.0 < height).then_some(tap)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slots_of(kernel_h: usize, kernel_w: usize) -> Vec<Option<(usize, usize)>> {
        slots(&ConvShape { kernel_h, kernel_w, ..ConvShape::pointwise(1, 1) }).collect()
    }

    #[test]
    fn three_rows_are_packed_column_by_column_and_others_row_by_row() {
        let column = |x| [Some((0, x)), Some((1, x)), Some((2, x)), None];
        assert_eq!(slots_of(3, 2), [column(0), column(1)].concat());
        assert_eq!(slots_of(2, 2), [Some((0, 0)), Some((0, 1)), Some((1, 0)), Some((1, 1))]);
        assert_eq!(slots_of(1, 1), [Some((0, 0)), None, None, None]);
    }

    #[test]
    fn every_tap_has_one_place_and_places_come_in_whole_groups() {
        for (height, width) in (1..8).flat_map(|height| (1..8).map(move |width| (height, width))) {
            let slots = slots_of(height, width);
            assert!(slots.len().is_multiple_of(KR), "{height}x{width}");
            let mut taps: Vec<(usize, usize)> = slots.into_iter().flatten().collect();
            taps.sort_unstable();
            assert!(taps.into_iter().eq((0..height).flat_map(|y| (0..width).map(move |x| (y, x)))));
        }
    }
}
