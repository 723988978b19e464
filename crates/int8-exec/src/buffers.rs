//! The memory of one running inference.

use fp32_ref::{BlobId, Value, Workspace};
use ncnn_format::{Error, Result};

use crate::aligned::AlignedFloats;
use crate::grid::Grid;
use crate::plan::{FloatHome, Plan};
use crate::rows::Scratches;

/// Buffers for one plan; from the second run on nothing large is allocated.
#[derive(Default)]
pub(crate) struct Buffers {
    /// Stored integers, by slot.
    pub(crate) bytes: Vec<Vec<u8>>,
    /// Floats between int8 layers, by slot.
    pub(crate) floats: Vec<AlignedFloats>,
    /// Floats of other layers, by root.
    pub(crate) values: Vec<Option<Value>>,
    pub(crate) workspace: Workspace,
    pub(crate) scratch: Scratches,
}

/// Floats and how they lie.
pub(crate) enum Floats<'a> {
    /// Pixel by pixel.
    Pixels(&'a [f32]),
    /// Channel by channel.
    Planes(&'a [f32]),
}

impl Buffers {
    /// Makes room for `plan` and as many threads as there are.
    pub(crate) fn fit(&mut self, plan: &Plan) {
        self.bytes.resize_with(plan.byte_slots.len(), Vec::new);
        self.bytes.iter_mut().zip(&plan.byte_slots).for_each(|(slot, &size)| slot.resize(size, 0));
        self.floats.resize_with(plan.float_slots.len(), AlignedFloats::default);
        self.floats.iter_mut().zip(&plan.float_slots).for_each(|(slot, &size)| slot.resize(size));
        self.values.clear();
        self.values.resize_with(plan.roots.len(), || None);
        self.scratch.fit();
    }

    /// The floats of `root`; none while their slot is lent out.
    ///
    /// # Errors
    /// `Invalid` if there are none, which a plan rules out.
    pub(crate) fn floats(&self, plan: &Plan, root: BlobId) -> Result<Floats<'_>> {
        match plan.homes[root.0] {
            FloatHome::Slot(slot) => {
                let len = plan.shapes[root.0].map_or(0, |shape| shape.volume());
                Ok(Floats::Pixels(self.floats[slot].as_slice().get(..len).unwrap_or_default()))
            }
            _ => match &self.values[root.0] {
                Some(Value::Pixels(pixels)) => Ok(Floats::Pixels(pixels.as_slice())),
                Some(Value::Planar(tensor)) => {
                    let shape = tensor.shape();
                    let is_both = Grid::of(shape).is_planar(shape.rank());
                    Ok(if is_both { Floats::Pixels(tensor.as_slice()) } else { Floats::Planes(tensor.as_slice()) })
                }
                None => Err(Error::invalid("a blob was read that no step has made")),
            },
        }
    }

    /// Keeps a value, pixel by pixel if the plan needs it so.
    pub(crate) fn keep(&mut self, plan: &Plan, root: BlobId, value: Value) -> Result<()> {
        let is_image = value.shape().rank() == 3;
        let turned = if plan.as_pixels[root.0] && is_image {
            Value::Pixels(value.into_pixels(&mut self.workspace)?)
        } else {
            value
        };
        self.values[root.0] = Some(turned);
        Ok(())
    }

    /// Gives back the memory of values that nobody reads any more.
    pub(crate) fn release(&mut self, roots: &[BlobId]) {
        for root in roots {
            if let Some(value) = self.values[root.0].take() {
                self.workspace.give_value(value);
            }
        }
    }
}
