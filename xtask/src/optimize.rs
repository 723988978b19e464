//! `cargo xtask optimize-parity`: our optimized networks beside those of ncnnoptimize.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::Args;
use fp32_ref::Shape;
use ncnn_format::{Error, Model, Result};
use quantizer::optimize::{OptimizeOptions, differences, optimize};

use crate::models::{fixtures, shared};
use crate::parity::zoo;
use crate::python::target_folder;

/// Largest relative difference of an output on random inputs.
const LIMIT: f64 = 1e-4;
/// Random inputs per network.
const RUNS: usize = 2;

/// Options of `optimize-parity`.
#[derive(Debug, Args)]
pub(crate) struct OptimizeArgs {
    /// ncnn's own tool, built from its source; without it only the outputs are compared
    #[arg(long, value_name = "FILE")]
    ncnnoptimize: Option<PathBuf>,
    /// Only networks whose name contains this
    #[arg(long, value_name = "TEXT", default_value = "")]
    model: String,
}

/// A network with its weights and the shapes of its inputs.
struct Subject {
    name: String,
    model: Model,
    shapes: Vec<(String, Shape)>,
}

/// Optimizes every network of the repository, of the folder of networks and of its zoo (with
/// random weights), and prints layers and differences.
///
/// # Errors
/// `Invalid` when outputs differ or ncnnoptimize makes fewer layers; those of reading.
pub(crate) fn run(args: &OptimizeArgs) -> Result<()> {
    println!("{:28} {:>6} {:>6} {:>6}  {:>8} {:>8}", "network", "layers", "ncnn's", "ours", "theirs", "ours");
    let mut worse = Vec::new();
    for spec in fixtures().iter().chain(shared()).filter(|spec| spec.name.contains(&args.model)) {
        let (w, h, c) = spec.shape;
        let model = Model::load(spec.path(spec.param), spec.path(spec.bin))?;
        let shapes = vec![(spec.input.to_owned(), Shape::new(&[c, h, w])?)];
        let subject = Subject { name: spec.name.to_owned(), model, shapes };
        worse.extend(compare(&subject, args)?);
    }
    for entry in zoo::entries()?.unwrap_or_default().iter().filter(|entry| entry.name.contains(&args.model)) {
        let (model, shapes) = entry.random_model()?;
        worse.extend(compare(&Subject { name: entry.name.clone(), model, shapes }, args)?);
    }
    if worse.is_empty() { Ok(()) } else { Err(Error::invalid(worse.join("; "))) }
}

/// Prints a line and says what is wrong with it.
fn compare(subject: &Subject, args: &OptimizeArgs) -> Result<Option<String>> {
    let Subject { name, model, shapes } = subject;
    let options = OptimizeOptions::default().with_input_shapes(shapes.clone());
    let ours = optimize(model, &options)?.model;
    let theirs = args.ncnnoptimize.as_ref().and_then(|tool| with_tool(tool, model).ok());
    let difference = |other: &Model| {
        let found = differences(model, other, shapes, RUNS, 1)?;
        Ok::<_, Error>(found.iter().map(|output| output.relative).fold(0.0, f64::max))
    };
    let in_words = |difference: &Result<f64>| match difference {
        Ok(difference) => format!("{difference:.1e}"),
        Err(error) => error.to_string(),
    };
    let ours_differs = difference(&ours);
    let (count, their_difference) = match &theirs {
        Some(theirs) => (theirs.layers.len().to_string(), in_words(&difference(theirs))),
        None => ("-".to_owned(), "-".to_owned()),
    };
    let (before, after) = (model.layers.len(), ours.layers.len());
    println!("{name:28} {before:>6} {count:>6} {after:>6}  {their_difference:>8} {:>8}", in_words(&ours_differs));
    let longer = theirs.is_some_and(|theirs| theirs.layers.len() < after);
    let differs = !ours_differs.is_ok_and(|difference| difference <= LIMIT);
    Ok((longer || differs).then(|| name.clone()))
}

/// What ncnn's tool makes of `model`, stored as fp32.
fn with_tool(tool: &Path, model: &Model) -> Result<Model> {
    let folder = target_folder().join("optimize-parity");
    std::fs::create_dir_all(&folder).map_err(|error| Error::io("cannot create", &folder, error))?;
    let file = |name: &str| folder.join(name);
    let files = [file("in.param"), file("in.bin"), file("out.param"), file("out.bin")];
    model.save(&files[0], &files[1])?;
    let silent = Command::new(tool).args(&files).arg("0").stdout(Stdio::null()).stderr(Stdio::null()).status();
    let status = silent.map_err(|error| Error::io("cannot run", tool, error))?;
    if !status.success() {
        return Err(Error::invalid(format!("{} ended with {status}", tool.display())));
    }
    Model::load(&files[2], &files[3])
}
