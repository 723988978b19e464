//! Passing int8 from one convolution to the next.
//!
//! Between two int8 convolutions ncnn can leave out the float blob: the first one
//! gets 100 added to its `int8_scale_term` and the second one's input scale as its
//! own output scale (`fuse_requantize` in ncnn's `tools/quantize/ncnn2int8.cpp`).

use std::collections::HashMap;

use ncnn_format::{Layer, LayerKind, LinearLayer, Model, Remark, Result, WeightRole};

use super::{remarks, storage};

/// Marks every int8 convolution whose output is read by int8 convolutions only,
/// directly or through one Split.
///
/// ncnn2int8 looks no further than the first reader; here a blob that others read
/// as well, or whose readers want different scales, stays float.
pub(super) fn fuse(model: &mut Model, found: &mut Vec<Remark>) -> Result<()> {
    let readers = Readers::of(model);
    let mut fusions = Vec::new();
    for (index, layer) in model.layers.iter().enumerate() {
        if is_int8_conv(layer)? {
            match readers.scale_wanted(model, index)? {
                Wanted::Float => {}
                Wanted::Int8(scale) => fusions.push((index, scale)),
                Wanted::Unclear(remark) => found.push(remark),
            }
        }
    }
    for (index, scale) in fusions {
        let layer = &mut model.layers[index];
        let term = layer.int8_term()?.unwrap_or(0);
        layer.set_int8_term(term + 100)?;
        storage::push_raw(layer, WeightRole::OutputScale, vec![scale]);
    }
    Ok(())
}

/// For each blob the layers that read it, in file order.
struct Readers(HashMap<String, Vec<usize>>);

/// What the readers of a convolution's output can take.
enum Wanted {
    Float,
    Int8(f32),
    Unclear(Remark),
}

impl Readers {
    fn of(model: &Model) -> Self {
        let mut readers: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, layer) in model.layers.iter().enumerate() {
            for blob in &layer.inputs {
                readers.entry(blob.clone()).or_default().push(index);
            }
        }
        Self(readers)
    }

    /// The layers that read `blob`, which layer `from` makes.
    fn get(&self, blob: &str) -> &[usize] {
        self.0.get(blob).map(Vec::as_slice).unwrap_or_default()
    }

    fn scale_wanted(&self, model: &Model, from: usize) -> Result<Wanted> {
        let layer = &model.layers[from];
        let [blob] = layer.outputs.as_slice() else { return Ok(Wanted::Float) };
        match self.get(blob) {
            [reader] if *reader > from && model.layers[*reader].kind == LayerKind::Split => {
                self.scale_behind_split(model, layer, *reader)
            }
            [reader] if *reader > from => Ok(int8_input(&model.layers[*reader])?.map_or(Wanted::Float, Wanted::Int8)),
            [] | [_] => Ok(Wanted::Float),
            several => {
                let mut scales = several.iter().map(|&reader| int8_input(&model.layers[reader]));
                let any = scales.try_fold(false, |any, scale| Ok::<_, ncnn_format::Error>(any | scale?.is_some()))?;
                Ok(if any { Wanted::Unclear(remarks::shared_output(&layer.name)) } else { Wanted::Float })
            }
        }
    }

    fn scale_behind_split(&self, model: &Model, layer: &Layer, split: usize) -> Result<Wanted> {
        let mut scales = Vec::new();
        for blob in &model.layers[split].outputs {
            match self.get(blob) {
                [reader] if *reader > split => match int8_input(&model.layers[*reader])? {
                    Some(scale) => scales.push(scale),
                    None => return Ok(Wanted::Float),
                },
                _ => return Ok(Wanted::Float),
            }
        }
        match scales.first() {
            None => Ok(Wanted::Float),
            Some(first) if scales.iter().all(|scale| scale == first) => Ok(Wanted::Int8(*first)),
            Some(_) => Ok(Wanted::Unclear(remarks::scales_differ(&layer.name))),
        }
    }
}

fn is_int8_conv(layer: &Layer) -> Result<bool> {
    Ok(LinearLayer::of(layer)?.is_some_and(|linear| linear.is_image_convolution() && linear.is_int8()))
}

/// The input scale of a layer that takes int8: a convolution with one input.
fn int8_input(layer: &Layer) -> Result<Option<f32>> {
    if layer.inputs.len() != 1 || !is_int8_conv(layer)? {
        return Ok(None);
    }
    Ok(layer.weight_f32(WeightRole::InputScale)?.first().copied())
}
