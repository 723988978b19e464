//! How each step of a plan is done.

use std::mem::take;
use std::ops::Range;
use std::sync::Arc;

use fp32_ref::{BlobId, Graph, Pixels, Tensor, Value, run_layer};
use int8_kernels::{
    Activation, Addend, Image, Isa, Padding, PixelScratch, Place, Residual, Run, Sink, max_pool, quantize_planes,
    quantize_values, stored, unstored,
};
use ncnn_format::{Error, Result};

use crate::aligned::AlignedFloats;
use crate::buffers::{Buffers, Floats};
use crate::grid::Grid;
use crate::layers::{Parts, Prepared};
use crate::plan::{FloatHome, Moving, Op, Plan, Sinks, View};
use crate::rows::{MOST_SINKS, RowSinks, Rows, Scratches};

/// What steps refer to.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) graph: &'a Graph,
    pub(crate) layers: &'a [Arc<Prepared>],
    pub(crate) plan: &'a Plan,
    pub(crate) isa: Isa,
}

impl View {
    /// The bytes of a slot that the view begins at.
    fn of<'a>(&self, bytes: &'a [Vec<u8>]) -> &'a [u8] {
        &bytes[self.buffer][self.offset..]
    }

    fn image<'a>(&self, bytes: &'a [Vec<u8>]) -> Result<Image<'a>> {
        let Grid { height, width, channels } = self.grid;
        Image::new(self.of(bytes), height, width, channels, self.stride).map_err(Error::from)
    }

    fn place(&self) -> Place {
        Place { pixel_stride: self.stride, first_channel: self.offset }
    }
}

impl Context<'_> {
    /// Does step `index`.
    ///
    /// # Errors
    /// Those of the layer.
    pub(crate) fn run_step(self, index: usize, buffers: &mut Buffers) -> Result<()> {
        match &self.plan.steps[index].op {
            Op::Quantize { from, to } => self.quantize(*from, to, buffers)?,
            Op::Convolve { layer, from, padding, output, addend, then, sinks } => {
                let parts = self.layers[*layer].parts().ok_or_else(|| Error::unsupported("a layer without weights"))?;
                let home = |root: BlobId| self.plan.homes[root.0];
                // Two blobs that are needed in one step share a slot only if the plan wants it so.
                let in_place = matches!(
                    (addend.map(home), sinks.floats.map(home)),
                    (Some(FloatHome::Slot(a)), Some(FloatHome::Slot(sum))) if a == sum
                );
                let convolution =
                    Product { parts, from: *from, padding: *padding, output: *output, then: *then, in_place };
                self.convolve(&convolution, *addend, sinks, buffers)?;
            }
            Op::TakeLargest { window, from, to } => {
                let mut out = take(&mut buffers.bytes[to.buffer]);
                let mut sinks = RowSinks::new();
                sinks.push(Sink::I8 { bytes: &mut out, place: to.place(), scale: 1.0 });
                let image = from.image(&buffers.bytes)?;
                let work = |rows: Range<usize>, sinks: &mut [Sink<'_>], _: &mut PixelScratch| match sinks {
                    [Sink::I8 { bytes, place, .. }] => {
                        max_pool(&image, window, rows, bytes, *place, self.isa).map_err(Error::from)
                    }
                    _ => Ok(()),
                };
                let rows = Rows { range: 0..to.grid.height, width: to.grid.width, unit: 1, sinks };
                // A compared byte is worth some multiply-adds.
                let per_row = 8 * to.grid.width * to.grid.channels * window.kernel_h * window.kernel_w;
                let result = rows.share(&buffers.scratch, per_row, &work);
                buffers.bytes[to.buffer] = out;
                result?;
            }
            Op::Limit { low, high, from, to } => {
                each_pixel(from, to, buffers, |from, to| {
                    let limited = |byte| stored(unstored(byte).max(*low).min(*high));
                    to.iter_mut().zip(from).for_each(|(to, &from)| *to = limited(from));
                });
            }
            Op::Move { moving: Moving::Pattern(pattern), from, to } => {
                let mut out = take(&mut buffers.bytes[to.buffer]);
                pattern.copy(from.of(&buffers.bytes), &mut out[to.offset..]);
                buffers.bytes[to.buffer] = out;
            }
            Op::Move { from, to, .. } => each_pixel(from, to, buffers, |from, to| to.copy_from_slice(from)),
            Op::Relabel { from, to } => return self.relabel(index, *from, *to, buffers),
            Op::Float { layer } => return self.float(index, *layer, buffers),
        }
        buffers.release(&self.plan.released[index]);
        Ok(())
    }

    fn quantize(self, from: BlobId, to: &[(f32, View)], buffers: &mut Buffers) -> Result<()> {
        for &(scale, view) in to {
            let mut out = take(&mut buffers.bytes[view.buffer]);
            let bytes = &mut out[view.offset..];
            let result = match buffers.floats(self.plan, from)? {
                Floats::Planes(values) => {
                    quantize_planes(values, view.grid.channels, scale, bytes, view.stride, self.isa)
                        .map_err(Error::from)
                }
                Floats::Pixels(values) => self.quantize_pixels(values, scale, view, bytes, &buffers.scratch),
            };
            buffers.bytes[view.buffer] = out;
            result?;
        }
        Ok(())
    }

    /// Makes integers, from the first byte of `view` on, of floats that lie pixel by pixel.
    fn quantize_pixels(
        self,
        values: &[f32],
        scale: f32,
        view: View,
        bytes: &mut [u8],
        scratch: &Scratches,
    ) -> Result<()> {
        let Grid { height, width, channels } = view.grid;
        let work = |rows: Range<usize>, sinks: &mut [Sink<'_>], _: &mut PixelScratch| {
            let values = &values[rows.start * width * channels..rows.end * width * channels];
            let [Sink::I8 { bytes, .. }] = sinks else { return Ok(()) };
            let result = if view.stride == channels {
                quantize_values(values, scale, &mut bytes[..values.len()], self.isa)
            } else {
                let mut pixels = values.chunks_exact(channels).zip(bytes.chunks_mut(view.stride));
                pixels.try_for_each(|(values, bytes)| quantize_values(values, scale, &mut bytes[..channels], self.isa))
            };
            result.map_err(Error::from)
        };
        let mut sinks = RowSinks::new();
        sinks.push(Sink::I8 { bytes, place: Place { pixel_stride: view.stride, first_channel: 0 }, scale });
        let rows = Rows { range: 0..height, width, unit: 1, sinks };
        rows.share(scratch, VALUE_PRODUCTS * width * channels, &work)
    }

    fn convolve(
        self,
        convolution: &Product<'_>,
        addend: Option<BlobId>,
        sinks: &Sinks,
        buffers: &mut Buffers,
    ) -> Result<()> {
        let len = convolution.output.pixels() * convolution.output.channels;
        let mut floats = sinks.floats.map(|root| match self.plan.homes[root.0] {
            FloatHome::Slot(slot) => Written::Slot(take(&mut buffers.floats[slot])),
            _ => Written::Value(buffers.workspace.take(len)),
        });
        // More sinks than fit are rare: the layer runs again for them.
        let mut result = Ok(());
        let mut rest = &sinks.integers[..];
        let mut written = floats.as_mut().map(Written::as_mut_slice);
        while written.is_some() || !rest.is_empty() {
            let room = MOST_SINKS - usize::from(written.is_some());
            let (now, later) = rest.split_at(room.min(rest.len()));
            rest = later;
            let mut taken: [Vec<u8>; MOST_SINKS] = Default::default();
            taken.iter_mut().zip(now).for_each(|(bytes, (_, view))| *bytes = take(&mut buffers.bytes[view.buffer]));
            let mut targets = RowSinks::new();
            if let Some(values) = written.take() {
                targets
                    .push(Sink::F32 { values: &mut values[..len], place: Place::whole(convolution.output.channels) });
            }
            for (bytes, &(scale, view)) in taken.iter_mut().zip(now) {
                targets.push(Sink::I8 { bytes, place: view.place(), scale });
            }
            result = result.and(self.convolve_into(convolution, addend, targets, buffers));
            taken.into_iter().zip(now).for_each(|(bytes, (_, view))| buffers.bytes[view.buffer] = bytes);
        }
        match (floats, sinks.floats.map(|root| (root, self.plan.homes[root.0]))) {
            (Some(Written::Slot(values)), Some((_, FloatHome::Slot(slot)))) => buffers.floats[slot] = values,
            (Some(Written::Value(values)), Some((root, _))) => {
                buffers.values[root.0] = Some(self.wrapped(root, values)?);
            }
            _ => {}
        }
        result
    }

    fn convolve_into(
        self,
        convolution: &Product<'_>,
        addend: Option<BlobId>,
        sinks: RowSinks<'_>,
        buffers: &Buffers,
    ) -> Result<()> {
        let Product { parts, from, padding, output, then, in_place } = *convolution;
        let residual = addend
            .map(|root| match buffers.floats(self.plan, root)? {
                _ if in_place => Ok(Residual { addend: Addend::InSink, then }),
                Floats::Pixels(values) => {
                    let addend = Addend::F32 { values, pixel_stride: output.channels };
                    Ok(Residual { addend, then })
                }
                Floats::Planes(_) => Err(Error::invalid("an addend lies channel by channel")),
            })
            .transpose()?;
        let input = from.image(&buffers.bytes)?;
        if output.pixels() == 1 && parts.count() > 1 {
            let work = |which: Range<usize>, sinks: &mut [Sink<'_>], scratch: &mut PixelScratch| {
                let run = Run { input, padding, rows: 0..1, residual };
                parts.run(which, &run, RowSinks::of_channels(sinks).as_mut_slice(), scratch)
            };
            // As if a part were a row and a channel a pixel. A weight read takes as long as many products.
            let per_part = WEIGHT_PRODUCTS * parts.step() * parts.depth();
            let rows = Rows { range: 0..parts.count(), width: parts.step(), unit: 1, sinks: sinks.of_one_pixel() };
            return rows.share(&buffers.scratch, per_part, &work);
        }
        let work = |rows: Range<usize>, sinks: &mut [Sink<'_>], scratch: &mut PixelScratch| {
            parts.run(0..parts.count(), &Run { input, padding, rows, residual }, sinks, scratch)
        };
        let per_row = output.width * output.channels * parts.depth();
        let unit = parts.rows_together(output.height, output.width);
        Rows { range: 0..output.height, width: output.width, unit, sinks }.share(&buffers.scratch, per_row, &work)
    }

    /// Floats that lie pixel by pixel as a value.
    fn wrapped(self, root: BlobId, values: Vec<f32>) -> Result<Value> {
        let shape = self.plan.shapes[root.0].ok_or_else(|| Error::invalid("a blob without a shape"))?;
        Ok(match shape.rank() {
            3 => Value::Pixels(Pixels::new(shape, values)?),
            _ => Value::Planar(Tensor::new(shape.dims(), values)?),
        })
    }

    fn relabel(self, index: usize, from: BlobId, to: BlobId, buffers: &mut Buffers) -> Result<()> {
        let is_last = self.plan.released[index].contains(&from);
        let value = &mut buffers.values[from.0];
        let value = if is_last { value.take() } else { value.clone() };
        match (value, self.plan.shapes[to.0]) {
            (Some(Value::Pixels(pixels)), Some(shape)) => {
                let tensor = pixels.into_interleaved().reshaped(shape)?;
                buffers.keep(self.plan, to, Value::Planar(tensor))
            }
            _ => Err(Error::invalid("an image was read that no step has made")),
        }
    }

    fn float(self, index: usize, layer: usize, buffers: &mut Buffers) -> Result<()> {
        let Prepared::Float { layer: float, .. } = &*self.layers[layer] else {
            return Err(Error::unsupported("this layer computes on integers"));
        };
        let node = &self.graph.nodes()[layer];
        let missing = || Error::invalid("a blob was read that no step has made");
        let inputs =
            node.inputs.iter().map(|blob| buffers.values[self.plan.roots[blob.0].0].clone().ok_or_else(missing));
        let inputs = inputs.collect::<Result<_>>()?;
        // Dropped, not given back: the layer may write over what only it holds.
        self.plan.released[index].iter().for_each(|root| buffers.values[root.0] = None);
        let outputs = run_layer(&**float, inputs, &mut buffers.workspace)?;
        if outputs.len() != node.outputs.len() {
            let (found, named) = (outputs.len(), node.outputs.len());
            return Err(Error::malformed(format!("makes {found} blobs, the file names {named}")));
        }
        node.outputs.iter().zip(outputs).try_for_each(|(&blob, value)| buffers.keep(self.plan, blob, value))
    }
}

/// Multiply-adds in the time of quantizing a float.
const VALUE_PRODUCTS: usize = 32;

/// Multiply-adds in the time of reading a weight that is used once.
const WEIGHT_PRODUCTS: usize = 16;

/// The floats that a layer writes: in a slot of the plan or, for other layers, by themselves.
enum Written {
    Slot(AlignedFloats),
    Value(Vec<f32>),
}

impl Written {
    fn as_mut_slice(&mut self) -> &mut [f32] {
        match self {
            Self::Slot(floats) => floats.as_mut_slice(),
            Self::Value(values) => values,
        }
    }
}

/// A convolution or inner product and what surrounds it, without its memory.
struct Product<'a> {
    parts: &'a Parts,
    from: View,
    padding: Padding,
    output: Grid,
    then: Activation,
    /// Whether the addend is where the sum goes.
    in_place: bool,
}

/// Does `work` on every pixel of two views.
fn each_pixel(from: &View, to: &View, buffers: &mut Buffers, work: impl Fn(&[u8], &mut [u8])) {
    let mut out = take(&mut buffers.bytes[to.buffer]);
    let (bytes, channels) = (from.of(&buffers.bytes), to.grid.channels);
    if from.stride == channels && to.stride == channels {
        let len = to.grid.pixels() * channels;
        work(&bytes[..len], &mut out[to.offset..to.offset + len]);
    } else {
        let pixels = bytes.chunks(from.stride).zip(out[to.offset..].chunks_mut(to.stride)).take(to.grid.pixels());
        pixels.for_each(|(from, to)| work(&from[..channels], &mut to[..channels]));
    }
    buffers.bytes[to.buffer] = out;
}
