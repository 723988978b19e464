//! Values of blobs that are kept from a run.

use std::collections::BTreeMap;

use ncnn_format::Result;

use crate::{BlobId, Observer, Value};

/// Values of some blobs of one graph; cloning shares their storage.
///
/// As an [`Observer`] it keeps what it is shown: every blob, or those that it was made for.
#[derive(Debug, Clone)]
pub struct Blobs<V = Value> {
    values: BTreeMap<BlobId, V>,
    /// What an observer wants; all if `None`.
    wanted: Option<Vec<BlobId>>,
}

impl<V> Default for Blobs<V> {
    fn default() -> Self {
        Self { values: BTreeMap::new(), wanted: None }
    }
}

impl<V> Blobs<V> {
    /// None yet; an observer of every blob.
    pub fn new() -> Self {
        Self::default()
    }

    /// None yet; an observer of `blobs`, such as [`Part::inputs`](crate::Part::inputs).
    pub fn only(blobs: &[BlobId]) -> Self {
        Self { values: BTreeMap::new(), wanted: Some(blobs.to_vec()) }
    }

    /// The value of `blob`.
    pub fn get(&self, blob: BlobId) -> Option<&V> {
        self.values.get(&blob)
    }

    /// Puts a value in place, or in that of another.
    pub fn insert(&mut self, blob: BlobId, value: V) {
        self.values.insert(blob, value);
    }

    /// Takes a value out.
    pub fn remove(&mut self, blob: BlobId) -> Option<V> {
        self.values.remove(&blob)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// All of them, in file order.
    pub fn iter(&self) -> impl Iterator<Item = (BlobId, &V)> {
        self.values.iter().map(|(blob, value)| (*blob, value))
    }
}

impl<V> Extend<(BlobId, V)> for Blobs<V> {
    fn extend<I: IntoIterator<Item = (BlobId, V)>>(&mut self, values: I) {
        self.values.extend(values);
    }
}

impl<V> FromIterator<(BlobId, V)> for Blobs<V> {
    fn from_iter<I: IntoIterator<Item = (BlobId, V)>>(values: I) -> Self {
        Self { values: values.into_iter().collect(), wanted: None }
    }
}

impl<V> IntoIterator for Blobs<V> {
    type Item = (BlobId, V);
    type IntoIter = std::collections::btree_map::IntoIter<BlobId, V>;

    fn into_iter(self) -> Self::IntoIter {
        self.values.into_iter()
    }
}

impl<V: Clone> Observer<V> for Blobs<V> {
    fn wants(&self, blob: BlobId) -> bool {
        self.wanted.as_ref().is_none_or(|wanted| wanted.contains(&blob))
    }

    fn observe(&mut self, blob: BlobId, value: &V) -> Result<()> {
        self.insert(blob, value.clone());
        Ok(())
    }
}
