//! Where a network's inputs come from.

use fp32_ref::Tensor;
use ncnn_format::Result;

use crate::{Preprocess, Samples};

/// A fixed sequence of inputs; loaded one at a time, from many threads.
pub trait Dataset: Sync {
    /// How many samples there are.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What to call sample `index` in messages: its file name, mostly.
    fn name(&self, index: usize) -> String;

    /// Sample `index` as the network takes it.
    ///
    /// # Errors
    /// Those of reading it, naming the file.
    fn load(&self, index: usize) -> Result<Tensor>;
}

/// Images or `.npy` files on disk.
#[derive(Debug, Clone)]
pub struct FileDataset {
    samples: Samples,
    preprocess: Preprocess,
}

impl FileDataset {
    /// `samples`, each turned into a tensor by `preprocess`.
    pub fn new(samples: Samples, preprocess: Preprocess) -> Self {
        Self { samples, preprocess }
    }

    /// The files.
    pub fn samples(&self) -> &Samples {
        &self.samples
    }
}

impl Dataset for FileDataset {
    fn len(&self) -> usize {
        self.samples.len()
    }

    fn name(&self, index: usize) -> String {
        self.samples.as_slice()[index].display().to_string()
    }

    fn load(&self, index: usize) -> Result<Tensor> {
        self.preprocess.load(&self.samples.as_slice()[index])
    }
}
