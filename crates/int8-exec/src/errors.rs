//! Errors of others in this workspace's words.

use ncnn_format::Error;

/// A caller's mistake reported by the kernels.
pub(crate) fn kernel_error(error: int8_kernels::Error) -> Error {
    Error::invalid(error.to_string())
}

/// The same error for another caller.
pub(crate) fn again(error: &Error) -> Error {
    let again = Error::new(error.kind(), error.message());
    match &error.place().layer {
        Some(layer) => again.in_layer(layer),
        None => again,
    }
}
