//! How the blobs of YOLO heads are laid out: per anchor x, y, width, height,
//! confidence and a score per class, each a plane of cells.

use ncnn_format::{Error, Result};

use super::detections::sigmoid;
use crate::{Shape, Tensor};

/// One input of a YOLO detection layer.
pub(super) struct YoloHead<'a> {
    values: &'a [f32],
    /// Channels of one anchor.
    stride: usize,
    pub(super) h: usize,
    pub(super) w: usize,
}

impl<'a> YoloHead<'a> {
    pub(super) const WIDTH: usize = 2;
    pub(super) const HEIGHT: usize = 3;
    pub(super) const CONFIDENCE: usize = 4;
    const SCORES: usize = 5;

    /// Checks that `input` has the channels of `anchors` anchors.
    ///
    /// # Errors
    /// `Invalid` when it has not.
    pub(super) fn check(input: Shape, anchors: usize, classes: usize) -> Result<()> {
        // ncnn lets channels be left over when they do not fill another anchor.
        let fits = input.rank() == 3 && anchors > 0 && classes.checked_add(Self::SCORES) == Some(input.c() / anchors);
        if !fits {
            return Err(Error::invalid(format!("expects {anchors} x (5 + {classes}) channels, the input is {input}")));
        }
        Ok(())
    }

    /// # Errors
    /// As [`YoloHead::check`].
    pub(super) fn new(input: &'a Tensor, anchors: usize, classes: usize) -> Result<Self> {
        let shape = input.shape();
        Self::check(shape, anchors, classes)?;
        Ok(Self { values: input.as_slice(), stride: classes + Self::SCORES, h: shape.h(), w: shape.w() })
    }

    pub(super) fn cells(&self) -> usize {
        self.h * self.w
    }

    /// A value of an anchor at a cell.
    pub(super) fn value(&self, anchor: usize, channel: usize, cell: usize) -> f32 {
        self.values[(anchor * self.stride + channel) * self.cells() + cell]
    }

    /// The scores of an anchor at a cell, class by class.
    pub(super) fn scores(&self, anchor: usize, cell: usize) -> impl Iterator<Item = f32> + Clone {
        (Self::SCORES..self.stride).map(move |channel| self.value(anchor, channel, cell))
    }

    /// Centre of a box, as parts of the image.
    pub(super) fn center(&self, anchor: usize, cell: usize) -> [f32; 2] {
        let (row, column) = (cell / self.w, cell % self.w);
        [
            (column as f32 + sigmoid(self.value(anchor, 0, cell))) / self.w as f32,
            (row as f32 + sigmoid(self.value(anchor, 1, cell))) / self.h as f32,
        ]
    }
}
