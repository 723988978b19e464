//! Which of the samples are used.

use crate::Dataset;
use crate::joint::{Subset, choose};
use crate::options::Options;

impl Options {
    /// The samples of `dataset` to use, in the order in which to use them.
    pub fn chosen<'a>(&self, dataset: &'a dyn Dataset) -> Subset<'a> {
        Subset::new(dataset, choose(dataset.len(), self.limit, self.shuffle_seed))
    }

    /// The choice of samples in words, for the record.
    pub(crate) fn describe_choice(&self) -> Vec<String> {
        let limit = self.limit.map(|limit| format!("limit {limit}"));
        limit.into_iter().chain(self.shuffle_seed.map(|seed| format!("shuffle-seed {seed}"))).collect()
    }
}
