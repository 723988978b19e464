//! The shapes of blobs, as far as they can be known without running.

use ncnn_format::{Error, ErrorKind, Model, Result};

use crate::layer_shapes::layer_shapes;
use crate::{BlobId, Graph, Registry, Shape};

/// The shapes of the blobs of one graph, as far as they are known, and why others are not.
#[derive(Debug)]
pub struct Shapes {
    /// By blob.
    known: Vec<Option<Shape>>,
    failures: Vec<(usize, Error)>,
}

impl Shapes {
    /// Follows `inputs` through the layers: `output_shapes` says what a layer makes of inputs of known shapes. It is
    /// not asked for layers whose outputs are given, nor behind a layer without an answer.
    pub fn follow(
        graph: &Graph,
        inputs: &[(BlobId, Shape)],
        mut output_shapes: impl FnMut(usize, &[Shape]) -> Result<Vec<Shape>>,
    ) -> Self {
        let mut shapes = Self { known: vec![None; graph.blobs().len()], failures: Vec::new() };
        for &(blob, shape) in inputs {
            shapes.known[blob.0] = Some(shape);
        }
        for (index, node) in graph.nodes().iter().enumerate() {
            let is_known = !node.outputs.is_empty() && node.outputs.iter().all(|&blob| shapes.get(blob).is_some());
            let inputs: Option<Vec<Shape>> = node.inputs.iter().map(|&blob| shapes.get(blob)).collect();
            let Some(inputs) = inputs.filter(|_| !is_known) else { continue };
            match output_shapes(index, &inputs) {
                Ok(made) if made.len() == node.outputs.len() => {
                    node.outputs.iter().zip(made).for_each(|(blob, shape)| shapes.known[blob.0] = Some(shape));
                }
                Ok(made) => {
                    let message = format!("makes {} blobs, the file names {}", made.len(), node.outputs.len());
                    shapes.fail(graph, index, Error::malformed(message));
                }
                Err(error) => shapes.fail(graph, index, error),
            }
        }
        shapes
    }

    /// Follows the shapes of `inputs`, and of other inputs as the file declares them, through the layers of
    /// `model`, whose weights need not be there.
    ///
    /// ```
    /// use fp32_ref::{Graph, Registry, Shapes};
    /// use ncnn_format::Model;
    ///
    /// let model = Model::from_param_text(
    ///     "7767517\n2 2\nInput data 0 1 data 0=8 1=8 2=3\nPooling half 1 1 data out 1=2 2=2\n",
    /// )?;
    /// let graph = Graph::new(&model)?;
    /// let shapes = Shapes::of_model(&model, &graph, &[], &Registry::default());
    /// assert_eq!(shapes.get(graph.blob("out")?).unwrap().dims(), [3, 4, 4]);
    /// # Ok::<(), ncnn_format::Error>(())
    /// ```
    pub fn of_model(model: &Model, graph: &Graph, inputs: &[(BlobId, Shape)], registry: &Registry) -> Self {
        Self::follow(graph, inputs, |index, inputs| layer_shapes(&model.layers[index], inputs, registry))
    }

    fn fail(&mut self, graph: &Graph, layer: usize, error: Error) {
        self.failures.push((layer, error.in_layer(graph.layer_name(layer))));
    }

    /// The shape of a blob.
    pub fn get(&self, blob: BlobId) -> Option<Shape> {
        self.known.get(blob.0).copied().flatten()
    }

    /// Layers whose inputs have known shapes and whose outputs have not, and why; errors name the layer.
    pub fn failures(&self) -> &[(usize, Error)] {
        &self.failures
    }

    /// By blob, `None` where the shape is not known without running.
    ///
    /// # Errors
    /// The first failure that is not `Unsupported`, which would be one of running too.
    pub fn into_known(self) -> Result<Vec<Option<Shape>>> {
        match self.failures.into_iter().find(|(_, error)| error.kind() != ErrorKind::Unsupported) {
            Some((_, error)) => Err(error),
            None => Ok(self.known),
        }
    }

    /// By blob.
    ///
    /// # Errors
    /// The first failure.
    pub fn into_all(self) -> Result<Vec<Shape>> {
        if let Some((_, error)) = self.failures.into_iter().next() {
            return Err(error);
        }
        let all: Option<Vec<Shape>> = self.known.into_iter().collect();
        all.ok_or_else(|| Error::invalid("the shape of an input is not known"))
    }
}
