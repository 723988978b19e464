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
mod spec;
mod table;

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
pub use spec::{LayerSpec, ParamKind, ParamSpec};

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

#[cfg(test)]
mod tests;
