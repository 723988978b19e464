//! Whether a network can be run, before it is.

use fp32_ref::{Shape, validate_with};
use ncnn_format::{Model, Remark};

use crate::Options;
use crate::layers::Prepared;

/// All that keeps `model`, with or without int8 layers, from running in [`Int8Net`](crate::Int8Net); see
/// [`fp32_ref::validate`].
///
/// ```
/// use int8_exec::{Options, validate};
/// use ncnn_format::Model;
///
/// let model = Model::from_param_text(
///     "7767517\n2 2\nInput data 0 1 data\nConvolution conv 1 1 data out 0=8 1=3 6=216 8=2\n",
/// )?;
/// let remarks = validate(&model, &[], &Options::default());
/// assert_eq!(remarks[0].to_string(), "layer conv: no weight was loaded");
/// # Ok::<(), ncnn_format::Error>(())
/// ```
pub fn validate(model: &Model, inputs: &[(&str, Shape)], options: &Options) -> Vec<Remark> {
    validate_with(model, inputs, |layer| Prepared::new(layer, options), Prepared::output_shapes)
}
