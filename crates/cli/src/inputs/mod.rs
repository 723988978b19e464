//! From the words of a command line or a job to the samples that a network takes.

mod named;
mod samples;
mod source;
mod values;

use clap::Args;
use fp32_ref::{Graph, Shape};
use ncnn_format::{Error, Model, Result};
use quantizer::{Pixel, Preprocess, ResizeMode, single_input};

use crate::job::{Job, JobInput};

pub use named::{Named, Plain};
pub use samples::{SampleArgs, with_readable};
pub(crate) use samples::{list_unreadable, skipped_notes};
pub use source::Inputs;
pub use values::{Floats, InputShape};

use source::InputSettings;

/// How an image becomes the network's input; the same words as ncnn2table's.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Input (for networks with several, give an option once per input, as BLOB=VALUE)")]
pub struct InputArgs {
    /// Subtracted from the pixels (0 to 255) per channel, in the order of --pixel [default: 0]
    #[arg(long, value_name = "A,B,C", allow_hyphen_values = true)]
    pub mean: Vec<Named<Floats>>,
    /// Multiplied with them after that [default: 1]
    #[arg(long, value_name = "A,B,C", allow_hyphen_values = true)]
    pub norm: Vec<Named<Floats>>,
    /// Order of the channels: RGB, BGR, GRAY, RGBA or BGRA [default: GRAY for one channel, else BGR as in ncnn]
    #[arg(long, value_name = "ORDER")]
    pub pixel: Vec<Named<Pixel>>,
    /// Width, height, channels; images are resized to it. Arrays may have one to four sizes, innermost first [default: what the Input layer says]
    #[arg(long, value_name = "W,H,C")]
    pub shape: Vec<Named<InputShape>>,
    /// What happens to the proportions of an image: stretch (as ncnn2table), keep (as large as fits), crop (the centre; crop:256 resizes the shorter side to 256 first), letterbox (grey around; letterbox:0 black) [default: stretch]
    #[arg(long, value_name = "MODE")]
    pub resize: Vec<Named<ResizeMode>>,
}

impl InputArgs {
    /// Whether any of these options was used.
    pub(crate) fn is_given(&self) -> bool {
        !(self.mean.is_empty()
            && self.norm.is_empty()
            && self.pixel.is_empty()
            && self.shape.is_empty()
            && self.resize.is_empty())
    }

    /// Takes what was not given from a job.
    pub(crate) fn fill(&mut self, job: &Job) {
        fill(&mut self.mean, job, |input| input.mean.clone());
        fill(&mut self.norm, job, |input| input.norm.clone());
        fill(&mut self.pixel, job, |input| input.pixel);
        fill(&mut self.shape, job, |input| input.shape.clone());
        fill(&mut self.resize, job, |input| input.resize);
    }

    /// The shapes that were given, by input.
    ///
    /// # Errors
    /// `Invalid` for a blob that is no input.
    pub(crate) fn shapes(&self, model: &Model) -> Result<Vec<(String, Shape)>> {
        let graph = Graph::new(model)?;
        self.check_names(&graph)?;
        let names = graph.inputs().iter().map(|&blob| graph.blob_name(blob));
        let given = names.filter_map(|name| Some((name.to_owned(), Named::of(&self.shape, name)?.shape())));
        given.map(|(name, shape)| Ok((name, shape?))).collect()
    }

    /// The preprocessing of images for the network's only input.
    ///
    /// # Errors
    /// `Invalid` when the size is unknown or the numbers do not fit the channels.
    pub fn preprocess(&self, model: &Model) -> Result<Preprocess> {
        let graph = Graph::new(model)?;
        self.check_names(&graph)?;
        let settings = self.settings(model, single_input(&graph)?)?;
        settings.for_images()
    }

    /// What is said about the input `blob`, here or in the file.
    fn settings(&self, model: &Model, blob: &str) -> Result<InputSettings> {
        Ok(InputSettings {
            mean: Named::of(&self.mean, blob).cloned().unwrap_or_default().0,
            norm: Named::of(&self.norm, blob).cloned().unwrap_or_default().0,
            pixel: Named::of(&self.pixel, blob).copied(),
            given: Named::of(&self.shape, blob).cloned(),
            declared: source::declared(model, blob)?,
            resize: Named::of(&self.resize, blob).copied().unwrap_or_default(),
        })
    }

    /// # Errors
    /// `Invalid` for a blob that is no input.
    fn check_names(&self, graph: &Graph) -> Result<()> {
        let known: Vec<&str> = graph.inputs().iter().map(|&blob| graph.blob_name(blob)).collect();
        let used = Named::names(&self.mean)
            .chain(Named::names(&self.norm))
            .chain(Named::names(&self.pixel))
            .chain(Named::names(&self.shape))
            .chain(Named::names(&self.resize));
        check_known(used, &known)
    }
}

/// # Errors
/// `Invalid` for a name that is not among the network's inputs.
fn check_known<'a>(mut used: impl Iterator<Item = &'a str>, known: &[&str]) -> Result<()> {
    match used.find(|name| !known.contains(name)) {
        Some(name) => Err(Error::invalid(format!("no input is called {name}; there are {}", known.join(", ")))),
        None => Ok(()),
    }
}

/// The values of the inputs of a job, where none were given.
fn fill<T>(given: &mut Vec<Named<T>>, job: &Job, value: impl Fn(&JobInput) -> Option<T>) {
    if given.is_empty() {
        given.extend(job.input.iter().filter_map(|input| Some(Named::new(input.blob.clone(), value(input)?))));
    }
}
