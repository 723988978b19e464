//! Saying how far a long job is, and stopping it.

use ncnn_format::{Error, Result};

/// Hears about the stages of a job and may end it; `()` does neither. Called from many threads.
///
/// A job asks [`is_cancelled`](Self::is_cancelled) before every sample and every step. When the answer is yes, it
/// ends with an error of the kind [`Cancelled`](ncnn_format::ErrorKind::Cancelled) and has
/// written nothing but the statistics that it was told to keep.
///
/// ```
/// use std::sync::atomic::{AtomicBool, Ordering};
/// use quantizer::Progress;
///
/// /// Ends the job when somebody sets the flag.
/// struct Stoppable(AtomicBool);
///
/// impl Progress for Stoppable {
///     fn start(&self, stage: &str, total: usize) {
///         println!("{stage}: {total} steps");
///     }
///     fn is_cancelled(&self) -> bool {
///         self.0.load(Ordering::Relaxed)
///     }
/// }
///
/// let progress = Stoppable(AtomicBool::new(true));
/// assert!(progress.check().is_err());
/// ```
pub trait Progress: Sync {
    /// A stage of `total` steps begins.
    fn start(&self, _stage: &str, _total: usize) {}
    /// One step of the stage is done.
    fn step(&self) {}
    /// The stage is over: all steps done, or given up after an error.
    fn finish(&self) {}
    /// Whether the job shall end now.
    fn is_cancelled(&self) -> bool {
        false
    }

    /// Ends the job if that is asked for.
    ///
    /// # Errors
    /// `Cancelled` if [`is_cancelled`](Self::is_cancelled).
    fn check(&self) -> Result<()> {
        if self.is_cancelled() { Err(Error::cancelled()) } else { Ok(()) }
    }
}

impl Progress for () {}
