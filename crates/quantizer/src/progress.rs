//! Saying how far a long job is.

/// Hears about the stages of a job; `()` ignores them. Called from many threads.
pub trait Progress: Sync {
    /// A stage of `total` steps begins.
    fn start(&self, stage: &str, total: usize);
    /// One step of the stage is done.
    fn step(&self);
    /// The stage is over: all steps done, or given up after an error.
    fn finish(&self);
}

impl Progress for () {
    fn start(&self, _: &str, _: usize) {}
    fn step(&self) {}
    fn finish(&self) {}
}
