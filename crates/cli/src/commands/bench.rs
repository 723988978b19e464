//! `ncnn-quant bench`: how fast a network runs, and where the time goes.

use std::thread;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use fp32_ref::{Net, Tensor, Workspace};
use int8_exec::{Int8Net, Options};
use ncnn_format::{Error, Layer, Model, Result};
use quantizer::InputShape;
use serde_json::{Value, json};

use super::bench_layers::{LayerTime, layer_table, layers_json};
use super::machine::{IsaArgs, ms, peak, time};
use super::plain_model::without_int8;
use crate::model_args::ModelArgs;
use crate::output::Output;

/// Arguments of `bench`.
#[derive(Debug, Clone, Args)]
pub struct BenchArgs {
    /// The network, fp32 or int8.
    #[command(flatten)]
    pub model: ModelArgs,
    /// Width, height, channels of the only input [default: what the Input layer says]
    #[arg(long, value_name = "W,H,C")]
    pub shape: Option<InputShape>,
    /// Inferences to time, after two that are not.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub loops: u32,
    /// Also time this.
    #[arg(long, value_name = "WHAT")]
    pub compare: Option<Against>,
    /// The choice of instructions.
    #[command(flatten)]
    pub isa: IsaArgs,
}

/// What an int8 network is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Against {
    /// The same network without int8: its weights turned back into floats.
    Fp32,
}

/// The times of one network.
#[derive(Debug, Clone, Default)]
struct Times {
    load: Duration,
    /// Of single inferences, shortest first.
    latency: Vec<Duration>,
    /// With as many inferences at a time as there are threads.
    images_per_second: f64,
    layers: Vec<LayerTime>,
}

/// Something that can be run again and again.
trait Runner: Send {
    fn run(&mut self, input: &Tensor) -> Result<()>;
}

/// Times the network.
///
/// # Errors
/// Those of reading and running the model, and of choosing instructions.
pub fn run(args: &BenchArgs) -> Result<Output> {
    let isa = args.isa.choose()?;
    let start = Instant::now();
    let model = args.model.load()?;
    let read = start.elapsed();
    let input = made_up_input(args.shape.as_ref(), &model)?;
    let is_int8 = model.layers.iter().map(Layer::is_int8).collect::<Result<Vec<_>>>()?.contains(&true);
    let peak = peak(isa);
    let plain = match args.compare {
        Some(Against::Fp32) if is_int8 => Some(without_int8(&model)?),
        Some(Against::Fp32) => return Err(Error::invalid("--compare fp32 needs an int8 network")),
        None => None,
    };
    let mut times =
        if is_int8 { int8(model, args.isa.options()?, &input, args.loops)? } else { fp32(&model, &input, args.loops)? };
    times.load += read;
    let fp32 = plain.map(|plain| fp32(&plain, &input, args.loops)).transpose()?;
    let threads = rayon::current_num_threads();
    let kind = if is_int8 { format!("int8 ({isa})") } else { "fp32".to_owned() };
    let mut text = format!("{kind}, input {}, {threads} thread(s), {} loops\n", input.shape(), args.loops);
    text += &summary(&times);
    if let Some(fp32) = &fp32 {
        text += &format!("fp32: {}", summary(fp32));
        text += &format!("int8 is {:.2} times as fast as fp32\n", ms(fp32.median()) / ms(times.median()).max(1e-9));
    }
    text += &format!("\n{}", layer_table(&times.layers, peak));
    let mut json = times.json();
    json["kind"] = if is_int8 { "int8" } else { "fp32" }.into();
    json["isa"] = isa.name().into();
    json["threads"] = threads.into();
    json["loops"] = args.loops.into();
    json["shape"] = input.shape().dims().into();
    json["peak_gmacs_per_second"] = peak.map(|peak| peak / 1e9).into();
    json["layers"] = layers_json(&times.layers, peak);
    json["fp32"] = fp32.map(|fp32| fp32.json()).into();
    Ok(Output { text, json, ..Output::default() })
}

/// Seeded values within ±2.5, as preprocessed pixels are.
///
/// # Errors
/// `Invalid` when neither `shape` nor the network says how large its only input is.
pub fn made_up_input(shape: Option<&InputShape>, model: &Model) -> Result<Tensor> {
    let shape = InputShape::or_declared(shape, model)?;
    let mut state = 1_u32;
    let values = (0..shape.volume()).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 24) as f32 * 5.0 - 2.5
    });
    Tensor::new(shape.dims(), values.collect())
}

fn int8(model: Model, options: Options, input: &Tensor, loops: u32) -> Result<Times> {
    let start = Instant::now();
    let net = Int8Net::from_model(model, options)?;
    let blob = quantizer::single_input(net.graph())?.to_owned();
    // A network that only runs layer by layer has no report, and no times of steps.
    let report = net.plan_report(&[(&blob, input.shape())]).ok();
    let load = start.elapsed();
    let runner = || Int8Runner { session: net.session(), blob: blob.clone() };
    let latency = latency(&mut runner(), input, loops)?;
    let images_per_second = throughput((0..rayon::current_num_threads()).map(|_| runner()).collect(), input, loops)?;
    let mut steps: Vec<Duration> = Vec::new();
    let mut session = net.session();
    for _ in 0..loops.min(50) + 1 {
        let (_, found) = session.profile(&[(&blob, input.clone())])?;
        if steps.is_empty() {
            steps = found;
        } else {
            steps.iter_mut().zip(found).for_each(|(best, found)| *best = found.min(*best));
        }
    }
    let steps = report.into_iter().flat_map(|report| report.steps).zip(steps);
    let layers = steps.map(|(step, time)| LayerTime::of_step(step, time)).collect();
    Ok(Times { load, latency, images_per_second, layers })
}

fn fp32(model: &Model, input: &Tensor, loops: u32) -> Result<Times> {
    let start = Instant::now();
    let net = Net::new(model)?;
    let load = start.elapsed();
    let blob = quantizer::single_input(net.graph())?.to_owned();
    let runner = || Fp32Runner { net: &net, workspace: Workspace::default(), blob: &blob };
    let latency = latency(&mut runner(), input, loops)?;
    let images_per_second = throughput((0..rayon::current_num_threads()).map(|_| runner()).collect(), input, loops)?;
    let mut layers: Vec<LayerTime> = model.layers.iter().map(LayerTime::of_layer).collect();
    for _ in 0..loops.min(50) {
        let mut last = Instant::now();
        let mut watch = |blob: fp32_ref::BlobId, _: &fp32_ref::Value| {
            let layer = &mut layers[net.graph().blobs()[blob.0].producer];
            layer.time = layer.time.min(last.elapsed());
            last = Instant::now();
            Ok(())
        };
        net.run(&[(&blob, input.clone())], &mut watch)?;
    }
    Ok(Times { load, latency, images_per_second, layers })
}

struct Int8Runner {
    session: int8_exec::Session,
    blob: String,
}

impl Runner for Int8Runner {
    fn run(&mut self, input: &Tensor) -> Result<()> {
        self.session.run(&[(&self.blob, input.clone())]).map(|_| ())
    }
}

struct Fp32Runner<'a> {
    net: &'a Net,
    workspace: Workspace,
    blob: &'a str,
}

impl Runner for Fp32Runner<'_> {
    fn run(&mut self, input: &Tensor) -> Result<()> {
        self.net.run_in(&mut self.workspace, &[(self.blob, input.clone())], &mut ()).map(|_| ())
    }
}

/// The times of single inferences, shortest first.
fn latency(runner: &mut impl Runner, input: &Tensor, loops: u32) -> Result<Vec<Duration>> {
    runner.run(input)?;
    runner.run(input)?;
    let mut times = Vec::new();
    for _ in 0..loops {
        let mut result = Ok(());
        times.push(time(|| result = runner.run(input)));
        result?;
    }
    times.sort_unstable();
    Ok(times)
}

/// Images per second when every runner works on its own with one thread.
fn throughput<R: Runner>(runners: Vec<R>, input: &Tensor, loops: u32) -> Result<f64> {
    let count = runners.len();
    let work = |mut runner: R| -> Result<Duration> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
        let pool = pool.map_err(|error| Error::invalid("cannot start threads").caused_by(error))?;
        pool.install(|| {
            runner.run(input)?;
            let mut result = Ok(());
            let taken = time(|| result = (0..loops).try_for_each(|_| runner.run(input)));
            result.map(|()| taken)
        })
    };
    let taken: Vec<Result<Duration>> = thread::scope(|scope| {
        let threads: Vec<_> = runners.into_iter().map(|runner| scope.spawn(|| work(runner))).collect();
        let stopped = |_| Err(Error::invalid("a thread stopped"));
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(stopped)).collect()
    });
    let slowest = taken.into_iter().collect::<Result<Vec<_>>>()?.into_iter().max().unwrap_or_default();
    Ok(count as f64 * f64::from(loops) / slowest.as_secs_f64().max(1e-9))
}

fn summary(times: &Times) -> String {
    format!(
        "latency min {:.3} ms, median {:.3} ms; {:.1} images/s; loaded in {:.1} ms\n",
        ms(times.min()),
        ms(times.median()),
        times.images_per_second,
        ms(times.load)
    )
}

impl Times {
    fn min(&self) -> Duration {
        self.latency.first().copied().unwrap_or_default()
    }

    fn median(&self) -> Duration {
        self.latency.get(self.latency.len() / 2).copied().unwrap_or_default()
    }

    fn json(&self) -> Value {
        json!({
            "min_ms": ms(self.min()),
            "median_ms": ms(self.median()),
            "images_per_second": self.images_per_second,
            "load_ms": ms(self.load),
        })
    }
}
