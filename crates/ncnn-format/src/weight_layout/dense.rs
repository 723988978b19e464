//! Embeddings, matrix products and attention.

use super::blocks::{self, Term};
use super::linear::weight_and_bias;
use super::plan::{Plan, Size, quotient};
use crate::typed::{Embed, Gemm, MultiHeadAttention};
use crate::{Error, Layer, Result, WeightRole};

pub(super) fn embed(plan: &mut Plan, layer: &Layer) -> Result<()> {
    let params = Embed::read(layer)?;
    let outputs = ("num_output", params.num_output);
    let size = ("weight_data_size", params.weight_data_size);
    let rows = quotient(size, &[outputs])?;
    if rows != params.input_dim {
        let (found, dim) = (params.weight_data_size, params.input_dim);
        return Err(Error::malformed(format!(
            "weight_data_size {found} should be num_output {} x input_dim {dim}",
            params.num_output
        )));
    }
    weight_and_bias(plan, size, outputs, params.bias_term != 0)?;
    if params.int8_scale_term != 0 {
        plan.raw_single(WeightRole::WeightScales);
    }
    Ok(())
}

pub(super) fn gemm(plan: &mut Plan, layer: &Layer) -> Result<()> {
    let params = Gemm::read(layer)?;
    let term = Term::of(params.quantize_term)?;
    if let Term::Blocks(blocks) = term {
        return blocks::gemm(plan, &params, blocks, |plan| matrix_c(plan, &params));
    }
    let (m, n, k) = sizes(&params);
    if params.constant_a == 1 {
        plan.tagged(WeightRole::MatrixA, &[m, k])?;
    }
    if params.constant_b == 1 {
        plan.tagged(WeightRole::MatrixB, &[n, k])?;
    }
    matrix_c(plan, &params)?;
    if term == Term::Int8 && params.constant_a == 1 {
        plan.raw(WeightRole::MatrixAScales, &[m])?;
    }
    if term == Term::Int8 && params.constant_b == 1 {
        plan.raw_single(WeightRole::MatrixBScale);
    }
    Ok(())
}

fn sizes(params: &Gemm) -> (Size, Size, Size) {
    (("constantM", params.constant_m), ("constantN", params.constant_n), ("constantK", params.constant_k))
}

fn matrix_c(plan: &mut Plan, params: &Gemm) -> Result<()> {
    if params.constant_c != 1 {
        return Ok(());
    }
    let (m, n, _) = sizes(params);
    match params.constant_broadcast_type_c {
        -1 => Ok(()),
        0 => plan.tagged(WeightRole::MatrixC, &[]),
        1 | 2 => plan.tagged(WeightRole::MatrixC, &[m]),
        3 => plan.tagged(WeightRole::MatrixC, &[n, m]),
        4 => plan.tagged(WeightRole::MatrixC, &[n]),
        other => Err(Error::malformed(format!("constant_broadcast_type_C should be in -1..=4, found {other}"))),
    }
}

pub(super) fn attention(plan: &mut Plan, layer: &Layer) -> Result<()> {
    let params = MultiHeadAttention::read(layer)?;
    let term = Term::of(params.quantize_term)?;
    if let Term::Blocks(blocks) = term {
        return blocks::attention(plan, &params, blocks);
    }
    let embed = ("embed_dim", params.embed_dim);
    let qdim = ("qdim", quotient(("weight_data_size", params.weight_data_size), &[embed])?);
    plan.tagged(WeightRole::QueryWeight, &[embed, qdim])?;
    plan.raw(WeightRole::QueryBias, &[embed])?;
    plan.tagged(WeightRole::KeyWeight, &[embed, ("kdim", params.kdim)])?;
    plan.raw(WeightRole::KeyBias, &[embed])?;
    plan.tagged(WeightRole::ValueWeight, &[embed, ("vdim", params.vdim)])?;
    plan.raw(WeightRole::ValueBias, &[embed])?;
    plan.tagged(WeightRole::OutWeight, &[qdim, embed])?;
    plan.raw(WeightRole::OutBias, &[qdim])?;
    if term == Term::Int8 {
        for role in [WeightRole::QueryScales, WeightRole::KeyScales, WeightRole::ValueScales] {
            plan.raw(role, &[embed])?;
        }
        plan.raw_single(WeightRole::OutScale);
    }
    Ok(())
}
