//! A blob while the network runs.

use ncnn_format::Result;

use crate::{Pixels, Shape, Tensor, Workspace};

/// The value of a blob in the order that its maker found fastest.
///
/// Cloning shares the storage.
#[derive(Debug, Clone)]
pub enum Value {
    /// In ncnn's order, channel by channel.
    Planar(Tensor),
    /// Pixel by pixel.
    Pixels(Pixels),
}

impl Value {
    /// The shape as ncnn writes it.
    pub fn shape(&self) -> Shape {
        match self {
            Self::Planar(tensor) => tensor.shape(),
            Self::Pixels(pixels) => pixels.shape(),
        }
    }

    /// All values in the order in which they lie in memory, which is not
    /// always ncnn's: for those who count, not for those who compare.
    pub fn unordered(&self) -> &[f32] {
        match self {
            Self::Planar(tensor) => tensor.as_slice(),
            Self::Pixels(pixels) => pixels.as_slice(),
        }
    }

    /// The value in ncnn's order.
    pub fn to_tensor(&self) -> Tensor {
        match self {
            Self::Planar(tensor) => tensor.clone(),
            Self::Pixels(pixels) => pixels.to_tensor(),
        }
    }

    /// Turns the value into ncnn's order.
    pub(crate) fn into_planar(self, workspace: &mut Workspace) -> Result<Tensor> {
        match self {
            Self::Planar(tensor) => Ok(tensor),
            Self::Pixels(pixels) => {
                let tensor = pixels.to_planar(workspace)?;
                workspace.give_tensor(pixels.into_interleaved());
                Ok(tensor)
            }
        }
    }

    /// Turns the value into channels-last order; a vector becomes one pixel.
    ///
    /// # Errors
    /// `Invalid` for matrices and 4-D values, which have no pixels.
    pub fn into_pixels(self, workspace: &mut Workspace) -> Result<Pixels> {
        match self {
            Self::Planar(tensor) if tensor.shape().rank() == 1 => {
                let channels = tensor.shape().w();
                Ok(Pixels::from_interleaved(tensor.reshaped(Shape::new(&[1, 1, channels])?)?))
            }
            Self::Planar(tensor) => Pixels::from_planar(tensor, workspace),
            Self::Pixels(pixels) => Ok(pixels),
        }
    }
}

impl Pixels {
    /// What `run` makes of the tensors of the shape `[h, w, c]` behind `inputs`.
    pub(crate) fn pass(inputs: Vec<Self>, run: impl FnOnce(Vec<Tensor>) -> Result<Vec<Tensor>>) -> Result<Vec<Value>> {
        let outputs = run(inputs.into_iter().map(Self::into_interleaved).collect())?;
        Ok(outputs.into_iter().map(|tensor| Value::Pixels(Self::from_interleaved(tensor))).collect())
    }
}

impl Workspace {
    /// Takes the buffer of `value` back unless somebody else holds it.
    pub fn give_value(&mut self, value: Value) {
        self.give_tensor(match value {
            Value::Planar(tensor) => tensor,
            Value::Pixels(pixels) => pixels.into_interleaved(),
        });
    }
}
