//! Where a window lies in memory.

/// Runs of consecutive activations, all equally long, relative to a pixel's start.
///
/// What kernels rely on is computed here and can be changed nowhere else. Sizes that no `usize` holds become
/// `usize::MAX`, which no slice is long enough for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Taps {
    offsets: Vec<usize>,
    groups: usize,
    depths: usize,
    reach: usize,
    all_groups: usize,
}

impl Taps {
    /// Runs of `groups · depths` bytes at `offsets`.
    #[cfg(test)]
    pub(crate) fn new(offsets: Vec<usize>, groups: usize, depths: usize) -> Self {
        let mut taps = Self::default();
        taps.set(offsets.into_iter(), groups, depths);
        taps
    }

    /// The one run of a gathered window: `groups` groups of `depths` depths in a row of `row_bytes` bytes.
    pub(crate) fn gathered(groups: usize, depths: usize, row_bytes: usize) -> Self {
        let reach = groups.saturating_mul(depths).max(row_bytes);
        Self { offsets: vec![0], groups, depths, reach, all_groups: groups }
    }

    /// The same as [`Taps::new`] in the memory of these.
    pub(crate) fn set(&mut self, offsets: impl Iterator<Item = usize>, groups: usize, depths: usize) {
        self.offsets.clear();
        self.offsets.extend(offsets);
        (self.groups, self.depths) = (groups, depths);
        let last = self.offsets.iter().copied().max().unwrap_or(0);
        self.reach = groups.saturating_mul(depths).saturating_add(last);
        self.all_groups = groups.saturating_mul(self.offsets.len());
    }

    /// Where each run starts.
    pub(crate) fn offsets(&self) -> &[usize] {
        &self.offsets
    }

    /// Groups of depths of each run.
    pub(crate) fn groups(&self) -> usize {
        self.groups
    }

    /// Depths of a group: bytes.
    pub(crate) fn depths(&self) -> usize {
        self.depths
    }

    /// Bytes from a pixel's start to the end of the run that ends last.
    pub(crate) fn reach(&self) -> usize {
        self.reach
    }

    /// Groups of all runs together.
    pub(crate) fn all_groups(&self) -> usize {
        self.all_groups
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_reach_to_the_end_of_the_last() {
        let taps = Taps::new(vec![7, 30, 2], 3, 4);
        assert_eq!((taps.reach(), taps.all_groups(), taps.depths()), (42, 9, 4));
        assert_eq!(Taps::new(Vec::new(), 3, 4).reach(), 12);
    }

    #[test]
    fn sizes_that_overflow_reach_further_than_any_slice() {
        assert_eq!(Taps::new(vec![usize::MAX], 1, 1).reach(), usize::MAX);
        assert_eq!(Taps::new(vec![0], usize::MAX / 2, 4).reach(), usize::MAX);
        assert_eq!(Taps::new(vec![0; 4], usize::MAX / 2, 0).all_groups(), usize::MAX);
        assert_eq!(Taps::gathered(usize::MAX, 8, 16).reach(), usize::MAX);
    }

    #[test]
    fn taps_that_are_set_again_forget_what_they_were() {
        let mut taps = Taps::new(vec![100, 200], 3, 4);
        taps.set([5].into_iter(), 2, 8);
        assert_eq!(taps, Taps::new(vec![5], 2, 8));
    }
}
