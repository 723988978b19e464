//! What a plan does, for people.

use std::borrow::Cow;

use fp32_ref::{BlobId, Shape};
use int8_kernels::Algorithm;
use ncnn_format::Result;

use crate::Int8Net;
use crate::compiled::Compiled;
use crate::grid::Grid;
use crate::layers::Prepared;
use crate::plan::{Op, Plan, Step, View};

/// The steps of a plan and its memory.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanReport {
    /// In the order in which they run.
    pub steps: Vec<StepReport>,
    /// Bytes of the buffers between int8 layers.
    pub buffer_bytes: usize,
    /// Bytes that those buffers would have if none shared memory.
    pub unshared_bytes: usize,
}

/// One step of a plan.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct StepReport {
    /// Name of the layer that the step stands for.
    #[cfg_attr(feature = "serde", serde(rename = "name"))]
    pub layer: String,
    /// Type of that layer.
    #[cfg_attr(feature = "serde", serde(rename = "type"))]
    pub kind: String,
    /// Names of the layers that run in its epilogue.
    pub fused: Vec<String>,
    /// The kernel that does it; `fp32-ref` for float layers.
    pub kernel: Cow<'static, str>,
    /// What comes out, such as `f32 + i8 at 3.2`.
    #[cfg_attr(feature = "serde", serde(rename = "makes"))]
    pub output: String,
    /// Multiply-adds of integers that its sums are made of.
    pub macs: u64,
    /// Products that its kernel computes: a quarter of `macs` under Winograd's algorithm.
    pub products: u64,
    /// Bytes of weights, inputs and outputs, each once.
    pub bytes: u64,
}

#[cfg(feature = "serde")]
mod record {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{PlanReport, StepReport};

    /// The versions of the form of a [`PlanReport`], which docs/results.md describes.
    #[derive(Serialize, Deserialize)]
    #[serde(tag = "schema")]
    enum Form {
        #[serde(rename = "ncnn-quant/plan/1")]
        One { steps: Vec<StepReport>, buffer_bytes: usize, unshared_bytes: usize },
    }

    impl Serialize for PlanReport {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let Self { steps, buffer_bytes, unshared_bytes } = self.clone();
            Form::One { steps, buffer_bytes, unshared_bytes }.serialize(serializer)
        }
    }

    impl<'de> Deserialize<'de> for PlanReport {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let Form::One { steps, buffer_bytes, unshared_bytes } = Form::deserialize(deserializer)?;
            Ok(Self { steps, buffer_bytes, unshared_bytes })
        }
    }
}

impl Int8Net {
    /// The plan for inputs of the given shapes.
    ///
    /// ```
    /// use fp32_ref::Shape;
    /// use int8_exec::Int8Net;
    /// # use ncnn_format::typed::InnerProduct;
    /// # use ncnn_format::{Layer, LayerKind, Model, WeightRole};
    /// # let input = Layer::new(LayerKind::Input, "data").makes("data");
    /// # let fc = Layer::new(LayerKind::InnerProduct, "fc").reads("data").makes("out");
    /// # let fc = fc.with(InnerProduct::NUM_OUTPUT, 1).with(InnerProduct::WEIGHT_DATA_SIZE, 2);
    /// # let fc = fc.with(InnerProduct::INT8_SCALE_TERM, 2).with_weight(WeightRole::Weight, vec![3_i8, -4]);
    /// # let fc = fc.with_weight(WeightRole::WeightScales, vec![1.0]).with_weight(WeightRole::InputScale, vec![2.0]);
    /// # let model = Model::new([input, fc]);
    ///
    /// let report = Int8Net::new(&model)?.plan_report(&[("data", Shape::new(&[2])?)])?;
    /// let steps: Vec<&str> = report.steps.iter().map(|step| &*step.kernel).collect();
    /// assert_eq!((steps.len(), steps[0], report.steps[1].macs), (2, "quantize", 2));
    /// # Ok::<(), ncnn_format::Error>(())
    /// ```
    ///
    /// # Errors
    /// Why there is none: `Unsupported` for what only runs layer by layer, or the error that running
    /// would give.
    pub fn plan_report(&self, inputs: &[(&str, Shape)]) -> Result<PlanReport> {
        let compiled = self.compiled();
        let plan = compiled.plan(&compiled.input_shapes(inputs.iter().copied())?).map_err(|error| (*error).clone())?;
        let steps = plan.steps.iter().map(|step| describe(compiled, &plan, step)).collect();
        let buffer_bytes = plan.byte_slots.iter().sum::<usize>() + 4 * plan.float_slots.iter().sum::<usize>();
        Ok(PlanReport { steps, buffer_bytes, unshared_bytes: plan.unshared_bytes })
    }
}

fn describe(compiled: &Compiled, plan: &Plan, step: &Step) -> StepReport {
    let name = |&layer: &usize| compiled.graph.layer_name(layer).to_owned();
    let view_bytes = |view: &View| view.grid.pixels() * view.grid.channels;
    let float_bytes = |blob: BlobId| plan.shapes[blob.0].map_or(0, |shape| 4 * shape.volume());
    let read = step.op.reads().as_ref().map_or(0, view_bytes);
    let written: usize = step.op.writes().iter().map(view_bytes).sum();
    let integers = |scales: &[(f32, View)]| -> Vec<String> {
        scales.iter().map(|(scale, _)| format!("i8 at {scale:.4}")).collect()
    };
    let mut macs_per_product = 1;
    let (kernel, output, macs, more) = match &step.op {
        Op::Quantize { from, to } => ("quantize", integers(to), 0, float_bytes(*from)),
        Op::Convolve { layer, output, addend, sinks, .. } => {
            let Multiplied { kernel, depth, weights, algorithm } = conv_of(&compiled.layers[*layer], *output);
            if algorithm == Algorithm::Winograd {
                macs_per_product = 4;
            }
            let floats = sinks.floats.map_or(0, float_bytes) + addend.map_or(0, float_bytes);
            let mut forms = integers(&sinks.integers);
            if sinks.floats.is_some() {
                forms.insert(0, "f32".to_owned());
            }
            (kernel, forms, volume(*output) * depth, floats + weights)
        }
        Op::TakeLargest { .. } => ("max_pool", vec!["i8".to_owned()], 0, 0),
        Op::Limit { .. } => ("limit", vec!["i8".to_owned()], 0, 0),
        Op::Move { .. } => ("move", vec!["i8".to_owned()], 0, 0),
        Op::Relabel { .. } => ("none", vec!["f32".to_owned()], 0, 0),
        Op::Float { layer } => {
            let node = &compiled.graph.nodes()[*layer];
            let inputs = node.inputs.iter().map(|blob| float_bytes(plan.roots[blob.0]));
            let outputs = node.outputs.iter().map(|&blob| float_bytes(blob));
            ("fp32-ref", vec!["f32".to_owned()], 0, inputs.chain(outputs).sum())
        }
    };
    StepReport {
        layer: name(&step.layers[0]),
        kind: compiled.kinds[step.layers[0]].clone(),
        fused: step.layers[1..].iter().map(name).collect(),
        kernel: kernel.into(),
        output: output.join(" + "),
        macs: macs as u64,
        products: (macs / macs_per_product) as u64,
        bytes: (read + written + more) as u64,
    }
}

fn volume(grid: Grid) -> usize {
    grid.pixels() * grid.channels
}

/// What a convolution or inner product multiplies.
struct Multiplied {
    kernel: &'static str,
    /// Products per sum.
    depth: usize,
    /// Bytes of weights in the form that the kernel reads.
    weights: usize,
    algorithm: Algorithm,
}

fn conv_of(layer: &Prepared, output: Grid) -> Multiplied {
    let (height, width) = (output.height, output.width);
    let none = Multiplied { kernel: "", depth: 0, weights: 0, algorithm: Algorithm::Direct };
    layer.parts().map_or(none, |parts| {
        let (depth, algorithm) = (parts.depth(), parts.algorithm(height, width));
        // Winograd's algorithm has 36 words for 9 bytes.
        let bytes_per_weight = if algorithm == Algorithm::Winograd { 8 } else { 1 };
        let weights = depth * parts.out_channels() * bytes_per_weight;
        Multiplied { kernel: parts.kernel(height, width), depth, weights, algorithm }
    })
}
