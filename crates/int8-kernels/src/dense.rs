//! The weights of dense and grouped convolutions, packed in panels.

use std::ops::Range;

use crate::contract::{DenseKernel, Strip, Taps};
use crate::error::{Error, checked_product};
use crate::geometry::ConvShape;
use crate::lanes::Lanes;
use crate::panel::{AlignedBytes, put};
use crate::source::{Needs, Source};
use crate::sums::Computed;

/// Weights of a convolution, packed in panels of some output channels of one group.
#[derive(Debug, Clone)]
pub(crate) struct DenseWeights {
    pub(crate) kernel: &'static DenseKernel,
    pub(crate) panels: Vec<Panel>,
    pub(crate) bytes: AlignedBytes,
    /// Taps whose weights follow each other without gaps: all if windows are gathered; those of a kernel
    /// row, `kernel_w · channels` bytes, if the channels of one tap do not fill whole groups of depths; else one.
    run_taps: usize,
    /// Input channels of a group.
    pub(crate) in_group: usize,
    /// The one run of a gathered window.
    pub(crate) gathered: Taps,
}

#[derive(Debug, Clone)]
pub(crate) struct Panel {
    pub(crate) group: usize,
    pub(crate) vectors: usize,
    pub(crate) bytes: Range<usize>,
    /// Where its lanes lie among those of all panels.
    pub(crate) lane: usize,
    pub(crate) channel: usize,
    pub(crate) channels: usize,
}

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
        let gathered = kernel.gathered_taps(taps * in_group);
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
        // Taps side by side in memory are one run, if no padded group of depths lies between them.
        let is_joined = shape.groups == 1
            && shape.dilation_w == 1
            && source.pixel_stride == shape.in_channels
            && (self.run_taps > 1 || shape.in_channels.is_multiple_of(depths));
        let run = if is_joined { shape.kernel_w * self.in_group } else { self.in_group };
        let columns = if is_joined { 1 } else { shape.kernel_w };
        let offsets = (0..shape.kernel_h).flat_map(|y| (0..columns).map(move |x| source.tap(shape, y, x)));
        taps.set(offsets, run.div_ceil(depths), depths);
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
}

impl Panel {
    /// Sums `[pixel][stride]` of this panel's channels from pixel `pixel` of the band on.
    pub(crate) fn computed<'a>(&self, sums: &'a [i32], stride: usize, pixels: usize, pixel: usize) -> Computed<'a> {
        let Self { lane, channel, channels, .. } = *self;
        Computed { sums, stride, pixels, pixel, lane, channel, channels }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arch::kernels_of;
    use crate::isa::Isa;

    fn packed(shape: &ConvShape, isa: Isa) -> (DenseWeights, Lanes) {
        let weights = vec![1; shape.out_channels * shape.depth().unwrap()];
        DenseWeights::new(shape, &weights, &kernels_of(isa).dense).unwrap()
    }

    #[test]
    fn panels_follow_each_other_and_have_every_channel_once() {
        for (isa, outputs) in Isa::available().iter().flat_map(|&isa| [1, 8, 33, 100].map(|outputs| (isa, outputs))) {
            let shape = ConvShape { groups: 3, kernel_w: 2, ..ConvShape::pointwise(6, 3 * outputs) };
            let (weights, lanes) = packed(&shape, isa);
            let panels = weights.panels();
            assert!(panels.windows(2).all(|pair| pair[0].bytes.end == pair[1].bytes.start), "{isa}");
            assert!(panels.windows(2).all(|pair| pair[0].channel + pair[0].channels == pair[1].channel), "{isa}");
            assert_eq!(panels.iter().map(|panel| panel.channels).sum::<usize>(), shape.out_channels, "{isa}");
            assert!(panels.iter().all(|panel| panel.channel / outputs == panel.group), "{isa}");
            let last = panels.last().unwrap();
            assert_eq!(lanes.initial.len(), last.lane + last.lanes(weights.kernel.lanes), "{isa}");
            assert_eq!(weights.bytes.as_slice().len(), last.bytes.end, "{isa}");
        }
    }

    #[test]
    fn every_weight_is_packed_and_the_rest_are_zeros() {
        for (isa, inputs) in Isa::available().iter().flat_map(|&isa| [1, 3, 4, 9, 16].map(|inputs| (isa, inputs))) {
            let shape = ConvShape { kernel_h: 2, kernel_w: 3, ..ConvShape::pointwise(inputs, 19) };
            let (weights, _) = packed(&shape, isa);
            let sum: i64 = weights.bytes.as_slice().iter().map(|&weight| i64::from(weight)).sum();
            // Pairs of words hold a weight in two bytes, of which the upper is zero.
            assert_eq!(sum, (19 * 6 * inputs) as i64, "{isa} {inputs}");
        }
    }
}
