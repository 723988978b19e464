//! What layers that pool regions of interest share.

use ncnn_format::{Error, Result};

use super::arity::exactly;
use super::window::positive;
use crate::{Shape, Tensor};

/// The grid that a region is divided into.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grid {
    pub(super) w: usize,
    pub(super) h: usize,
}

/// Start and size of a region along one axis.
#[derive(Debug, Clone, Copy)]
pub(super) struct Extent {
    pub(super) start: f32,
    pub(super) size: f32,
}

impl Grid {
    /// # Errors
    /// `Malformed` when a side is below 1.
    pub(super) fn new(pooled_width: i32, pooled_height: i32) -> Result<Self> {
        Ok(Self { w: positive("pooled_width", pooled_width)?, h: positive("pooled_height", pooled_height)? })
    }

    /// The output for `channels` channels; checks that there are an image and a region.
    ///
    /// # Errors
    /// `Invalid` when there are not.
    pub(super) fn output(&self, inputs: &[Shape], channels: impl Fn(Shape) -> Result<usize>) -> Result<Shape> {
        let [image, region] = exactly(inputs.iter().copied())?;
        if image.rank() == 4 {
            return Err(Error::invalid(format!("expects an image, the input is 4-D ({image})")));
        }
        if region.volume() < 4 {
            return Err(Error::invalid(format!("expects a region of 4 numbers, the input has {region}")));
        }
        Shape::new(&[channels(image)?, self.h, self.w])
    }

    /// Row and column of every cell.
    pub(super) fn cells(self) -> impl Iterator<Item = (usize, usize)> {
        (0..self.h).flat_map(move |row| (0..self.w).map(move |column| (row, column)))
    }
}

/// Left, top, right and bottom edge of the region in `roi`, whose first numbers they are.
pub(super) fn edges(roi: &Tensor) -> [f32; 4] {
    roi.as_slice().first_chunk().copied().unwrap_or_default()
}

/// `from..to`, cut to `0..size`; empty when `to` is before `from`. Numbers that are none become 0.
pub(super) fn cut(from: f32, to: f32, size: usize) -> std::ops::Range<usize> {
    (from.max(0.0) as usize).min(size)..(to.max(0.0) as usize).min(size)
}
