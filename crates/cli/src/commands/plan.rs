//! `ncnn-quant plan`: how an int8 network is going to run.

use clap::Args;
use int8_exec::{Int8Net, PlanReport, StepReport};
use ncnn_format::Result;
use quantizer::InputShape;
use serde_json::json;

use super::machine::{IsaArgs, bandwidth, peak};
use crate::model_args::ModelArgs;
use crate::output::{Output, bytes, count, fit, serialized, table};

/// Arguments of `plan`.
#[derive(Debug, Clone, Args)]
pub struct PlanArgs {
    /// The int8 network.
    #[command(flatten)]
    pub model: ModelArgs,
    /// Width, height, channels of the only input [default: what the Input layer says]
    #[arg(long, value_name = "W,H,C")]
    pub shape: Option<InputShape>,
    /// List every step: what was fused, its kernel, bytes, multiply-adds, and what limits it.
    #[arg(long)]
    pub explain: bool,
    /// The choice of instructions.
    #[command(flatten)]
    pub isa: IsaArgs,
}

/// The speeds that a prediction rests on.
struct Machine {
    macs_per_second: Option<f64>,
    bytes_per_second: f64,
}

/// Describes the plan.
///
/// # Errors
/// Those of reading the model, and why there is no plan.
pub fn run(args: &PlanArgs) -> Result<Output> {
    let isa = args.isa.choose()?;
    let model = args.model.load()?;
    let shape = InputShape::or_declared(args.shape.as_ref(), &model)?;
    let net = Int8Net::with_options(&model, args.isa.options()?)?;
    let blob = quantizer::single_input(net.graph())?.to_owned();
    let report = net.plan_report(&[(&blob, shape)])?;
    let machine = Machine { macs_per_second: peak(isa), bytes_per_second: bandwidth() };
    let mut text = format!("{}\n", summary(&report, &model.layers.len()));
    if args.explain {
        text += &format!("\n{}\n{}", explain(&report, &machine), machine.describe());
    }
    let mut json = serialized(&report)?;
    json["isa"] = json!(isa.name());
    json["peak_gmacs_per_second"] = json!(machine.macs_per_second.map(|peak| peak / 1e9));
    json["gigabytes_per_second"] = json!(machine.bytes_per_second / 1e9);
    for (step, json) in report.steps.iter().zip(json["steps"].as_array_mut().into_iter().flatten()) {
        json["bound"] = json!(machine.bound(step));
        json["least_ms"] = json!(1e3 * machine.seconds(step));
    }
    Ok(Output { text, json, ..Output::default() })
}

fn summary(report: &PlanReport, layers: &usize) -> String {
    let fused: usize = report.steps.iter().map(|step| step.fused.len()).sum();
    let floats = report.steps.iter().filter(|step| step.kernel == "fp32-ref").count();
    let macs: u64 = report.steps.iter().map(|step| step.macs).sum();
    format!(
        "{layers} layers in {} steps, {fused} layers in epilogues, {floats} on floats, {} multiply-adds; buffers {} ({} if none shared memory)",
        report.steps.len(),
        count(macs),
        bytes(report.buffer_bytes as u64),
        bytes(report.unshared_bytes as u64)
    )
}

fn explain(report: &PlanReport, machine: &Machine) -> String {
    let row = |step: &StepReport| {
        let fused: String = step.fused.iter().map(|name| format!(" + {name}")).collect();
        vec![
            fit(&(step.layer.clone() + &fused), 48),
            step.kind.clone(),
            step.kernel.to_string(),
            step.output.clone(),
            if step.macs > 0 { count(step.macs) } else { String::new() },
            bytes(step.bytes),
            machine.bound(step).to_owned(),
            format!("{:.3}", 1e3 * machine.seconds(step)),
        ]
    };
    let rows = report.steps.iter().map(row).collect();
    table(&["layer", "type", "kernel", "makes", "MACs", "moves", "bound", "at least ms"], rows, 4)
}

impl Machine {
    /// Seconds for the multiply-adds and for the bytes of a step.
    fn parts(&self, step: &StepReport) -> (f64, f64) {
        let compute = self.macs_per_second.map_or(0.0, |peak| step.products as f64 / peak);
        (compute, step.bytes as f64 / self.bytes_per_second)
    }

    fn seconds(&self, step: &StepReport) -> f64 {
        let (compute, memory) = self.parts(step);
        compute.max(memory)
    }

    fn bound(&self, step: &StepReport) -> &'static str {
        let (compute, memory) = self.parts(step);
        if compute > memory { "compute" } else { "memory" }
    }

    fn describe(&self) -> String {
        let peak = self.macs_per_second.map_or_else(String::new, |peak| format!("{:.0} GMAC/s and ", peak / 1e9));
        format!("measured on one thread: {peak}{:.1} GB/s\n", self.bytes_per_second / 1e9)
    }
}
