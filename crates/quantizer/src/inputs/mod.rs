//! From the words of options to the samples that a network takes.

mod named;
mod readable;
mod source;
mod values;

use fp32_ref::{Graph, Shape};
use ncnn_format::{Model, Result};

use crate::network::declared_shape_of;
use crate::{Dataset, Options, Preprocess, Subset, choose, single_input};

pub use named::Named;
pub use readable::with_readable;
pub(crate) use readable::{list_unreadable, skipped_notes};
pub use source::Inputs;
pub use values::{Floats, InputShape, Shard};

use named::check_known;
use source::InputSettings;

/// The options of an input, apart from where its samples are.
const OF_INPUT: [&str; 5] = ["mean", "norm", "pixel", "shape", "resize"];

impl Options {
    /// Whether anything is said about how samples become inputs.
    pub fn has_input_options(&self) -> bool {
        OF_INPUT.iter().any(|name| self.is_given(name))
    }

    /// The shapes of inputs that are given, by blob name.
    ///
    /// # Errors
    /// `Invalid` for a blob that is no input.
    pub fn input_shapes(&self, model: &Model) -> Result<Vec<(String, Shape)>> {
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

    /// The samples of `dataset` to use, in the order in which to use them.
    pub fn chosen<'a>(&self, dataset: &'a dyn Dataset) -> Subset<'a> {
        Subset::new(dataset, choose(dataset.len(), self.limit, self.shuffle_seed))
    }

    /// The choice of samples in words, for the record.
    pub(crate) fn describe_choice(&self) -> Vec<String> {
        let limit = self.limit.map(|limit| format!("limit {limit}"));
        limit.into_iter().chain(self.shuffle_seed.map(|seed| format!("shuffle-seed {seed}"))).collect()
    }

    /// What is said about the input `blob`, here or in the file.
    fn settings(&self, model: &Model, blob: &str) -> Result<InputSettings> {
        Ok(InputSettings {
            mean: Named::of(&self.mean, blob).cloned().unwrap_or_default().0,
            norm: Named::of(&self.norm, blob).cloned().unwrap_or_default().0,
            pixel: Named::of(&self.pixel, blob).copied(),
            given: Named::of(&self.shape, blob).cloned(),
            declared: declared_shape_of(model, blob)?,
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
