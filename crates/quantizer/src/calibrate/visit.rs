//! Running the network for what a histogram does not hold.

use fp32_ref::{Value, Watch, Workspace};
use histogram_kl::Maxima;
use ncnn_format::Result;

use super::collect::Collector;
use super::targets::watched;
use crate::network::named;
use crate::spread::spread;

impl Collector<'_> {
    /// The largest magnitude of every sample, by slot.
    pub(super) fn maxima(&self) -> Result<Vec<Maxima>> {
        let slots = watched(self.targets).len();
        let all = self.dataset.len();
        let states = self.visit("finding maxima", all, |maxima: &mut Vec<Maxima>, sample, slot, value| {
            maxima.resize(slots, Maxima::default());
            maxima[slot].add(sample as u64, value.unordered());
            Ok(())
        })?;
        let mut total = vec![Maxima::default(); slots];
        for maxima in states {
            total.iter_mut().zip(&maxima).for_each(|(total, maxima)| total.merge(maxima));
        }
        Ok(total)
    }

    /// Runs `samples` samples, evenly spread over the data set, and shows every watched blob with the
    /// number of the run and its slot; returns the states of the threads.
    pub(super) fn visit<S: Default + Send>(
        &self,
        stage: &str,
        samples: usize,
        see: impl Fn(&mut S, usize, usize, &Value) -> Result<()> + Sync,
    ) -> Result<Vec<S>> {
        let watched = watched(self.targets);
        let state = || (Workspace::default(), S::default());
        let states = spread(stage, samples, self.progress, state, |(workspace, state), number| {
            let sample = number * self.dataset.len() / samples;
            let mut watch = Watch::new(&watched, |slot, value: &Value| see(state, number, slot, value));
            let feeds = named(self.net.graph(), self.dataset.feeds(sample)?)?;
            self.net
                .run_in(workspace, &feeds, &mut watch)
                .map(drop)
                .map_err(|error| error.in_file(self.dataset.name(sample)))
        })?;
        Ok(states.into_iter().map(|(_, state)| state).collect())
    }
}
