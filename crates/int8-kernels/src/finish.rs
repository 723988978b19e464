//! What happens to a tile of sums while it is in the first cache: epilogue, residual, sinks.

use crate::activation::Activation;
use crate::image::{stored, unstored};
use crate::quantize::quantize;
use crate::sink::{Addend, Residual, Sink};

/// What is the same for all tiles of a run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Finish<'a> {
    /// Scale of every lane of every panel.
    pub(crate) scales: &'a [f32],
    /// Bias of every lane of every panel; −0.0, which changes no float, where there is none.
    pub(crate) bias: &'a [f32],
    /// Whether product and bias are rounded once.
    pub(crate) fused_bias: bool,
    /// Follows the bias.
    pub(crate) activation: Activation,
    /// What is added then.
    pub(crate) residual: Option<Residual<'a>>,
}

/// Sums of consecutive pixels of some consecutive channels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tile<'a> {
    /// `[pixel][stride]`.
    pub(crate) sums: &'a [i32],
    /// Sums of one pixel, a multiple of the vector's lanes; `sums` has all of them of every pixel.
    pub(crate) stride: usize,
    /// Pixels.
    pub(crate) pixels: usize,
    /// Index of the first channel's scale and bias.
    pub(crate) lane: usize,
    /// First output channel.
    pub(crate) channel: usize,
    /// Channels, at most `stride`.
    pub(crate) channels: usize,
    /// The first pixel, counted from the start of the sinks.
    pub(crate) pixel: usize,
    /// The first pixel, counted from the start of the whole output.
    pub(crate) whole_pixel: usize,
}

/// Value by value: the definition, and the way of activations that have no vector code.
pub(crate) fn finish_values(finish: &Finish<'_>, tile: &Tile<'_>, sinks: &mut [Sink<'_>]) {
    for pixel in 0..tile.pixels {
        let sums = &tile.sums[pixel * tile.stride..][..tile.channels];
        let (scales, bias) = (&finish.scales[tile.lane..], &finish.bias[tile.lane..]);
        for (index, ((&sum, &scale), &bias)) in sums.iter().zip(scales).zip(bias).enumerate() {
            let value = if finish.fused_bias { (sum as f32).mul_add(scale, bias) } else { sum as f32 * scale + bias };
            let value = finish.activation.apply(value);
            let value = match &finish.residual {
                Some(residual) => {
                    let addend = addend(residual, sinks, tile, pixel, tile.channel + index);
                    residual.then.apply(value + addend)
                }
                None => value,
            };
            for sink in &mut *sinks {
                write(sink, tile.pixel + pixel, tile.channel + index, value);
            }
        }
    }
}

/// What is added to the value of a pixel of `tile` and a channel of the output.
pub(crate) fn addend(
    residual: &Residual<'_>,
    sinks: &[Sink<'_>],
    tile: &Tile<'_>,
    pixel: usize,
    channel: usize,
) -> f32 {
    let whole_pixel = tile.whole_pixel + pixel;
    match (residual.addend, sinks) {
        (Addend::F32 { values, pixel_stride }, _) => values[whole_pixel * pixel_stride + channel],
        (Addend::I8 { image, step }, _) => {
            f32::from(unstored(image.bytes()[whole_pixel * image.pixel_stride() + channel])) * step
        }
        (Addend::InSink, [Sink::F32 { values, place }, ..]) => {
            values[(tile.pixel + pixel) * place.pixel_stride + place.first_channel + channel]
        }
        // `Residual::check` refuses that.
        (Addend::InSink, _) => 0.0,
    }
}

fn write(sink: &mut Sink<'_>, pixel: usize, channel: usize, value: f32) {
    match sink {
        Sink::F32 { values, place } => values[pixel * place.pixel_stride + place.first_channel + channel] = value,
        Sink::I8 { bytes, place, scale } => {
            bytes[pixel * place.pixel_stride + place.first_channel + channel] = stored(quantize(value, *scale));
        }
    }
}
