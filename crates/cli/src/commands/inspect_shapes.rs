//! Shapes and multiply-adds, as far as they are known.

use std::collections::HashMap;

use fp32_ref::{ConvWindow, Shape, build};
use ncnn_format::{
    Encoding, Error, F32Tag, Layer, LayerKind, Model, Result, Weight, WeightData, WeightSpec, weight_layout,
};

/// Layers with more weights than this are not tried with stand-ins for them.
const MOST_WEIGHTS: usize = 1 << 24;

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
        for layer in &model.layers {
            if layer.outputs.iter().all(|blob| shapes.known.contains_key(blob)) {
                continue;
            }
            let Some(inputs) = layer.inputs.iter().map(|blob| shapes.get(blob)).collect::<Option<Vec<_>>>() else {
                continue;
            };
            match output_shapes(layer, &inputs) {
                Ok(outputs) => shapes.known.extend(layer.outputs.iter().cloned().zip(outputs)),
                Err(error) => shapes.failures.push((layer.name.clone(), error.message().to_owned())),
            }
        }
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

fn output_shapes(layer: &Layer, inputs: &[Shape]) -> Result<Vec<Shape>> {
    match (&layer.kind, inputs) {
        (LayerKind::Input, _) => Ok(vec![declared(layer)?]),
        // Neither needs its weights for this, and they may be int8 or very many.
        (LayerKind::Convolution, [input]) => {
            let params = layer.convolution()?;
            conv(params.num_output, &ConvWindow::new(&params)?, input)
        }
        (LayerKind::ConvolutionDepthWise, [input]) => {
            let params = layer.convolution_depth_wise()?;
            conv(params.num_output, &ConvWindow::depthwise(&params)?, input)
        }
        (LayerKind::InnerProduct, [input]) => {
            let params = layer.inner_product()?;
            let outputs = positive(params.num_output)?;
            let length = positive(params.weight_data_size)? / outputs;
            let rows = input.rank() == 2 && input.w() == length;
            Ok(vec![if rows { Shape::new(&[input.h(), outputs])? } else { Shape::new(&[outputs])? }])
        }
        (LayerKind::Gemm, _) => Ok(vec![gemm(layer, inputs)?.1]),
        // Values change their type, not their shape.
        (LayerKind::Quantize | LayerKind::Dequantize | LayerKind::Requantize | LayerKind::Cast, [input])
        | (LayerKind::LayerNorm | LayerKind::RMSNorm | LayerKind::GroupNorm | LayerKind::InstanceNorm, [input])
        | (LayerKind::Softplus | LayerKind::Erf | LayerKind::SELU | LayerKind::CELU | LayerKind::BNLL, [input]) => {
            Ok(vec![*input])
        }
        _ => build(&with_stand_ins(layer)?)?.output_shapes(inputs),
    }
}

fn declared(layer: &Layer) -> Result<Shape> {
    let params = layer.input()?;
    let dims: Vec<usize> = [params.c, params.d, params.h, params.w]
        .iter()
        .filter(|size| **size > 0)
        .map(|&size| positive(size))
        .collect::<Result<_>>()?;
    if dims.is_empty() {
        return Err(Error::invalid("the Input layer does not say how large it is; give --shape"));
    }
    Shape::new(&dims)
}

fn conv(num_output: i32, window: &ConvWindow, input: &Shape) -> Result<Vec<Shape>> {
    if input.rank() == 1 && window.is_pointwise() {
        return Ok(vec![Shape::new(&[positive(num_output)?])?]);
    }
    let placement = window.place(input.h(), input.w())?;
    Ok(vec![Shape::new(&[positive(num_output)?, placement.out_h, placement.out_w])?])
}

/// M x N x K and the output's shape.
fn gemm(layer: &Layer, inputs: &[Shape]) -> Result<(u64, Shape)> {
    let params = layer.gemm()?;
    let unknown = || Error::invalid("the sizes of A and B are not known");
    let mut inputs = inputs.iter();
    let mut sides = |constant: i32, transposed: bool, first: i32, second: i32| -> Result<(usize, usize)> {
        if constant != 0 {
            return Ok((positive(first)?, positive(second)?));
        }
        let shape = inputs.next().filter(|shape| shape.rank() <= 2).ok_or_else(unknown)?;
        Ok(if transposed { (shape.w(), shape.h()) } else { (shape.h(), shape.w()) })
    };
    let (m, k) = sides(params.constant_a, params.trans_a != 0, params.constant_m, params.constant_k)?;
    let (_, n) = sides(params.constant_b, params.trans_b != 0, params.constant_k, params.constant_n)?;
    let dims = if params.output_transpose != 0 { [n, m] } else { [m, n] };
    let shape = if params.output_n1m != 0 { Shape::new(&[dims[0], 1, dims[1]])? } else { Shape::new(&dims)? };
    let macs = [m, n, k].iter().fold(1_u64, |product, &size| product.saturating_mul(size as u64));
    Ok((macs, shape))
}

/// The layer with zeros for weights that are missing or int8.
fn with_stand_ins(layer: &Layer) -> Result<Layer> {
    let mut stand_in = Layer::new(layer.kind.clone(), layer.name.as_str());
    (stand_in.inputs, stand_in.outputs) = (layer.inputs.clone(), layer.outputs.clone());
    stand_in.params = layer.params.clone();
    let mut layer = stand_in;
    if let Some(row) = ncnn_format::typed::param_specs(&layer.kind)
        .and_then(|rows| rows.iter().find(|row| row.name == "int8_scale_term"))
    {
        layer.params.remove(row.id);
    }
    let specs = weight_layout(&layer)?;
    let total = specs.iter().fold(0_usize, |sum, spec| sum.saturating_add(spec.len));
    if total > MOST_WEIGHTS {
        return Err(Error::unsupported(format!("shapes are not worked out for {total} weights")));
    }
    let zeros = |spec: &WeightSpec| {
        let tag = if spec.encoding == Encoding::Raw { F32Tag::Raw } else { F32Tag::Tagged };
        Weight { role: spec.role, data: WeightData::F32(vec![0.0; spec.len], tag) }
    };
    layer.weights = specs.iter().map(zeros).collect();
    Ok(layer)
}

/// Multiply-adds of a convolution or matrix product whose shapes are known.
pub(crate) fn layer_macs(layer: &Layer, shapes: &Shapes) -> Option<u64> {
    let output = shapes.get(layer.outputs.first()?);
    let input = layer.inputs.first().and_then(|blob| shapes.get(blob));
    let per_output = |weights: i32, outputs: i32| -> Option<u64> {
        let each = u64::try_from(weights).ok()?.checked_div(u64::try_from(outputs).ok()?)?;
        each.checked_mul(output?.volume() as u64)
    };
    match layer.kind {
        LayerKind::Convolution => {
            let params = layer.convolution().ok()?;
            per_output(params.weight_data_size, params.num_output)
        }
        LayerKind::ConvolutionDepthWise => {
            let params = layer.convolution_depth_wise().ok()?;
            per_output(params.weight_data_size, params.num_output)
        }
        LayerKind::InnerProduct => {
            let params = layer.inner_product().ok()?;
            per_output(params.weight_data_size, params.num_output)
        }
        // Each input value meets every weight of its channel once.
        LayerKind::Deconvolution => {
            let plane = (input?.h() as u64).checked_mul(input?.w() as u64)?;
            plane.checked_mul(u64::try_from(layer.deconvolution().ok()?.weight_data_size).ok()?)
        }
        LayerKind::DeconvolutionDepthWise => {
            let plane = (input?.h() as u64).checked_mul(input?.w() as u64)?;
            plane.checked_mul(u64::try_from(layer.deconvolution_depth_wise().ok()?.weight_data_size).ok()?)
        }
        LayerKind::Gemm => {
            let inputs = layer.inputs.iter().map(|blob| shapes.get(blob)).collect::<Option<Vec<_>>>()?;
            gemm(layer, &inputs).ok().map(|(macs, _)| macs)
        }
        _ => None,
    }
}

fn positive(value: i32) -> Result<usize> {
    usize::try_from(value)
        .ok()
        .filter(|value| *value > 0)
        .ok_or_else(|| Error::malformed(format!("a size of {value} should be positive")))
}
