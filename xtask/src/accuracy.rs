//! `cargo xtask accuracy`: what every method costs, measured in the stock ncnn runtime.

use std::path::{Path, PathBuf};

use clap::Args;
use ncnn_format::{Error, Model, Result};
use ncnn_quant::TerminalProgress;
use ncnn_quant::commands::outputs::save;
use quantizer::calibrate::{CalibrateOptions, Method, calibrate, correct_biases};
use quantizer::{ConvertOptions, WeightMethod, WeightRule, WinogradGuard, convert, equalize, weight_scales};
use serde_json::{Value, json};

use crate::batch::images;
use crate::models::{ModelSpec, shared};
use crate::python::{Python, target_folder};

/// Options of `accuracy`.
#[derive(Debug, Args)]
pub(crate) struct AccuracyArgs {
    /// Only this network (repeatable); default: five classifiers of the folder of networks
    #[arg(long, value_name = "NAME")]
    model: Vec<String>,
    /// Only this method (repeatable), with +equalize and +bias for the options of `quantize`, +weights for
    /// `--weights mse` and ncnn-kl+proven for ncnn2table's activations beside our weights; default: all
    #[arg(long, value_name = "METHOD")]
    method: Vec<String>,
}

const NETWORKS: [&str; 5] =
    ["fmnist_lenet_opt", "fmnist_resnet_opt", "fmnist_mbv2_opt", "squeezenet_v1.1", "mobilenet_v2_opt"];
/// Test images of Fashion-MNIST, from the first.
const CLOTHES: usize = 5000;

/// Calibrates, converts and scores; prints a table of networks and methods.
///
/// # Errors
/// `Invalid` when a network is unknown or not there; otherwise those of the job and of Python.
pub(crate) fn run(args: &AccuracyArgs) -> Result<()> {
    let names: Vec<&str> =
        if args.model.is_empty() { NETWORKS.to_vec() } else { args.model.iter().map(String::as_str).collect() };
    let methods = if args.method.is_empty() { all_methods() } else { args.method.clone() };
    let python = Python::with_ncnn()?;
    let folder = target_folder().join("accuracy");
    std::fs::create_dir_all(&folder).map_err(|error| Error::io("cannot create", &folder, error))?;
    println!("| network | method | top-1 | agreement | cosine |\n|---|---|---|---|---|");
    for name in names {
        let spec = shared().find(|spec| spec.name == name).ok_or_else(|| {
            Error::invalid(format!("{name} is no network of the folder of networks, or it is not there"))
        })?;
        let model = Model::load(spec.path(spec.param), spec.path(spec.bin))?;
        let mut jobs = Vec::new();
        for method in &methods {
            let prefix = folder.join(format!("{name}.{}", method.replace([':', '+'], "-")));
            jobs.push(quantized(spec, &model, method, &prefix)?);
        }
        let file = folder.join(format!("{name}.json"));
        let job = describe(spec, jobs);
        std::fs::write(&file, format!("{:#}\n", json!([job])))
            .map_err(|error| Error::io("cannot write", &file, error))?;
        for line in python.script("accuracy.py", &[&file])?.lines() {
            print_row(name, line)?;
        }
    }
    Ok(())
}

fn all_methods() -> Vec<String> {
    let own = ["auto+weights", "auto+equalize", "auto+bias", "auto+equalize+bias", "ncnn-kl+proven"].map(str::to_owned);
    Method::all().map(|method| method.to_string()).chain(own).collect()
}

/// Makes the int8 network of one method and says where it is.
fn quantized(spec: &'static ModelSpec, fp32: &Model, name: &str, prefix: &Path) -> Result<Value> {
    let progress = TerminalProgress::new(true);
    let mut words = name.split('+');
    let method: Method = words.next().unwrap_or_default().parse()?;
    let words: Vec<_> = words.collect();
    let dataset = images(spec, spec.images_calib, usize::MAX)?;
    let mut model = fp32.clone();
    if words.contains(&"equalize") {
        model = equalize(&model, &dataset, &progress)?.model;
    }
    let weights = if words.contains(&"weights") { WeightRule::Mse } else { WeightRule::default() };
    let options = CalibrateOptions::from(method).with_weights(weights);
    let mut calibration = calibrate(&model, &dataset, options, &progress)?;
    if words.contains(&"proven") {
        for layer in &mut calibration.layers {
            if let Some(found) = model.layer(&layer.layer) {
                layer.weights = weight_scales(found, WeightMethod::Guarded(WinogradGuard::Proven))?;
            }
        }
    }
    if words.contains(&"bias") {
        model = correct_biases(&model, &dataset, &calibration, &progress)?;
    }
    let int8 = convert(&model, &calibration.table(), ConvertOptions::default())?.model;
    let saved = save(&int8, None, prefix)?;
    Ok(json!({"name": name, "param": saved.param, "bin": saved.bin}))
}

/// As `accuracy.py` reads it.
fn describe(spec: &ModelSpec, int8: Vec<Value>) -> Value {
    let (width, height, _) = spec.shape;
    let mut job = json!({
        "width": width, "height": height, "pixel": spec.pixel, "mean": spec.mean, "norm": spec.norm,
        "input": spec.input, "output": spec.outputs.last(),
        "fp32": [spec.path(spec.param), spec.path(spec.bin)], "int8": int8,
    });
    if spec.pixel == "GRAY" {
        let file = |name: &str| -> PathBuf { spec.path(&format!("models/images/fmnist/test-{name}-ubyte.gz")) };
        job["idx"] = json!([file("images-idx3"), file("labels-idx1")]);
        job["limit"] = json!(CLOTHES);
    } else {
        job["images"] = json!(spec.path(spec.images_test));
        job["labels"] = json!(spec.labels.map(|labels| spec.path(labels)));
    }
    job
}

fn print_row(network: &str, line: &str) -> Result<()> {
    let row: Value =
        serde_json::from_str(line).map_err(|error| Error::invalid(format!("accuracy.py said {line}: {error}")))?;
    let number = |key: &str| row[key].as_f64().unwrap_or(f64::NAN);
    println!(
        "| {network} | {} | {:.4} | {:.4} | {:.4} |",
        row["name"].as_str().unwrap_or_default(),
        number("top1"),
        number("agreement"),
        number("cosine")
    );
    Ok(())
}
