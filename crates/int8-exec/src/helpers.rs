//! Threads that stay awake while a network runs.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use fp32_ref::shares::pause;
use rayon::Yield;

/// A layer takes some microseconds, waking a thread as long: the other threads of the pool look for
/// work instead of sleeping until nothing came for a while, so also from one run to the next.
pub(crate) struct Helpers {
    /// By thread, whether it helps already.
    is_awake: Vec<AtomicBool>,
    awake: AtomicUsize,
    is_called: AtomicBool,
}

/// A thread that found no work for so long goes to sleep. It has to end: a thread of another run in
/// the same pool may look for work while its own is done.
const PATIENCE: Duration = Duration::from_micros(500);

thread_local! {
    static IS_HELPING: Cell<bool> = const { Cell::new(false) };
}

/// While it lives, this thread helps.
struct Helping;

impl Helping {
    /// `None` if it helps already.
    fn begin() -> Option<Self> {
        (!IS_HELPING.replace(true)).then_some(Self)
    }
}

impl Drop for Helping {
    fn drop(&mut self) {
        IS_HELPING.set(false);
    }
}

impl Helpers {
    pub(crate) fn new() -> Self {
        Self {
            is_awake: (0..rayon::current_num_threads()).map(|_| AtomicBool::new(false)).collect(),
            awake: AtomicUsize::new(0),
            is_called: AtomicBool::new(false),
        }
    }

    /// Whether they are the threads of the current pool.
    pub(crate) fn fit(&self) -> bool {
        self.is_awake.len() == rayon::current_num_threads()
    }

    /// Wakes those who sleep.
    pub(crate) fn call(self: &Arc<Self>) {
        let is_missed = self.awake.load(Ordering::Relaxed) + 1 < self.is_awake.len();
        let Some(caller) = rayon::current_thread_index() else { return };
        if is_missed && !self.is_called.swap(true, Ordering::Relaxed) {
            let helpers = Arc::clone(self);
            rayon::spawn_broadcast(move |context| {
                if context.index() != caller {
                    helpers.help(context.index());
                }
            });
        }
    }

    fn help(&self, thread: usize) {
        let Some(is_awake) = self.is_awake.get(thread) else { return };
        // What a helper finds to do may be another network's call for help. It is awake for that one too;
        // helping within helping would go on until the stack is full.
        let Some(_helping) = Helping::begin() else {
            self.is_called.store(false, Ordering::Relaxed);
            return;
        };
        if is_awake.swap(true, Ordering::Relaxed) {
            return;
        }
        self.awake.fetch_add(1, Ordering::Relaxed);
        self.is_called.store(false, Ordering::Relaxed);
        let mut idle_since = Instant::now();
        loop {
            if rayon::yield_now() == Some(Yield::Executed) {
                idle_since = Instant::now();
            } else if idle_since.elapsed() > PATIENCE {
                break;
            } else {
                pause(idle_since);
            }
        }
        self.awake.fetch_sub(1, Ordering::Relaxed);
        is_awake.store(false, Ordering::Relaxed);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    /// Does `help` take up a job that waits in the pool?
    fn takes_a_job(is_helping: bool) -> bool {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        pool.install(|| {
            let ran = Arc::new(AtomicBool::new(false));
            let job = Arc::clone(&ran);
            rayon::spawn(move || job.store(true, Ordering::SeqCst));
            let helping = is_helping.then(Helping::begin);
            Helpers::new().help(0);
            drop(helping);
            ran.load(Ordering::SeqCst)
        })
    }

    #[test]
    fn who_helps_already_does_not_start_again() {
        assert!(takes_a_job(false));
        assert!(!takes_a_job(true));
    }
}
