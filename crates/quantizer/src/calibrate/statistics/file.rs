//! Statistics as JSON.

use std::collections::BTreeMap;
use std::path::Path;

use histogram_kl::{GrowingHistogram, Range};
use ncnn_format::{Error, ErrorKind, Result, write_whole};
use serde::{Deserialize, Serialize};

use super::{BlobStatistics, ModelPrint, Origin, Sample, Statistics};

/// What the file says it is.
const FORMAT: &str = "ncnn-quant statistics";
/// The version of the format; raised by every change that older programs would misread.
const VERSION: u32 = 1;
/// The program that counts; a later version may count otherwise.
const TOOL: &str = concat!("ncnn-quant ", env!("CARGO_PKG_VERSION"));
/// A longer file is something else.
const MAX_BYTES: u64 = 1 << 30;

/// What every version of the format starts with.
#[derive(Deserialize)]
struct Head {
    format: String,
    version: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: String,
    version: u32,
    tool: String,
    model: ModelPrint,
    inputs: Vec<String>,
    options: Vec<String>,
    plain_sums: bool,
    samples_in_all: usize,
    samples: Vec<SampleEntry>,
    skipped: Vec<SkippedEntry>,
    blobs: Vec<BlobEntry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SampleEntry {
    index: usize,
    name: String,
    sha256: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SkippedEntry {
    index: usize,
    name: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BlobEntry {
    blob: String,
    layers: Vec<String>,
    /// Smallest and largest value; none where there were no values.
    min: Option<f32>,
    max: Option<f32>,
    values: u64,
    zeros: u64,
    /// The first bin that is not empty, and the counts from there to the last one.
    first_bin: usize,
    counts: Vec<u64>,
}

impl Statistics {
    /// The file's text. Equal statistics give equal bytes.
    ///
    /// # Errors
    /// `Invalid` when a name cannot be written as JSON.
    pub fn to_json(&self) -> Result<String> {
        let file = File {
            format: FORMAT.to_owned(),
            version: VERSION,
            tool: TOOL.to_owned(),
            model: self.origin.model.clone(),
            inputs: self.origin.inputs.clone(),
            options: self.origin.options.clone(),
            plain_sums: self.origin.plain_sums,
            samples_in_all: self.origin.samples,
            samples: self
                .samples
                .iter()
                .map(|(&index, Sample { name, sha256 })| SampleEntry {
                    index,
                    name: name.clone(),
                    sha256: sha256.clone(),
                })
                .collect(),
            skipped: self.skipped.iter().map(|(&index, name)| SkippedEntry { index, name: name.clone() }).collect(),
            blobs: self.blobs.iter().map(BlobEntry::of).collect(),
        };
        let text = serde_json::to_string(&file).map_err(|error| Error::wrap(ErrorKind::Invalid, error))?;
        // A line per blob, for diff and for eyes.
        Ok(text.replace("{\"blob\":", "\n{\"blob\":") + "\n")
    }

    /// Reads the file's text.
    ///
    /// # Errors
    /// `Malformed` when it is damaged or contradicts itself, `Unsupported` for another version
    /// of the format or the program.
    pub fn from_json(text: &str) -> Result<Self> {
        let damaged = |error: serde_json::Error| Error::malformed("no statistics, or damaged ones").caused_by(error);
        let head: Head = serde_json::from_str(text).map_err(damaged)?;
        if head.format != FORMAT {
            return Err(Error::malformed(format!("expected the format {FORMAT:?}, found {:?}", head.format)));
        }
        if head.version != VERSION {
            return Err(Error::unsupported(format!("version {} of the format; this reads {VERSION}", head.version)));
        }
        let file: File = serde_json::from_str(text).map_err(damaged)?;
        if file.tool != TOOL {
            return Err(Error::unsupported(format!("counted by {}, this is {TOOL}; count again", file.tool)));
        }
        let blobs = file.blobs.into_iter().map(BlobEntry::check).collect::<Result<_>>()?;
        let mut samples = BTreeMap::new();
        for SampleEntry { index, name, sha256 } in file.samples {
            if index >= file.samples_in_all || samples.insert(index, Sample { name, sha256 }).is_some() {
                return Err(Error::malformed(format!("sample {index} of {} stands twice", file.samples_in_all)));
            }
        }
        let origin = Origin {
            model: file.model,
            inputs: file.inputs,
            options: file.options,
            plain_sums: file.plain_sums,
            samples: file.samples_in_all,
        };
        let skipped = file.skipped.into_iter().map(|entry| (entry.index, entry.name)).collect();
        Ok(Self { origin, samples, skipped, blobs })
    }

    /// Writes the file, whole or not at all.
    ///
    /// # Errors
    /// As [`Statistics::to_json`], and `Io`.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        write_whole(path, self.to_json().map_err(|error| error.in_file(path))?.as_bytes())
    }

    /// Reads a file.
    ///
    /// # Errors
    /// As [`Statistics::from_json`], `Io` and `TooLarge`; all name the file.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let cannot_read = |error| Error::io("cannot read", path, error);
        let bytes = std::fs::metadata(path).map_err(cannot_read)?.len();
        if bytes > MAX_BYTES {
            let message = format!("a statistics file has at most {MAX_BYTES} bytes, found {bytes}");
            return Err(Error::too_large(message).in_file(path));
        }
        let text = std::fs::read_to_string(path).map_err(cannot_read)?;
        Self::from_json(&text).map_err(|error| error.in_file(path))
    }
}

impl BlobEntry {
    fn of(blob: &BlobStatistics) -> Self {
        let (range, counts) = (blob.values.range(), blob.values.counts());
        let is_used = |count: &u64| *count > 0;
        let first = counts.iter().position(is_used).unwrap_or(0);
        let end = counts.iter().rposition(is_used).map_or(first, |last| last + 1);
        Self {
            blob: blob.blob.clone(),
            layers: blob.layers.clone(),
            min: range.min(),
            max: range.max(),
            values: range.values(),
            zeros: blob.values.zeros(),
            first_bin: first,
            counts: counts[first..end].to_vec(),
        }
    }

    fn check(self) -> Result<BlobStatistics> {
        let wrong = |what: String| Error::malformed(format!("blob {}: {what}", self.blob));
        let end = self.first_bin.checked_add(self.counts.len()).filter(|&end| end <= GrowingHistogram::BINS);
        let end = end.ok_or_else(|| wrong(format!("more than {} bins", GrowingHistogram::BINS)))?;
        let counted = self.counts.iter().try_fold(self.zeros, |sum, &count| sum.checked_add(count));
        if counted != Some(self.values) {
            return Err(wrong(format!("its counts are not of {} values", self.values)));
        }
        if self.min.is_some() != self.max.is_some() {
            return Err(wrong("only one of its extremes is known".to_owned()));
        }
        let range = Range::from_extremes(self.min.zip(self.max), self.values, 0);
        let range = range.map_err(|error| wrong(error.to_string()))?;
        let mut counts = vec![0; end];
        counts[self.first_bin..].copy_from_slice(&self.counts);
        let values = GrowingHistogram::from_counts(range, &counts, self.zeros);
        let values = values.map_err(|error| wrong(error.to_string()))?;
        Ok(BlobStatistics { blob: self.blob, layers: self.layers, values })
    }
}
