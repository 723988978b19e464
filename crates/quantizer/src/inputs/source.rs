//! The samples of every input of a network.

use ncnn_format::{Error, Graph, Model, Remark, Result};

use super::settings::check_known;
use crate::dataset::{Dataset, Feed, FileDataset};
use crate::joint::Joint;
use crate::network::single_input;
use crate::options::{Named, Options};
use crate::samples::Samples;

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
