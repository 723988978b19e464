//! `ncnn-quant run`: one inference.

use std::path::{Path, PathBuf};

use clap::Args;
use fp32_ref::{Graph, Outputs, Tensor};
use int8_exec::Int8Net;
use ncnn_format::{Error, Model, Result};
use quantizer::{ClassNames, read_npy, single_input, top_k, write_npy};
use serde_json::{Value, json};

use crate::given::{CommandOptions, Given};
use crate::model_args::ModelArgs;
use crate::output::{Output, json_float, table};

/// Arguments of `run`.
#[derive(Debug, Clone, Args)]
pub struct RunArgs {
    /// The network, fp32 or int8.
    #[command(flatten)]
    pub model: ModelArgs,
    /// An image for the network's only input.
    #[arg(long, value_name = "FILE", conflicts_with = "npy", required_unless_present = "npy")]
    pub image: Option<PathBuf>,
    /// A float32 .npy array for the only input, or BLOB=FILE once per input.
    #[arg(long, value_name = "[BLOB=]FILE")]
    pub npy: Vec<String>,
    /// How many of the largest values of each output to list.
    #[arg(long, value_name = "K", default_value_t = 5)]
    pub top: usize,
    /// Names of the classes, one per line from class 0.
    #[arg(long, value_name = "FILE")]
    pub classes: Option<PathBuf>,
    /// Writes every output to DIR/BLOB.npy.
    #[arg(long, value_name = "DIR")]
    pub save_npy: Option<PathBuf>,
    /// How an image becomes the input.
    #[command(flatten)]
    pub input: Given<ImageOptions>,
}

/// What `run` takes of a job's options.
#[derive(Debug, Clone)]
pub struct ImageOptions;

impl CommandOptions for ImageOptions {
    const NAMES: &'static [&'static str] = &["mean", "norm", "pixel", "shape", "resize"];
}

/// Runs the network once and lists the largest values of every output.
///
/// # Errors
/// Those of reading the model and the input, of running and of writing.
pub fn run(args: &RunArgs) -> Result<Output> {
    let model = args.model.load()?;
    let classes = args.classes.as_ref().map(ClassNames::load).transpose()?;
    let inputs = inputs(args, &model)?;
    let feeds: Vec<(&str, Tensor)> = inputs.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    // Layers without int8 weights run in f32 there too.
    let outputs = Int8Net::new(&model)?.run(&feeds, &mut ())?;
    let saved = args.save_npy.as_ref().map(|folder| save(&outputs, folder)).transpose()?.unwrap_or_default();
    let mut text = String::new();
    let mut json_outputs = Vec::new();
    for (name, value) in outputs.iter() {
        let ranked = top_k(value.as_slice(), args.top);
        text += &format!("{name} {}\n{}", value.shape(), describe(value, &ranked, classes.as_ref()));
        json_outputs.push(to_json(name, value, &ranked, classes.as_ref()));
    }
    for path in &saved {
        text += &format!("wrote {}\n", path.display());
    }
    Ok(Output { text, json: json!({ "outputs": json_outputs, "saved": saved }), ..Output::default() })
}

/// The inputs by blob name.
fn inputs(args: &RunArgs, model: &Model) -> Result<Vec<(String, Tensor)>> {
    let graph = Graph::new(model)?;
    if let Some(image) = &args.image {
        return Ok(vec![(single_input(&graph)?.to_owned(), args.input.options().preprocess(model)?.load(image)?)]);
    }
    args.npy.iter().map(|argument| npy_input(argument, &graph)).collect()
}

/// `BLOB=FILE`, or `FILE` for the only input. A file that exists is a file, whatever its name holds.
fn npy_input(argument: &str, graph: &Graph) -> Result<(String, Tensor)> {
    match argument.split_once('=') {
        Some((blob, file)) if !Path::new(argument).exists() => Ok((blob.to_owned(), read_npy(file)?)),
        _ => Ok((single_input(graph)?.to_owned(), read_npy(argument)?)),
    }
}

fn describe(value: &Tensor, ranked: &[usize], classes: Option<&ClassNames>) -> String {
    let rows = ranked
        .iter()
        .map(|&index| {
            let name = classes.and_then(|classes| classes.get(index)).unwrap_or_default();
            vec![index.to_string(), format!("{:.6}", value.as_slice()[index]), name.to_owned()]
        })
        .collect();
    table(&["index", "value", ""], rows, 0)
}

fn to_json(name: &str, value: &Tensor, ranked: &[usize], classes: Option<&ClassNames>) -> Value {
    let top: Vec<Value> = ranked
        .iter()
        .map(|&index| {
            json!({
                "index": index,
                "value": json_float(value.as_slice()[index].into()),
                "name": classes.and_then(|classes| classes.get(index)),
            })
        })
        .collect();
    json!({ "blob": name, "shape": value.shape().dims(), "top": top })
}

/// Writes every output; slashes in blob names become underscores.
fn save(outputs: &Outputs, folder: &Path) -> Result<Vec<PathBuf>> {
    std::fs::create_dir_all(folder).map_err(|error| Error::io("cannot create the folder", folder, error))?;
    outputs
        .iter()
        .map(|(name, value)| {
            let path = folder.join(format!("{}.npy", name.replace(['/', '\\'], "_")));
            write_npy(&path, value)?;
            Ok(path)
        })
        .collect()
}
