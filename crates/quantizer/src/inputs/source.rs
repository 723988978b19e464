//! The samples of every input of a network.

use std::path::Path;

use fp32_ref::{Graph, Shape};
use ncnn_format::{Error, Model, Remark, Result};

use super::named::check_known;
use super::{InputShape, Named};
use crate::{
    Dataset, Feed, FileDataset, InputOptions, Joint, Options, Pixel, Preprocess, ResizeMode, Samples, single_input,
};

/// Extensions of files that hold tensors instead of pixels.
const ARRAYS: [&str; 3] = ["npy", "f32", "raw"];

/// What is known about one input.
pub(super) struct InputSettings {
    pub(super) mean: Vec<f32>,
    pub(super) norm: Vec<f32>,
    pub(super) pixel: Option<Pixel>,
    /// By the command line or the job.
    pub(super) given: Option<InputShape>,
    /// By the Input layer.
    pub(super) declared: Option<Shape>,
    pub(super) resize: ResizeMode,
}

impl InputSettings {
    /// # Errors
    /// `Invalid` when the size is unknown or no size of an image, or the numbers do not fit the
    /// channels.
    pub(super) fn for_images(&self) -> Result<Preprocess> {
        let Some(shape) = self.shape()? else {
            return Err(Error::invalid("the network does not say how large its input is; give option shape w,h,c"));
        };
        if shape.rank() != 3 {
            let message =
                format!("an image has the three sizes w,h,c, the shape of this input is {shape} (outermost first)");
            return Err(Error::invalid(message));
        }
        self.with_shape(Some(shape))
    }

    /// For what lies in `samples`.
    fn for_samples(&self, samples: &Samples) -> Result<Preprocess> {
        if !samples.iter().all(is_array) {
            return self.for_images();
        }
        let shape = self.shape()?;
        match self.given {
            Some(_) => Ok(Preprocess::of_arrays(shape)),
            // An array has its own shape; what the file declares is a hint.
            None if samples.iter().all(is_npy) => Ok(Preprocess::of_arrays(None)),
            None => Ok(Preprocess::of_arrays(shape)),
        }
    }

    fn shape(&self) -> Result<Option<Shape>> {
        Ok(self.given.as_ref().map(InputShape::shape).transpose()?.or(self.declared))
    }

    fn with_shape(&self, shape: Option<Shape>) -> Result<Preprocess> {
        let channels = shape.map(|shape| shape.c());
        let pixel = self.pixel.unwrap_or(if channels == Some(1) { Pixel::Gray } else { Pixel::Bgr });
        Preprocess::new(InputOptions {
            mean: self.mean.clone(),
            norm: self.norm.clone(),
            pixel,
            width: shape.map(|shape| shape.w()),
            height: shape.map(|shape| shape.h()),
            channels,
            resize: self.resize,
        })
    }
}

/// The samples for all inputs of a network, as [`Options`] say where they are.
#[derive(Debug, Clone)]
pub struct Inputs {
    joint: Joint<FileDataset>,
}

impl Options {
    /// All images or arrays that these options name, ready for `model`; [`Pipeline`](crate::Pipeline) chooses among
    /// them. `.npy` arrays need no shape: they have one. Files of a list that do not exist are an error, or when bad
    /// samples are skipped, samples that cannot be read.
    ///
    /// # Errors
    /// `Invalid` when an input has no samples, a name is no input, or files do not pair up;
    /// those of finding the files and of options that do not fit.
    pub fn dataset(&self, model: &Model) -> Result<Inputs> {
        let images = &self.images;
        let graph = Graph::new(model)?;
        self.check_names(&graph)?;
        let names: Vec<&str> = graph.inputs().iter().map(|&blob| graph.blob_name(blob)).collect();
        check_known(Named::names(images), &names)?;
        if images.iter().any(|named| named.blob().is_none()) {
            // Says that one set of samples feeds one input.
            single_input(&graph)?;
        }
        let inputs = names.iter().map(|&name| Ok((name.to_owned(), self.samples_of(model, name)?)));
        let inputs: Vec<(String, FileDataset)> = inputs.collect::<Result<_>>()?;
        check_pairs(&inputs)?;
        Ok(Inputs { joint: Joint::new(inputs)? })
    }

    fn samples_of(&self, model: &Model, blob: &str) -> Result<FileDataset> {
        let missing = || Error::invalid(format!("no samples for the input {blob}; give option images {blob}=DIR"));
        let path = Named::of(&self.images, blob).ok_or_else(missing)?;
        let samples = if self.skip_bad { Samples::from_path_keeping_missing(path)? } else { Samples::from_path(path)? };
        let preprocess = self.settings(model, blob)?.for_samples(&samples)?;
        Ok(FileDataset::new(samples, preprocess))
    }
}

impl Inputs {
    /// Says what stood among the samples and was not read.
    fn left_out(&self) -> Option<String> {
        let skipped: Vec<_> = self.joint.inputs().iter().flat_map(|(_, samples)| samples.samples().skipped()).collect();
        let first = skipped.first()?;
        Some(format!("{} entries are no samples and were left out (first: {})", skipped.len(), first.display()))
    }

    /// A line per input that says how samples become its tensor.
    pub fn describe(&self) -> Vec<String> {
        self.joint.inputs().iter().map(|(blob, samples)| format!("{blob}: {}", samples.preprocess())).collect()
    }
}

impl Dataset for Inputs {
    fn len(&self) -> usize {
        self.joint.len()
    }

    fn name(&self, index: usize) -> String {
        self.joint.name(index)
    }

    fn feeds(&self, index: usize) -> Result<Vec<Feed>> {
        self.joint.feeds(index)
    }

    fn remarks(&self) -> Vec<Remark> {
        self.left_out().map(|left_out| Remark::note("left-out", left_out)).into_iter().collect()
    }

    fn fingerprint(&self, index: usize) -> Result<String> {
        self.joint.fingerprint(index)
    }
}

/// Samples of one number belong together; that their names differ is an accident, most likely.
fn check_pairs(inputs: &[(String, FileDataset)]) -> Result<()> {
    let [(first, samples), rest @ ..] = inputs else { return Ok(()) };
    for (blob, others) in rest {
        let pairs = samples.samples().iter().zip(others.samples().iter());
        if let Some((a, b)) = pairs.into_iter().find(|(a, b)| a.file_stem() != b.file_stem()) {
            return Err(Error::invalid(format!(
                "{} for {first} would go with {} for {blob}; samples of several inputs need the same names, \
                 extensions aside",
                a.display(),
                b.display()
            )));
        }
    }
    Ok(())
}

fn is_array(path: &Path) -> bool {
    ARRAYS.iter().any(|known| has_extension(path, known))
}

fn is_npy(path: &Path) -> bool {
    has_extension(path, "npy")
}

fn has_extension(path: &Path, wanted: &str) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case(wanted))
}
