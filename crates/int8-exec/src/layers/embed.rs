//! Embed with int8 weights that share one scale.

use fp32_ref::sequence::Embed;
use ncnn_format::{Result, WeightRole, typed};

use super::integers::{floats, int8s};

/// A row is `q · (1 / scale)`, plus the bias.
pub(super) fn build(layer: &ncnn_format::Layer) -> Result<Embed<impl Fn(usize, &mut [f32]) + use<>>> {
    let bias_term = typed::Embed::read(layer)?.bias_term;
    Embed::new(layer, |rows, width| {
        let weights = int8s(layer, WeightRole::Weight, rows * width)?.to_vec();
        let step = 1.0 / floats(layer, WeightRole::WeightScales, 1)?[0];
        let bias = if bias_term == 0 { None } else { Some(floats(layer, WeightRole::Bias, width)?.into_owned()) };
        Ok(move |index: usize, row: &mut [f32]| {
            for (to, &from) in row.iter_mut().zip(&weights[index * width..][..width]) {
                *to = f32::from(from) * step;
            }
            for (to, bias) in row.iter_mut().zip(bias.iter().flatten()) {
                *to += bias;
            }
        })
    })
}
