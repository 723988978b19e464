//! Weights of 4, 6 or 8 bits with a scale per block of columns, as ncnn's
//! `tools/quantize/ncnnllm2int.cpp` writes them.

use super::plan::{Plan, Size, quotient};
use crate::typed::{Gemm, MultiHeadAttention};
use crate::{Error, Result, WeightRole};

/// The least term that means blocks.
const FIRST: i32 = 400;

/// What the quantize term of a Gemm or MultiHeadAttention says of its weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Term {
    Float,
    /// int8, scales per row.
    Int8,
    Blocks(Blocks),
}

/// Packed values, as many columns to a block as `columns`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Blocks {
    bits: i32,
    columns: i32,
    /// Whether every column has a multiplier of its own, for the input.
    input_scales: bool,
}

impl Term {
    /// Reads `term`: 100 x bits + 10 x (input scales) + (0, 1, 2 for 32, 64, 128 columns).
    pub(super) fn of(term: i32) -> Result<Self> {
        let refused = || Error::malformed(format!("quantize term {term} is one that ncnn refuses"));
        match term {
            0 => Ok(Self::Float),
            4..=6 => Err(refused()),
            FIRST.. => {
                let (bits, input_scales, size) = (term / 100, term / 10 % 10, term % 10);
                let known = matches!(bits, 4 | 6 | 8) && input_scales <= 1 && size <= 2;
                known
                    .then_some(Self::Blocks(Blocks { bits, columns: 32 << size, input_scales: input_scales == 1 }))
                    .ok_or_else(refused)
            }
            _ => Ok(Self::Int8),
        }
    }
}

impl Blocks {
    /// The bytes of a row of `columns` values.
    fn row(self, columns: Size) -> Size {
        rounded_up(columns, i64::from(self.bits), 8)
    }

    /// The blocks of a row of `columns` values.
    fn per_row(self, columns: Size) -> Size {
        rounded_up(columns, 1, i64::from(self.columns))
    }
}

/// `size` x `times` / `parts`, rounded up. What is not positive stays as it is, for the
/// plan to refuse it.
fn rounded_up((name, value): Size, times: i64, parts: i64) -> Size {
    if value <= 0 {
        return (name, value);
    }
    let result = (i64::from(value) * times + parts - 1) / parts;
    (name, i32::try_from(result).unwrap_or(i32::MAX))
}

/// B of a Gemm in blocks; `c` adds C between B and the scales.
pub(super) fn gemm(
    plan: &mut Plan,
    params: &Gemm,
    blocks: Blocks,
    c: impl FnOnce(&mut Plan) -> Result<()>,
) -> Result<()> {
    let (a, b) = (params.constant_a, params.constant_b);
    let (trans_a, trans_b) = (params.trans_a, params.trans_b);
    if (a, b, trans_a, trans_b) != (0, 1, 0, 1) {
        return Err(Error::malformed(format!(
            "block-quantized weights need constantA 0, constantB 1, transA 0 and transB 1, found {a}, {b}, {trans_a} \
             and {trans_b}"
        )));
    }
    let (n, k) = (("constantN", params.constant_n), ("constantK", params.constant_k));
    plan.packed(WeightRole::MatrixB, &[n, blocks.row(k)])?;
    c(plan)?;
    plan.raw(WeightRole::MatrixBBlockScales, &[n, blocks.per_row(k)])?;
    if blocks.input_scales {
        plan.raw(WeightRole::MatrixBInputScales, &[k])?;
    }
    Ok(())
}

/// The four projections of an attention layer in blocks.
pub(super) fn attention(plan: &mut Plan, params: &MultiHeadAttention, blocks: Blocks) -> Result<()> {
    use WeightRole as R;
    let embed = ("embed_dim", params.embed_dim);
    let qdim = ("qdim", quotient(("weight_data_size", params.weight_data_size), &[embed])?);
    let (kdim, vdim) = (("kdim", params.kdim), ("vdim", params.vdim));
    // Rows, columns, and the roles of weight, bias, block scales and input scales.
    let projections = [
        (embed, qdim, [R::QueryWeight, R::QueryBias, R::QueryBlockScales, R::QueryInputScales]),
        (embed, kdim, [R::KeyWeight, R::KeyBias, R::KeyBlockScales, R::KeyInputScales]),
        (embed, vdim, [R::ValueWeight, R::ValueBias, R::ValueBlockScales, R::ValueInputScales]),
        (qdim, embed, [R::OutWeight, R::OutBias, R::OutBlockScales, R::OutInputScales]),
    ];
    for (rows, columns, [weight, bias, ..]) in projections {
        plan.packed(weight, &[rows, blocks.row(columns)])?;
        plan.raw(bias, &[rows])?;
    }
    for (rows, columns, [_, _, scales, _]) in projections {
        plan.raw(scales, &[rows, blocks.per_row(columns)])?;
    }
    if blocks.input_scales {
        for (_, columns, [.., scales]) in projections {
            plan.raw(scales, &[columns])?;
        }
    }
    Ok(())
}
