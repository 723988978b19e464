//! What the accumulators of ncnn's Winograd watched reach in calibration.

use fp32_ref::{ConvWindow, Value};
use histogram_kl::Threshold;
use int8_kernels::{ConvShape, Isa, PackedConv, Padding, Scratch, quantize, quantize_slice};
use ncnn_format::{Error, Layer, LinearLayer, Model, Result, WeightRole};

use super::collect::Collector;
use super::decision::Decision;
use crate::weight_scales::WeightScales;
use crate::winograd::{OBSERVED_MARGIN, WRAP};

/// Most samples that are looked at.
const SAMPLES: usize = 32;

/// Gives channels whose scale was lowered for lack of a proof their eight bits back if the largest
/// accumulator magnitude seen, with a margin, is below the bound; others get what that allows, if it is
/// more than the proof does.
///
/// All outputs of up to 32 samples, evenly spread, are computed in int8.
///
/// # Errors
/// As running the network.
pub(super) fn keep_observed(
    collector: &Collector<'_>,
    model: &Model,
    decisions: &[Decision],
    weights: &mut [WeightScales],
) -> Result<()> {
    let watched = (0..weights.len())
        .filter(|&index| !weights[index].reduced.is_empty())
        .map(|index| {
            let target = &collector.targets[index];
            let scale = decisions[target.slot].threshold.unwrap_or(Threshold::UNIT).scale();
            let layer = Watched::of(&model.layers[target.layer], &weights[index].full, scale)?;
            Ok(Watched { index, slot: target.slot, ..layer })
        })
        .collect::<Result<Vec<_>>>()?;
    if watched.is_empty() {
        return Ok(());
    }
    let samples = collector.dataset.len().min(SAMPLES);
    let states = collector.visit("watching accumulators", samples, |seen: &mut Vec<Vec<u32>>, _, slot, value| {
        seen.resize(watched.len(), Vec::new());
        for (layer, seen) in watched.iter().zip(seen).filter(|(layer, _)| layer.slot == slot) {
            layer.run(value, seen)?;
        }
        Ok(())
    })?;
    for (position, layer) in watched.iter().enumerate() {
        let mut seen = vec![0; layer.outputs];
        for state in &states {
            for (seen, &more) in seen.iter_mut().zip(state.get(position).into_iter().flatten()) {
                *seen = more.max(*seen);
            }
        }
        weights[layer.index].allow(&seen);
    }
    Ok(())
}

impl WeightScales {
    /// Raises reduced channels as far as their largest accumulators at the full scales let them.
    fn allow(&mut self, seen: &[u32]) {
        let reduced = std::mem::take(&mut self.reduced);
        for channel in reduced {
            let room = WRAP as f32 / (OBSERVED_MARGIN * seen[channel].max(1) as f32);
            if room >= 1.0 {
                self.scales[channel] = self.full[channel];
                self.observed.push(channel);
            } else {
                self.scales[channel] = self.scales[channel].max(self.full[channel] * room);
                self.reduced.push(channel);
            }
        }
    }
}

/// A layer whose accumulators are watched.
struct Watched {
    index: usize,
    slot: usize,
    outputs: usize,
    input_scale: f32,
    window: ConvWindow,
    packed: PackedConv,
}

impl Watched {
    fn of(layer: &Layer, full: &[f32], input_scale: f32) -> Result<Self> {
        let linear = LinearLayer::of(layer)?.ok_or_else(|| Error::invalid("has no weight matrix"))?;
        let window = ConvWindow::of(&linear)?;
        let weights = layer.weight_f32(WeightRole::Weight)?;
        let outputs = full.len();
        let depth = weights.len().checked_div(outputs).unwrap_or(0);
        let quantized: Vec<i8> = weights
            .chunks_exact(depth.max(1))
            .zip(full)
            .flat_map(|(row, &scale)| row.iter().map(move |&weight| quantize(weight, scale)))
            .collect();
        let shape = ConvShape {
            kernel_h: window.kernel_h,
            kernel_w: window.kernel_w,
            ..ConvShape::pointwise(depth / (window.kernel_h * window.kernel_w), outputs)
        };
        let packed = PackedConv::new(shape, &quantized, Isa::detect())?;
        Ok(Self { index: 0, slot: 0, outputs, input_scale, window, packed })
    }

    fn run(&self, value: &Value, seen: &mut Vec<u32>) -> Result<()> {
        let tensor = value.to_tensor();
        let (height, width) = (tensor.shape().h(), tensor.shape().w());
        let placement = self.window.place(height, width)?;
        let padding = Padding {
            top: placement.top,
            bottom: placement.bottom,
            left: placement.left,
            right: placement.right,
            value: 0,
        };
        let mut quantized = vec![0; tensor.as_slice().len()];
        quantize_slice(tensor.as_slice(), self.input_scale, &mut quantized)?;
        let plane = placement.out_h * placement.out_w;
        let mut sums = vec![0; self.outputs * plane];
        self.packed.run(&quantized, height, width, &padding, &mut Scratch::default(), &mut sums)?;
        seen.resize(self.outputs, 0);
        for (seen, sums) in seen.iter_mut().zip(sums.chunks_exact(plane.max(1))) {
            *seen = sums.iter().fold(*seen, |seen, sum| seen.max(sum.unsigned_abs()));
        }
        Ok(())
    }
}
