//! All kernels of an instruction set.

use super::dense::DenseKernel;
use super::depthwise::DepthwiseKernel;
use super::rows::RowKernels;
use super::winograd::WinogradKernel;
use crate::finish::{Finish, Tile};
use crate::isa::Level;
use crate::sink::Sink;

/// The routines of one instruction set, each with the layouts that it wants.
///
/// A static table rather than a trait: tests and packing iterate over it, and a new kernel
/// is one function and one line. Who has an [`Isa`](crate::isa::Isa) gets the table that its CPU can run, and nobody gets
/// another one, which is what makes the methods safe to call.
#[derive(Debug)]
pub(crate) struct MicroKernels {
    /// What the CPU must have.
    pub(crate) level: Level,
    /// Sums of dense and grouped convolutions and of matrix products.
    pub(crate) dense: DenseKernel,
    /// Sums of depthwise convolutions.
    pub(crate) depthwise: DepthwiseKernel,
    /// Sums of 3×3 convolutions by Winograd's algorithm.
    pub(crate) winograd: Option<WinogradKernel>,
    /// The code of [`MicroKernels::finish`].
    ///
    /// # Safety
    /// The CPU has its instructions, and what the method asks holds.
    pub(crate) finish: unsafe fn(&Finish<'_>, &Tile<'_>, &mut [Sink<'_>]),
    /// Routines over whole slices.
    pub(crate) rows: RowKernels,
    /// Multiply-accumulates of one round of the register-only loop, and that loop, run so many times.
    pub(crate) peak: (u64, unsafe fn(u64) -> i32),
}

impl MicroKernels {
    /// From sums to sinks.
    ///
    /// # Safety
    /// The sums, the sinks and the addend hold every pixel of the tile, so that no product of a pixel's number with a
    /// stride wraps. Lengths are looked at again, products are not, since a tile takes little longer than that.
    ///
    /// # Panics
    /// If a slice has no room for what the tile says.
    #[inline]
    pub(crate) unsafe fn finish(&self, finish: &Finish<'_>, tile: &Tile<'_>, sinks: &mut [Sink<'_>]) {
        // SAFETY: promised by the caller; `kernels_of` gives out kernels only where the CPU has their instructions.
        unsafe { (self.finish)(finish, tile, sinks) }
    }

    /// The register-only loop, so many times; what it returns means nothing.
    pub(crate) fn spin(&self, rounds: u64) -> i32 {
        // SAFETY: `kernels_of` gives out kernels only where the CPU has their instructions.
        unsafe { (self.peak.1)(rounds) }
    }
}
