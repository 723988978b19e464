//! Images with the channels of a pixel side by side.

use ncnn_format::{Error, Result};

use crate::shares::each_share;
use crate::simd::vectorized;
use crate::{Shape, Tensor, Workspace};

/// A 3-D value in channels-last order: row by row, pixel by pixel, channel by channel.
///
/// Convolutions work on it: a pixel is a row of the matrix that is multiplied, and
/// all channels of a pixel fill the vector registers however small the image is.
#[derive(Debug, Clone)]
pub struct Pixels {
    /// Of the shape `[h, w, c]`.
    tensor: Tensor,
}

impl Pixels {
    /// `values` in channels-last order for an image of `shape` (`[c, h, w]`).
    ///
    /// # Errors
    /// `Invalid` when the number of values is another, or `shape` is not 3-D.
    pub fn new(shape: Shape, values: Vec<f32>) -> Result<Self> {
        if shape.rank() != 3 {
            return Err(Error::invalid(format!("only 3-D blobs have pixels, this one is {shape}")));
        }
        Ok(Self { tensor: Tensor::new([shape.h(), shape.w(), shape.c()], values)? })
    }

    /// Takes `tensor`, of the shape `[h, w, c]`, as it is.
    pub(crate) fn from_interleaved(tensor: Tensor) -> Self {
        Self { tensor }
    }

    /// The tensor of the shape `[h, w, c]`.
    pub fn into_interleaved(self) -> Tensor {
        self.tensor
    }

    /// The shape as ncnn writes it: `[c, h, w]`.
    pub fn shape(&self) -> Shape {
        let [h, w, c] = [self.tensor.shape().c(), self.tensor.shape().h(), self.tensor.shape().w()];
        // The same numbers made a valid shape before.
        Shape::new(&[c, h, w]).unwrap_or(self.tensor.shape())
    }

    /// The values, pixel by pixel.
    pub fn as_slice(&self) -> &[f32] {
        self.tensor.as_slice()
    }

    /// Changes every pixel in place; a value takes `cost` operations. `buffer` makes what pixels that are
    /// changed one after the other share.
    pub(crate) fn map_pixels<B>(
        mut self,
        cost: usize,
        buffer: impl Fn() -> B + Sync,
        change: impl Fn(&mut B, &mut [f32]) + Sync,
    ) -> Self {
        let channels = self.tensor.shape().w();
        each_share(self.tensor.as_mut_slice(), channels, cost, |_, values| {
            let mut buffer = buffer();
            vectorized(
                #[inline(always)]
                || values.chunks_exact_mut(channels).for_each(|pixel| change(&mut buffer, pixel)),
            );
        });
        self
    }

    /// Turns a 3-D tensor.
    pub(crate) fn from_planar(tensor: Tensor, workspace: &mut Workspace) -> Result<Self> {
        let shape = tensor.shape();
        let mut values = workspace.take(shape.volume());
        transpose(tensor.as_slice(), shape.h() * shape.w(), &mut values);
        workspace.give_tensor(tensor);
        Self::new(shape, values)
    }

    /// The value in ncnn's order.
    pub(crate) fn to_tensor(&self) -> Tensor {
        let shape = self.shape();
        let mut tensor = Tensor::filled(shape, 0.0);
        transpose(self.as_slice(), shape.c(), tensor.as_mut_slice());
        tensor
    }

    /// The value in ncnn's order, in memory of `workspace`.
    pub(crate) fn to_planar(&self, workspace: &mut Workspace) -> Result<Tensor> {
        let shape = self.shape();
        let mut values = workspace.take(shape.volume());
        transpose(self.as_slice(), shape.c(), &mut values);
        Tensor::new(shape.dims(), values)
    }
}

/// Writes the matrix `from`, rows of `columns`, column by column to `to`.
fn transpose(from: &[f32], columns: usize, to: &mut [f32]) {
    // Blocks that stay in the first-level cache in both orders.
    const BLOCK: usize = 16;
    let rows = from.len() / columns;
    if rows == 1 || columns == 1 {
        to.copy_from_slice(from);
        return;
    }
    each_share(to, rows, 4, |start, to| {
        vectorized(
            #[inline(always)]
            || {
                for first_row in (0..rows).step_by(BLOCK) {
                    let row_end = (first_row + BLOCK).min(rows);
                    for (block, to) in to.chunks_mut(BLOCK * rows).enumerate() {
                        for (column, to) in
                            to.chunks_exact_mut(rows).zip(start + block * BLOCK..).map(|(to, c)| (c, to))
                        {
                            for (value, row) in to[first_row..row_end].iter_mut().zip(first_row..) {
                                *value = from[row * columns + column];
                            }
                        }
                    }
                }
            },
        );
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turning_twice_gives_the_same() {
        let mut workspace = Workspace::default();
        for dims in [[1, 1, 1], [3, 5, 7], [17, 1, 33], [33, 18, 2]] {
            let len = dims.iter().product::<usize>();
            let tensor = Tensor::new(dims, (0..len).map(|i| i as f32).collect()).unwrap();
            let pixels = Pixels::from_planar(tensor.clone(), &mut workspace).unwrap();
            assert_eq!(pixels.shape(), tensor.shape());
            assert_eq!(pixels.to_planar(&mut workspace).unwrap(), tensor);
        }
    }

    #[test]
    fn the_channels_of_a_pixel_lie_side_by_side() {
        let tensor = Tensor::new([2, 1, 3], vec![0.0, 1.0, 2.0, 10.0, 11.0, 12.0]).unwrap();
        let pixels = Pixels::from_planar(tensor, &mut Workspace::default()).unwrap();
        assert_eq!(pixels.as_slice(), [0.0, 10.0, 1.0, 11.0, 2.0, 12.0]);
    }
}
