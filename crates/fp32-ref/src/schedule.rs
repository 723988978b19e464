//! The one order in which layers run and values live.

use ncnn_format::{Blob, BlobId, Error, Graph, Result};

/// Runs `step` for every layer of `graph` in order, except `Input` layers.
///
/// `step` takes a layer's index and its inputs and returns its outputs.
/// `observe` sees every blob, the fed ones included, as soon as it exists. A
/// value is moved to its last reader, so that reader may overwrite it; outputs of the network that layers
/// read as well are copied. Returns the values of [`Graph::outputs`].
///
/// # Errors
/// Those of `step`, with the layer's name added; `Invalid` when an input is
/// missing, is fed twice or is no input.
pub fn execute<V: Clone>(
    graph: &Graph,
    feeds: Vec<(BlobId, V)>,
    mut step: impl FnMut(usize, Vec<V>) -> Result<Vec<V>>,
    mut observe: impl FnMut(BlobId, &V),
) -> Result<Vec<(BlobId, V)>> {
    let mut values: Vec<Option<V>> = vec![None; graph.blobs().len()];
    feed(graph, feeds, &mut values)?;
    // Whoever takes the outputs is the last to read them.
    let readers = |(index, blob): (usize, &Blob)| blob.consumers.len() + usize::from(graph.is_output(BlobId(index)));
    let mut readers_left: Vec<usize> = graph.blobs().iter().enumerate().map(readers).collect();
    for (index, node) in graph.nodes().iter().enumerate() {
        if node.inputs.is_empty() && node.outputs.iter().all(|&blob| values[blob.0].is_some()) {
            for &blob in &node.outputs {
                if let Some(value) = &values[blob.0] {
                    observe(blob, value);
                }
            }
            continue;
        }
        let mut inputs = Vec::with_capacity(node.inputs.len());
        for &blob in &node.inputs {
            readers_left[blob.0] -= 1;
            let value = if readers_left[blob.0] == 0 { values[blob.0].take() } else { values[blob.0].clone() };
            inputs.extend(value);
        }
        let outputs = step(index, inputs).map_err(|error| error.in_layer(graph.layer_name(index)))?;
        if outputs.len() != node.outputs.len() {
            return Err(Error::malformed(format!(
                "makes {} blobs, the file names {}",
                outputs.len(),
                node.outputs.len()
            ))
            .in_layer(graph.layer_name(index)));
        }
        for (&blob, value) in node.outputs.iter().zip(outputs) {
            observe(blob, &value);
            values[blob.0] = Some(value);
        }
    }
    Ok(graph.outputs().iter().filter_map(|&blob| values[blob.0].take().map(|value| (blob, value))).collect())
}

/// Puts the fed values in place and checks that they are the inputs, no more and no less.
fn feed<V>(graph: &Graph, feeds: Vec<(BlobId, V)>, values: &mut [Option<V>]) -> Result<()> {
    for (blob, value) in feeds {
        if !graph.inputs().contains(&blob) {
            return Err(Error::invalid(format!(
                "the blob {} is not an input; the inputs are {}",
                graph.blob_name(blob),
                graph.list(graph.inputs())
            )));
        }
        if values[blob.0].replace(value).is_some() {
            return Err(Error::invalid(format!("the input {} was given twice", graph.blob_name(blob))));
        }
    }
    match graph.inputs().iter().find(|blob| values[blob.0].is_none()) {
        Some(&missing) => Err(Error::invalid(format!(
            "no value for the input {}; the network needs {}",
            graph.blob_name(missing),
            graph.list(graph.inputs())
        ))),
        None => Ok(()),
    }
}
