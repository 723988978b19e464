//! What the quantized layers read at a few places: enough to try scales without running the network.

use std::sync::{Mutex, PoisonError};

use fp32_ref::{ConvWindow, Placement, Value};
use ncnn_format::{Layer, LinearLayer, Model, Result};

use super::collect::Collector;
use super::targets::Target;

/// Most samples that are looked at.
const SAMPLES: usize = 256;
/// Most patches of a layer.
const PATCHES: usize = 1024;
/// Most floats of all patches of a layer: 4 MiB.
const FLOATS: usize = 1 << 20;

/// The values that single outputs of a layer are computed from.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Patches {
    /// Values of a patch: input channels x rows x columns of the kernel, padding as zeros.
    pub(super) depth: usize,
    /// One patch after the other, by sample and then as drawn.
    pub(super) values: Vec<f32>,
}

/// Draws patches for every target while the network runs. Where they are depends on the numbers of sample
/// and layer only.
///
/// At most 256 samples, evenly spread over the data set, are looked at; every one gives about as many
/// patches, 1024 or 4 MiB per layer in all.
pub(super) struct Drawing<'a> {
    targets: &'a [Target],
    readings: Vec<Reading>,
    /// Of the data set.
    all: usize,
    drawn: Mutex<Vec<Drawn>>,
}

impl<'a> Drawing<'a> {
    /// For a data set of `all` samples.
    ///
    /// # Errors
    /// `Malformed` for a convolution whose window cannot be read.
    pub(super) fn new(targets: &'a [Target], model: &Model, all: usize) -> Result<Self> {
        let readings = targets.iter().map(|target| Reading::of(&model.layers[target.layer])).collect::<Result<_>>()?;
        Ok(Self { targets, readings, all, drawn: Mutex::default() })
    }

    /// Draws from the blob of a slot of sample `index`, if it is that sample's turn.
    ///
    /// # Errors
    /// `Invalid` for a blob that a layer cannot read.
    pub(super) fn see(&self, index: usize, slot: usize, value: &Value) -> Result<()> {
        let samples = self.all.min(SAMPLES);
        let number = (index * samples).div_ceil(self.all.max(1));
        if number >= samples || number * self.all / samples != index {
            return Ok(());
        }
        for (layer, reading) in self.readings.iter().enumerate().filter(|(layer, _)| self.targets[*layer].slot == slot)
        {
            let turn = Turn { number, samples, layer };
            let (depth, values) =
                reading.draw(value, &turn).map_err(|error| error.in_layer(&self.targets[layer].name))?;
            let mut drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
            drawn.push(Drawn { layer, number, depth, values });
        }
        Ok(())
    }

    /// What was drawn, by target.
    pub(super) fn finish(self) -> Vec<Patches> {
        let mut drawn = self.drawn.into_inner().unwrap_or_else(PoisonError::into_inner);
        drawn.sort_by_key(|drawn| (drawn.layer, drawn.number));
        let mut patches = vec![Patches { depth: 0, values: Vec::new() }; self.targets.len()];
        for drawn in drawn {
            let patches = &mut patches[drawn.layer];
            // A layer that reads vectors of different lengths has no common depth: the first one counts.
            if patches.depth == 0 || patches.depth == drawn.depth {
                patches.depth = drawn.depth;
                patches.values.extend(drawn.values);
            }
        }
        patches
    }
}

/// Runs the network to draw patches for every target.
///
/// # Errors
/// As running the network and as [`Drawing::new`].
pub(super) fn draw(collector: &Collector<'_>, model: &Model) -> Result<Vec<Patches>> {
    let all = collector.dataset.len();
    let samples = all.min(SAMPLES);
    let drawing = Drawing::new(collector.targets, model, all)?;
    collector.visit("drawing patches", samples, |(): &mut (), number, slot, value| {
        drawing.see(number * all / samples, slot, value)
    })?;
    Ok(drawing.finish())
}

struct Drawn {
    layer: usize,
    number: usize,
    depth: usize,
    values: Vec<f32>,
}

/// Whose turn it is to draw.
struct Turn {
    number: usize,
    samples: usize,
    layer: usize,
}

/// How a layer reads its input.
enum Reading {
    Windows(ConvWindow),
    /// All of it at once.
    Vector,
}

impl Reading {
    fn of(layer: &Layer) -> Result<Self> {
        let linear = LinearLayer::of(layer)?.filter(LinearLayer::is_image_convolution);
        let Some(linear) = linear else { return Ok(Self::Vector) };
        ConvWindow::of(&linear).map(Self::Windows).map_err(|error| error.in_layer(&layer.name))
    }

    /// Depth and values of the patches of one sample.
    fn draw(&self, value: &Value, turn: &Turn) -> Result<(usize, Vec<f32>)> {
        let image = Image::of(value);
        let Self::Windows(window) = self else {
            let tensor = value.to_tensor();
            return Ok((tensor.as_slice().len(), tensor.as_slice().to_vec()));
        };
        let depth = image.channels * window.kernel_h * window.kernel_w;
        let placement = window.place(image.height, image.width)?;
        let wanted = (FLOATS / depth.max(1)).clamp(1, PATCHES);
        let count = (turn.number + 1) * wanted / turn.samples - turn.number * wanted / turn.samples;
        let mut random = SplitMix(((turn.number as u64) << 32) | turn.layer as u64);
        let mut values = Vec::with_capacity(count * depth);
        for _ in 0..count {
            let place = random.below(placement.out_h * placement.out_w);
            image.patch(window, &placement, place, &mut values);
        }
        Ok((depth, values))
    }
}

/// A blob as an image, in either order.
struct Image<'a> {
    values: &'a [f32],
    channels: usize,
    height: usize,
    width: usize,
    /// Distances between channels, rows and columns.
    strides: [usize; 3],
}

impl<'a> Image<'a> {
    fn of(value: &'a Value) -> Self {
        let shape = value.shape();
        let (channels, height, width) = (shape.c(), shape.h(), shape.w());
        let strides = match value {
            Value::Planar(_) => [height * width, width, 1],
            Value::Pixels(_) => [1, width * channels, channels],
        };
        Self { values: value.unordered(), channels, height, width, strides }
    }

    /// Appends the patch of the `place`-th output.
    fn patch(&self, window: &ConvWindow, placement: &Placement, place: usize, values: &mut Vec<f32>) {
        let (row, column) = (place / placement.out_w, place % placement.out_w);
        for channel in 0..self.channels {
            for y in 0..window.kernel_h {
                for x in 0..window.kernel_w {
                    let y = (row * window.stride_h + y * window.dilation_h).checked_sub(placement.top);
                    let x = (column * window.stride_w + x * window.dilation_w).checked_sub(placement.left);
                    values.push(match (y, x) {
                        (Some(y), Some(x)) if y < self.height && x < self.width => {
                            self.values[channel * self.strides[0] + y * self.strides[1] + x * self.strides[2]]
                        }
                        _ => 0.0,
                    });
                }
            }
        }
    }
}

/// Numbers that look random and are the same everywhere. Source: Steele, Lea, Flood, "Fast Splittable
/// Pseudorandom Number Generators", 2014.
struct SplitMix(u64);

impl SplitMix {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let bits = (z ^ (z >> 31)) >> 32;
        ((bits * bound as u64) >> 32) as usize
    }
}
