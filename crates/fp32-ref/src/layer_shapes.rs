//! The shapes that a layer makes, without its weights.

use ncnn_format::{Encoding, Error, F32Tag, Layer, LayerKind, Result, Weight, WeightData, WeightSpec, weight_layout};

use crate::{BuildOptions, ConvWindow, Registry, Shape, build};

/// Layers with more weights than this are not tried with stand-ins for them.
const MOST_WEIGHTS: usize = 1 << 24;

/// The shapes that `layer` makes of inputs of these shapes; those that an `Input` layer declares.
///
/// # Errors
/// As [`Layer::output_shapes`](crate::Layer::output_shapes), `Invalid` for an `Input` layer that declares nothing.
pub(crate) fn layer_shapes(layer: &Layer, inputs: &[Shape], registry: &Registry) -> Result<Vec<Shape>> {
    if registry.is_own(layer) {
        return registry.build(layer, BuildOptions::default())?.output_shapes(inputs);
    }
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
        _ => build(&with_stand_ins(layer)?, BuildOptions::default())?.output_shapes(inputs),
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
        return Err(Error::invalid("the Input layer does not say how large it is"));
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

fn positive(value: i32) -> Result<usize> {
    usize::try_from(value)
        .ok()
        .filter(|value| *value > 0)
        .ok_or_else(|| Error::malformed(format!("a size of {value} should be positive")))
}
