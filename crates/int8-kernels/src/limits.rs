//! What sums can hold.

/// The most products that one accumulator may sum.
///
/// With |weight| ≤ 128 and |activation| ≤ 128 a sum of 131 071 products is at most
/// 131 071 · 128² = 2³¹ − 16 384, so it fits an `i32` whatever the values are.
pub const MAX_DEPTH: usize = 131_071;
