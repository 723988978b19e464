//! Sums on their way from a kernel to the epilogue.

/// The output pixels of a band as lines, all equally wide.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lines {
    pub(crate) count: usize,
    pub(crate) width: usize,
}

/// Sums of consecutive pixels, as a kernel leaves them.
#[derive(Debug, Clone, Copy)]
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
