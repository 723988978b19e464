//! Watching a run.

use crate::{BlobId, Value};

/// Sees every blob once per run, right after it was made, in execution order.
///
/// `()` watches nothing.
pub trait Observer {
    /// `value` is the blob's final value; its memory may be used again after the call.
    fn observe(&mut self, blob: BlobId, value: &Value);
}

impl Observer for () {
    fn observe(&mut self, _: BlobId, _: &Value) {}
}

impl<F: FnMut(BlobId, &Value)> Observer for F {
    fn observe(&mut self, blob: BlobId, value: &Value) {
        self(blob, value);
    }
}
