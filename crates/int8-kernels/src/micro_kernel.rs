//! The table of micro-kernels: the innermost routines, one tile of output each.

use crate::arch;
use crate::isa::Isa;

/// The block of output that a micro-kernel computes at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tile {
    /// Rows: output channels.
    pub mr: usize,
    /// Columns: output pixels.
    pub nr: usize,
    /// Depth values of one row that lie side by side in a panel of weights.
    pub kr: usize,
}

/// One routine of the table.
///
/// A static table rather than a trait: tests, benches and packing iterate over it, and a new kernel
/// is one function and one line.
#[derive(Debug)]
pub struct MicroKernel {
    /// `<op>_<MR>x<NR>c<KR>__<isa>`.
    pub name: &'static str,
    /// What the CPU must have; the token proves that it does.
    pub isa: Isa,
    /// Block of output.
    pub tile: Tile,
    /// Computes one tile: `out[row][column]`, `mr · nr` elements row by row, overwritten.
    ///
    /// Precondition: the operands satisfy [`Operands::fit`] for this tile, and activations are
    /// within ±127. Anything else gives wrong sums or a panic, never undefined behaviour.
    pub run: fn(&Operands<'_>, &mut [i32]),
}

/// What a micro-kernel multiplies.
#[derive(Debug, Clone, Copy)]
pub struct Operands<'a> {
    /// Products per sum.
    pub depth: usize,
    /// One panel: `[depth / kr rounded up][mr][kr]`, zeros beyond the depth and beyond the last row.
    pub weights: &'a [i8],
    /// The first `nr` columns of `depth` rows; row `k` starts at `k · row_stride`.
    pub activations: &'a [i8],
    /// Elements from one row of the activations to the next, at least `nr`.
    pub row_stride: usize,
}

/// The most sums that one tile may have, so that a tile fits the stack.
pub(crate) const LARGEST_TILE: usize = 512;

/// Every kernel that this build knows, for every instruction set that this CPU has.
pub fn kernels() -> &'static [MicroKernel] {
    arch::KERNELS
}

impl Tile {
    /// Elements of one panel of weights.
    pub fn panel_len(&self, depth: usize) -> usize {
        depth.div_ceil(self.kr).saturating_mul(self.kr * self.mr)
    }
}

impl Operands<'_> {
    /// Whether the slices hold all that a kernel of this tile reads.
    pub fn fit(&self, tile: &Tile) -> bool {
        let read = match self.depth {
            0 => 0,
            depth => (depth - 1).saturating_mul(self.row_stride).saturating_add(tile.nr),
        };
        self.row_stride >= tile.nr && self.weights.len() == tile.panel_len(self.depth) && self.activations.len() >= read
    }
}

/// The kernel for many columns and the one for a few, which share a layout of weights.
///
/// Of an instruction set, the widest tile is for many columns; `nr == 1` is for the rest.
pub(crate) fn kernel_pair(isa: Isa) -> Option<(&'static MicroKernel, &'static MicroKernel)> {
    let of_isa = || kernels().iter().filter(move |kernel| kernel.isa == isa);
    let wide = of_isa().max_by_key(|kernel| kernel.tile.nr)?;
    let narrow = of_isa().find(|kernel| kernel.tile == Tile { nr: 1, ..wide.tile }).unwrap_or(wide);
    Some((wide, narrow))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_decode_to_tile_and_isa() {
        for kernel in kernels() {
            let Tile { mr, nr, kr } = kernel.tile;
            assert!((1..=LARGEST_TILE).contains(&(mr * nr)) && kr > 0);
            assert_eq!(kernel.name, format!("gemm_{mr}x{nr}c{kr}__{}", kernel.isa));
        }
    }

    #[test]
    fn every_available_isa_has_a_wide_and_a_narrow_kernel() {
        for &isa in Isa::available() {
            let (wide, narrow) = kernel_pair(isa).unwrap();
            assert!(wide.tile.nr >= narrow.tile.nr);
            assert_eq!((wide.tile.mr, wide.tile.kr), (narrow.tile.mr, narrow.tile.kr));
        }
    }

    #[test]
    fn operands_fit_only_when_nothing_is_read_beyond_them() {
        let tile = Tile { mr: 2, nr: 3, kr: 4 };
        let operands = Operands { depth: 2, weights: &[0; 8], activations: &[0; 8], row_stride: 5 };
        assert!(operands.fit(&tile));
        assert!(!Operands { activations: &[0; 7], ..operands }.fit(&tile));
        assert!(!Operands { weights: &[0; 7], ..operands }.fit(&tile));
        assert!(!Operands { row_stride: 2, ..operands }.fit(&tile));
    }
}
