//! What the values of 2017 are called today.

use super::values::Values;
use crate::typed::{Eltwise, Reduction, Slice, Softmax};
use crate::{Error, Layer, LayerKind, Number, ParamValue, Result};

/// Today's name of a type. The second versions came beside the first ones when a
/// parameter was added, and were merged with them in October 2017.
pub(super) fn today(kind: &str) -> LayerKind {
    LayerKind::from(match kind {
        "ConcatV2" => "Concat",
        "DropoutV2" => "Dropout",
        "SoftmaxV2" => "Softmax",
        other => other,
    })
}

/// Takes the parameters of `layer`, written as `kind`, from `values`; gives what
/// should be said about it.
pub(super) fn fill(layer: &mut Layer, kind: &str, mut values: Values<'_>) -> Result<Option<String>> {
    let values = &mut values;
    let odd = match kind {
        "Input" => input(layer, values)?,
        "Eltwise" => eltwise(layer, values)?,
        "Slice" => slice(layer, values)?,
        "PriorBox" => prior_box(layer, values)?,
        "Reduction" => reduction(layer, values)?,
        "Reshape" => reshape(layer, values)?,
        "SoftmaxV2" => softmax(layer, values)?,
        "ExpandDims" => expand_dims(layer, values)?,
        _ => match positions(kind) {
            Some(types) => in_order(layer, types, values)?,
            None => unknown(layer, values)?,
        },
    };
    match values.left() {
        0 => Ok(odd),
        left => Err(Error::malformed(format!("has {left} values more than {kind} had in 2017"))),
    }
}

/// The types of the values whose position is their id today: `d` an integer, `f` a
/// float.
fn positions(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "AbsVal" | "BNLL" | "Concat" | "Dropout" | "Flatten" | "Sigmoid" | "Softmax" | "Split" | "TanH" => "",
        "BatchNorm" | "Bias" | "BinaryOp" | "ConcatV2" | "Permute" | "PReLU" | "UnaryOp" => "d",
        "DropoutV2" | "ELU" | "ReLU" | "Threshold" => "f",
        "ArgMax" | "Crop" | "LSTM" | "RNN" | "Scale" | "SPP" | "Tile" => "dd",
        "InnerProduct" | "MemoryData" | "Squeeze" => "ddd",
        "Exp" | "Log" | "Power" => "fff",
        "MVN" | "ROIPooling" => "ddf",
        "Embed" => "dddd",
        "LRN" => "ddff",
        "Normalize" => "ddfd",
        "DetectionOutput" => "dfddf",
        "Interp" => "dffdd",
        "Pooling" => "ddddd",
        "Padding" => "dddddf",
        "Proposal" => "ddddfd",
        "Convolution" | "Deconvolution" => "ddddddd",
        "ConvolutionDepthWise" | "DeconvolutionDepthWise" => "dddddddd",
        _ => return None,
    })
}

fn in_order(layer: &mut Layer, types: &str, values: &mut Values<'_>) -> Result<Option<String>> {
    for (id, kind) in (0..).zip(types.bytes()) {
        let number = values.number(kind == b'f')?;
        layer.params.set_raw(id, ParamValue::Number(number));
    }
    Ok(None)
}

/// Channels, height, width, of which missing ones are -233; today from the inside out.
fn input(layer: &mut Layer, values: &mut Values<'_>) -> Result<Option<String>> {
    let mut sizes = Vec::new();
    for _ in 0..3 {
        sizes.push(values.int()?);
    }
    let given = sizes.iter().rev().filter(|size| **size != -233);
    (0..).zip(given).for_each(|(id, size)| layer.params.set_raw(id, ParamValue::Number(Number::Int(*size))));
    Ok(None)
}

fn eltwise(layer: &mut Layer, values: &mut Values<'_>) -> Result<Option<String>> {
    layer.params.set(Eltwise::OP_TYPE, values.int()?);
    let len = values.int()?;
    if len > 0 {
        let coefficients = values.array(len, true)?;
        layer.params.set_raw(Eltwise::COEFFS.id(), coefficients);
    }
    Ok(None)
}

fn slice(layer: &mut Layer, values: &mut Values<'_>) -> Result<Option<String>> {
    let len = values.int()?;
    let sizes = values.array(len, false)?;
    layer.params.set_raw(Slice::SLICES.id(), sizes);
    Ok(None)
}

/// Three lengths, eleven scalars, then the three lists.
fn prior_box(layer: &mut Layer, values: &mut Values<'_>) -> Result<Option<String>> {
    let lens = [values.int()?, values.int()?, values.int()?];
    let mut scalars = Vec::new();
    for kind in "ffffddddfff".bytes() {
        scalars.push(values.number(kind == b'f')?);
    }
    for (id, len) in (0..).zip(lens) {
        if len > 0 {
            let list = values.array(len, true)?;
            layer.params.set_raw(id, list);
        }
    }
    (3..).zip(scalars).for_each(|(id, number)| layer.params.set_raw(id, ParamValue::Number(number)));
    Ok(None)
}

/// The dimension said how many of the outer (positive) or inner (negative)
/// dimensions are kept; today the others are listed.
fn reduction(layer: &mut Layer, values: &mut Values<'_>) -> Result<Option<String>> {
    layer.params.set(Reduction::OPERATION, values.int()?);
    let axes: &[i32] = match values.int()? {
        0 => &[],
        1 => &[1, 2],
        2 => &[2],
        -1 => &[0, 1],
        -2 => &[0],
        other => return Err(Error::malformed(format!("reduction over dimension {other}, expected -2 to 2"))),
    };
    layer.params.set_raw(Reduction::COEFF.id(), ParamValue::Number(values.number(true)?));
    if !axes.is_empty() {
        layer.params.set(Reduction::REDUCE_ALL, 0);
        layer.params.set(Reduction::AXES, axes.to_vec());
        layer.params.set(Reduction::FIXBUG0, 1);
    }
    Ok(None)
}

fn reshape(layer: &mut Layer, values: &mut Values<'_>) -> Result<Option<String>> {
    in_order(layer, "dddd", values)?;
    let permutes = layer.params.find::<i32>(3)?.unwrap_or(0) != 0;
    if !permutes {
        layer.params.remove_raw(3);
    }
    Ok(permutes.then(|| "permutes before it reshapes (parameter 3), which today's ncnn does not do".to_owned()))
}

fn softmax(layer: &mut Layer, values: &mut Values<'_>) -> Result<Option<String>> {
    let axis = values.int()?;
    layer.params.set(Softmax::AXIS, axis);
    Ok((axis != 0).then(|| {
        format!("axis {axis} was counted otherwise in 2017; today's ncnn wants 1=1 beside an axis that was checked")
    }))
}

/// Three flags for width, height and channels, today a list of axes.
fn expand_dims(layer: &mut Layer, values: &mut Values<'_>) -> Result<Option<String>> {
    in_order(layer, "ddd", values)?;
    Ok(Some("the flags of 2017 (parameters 0 to 2) are no parameters of today's ncnn, which takes axes".to_owned()))
}

/// The values of an unknown type, numbered by position.
fn unknown(layer: &mut Layer, values: &mut Values<'_>) -> Result<Option<String>> {
    let mut id = 0;
    while values.left() > 0 {
        if id >= crate::ParamDict::MAX_ID {
            return Err(Error::malformed(format!("more values than the {} that ncnn can number", id)));
        }
        let as_float = values.words.get(values.taken).is_some_and(|word| word.contains(['.', 'e', 'E']));
        let number = values.number(as_float)?;
        layer.params.set_raw(id, ParamValue::Number(number));
        id += 1;
    }
    Ok((id > 0).then(|| format!("type {} is not known: its values got their positions as ids", layer.kind)))
}
