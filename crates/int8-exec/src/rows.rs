//! The rows of a layer's output, spread over threads.

use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use fp32_ref::shares::{spread, worthwhile};
use int8_kernels::{PixelScratch, Place, Sink};
use ncnn_format::Result;

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

    /// The sinks of the only pixel, cut down to its channels, so that splitting by pixels splits those.
    pub(crate) fn of_one_pixel(self) -> Self {
        let mut channels = Self::new();
        for sink in self.sinks.into_iter().take(self.count) {
            let alone = Place { pixel_stride: 1, first_channel: 0 };
            channels.push(match sink {
                Sink::F32 { values, place } => {
                    Sink::F32 { values: values.get_mut(place.first_channel..).unwrap_or_default(), place: alone }
                }
                Sink::I8 { bytes, place, scale } => {
                    Sink::I8 { bytes: bytes.get_mut(place.first_channel..).unwrap_or_default(), place: alone, scale }
                }
            });
        }
        channels
    }

    /// `sinks`, which [`RowSinks::of_one_pixel`] made, as those of a pixel again.
    pub(crate) fn of_channels(sinks: &'a mut [Sink<'_>]) -> Self {
        let mut pixel = Self::new();
        for sink in sinks {
            pixel.push(match sink {
                Sink::F32 { values, .. } => Sink::F32 { place: Place::whole(values.len()), values },
                Sink::I8 { bytes, scale, .. } => Sink::I8 { place: Place::whole(bytes.len()), bytes, scale: *scale },
            });
        }
        pixel
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
        // Kernels take pixels by the dozen: shares of whole dozens waste none.
        let unit = self.unit.max(if self.width < 14 { 2 } else { 1 });
        let shares = worthwhile(self.range.len().saturating_mul(work_per_row), self.range.len().div_ceil(unit));
        if shares > 1 {
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
    fn spread<W>(self, scratch: &Scratches, shares: usize, unit: usize, work: &W) -> Result<()>
    where
        W: Fn(Range<usize>, &mut [Sink<'_>], &mut PixelScratch) -> Result<()> + Sync,
    {
        let mut pieces = Vec::with_capacity(shares);
        let mut rest = self;
        for left in (2..=shares).rev() {
            let (piece, after) = rest.cut(left, unit);
            pieces.push(piece);
            rest = after;
        }
        pieces.push(rest);
        let result = Mutex::new(Ok(()));
        spread(pieces.into_iter(), |Rows { range, mut sinks, .. }| {
            let done = scratch.with(|scratch| work(range, sinks.as_mut_slice(), scratch));
            if done.is_err() {
                *locked(&result) = done;
            }
        });
        result.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

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
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let mut scratch = Scratches::default();
                scratch.fit();
                Rows { range: 0..7, width: 3, unit: 1, sinks }.share(&scratch, usize::MAX, &work).unwrap();
            });
            let expected: Vec<u8> = (1..=7).flat_map(|row| [row; 12]).collect();
            assert_eq!(bytes, expected, "{threads} threads");
        }
    }
}
