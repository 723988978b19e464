//! Whether a network can be run, before it is.

use ncnn_format::{BlobId, ErrorKind, Graph, Layer, LayerKind, Model, Remark, Result};

use crate::layer_shapes::declared_shape;
use crate::schedule::feeds;
use crate::{NetOptions, Shape, Shapes};

/// All that keeps `model` from running in this executor: a graph that is none, every layer that cannot be prepared,
/// and every layer whose inputs have shapes on which it cannot work. Nothing means that [`Net`](crate::Net) runs it.
///
/// Shapes are those of `inputs`, and for other inputs those that the file declares; behind an input without either
/// they are not looked at. What this executor lacks (`Unsupported`) is a warning, as ncnn may have it; anything else
/// is an error.
///
/// ```
/// use fp32_ref::{NetOptions, validate};
/// use ncnn_format::Model;
///
/// let model = Model::from_param_text(
///     "7767517\n3 3\nInput data 0 1 data 0=4 1=4 2=3\nCrop cut 1 1 data cut 0=9\nPixelShuffle up 1 1 data out 0=0\n",
/// )?;
/// let remarks = validate(&model, &[], &NetOptions::default());
/// assert_eq!(remarks.len(), 2);
/// assert_eq!(remarks[0].place.layer.as_deref(), Some("up"));
/// assert_eq!(remarks[1].place.layer.as_deref(), Some("cut"));
/// # Ok::<(), ncnn_format::Error>(())
/// ```
pub fn validate(model: &Model, inputs: &[(&str, Shape)], options: &NetOptions) -> Vec<Remark> {
    let prepare = |layer: &Layer| options.registry.build(layer, options.build);
    validate_with(model, inputs, prepare, |layer, inputs| layer.output_shapes(inputs))
}

/// As [`validate`], for an executor that prepares layers by `prepare` and asks them for shapes by `output_shapes`;
/// neither is asked for `Input` layers.
pub fn validate_with<P>(
    model: &Model,
    inputs: &[(&str, Shape)],
    prepare: impl Fn(&Layer) -> Result<P>,
    output_shapes: impl Fn(&P, &[Shape]) -> Result<Vec<Shape>>,
) -> Vec<Remark> {
    let mut remarks = Vec::new();
    let mut say = |error: &ncnn_format::Error| {
        let mut remark = Remark::from(error);
        if error.kind() == ErrorKind::Unsupported {
            remark.severity = ncnn_format::Severity::Warning;
        }
        remarks.push(remark);
    };
    let mut prepared: Vec<Option<P>> = Vec::with_capacity(model.layers.len());
    for layer in &model.layers {
        let found =
            (layer.kind != LayerKind::Input).then(|| prepare(layer).map_err(|error| error.in_layer(&layer.name)));
        prepared.push(found.and_then(|found| found.map_err(|error| say(&error)).ok()));
    }
    let graph = match Graph::new(model) {
        Ok(graph) => graph,
        Err(error) => {
            say(&error);
            return remarks;
        }
    };
    match all_inputs(model, &graph, inputs) {
        Ok(inputs) => {
            let unknown = || ncnn_format::Error::unsupported("not known");
            let shapes = Shapes::follow(&graph, &inputs, |index, inputs| {
                prepared[index].as_ref().map_or_else(|| Err(unknown()), |layer| output_shapes(layer, inputs))
            });
            // What depends on values is no fault.
            shapes
                .failures()
                .iter()
                .filter(|(_, error)| error.kind() != ErrorKind::Unsupported)
                .for_each(|(_, error)| say(error));
        }
        Err(error) => say(&error),
    }
    remarks
}

/// The shapes of `inputs`, and those that the file declares for others.
fn all_inputs(model: &Model, graph: &Graph, inputs: &[(&str, Shape)]) -> Result<Vec<(BlobId, Shape)>> {
    let mut shapes = feeds(graph, inputs.iter().copied())?;
    for &blob in graph.inputs() {
        let layer = &model.layers[graph.blobs()[blob.0].producer];
        if !shapes.iter().any(|(given, _)| *given == blob)
            && let Some(shape) = declared_shape(layer).map_err(|error| error.in_layer(&layer.name))?
        {
            shapes.push((blob, shape));
        }
    }
    Ok(shapes)
}
