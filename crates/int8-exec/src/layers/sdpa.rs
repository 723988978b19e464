//! SDPA on integers.

use fp32_ref::sequence::Sdpa;
use ncnn_format::Result;

use super::attention::Int8Attend;

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<Sdpa<Int8Attend>> {
    Sdpa::new(layer, Int8Attend::ScaledScores)
}
