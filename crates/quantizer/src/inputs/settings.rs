//! What is said about the inputs of a network, by options and by its file.

use std::path::Path;

use fp32_ref::{Shape, declared_shape};
use ncnn_format::{Error, Graph, LayerKind, Model, Result};

use crate::network::single_input;
use crate::options::{InputShape, Named, Options};
use crate::{InputOptions, Pixel, Preprocess, ResizeMode, Samples};

/// Extensions of files that hold tensors instead of pixels.
const ARRAYS: [&str; 3] = ["npy", "f32", "raw"];

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

    /// What is said about the input `blob`, here or in the file.
    pub(super) fn settings(&self, model: &Model, blob: &str) -> Result<InputSettings> {
        Ok(InputSettings {
            mean: Named::of(&self.mean, blob).cloned().unwrap_or_default().0,
            norm: Named::of(&self.norm, blob).cloned().unwrap_or_default().0,
            pixel: Named::of(&self.pixel, blob).copied(),
            given: Named::of(&self.shape, blob).cloned(),
            declared: declared(model, blob)?,
            resize: Named::of(&self.resize, blob).copied().unwrap_or_default(),
        })
    }

    /// # Errors
    /// `Invalid` for a blob that is no input.
    pub(super) fn check_names(&self, graph: &Graph) -> Result<()> {
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
pub(super) fn check_known<'a>(mut used: impl Iterator<Item = &'a str>, known: &[&str]) -> Result<()> {
    match used.find(|name| !known.contains(name)) {
        Some(name) => Err(Error::invalid(format!("no input is called {name}; there are {}", known.join(", ")))),
        None => Ok(()),
    }
}

/// What is known about one input.
pub(super) struct InputSettings {
    mean: Vec<f32>,
    norm: Vec<f32>,
    pixel: Option<Pixel>,
    /// By the command line or the job.
    given: Option<InputShape>,
    /// By the Input layer.
    declared: Option<Shape>,
    resize: ResizeMode,
}

impl InputSettings {
    /// # Errors
    /// `Invalid` when the size is unknown or no size of an image, or the numbers do not fit the
    /// channels.
    fn for_images(&self) -> Result<Preprocess> {
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
    pub(super) fn for_samples(&self, samples: &Samples) -> Result<Preprocess> {
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

impl InputShape {
    /// The shape of the only input of `model`: the given one, or what its Input layer says.
    ///
    /// # Errors
    /// `Invalid` when nobody says it, or there are several inputs.
    pub fn or_declared(given: Option<&Self>, model: &Model) -> Result<Shape> {
        let graph = Graph::new(model)?;
        let declared = declared(model, single_input(&graph)?)?;
        let missing = || Error::invalid("the network does not say how large its input is; give option shape w,h,c");
        given.map(Self::shape).transpose()?.or(declared).ok_or_else(missing)
    }
}

/// The size that the Input layer of `blob` states.
fn declared(model: &Model, blob: &str) -> Result<Option<Shape>> {
    let inputs = model.layers.iter().filter(|layer| layer.kind == LayerKind::Input);
    let layer = inputs.into_iter().find(|layer| layer.outputs.iter().any(|output| output == blob));
    layer.map_or(Ok(None), declared_shape)
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
