//! One step of a plan.

use fp32_ref::BlobId;
use int8_kernels::{Activation, Padding, PoolWindow};

use super::movement::{Movement, Pattern};
use super::storage::{Storages, View};
use crate::grid::Grid;

/// What is done in one go, and the layers that it stands for.
#[derive(Debug)]
pub(crate) struct Step {
    /// Indices of layers: the one that the step is named after, then those inside its epilogue.
    pub(crate) layers: Vec<usize>,
    pub(crate) op: Op,
}

/// The kinds of steps.
#[derive(Debug)]
pub(crate) enum Op {
    /// Makes integers of floats.
    Quantize { from: BlobId, to: Vec<(f32, View)> },
    /// A convolution or an inner product with its epilogue.
    Convolve {
        layer: usize,
        from: View,
        padding: Padding,
        output: Grid,
        addend: Option<BlobId>,
        then: Activation,
        sinks: Sinks,
    },
    /// The largest value of every window.
    TakeLargest { window: PoolWindow, from: View, to: View },
    /// Limits values to `low..=high`.
    Limit { low: i8, high: i8, from: View, to: View },
    /// Copies bytes.
    Move { moving: Moving, from: View, to: View },
    /// Calls the pixels of an image the values of another shape.
    Relabel { from: BlobId, to: BlobId },
    /// A layer of fp32-ref.
    Float { layer: usize },
}

/// How bytes are copied.
#[derive(Debug)]
pub(crate) enum Moving {
    /// Every pixel of a view to the same pixel of another.
    Pixels,
    /// Before buffers have their strides.
    Table(Movement),
    /// With them.
    Pattern(Pattern),
}

/// The forms in which a step leaves its output.
#[derive(Debug)]
pub(crate) struct Sinks {
    /// The root that holds the floats.
    pub(crate) floats: Option<BlobId>,
    /// Scales and where their integers go.
    pub(crate) integers: Vec<(f32, View)>,
}

impl Op {
    /// Whether several threads may do it.
    pub(crate) fn is_shared(&self) -> bool {
        matches!(self, Self::Convolve { .. } | Self::TakeLargest { .. } | Self::Float { .. } | Self::Quantize { .. })
    }

    /// The int8 views that are read.
    pub(crate) fn reads(&self) -> Option<View> {
        match self {
            Self::Convolve { from, .. }
            | Self::TakeLargest { from, .. }
            | Self::Limit { from, .. }
            | Self::Move { from, .. } => Some(*from),
            Self::Quantize { .. } | Self::Relabel { .. } | Self::Float { .. } => None,
        }
    }

    /// The int8 views that are written.
    pub(crate) fn writes(&self) -> Vec<View> {
        match self {
            Self::Quantize { to: integers, .. } | Self::Convolve { sinks: Sinks { integers, .. }, .. } => {
                integers.iter().map(|(_, view)| *view).collect()
            }
            Self::TakeLargest { to, .. } | Self::Limit { to, .. } | Self::Move { to, .. } => vec![*to],
            Self::Relabel { .. } | Self::Float { .. } => Vec::new(),
        }
    }

    /// Whether a buffer is read and written, which steps cannot do.
    pub(super) fn overwrites_what_it_reads(&self, storages: &Storages) -> bool {
        let Some(read) = self.reads() else { return false };
        let home = storages.resolve(read).buffer;
        self.writes().iter().any(|view| storages.resolve(*view).buffer == home)
    }

    /// Replaces every view.
    pub(super) fn map_views(&mut self, change: impl Fn(View) -> View) {
        match self {
            Self::Quantize { to, .. } => to.iter_mut().for_each(|(_, view)| *view = change(*view)),
            Self::Convolve { from, sinks, .. } => {
                *from = change(*from);
                sinks.integers.iter_mut().for_each(|(_, view)| *view = change(*view));
            }
            Self::TakeLargest { from, to, .. } | Self::Limit { from, to, .. } | Self::Move { from, to, .. } => {
                (*from, *to) = (change(*from), change(*to));
            }
            Self::Relabel { .. } | Self::Float { .. } => {}
        }
        if let Self::Move { moving, from, to } = self
            && let Moving::Table(movement) = moving
        {
            *moving = Moving::Pattern(movement.pattern(from.stride, to.stride));
        }
    }
}
