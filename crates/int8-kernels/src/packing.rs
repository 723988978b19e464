//! Weights in the order that a micro-kernel reads them.

use crate::error::{Error, check_length, checked_product};
use crate::geometry::MAX_DEPTH;
use crate::isa::Isa;
use crate::micro_kernel::{MicroKernel, Tile, kernel_pair};

/// A matrix of weights, `rows x depth`, packed once for the kernels of one instruction set.
///
/// Panels of `mr` rows follow each other; inside a panel the layout is
/// `[depth / kr rounded up][mr][kr]`. Rows and depths that the matrix does not have are zero.
#[derive(Debug, Clone)]
pub struct PackedWeights {
    rows: usize,
    depth: usize,
    panels: Vec<i8>,
    pub(crate) wide: &'static MicroKernel,
    pub(crate) narrow: &'static MicroKernel,
}

impl PackedWeights {
    /// Packs `weights`, laid out `[rows][depth]` (output channels x products per sum).
    ///
    /// # Errors
    /// `Depth` beyond [`MAX_DEPTH`], `Length` if the matrix has another number of elements,
    /// `TooLarge` if the packed size overflows, `NoKernel` if the table has none for `isa`.
    pub fn new(rows: usize, depth: usize, weights: &[i8], isa: Isa) -> Result<Self, Error> {
        if depth > MAX_DEPTH {
            return Err(Error::Depth { depth });
        }
        check_length("weights", checked_product("weights", &[rows, depth])?, weights.len())?;
        let (wide, narrow) = kernel_pair(isa).ok_or(Error::NoKernel { isa: isa.name() })?;
        Ok(Self { rows, depth, panels: pack(rows, depth, weights, &wide.tile)?, wide, narrow })
    }

    /// Rows of the matrix: output channels.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Columns of the matrix: products per sum.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// What the weights are packed for.
    pub fn isa(&self) -> Isa {
        self.wide.isa
    }

    /// The panels in order, each with the rows of the matrix that it holds.
    pub(crate) fn panels(&self) -> impl Iterator<Item = (std::ops::Range<usize>, &[i8])> {
        let mr = self.wide.tile.mr;
        // With a depth of zero the panels are empty but the rows are still there.
        let length = self.wide.tile.panel_len(self.depth);
        (0..self.rows.div_ceil(mr)).map(move |panel| {
            let first = panel * mr;
            (first..self.rows.min(first + mr), &self.panels[panel * length..(panel + 1) * length])
        })
    }
}

/// The panels of a `rows x depth` matrix for kernels of one tile, zeros where the matrix ends.
///
/// # Errors
/// `Length` if the matrix has another number of elements, `TooLarge` if the packed size overflows.
pub fn pack(rows: usize, depth: usize, weights: &[i8], tile: &Tile) -> Result<Vec<i8>, Error> {
    check_length("weights", checked_product("weights", &[rows, depth])?, weights.len())?;
    let groups = depth.div_ceil(tile.kr);
    let size = checked_product("packed weights", &[rows.div_ceil(tile.mr), groups, tile.mr, tile.kr])?;
    let mut panels = vec![0; size];
    if depth == 0 {
        return Ok(panels);
    }
    for (row, values) in weights.chunks_exact(depth).enumerate() {
        let panel_start = row / tile.mr * tile.panel_len(depth);
        for (group, values) in values.chunks(tile.kr).enumerate() {
            let start = panel_start + (group * tile.mr + row % tile.mr) * tile.kr;
            panels[start..start + values.len()].copy_from_slice(values);
        }
    }
    Ok(panels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panels_hold_groups_of_rows_of_lanes_and_end_in_zeros() {
        let packed = pack(3, 3, &[1, 2, 3, 4, 5, 6, 7, 8, 9], &Tile { mr: 2, nr: 1, kr: 2 }).unwrap();
        assert_eq!(packed, [1, 2, 4, 5, 3, 0, 6, 0, 7, 8, 0, 0, 9, 0, 0, 0]);
    }

    #[test]
    fn a_depth_that_could_overflow_is_refused() {
        let error = PackedWeights::new(0, MAX_DEPTH + 1, &[], Isa::scalar()).unwrap_err();
        assert_eq!(error, Error::Depth { depth: MAX_DEPTH + 1 });
        assert!(PackedWeights::new(0, MAX_DEPTH, &[], Isa::scalar()).is_ok());
    }

    #[test]
    fn a_matrix_of_another_size_is_refused() {
        let error = PackedWeights::new(2, 3, &[0; 5], Isa::scalar()).unwrap_err();
        assert_eq!(error.to_string(), "weights must have 6 elements, found 5");
        let error = PackedWeights::new(usize::MAX, 3, &[0; 5], Isa::scalar()).unwrap_err();
        assert_eq!(error.to_string(), "weights is too large to address");
    }

    #[test]
    fn packed_weights_say_what_they_are() {
        let packed = PackedWeights::new(5, 2, &[1; 10], Isa::scalar()).unwrap();
        assert_eq!((packed.rows(), packed.depth(), packed.isa()), (5, 2, Isa::scalar()));
        let rows: Vec<_> = packed.panels().map(|(rows, _)| rows).collect();
        assert_eq!(rows, [0..4, 4..5]);
    }
}
