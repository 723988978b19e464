//! Shapes and multiply-adds, as far as they are known.

use std::collections::HashMap;

use fp32_ref::{BlobId, Graph, Registry, Shape};
use ncnn_format::{Error, Layer, LayerKind, LinearFamily, LinearLayer, Model, Result};

/// The shapes of blobs by name.
pub(crate) struct Shapes {
    known: HashMap<String, Shape>,
    failures: Vec<(String, String)>,
}

impl Shapes {
    /// Follows the shapes of the inputs through the layers. What cannot be known
    /// (an unknown layer, a size that depends on values) stays unknown.
    ///
    /// # Errors
    /// `Invalid` when `given`, a list of `[BLOB=]W,H,C`, makes no sense.
    pub(crate) fn infer(model: &Model, given: &[String]) -> Result<Self> {
        let mut shapes = Self { known: HashMap::new(), failures: Vec::new() };
        let inputs: Vec<&Layer> = model.layers.iter().filter(|layer| layer.kind == LayerKind::Input).collect();
        for argument in given {
            let (blob, shape) = given_shape(argument, &inputs)?;
            shapes.known.insert(blob, shape);
        }
        // What is wrong with a graph is not asked here.
        let Ok(graph) = Graph::new(model) else { return Ok(shapes) };
        let given = shapes.known.iter().map(|(blob, shape)| Ok((graph.blob(blob)?, *shape)));
        let inferred =
            fp32_ref::Shapes::of_model(model, &graph, &given.collect::<Result<Vec<_>>>()?, &Registry::default());
        for (blob, known) in graph.blobs().iter().enumerate() {
            shapes.known.extend(inferred.get(BlobId(blob)).map(|shape| (known.name.clone(), shape)));
        }
        shapes.failures =
            inferred.failures().iter().map(|(index, error)| failure(&model.layers[*index], error)).collect();
        Ok(shapes)
    }

    /// The shape of the blob called `name`.
    pub(crate) fn get(&self, name: &str) -> Option<Shape> {
        self.known.get(name).copied()
    }

    /// Layers whose inputs have known shapes and whose outputs have not, and why.
    pub(crate) fn failures(&self) -> impl Iterator<Item = (&str, &str)> {
        self.failures.iter().map(|(layer, why)| (layer.as_str(), why.as_str()))
    }
}

/// `[BLOB=]W,H,C`, innermost dimension first as in ncnn's own tools.
fn given_shape(argument: &str, inputs: &[&Layer]) -> Result<(String, Shape)> {
    let wrong = || Error::invalid(format!("--shape takes [BLOB=]W,H,C, found {argument}"));
    let (blob, sizes) = match argument.rsplit_once('=') {
        Some((blob, sizes)) => (blob.to_owned(), sizes),
        None => match inputs {
            [only] => (only.outputs.first().ok_or_else(wrong)?.clone(), argument),
            _ => return Err(Error::invalid(format!("{} inputs: give --shape BLOB=W,H,C for each", inputs.len()))),
        },
    };
    let mut dims =
        sizes.split(',').map(|size| size.trim().parse().map_err(|_| wrong())).collect::<Result<Vec<usize>>>()?;
    dims.reverse();
    Ok((blob, Shape::new(&dims)?))
}

fn failure(layer: &Layer, error: &Error) -> (String, String) {
    let advice = if layer.kind == LayerKind::Input { "; give --shape" } else { "" };
    (layer.name.clone(), format!("{}{advice}", error.message()))
}

/// The depth of the products of a Gemm.
fn gemm_depth(layer: &Layer, shapes: &Shapes) -> Option<u64> {
    let params = layer.gemm().ok()?;
    if params.constant_a != 0 {
        return u64::try_from(params.constant_k).ok();
    }
    let first = shapes.get(layer.inputs.first()?).filter(|shape| shape.rank() <= 2)?;
    Some(if params.trans_a != 0 { first.h() } else { first.w() } as u64)
}

/// Multiply-adds of a convolution or matrix product whose shapes are known.
pub(crate) fn layer_macs(layer: &Layer, shapes: &Shapes) -> Option<u64> {
    if layer.kind == LayerKind::Gemm {
        return gemm_depth(layer, shapes)?.checked_mul(shapes.get(layer.outputs.first()?)?.volume() as u64);
    }
    let linear = LinearLayer::of(layer).ok()?.filter(|linear| linear.outputs > 0)?;
    match linear.family {
        LinearFamily::Deconvolution if linear.window.len() == 2 => {
            // Each input value meets every weight of its channel once.
            let input = shapes.get(layer.inputs.first()?)?;
            (input.h() as u64).checked_mul(input.w() as u64)?.checked_mul(linear.weight_len as u64)
        }
        _ if linear.is_image_convolution() || linear.family == LinearFamily::InnerProduct => {
            (linear.depth() as u64).checked_mul(shapes.get(layer.outputs.first()?)?.volume() as u64)
        }
        _ => None,
    }
}
