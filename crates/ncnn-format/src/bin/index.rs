//! Where every weight of a model stands in its `.bin`.

use super::decode::decode;
use super::place::{Form, Located, walk};
use super::{BinFile, Source};
use crate::foreign::explain_weights;
use crate::whole_file::first_bytes;
use crate::{ErrorKind, Limits, Model, Result, Storage, Weight, WeightRole};

/// The weights of a model in a [`BinFile`], to be read one by one.
///
/// Made by [`Model::index_bin`], which reads nothing but the tags.
#[derive(Debug, Clone)]
pub struct BinIndex<'f> {
    /// The weights of every layer, in the order of the model's layers and of the file.
    pub layers: Vec<Vec<WeightRef<'f>>>,
    /// The first byte behind the last weight; what follows is ignored by ncnn.
    pub end: u64,
}

impl<'f> BinIndex<'f> {
    /// All weights in the order of the file.
    pub fn weights(&self) -> impl Iterator<Item = &WeightRef<'f>> {
        self.layers.iter().flatten()
    }
}

/// A weight that is still in its file.
#[derive(Debug, Clone)]
pub struct WeightRef<'f> {
    file: &'f BinFile,
    place: Located,
}

impl WeightRef<'_> {
    /// What the layer uses it for.
    pub fn role(&self) -> WeightRole {
        self.place.role
    }

    /// How its elements are stored.
    pub fn storage(&self) -> Storage {
        self.place.form.storage()
    }

    /// The number of elements.
    pub fn len(&self) -> usize {
        self.place.len
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.place.len == 0
    }

    /// Where it starts in the file, in bytes: at its tag if it has one.
    pub fn byte(&self) -> u64 {
        self.place.byte
    }

    /// The bytes that it takes in the file: tag, elements and padding.
    pub fn stored_bytes(&self) -> u64 {
        self.place.bytes
    }

    /// The tag of a weight in 256-value table storage.
    pub fn table_tag(&self) -> Option<u32> {
        match self.place.form {
            Form::Table(tag) => Some(tag),
            _ => None,
        }
    }

    /// Reads its elements.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) with file and byte, also when the
    /// file has become shorter since it was opened.
    pub fn read(&self) -> Result<Weight> {
        Ok(decode(Source::File(self.file), &self.place)?.0)
    }
}

/// Finds the weights that the layers of `model` call for.
pub(crate) fn index_weights<'f>(model: &Model, file: &'f BinFile, limits: &Limits) -> Result<BinIndex<'f>> {
    let found = walk(model, Source::File(file), limits, |_, place| Ok(WeightRef { file, place: *place }));
    let (layers, end) = found.map_err(|error| match error.kind() {
        ErrorKind::Malformed => explain_weights(error, &first_bytes(file.path())).in_file(file.path()),
        _ => error.in_file(file.path()),
    })?;
    Ok(BinIndex { layers, end })
}
