//! The shapes that a layer makes, without its weights.

use ncnn_format::typed::Input;
use ncnn_format::{Error, Layer, LayerKind, LinearFamily, LinearLayer, Result, weight_layout};

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
    // Neither needs its weights for this, and they may be int8 or very many.
    if let (Some(linear), [input]) = (LinearLayer::of(layer)?, inputs)
        && (linear.is_image_convolution() || linear.family == LinearFamily::InnerProduct)
    {
        return linear_shape(&linear, *input).map(|shape| vec![shape]);
    }
    match (&layer.kind, inputs) {
        (LayerKind::Input, _) => {
            let shape = declared_shape(layer)?;
            Ok(vec![shape.ok_or_else(|| Error::invalid("the Input layer does not say how large it is"))?])
        }
        (LayerKind::Gemm, _) => Ok(vec![gemm(layer, inputs)?]),
        // Values change their type, not their shape.
        (LayerKind::Quantize | LayerKind::Dequantize | LayerKind::Requantize | LayerKind::Cast, [input])
        | (LayerKind::LayerNorm | LayerKind::RMSNorm | LayerKind::GroupNorm | LayerKind::InstanceNorm, [input])
        | (LayerKind::Softplus | LayerKind::Erf | LayerKind::SELU | LayerKind::CELU | LayerKind::BNLL, [input]) => {
            Ok(vec![*input])
        }
        _ => build(&with_stand_ins(layer)?, BuildOptions::default())?.output_shapes(inputs),
    }
}

/// The shape that an `Input` layer declares; `None` when it leaves it open, wholly or in part.
///
/// # Errors
/// `Malformed` when a size is no number.
///
/// ```
/// use fp32_ref::declared_shape;
/// use ncnn_format::{Layer, LayerKind, typed::Input};
///
/// let input = Layer::new(LayerKind::Input, "data").makes("data").with(Input::W, 28).with(Input::H, 14);
/// assert_eq!(declared_shape(&input)?.unwrap().dims(), [14, 28]);
/// assert_eq!(declared_shape(&input.with(Input::W, 0))?, None);
/// # Ok::<(), ncnn_format::Error>(())
/// ```
pub fn declared_shape(layer: &Layer) -> Result<Option<Shape>> {
    let Input { w, h, d, c, .. } = Input::read(layer)?;
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

fn linear_shape(linear: &LinearLayer, input: Shape) -> Result<Shape> {
    let outputs = Some(linear.outputs).filter(|&outputs| outputs > 0);
    let outputs = outputs.ok_or_else(|| Error::malformed("no output channels"))?;
    if linear.window.is_empty() {
        let is_rows = input.rank() == 2 && input.w() == linear.depth();
        return if is_rows { Shape::new(&[input.h(), outputs]) } else { Shape::new(&[outputs]) };
    }
    let window = ConvWindow::of(linear)?;
    if input.rank() == 1 && window.is_pointwise() {
        return Shape::new(&[outputs]);
    }
    let placement = window.place(input.h(), input.w())?;
    Shape::new(&[outputs, placement.out_h, placement.out_w])
}

fn gemm(layer: &Layer, inputs: &[Shape]) -> Result<Shape> {
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
    let (m, _) = sides(params.constant_a, params.trans_a != 0, params.constant_m, params.constant_k)?;
    let (_, n) = sides(params.constant_b, params.trans_b != 0, params.constant_k, params.constant_n)?;
    let dims = if params.output_transpose != 0 { [n, m] } else { [m, n] };
    if params.output_n1m != 0 { Shape::new(&[dims[0], 1, dims[1]]) } else { Shape::new(&dims) }
}

/// The layer with zeros for weights that are missing or int8.
fn with_stand_ins(layer: &Layer) -> Result<Layer> {
    let mut stand_in = Layer::new(layer.kind.clone(), layer.name.as_str());
    (stand_in.inputs, stand_in.outputs) = (layer.inputs.clone(), layer.outputs.clone());
    stand_in.params = layer.params.clone();
    let mut layer = stand_in;
    if layer.is_int8()? {
        layer.set_int8_term(0)?;
    }
    let specs = weight_layout(&layer)?;
    let total = specs.iter().fold(0_usize, |sum, spec| sum.saturating_add(spec.len));
    if total > MOST_WEIGHTS {
        return Err(Error::unsupported(format!("shapes are not worked out for {total} weights")));
    }
    layer.fill_weights(|_, _| 0.0)?;
    Ok(layer)
}

fn positive(value: i32) -> Result<usize> {
    usize::try_from(value)
        .ok()
        .filter(|value| *value > 0)
        .ok_or_else(|| Error::malformed(format!("a size of {value} should be positive")))
}
