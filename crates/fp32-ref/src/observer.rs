//! Watching a run.

use crate::{BlobId, Tensor};

/// Sees every blob once per run, right after it was made, in execution order.
///
/// `()` watches nothing.
pub trait Observer {
    /// `value` is the blob's final value; it may be released after the call.
    fn observe(&mut self, blob: BlobId, value: &Tensor);
}

impl Observer for () {
    fn observe(&mut self, _: BlobId, _: &Tensor) {}
}

impl<F: FnMut(BlobId, &Tensor)> Observer for F {
    fn observe(&mut self, blob: BlobId, value: &Tensor) {
        self(blob, value);
    }
}
