//! Named, checked parameters of every layer type.
//!
//! One row per parameter: `id name: type = default;`. A default may refer to a
//! parameter above it, as ncnn's do (`kernel_h` is `kernel_w` unless given).
//! Values are what the file means to ncnn; ranges are the executor's business.
//!
//! Source of ids and defaults: ncnn at commit a4d2ea1, `load_param` of each layer.

mod activation;
mod convolution;
mod deconvolution;
mod dense;
mod detection;
mod normalization;
mod pooling;
mod shape;
mod signal;

pub use activation::*;
pub use convolution::*;
pub use deconvolution::*;
pub use dense::*;
pub use detection::*;
pub use normalization::*;
pub use pooling::*;
pub use shape::*;
pub use signal::*;

/// One parameter of a layer type, for inspectors and documentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParamSpec {
    /// The id in front of the `=`.
    pub id: u8,
    /// Its name in ncnn's sources.
    pub name: &'static str,
    /// `Int`, `Float`, `Ints`, `Floats` or `Text`.
    pub kind: &'static str,
    /// The default, as an expression.
    pub default: &'static str,
}

macro_rules! layer_params {
    ($($kind:ident { $($id:literal $name:ident: $ty:ident = $default:expr;)* })*) => {
        $(
            #[doc = concat!("Parameters of a `", stringify!($kind), "` layer.")]
            #[derive(Debug, Clone, PartialEq)]
            #[non_exhaustive]
            pub struct $kind {
                $(
                    #[doc = concat!("Parameter ", stringify!($id), ", default `", stringify!($default), "`.")]
                    pub $name: $crate::typed::layer_params!(@rust $ty),
                )*
            }

            impl $kind {
                /// The rows of the table, in the order of the fields.
                pub const PARAMS: &[$crate::typed::ParamSpec] = &[$($crate::typed::ParamSpec {
                    id: $id,
                    name: stringify!($name),
                    kind: stringify!($ty),
                    default: stringify!($default),
                }),*];

                /// Reads the parameters of `layer`.
                ///
                /// # Errors
                /// `Malformed` when a parameter has another form (text for a
                /// number, say), naming the layer and what was found.
                pub fn read(layer: &$crate::Layer) -> $crate::Result<Self> {
                    Self::read_params(&layer.params).map_err(|error| error.in_layer(&layer.name))
                }

                fn read_params(params: &$crate::ParamDict) -> $crate::Result<Self> {
                    let _ = params;
                    $(let $name = $crate::typed::layer_params!(@get params $ty $id $default);)*
                    Ok(Self { $($name),* })
                }
            }
        )*
    };
    (@rust Int) => { i32 };
    (@rust Float) => { f32 };
    (@rust Ints) => { Vec<i32> };
    (@rust Floats) => { Vec<f32> };
    (@rust Text) => { String };
    (@get $params:ident Int $id:literal $default:expr) => { $params.int($id, $default)? };
    (@get $params:ident Float $id:literal $default:expr) => { $params.float($id, $default)? };
    (@get $params:ident Ints $id:literal $default:expr) => { $params.ints($id, $default)? };
    (@get $params:ident Floats $id:literal $default:expr) => { $params.floats($id, $default)? };
    (@get $params:ident Text $id:literal $default:expr) => { $params.text($id, $default)? };
}
pub(crate) use layer_params;
