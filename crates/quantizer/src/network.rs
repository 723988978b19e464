//! Questions about a network as a whole.

use fp32_ref::{Graph, Shape, Tensor};
use ncnn_format::{Error, Layer, Result, typed};

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

/// The shape that an `Input` layer declares; `None` when it leaves it open, wholly or in part.
///
/// # Errors
/// As [`typed::Input::read`].
pub fn declared_shape(layer: &Layer) -> Result<Option<Shape>> {
    let typed::Input { w, h, d, c, .. } = typed::Input::read(layer)?;
    let dims: &[i32] = match (w, h, d, c) {
        (1.., 0, 0, 0) => &[w],
        (1.., 1.., 0, 0) => &[h, w],
        (1.., 1.., 0, 1..) => &[c, h, w],
        (1.., 1.., 1.., 1..) => &[c, d, h, w],
        _ => return Ok(None),
    };
    let dims: Vec<usize> = dims.iter().filter_map(|&dim| usize::try_from(dim).ok()).collect();
    Ok(Shape::new(&dims).ok())
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
