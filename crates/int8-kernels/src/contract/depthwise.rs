//! The depthwise kernel and what it multiplies.

use super::form::{KR, WeightForm};
use super::taps::Taps;

/// A kernel that computes some pixels of `channels` channels, each with weights of its own.
#[derive(Debug)]
pub(crate) struct DepthwiseKernel {
    /// `depthwise_<pixels>x<channels>c<KR>__<isa>`.
    pub(crate) name: &'static str,
    /// Channels of one block.
    pub(crate) channels: usize,
    /// Pixels at most.
    pub(crate) pixels: usize,
    /// Layout of the weights of a block: `[taps / KR][form]` with the channels in vectors of
    /// the order in which interleaving bytes leaves them (see [`crate::panel`]).
    pub(crate) form: WeightForm,
    /// Lanes of one vector of sums.
    pub(crate) lanes: usize,
    /// The code of [`DepthwiseKernel::run`].
    ///
    /// # Safety
    /// The CPU has its instructions, and [`Windows::fit`] holds.
    pub(crate) code: unsafe fn(&Windows<'_>, &mut [i32]),
}

/// What a depthwise kernel multiplies.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Windows<'a> {
    /// Stored activations.
    pub(crate) bytes: &'a [u8],
    /// Where the first pixel's window starts, at the first channel of the block.
    pub(crate) start: usize,
    /// Pixels.
    pub(crate) pixels: usize,
    /// Bytes from one pixel's start to the next.
    pub(crate) step: usize,
    /// Offset of every tap, a multiple of `KR` of them (those beyond the kernel have no weight).
    pub(crate) taps: &'a Taps,
    /// Weights of the block.
    pub(crate) panel: &'a [i8],
    /// What the sums begin with, one per channel.
    pub(crate) initial: &'a [i32],
}

impl DepthwiseKernel {
    /// Writes `[pixel][channels]` sums.
    ///
    /// # Panics
    /// If [`Windows::fit`] does not hold.
    #[inline]
    pub(crate) fn run(&self, windows: &Windows<'_>, out: &mut [i32]) {
        assert!(windows.fit(self, out), "operands do not fit {}", self.name);
        // SAFETY: they fit, and `kernels_of` gives out kernels only where the CPU has their instructions.
        unsafe { (self.code)(windows, out) }
    }
}

impl Windows<'_> {
    /// Whether the slices hold all that `kernel` reads and `out` all that it writes.
    pub(crate) fn fit(&self, kernel: &DepthwiseKernel, out: &[i32]) -> bool {
        let end = || {
            let span = self.pixels.checked_sub(1)?.checked_mul(self.step)?;
            span.checked_add(self.start)?.checked_add(self.taps.reach())?.checked_add(kernel.channels)
        };
        let group_bytes = kernel.channels * kernel.form.bytes_per_lane(KR);
        let taps = self.taps.offsets().len();
        (1..=kernel.pixels).contains(&self.pixels)
            && taps.is_multiple_of(KR)
            && end().is_some_and(|end| end <= self.bytes.len())
            && (taps / KR).checked_mul(group_bytes) == Some(self.panel.len())
            && self.initial.len() >= kernel.channels
            && out.len() >= self.pixels * kernel.channels
    }

    /// The taps of a kernel of 3 x 3, column by column, and the stride, 1 or 2, if there is such a kernel
    /// whose pixels share columns.
    #[cfg_attr(
        not(any(target_arch = "x86_64", target_arch = "aarch64")),
        expect(dead_code, reason = "for vector code")
    )]
    pub(crate) fn three_columns(&self) -> Option<(&[[usize; KR]; 3], usize)> {
        let columns: &[[usize; KR]; 3] = self.taps.offsets().as_chunks::<KR>().0.try_into().ok()?;
        // Three rows leave the fourth place of a group without a tap, whose offset is 0; a kernel of four
        // rows and three columns can have offsets that are apart in the same way.
        if columns.iter().any(|column| column[3] != 0) {
            return None;
        }
        let is_apart = |a: usize, b: usize| (0..3).all(|k| columns[b][k] == columns[a][k].wrapping_add(self.step));
        match (is_apart(0, 1) && is_apart(1, 2), is_apart(0, 2)) {
            (true, _) => Some((columns, 1)),
            (false, true) => Some((columns, 2)),
            (false, false) => None,
        }
    }
}
