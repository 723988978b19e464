//! How a network is to be run.

use fp32_ref::Registry;
use int8_kernels::{Algorithm, Isa};

/// Options of [`Int8Net::with_options`](crate::Int8Net::with_options).
///
/// ```
/// use int8_exec::{Options, Roundings};
///
/// let options = Options::default().with_fuse(false).with_roundings(Roundings::NcnnX86);
/// assert!(!options.fuse);
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// The instructions to use; results do not depend on it.
    pub isa: Isa,
    /// How sums of convolutions are computed; results do not depend on it.
    pub algorithm: Algorithm,
    /// Where `acc · scale + bias` is rounded.
    pub roundings: Roundings,
    /// Compile the network into a plan; else run it layer by layer. Results do not depend on it.
    pub fuse: bool,
    /// The types of float layers.
    pub registry: Registry,
}

macro_rules! setters {
    ($($setter:ident $field:ident: $type:ty,)*) => {
        impl Options {
            $(
                #[doc = concat!("The same with [`Options::", stringify!($field), "`] set.")]
                #[must_use]
                pub fn $setter(mut self, $field: $type) -> Self {
                    self.$field = $field;
                    self
                }
            )*
        }
    };
}

setters! {
    with_isa isa: Isa,
    with_algorithm algorithm: Algorithm,
    with_roundings roundings: Roundings,
    with_fuse fuse: bool,
    with_registry registry: Registry,
}

/// Where `acc · scale + bias` is rounded: after each operation or once.
///
/// It decides the last bit of a float, and at a tie one step of an int8 output.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Roundings {
    /// After each operation: ncnn's plain layers.
    #[default]
    Reference,
    /// As stock ncnn on x86 with FMA and packing off: once in convolutions without groups, in groups of
    /// several channels, in its special depthwise kernels (3×3, stride 1 or 2, dilation 1,
    /// no activation or ReLU), in Dequantize and in Requantize; after each operation
    /// elsewhere. For comparing with that runtime bit for bit.
    NcnnX86,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            isa: Isa::detect(),
            algorithm: Algorithm::default(),
            roundings: Roundings::default(),
            fuse: true,
            registry: Registry::default(),
        }
    }
}
