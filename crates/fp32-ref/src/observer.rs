//! Watching a run.

use std::fmt;

use ncnn_format::Result;

use crate::{BlobId, Value};

/// Sees the blobs that it wants, each once per run, right after it was made, in execution order.
///
/// Both executors have observers; `V` is what their blobs are while they run. `()` wants nothing. A closure
/// wants every blob; [`Watch`] is a closure with a list of blobs.
pub trait Observer<V = Value> {
    /// Whether `blob` is to be shown. An executor need not make or turn a blob that nobody wants.
    fn wants(&self, blob: BlobId) -> bool {
        let _ = blob;
        true
    }

    /// `value` is the blob's final value; its memory may be used again after the call.
    ///
    /// # Errors
    /// Its own: the run stops at once and returns the error.
    fn observe(&mut self, blob: BlobId, value: &V) -> Result<()>;
}

impl<V> Observer<V> for () {
    fn wants(&self, _: BlobId) -> bool {
        false
    }

    fn observe(&mut self, _: BlobId, _: &V) -> Result<()> {
        Ok(())
    }
}

impl<V, F: FnMut(BlobId, &V) -> Result<()>> Observer<V> for F {
    fn observe(&mut self, blob: BlobId, value: &V) -> Result<()> {
        self(blob, value)
    }
}

/// Watches a list of blobs; `see` gets the position in the list and the value.
///
/// ```
/// use fp32_ref::{Net, Tensor, Value, Watch};
/// use ncnn_format::Model;
///
/// let model = Model::from_param_text(
///     "7767517\n3 3\nInput data 0 1 data\nAbsVal size 1 1 data size\nReLU act 1 1 size out\n",
/// )?;
/// let net = Net::new(&model)?;
/// let blobs = [net.graph().blob("size")?];
/// let mut largest = 0.0_f32;
/// let mut watch = Watch::new(&blobs, |_, value: &Value| {
///     largest = value.unordered().iter().fold(largest, |largest, x| largest.max(*x));
///     Ok(())
/// });
/// net.run(&[("data", Tensor::new([3], vec![1.0, -4.0, 2.0])?)], &mut watch)?;
/// assert_eq!(largest, 4.0);
/// # Ok::<(), ncnn_format::Error>(())
/// ```
pub struct Watch<'a, F> {
    blobs: &'a [BlobId],
    see: F,
}

impl<'a, F> Watch<'a, F> {
    /// Lets `see` look at `blobs`; of a blob that is listed twice only the first place counts.
    pub fn new(blobs: &'a [BlobId], see: F) -> Self {
        Self { blobs, see }
    }
}

impl<F> fmt::Debug for Watch<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("blobs", &self.blobs).finish_non_exhaustive()
    }
}

impl<V, F: FnMut(usize, &V) -> Result<()>> Observer<V> for Watch<'_, F> {
    fn wants(&self, blob: BlobId) -> bool {
        self.blobs.contains(&blob)
    }

    fn observe(&mut self, blob: BlobId, value: &V) -> Result<()> {
        match self.blobs.iter().position(|&watched| watched == blob) {
            Some(place) => (self.see)(place, value),
            None => Ok(()),
        }
    }
}
