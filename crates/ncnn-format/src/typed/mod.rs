//! Named, checked parameters of every layer type.
//!
//! One head per layer type: `Type method "summary"`, and one row per parameter:
//! `id KEY name: type = default, "meaning";`. A default may refer to a parameter above
//! it, as ncnn's do (`kernel_h` is `kernel_w` unless given). The types, their keys, readers and
//! writers, the accessors of [`Layer`](crate::Layer) and `docs/layer-parameters.md` all come
//! from these tables. Values are what the file means to ncnn; ranges are the
//! executor's business.
//!
//! Parameters are read all at once and set one by one, by [key](ParamKey):
//!
//! ```
//! use ncnn_format::{Layer, LayerKind, typed::Pooling};
//!
//! let mut layer = Layer::new(LayerKind::Pooling, "pool1").with(Pooling::KERNEL_W, 3);
//! assert_eq!(layer.pooling()?.kernel_h, 3);
//! assert!(layer.convolution().is_err());
//! layer.params.set(Pooling::STRIDE_W, 2);
//! assert_eq!(layer.pooling()?.stride_h, 2);
//! # Ok::<(), ncnn_format::Error>(())
//! ```
//!
//! or changed as a whole, which writes what has another value than before and nothing else:
//!
//! ```
//! use ncnn_format::Model;
//!
//! let mut model = Model::from_param_text("7767517\n1 1\nPooling pool 0 1 out 1=3 2=2\n")?;
//! let mut pooling = model.layers[0].pooling()?;
//! pooling.stride_h = 1;
//! pooling.write(&mut model.layers[0])?;
//! assert!(model.to_param_text().ends_with("Pooling pool 0 1 out 1=3 2=2 12=1\n"));
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

pub use crate::param_key::{ParamKey, ParamType};
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
        $($id:literal $key:ident $name:ident: $ty:ident = $default:expr, $meaning:literal;)*
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

                $(
                    #[doc = concat!("Key of [`", stringify!($name), "`](Self::", stringify!($name), ").")]
                    pub const $key: $crate::typed::ParamKey<$crate::typed::layer_params!(@rust $ty)> =
                        $crate::typed::ParamKey::new($id, stringify!($name));
                )*

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

                /// Makes these the parameters of `layer`.
                ///
                /// Set are those that mean another value so far, in the order in which ncnn reads them;
                /// the others stay as they are written, or absent. A default that follows another
                /// parameter follows the one that is written here.
                ///
                /// # Errors
                /// `Invalid` when the layer is of another type, naming both.
                pub fn write(&self, layer: &mut $crate::Layer) -> $crate::Result<()> {
                    if layer.kind != $crate::LayerKind::$kind {
                        return Err($crate::typed::other_type(layer, stringify!($kind)));
                    }
                    self.write_params(&mut layer.params);
                    Ok(())
                }

                fn write_params(&self, params: &mut $crate::ParamDict) {
                    let _ = &params;
                    $(
                        let $name = Clone::clone(&self.$name);
                        params.set_unless_meant(Self::$key, &$name, $default);
                    )*
                }

                fn read_params(params: &$crate::ParamDict) -> $crate::Result<Self> {
                    let _ = params;
                    $(let $name: $crate::typed::layer_params!(@rust $ty) = params.find($id)?.unwrap_or_else(|| $default);)*
                    Ok(Self { $($name),* })
                }
            }

            impl Default for $kind {
                /// What a layer without any parameters means. Defaults that follow another parameter
                /// are worked out: to build a layer, set [keys]($crate::typed::ParamKey) instead.
                fn default() -> Self {
                    $(let $name: $crate::typed::layer_params!(@rust $ty) = $default;)*
                    Self { $($name),* }
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

        /// What `layer` reads as, and `into` with that written to it: for tests over all types.
        #[cfg(test)]
        pub(in crate::typed) fn rewritten(
            layer: &$crate::Layer,
            mut into: $crate::Layer,
        ) -> Option<$crate::Result<(String, $crate::Layer)>> {
            match layer.kind {
                $($crate::LayerKind::$kind => Some($kind::read(layer).and_then(|params| {
                    params.write(&mut into)?;
                    Ok((format!("{params:?}"), into))
                })),)*
                _ => None,
            }
        }

        /// The constants of `kind` with their keys, and its defaults, for the same.
        #[cfg(test)]
        pub(in crate::typed) fn keys(kind: &$crate::LayerKind) -> Option<(Vec<(&'static str, String)>, String)> {
            match kind {
                $($crate::LayerKind::$kind => Some((
                    vec![$((stringify!($key), format!("{:?}", $kind::$key))),*],
                    format!("{:?}", $kind::default()),
                )),)*
                _ => None,
            }
        }
    };
    (@rust Int) => { i32 };
    (@rust Float) => { f32 };
    (@rust Ints) => { Vec<i32> };
    (@rust Floats) => { Vec<f32> };
    (@rust Text) => { String };
}
use layer_params;

fn other_type(layer: &crate::Layer, expected: &str) -> crate::Error {
    crate::Error::invalid(format!("expected a layer of type {expected}, found {}", layer.kind)).in_layer(&layer.name)
}

#[cfg(test)]
mod tests;
