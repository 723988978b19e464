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

/// The parameters of `kind`, in the order in which ncnn reads them; `None` for
/// custom layers.
pub fn param_specs(kind: &crate::LayerKind) -> Option<&'static [ParamSpec]> {
    [
        activation::specs,
        convolution::specs,
        deconvolution::specs,
        dense::specs,
        detection::specs,
        normalization::specs,
        pooling::specs,
        shape::specs,
        signal::specs,
    ]
    .iter()
    .find_map(|family| family(kind))
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

        /// The parameters of `kind` if it is one of this family.
        pub(in crate::typed) fn specs(kind: &$crate::LayerKind) -> Option<&'static [$crate::typed::ParamSpec]> {
            match kind {
                $($crate::LayerKind::$kind => Some($kind::PARAMS),)*
                _ => None,
            }
        }
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
use layer_params;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Layer, LayerKind, Number, ParamValue};

    #[test]
    fn every_builtin_type_has_a_row_and_ids_are_unique_and_in_range() {
        for kind in LayerKind::BUILTIN {
            let rows = param_specs(kind).unwrap_or_else(|| panic!("{kind} is missing"));
            for (i, spec) in rows.iter().enumerate() {
                assert!(spec.id < crate::ParamDict::MAX_ID, "{kind} {spec:?}");
                assert!(rows[..i].iter().all(|other| other.id != spec.id), "{kind} {spec:?}");
            }
        }
        assert_eq!(param_specs(&LayerKind::from("Custom")), None);
    }

    #[test]
    fn a_default_follows_the_parameter_it_refers_to() {
        let mut layer = Layer::new(LayerKind::Convolution, "conv");
        for (id, value) in [(1, 5), (4, 2), (14, 7)] {
            layer.params.set_int(id, value);
        }
        let conv = Convolution::read(&layer).unwrap();
        assert_eq!((conv.kernel_w, conv.kernel_h, conv.dilation_h, conv.stride_h), (5, 5, 1, 1));
        assert_eq!((conv.pad_left, conv.pad_right, conv.pad_top, conv.pad_bottom), (2, 2, 7, 7));
    }

    #[test]
    fn attention_scales_by_the_root_of_a_heads_width() {
        let mut layer = Layer::new(LayerKind::MultiHeadAttention, "mha");
        layer.params.set_int(0, 64);
        layer.params.set_int(1, 4);
        assert_eq!(MultiHeadAttention::read(&layer).unwrap().scale, 0.25);
        // A division that must not panic.
        layer.params.set_int(0, i32::MIN);
        layer.params.set_int(1, -1);
        assert!(MultiHeadAttention::read(&layer).unwrap().scale.is_nan());
    }

    #[test]
    fn a_parameter_of_another_form_names_the_layer() {
        let mut layer = Layer::new(LayerKind::Clip, "clip6");
        layer.params.set(1, ParamValue::Array(vec![Number::Int(6)]));
        let message = Clip::read(&layer).unwrap_err().to_string();
        assert_eq!(message, "layer clip6: parameter 1 should be a number, found an array of 1");
    }
}
