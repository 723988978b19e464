//! `cargo xtask bench-ncnn`: our int8 executor and the stock ncnn wheel, timed in turn.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use clap::Args;
use fp32_ref::Tensor;
use int8_exec::{Int8Net, Options};
use ncnn_format::{Error, Layer, Model, Result, ScaleTable};
use ncnn_quant::commands::bench::made_up_input;
use ncnn_quant::commands::outputs::save;
use quantizer::{ConvertOptions, InputShape, convert, single_input, write_npy};
use serde_json::{Value, json};

use crate::models::{ModelSpec, fixtures};
use crate::python::{Conversation, Python, target_folder};

/// Options of `bench-ncnn`.
#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// Threads of one inference
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    threads: u16,
    /// Only this network (repeatable), named after its .param file
    #[arg(long, value_name = "NAME")]
    model: Vec<String>,
    /// The int8 networks of this folder, .param beside .bin, instead of the fixtures; NAME.openvino.xml
    /// with its .bin is the network for OpenVINO, if that is installed
    #[arg(long, value_name = "DIR")]
    models: Option<PathBuf>,
    /// Times that every runtime gets its turn
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// An int8 network on disk.
struct Network {
    name: String,
    param: PathBuf,
    bin: PathBuf,
    /// The same architecture for OpenVINO.
    openvino: Option<PathBuf>,
    input: Tensor,
}

/// Milliseconds of one inference and of loading: medians over the rounds.
struct Timing {
    infer: f64,
    load: f64,
}

/// The timings of one network.
struct Row {
    name: String,
    ours: Timing,
    winograd: Timing,
    plain: Timing,
    openvino: Option<Timing>,
}

/// The wheel's threads spin for a while after its last layer, on the processors that we need.
const SPINNING: Duration = Duration::from_millis(400);

/// Times every network; prints a table of times and ratios.
///
/// # Errors
/// `Invalid` when there is no such network; otherwise those of reading, running and of Python.
pub(crate) fn run(args: &BenchArgs) -> Result<()> {
    if cfg!(debug_assertions) {
        return run_optimized();
    }
    let folder = target_folder().join("bench-ncnn");
    std::fs::create_dir_all(&folder).map_err(|error| Error::io("cannot create", &folder, error))?;
    let mut networks = match &args.models {
        Some(models) => of_folder(models)?,
        None => fixtures().iter().map(|spec| quantized(spec, &folder)).collect::<Result<_>>()?,
    };
    networks.retain(|network| args.model.is_empty() || args.model.contains(&network.name));
    if networks.is_empty() {
        return Err(Error::invalid("there is no such int8 network"));
    }
    let mut stock = Python::with_ncnn()?.converse("bench_ncnn.py")?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(usize::from(args.threads)).build();
    let pool = pool.map_err(|error| Error::invalid(format!("cannot start threads: {error}")))?;
    if !args.json {
        println!("| network | ncnn | without winograd | ours | ncnn / ours | load ncnn | ours | OpenVINO | / ours |");
        println!("|---|---|---|---|---|---|---|---|---|");
    }
    let mut rows = Vec::new();
    for network in &networks {
        let row = network.time(args, &folder.join("input.npy"), &mut stock, &pool)?;
        if !args.json {
            println!("{}", row.line());
        }
        rows.push(row);
    }
    let all = mean(rows.iter().map(Row::ratio));
    if args.json {
        let networks: Vec<Value> = rows.iter().map(Row::json).collect();
        println!("{:#}", json!({ "threads": args.threads, "networks": networks, "geometric_mean": all }));
    } else {
        println!("{} thread(s), geometric mean of ncnn / ours {all:.2}", args.threads);
    }
    Ok(())
}

/// This command again as a build whose times mean something.
fn run_optimized() -> Result<()> {
    let cargo = PathBuf::from(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    let mut command = Command::new(&cargo);
    command.args(["run", "--release", "--quiet", "--package", "xtask", "--"]).args(std::env::args_os().skip(1));
    let status = command.status().map_err(|error| Error::io("cannot run", &cargo, error))?;
    if status.success() { Ok(()) } else { Err(Error::invalid("the optimized build failed")) }
}

/// The int8 networks of a folder by name.
fn of_folder(folder: &Path) -> Result<Vec<Network>> {
    let entries = std::fs::read_dir(folder).map_err(|error| Error::io("cannot read", folder, error))?;
    let mut params: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    params.retain(|path| path.extension().is_some_and(|extension| extension == "param"));
    params.sort();
    let mut networks = Vec::new();
    for param in params {
        let bin = param.with_extension("bin");
        let model = Model::load(&param, &bin)?;
        if model.layers.iter().map(Layer::is_int8).collect::<Result<Vec<_>>>()?.contains(&true) {
            networks.push(Network::new(&model, None, param, bin)?);
        }
    }
    Ok(networks)
}

/// A fixture quantized by the table of ncnn2table that is shipped with it.
fn quantized(spec: &ModelSpec, folder: &Path) -> Result<Network> {
    let model = Model::load(spec.path(spec.param), spec.path(spec.bin))?;
    let table = spec.golden.ok_or_else(|| Error::invalid(format!("{} has no table", spec.name)))?;
    let table = ScaleTable::load(spec.path(&format!("{table}.kl.table")))?;
    let int8 = convert(&model, &table, ConvertOptions::default())?.model;
    let saved = save(&int8, None, &folder.join(spec.name))?;
    let (width, height, channels) = spec.shape;
    let shape = InputShape::try_from(vec![width, height, channels]).map_err(Error::invalid)?;
    Network::new(&int8, Some(&shape), saved.param, saved.bin)
}

impl Network {
    fn new(model: &Model, shape: Option<&InputShape>, param: PathBuf, bin: PathBuf) -> Result<Self> {
        let input = made_up_input(shape, model).map_err(|error| error.in_file(&param))?;
        let name = param.file_stem().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let openvino = Some(param.with_extension("openvino.xml")).filter(|file| file.is_file());
        Ok(Self { name, param, bin, openvino, input })
    }

    /// Every runtime in turn, once per round.
    fn time(&self, args: &BenchArgs, npy: &Path, stock: &mut Conversation, pool: &rayon::ThreadPool) -> Result<Row> {
        write_npy(npy, &self.input)?;
        let (mut ours, mut winograd, mut plain, mut openvino) = (vec![], vec![], vec![], vec![]);
        for _ in 0..args.rounds {
            for (is_winograd, timings) in [(true, &mut winograd), (false, &mut plain)] {
                let job = json!({
                    "runtime": "ncnn", "param": self.param, "bin": self.bin, "input": npy,
                    "threads": args.threads, "winograd": is_winograd,
                });
                timings.extend(Timing::answered(&stock.ask(&job)?));
            }
            sleep(SPINNING);
            ours.push(pool.install(|| self.time_ours())?);
            if let Some(model) = &self.openvino {
                let job = json!({"runtime": "openvino", "model": model, "input": npy, "threads": args.threads});
                openvino.extend(Timing::answered(&stock.ask(&job)?));
                sleep(SPINNING);
            }
        }
        let missing = || Error::invalid(format!("{} was not timed", self.name));
        Ok(Row {
            name: self.name.clone(),
            ours: Timing::median(&ours).ok_or_else(missing)?,
            winograd: Timing::median(&winograd).ok_or_else(missing)?,
            plain: Timing::median(&plain).ok_or_else(missing)?,
            openvino: Timing::median(&openvino),
        })
    }

    /// As `bench_ncnn.py` does it: loading with all preparations, two runs, then the median of some.
    fn time_ours(&self) -> Result<Timing> {
        const LEAST: usize = 8;
        const MOST: usize = 60;
        let start = Instant::now();
        let net = Int8Net::from_model(Model::load(&self.param, &self.bin)?, Options::default())?;
        let blob = single_input(net.graph())?.to_owned();
        // A network without a plan runs layer by layer.
        let _ = net.plan_report(&[(&blob, self.input.shape())]);
        let load = milliseconds(start);
        let mut session = net.session();
        let mut infer = || session.run(&[(&blob, self.input.clone())]).map(|_| ());
        infer()?;
        infer()?;
        let (mut times, begin) = (Vec::new(), Instant::now());
        while times.len() < LEAST || (begin.elapsed() < Duration::from_millis(500) && times.len() < MOST) {
            let start = Instant::now();
            infer()?;
            times.push(milliseconds(start));
        }
        Ok(Timing { infer: median(times), load })
    }
}

impl Timing {
    /// From an answer of `bench_ncnn.py`; `None` if the runtime is not there.
    fn answered(answer: &Value) -> Option<Self> {
        Some(Self { infer: answer["ms"].as_f64()?, load: answer["load_ms"].as_f64()? })
    }

    fn median(rounds: &[Self]) -> Option<Self> {
        let of = |part: fn(&Self) -> f64| median(rounds.iter().map(part).collect());
        (!rounds.is_empty()).then(|| Self { infer: of(|timing| timing.infer), load: of(|timing| timing.load) })
    }
}

impl Row {
    /// The better of ncnn's two, to ours. Loading is that of its default, with Winograd.
    fn ratio(&self) -> f64 {
        self.winograd.infer.min(self.plain.infer) / self.ours.infer
    }

    fn line(&self) -> String {
        let Self { name, ours, winograd, plain, openvino } = self;
        let openvino = openvino.as_ref().map_or_else(
            || " | ".to_owned(),
            |openvino| format!("{:.2} ms | {:.2}", openvino.infer, openvino.infer / ours.infer),
        );
        format!(
            "| {name} | {:.2} ms | {:.2} ms | {:.2} ms | {:.2} | {:.1} ms | {:.1} ms | {openvino} |",
            winograd.infer,
            plain.infer,
            ours.infer,
            self.ratio(),
            winograd.load,
            ours.load
        )
    }

    fn json(&self) -> Value {
        let timing = |timing: &Timing| json!({"ms": timing.infer, "load_ms": timing.load});
        json!({
            "name": self.name, "ours": timing(&self.ours), "ncnn": timing(&self.winograd),
            "ncnn_without_winograd": timing(&self.plain), "openvino": self.openvino.as_ref().map(timing),
            "ratio": self.ratio(),
        })
    }
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The geometric mean.
fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len() as f64;
    (values.map(f64::ln).sum::<f64>() / count).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_takes_the_better_of_the_other_side() {
        let timing = |infer| Timing { infer, load: 1.0 };
        let row = Row {
            name: "net".to_owned(),
            ours: timing(2.0),
            winograd: Timing { infer: 5.0, load: 3.0 },
            plain: timing(4.0),
            openvino: None,
        };
        assert_eq!(row.ratio(), 2.0);
        assert_eq!(row.line(), "| net | 5.00 ms | 4.00 ms | 2.00 ms | 2.00 | 3.0 ms | 1.0 ms |  |  |");
    }

    #[test]
    fn rounds_and_networks_are_averaged_each_in_its_way() {
        assert_eq!(median(vec![9.0, 1.0, 2.0]), 2.0);
        assert!((mean([2.0, 8.0].into_iter()) - 4.0).abs() < 1e-9);
        assert!(Timing::answered(&json!({"missing": "openvino is not installed"})).is_none());
    }
}
