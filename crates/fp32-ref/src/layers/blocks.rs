//! Images whose blocks of pixels are the channels of a smaller image.

use crate::Shape;

/// What neighbouring channels of the smaller image differ in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fastest {
    /// The position in the block.
    Position,
    /// The channel of the larger image.
    Channel,
}

impl Fastest {
    /// By the parameter `mode`, whose values other than 0 are all alike.
    pub(super) fn new(mode: i32) -> Self {
        if mode == 0 { Self::Position } else { Self::Channel }
    }
}

/// How the larger image is cut.
pub(super) struct Blocks {
    pub(super) edge: usize,
    /// Of the larger image.
    pub(super) channels: usize,
    pub(super) fastest: Fastest,
}

impl Blocks {
    /// Calls `f` with the index of each value in the smaller image and in the larger one,
    /// which has `size` rows and columns, at least `edge` times those of `small`.
    pub(super) fn pairs(&self, small: Shape, size: [usize; 2], mut f: impl FnMut(usize, usize)) {
        let (h, w, [rows, columns]) = (small.h(), small.w(), size);
        for channel in 0..self.channels {
            for position in 0..self.edge * self.edge {
                let plane = match self.fastest {
                    Fastest::Position => channel * self.edge * self.edge + position,
                    Fastest::Channel => position * self.channels + channel,
                };
                for y in 0..h {
                    let row = channel * rows + y * self.edge + position / self.edge;
                    for x in 0..w {
                        f((plane * h + y) * w + x, row * columns + x * self.edge + position % self.edge);
                    }
                }
            }
        }
    }
}
