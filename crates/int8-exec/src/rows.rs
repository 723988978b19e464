//! The rows of a layer's output, spread over threads.

use std::cell::Cell;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use int8_kernels::{PixelScratch, Place, Sink};
use ncnn_format::Result;

use crate::helpers::pause;

/// The most sinks that one pass over a layer fills.
pub(crate) const MOST_SINKS: usize = 4;

/// Where a range of rows goes.
pub(crate) struct RowSinks<'a> {
    sinks: [Sink<'a>; MOST_SINKS],
    count: usize,
}

/// Some rows of an output and where they go.
pub(crate) struct Rows<'a> {
    pub(crate) range: Range<usize>,
    /// Pixels of a row.
    pub(crate) width: usize,
    /// Rows that are computed together: shares are whole units.
    pub(crate) unit: usize,
    pub(crate) sinks: RowSinks<'a>,
}

impl<'a> RowSinks<'a> {
    pub(crate) fn new() -> Self {
        let nothing = || Sink::F32 { values: &mut [], place: Place::whole(0) };
        Self { sinks: std::array::from_fn(|_| nothing()), count: 0 }
    }

    /// Adds one; there is room for [`MOST_SINKS`].
    pub(crate) fn push(&mut self, sink: Sink<'a>) {
        if let Some(free) = self.sinks.get_mut(self.count) {
            *free = sink;
            self.count += 1;
        }
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [Sink<'a>] {
        &mut self.sinks[..self.count]
    }

    /// The parts before and after `pixels` pixels.
    fn split(self, pixels: usize) -> (Self, Self) {
        let (mut before, mut after) = (Self::new(), Self::new());
        for sink in self.sinks.into_iter().take(self.count) {
            match sink {
                Sink::F32 { values, place } => {
                    let at = values.len().min(pixels * place.pixel_stride);
                    let (first, second) = values.split_at_mut(at);
                    before.push(Sink::F32 { values: first, place });
                    after.push(Sink::F32 { values: second, place });
                }
                Sink::I8 { bytes, place, scale } => {
                    let at = bytes.len().min(pixels * place.pixel_stride);
                    let (first, second) = bytes.split_at_mut(at);
                    before.push(Sink::I8 { bytes: first, place, scale });
                    after.push(Sink::I8 { bytes: second, place, scale });
                }
            }
        }
        (before, after)
    }
}

impl Rows<'_> {
    /// Does `work` on all rows in as many shares as `work_per_row` (in multiply-adds or moved bytes)
    /// is worth; what comes out does not depend on the shares.
    ///
    /// # Errors
    /// One of those of `work`.
    pub(crate) fn share<W>(self, scratch: &Scratches, work_per_row: usize, work: &W) -> Result<()>
    where
        W: Fn(Range<usize>, &mut [Sink<'_>], &mut PixelScratch) -> Result<()> + Sync,
    {
        let threads = scratch.0.len();
        let most = if threads > 1 { SHARES_PER_THREAD * threads } else { 1 };
        let worth = self.range.len().saturating_mul(work_per_row) / LEAST_SHARE;
        // Kernels take pixels by the dozen: shares of whole dozens waste none.
        let unit = self.unit.max(if self.width < 14 { 2 } else { 1 });
        let shares = worth.clamp(1, most).min(self.range.len().div_ceil(unit));
        if shares > 1
            && let Some(_waiting) = Waiting::begin()
        {
            return self.spread(scratch, shares, unit, work);
        }
        let Self { range, mut sinks, .. } = self;
        scratch.with(|scratch| work(range, sinks.as_mut_slice(), scratch))
    }

    /// Cuts off the first of `shares` shares, in whole units of rows.
    fn cut(self, shares: usize, unit: usize) -> (Self, Self) {
        let Self { range, width, sinks, .. } = self;
        let first = (range.len() / shares / unit * unit).max(unit).min(range.len());
        let middle = range.start + first;
        let (before, after) = sinks.split(first * width);
        (
            Rows { range: range.start..middle, width, unit, sinks: before },
            Rows { range: middle..range.end, width, unit, sinks: after },
        )
    }

    /// Every thread takes the next share until none is left.
    ///
    /// Waiting is spinning at first: a thread that sleeps here misses more than it gives.
    fn spread<W>(self, scratch: &Scratches, shares: usize, unit: usize, work: &W) -> Result<()>
    where
        W: Fn(Range<usize>, &mut [Sink<'_>], &mut PixelScratch) -> Result<()> + Sync,
    {
        let mut pieces = Vec::with_capacity(shares);
        let mut rest = self;
        for left in (2..=shares).rev() {
            let (piece, after) = rest.cut(left, unit);
            pieces.push(Mutex::new(Some(piece)));
            rest = after;
        }
        pieces.push(Mutex::new(Some(rest)));
        let (next, busy, result) = (AtomicUsize::new(0), AtomicUsize::new(0), Mutex::new(Ok(())));
        let take_shares = || {
            while let Some(piece) = pieces.get(next.fetch_add(1, Ordering::Relaxed)) {
                let Some(Rows { range, mut sinks, .. }) = locked(piece).take() else { continue };
                let done = scratch.with(|scratch| work(range, sinks.as_mut_slice(), scratch));
                if done.is_err() {
                    *locked(&result) = done;
                }
            }
        };
        rayon::in_place_scope(|scope| {
            for _ in 1..scratch.0.len().min(shares) {
                scope.spawn(|_| {
                    busy.fetch_add(1, Ordering::SeqCst);
                    take_shares();
                    busy.fetch_sub(1, Ordering::SeqCst);
                });
            }
            take_shares();
            let since = Instant::now();
            while busy.load(Ordering::SeqCst) > 0 {
                pause(since);
            }
        });
        result.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

thread_local! {
    static IS_WAITING: Cell<bool> = const { Cell::new(false) };
}

/// While it lives, this thread hands out no more shares.
///
/// A thread that waits for its shares does other work of the pool, and if the pool runs many networks that is
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

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// More shares than threads let a thread that is done help another that was held up.
const SHARES_PER_THREAD: usize = 2;

/// Less work than this, two microseconds or so, is not worth handing to another thread.
const LEAST_SHARE: usize = 1_000_000;

/// Scratch memory for every thread of a pool.
#[derive(Default)]
pub(crate) struct Scratches(Vec<Mutex<PixelScratch>>);

impl Scratches {
    /// Makes room for as many threads as there are.
    pub(crate) fn fit(&mut self) {
        self.0.resize_with(rayon::current_num_threads().max(1), Mutex::default);
    }

    /// Lends the memory of this thread.
    fn with<T>(&self, work: impl FnOnce(&mut PixelScratch) -> T) -> T {
        let index = rayon::current_thread_index().unwrap_or(0);
        match self.0.get(index % self.0.len().max(1)) {
            Some(scratch) => work(&mut locked(scratch)),
            None => work(&mut PixelScratch::default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_done_once_whatever_the_number_of_threads() {
        for threads in 1..6 {
            let (mut bytes, mut values) = (vec![0_u8; 7 * 3 * 4], vec![0.0; 7 * 3 * 2]);
            let mut sinks = RowSinks::new();
            sinks.push(Sink::I8 { bytes: &mut bytes, place: Place { pixel_stride: 4, first_channel: 1 }, scale: 1.0 });
            sinks.push(Sink::F32 { values: &mut values, place: Place::whole(2) });
            let work = |range: Range<usize>, sinks: &mut [Sink<'_>], _: &mut PixelScratch| {
                for sink in sinks {
                    match sink {
                        Sink::I8 { bytes, .. } => {
                            let rows = bytes.chunks_mut(12).zip(range.clone());
                            rows.for_each(|(row, y)| row.iter_mut().for_each(|byte| *byte += y as u8 + 1));
                        }
                        Sink::F32 { values, .. } => assert_eq!(values.len(), range.len() * 6),
                    }
                }
                Ok(())
            };
            let mut scratch = Scratches::default();
            scratch.0.resize_with(threads, Mutex::default);
            Rows { range: 0..7, width: 3, unit: 1, sinks }.share(&scratch, LEAST_SHARE, &work).unwrap();
            let expected: Vec<u8> = (1..=7).flat_map(|row| [row; 12]).collect();
            assert_eq!(bytes, expected, "{threads} threads");
        }
    }

    #[test]
    fn who_waits_for_shares_hands_out_no_others() {
        let calls = |is_waiting: bool| {
            let waiting = is_waiting.then(Waiting::begin);
            let calls = AtomicUsize::new(0);
            let work = |_: Range<usize>, _: &mut [Sink<'_>], _: &mut PixelScratch| {
                calls.fetch_add(1, Ordering::SeqCst);
                Ok(())
            };
            let mut scratch = Scratches::default();
            scratch.0.resize_with(2, Mutex::default);
            Rows { range: 0..8, width: 16, unit: 1, sinks: RowSinks::new() }
                .share(&scratch, LEAST_SHARE, &work)
                .unwrap();
            drop(waiting);
            calls.load(Ordering::SeqCst)
        };
        assert!(calls(false) > 1);
        assert_eq!(calls(true), 1);
        assert!(calls(false) > 1, "waiting has ended");
    }
}
