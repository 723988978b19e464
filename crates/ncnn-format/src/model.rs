//! A model as its files describe it.

use std::borrow::Cow;

use crate::weights::{Weight, WeightRole};
use crate::{Error, LayerKind, ParamDict, Result};

/// A network: layers in file order, with their weights when a `.bin` was read.
///
/// Blobs are known by name, as in the file: a layer's output defines a blob, an
/// input refers to one. Turning names into a graph is the executor's business.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Model {
    /// Layers in file order, which is also execution order.
    pub layers: Vec<Layer>,
    /// Bytes of the `.bin` after the last weight; ncnn ignores them, we keep them.
    pub trailing_bytes: Vec<u8>,
    /// The text before the first layer line, as it was read.
    pub header: SourceText,
    /// The text after the last layer that the header counts, as it was read.
    pub trailer: SourceText,
}

/// One line of a `.param` file and its weights.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    /// The layer's type.
    pub kind: LayerKind,
    /// The layer's name; scale tables refer to it.
    pub name: String,
    /// Names of the blobs read ("bottoms").
    pub inputs: Vec<String>,
    /// Names of the blobs made ("tops").
    pub outputs: Vec<String>,
    /// Parameters by id.
    pub params: ParamDict,
    /// Weights in file order; empty until a `.bin` is read.
    pub weights: Vec<Weight>,
    /// The line as it was read; written back verbatim while it still says the
    /// same as the fields above.
    pub source: SourceText,
}

/// Text as it stood in the file, remembered so that an untouched model is
/// written back byte for byte. It takes no part in comparisons.
#[derive(Debug, Clone, Default)]
pub struct SourceText(pub Option<Box<str>>);

impl PartialEq for SourceText {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Layer {
    /// A layer without inputs, outputs, parameters or weights.
    pub fn new(kind: LayerKind, name: impl Into<String>) -> Self {
        Self {
            kind,
            name: name.into(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            params: ParamDict::default(),
            weights: Vec::new(),
            source: SourceText::default(),
        }
    }

    /// The weight with `role`, if the layer owns one and it was read.
    pub fn weight(&self, role: WeightRole) -> Option<&Weight> {
        self.weights.iter().find(|weight| weight.role == role)
    }

    /// The weight with `role` as f32 values, in the order of the file.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) when the layer has no
    /// such weight (the `.bin` was not read) or it is stored as integers.
    pub fn weight_f32(&self, role: WeightRole) -> Result<Cow<'_, [f32]>> {
        let weight =
            self.weight(role).ok_or_else(|| Error::invalid(format!("no {role} was loaded")).in_layer(&self.name))?;
        weight.data.to_f32().ok_or_else(|| {
            let storage = weight.data.storage();
            Error::invalid(format!("{role} is stored as {storage}, expected floats")).in_layer(&self.name)
        })
    }

    /// The weight with `role` as int8 values, in the order of the file.
    ///
    /// # Errors
    /// As [`Layer::weight_f32`], the other way round.
    pub fn weight_i8(&self, role: WeightRole) -> Result<&[i8]> {
        let weight =
            self.weight(role).ok_or_else(|| Error::invalid(format!("no {role} was loaded")).in_layer(&self.name))?;
        weight.data.as_i8().ok_or_else(|| {
            let storage = weight.data.storage();
            Error::invalid(format!("{role} is stored as {storage}, expected int8")).in_layer(&self.name)
        })
    }
}

impl Model {
    /// The layer called `name`.
    pub fn layer(&self, name: &str) -> Option<&Layer> {
        self.layers.iter().find(|layer| layer.name == name)
    }

    /// The number of distinct blob names.
    pub fn blob_count(&self) -> usize {
        let names: std::collections::HashSet<&str> = self
            .layers
            .iter()
            .flat_map(|layer| layer.inputs.iter().chain(&layer.outputs))
            .map(String::as_str)
            .collect();
        names.len()
    }
}
