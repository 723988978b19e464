//! The shape of every blob, as far as it can be known without running.

use std::collections::HashMap;

use fp32_ref::{Blob, BlobId, Graph, Registry, Shape, Shapes};
use ncnn_format::{LayerKind, Model, Result};

use crate::declared_shape;

/// The shapes by blob name. Empty when an input's is not known; behind a layer that cannot
/// be built, or whose shape depends on values, there are none.
///
/// # Errors
/// `Invalid` when `given` names something that is no input.
pub(super) fn known_shapes(model: &Model, graph: &Graph, given: &[(String, Shape)]) -> Result<HashMap<String, Shape>> {
    let Some(feeds) = input_shapes(model, given)? else { return Ok(HashMap::new()) };
    let feeds = feeds.into_iter().map(|(name, shape)| Ok((graph.blob(&name)?, shape))).collect::<Result<Vec<_>>>()?;
    let shapes = Shapes::of_model(model, graph, &feeds, &Registry::default());
    let names = graph.blobs().iter().enumerate();
    Ok(names.filter_map(|(blob, Blob { name, .. })| Some((name.clone(), shapes.get(BlobId(blob))?))).collect())
}

/// The shape of every input: the given one or else what the file declares; `None` when
/// one has neither.
///
/// # Errors
/// `Invalid` when `given` names something that is no input.
pub(super) fn input_shapes(model: &Model, given: &[(String, Shape)]) -> Result<Option<Vec<(String, Shape)>>> {
    let inputs = || model.layers.iter().filter(|layer| layer.kind == LayerKind::Input);
    let names: Vec<&str> = inputs().flat_map(|layer| &layer.outputs).map(String::as_str).collect();
    if let Some((unknown, _)) = given.iter().find(|(name, _)| !names.contains(&name.as_str())) {
        let names = names.join(", ");
        return Err(ncnn_format::Error::invalid(format!("no input is called {unknown}; there are {names}")));
    }
    let mut shapes = Vec::new();
    for layer in inputs() {
        for blob in &layer.outputs {
            let known = given.iter().find(|(name, _)| name == blob).map(|(_, shape)| *shape);
            match known.or(declared_shape(layer)?) {
                Some(shape) => shapes.push((blob.clone(), shape)),
                None => return Ok(None),
            }
        }
    }
    Ok(Some(shapes))
}
