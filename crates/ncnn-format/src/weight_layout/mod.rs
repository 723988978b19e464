//! Which weights a layer owns, in file order: what `load_model` of each of
//! ncnn's `src/layer/*.cpp` asks for.

mod affine;
mod blocks;
mod dense;
mod linear;
mod plan;
mod recurrent;
mod spec;

use plan::Plan;

use crate::{Layer, LayerKind, LinearLayer, Result};

pub use spec::{Encoding, WeightSpec};

/// The weights that `layer` owns according to its parameters, in file order.
///
/// A custom layer owns nothing as far as this function knows: ncnn lets the code
/// of such a layer read what it likes, and most of them read nothing. A `.bin`
/// that does hold weights of one cannot be read; the error then says so.
///
/// # Errors
/// [`ErrorKind::Malformed`](crate::ErrorKind::Malformed) when a size is not
/// positive or contradicts another one, or a term is one that ncnn refuses, with the
/// values found.
pub fn weight_layout(layer: &Layer) -> Result<Vec<WeightSpec>> {
    let mut plan = Plan::default();
    fill(&mut plan, layer).map_err(|error| error.in_layer(&layer.name))?;
    Ok(plan.specs)
}

#[rustfmt::skip]
fn fill(plan: &mut Plan, layer: &Layer) -> Result<()> {
    use LayerKind as K;
    match layer.kind {
        K::BatchNorm => affine::batch_norm(plan, layer),
        K::Bias => affine::bias(plan, layer),
        K::Scale => affine::scale(plan, layer),
        K::PReLU => affine::prelu(plan, layer),
        K::Normalize => affine::normalize(plan, layer),
        K::InstanceNorm => affine::instance_norm(plan, layer),
        K::GroupNorm => affine::group_norm(plan, layer),
        K::LayerNorm => affine::layer_norm(plan, layer),
        K::RMSNorm => affine::rms_norm(plan, layer),
        K::Padding => affine::padding(plan, layer),
        K::MemoryData => affine::memory_data(plan, layer),
        K::Quantize => affine::quantize(plan, layer),
        K::Dequantize => affine::dequantize(plan, layer),
        K::Requantize => affine::requantize(plan, layer),
        K::Embed => dense::embed(plan, layer),
        K::Gemm => dense::gemm(plan, layer),
        K::MultiHeadAttention => dense::attention(plan, layer),
        K::LSTM => recurrent::lstm(plan, layer),
        K::GRU => recurrent::gru(plan, layer),
        K::RNN => recurrent::rnn(plan, layer),
        // Everything else computes from its inputs and parameters alone.
        _ => LinearLayer::of(layer)?.map_or(Ok(()), |layer| linear::linear(plan, &layer)),
    }
}

#[cfg(test)]
mod tests;
