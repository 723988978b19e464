//! Named, checked parameters of every layer type.
//!
//! One head per layer type: `Type method "summary"`, and one row per parameter:
//! `id name: type = default, "meaning";`. A default may refer to a parameter above
//! it, as ncnn's do (`kernel_h` is `kernel_w` unless given). The types, the
//! accessors of [`Layer`](crate::Layer) and `docs/layer-parameters.md` all come
//! from these tables. Values are what the file means to ncnn; ranges are the
//! executor's business.
//!
//! ```
//! use ncnn_format::{Layer, LayerKind};
//!
//! let mut layer = Layer::new(LayerKind::Pooling, "pool1");
//! layer.params.set_int(1, 3);
//! assert_eq!(layer.pooling()?.kernel_h, 3);
//! assert!(layer.convolution().is_err());
//! # Ok::<(), ncnn_format::Error>(())
//! ```
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

use std::fmt;

/// A layer type, for inspectors and documentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LayerSpec {
    /// The name in a `.param` file.
    pub name: &'static str,
    /// The method of [`Layer`](crate::Layer) that reads the parameters.
    pub method: &'static str,
    /// What the layer does, in one line.
    pub summary: &'static str,
    /// Its parameters in the order in which ncnn reads them.
    pub params: &'static [ParamSpec],
}

/// One parameter of a layer type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParamSpec {
    /// The id in front of the `=`.
    pub id: u8,
    /// Its name in ncnn's sources, in snake case.
    pub name: &'static str,
    /// What ncnn takes its 32-bit words for.
    pub kind: ParamKind,
    /// The default, as an expression that may name other parameters.
    pub default: &'static str,
    /// What it says, with the values that it may have.
    pub meaning: &'static str,
}

/// What ncnn takes the words of a parameter for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ParamKind {
    /// A 32-bit integer.
    Int,
    /// A 32-bit float.
    Float,
    /// An array of integers.
    Ints,
    /// An array of floats.
    Floats,
    /// Text.
    Text,
}

impl fmt::Display for ParamKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Int => "int",
            Self::Float => "float",
            Self::Ints => "ints",
            Self::Floats => "floats",
            Self::Text => "text",
        })
    }
}

impl LayerSpec {
    /// The parameter with `id`.
    pub fn param(&self, id: u8) -> Option<&'static ParamSpec> {
        self.params.iter().find(|spec| spec.id == id)
    }
}

/// What is known about `kind`; `None` for custom layers.
pub fn layer_spec(kind: &crate::LayerKind) -> Option<LayerSpec> {
    [
        activation::in_family,
        convolution::in_family,
        deconvolution::in_family,
        dense::in_family,
        detection::in_family,
        normalization::in_family,
        pooling::in_family,
        shape::in_family,
        signal::in_family,
    ]
    .iter()
    .find_map(|family| family(kind))
}

/// The parameters of `kind`, in the order in which ncnn reads them; `None` for
/// custom layers.
pub fn param_specs(kind: &crate::LayerKind) -> Option<&'static [ParamSpec]> {
    layer_spec(kind).map(|spec| spec.params)
}

macro_rules! layer_params {
    ($($kind:ident $method:ident $summary:literal {
        $($id:literal $name:ident: $ty:ident = $default:expr, $meaning:literal;)*
    })*) => {
        $(
            #[doc = concat!("Parameters of a `", stringify!($kind), "` layer: ", $summary, ".")]
            #[derive(Debug, Clone, PartialEq)]
            #[non_exhaustive]
            pub struct $kind {
                $(
                    #[doc = concat!("Parameter ", $id, ", default `", stringify!($default), "`: ", $meaning, ".")]
                    pub $name: $crate::typed::layer_params!(@rust $ty),
                )*
            }

            impl $kind {
                /// The rows of the table, in the order of the fields.
                pub const PARAMS: &[$crate::typed::ParamSpec] = &[$($crate::typed::ParamSpec {
                    id: $id,
                    name: stringify!($name),
                    kind: $crate::typed::ParamKind::$ty,
                    default: stringify!($default),
                    meaning: $meaning,
                }),*];

                /// Reads the parameters of `layer`.
                ///
                /// # Errors
                /// `Invalid` when the layer is of another type, naming both;
                /// `Malformed` when a parameter has another form (text for a
                /// number, say), naming the layer and what was found.
                pub fn read(layer: &$crate::Layer) -> $crate::Result<Self> {
                    if layer.kind != $crate::LayerKind::$kind {
                        return Err($crate::typed::other_type(layer, stringify!($kind)));
                    }
                    Self::read_params(&layer.params).map_err(|error| error.in_layer(&layer.name))
                }

                fn read_params(params: &$crate::ParamDict) -> $crate::Result<Self> {
                    let _ = params;
                    $(let $name = $crate::typed::layer_params!(@get params $ty $id $default);)*
                    Ok(Self { $($name),* })
                }
            }

            impl $crate::Layer {
                #[doc = concat!("The parameters of a `", stringify!($kind), "` layer: ", $summary, ".")]
                ///
                /// # Errors
                #[doc = concat!("As [`typed::", stringify!($kind), "::read`](crate::typed::", stringify!($kind), "::read).")]
                pub fn $method(&self) -> $crate::Result<$kind> {
                    $kind::read(self)
                }
            }
        )*

        /// What is known about `kind` if it is one of this family.
        pub(in crate::typed) fn in_family(kind: &$crate::LayerKind) -> Option<$crate::typed::LayerSpec> {
            match kind {
                $($crate::LayerKind::$kind => Some($crate::typed::LayerSpec {
                    name: stringify!($kind),
                    method: stringify!($method),
                    summary: $summary,
                    params: $kind::PARAMS,
                }),)*
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

fn other_type(layer: &crate::Layer, expected: &str) -> crate::Error {
    crate::Error::invalid(format!("expected a layer of type {expected}, found {}", layer.kind)).in_layer(&layer.name)
}

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
    fn every_row_says_what_it_means_and_every_method_is_its_type_in_snake_case() {
        for kind in LayerKind::BUILTIN {
            let spec = layer_spec(kind).unwrap();
            assert_eq!(spec.name, kind.as_str());
            assert_eq!(spec.method.replace('_', ""), kind.as_str().to_lowercase());
            for text in spec.params.iter().map(|row| row.meaning).chain([spec.summary]) {
                assert!(!text.is_empty() && !text.contains('\n') && !text.contains("  "), "{kind}: {text:?}");
                assert!(!text.ends_with('.') && !text.contains('|'), "{kind}: {text:?}");
            }
        }
    }

    #[test]
    fn an_accessor_of_another_type_names_both() {
        let layer = Layer::new(LayerKind::Pooling, "pool1");
        let error = layer.convolution().unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Invalid);
        assert_eq!(error.to_string(), "layer pool1: expected a layer of type Convolution, found Pooling");
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
