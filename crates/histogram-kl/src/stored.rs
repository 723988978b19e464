//! What `serde` writes and reads. The README documents the form, which is versioned; whatever is read is
//! checked like any other input.

use std::borrow::Cow;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::histogram::Histogram;
use crate::range::Range;
use crate::rule::Rule;
use crate::threshold::Threshold;

/// The version of the form; raised by every change that older programs would misread.
const VERSION: u32 = 1;

/// The number [`VERSION`].
struct Version;

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        VERSION.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u32::deserialize(deserializer)? {
            VERSION => Ok(Self),
            found => Err(D::Error::custom(format!("version {found} of the form; this reads {VERSION}"))),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename = "Range", deny_unknown_fields)]
struct StoredRange {
    version: Version,
    values: u64,
    nonfinite: u64,
    min: Option<f32>,
    max: Option<f32>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename = "Histogram", deny_unknown_fields)]
struct StoredHistogram<'a> {
    version: Version,
    absmax: f32,
    zeros: u64,
    nonfinite: u64,
    counts: Cow<'a, [u64]>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename = "Threshold", deny_unknown_fields)]
struct StoredThreshold {
    version: Version,
    value: f32,
    bin: Option<usize>,
    divergence: Option<f32>,
}

impl Serialize for Range {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (min, max) = (self.min(), self.max());
        let (values, nonfinite) = (self.values(), self.nonfinite());
        StoredRange { version: Version, values, nonfinite, min, max }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Range {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let StoredRange { values, nonfinite, min, max, .. } = StoredRange::deserialize(deserializer)?;
        if min.is_some() != max.is_some() {
            return Err(D::Error::custom("a range has a smallest value and no largest one, or the reverse"));
        }
        Self::from_extremes(min.zip(max), values, nonfinite).map_err(D::Error::custom)
    }
}

impl Serialize for Histogram {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        StoredHistogram {
            version: Version,
            absmax: self.absmax(),
            zeros: self.zeros(),
            nonfinite: self.nonfinite(),
            counts: self.counts().into(),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Histogram {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let StoredHistogram { absmax, zeros, nonfinite, counts, .. } = StoredHistogram::deserialize(deserializer)?;
        let histogram = Self::from_counts(absmax, &counts).map_err(D::Error::custom)?;
        Ok(histogram.with_unbinned(zeros, nonfinite))
    }
}

impl Serialize for Threshold {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (value, bin, divergence) = (self.value(), self.bin(), self.divergence());
        StoredThreshold { version: Version, value, bin, divergence }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Threshold {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let StoredThreshold { value, bin, divergence, .. } = StoredThreshold::deserialize(deserializer)?;
        Self::from_parts(value, bin, divergence).map_err(D::Error::custom)
    }
}

impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Rule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}
