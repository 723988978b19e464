//! The routines of an instruction set for Winograd's algorithm, and what they read.

/// Outputs along one side of a tile.
pub const SIDE: usize = 4;
/// Inputs along one side of a tile.
pub const WINDOW: usize = 6;
/// Products per tile and pair of channels.
pub const COEFFICIENTS: usize = WINDOW * WINDOW;

/// The three steps of an instruction set: transform inputs, multiply, transform sums.
///
/// Panels have the lanes and vectors of the [`DenseKernel`](crate::micro_kernel::DenseKernel) of the same
/// set.
#[derive(Debug)]
pub struct WinogradKernel {
    /// `winograd_<tiles>x<channels>c<depths>__<isa>`.
    pub name: &'static str,
    /// Numbers of tiles that a block may have, in ascending order.
    pub blocks: &'static [usize],
    /// Output channels of a vector, and pairs of input channels of one.
    pub lanes: usize,
    /// Input channels whose weights lie side by side: two if products of pairs are added, else one.
    pub depths: usize,
    /// Vectors of output channels at most.
    pub vectors: usize,
    /// Vectors of output channels at least.
    pub least_vectors: usize,
    /// Input channels from which on it was measured to be faster than the dense kernel: transforms take time too.
    pub least_channels: usize,
    /// Tiles of an output from which on it was measured to be faster: it reads eight times the bytes of weights.
    pub least_tiles: usize,
    /// Writes `Bᵀ · d · B` of a row of tiles where [`Grid`] says.
    ///
    /// # Panics
    /// If [`Patches::fit`] does not hold.
    pub transform_inputs: fn(&Patches<'_>, &mut [i32]),
    /// Writes the sums of products of every tile of every block for the channels of one panel.
    ///
    /// # Panics
    /// If [`Product::fits`] does not hold.
    pub multiply: fn(&Product<'_>, &mut [i32]),
    /// Writes `Aᵀ · m · A / 576`, `[row of the tile][tile][column of the tile][channel]`.
    ///
    /// # Panics
    /// If [`Squares::fit`] does not hold.
    pub transform_sums: fn(&Squares<'_>, &mut [i32]),
}

/// How the coefficients of some tiles lie in memory.
///
/// Tiles come in blocks, all of the same size; the last may have tiles that nobody reads. Transformed inputs
/// are `[coefficient][block][chunk][tile][lane]` pairs of 16-bit values, of which the lower half is the
/// first channel, and a chunk is a vector of pairs of channels. Sums are
/// `[coefficient][block][tile][channel of the panel]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    /// Blocks.
    pub blocks: usize,
    /// Tiles of a block.
    pub tiles: usize,
    /// Vectors of pairs of input channels.
    pub chunks: usize,
    /// Pairs of a vector.
    pub lanes: usize,
    /// Elements from one coefficient of the inputs to the next.
    pub input_stride: usize,
}

/// A row of tiles of the input.
#[derive(Debug, Clone, Copy)]
pub struct Patches<'a> {
    /// Stored activations.
    pub bytes: &'a [u8],
    /// Where the first tile's first pixel starts.
    pub start: usize,
    /// Bytes from one row to the next.
    pub row_stride: usize,
    /// Bytes from one pixel to the next.
    pub pixel_stride: usize,
    /// Tiles, each four pixels from the one before.
    pub tiles: usize,
    /// Which tile of the grid the first is.
    pub first: usize,
    /// Where they go.
    pub grid: Grid,
}

/// Transformed inputs and the transformed weights of a panel.
#[derive(Debug, Clone, Copy)]
pub struct Product<'a> {
    /// As [`Grid`] says.
    pub inputs: &'a [i32],
    /// How they lie.
    pub grid: Grid,
    /// Pairs of input channels.
    pub pairs: usize,
    /// Vectors of output channels.
    pub vectors: usize,
    /// `[coefficient][input channel / depths][lane of every vector][depths]` 16-bit weights in little endian, of
    /// two input channels for every pair.
    pub panel: &'a [i8],
    /// Elements from one coefficient of the sums to the next.
    pub sum_stride: usize,
}

/// Sums of products of some tiles beside each other.
#[derive(Debug, Clone, Copy)]
pub struct Squares<'a> {
    /// From the first tile on.
    pub sums: &'a [i32],
    /// Elements from one coefficient to the next.
    pub stride: usize,
    /// Channels of the panel, a multiple of the lanes.
    pub channels: usize,
    /// Tiles.
    pub tiles: usize,
}

impl WinogradKernel {
    /// A grid for `tiles` tiles of inputs with `channels` channels.
    pub fn grid(&self, tiles: usize, channels: usize) -> Grid {
        // Loading weights takes about as long as multiplying with one tile.
        let cost = |&size: &usize| tiles.div_ceil(size) * (size + 1);
        let size = self.blocks.iter().copied().min_by_key(cost).unwrap_or(1);
        let (blocks, chunks) = (tiles.div_ceil(size), channels.div_ceil(2 * self.lanes));
        // An odd number of cache lines apart, so that the 36 stores of a tile do not fight for one place.
        let length = blocks * size * chunks * self.lanes;
        let input_stride = length.next_multiple_of(2 * LINE) + LINE;
        Grid { blocks, tiles: size, chunks, lanes: self.lanes, input_stride }
    }
}

/// Elements of a cache line.
const LINE: usize = 16;

impl Grid {
    /// Elements of all transformed inputs.
    pub fn inputs(&self) -> usize {
        COEFFICIENTS * self.input_stride
    }

    /// Elements from one coefficient of the sums to the next, for a panel of so many channels.
    pub fn sum_stride(&self, channels: usize) -> usize {
        (self.blocks * self.tiles * channels).next_multiple_of(2 * LINE) + LINE
    }

    /// Elements of a block of one coefficient of the inputs.
    pub(crate) fn block_length(&self) -> usize {
        self.tiles * self.chunks * self.lanes
    }

    /// Where a tile's first pair of the first coefficient lies.
    #[allow(dead_code, reason = "architectures without vector code do not call it")]
    pub(crate) fn at(&self, tile: usize) -> usize {
        tile / self.tiles * self.block_length() + tile % self.tiles * self.lanes
    }
}

impl Patches<'_> {
    /// Whether the slice holds all that `kernel` reads and `out` all that it writes.
    pub fn fit(&self, kernel: &WinogradKernel, out: &[i32]) -> bool {
        let Grid { chunks, lanes, blocks, tiles, input_stride } = self.grid;
        let end = (SIDE * self.tiles + 1).checked_mul(self.pixel_stride).and_then(|end| {
            let row = (WINDOW - 1).checked_mul(self.row_stride)?;
            end.checked_add(row)?.checked_add(self.start)?.checked_add(2 * chunks * lanes)
        });
        lanes == kernel.lanes
            && self.tiles > 0
            && self.first.checked_add(self.tiles).is_some_and(|last| last <= blocks * tiles)
            && blocks * self.grid.block_length() <= input_stride
            && out.len() >= self.grid.inputs()
            && end.is_some_and(|end| end <= self.bytes.len())
    }
}

impl Product<'_> {
    /// Whether the slices hold all that `kernel` reads and `out` all that it writes.
    pub fn fits(&self, kernel: &WinogradKernel, out: &[i32]) -> bool {
        let channels = self.vectors * kernel.lanes;
        self.grid.lanes == kernel.lanes
            && kernel.blocks.contains(&self.grid.tiles)
            && (kernel.least_vectors..=kernel.vectors).contains(&self.vectors)
            && self.pairs <= self.grid.chunks * self.grid.lanes
            && self.grid.blocks * self.grid.block_length() <= self.grid.input_stride
            && self.inputs.len() >= self.grid.inputs()
            && self.panel.len() == COEFFICIENTS * self.pairs * channels * size_of::<i32>()
            && self.grid.blocks * self.grid.tiles * channels <= self.sum_stride
            && out.len() >= COEFFICIENTS * self.sum_stride
    }
}

impl Squares<'_> {
    /// Whether the slice holds all that a kernel reads and `out` all that it writes.
    pub fn fit(&self, kernel: &WinogradKernel, out: &[i32]) -> bool {
        let length = self.tiles * self.channels;
        self.channels.is_multiple_of(kernel.lanes)
            && self.channels > 0
            && length <= self.stride
            && self.sums.len() >= (COEFFICIENTS - 1) * self.stride + length
            && out.len() >= SIDE * SIDE * length
    }
}
