//! Where a network's inputs come from.

use fp32_ref::Tensor;
use ncnn_format::Result;
use sha2::{Digest, Sha256};

use crate::decode::read_file;
use crate::{Preprocess, Samples};

/// A value for an input of the network.
#[derive(Debug, Clone)]
pub struct Feed {
    /// The input blob; `None` for the network's only input.
    pub blob: Option<String>,
    /// What to feed.
    pub value: Tensor,
}

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

    /// Sample `index` with a tensor for each input, for networks with several.
    ///
    /// # Errors
    /// As [`Dataset::load`].
    fn feeds(&self, index: usize) -> Result<Vec<Feed>> {
        Ok(vec![Feed { blob: None, value: self.load(index)? }])
    }

    /// What sample `index` holds, as 64 hexadecimal digits: SHA-256 of its files, or of its
    /// tensors where there are none.
    ///
    /// # Errors
    /// Those of reading it.
    fn fingerprint(&self, index: usize) -> Result<String> {
        let mut hash = Sha256::new();
        for feed in self.feeds(index)? {
            feed.value.as_slice().iter().for_each(|value| hash.update(value.to_le_bytes()));
        }
        Ok(in_hex(&hash.finalize()))
    }
}

/// Lower-case hexadecimal digits.
pub(crate) fn in_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
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

    /// How they become tensors.
    pub fn preprocess(&self) -> &Preprocess {
        &self.preprocess
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

    fn fingerprint(&self, index: usize) -> Result<String> {
        let path = &self.samples.as_slice()[index];
        let bytes = read_file(path).map_err(|error| error.in_file(path))?;
        Ok(in_hex(&Sha256::digest(&bytes)))
    }
}
