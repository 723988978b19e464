//! Winograd's F(4,3) on integers: 3×3 convolutions with a quarter of the products, to the bit.
//!
//! A tile of 4×4 outputs is made from 6×6 inputs `d` by 36 products instead of 144, for every pair of
//! channels. With the matrices of Lavin and Gray ("Fast Algorithms for Convolutional Neural Networks",
//! 2015), of which `G` is multiplied by 24 and its last row, so that it stays small, by 12:
//!
//! ```text
//!       4  0 −5  0  1  0            6  0  0
//!       0 −4 −4  1  1  0           −4 −4 −4            1  1  1  1  1  0
//! Bᵀ =  0  4 −4 −1  1  0      G =  −4  4 −4      Aᵀ =  0  1 −1  2 −2  0
//!       0 −2 −1  2  1  0            1  2  4            0  1  1  4  4  0
//!       0  2 −1 −2  1  0            1 −2  4            0  1 −1  8 −8  2
//!       0  4  0 −5  0  1            0  0 12
//!
//! 576 · sums = Aᵀ · (Σ over input channels of (G · weights · Gᵀ) ∘ (Bᵀ · d · B)) · A
//! ```
//!
//! Nothing is rounded, because everything is an integer:
//!
//! * A row of `Bᵀ` adds up to at most 10 in magnitude, so transformed inputs are within 100 · 128 = 12 800.
//! * A row of `G` adds up to at most 12, so transformed weights are within 144 · 128 = 18 432. Both fit `i16`.
//! * Two products of those fit an `i32`. All that follows wraps, so it is right modulo 2³².
//! * From v ≡ 576 · s modulo 2³² follows v · 9⁻¹ ≡ 64 · s, with the inverse of 9 modulo 2³². That is 64 · s itself
//!   where |s| < 2²⁵, and a shift by 6 bits leaves s.
//!
//! Activations are at least −128, so 128 · Σ|w| < 2²⁵ for every output channel proves a layer safe.
//! (Dividing by 576 instead, as is usual, needs |s| < 2³¹ / 576, a ninth of that.) Where there is no proof, the
//! direct kernels compute the layer.

mod walk;
mod weights;

pub(crate) use walk::WinogradScratch;
pub(crate) use weights::WinogradWeights;

#[cfg(test)]
mod tests {
    use crate::contract::NINTH;

    #[test]
    fn a_ninth_undoes_a_multiplication_by_nine() {
        assert_eq!(NINTH.wrapping_mul(9), 1);
        for sum in [(1 << 25) - 1, 1 - (1 << 25), 0, 7, -1, -(1 << 25)] {
            let (v, sum) = (i32::wrapping_mul(576, sum), sum);
            assert_eq!(v.wrapping_mul(NINTH) >> 6, sum);
        }
        assert_ne!(i32::wrapping_mul(576, 1 << 25).wrapping_mul(NINTH) >> 6, 1 << 25);
    }
}
