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

/// What a layer reads at a few places of a few samples: the values that single outputs are computed from.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Patches {
    /// Values of a patch: input channels × rows × columns of the kernel, padding as zeros; the whole input for
    /// an InnerProduct.
    pub depth: usize,
    /// One patch after the other, by sample and then as drawn.
    pub values: Vec<f32>,
}

impl Patches {
    /// Patches of `depth` values each.
    pub fn new(depth: usize, values: Vec<f32>) -> Self {
        Self { depth, values }
    }
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
        let mut patches = vec![Patches::default(); self.targets.len()];
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibrate::targets;
    use fp32_ref::{Graph, Tensor, Workspace};

    const NETWORK: &str = "\
Input data 0 1 data
Convolution conv 1 1 data a 0=1 1=3 11=2 2=2 3=2 13=1 4=1 6=12
ConvolutionDepthWise depth 1 1 a b 0=1 1=3 4=1 6=9 7=1
InnerProduct fc 1 1 b out 0=1 2=1";

    fn model() -> Model {
        Model::from_param_text(&format!("7767517\n4 9\n{NETWORK}\n")).unwrap()
    }

    fn drawn(all: usize, samples: impl Iterator<Item = usize>) -> Vec<Patches> {
        let model = model();
        let targets = targets::find(&model, &Graph::new(&model).unwrap()).unwrap();
        let drawing = Drawing::new(&targets, &model, all).unwrap();
        for sample in samples {
            drawing.see(sample, 0, &image(2, sample)).unwrap();
            drawing.see(sample, 1, &image(1, sample)).unwrap();
            drawing.see(sample, 2, &image(1, sample)).unwrap();
        }
        drawing.finish()
    }

    /// No two values are equal, and none is 0.
    fn image(channels: usize, sample: usize) -> Value {
        let values = (0..channels * 35).map(|i| (1 + i + 1000 * sample) as f32).collect();
        Value::Planar(Tensor::new([channels, 5, 7], values).unwrap())
    }

    /// Every patch of the convolution by the definition: kernel 3 wide and 2 high, dilation 2, stride 2 wide and 1
    /// high, one row and column of padding.
    fn all_patches(sample: usize) -> Vec<Vec<f32>> {
        let image = image(2, sample);
        let values = image.unordered();
        let at = |channel: usize, y: i32, x: i32| {
            let is_inside = (0..5).contains(&y) && (0..7).contains(&x);
            if is_inside { values[channel * 35 + y as usize * 7 + x as usize] } else { 0.0 }
        };
        let mut patches = Vec::new();
        for (row, column) in (0..5).flat_map(|row| (0..3).map(move |column| (row, column))) {
            let mut patch = Vec::new();
            for channel in 0..2 {
                for (tap_y, tap_x) in (0..2).flat_map(|y| (0..3).map(move |x| (y, x))) {
                    patch.push(at(channel, row + 2 * tap_y - 1, 2 * column + 2 * tap_x - 1));
                }
            }
            patches.push(patch);
        }
        patches
    }

    #[test]
    fn every_patch_is_what_an_output_is_computed_from() {
        let patches = &drawn(3, 0..3)[0];
        assert_eq!(patches.depth, 12);
        assert_eq!(patches.values.len(), 12 * PATCHES);
        let mut seen = vec![0; 45];
        let expected: Vec<Vec<f32>> = (0..3).flat_map(all_patches).collect();
        for patch in patches.values.chunks(12) {
            let place = expected.iter().position(|expected| expected == patch);
            seen[place.unwrap_or_else(|| panic!("{patch:?}"))] += 1;
        }
        assert!(seen.iter().all(|&count| count > 0), "1024 of 45 leave none out: {seen:?}");
    }

    #[test]
    fn a_vector_is_taken_whole_once_per_sample() {
        let patches = &drawn(3, 0..3)[2];
        let expected: Vec<f32> = (0..3).flat_map(|sample| image(1, sample).unordered().to_vec()).collect();
        assert_eq!((patches.depth, &patches.values), (35, &expected));
    }

    #[test]
    fn the_order_in_which_samples_are_seen_changes_nothing() {
        assert_eq!(drawn(5, (0..5).rev()), drawn(5, 0..5));
    }

    #[test]
    fn both_orders_of_an_image_have_the_same_patches() {
        let model = model();
        let targets = targets::find(&model, &Graph::new(&model).unwrap()).unwrap();
        let draw = |value: &Value| {
            let drawing = Drawing::new(&targets, &model, 1).unwrap();
            drawing.see(0, 0, value).unwrap();
            drawing.finish().remove(0)
        };
        let planar = image(2, 0);
        let pixels = Value::Pixels(planar.clone().into_pixels(&mut Workspace::default()).unwrap());
        assert_eq!(draw(&planar), draw(&pixels));
    }

    #[test]
    fn of_many_samples_some_are_looked_at_evenly_spread() {
        let patches = &drawn(1000, 0..1000)[2];
        let first = |values: &[f32]| (values[0] as usize - 1) / 1000;
        let samples: Vec<usize> = patches.values.chunks(35).map(first).collect();
        assert_eq!(samples.len(), SAMPLES);
        let expected: Vec<usize> = (0..SAMPLES).map(|number| number * 1000 / SAMPLES).collect();
        assert_eq!(samples, expected);
    }

    #[test]
    fn patches_share_a_limit_of_memory() {
        let reading = Reading::of(&model().layers[1]).unwrap();
        let wide = Value::Planar(Tensor::new([1 << 14, 5, 7], vec![1.0; 35 << 14]).unwrap());
        let (depth, values) = reading.draw(&wide, &Turn { number: 0, samples: 1, layer: 0 }).unwrap();
        assert_eq!((depth, values.len()), (6 << 14, FLOATS / depth * depth));
    }
}
