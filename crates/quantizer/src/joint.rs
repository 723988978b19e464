//! Data sets made of others.

use ncnn_format::{Error, Remark, Result};

use crate::dataset::{Dataset, Feed};

/// One data set per input of the network; the samples of one index belong together.
///
/// ```
/// use quantizer::{Dataset, Joint, Tensor};
///
/// let numbers = |first: f32| (0..3).map(|i| Tensor::new([1], vec![first + i as f32])).collect::<Result<Vec<_>, _>>();
/// let joint = Joint::new(vec![("left".to_owned(), numbers(0.0)?), ("right".to_owned(), numbers(10.0)?)])?;
/// let feeds = joint.feeds(2)?;
/// assert_eq!((feeds[1].blob.as_deref(), feeds[1].value.as_slice()), (Some("right"), &[12.0][..]));
/// # Ok::<(), quantizer::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Joint<D> {
    inputs: Vec<(String, D)>,
}

impl<D: Dataset> Joint<D> {
    /// Data sets by the blobs that they feed.
    ///
    /// # Errors
    /// `Invalid` when there are none, or they have different numbers of samples, or samples of one
    /// index have different names (paired by accident, probably).
    pub fn new(inputs: Vec<(String, D)>) -> Result<Self> {
        let [(first, samples), rest @ ..] = inputs.as_slice() else {
            return Err(Error::invalid("there are no inputs to feed"));
        };
        for (blob, others) in rest {
            if others.len() != samples.len() {
                return Err(Error::invalid(format!(
                    "{first} has {} samples and {blob} has {}; each sample needs one for each input",
                    samples.len(),
                    others.len()
                )));
            }
        }
        Ok(Self { inputs })
    }

    /// The data sets with the blobs that they feed.
    pub fn inputs(&self) -> &[(String, D)] {
        &self.inputs
    }
}

impl<D: Dataset> Dataset for Joint<D> {
    fn len(&self) -> usize {
        self.inputs.first().map_or(0, |(_, samples)| samples.len())
    }

    fn name(&self, index: usize) -> String {
        let names: Vec<String> = self.inputs.iter().map(|(_, samples)| samples.name(index)).collect();
        names.join(" + ")
    }

    fn feeds(&self, index: usize) -> Result<Vec<Feed>> {
        let mut feeds = Vec::with_capacity(self.inputs.len());
        for (blob, samples) in &self.inputs {
            feeds.extend(samples.feeds(index)?.into_iter().map(|feed| Feed::for_input(blob, feed.value)));
        }
        Ok(feeds)
    }

    fn fingerprint(&self, index: usize) -> Result<String> {
        let prints: Result<Vec<String>> = self.inputs.iter().map(|(_, samples)| samples.fingerprint(index)).collect();
        Ok(prints?.join("+"))
    }
}

/// Some samples of another data set, in an order of their own.
#[derive(Clone)]
pub struct Subset<'a> {
    dataset: &'a dyn Dataset,
    indices: Vec<usize>,
}

impl<'a> Subset<'a> {
    /// The samples of `dataset` at `indices`; those beyond its end are left out.
    pub fn new(dataset: &'a dyn Dataset, mut indices: Vec<usize>) -> Self {
        indices.retain(|&index| index < dataset.len());
        Self { dataset, indices }
    }

    /// Which samples of the whole data set these are.
    pub fn indices(&self) -> &[usize] {
        &self.indices
    }
}

impl std::fmt::Debug for Subset<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Subset").field("of", &self.dataset.len()).field("indices", &self.indices).finish()
    }
}

impl Dataset for Subset<'_> {
    fn len(&self) -> usize {
        self.indices.len()
    }

    fn name(&self, index: usize) -> String {
        self.dataset.name(self.indices[index])
    }

    fn feeds(&self, index: usize) -> Result<Vec<Feed>> {
        self.dataset.feeds(self.indices[index])
    }

    fn remarks(&self) -> Vec<Remark> {
        self.dataset.remarks()
    }

    fn fingerprint(&self, index: usize) -> Result<String> {
        self.dataset.fingerprint(self.indices[index])
    }
}

/// The first `limit` of `len` indices, of a shuffled order if there is a `seed`.
///
/// The same numbers give the same indices on every machine.
///
/// ```
/// assert_eq!(quantizer::choose(5, Some(3), None), [0, 1, 2]);
/// assert_eq!(quantizer::choose(10, Some(4), Some(7)), [8, 1, 5, 9]);
/// ```
pub fn choose(len: usize, limit: Option<usize>, seed: Option<u64>) -> Vec<usize> {
    let mut indices: Vec<usize> = (0..len).collect();
    if let Some(mut state) = seed {
        // Fisher and Yates, from the end.
        for last in (1..len).rev() {
            let other = (split_mix(&mut state) % (last as u64 + 1)) as usize;
            indices.swap(last, other);
        }
    }
    indices.truncate(limit.unwrap_or(len));
    indices
}

/// SplitMix64 (Steele, Lea and Flood, 2014).
pub(crate) fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use fp32_ref::Tensor;

    /// `len` samples of one value each, called after a prefix and their index.
    struct Numbers(&'static str, usize);

    impl Dataset for Numbers {
        fn len(&self) -> usize {
            self.1
        }

        fn name(&self, index: usize) -> String {
            format!("{}{index}", self.0)
        }

        fn feeds(&self, index: usize) -> Result<Vec<Feed>> {
            Ok(vec![Tensor::new([1], vec![index as f32])?.into()])
        }
    }

    #[test]
    fn samples_of_several_inputs_go_together() {
        let joint = Joint::new(vec![("left".into(), Numbers("l", 3)), ("right".into(), Numbers("r", 3))]).unwrap();
        assert_eq!((joint.len(), joint.name(2)), (3, "l2 + r2".to_owned()));
        let feeds = joint.feeds(1).unwrap();
        let blobs: Vec<_> = feeds.iter().map(|feed| feed.blob.as_deref().unwrap()).collect();
        assert_eq!((blobs, feeds[1].value.as_slice()), (vec!["left", "right"], &[1.0][..]));
        let uneven = Joint::new(vec![("left".into(), Numbers("l", 3)), ("right".into(), Numbers("r", 2))]);
        assert!(uneven.err().unwrap().to_string().starts_with("left has 3 samples and right has 2; "));
        assert!(Joint::<Numbers>::new(vec![]).is_err());
    }

    #[test]
    fn a_subset_has_an_order_of_its_own() {
        let numbers = Numbers("n", 5);
        let subset = Subset::new(&numbers, vec![3, 1, 9]);
        assert_eq!((subset.len(), subset.name(0), subset.indices()), (2, "n3".to_owned(), &[3, 1][..]));
        assert_eq!(subset.feeds(1).unwrap()[0].value.as_slice(), [1.0]);
    }

    #[test]
    fn a_seed_always_chooses_the_same_samples() {
        assert_eq!(choose(5, Some(3), None), [0, 1, 2]);
        assert_eq!(choose(2, Some(3), None), [0, 1]);
        assert_eq!(choose(10, Some(4), Some(7)), [8, 1, 5, 9]);
        assert_ne!(choose(10, Some(4), Some(7)), choose(10, Some(4), Some(8)));
        let mut all = choose(100, None, Some(1));
        all.sort_unstable();
        assert_eq!(all, (0..100).collect::<Vec<_>>());
        assert!(choose(0, None, Some(1)).is_empty());
    }
}
