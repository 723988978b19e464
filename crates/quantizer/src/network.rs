//! Questions about a network as a whole.

use fp32_ref::{Graph, Tensor};
use ncnn_format::{Error, Result};

use crate::Feed;

/// The name of the only input.
///
/// # Errors
/// `Unsupported` for a network with several inputs, listing them.
pub fn single_input(graph: &Graph) -> Result<&str> {
    let names: Vec<_> = graph.inputs().iter().map(|&blob| graph.blob_name(blob)).collect();
    match names[..] {
        [name] => Ok(name),
        _ => Err(Error::unsupported(format!(
            "the network has {} inputs ({}); one data set feeds one",
            names.len(),
            names.join(", ")
        ))),
    }
}

/// The values of `feeds` with the names of their inputs.
///
/// # Errors
/// As [`single_input`] for one without a name.
pub(crate) fn named(graph: &Graph, feeds: Vec<Feed>) -> Result<Vec<(&str, Tensor)>> {
    feeds
        .into_iter()
        .map(|feed| {
            let id = match &feed.blob {
                Some(name) => graph.blob(name)?,
                None => graph.blob(single_input(graph)?)?,
            };
            Ok((graph.blob_name(id), feed.value))
        })
        .collect()
}
