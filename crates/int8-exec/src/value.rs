//! What flows between the layers of a quantized network.

use fp32_ref::{Shape, Tensor};
use ncnn_format::{Error, Result};

/// A blob that is f32 or int8.
///
/// ```
/// use fp32_ref::Tensor;
/// use int8_exec::Value;
///
/// let value = Value::I8 { tensor: Tensor::new([2], vec![-6_i8, 127])?, scale: 4.0 };
/// assert_eq!(value.to_f32()?.as_slice(), [-1.5, 31.75]);
/// # Ok::<(), ncnn_format::Error>(())
/// ```
#[derive(Debug, Clone)]
pub enum Value {
    /// Plain floats.
    F32(Tensor),
    /// Integers that stand for `q / scale`.
    I8 {
        /// The integers, within -127..=127.
        tensor: Tensor<i8>,
        /// The multiplier they were made with.
        scale: f32,
    },
}

impl Value {
    /// The sizes.
    pub fn shape(&self) -> Shape {
        match self {
            Self::F32(tensor) => tensor.shape(),
            Self::I8 { tensor, .. } => tensor.shape(),
        }
    }

    /// The value as floats; int8 is divided by its scale (0 where the scale is 0).
    ///
    /// # Errors
    /// None in practice: the shape is one that exists.
    pub fn to_f32(&self) -> Result<Tensor> {
        match self {
            Self::F32(tensor) => Ok(tensor.clone()),
            Self::I8 { tensor, scale } => {
                let step = if *scale == 0.0 { 0.0 } else { 1.0 / scale };
                let floats = tensor.as_slice().iter().map(|&q| f32::from(q) * step).collect();
                Tensor::new(tensor.shape().dims(), floats)
            }
        }
    }

    /// The tensor of an f32 blob.
    ///
    /// # Errors
    /// `Unsupported` for int8: ncnn would read the integers as if they were floats.
    pub(crate) fn into_f32(self) -> Result<Tensor> {
        match self {
            Self::F32(tensor) => Ok(tensor),
            Self::I8 { .. } => Err(Error::unsupported(
                "the input blob is int8, but this layer computes on floats (ncnn would read garbage)",
            )),
        }
    }
}
