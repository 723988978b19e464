//! The output channels of an inner product in parts.

use std::ops::Range;

use int8_kernels::{Addend, Algorithm, ConvShape, Epilogue, Isa, PixelConv, PixelScratch, Place, Residual, Run, Sink};
use ncnn_format::{Error, Result};

use crate::rows::RowSinks;

/// A layer with its output channels in parts, each with weights of its own: one pixel has no rows that threads
/// could share, and its time is that of reading the weights.
pub(crate) struct Parts {
    parts: Vec<PixelConv>,
    /// Output channels of every part but the last.
    step: usize,
}

/// Products of a part, four microseconds or so.
const PART_PRODUCTS: usize = 1 << 17;

/// The channels that kernels compute together divide this.
const CHANNEL_UNIT: usize = 64;

impl Parts {
    /// A layer in one part.
    pub(super) fn whole(conv: PixelConv) -> Self {
        Self { step: conv.shape().out_channels, parts: vec![conv] }
    }

    /// A matrix of `[out][depth]` weights; `epilogue` gives that of some channels.
    ///
    /// # Errors
    /// Those of `epilogue` and of packing.
    pub(super) fn pointwise(
        depth: usize,
        weights: &[i8],
        isa: Isa,
        epilogue: impl Fn(Range<usize>) -> Result<Epilogue>,
    ) -> Result<Self> {
        let step = (PART_PRODUCTS / depth.max(1)).next_multiple_of(CHANNEL_UNIT).max(CHANNEL_UNIT);
        let part = |(index, weights): (usize, &[i8])| {
            let channels = weights.len() / depth;
            let epilogue = epilogue(index * step..index * step + channels)?;
            PixelConv::new(ConvShape::pointwise(depth, channels), weights, epilogue, isa).map_err(Error::from)
        };
        let parts = weights.chunks(step * depth).enumerate().map(part).collect::<Result<_>>()?;
        Ok(Self { parts, step })
    }

    pub(crate) fn count(&self) -> usize {
        self.parts.len()
    }

    /// Output channels of every part but the last.
    pub(crate) fn step(&self) -> usize {
        self.step
    }

    /// The kernel that computes an output of that size.
    pub(crate) fn kernel(&self, height: usize, width: usize) -> &'static str {
        self.parts.first().map_or("", |part| part.kernel(height, width))
    }

    /// How an output of that size is computed.
    pub(crate) fn algorithm(&self, height: usize, width: usize) -> Algorithm {
        self.parts.first().map_or(Algorithm::Direct, |part| part.algorithm(height, width))
    }

    /// Rows of an output of that size that are computed together at least.
    pub(crate) fn rows_together(&self, height: usize, width: usize) -> usize {
        self.parts.first().map_or(1, |part| part.rows_together(height, width))
    }

    /// Makes what runs for an output of that size need.
    pub(crate) fn prepare(&self, height: usize, width: usize) {
        self.parts.iter().for_each(|part| part.prepare(height, width));
    }

    /// Products per sum.
    pub(crate) fn depth(&self) -> usize {
        self.parts.first().map_or(0, |part| part.shape().depth().unwrap_or_default())
    }

    pub(crate) fn in_channels(&self) -> usize {
        self.parts.first().map_or(0, |part| part.shape().in_channels)
    }

    pub(crate) fn out_channels(&self) -> usize {
        self.parts.iter().map(|part| part.shape().out_channels).sum()
    }

    /// Computes the channels of the parts `which`; sinks begin at the first of them.
    ///
    /// # Errors
    /// Those of the kernels.
    pub(crate) fn run(
        &self,
        which: Range<usize>,
        run: &Run<'_>,
        sinks: &mut [Sink<'_>],
        scratch: &mut PixelScratch,
    ) -> Result<()> {
        if let ([part], false) = (&self.parts[..], which.is_empty()) {
            return part.run(run, sinks, scratch).map_err(Error::from);
        }
        let first = which.start * self.step;
        for (part, channel) in self.parts[which].iter().zip((first..).step_by(self.step)) {
            let run = Run { residual: run.residual.map(|residual| of_channels(residual, channel)), ..run.clone() };
            let mut behind = RowSinks::new();
            sinks.iter_mut().for_each(|sink| behind.push(shifted(sink, channel - first)));
            part.run(&run, behind.as_mut_slice(), scratch)?;
        }
        Ok(())
    }
}

/// The residual of the channels from `channel` on.
fn of_channels(residual: Residual<'_>, channel: usize) -> Residual<'_> {
    match residual.addend {
        Addend::F32 { values, pixel_stride } => {
            Residual { addend: Addend::F32 { values: &values[channel..], pixel_stride }, ..residual }
        }
        Addend::I8 { .. } | Addend::InSink => residual,
    }
}

/// The same sink for the channels from `by` on.
fn shifted<'a>(sink: &'a mut Sink<'_>, by: usize) -> Sink<'a> {
    let moved = |place: Place| Place { first_channel: place.first_channel + by, ..place };
    match sink {
        Sink::F32 { values, place } => Sink::F32 { values, place: moved(*place) },
        Sink::I8 { bytes, place, scale } => Sink::I8 { bytes, place: moved(*place), scale: *scale },
    }
}

#[cfg(test)]
mod tests {
    use int8_kernels::{Activation, Image, Padding, Place};

    use super::*;

    #[test]
    fn parts_together_are_the_whole() {
        const DEPTH: usize = 3000;
        const CHANNELS: usize = 150;
        const PIXELS: usize = 2;
        let weights: Vec<i8> = (0..DEPTH * CHANNELS).map(|i| (i * 37 % 255) as i8).collect();
        let bytes: Vec<u8> = (0..PIXELS * DEPTH).map(|i| (i * 101 % 255) as u8 + 1).collect();
        let epilogue = |channels: Range<usize>| {
            let scales = channels.clone().map(|channel| 1e-4 * channel as f32).collect();
            let bias = channels.map(|channel| channel as f32).collect();
            Epilogue::new(scales, Some(bias), Activation::Relu).map_err(Error::from)
        };
        let isa = Isa::detect();
        let parts = Parts::pointwise(DEPTH, &weights, isa, epilogue).unwrap();
        assert_eq!((parts.count(), parts.step(), parts.out_channels()), (3, 64, CHANNELS));
        let shape = ConvShape::pointwise(DEPTH, CHANNELS);
        let whole = Parts::whole(PixelConv::new(shape, &weights, epilogue(0..CHANNELS).unwrap(), isa).unwrap());
        let addends: Vec<f32> = (0..PIXELS * CHANNELS).map(|i| i as f32 * 0.1).collect();
        let addend = Addend::F32 { values: &addends, pixel_stride: CHANNELS };
        let run = Run {
            input: Image::new(&bytes, 1, PIXELS, DEPTH, DEPTH).unwrap(),
            padding: Padding::default(),
            rows: 0..1,
            residual: Some(Residual { addend, then: Activation::None }),
        };
        let outputs = |parts: &Parts| {
            let (mut values, mut bytes) = (vec![0.0; PIXELS * CHANNELS], vec![0; PIXELS * (CHANNELS + 3)]);
            let place = Place { pixel_stride: CHANNELS + 3, first_channel: 2 };
            let mut sinks = [
                Sink::F32 { values: &mut values, place: Place::whole(CHANNELS) },
                Sink::I8 { bytes: &mut bytes, place, scale: 0.5 },
            ];
            parts.run(0..parts.count(), &run, &mut sinks, &mut PixelScratch::default()).unwrap();
            (values.into_iter().map(f32::to_bits).collect::<Vec<_>>(), bytes)
        };
        assert_eq!(outputs(&parts), outputs(&whole));
    }
}
