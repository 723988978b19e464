//! The command line as clap sees it.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::{Args, Parser, Subcommand};
use fp32_ref::Graph;
use ncnn_format::{Error, LayerKind, Limits, Model, Result, typed};
use quantizer::calibrate::{CalibrateOptions, Method, Passes};
use quantizer::{FileDataset, InputOptions, Pixel, Preprocess, Samples, WeightRule, WinogradGuard};

/// Turn an fp32 ncnn model into an int8 model that stock ncnn loads, and say how good it is.
#[derive(Debug, Parser)]
#[command(name = "ncnn-quant", version, after_help = EXAMPLES, arg_required_else_help = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Options of every command.
    #[command(flatten)]
    pub options: RunOptions,
}

const EXAMPLES: &str = "\
Examples:
  # one go: images in, int8 model out (small.param, small.bin, small.table)
  ncnn-quant quantize --param net.param --bin net.bin --images photos/ \\
      --shape 224,224,3 --pixel RGB --mean 123.675,116.28,103.53 --norm 0.01712,0.01751,0.01743 --out small
  # how much accuracy went, and where
  ncnn-quant compare --param net.param --bin net.bin --int8-param small.param --int8-bin small.bin \\
      --images test/ --labels test/labels.tsv --shape 224,224,3 --pixel RGB --mean … --norm …
  # what one image gives
  ncnn-quant run --param small.param --bin small.bin --image cat.jpg --shape 224,224,3 …
  # what is in a file, what is wrong with it, what changed
  ncnn-quant inspect --params --weights net.param
  ncnn-quant check net.param small.table
  ncnn-quant diff net.param small.param

Exit codes: 0 done, 1 failed (the reason is on standard error), 2 wrong usage.
check: 1 also when it finds an error. diff, as diff(1): 0 the same, 1 different, 2 failed or wrong usage.";

/// Options of every command.
#[derive(Debug, Clone, Default, Args)]
pub struct RunOptions {
    /// Threads to use, 1 to 512; default: one per processor. Results do not depend on it.
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=512))]
    pub threads: Option<u16>,
    /// Print the result as JSON.
    #[arg(long, global = true)]
    pub json: bool,
    /// Do not show progress.
    #[arg(long, short, global = true)]
    pub quiet: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Find the scales: model and sample images in, a `.table` for ncnn2int8 or `quantize` out.
    Calibrate(crate::commands::calibrate::CalibrateArgs),
    /// Make the int8 model, from a table or from images in one go.
    Quantize(crate::commands::quantize::QuantizeArgs),
    /// Run a model, fp32 or int8, on one image or on .npy inputs.
    Run(crate::commands::run::RunArgs),
    /// Run the fp32 and the int8 model on images and say how they differ.
    Compare(crate::commands::compare::CompareArgs),
    /// Say what is in a model or a table.
    Inspect(crate::commands::inspect::InspectArgs),
    /// Say what differs between two models or two tables.
    Diff(crate::commands::diff::DiffArgs),
    /// Turn a .param into a .param.bin or back, and change how a .bin stores floats.
    Convert(crate::commands::convert::ConvertArgs),
    /// Find what ncnn accepts silently and fails on later.
    Check(crate::commands::check::CheckArgs),
}

/// The fp32 model.
#[derive(Debug, Clone, Args)]
pub struct ModelArgs {
    /// The network's .param file.
    #[arg(long, value_name = "FILE")]
    pub param: PathBuf,
    /// The network's .bin file.
    #[arg(long, value_name = "FILE")]
    pub bin: PathBuf,
}

impl ModelArgs {
    /// Reads both files; oddities in the text are said on standard error.
    ///
    /// # Errors
    /// Those of reading them, naming the file.
    pub fn load(&self) -> Result<Model> {
        let (model, warnings) = Model::load_with(&self.param, &self.bin, &Limits::default())?;
        for warning in warnings {
            // A courtesy: a closed standard error is no reason to stop.
            let _ = writeln!(std::io::stderr(), "{}:{}: {}", self.param.display(), warning.line, warning.message);
        }
        Ok(model)
    }
}

/// How an image becomes the network's input; the same words as ncnn2table's.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Input")]
pub struct InputArgs {
    /// Subtracted from the pixels (0 to 255) per channel, in the order of --pixel [default: 0]
    #[arg(long, value_name = "A,B,C", value_delimiter = ',', allow_hyphen_values = true)]
    pub mean: Vec<f32>,
    /// Multiplied with them after that [default: 1]
    #[arg(long, value_name = "A,B,C", value_delimiter = ',', allow_hyphen_values = true)]
    pub norm: Vec<f32>,
    /// Order of the channels: RGB, BGR, GRAY, RGBA or BGRA [default: GRAY for one channel, else BGR as in ncnn]
    #[arg(long, value_name = "ORDER")]
    pub pixel: Option<Pixel>,
    /// Width, height, channels; images are resized to it [default: what the Input layer says]
    #[arg(long, value_name = "W,H,C")]
    pub shape: Option<InputShape>,
}

/// Width, height and channels of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InputShape([usize; 3]);

impl FromStr for InputShape {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let numbers: std::result::Result<Vec<usize>, _> = text.split(',').map(|number| number.trim().parse()).collect();
        match numbers.as_deref() {
            Ok(&[w, h, c]) if w.min(h).min(c) > 0 => Ok(Self([w, h, c])),
            _ => Err(format!("expected three positive numbers w,h,c, found {text}")),
        }
    }
}

impl InputArgs {
    /// Whether any of these options was used.
    pub(crate) fn is_given(&self) -> bool {
        !self.mean.is_empty() || !self.norm.is_empty() || self.pixel.is_some() || self.shape.is_some()
    }

    /// The preprocessing of images for the network's only input.
    ///
    /// # Errors
    /// `Invalid` when the size is unknown or the numbers do not fit the channels.
    pub fn preprocess(&self, model: &Model) -> Result<Preprocess> {
        match self.shape.map_or_else(|| declared_shape(model), |InputShape(shape)| Ok(Some(shape)))? {
            Some(shape) => self.preprocess_to(Some(shape)),
            None => Err(Error::invalid("the network does not say how large its input is; give --shape w,h,c")),
        }
    }

    fn preprocess_to(&self, shape: Option<[usize; 3]>) -> Result<Preprocess> {
        let channels = shape.map(|[_, _, channels]| channels);
        let pixel = self.pixel.unwrap_or(if channels == Some(1) { Pixel::Gray } else { Pixel::Bgr });
        Preprocess::new(InputOptions {
            mean: self.mean.clone(),
            norm: self.norm.clone(),
            pixel,
            width: shape.map(|[width, ..]| width),
            height: shape.map(|[_, height, _]| height),
            channels,
        })
    }

    /// The images or .npy files at `path`, ready for the network. Arrays need no
    /// shape: they have one.
    ///
    /// # Errors
    /// Those of finding the files, and of [`InputArgs::preprocess`].
    pub fn dataset(&self, model: &Model, path: &Path) -> Result<FileDataset> {
        let samples = Samples::from_path(path)?;
        let is_array = |path: &Path| path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("npy"));
        let preprocess = if self.shape.is_none() && samples.iter().all(is_array) {
            self.preprocess_to(None)?
        } else {
            self.preprocess(model)?
        };
        Ok(FileDataset::new(samples, preprocess))
    }
}

/// The size that the only Input layer states, as w, h, c.
fn declared_shape(model: &Model) -> Result<Option<[usize; 3]>> {
    quantizer::single_input(&Graph::new(model)?)?;
    let layer = model.layers.iter().find(|layer| layer.kind == LayerKind::Input);
    let declared = layer.map(typed::Input::read).transpose()?.map(|input| [input.w, input.h, input.c]);
    Ok(match declared.map(|dims| dims.map(usize::try_from)) {
        Some([Ok(w @ 1..), Ok(h @ 1..), Ok(c @ 1..)]) => Some([w, h, c]),
        _ => None,
    })
}

/// The calibration method.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct MethodArgs {
    /// How thresholds are chosen: auto (the best of all by the error of the outputs), kl, kl-merge, js, mse,
    /// percentile:P, aciq-gauss, aciq-laplace, aciq-ncnn, absmax, moving-average, kl-ncnn; ncnn-kl and ncnn-aciq
    /// give ncnn2table's tables digit for digit
    #[arg(long, value_name = "METHOD", default_value_t)]
    pub method: Method,
    /// How often every image goes through the network: 1, or 2 for exact histograms; default: 2 for the kl methods, else 1
    #[arg(long, value_name = "N", value_parser = passes)]
    pub passes: Option<Passes>,
    /// Weights that ncnn may run through Winograd: observed (eight bits where no sum can wrap or none came near it
    /// in calibration), proven, exact, ncnn (six bits) or off [default: observed]
    #[arg(long, value_name = "GUARD")]
    pub winograd: Option<WinogradGuard>,
    /// How far the weights of a channel reach: absmax, mse or aciq [default: absmax]
    #[arg(long, value_name = "RULE")]
    pub weights: Option<WeightRule>,
    /// Add up 3x3 convolutions product by product instead of by Winograd's algorithm: slower, values differ by 1e-5
    #[arg(long)]
    pub plain_sums: bool,
}

impl MethodArgs {
    /// Whether anything was chosen.
    pub(crate) fn is_given(&self) -> bool {
        self.method != Method::default()
            || self.passes.is_some()
            || self.winograd.is_some()
            || self.weights.is_some()
            || self.plain_sums
    }

    /// As the library takes it.
    pub(crate) fn options(&self) -> CalibrateOptions {
        CalibrateOptions {
            method: self.method,
            passes: self.passes,
            winograd: self.winograd.unwrap_or_default(),
            weights: self.weights.unwrap_or_default(),
            plain_sums: self.plain_sums,
        }
    }
}

fn passes(text: &str) -> std::result::Result<Passes, String> {
    match text {
        "1" => Ok(Passes::One),
        "2" => Ok(Passes::Two),
        _ => Err("expected 1 or 2".to_owned()),
    }
}
