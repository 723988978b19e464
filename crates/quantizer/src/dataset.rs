//! Where a network's inputs come from.

use std::path::{Path, PathBuf};

use fp32_ref::Tensor;
use ncnn_format::{Error, Remark, Result};
use sha2::{Digest, Sha256};

use crate::decode::read_file;
use crate::{Preprocess, Samples};

/// A value for an input of the network.
///
/// ```
/// use quantizer::{Feed, Tensor};
///
/// let only: Feed = Tensor::new([2], vec![0.5, 1.0])?.into();
/// assert_eq!(only.blob, None);
/// let left = Feed::for_input("left", only.value);
/// assert_eq!(left.blob.as_deref(), Some("left"));
/// # Ok::<(), quantizer::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Feed {
    /// The input blob; `None` for the network's only input.
    pub blob: Option<String>,
    /// What to feed.
    pub value: Tensor,
}

impl Feed {
    /// A value for the input `blob`.
    pub fn for_input(blob: impl Into<String>, value: Tensor) -> Self {
        Self { blob: Some(blob.into()), value }
    }
}

impl From<Tensor> for Feed {
    fn from(value: Tensor) -> Self {
        Self { blob: None, value }
    }
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

    /// Sample `index`: a tensor for each input of the network. This is the one way to a sample's values, so that
    /// whatever runs a network does so for networks with several inputs too.
    ///
    /// # Errors
    /// Those of reading it, naming the file.
    fn feeds(&self, index: usize) -> Result<Vec<Feed>>;

    /// What a user should know about the samples as a whole, such as files that were left out.
    fn remarks(&self) -> Vec<Remark> {
        Vec::new()
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

/// Tensors in memory, for networks with one input.
impl Dataset for Vec<Tensor> {
    fn len(&self) -> usize {
        self.len()
    }

    fn name(&self, index: usize) -> String {
        format!("sample {index}")
    }

    fn feeds(&self, index: usize) -> Result<Vec<Feed>> {
        let missing = || Error::invalid(format!("there is no sample {index}, there are {}", self.len()));
        Ok(vec![self.get(index).cloned().ok_or_else(missing)?.into()])
    }
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

    /// Sample `index` as the network takes it.
    ///
    /// # Errors
    /// `Invalid` beyond the last sample; those of reading it, naming the file.
    pub fn load(&self, index: usize) -> Result<Tensor> {
        self.preprocess.load(self.path(index)?)
    }

    fn path(&self, index: usize) -> Result<&Path> {
        let missing = || Error::invalid(format!("there is no sample {index}, there are {}", self.samples.len()));
        self.samples.as_slice().get(index).map(PathBuf::as_path).ok_or_else(missing)
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
        self.path(index).map(|path| path.display().to_string()).unwrap_or_default()
    }

    fn feeds(&self, index: usize) -> Result<Vec<Feed>> {
        Ok(vec![self.load(index)?.into()])
    }

    fn fingerprint(&self, index: usize) -> Result<String> {
        let path = self.path(index)?;
        let bytes = read_file(path).map_err(|error| error.in_file(path))?;
        Ok(in_hex(&Sha256::digest(&bytes)))
    }
}
