//! Sizes of a tensor.

use std::fmt;

use ncnn_format::{Error, Result};

/// One to four dimensions, outermost first: `[w]`, `[h, w]`, `[c, h, w]` or
/// `[c, d, h, w]`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shape {
    rank: usize,
    dims: [usize; 4],
}

impl Shape {
    /// The largest number of elements; it keeps a few parameters in a file from
    /// asking for more memory than machines have.
    pub const MAX_VOLUME: usize = 1 << 30;

    /// # Errors
    /// `Invalid` for no or more than four dimensions and for an empty one,
    /// `TooLarge` for more than [`Shape::MAX_VOLUME`] elements.
    pub fn new(dims: &[usize]) -> Result<Self> {
        if dims.is_empty() || dims.len() > 4 {
            return Err(Error::invalid(format!("a tensor has 1 to 4 dimensions, found {dims:?}")));
        }
        let product = dims.iter().try_fold(1usize, |product, &dim| product.checked_mul(dim));
        if dims.contains(&0) {
            return Err(Error::invalid(format!("a tensor cannot have the shape {dims:?}")));
        }
        if product.is_none_or(|product| product > Self::MAX_VOLUME) {
            return Err(Error::too_large(format!(
                "the shape {dims:?} has more than the {} elements that are allowed",
                Self::MAX_VOLUME
            )));
        }
        let mut all = [1; 4];
        all[..dims.len()].copy_from_slice(dims);
        Ok(Self { rank: dims.len(), dims: all })
    }

    /// The number of dimensions, 1 to 4.
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// The dimensions, outermost first.
    pub fn dims(&self) -> &[usize] {
        &self.dims[..self.rank]
    }

    /// The innermost dimension.
    pub fn w(&self) -> usize {
        self.dims[self.rank - 1]
    }

    /// The dimension before the innermost, 1 for 1-D.
    pub fn h(&self) -> usize {
        if self.rank >= 2 { self.dims[self.rank - 2] } else { 1 }
    }

    /// The depth of a 4-D shape, else 1.
    pub fn d(&self) -> usize {
        if self.rank == 4 { self.dims[1] } else { 1 }
    }

    /// The channels of a 3-D or 4-D shape, else 1.
    pub fn c(&self) -> usize {
        if self.rank >= 3 { self.dims[0] } else { 1 }
    }

    /// The outermost dimension.
    pub fn outer(&self) -> usize {
        self.dims[0]
    }

    /// The number of elements; at least 1.
    pub fn volume(&self) -> usize {
        self.dims().iter().product()
    }

    /// Position of `axis` in [`Shape::dims`]; negative counts from the innermost.
    ///
    /// # Errors
    /// `Invalid` when there is no such dimension.
    pub fn axis(&self, axis: i32) -> Result<usize> {
        let rank = self.rank as i64;
        let positive = if axis < 0 { i64::from(axis) + rank } else { i64::from(axis) };
        usize::try_from(positive)
            .ok()
            .filter(|&position| position < self.rank)
            .ok_or_else(|| Error::invalid(format!("axis {axis} does not exist in the shape {self}")))
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dims: Vec<String> = self.dims().iter().map(ToString::to_string).collect();
        f.pad(&dims.join("x"))
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_dimensions_count_from_the_inside() {
        let shape = Shape::new(&[3, 4, 5]).unwrap();
        assert_eq!((shape.c(), shape.d(), shape.h(), shape.w()), (3, 1, 4, 5));
        let row = Shape::new(&[7]).unwrap();
        assert_eq!((row.c(), row.h(), row.w()), (1, 1, 7));
    }

    #[test]
    fn refuses_empty_and_enormous_shapes() {
        assert!(Shape::new(&[]).is_err());
        assert!(Shape::new(&[3, 0, 5]).is_err());
        assert!(Shape::new(&[usize::MAX, 2]).is_err());
        assert_eq!(Shape::new(&[1 << 20, 1 << 20]).unwrap_err().kind(), ncnn_format::ErrorKind::TooLarge);
    }
}
