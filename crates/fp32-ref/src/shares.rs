//! Work spread over the threads of the pool.

use std::cell::Cell;
use std::hint::spin_loop;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many shares work that can be cut in `units` is worth, at least 1; `operations` are all there are, in
/// multiply-adds or the like.
pub fn worthwhile(operations: usize, units: usize) -> usize {
    let threads = rayon::current_num_threads();
    let most = if threads > 1 { SHARES_PER_THREAD * threads } else { 1 };
    (operations / LEAST_SHARE).clamp(1, most).min(units).max(1)
}

/// Does `work` on every piece, each once, on as many threads of the pool as there are; the others look for
/// pieces until none is left. Waiting is spinning at first: a thread that sleeps here misses more than it
/// gives.
pub fn spread<P: Send>(pieces: impl ExactSizeIterator<Item = P>, work: impl Fn(P) + Sync) {
    let threads = rayon::current_num_threads().min(pieces.len());
    let waiting = if threads > 1 { Waiting::begin() } else { None };
    if waiting.is_none() {
        return pieces.for_each(work);
    }
    let pieces: Vec<Mutex<Option<P>>> = pieces.map(|piece| Mutex::new(Some(piece))).collect();
    let (next, busy) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let take_pieces = || {
        while let Some(piece) = pieces.get(next.fetch_add(1, Ordering::Relaxed)) {
            let piece = piece.lock().unwrap_or_else(PoisonError::into_inner).take();
            piece.into_iter().for_each(&work);
        }
    };
    rayon::in_place_scope(|scope| {
        for _ in 1..threads {
            scope.spawn(|_| {
                busy.fetch_add(1, Ordering::SeqCst);
                take_pieces();
                busy.fetch_sub(1, Ordering::SeqCst);
            });
        }
        take_pieces();
        let since = Instant::now();
        while busy.load(Ordering::SeqCst) > 0 {
            pause(since);
        }
    });
}

/// Does `work` on shares of `values`, each of whole units of `unit` values; it gets the number of its first
/// unit. `cost` is how many operations a value takes. What comes out must not depend on the shares.
pub(crate) fn each_share<T: Send>(values: &mut [T], unit: usize, cost: usize, work: impl Fn(usize, &mut [T]) + Sync) {
    let units = values.len() / unit.max(1);
    let shares = worthwhile(values.len().saturating_mul(cost), units);
    if shares == 1 {
        return work(0, values);
    }
    let per_share = units.div_ceil(shares);
    spread(values.chunks_mut(per_share * unit).enumerate(), |(index, values)| work(index * per_share, values));
}

/// What a thread does that has waited since `since` and is going to look again.
pub fn pause(since: Instant) {
    if since.elapsed() > RESTLESS { std::thread::yield_now() } else { spin_loop() }
}

/// Who waits longer than this lets others run: perhaps what it waits for has no processor.
const RESTLESS: Duration = Duration::from_micros(30);

/// More shares than threads let a thread that is done help another that was held up.
const SHARES_PER_THREAD: usize = 2;

/// Less work than this, two microseconds or so, is not worth handing to another thread.
const LEAST_SHARE: usize = 1_000_000;

thread_local! {
    static IS_WAITING: Cell<bool> = const { Cell::new(false) };
}

/// While it lives, this thread hands out no more pieces.
///
/// A thread that waits for its pieces does other work of the pool, and if the pool runs many networks that is
/// another network: without this, one within the other until the stack is full.
struct Waiting;

impl Waiting {
    /// `None` if this thread is waiting already.
    fn begin() -> Option<Self> {
        (!IS_WAITING.replace(true)).then_some(Self)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        IS_WAITING.set(false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_pool<R: Send>(threads: usize, work: impl FnOnce() -> R + Send) -> R {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
    }

    #[test]
    fn every_value_is_worked_on_once_whatever_the_number_of_threads() {
        for threads in 1..5 {
            let mut values = vec![0_usize; 7 * 3];
            in_pool(threads, || {
                each_share(&mut values, 3, LEAST_SHARE, |first, values| {
                    values.chunks_mut(3).zip(first..).for_each(|(unit, index)| {
                        unit.iter_mut().for_each(|value| *value += index + 1);
                    });
                });
            });
            assert_eq!(values, (1..=7).flat_map(|unit| [unit; 3]).collect::<Vec<_>>(), "{threads} threads");
        }
    }

    #[test]
    fn little_work_and_a_single_thread_are_one_share() {
        assert_eq!(in_pool(4, || worthwhile(2 * LEAST_SHARE - 1, 100)), 1);
        assert_eq!(in_pool(4, || worthwhile(usize::MAX, 100)), 4 * SHARES_PER_THREAD);
        assert_eq!(in_pool(4, || worthwhile(usize::MAX, 3)), 3);
        assert_eq!(in_pool(1, || worthwhile(usize::MAX, 100)), 1);
    }

    #[test]
    fn who_waits_for_pieces_hands_out_no_others() {
        let workers = |is_waiting: bool| {
            in_pool(3, || {
                let waiting = is_waiting.then(Waiting::begin);
                let others = AtomicUsize::new(0);
                let caller = rayon::current_thread_index();
                spread(0..3, |_| {
                    // Long enough for the others to take some.
                    std::thread::sleep(Duration::from_millis(20));
                    if rayon::current_thread_index() != caller {
                        others.fetch_add(1, Ordering::SeqCst);
                    }
                });
                drop(waiting);
                others.load(Ordering::SeqCst)
            })
        };
        assert!(workers(false) > 0);
        assert_eq!(workers(true), 0);
        assert!(workers(false) > 0, "waiting has ended");
    }
}
