//! The table of micro-kernels: the innermost routines of each instruction set.

use std::sync::OnceLock;

use crate::arch;
use crate::finish::{Finish, Tile};
use crate::image::ZERO;
use crate::isa::Isa;
use crate::max_pool::MaxWindows;
use crate::sink::Sink;
use crate::winograd::WinogradKernel;

/// The routines of one instruction set, each with the layouts that it wants.
///
/// A static table rather than a trait: tests, benches and packing iterate over it, and a new kernel
/// is one function and one line. [`kernels`] hands out only what this CPU can run, which is what
/// makes the functions safe to call.
#[derive(Debug)]
pub struct MicroKernels {
    pub(crate) level: crate::isa::Level,
    /// Sums of dense and grouped convolutions and of matrix products.
    pub dense: DenseKernel,
    /// Sums of depthwise convolutions.
    pub depthwise: DepthwiseKernel,
    /// Sums of 3×3 convolutions by Winograd's algorithm.
    pub winograd: Option<WinogradKernel>,
    /// From sums to sinks.
    pub finish: fn(&Finish<'_>, &Tile<'_>, &mut [Sink<'_>]),
    /// Routines over whole slices.
    pub rows: RowKernels,
    /// Multiply-accumulates of one round of the register-only loop, and that loop, run so many times.
    pub peak: (u64, fn(u64) -> i32),
}

/// Taps of a depthwise kernel that meet one weight vector, and most dense kernels' depths: four, as in the
/// dot products of x86 and of ARM.
pub const KR: usize = 4;

/// How weights lie in memory for a kernel's multiplication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WeightForm {
    /// The bytes of a group side by side, lane by lane: dot products.
    Bytes,
    /// Per vector of lanes two vectors of 16-bit pairs, depths `(k, k + 2)` and then `(k + 1, k + 3)`;
    /// groups of four.
    WordPairs,
    /// Two depths of every lane, then the next two of every lane: products of pairs that 16 bits hold.
    BytePairs,
    /// Depth by depth, one byte per lane, for kernels that turn stored bytes into values themselves and
    /// add two products in 16 bits, which values within ±127 allow.
    Rows,
}

/// A kernel that computes up to `halves · pixels` pixels of `lanes · vectors` output channels at once.
#[derive(Debug)]
pub struct DenseKernel {
    /// `dense_<pixels>x<channels>c<depths>__<isa>`.
    pub name: &'static str,
    /// Pixels of one half at most.
    pub pixels: usize,
    /// Halves at most, each with a start of its own.
    pub halves: usize,
    /// Output channels of one vector.
    pub lanes: usize,
    /// Vectors of output channels at most.
    pub vectors: usize,
    /// Vectors of output channels at least; a panel with fewer channels has lanes without weights.
    pub least_vectors: usize,
    /// Depths of a group: consecutive bytes of an activation that meet one weight vector.
    pub depths: usize,
    /// Layout of a panel: `[depth / depths][vector][form]`.
    pub form: WeightForm,
    /// What prepares the windows of pixels, if the kernel does not read images in place.
    pub gather: Option<Gather>,
    /// Writes `[half][pixel][lanes · vectors]` sums.
    ///
    /// # Panics
    /// If [`Strip::fits`] does not hold.
    pub run: fn(&Strip<'_>, &mut [i32]),
}

/// Copies windows of pixels to where all panels of weights then read them, one run after the other
/// without gaps, in an order of the kernel's own. The strip that a kernel gets then has one half and one
/// run ([`Taps::gathered`]), whose reach is also the step between pixels.
#[derive(Debug)]
pub struct Gather {
    /// How many times [`DenseKernel::pixels`] a run takes at most.
    pub tiles: usize,
    /// Bytes that an activation becomes.
    pub copies: usize,
    /// Writes [`Patch::gathered_bytes`] bytes into the last slice; the other is of use on the way.
    /// Depths beyond the windows' become any bytes, since their weights are zeros.
    ///
    /// # Panics
    /// If [`Patch::fits`] does not hold.
    pub run: fn(&Patch<'_>, &mut [u8], &mut [u8]),
}

/// Depths of a pixel that are gathered at once: one vector of them.
pub const COLUMN: usize = 16;

/// The windows of some pixels.
#[derive(Debug, Clone, Copy)]
pub struct Patch<'a> {
    /// Stored activations.
    pub bytes: &'a [u8],
    /// Where each pixel starts.
    pub starts: &'a [usize],
    /// The runs of bytes that a window consists of, with groups of one byte.
    pub taps: &'a Taps,
}

/// What a dense kernel multiplies: a panel of weights with the windows of some pixels.
#[derive(Debug, Clone, Copy)]
pub struct Strip<'a> {
    /// Stored activations.
    pub bytes: &'a [u8],
    /// Where the first pixel of each half starts; the second is not used if there is one half.
    pub starts: [usize; 2],
    /// 1 or 2.
    pub halves: usize,
    /// Pixels of each half.
    pub pixels: usize,
    /// Bytes from one pixel's start to the next.
    pub step: usize,
    /// The runs of bytes that a window consists of.
    pub taps: &'a Taps,
    /// Vectors of output channels.
    pub vectors: usize,
    /// Weights of these channels: `[tap][group of depths][vector][form]`.
    pub panel: &'a [i8],
    /// Weights to bring to the second-level cache meanwhile; no result depends on them.
    pub ahead: &'a [i8],
    /// What the sums begin with, one per channel.
    pub initial: &'a [i32],
}

/// Runs of consecutive activations, all equally long, relative to a pixel's start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taps {
    offsets: Vec<usize>,
    groups: usize,
    reach: usize,
}

/// A kernel that computes some pixels of `channels` channels, each with weights of its own.
#[derive(Debug)]
pub struct DepthwiseKernel {
    /// `depthwise_<pixels>x<channels>c<KR>__<isa>`.
    pub name: &'static str,
    /// Channels of one block.
    pub channels: usize,
    /// Pixels at most.
    pub pixels: usize,
    /// Layout of the weights of a block: `[taps / KR][form]` with the channels in vectors of
    /// the order in which interleaving bytes leaves them (see [`crate::panel`]).
    pub form: WeightForm,
    /// Lanes of one vector of sums.
    pub lanes: usize,
    /// Writes `[pixel][channels]` sums.
    ///
    /// # Panics
    /// If [`Windows::fit`] does not hold.
    pub run: fn(&Windows<'_>, &mut [i32]),
}

/// What a depthwise kernel multiplies.
#[derive(Debug, Clone, Copy)]
pub struct Windows<'a> {
    /// Stored activations.
    pub bytes: &'a [u8],
    /// Where the first pixel's window starts, at the first channel of the block.
    pub start: usize,
    /// Pixels.
    pub pixels: usize,
    /// Bytes from one pixel's start to the next.
    pub step: usize,
    /// Offset of every tap, a multiple of `KR` of them (those beyond the kernel have no weight).
    pub taps: &'a Taps,
    /// Weights of the block.
    pub panel: &'a [i8],
    /// What the sums begin with, one per channel.
    pub initial: &'a [i32],
}

/// Routines over whole slices; slices that belong together are equally long.
#[derive(Debug)]
pub struct RowKernels {
    /// [`quantize_values`](crate::quantize_values).
    pub quantize: fn(&[f32], f32, &mut [u8]),
    /// [`dequantize_values`](crate::dequantize_values).
    pub dequantize: fn(&[u8], f32, &mut [f32]),
    /// [`requantize_values`](crate::requantize_values).
    pub requantize: fn(&[u8], f32, f32, &mut [u8]),
    /// Three planes to pixels of three bytes.
    pub interleave: fn([&[u8]; 3], &mut [u8]),
    /// The largest bytes of windows.
    pub max: fn(&MaxWindows<'_>, &mut [u8]),
}

impl DenseKernel {
    /// Pixels of a half that a run takes at most.
    pub fn most_pixels(&self) -> usize {
        self.pixels * self.gather.as_ref().map_or(1, |gather| gather.tiles)
    }
}

impl WeightForm {
    /// Bytes of a group of `depths` depths of one lane.
    pub const fn bytes_per_lane(self, depths: usize) -> usize {
        match self {
            Self::Bytes | Self::BytePairs | Self::Rows => depths,
            Self::WordPairs => 2 * depths,
        }
    }

    /// What multiplies the sum of a lane's weights to give what its sum begins with: −[`ZERO`], if stored
    /// bytes are multiplied as they are.
    pub const fn initial_factor(self) -> i32 {
        match self {
            Self::Bytes | Self::BytePairs | Self::WordPairs => -(ZERO as i32),
            Self::Rows => 0,
        }
    }
}

impl Taps {
    /// Runs of `groups · depths` bytes at `offsets`.
    pub fn new(offsets: Vec<usize>, groups: usize, depths: usize) -> Self {
        let mut taps = Self::default();
        taps.set(offsets.into_iter(), groups, depths);
        taps
    }

    /// The one run of windows of `depth` activations that were gathered for `kernel`.
    pub fn gathered(depth: usize, kernel: &DenseKernel) -> Self {
        let copies = kernel.gather.as_ref().map_or(1, |gather| gather.copies);
        let reach = depth.next_multiple_of(COLUMN).saturating_mul(copies);
        Self { offsets: vec![0], groups: depth.div_ceil(kernel.depths), reach }
    }

    /// The same with other offsets, in the memory of these.
    pub(crate) fn set(&mut self, offsets: impl Iterator<Item = usize>, groups: usize, depths: usize) {
        self.offsets.clear();
        self.offsets.extend(offsets);
        self.groups = groups;
        let last = self.offsets.iter().copied().max().unwrap_or(0);
        self.reach = groups.saturating_mul(depths).saturating_add(last);
    }

    /// Where each run starts.
    pub fn offsets(&self) -> &[usize] {
        &self.offsets
    }

    /// Groups of depths of each run.
    pub fn groups(&self) -> usize {
        self.groups
    }

    /// Bytes from a pixel's start to the end of the run that ends last.
    pub fn reach(&self) -> usize {
        self.reach
    }
}

impl Patch<'_> {
    /// Activations of a window.
    pub fn depth(&self) -> usize {
        self.taps.offsets.len().saturating_mul(self.taps.groups)
    }

    /// Bytes of all pixels once they are gathered.
    pub fn gathered_bytes(&self, kernel: &DenseKernel) -> usize {
        let copies = kernel.gather.as_ref().map_or(1, |gather| gather.copies);
        self.row_bytes().saturating_mul(self.starts.len()).saturating_mul(copies)
    }

    /// Bytes that gathering needs on the way.
    pub fn spare_bytes(&self, kernel: &DenseKernel) -> usize {
        self.row_bytes().saturating_mul(kernel.pixels).saturating_add(COLUMN)
    }

    /// Whether the windows lie within the bytes and the slices for `kernel` are as long as they must be.
    pub fn fits(&self, kernel: &DenseKernel, spare: &[u8], out: &[u8]) -> bool {
        let last = self.starts.iter().fold(0, |last, &start| start.max(last));
        (1..=kernel.most_pixels()).contains(&self.starts.len())
            && self.depth() > 0
            && last.checked_add(self.taps.reach).is_some_and(|end| end <= self.bytes.len())
            && spare.len() >= self.spare_bytes(kernel)
            && out.len() == self.gathered_bytes(kernel)
    }

    /// Bytes of the gathered window of a pixel before they are copied.
    pub(crate) fn row_bytes(&self) -> usize {
        self.depth().checked_next_multiple_of(COLUMN).unwrap_or(usize::MAX)
    }
}

impl Strip<'_> {
    /// Whether the slices hold all that `kernel` reads.
    pub fn fits(&self, kernel: &DenseKernel) -> bool {
        let channels = self.vectors * kernel.lanes;
        let starts = &self.starts[..self.halves.min(2)];
        let last = starts.iter().copied().max().unwrap_or(0);
        let end = (self.pixels.wrapping_sub(1))
            .checked_mul(self.step)
            .and_then(|span| span.checked_add(last)?.checked_add(self.taps.reach));
        (1..=kernel.halves).contains(&self.halves)
            && (1..=kernel.most_pixels()).contains(&self.pixels)
            && (kernel.least_vectors..=kernel.vectors).contains(&self.vectors)
            && end.is_some_and(|end| end <= self.bytes.len())
            && self.panel.len()
                == self.taps.offsets.len() * self.taps.groups * channels * kernel.form.bytes_per_lane(kernel.depths)
            && self.initial.len() >= channels
    }

    /// Sums that the kernel writes.
    pub fn sums(&self, kernel: &DenseKernel) -> usize {
        self.halves * self.pixels * self.vectors * kernel.lanes
    }
}

impl Windows<'_> {
    /// Whether the slices hold all that `kernel` reads.
    pub fn fit(&self, kernel: &DepthwiseKernel) -> bool {
        let end = (self.pixels.wrapping_sub(1))
            .checked_mul(self.step)
            .and_then(|span| span.checked_add(self.start)?.checked_add(self.taps.reach)?.checked_add(kernel.channels));
        (1..=kernel.pixels).contains(&self.pixels)
            && self.taps.offsets.len().is_multiple_of(KR)
            && end.is_some_and(|end| end <= self.bytes.len())
            && self.panel.len() == self.taps.offsets.len() / KR * kernel.channels * kernel.form.bytes_per_lane(KR)
            && self.initial.len() >= kernel.channels
    }

    /// The taps of a kernel of 3 x 3, column by column, and the stride, 1 or 2, if there is such a kernel
    /// whose pixels share columns.
    #[cfg_attr(
        not(any(target_arch = "x86_64", target_arch = "aarch64")),
        expect(dead_code, reason = "for vector code")
    )]
    pub(crate) fn three_columns(&self) -> Option<(&[[usize; KR]; 3], usize)> {
        let columns: &[[usize; KR]; 3] = self.taps.offsets.as_chunks::<KR>().0.try_into().ok()?;
        // Three rows leave the fourth place of a group without a tap, whose offset is 0; a kernel of four
        // rows and three columns can have offsets that are apart in the same way.
        if columns.iter().any(|column| column[3] != 0) {
            return None;
        }
        let is_apart = |a: usize, b: usize| (0..3).all(|k| columns[b][k] == columns[a][k] + self.step);
        match (is_apart(0, 1) && is_apart(1, 2), is_apart(0, 2)) {
            (true, _) => Some((columns, 1)),
            (false, true) => Some((columns, 2)),
            (false, false) => None,
        }
    }
}

impl MicroKernels {
    /// What the CPU must have.
    pub fn isa(&self) -> Option<Isa> {
        Isa::available().iter().copied().find(|isa| isa.level() == self.level)
    }
}

/// The kernels of every instruction set that this CPU has, in the order of [`Isa::available`].
pub fn kernels() -> &'static [&'static MicroKernels] {
    static AVAILABLE: OnceLock<Vec<&'static MicroKernels>> = OnceLock::new();
    AVAILABLE.get_or_init(|| {
        let of_isa = |isa: &Isa| arch::KERNELS.iter().copied().find(|kernels| kernels.level == isa.level());
        Isa::available().iter().filter_map(of_isa).collect()
    })
}

/// The kernels of one instruction set.
pub(crate) fn kernels_of(isa: Isa) -> Option<&'static MicroKernels> {
    kernels().iter().copied().find(|kernels| kernels.level == isa.level())
}
