//! Threads that stay awake while a network runs.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rayon::{Scope, Yield};

/// A layer takes some microseconds, waking a thread as long: the other threads of the pool look for
/// work instead of sleeping, until the run is over or nothing came for a while.
pub(crate) struct Helpers {
    /// By thread, whether it helps already.
    is_awake: Vec<AtomicBool>,
    awake: AtomicUsize,
    is_called: AtomicBool,
    is_over: AtomicBool,
}

/// A thread that found no work for so long goes to sleep. It also ends what would be a deadlock: two
/// runs in one pool whose threads help each other and wait for each other's end.
const PATIENCE: Duration = Duration::from_micros(300);

impl Helpers {
    pub(crate) fn new() -> Self {
        Self {
            is_awake: (0..rayon::current_num_threads()).map(|_| AtomicBool::new(false)).collect(),
            awake: AtomicUsize::new(0),
            is_called: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
        }
    }

    /// Wakes those who sleep.
    pub(crate) fn call<'scope>(&'scope self, scope: &Scope<'scope>) {
        let is_missed = self.awake.load(Ordering::Relaxed) + 1 < self.is_awake.len();
        let Some(caller) = rayon::current_thread_index() else { return };
        if is_missed && !self.is_called.swap(true, Ordering::Relaxed) {
            scope.spawn_broadcast(move |_, context| {
                if context.index() != caller {
                    self.help(context.index());
                }
            });
        }
    }

    /// Lets everybody go.
    pub(crate) fn dismiss(&self) {
        self.is_over.store(true, Ordering::Relaxed);
    }

    fn help(&self, thread: usize) {
        let Some(is_awake) = self.is_awake.get(thread) else { return };
        if is_awake.swap(true, Ordering::Relaxed) {
            return;
        }
        self.awake.fetch_add(1, Ordering::Relaxed);
        self.is_called.store(false, Ordering::Relaxed);
        let mut idle_since = Instant::now();
        while !self.is_over.load(Ordering::Relaxed) {
            if rayon::yield_now() == Some(Yield::Executed) {
                idle_since = Instant::now();
            } else if idle_since.elapsed() > PATIENCE {
                break;
            } else {
                spin_loop();
            }
        }
        self.awake.fetch_sub(1, Ordering::Relaxed);
        is_awake.store(false, Ordering::Relaxed);
    }
}
