//! The choice between ways to the same sums.

/// How a convolution may be computed; the sums are the same.
///
/// Winograd's F(4,3) on integers computes 3×3 kernels of stride 1 with a quarter of the products, to the bit, wherever
/// the weights prove that no sum wraps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// Whichever was measured to be faster for the layer's size.
    #[default]
    Fastest,
    /// Product by product.
    Direct,
    /// Winograd's wherever it is possible, even if slower.
    Winograd,
}
