//! Samples over threads.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use ncnn_format::{Error, Result};

use crate::Progress;

/// Runs `work` for every index below `count` and returns the states of the workers.
///
/// There are as many workers as the current rayon pool has threads, each with a state
/// of its own. Inside a worker rayon has one thread: a sample is computed by one
/// thread from beginning to end, so memory grows with the threads and with nothing else.
///
/// # Errors
/// The error of the lowest index that has one, whatever the number of threads; `Cancelled` if `progress` says so.
pub(crate) fn spread<S: Send>(
    stage: &str,
    count: usize,
    progress: &dyn Progress,
    state: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, usize) -> Result<()> + Sync,
) -> Result<Vec<S>> {
    let next = AtomicUsize::new(0);
    let failed: Mutex<Option<(usize, Error)>> = Mutex::new(None);
    let worker = || {
        let mut state = state();
        // Indices are handed out in order: all below a failed one are in work already.
        while failed.lock().is_ok_and(|failed| failed.is_none()) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                break;
            }
            match progress.check().and_then(|()| work(&mut state, index)) {
                Ok(()) => progress.step(),
                Err(error) => {
                    if let Ok(mut failed) = failed.lock()
                        && failed.as_ref().is_none_or(|(earlier, _)| index < *earlier)
                    {
                        *failed = Some((index, error));
                    }
                }
            }
        }
        state
    };
    progress.start(stage, count);
    let states = run(rayon::current_num_threads().min(count).max(1), &worker);
    progress.finish();
    match failed.into_inner() {
        Ok(Some((_, error))) => Err(error),
        _ => states,
    }
}

/// What `worker` returns on each of `threads` threads.
fn run<S: Send>(threads: usize, worker: &(impl Fn() -> S + Sync)) -> Result<Vec<S>> {
    let alone = || {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
        pool.map(|pool| pool.install(worker)).map_err(|error| Error::invalid("cannot start a thread").caused_by(error))
    };
    std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads).map(|_| scope.spawn(alone)).collect();
        handles
            .into_iter()
            .map(|handle| handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_pool<R: Send>(threads: usize, work: impl FnOnce() -> R + Send) -> R {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
    }

    #[test]
    fn every_index_is_worked_on_once() {
        for threads in [1, 3] {
            let states = in_pool(threads, || {
                spread("", 20, &(), Vec::new, |seen, index| {
                    assert_eq!(rayon::current_num_threads(), 1);
                    seen.push(index);
                    Ok(())
                })
            });
            let mut seen = states.unwrap().concat();
            seen.sort_unstable();
            assert_eq!(seen, (0..20).collect::<Vec<_>>());
        }
    }

    #[test]
    fn the_first_failure_is_reported_for_any_number_of_threads() {
        for threads in [1, 2, 4] {
            let result = in_pool(threads, || {
                spread(
                    "",
                    50,
                    &(),
                    || (),
                    |(), index| {
                        // The later ones fail sooner.
                        std::thread::sleep(std::time::Duration::from_millis(10 - index.min(10) as u64));
                        if index < 7 { Ok(()) } else { Err(Error::invalid(format!("sample {index}"))) }
                    },
                )
            });
            assert_eq!(result.unwrap_err().to_string(), "sample 7");
        }
    }
}
