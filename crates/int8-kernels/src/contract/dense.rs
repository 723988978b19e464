//! The dense kernel and what it multiplies.

use super::form::WeightForm;
use super::gather::{COLUMN, Gather};
use super::taps::Taps;

/// A kernel that computes up to `halves · pixels` pixels of `lanes · vectors` output channels at once.
#[derive(Debug)]
pub(crate) struct DenseKernel {
    /// `dense_<pixels>x<channels>c<depths>__<isa>`.
    pub(crate) name: &'static str,
    /// Pixels of one half at most.
    pub(crate) pixels: usize,
    /// Halves at most, each with a start of its own.
    pub(crate) halves: usize,
    /// Output channels of one vector.
    pub(crate) lanes: usize,
    /// Vectors of output channels at most.
    pub(crate) vectors: usize,
    /// Vectors of output channels at least; a panel with fewer channels has lanes without weights.
    pub(crate) least_vectors: usize,
    /// Depths of a group: consecutive bytes of an activation that meet one weight vector.
    pub(crate) depths: usize,
    /// Layout of a panel: `[depth / depths][vector][form]`.
    pub(crate) form: WeightForm,
    /// What prepares the windows of pixels, if the kernel does not read images in place.
    pub(crate) gather: Option<Gather>,
    /// The code of [`DenseKernel::run`].
    ///
    /// # Safety
    /// The CPU has its instructions, and [`Strip::fits`] holds.
    pub(crate) code: unsafe fn(&Strip<'_>, &mut [i32]),
}

/// What a dense kernel multiplies: a panel of weights with the windows of some pixels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Strip<'a> {
    /// Stored activations.
    pub(crate) bytes: &'a [u8],
    /// Where the first pixel of each half starts; the second is not used if there is one half.
    pub(crate) starts: [usize; 2],
    /// 1 or 2.
    pub(crate) halves: usize,
    /// Pixels of each half.
    pub(crate) pixels: usize,
    /// Bytes from one pixel's start to the next.
    pub(crate) step: usize,
    /// The runs of bytes that a window consists of.
    pub(crate) taps: &'a Taps,
    /// Vectors of output channels.
    pub(crate) vectors: usize,
    /// Weights of these channels: `[tap][group of depths][vector][form]`.
    pub(crate) panel: &'a [i8],
    /// Weights to bring to the second-level cache meanwhile; no result depends on them.
    #[cfg_attr(not(target_arch = "x86_64"), allow(dead_code, reason = "only x86 asks for lines of memory"))]
    pub(crate) ahead: &'a [i8],
    /// What the sums begin with, one per channel.
    pub(crate) initial: &'a [i32],
}

impl DenseKernel {
    /// Writes `[half][pixel][lanes · vectors]` sums.
    ///
    /// # Panics
    /// If [`Strip::fits`] does not hold.
    #[inline]
    pub(crate) fn run(&self, strip: &Strip<'_>, out: &mut [i32]) {
        assert!(strip.fits(self, out), "operands do not fit {}", self.name);
        // SAFETY: they fit, and `kernels_of` gives out kernels only where the CPU has their instructions.
        unsafe { (self.code)(strip, out) }
    }

    /// Pixels of a half that a run takes at most.
    pub(crate) fn most_pixels(&self) -> usize {
        self.gather.as_ref().map_or(self.pixels, Gather::most_pixels)
    }

    /// The one run of windows of `depth` activations that were gathered for this kernel.
    pub(crate) fn gathered_taps(&self, depth: usize) -> Taps {
        let copies = self.gather.as_ref().map_or(1, |gather| gather.copies);
        let row = depth.checked_next_multiple_of(COLUMN).unwrap_or(usize::MAX);
        Taps::gathered(depth.div_ceil(self.depths), self.depths, row.saturating_mul(copies))
    }
}

impl Strip<'_> {
    /// Whether the slices hold all that `kernel` reads and `out` all that it writes.
    pub(crate) fn fits(&self, kernel: &DenseKernel, out: &[i32]) -> bool {
        let is_a_tile = (1..=kernel.halves.min(2)).contains(&self.halves)
            && (1..=kernel.most_pixels()).contains(&self.pixels)
            && (kernel.least_vectors..=kernel.vectors).contains(&self.vectors)
            && self.taps.depths() == kernel.depths;
        if !is_a_tile {
            return false;
        }
        let [first, second] = self.starts;
        let last = if self.halves == 2 { first.max(second) } else { first };
        let end = || (self.pixels - 1).checked_mul(self.step)?.checked_add(last)?.checked_add(self.taps.reach());
        let channels = self.vectors * kernel.lanes;
        let group_bytes = channels * kernel.form.bytes_per_lane(kernel.depths);
        end().is_some_and(|end| end <= self.bytes.len())
            && self.taps.all_groups().checked_mul(group_bytes) == Some(self.panel.len())
            && self.initial.len() >= channels
            && out.len() >= self.halves * self.pixels * channels
    }
}
