//! Questions about a network as a whole.

use fp32_ref::Graph;
use ncnn_format::{Error, Result};

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
