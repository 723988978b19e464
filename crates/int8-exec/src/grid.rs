//! How the values of a blob lie in memory.

use fp32_ref::Shape;

/// Pixels with their channels side by side: the order in which integers lie in memory.
///
/// An image `[c, h, w]` has `h · w` pixels of `c` channels, a matrix `[h, w]` has `h` pixels of `w`,
/// anything else is one pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Grid {
    pub(crate) height: usize,
    pub(crate) width: usize,
    pub(crate) channels: usize,
}

impl Grid {
    pub(crate) fn of(shape: Shape) -> Self {
        match shape.rank() {
            3 => Self { height: shape.h(), width: shape.w(), channels: shape.c() },
            2 => Self { height: shape.h(), width: 1, channels: shape.w() },
            _ => Self { height: 1, width: 1, channels: shape.volume() },
        }
    }

    /// All values as one pixel.
    pub(crate) fn flat(shape: Shape) -> Self {
        Self { height: 1, width: 1, channels: shape.volume() }
    }

    pub(crate) fn pixels(&self) -> usize {
        self.height * self.width
    }

    /// Whether ncnn's order, channel by channel, is this one too.
    pub(crate) fn is_planar(&self, rank: usize) -> bool {
        rank != 3 || self.pixels() == 1 || self.channels == 1
    }

    /// Where the value at `position` of ncnn's order lies: pixel and channel.
    pub(crate) fn place(&self, rank: usize, position: usize) -> (usize, usize) {
        if rank == 3 {
            (position % self.pixels(), position / self.pixels())
        } else {
            (position / self.channels, position % self.channels)
        }
    }

    /// Whether joining `inputs` to the only one of `outputs` puts channels side by side.
    pub(crate) fn joins(inputs: &[Shape], outputs: &[Shape]) -> bool {
        let [output] = outputs else { return false };
        let joined = Self::of(*output);
        inputs.iter().all(|input| {
            let grid = Self::of(*input);
            input.rank() == output.rank()
                && input.rank() < 4
                && (grid.height, grid.width) == (joined.height, joined.width)
        }) && inputs.iter().map(|input| Self::of(*input).channels).sum::<usize>() == joined.channels
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(dims: &[usize]) -> Shape {
        Shape::new(dims).unwrap()
    }

    #[test]
    fn every_value_has_a_place_of_its_own() {
        for dims in [&[3, 2, 2][..], &[3, 4], &[5], &[2, 2, 2, 2]] {
            let shape = shape(dims);
            let grid = Grid::of(shape);
            let mut places: Vec<_> = (0..shape.volume()).map(|position| grid.place(shape.rank(), position)).collect();
            places.sort_unstable();
            places.dedup();
            assert_eq!(places.len(), shape.volume());
            assert!(places.iter().all(|&(pixel, channel)| pixel < grid.pixels() && channel < grid.channels));
        }
    }

    #[test]
    fn only_channels_join_side_by_side() {
        assert!(Grid::joins(&[shape(&[2, 3, 4]), shape(&[5, 3, 4])], &[shape(&[7, 3, 4])]));
        assert!(!Grid::joins(&[shape(&[2, 3, 4]), shape(&[2, 3, 4])], &[shape(&[2, 6, 4])]));
        assert!(Grid::joins(&[shape(&[3, 4]), shape(&[3, 1])], &[shape(&[3, 5])]));
        assert!(!Grid::joins(&[shape(&[3, 4]), shape(&[1, 4])], &[shape(&[4, 4])]));
    }
}
