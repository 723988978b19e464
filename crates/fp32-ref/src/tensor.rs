//! The value of a blob.

use ncnn_format::{Error, Result};
use ndarray::{ArcArray, ArrayViewD, IxDyn};

use crate::Shape;

/// A dense array of one to four dimensions, row-major, outermost first.
///
/// Cloning shares the storage; writing copies it only if it is shared. That makes
/// `Split` and `Reshape` free and lets an element-wise layer work in place.
///
/// ```
/// use fp32_ref::Tensor;
///
/// let image = Tensor::new([2, 1, 3], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0])?;
/// let shared = image.clone();
/// let doubled = image.map(|x| 2.0 * x);
/// assert_eq!((shared.shape().c(), shared.as_slice()[5], doubled.as_slice()[5]), (2, 6.0, 12.0));
/// # Ok::<(), ncnn_format::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor<T = f32> {
    // Always in standard (row-major, contiguous) layout.
    array: ArcArray<T, IxDyn>,
    shape: Shape,
}

impl<T: Clone> Tensor<T> {
    /// A tensor of `dims` (outermost first) over `data` in row-major order.
    ///
    /// # Errors
    /// `Invalid` when the number of elements differs from the product of `dims`,
    /// or `dims` is no [`Shape`].
    pub fn new(dims: impl AsRef<[usize]>, data: Vec<T>) -> Result<Self> {
        let shape = Shape::new(dims.as_ref())?;
        let found = data.len();
        let array = ArcArray::from_shape_vec(IxDyn(shape.dims()), data).map_err(|_| {
            Error::invalid(format!("the shape {shape} needs {} elements, found {found}", shape.volume()))
        })?;
        Ok(Self { array, shape })
    }

    /// A tensor of `shape` whose outermost slices hold `values`, one value each.
    ///
    /// `values` has [`Shape::outer`] elements; missing ones are not written.
    pub fn filled_per_channel(shape: Shape, values: &[T]) -> Self
    where
        T: Default,
    {
        let mut tensor = Self::filled(shape, T::default());
        for (slice, value) in tensor.channels_mut().zip(values) {
            slice.fill(value.clone());
        }
        tensor
    }

    /// A tensor of `shape` with `value` everywhere.
    pub fn filled(shape: Shape, value: T) -> Self {
        Self { array: ArcArray::from_elem(IxDyn(shape.dims()), value), shape }
    }

    /// A tensor with the elements of `view` in its logical order.
    ///
    /// # Errors
    /// `Invalid` when the view's shape is no [`Shape`].
    pub fn from_view(view: ArrayViewD<'_, T>) -> Result<Self> {
        let shape = Shape::new(view.shape())?;
        Ok(Self { array: view.as_standard_layout().into_owned().into_shared(), shape })
    }

    /// The sizes.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The elements in row-major order.
    pub fn as_slice(&self) -> &[T] {
        // Empty is unreachable: the layout is standard by construction.
        self.array.as_slice().unwrap_or_default()
    }

    /// The elements for writing; copies them first if they are shared.
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        self.array.as_slice_mut().unwrap_or_default()
    }

    /// The slices of the outermost dimension in order: channels, rows of 2-D, elements of 1-D.
    pub fn channels_mut(&mut self) -> impl Iterator<Item = &mut [T]> {
        let len = self.shape.volume() / self.shape.outer();
        self.as_mut_slice().chunks_exact_mut(len)
    }

    /// The slices of the outermost dimension in order, as [`Tensor::channels_mut`].
    pub fn channels(&self) -> impl Iterator<Item = &[T]> {
        self.as_slice().chunks_exact(self.shape.volume() / self.shape.outer())
    }

    /// The buffer, if nobody else holds it.
    pub(crate) fn into_buffer(self) -> Option<Vec<T>> {
        let (buffer, offset) = self.array.try_into_owned_nocopy().ok()?.into_raw_vec_and_offset();
        // A view into the middle cannot serve as a whole.
        (offset == Some(0)).then_some(buffer)
    }

    /// An n-dimensional view, outermost dimension first.
    pub fn view(&self) -> ArrayViewD<'_, T> {
        self.array.view()
    }

    /// The same elements under another shape.
    ///
    /// # Errors
    /// `Invalid` when the number of elements differs.
    pub fn reshaped(self, shape: Shape) -> Result<Self> {
        let from = self.shape;
        let array = self.array.into_shape_with_order(IxDyn(shape.dims())).map_err(|_| {
            Error::invalid(format!(
                "the shape {from} has {} elements and cannot become {shape} with {}",
                from.volume(),
                shape.volume()
            ))
        })?;
        Ok(Self { array, shape })
    }

    /// Applies `f` to every element, in place where the storage is not shared.
    #[must_use]
    pub fn map(mut self, mut f: impl FnMut(T) -> T) -> Self {
        for value in self.as_mut_slice() {
            *value = f(value.clone());
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writing_to_a_clone_leaves_the_original() {
        let original = Tensor::new([3], vec![1.0, 2.0, 3.0]).unwrap();
        let changed = original.clone().map(|value| -value);
        assert_eq!(original.as_slice(), [1.0, 2.0, 3.0]);
        assert_eq!(changed.as_slice(), [-1.0, -2.0, -3.0]);
    }

    #[test]
    fn a_transposed_view_becomes_row_major() {
        let tensor = Tensor::new([2, 3], vec![1, 2, 3, 4, 5, 6]).unwrap();
        let turned = Tensor::from_view(tensor.view().reversed_axes()).unwrap();
        assert_eq!(turned.as_slice(), [1, 4, 2, 5, 3, 6]);
    }

    #[test]
    fn says_how_many_elements_were_missing() {
        let message = Tensor::new([2, 2], vec![0.0]).unwrap_err().to_string();
        assert_eq!(message, "the shape 2x2 needs 4 elements, found 1");
    }
}
