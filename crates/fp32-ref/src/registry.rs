//! The layer types that can be run.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use ncnn_format::{Error, LayerKind, Result};

use crate::{BuildOptions, Layer, build};

/// Prepares a layer of an own type.
type Build = dyn Fn(&ncnn_format::Layer) -> Result<Box<dyn Layer>> + Send + Sync;

/// The layer types that can be run: those of this crate and those that its user adds.
///
/// Cloning shares the types. A network with an own type runs in both executors:
///
/// ```
/// use fp32_ref::{Layer, Net, NetOptions, Registry, Shape, Tensor};
/// use ncnn_format::{Model, Result};
///
/// /// Doubles every value.
/// struct Double;
///
/// impl Layer for Double {
///     fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
///         Ok(inputs.to_vec())
///     }
///
///     fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>> {
///         Ok(inputs.into_iter().map(|input| input.map(|x| 2.0 * x)).collect())
///     }
/// }
///
/// let mut registry = Registry::default();
/// registry.register("Double", |_| Ok(Box::new(Double)));
/// let model = Model::from_param_text("7767517\n2 2\nInput data 0 1 data\nDouble twice 1 1 data out\n")?;
/// let net = Net::with_options(&model, NetOptions::default().with_registry(registry))?;
/// let outputs = net.run(&[("data", Tensor::new([2], vec![1.0, -3.0])?)], &mut ())?;
/// assert_eq!(outputs.get("out").unwrap().as_slice(), [2.0, -6.0]);
/// # Ok::<(), ncnn_format::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Registry {
    own: Arc<HashMap<String, Arc<Build>>>,
}

impl Registry {
    /// Adds the layer type `kind`, as files name it; `build` checks the parameters of a layer and takes its
    /// weights. A type of this crate or one that was added before gives way to it.
    pub fn register(
        &mut self,
        kind: impl Into<String>,
        build: impl Fn(&ncnn_format::Layer) -> Result<Box<dyn Layer>> + Send + Sync + 'static,
    ) {
        Arc::make_mut(&mut self.own).insert(kind.into(), Arc::new(build));
    }

    /// Whether `layer` is of a type that was added.
    pub fn is_own(&self, layer: &ncnn_format::Layer) -> bool {
        // Most have none: no name is made then.
        !self.own.is_empty() && self.own.contains_key(layer.kind.to_string().as_str())
    }

    /// Prepares one layer for running.
    ///
    /// # Errors
    /// As [`build`], and those of the functions that were added; `Unsupported` for a type that is neither ncnn's nor
    /// added.
    pub fn build(&self, layer: &ncnn_format::Layer, options: BuildOptions) -> Result<Box<dyn Layer>> {
        let own = if self.own.is_empty() { None } else { self.own.get(layer.kind.to_string().as_str()) };
        match (own, &layer.kind) {
            (Some(own), _) => own(layer),
            (None, LayerKind::Custom(kind)) => {
                Err(Error::unsupported(format!("layers of type {kind} cannot be run: the registry has no such type")))
            }
            (None, _) => build(layer, options),
        }
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut names: Vec<&String> = self.own.keys().collect();
        names.sort();
        f.debug_struct("Registry").field("own", &names).finish()
    }
}
