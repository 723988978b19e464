//! The routines of an instruction set for Winograd's algorithm, and what they read.

/// Outputs along one side of a tile.
pub(crate) const SIDE: usize = 4;
/// Inputs along one side of a tile.
pub(crate) const WINDOW: usize = 6;
/// Products per tile and pair of channels.
pub(crate) const COEFFICIENTS: usize = WINDOW * WINDOW;
/// The inverse of 9 modulo 2³².
pub(crate) const NINTH: i32 = 0x38E3_8E39;

/// The three steps of an instruction set: transform inputs, multiply, transform sums.
///
/// Panels have the lanes and vectors of the [`DenseKernel`](super::DenseKernel) of the same set.
#[derive(Debug)]
pub(crate) struct WinogradKernel {
    /// `winograd_<tiles>x<channels>c<depths>__<isa>`.
    pub(crate) name: &'static str,
    /// Numbers of tiles that a block may have, in ascending order.
    pub(crate) blocks: &'static [usize],
    /// Output channels of a vector, and pairs of input channels of one.
    pub(crate) lanes: usize,
    /// Input channels whose weights lie side by side: two if products of pairs are added, else one.
    pub(crate) depths: usize,
    /// Vectors of output channels at most.
    pub(crate) vectors: usize,
    /// Vectors of output channels at least.
    pub(crate) least_vectors: usize,
    /// Input channels from which on it was measured to be faster than the dense kernel: transforms take time too.
    pub(crate) least_channels: usize,
    /// Tiles of an output from which on it was measured to be faster: it reads eight times the bytes of weights.
    pub(crate) least_tiles: usize,
    /// The code of [`WinogradKernel::transform_inputs`].
    ///
    /// # Safety
    /// The CPU has its instructions, and [`Patches::fit`] holds.
    pub(crate) transform_inputs: unsafe fn(&Patches<'_>, &mut [i32]),
    /// The code of [`WinogradKernel::multiply`].
    ///
    /// # Safety
    /// The CPU has its instructions, and [`Product::fits`] holds.
    pub(crate) multiply: unsafe fn(&Product<'_>, &mut [i32]),
    /// The code of [`WinogradKernel::transform_sums`].
    ///
    /// # Safety
    /// The CPU has its instructions, and [`Squares::fit`] holds.
    pub(crate) transform_sums: unsafe fn(&Squares<'_>, &mut [i32]),
}

/// How the coefficients of some tiles lie in memory. Its sizes fit each other and `usize`, because nothing but
/// [`WinogradKernel::grid`] makes one.
///
/// Tiles come in blocks, all of the same size; the last may have tiles that nobody reads. Transformed inputs
/// are `[coefficient][block][chunk][tile][lane]` pairs of 16-bit values, of which the lower half is the
/// first channel, and a chunk is a vector of pairs of channels. Sums are
/// `[coefficient][block][tile][channel of the panel]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Grid {
    blocks: usize,
    tiles: usize,
    chunks: usize,
    lanes: usize,
    input_stride: usize,
    inputs: usize,
}

/// A row of tiles of the input.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patches<'a> {
    /// Stored activations.
    pub(crate) bytes: &'a [u8],
    /// Where the first tile's first pixel starts.
    pub(crate) start: usize,
    /// Bytes from one row to the next.
    pub(crate) row_stride: usize,
    /// Bytes from one pixel to the next.
    pub(crate) pixel_stride: usize,
    /// Tiles, each four pixels from the one before.
    pub(crate) tiles: usize,
    /// Which tile of the grid the first is.
    pub(crate) first: usize,
    /// Where they go.
    pub(crate) grid: Grid,
}

/// Transformed inputs and the transformed weights of a panel.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Product<'a> {
    /// As [`Grid`] says.
    pub(crate) inputs: &'a [i32],
    /// How they lie.
    pub(crate) grid: Grid,
    /// Pairs of input channels.
    pub(crate) pairs: usize,
    /// Vectors of output channels.
    pub(crate) vectors: usize,
    /// `[coefficient][input channel / depths][lane of every vector][depths]` 16-bit weights in little endian, of
    /// two input channels for every pair.
    pub(crate) panel: &'a [i8],
    /// Elements from one coefficient of the sums to the next.
    pub(crate) sum_stride: usize,
}

/// Sums of products of some tiles beside each other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Squares<'a> {
    /// From the first tile on.
    pub(crate) sums: &'a [i32],
    /// Elements from one coefficient to the next.
    pub(crate) stride: usize,
    /// Channels of the panel, a multiple of the lanes.
    pub(crate) channels: usize,
    /// Tiles.
    pub(crate) tiles: usize,
}

impl WinogradKernel {
    /// A grid for `tiles` tiles of inputs with `channels` channels; `None` if a size of it does not fit `usize`.
    pub(crate) fn grid(&self, tiles: usize, channels: usize) -> Option<Grid> {
        // Loading weights takes about as long as multiplying with one tile.
        let cost = |&size: &usize| tiles.div_ceil(size).saturating_mul(size + 1);
        let size = self.blocks.iter().copied().min_by_key(cost)?;
        let (blocks, chunks) = (tiles.div_ceil(size), channels.div_ceil(2 * self.lanes));
        let block_length = size.checked_mul(chunks)?.checked_mul(self.lanes)?;
        let input_stride = stride_of(blocks.checked_mul(block_length)?)?;
        let inputs = input_stride.checked_mul(COEFFICIENTS)?;
        blocks.checked_mul(size)?;
        Some(Grid { blocks, tiles: size, chunks, lanes: self.lanes, input_stride, inputs })
    }

    /// Writes `Bᵀ · d · B` of a row of tiles where [`Grid`] says.
    ///
    /// # Panics
    /// If [`Patches::fit`] does not hold.
    #[inline]
    pub(crate) fn transform_inputs(&self, patches: &Patches<'_>, out: &mut [i32]) {
        assert!(patches.fit(self, out), "patches do not fit {}", self.name);
        // SAFETY: they fit, and `kernels_of` gives out kernels only where the CPU has their instructions.
        unsafe { (self.transform_inputs)(patches, out) }
    }

    /// Writes the sums of products of every tile of every block for the channels of one panel.
    ///
    /// # Panics
    /// If [`Product::fits`] does not hold.
    #[inline]
    pub(crate) fn multiply(&self, product: &Product<'_>, out: &mut [i32]) {
        assert!(product.fits(self, out), "operands do not fit {}", self.name);
        // SAFETY: as in `transform_inputs`.
        unsafe { (self.multiply)(product, out) }
    }

    /// Writes `Aᵀ · m · A / 576`, `[row of the tile][tile][column of the tile][channel]`.
    ///
    /// # Panics
    /// If [`Squares::fit`] does not hold.
    #[inline]
    pub(crate) fn transform_sums(&self, squares: &Squares<'_>, out: &mut [i32]) {
        assert!(squares.fit(self, out), "squares do not fit {}", self.name);
        // SAFETY: as in `transform_inputs`.
        unsafe { (self.transform_sums)(squares, out) }
    }
}

/// Elements of a cache line.
const LINE: usize = 16;

/// From one coefficient of `length` elements to the next: an odd number of cache lines, so that the 36 stores of a
/// tile do not fight for one place.
fn stride_of(length: usize) -> Option<usize> {
    length.checked_next_multiple_of(2 * LINE)?.checked_add(LINE)
}

#[allow(dead_code, reason = "architectures without vector code read none of it")]
impl Grid {
    /// Blocks.
    pub(crate) fn blocks(&self) -> usize {
        self.blocks
    }

    /// Tiles of a block.
    pub(crate) fn tiles(&self) -> usize {
        self.tiles
    }

    /// Vectors of pairs of input channels.
    pub(crate) fn chunks(&self) -> usize {
        self.chunks
    }

    /// Pairs of a vector.
    pub(crate) fn lanes(&self) -> usize {
        self.lanes
    }

    /// Elements from one coefficient of the inputs to the next.
    pub(crate) fn input_stride(&self) -> usize {
        self.input_stride
    }

    /// Elements of all transformed inputs.
    pub(crate) fn inputs(&self) -> usize {
        self.inputs
    }

    /// Elements from one coefficient of the sums to the next, for a panel of so many channels.
    pub(crate) fn sum_stride(&self, channels: usize) -> Option<usize> {
        stride_of(self.all_tiles().checked_mul(channels)?)
    }

    /// Elements of a block of one coefficient of the inputs.
    pub(crate) fn block_length(&self) -> usize {
        self.tiles * self.chunks * self.lanes
    }

    /// Where a tile's first pair of the first coefficient lies.
    pub(crate) fn at(&self, tile: usize) -> usize {
        tile / self.tiles * self.block_length() + tile % self.tiles * self.lanes
    }

    /// Tiles of all blocks.
    fn all_tiles(&self) -> usize {
        self.blocks * self.tiles
    }
}

impl Patches<'_> {
    /// Whether the slice holds all that `kernel` reads and `out` all that it writes.
    pub(crate) fn fit(&self, kernel: &WinogradKernel, out: &[i32]) -> bool {
        let end = || {
            let columns = self.tiles.checked_mul(SIDE)?.checked_add(1)?.checked_mul(self.pixel_stride)?;
            let rows = self.row_stride.checked_mul(WINDOW - 1)?;
            columns.checked_add(rows)?.checked_add(self.start)?.checked_add(2 * self.grid.chunks * self.grid.lanes)
        };
        self.grid.lanes == kernel.lanes
            && self.tiles > 0
            && self.first.checked_add(self.tiles).is_some_and(|last| last <= self.grid.all_tiles())
            && out.len() >= self.grid.inputs
            && end().is_some_and(|end| end <= self.bytes.len())
    }
}

impl Product<'_> {
    /// Whether the slices hold all that `kernel` reads and `out` all that it writes.
    pub(crate) fn fits(&self, kernel: &WinogradKernel, out: &[i32]) -> bool {
        let Self { grid, pairs, .. } = self;
        let channels = self.vectors.saturating_mul(kernel.lanes);
        let panel = || pairs.checked_mul(COEFFICIENTS * size_of::<i32>())?.checked_mul(channels);
        let sums = || grid.all_tiles().checked_mul(channels);
        grid.lanes == kernel.lanes
            && kernel.blocks.contains(&grid.tiles)
            && (kernel.least_vectors..=kernel.vectors).contains(&self.vectors)
            && *pairs > 0
            && pairs.div_ceil(grid.lanes) == grid.chunks
            && self.inputs.len() >= grid.inputs
            && panel() == Some(self.panel.len())
            && sums().is_some_and(|sums| sums <= self.sum_stride)
            && self.sum_stride > 0
            && self.sum_stride.checked_mul(COEFFICIENTS).is_some_and(|end| end <= out.len())
    }
}

impl Squares<'_> {
    /// Whether the slice holds all that a kernel reads and `out` all that it writes.
    pub(crate) fn fit(&self, kernel: &WinogradKernel, out: &[i32]) -> bool {
        let Some(length) = self.tiles.checked_mul(self.channels) else { return false };
        let end = || self.stride.checked_mul(COEFFICIENTS - 1)?.checked_add(length);
        self.channels.is_multiple_of(kernel.lanes)
            && self.channels > 0
            && length <= self.stride
            && end().is_some_and(|end| end <= self.sums.len())
            && length.checked_mul(SIDE * SIDE).is_some_and(|end| end <= out.len())
    }
}
