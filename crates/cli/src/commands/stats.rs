//! `calibrate --stats`: counting that can be interrupted, divided and used again.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use ncnn_format::{Error, Model, Result};
use quantizer::calibrate::statistics::{ModelPrint, Origin, Statistics};
use quantizer::{Dataset, Progress, Subset, unreadable};

use crate::inputs::{list_unreadable, skipped_notes};
use crate::{Inputs, SampleArgs};

/// Options of counting into a file.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Statistics")]
pub struct StatsArgs {
    /// Keep what is counted in FILE, for `thresholds` and `merge` (docs/statistics-file.md). A file that is there is taken up again: samples that it has are not run. Counts in one pass
    #[arg(long, value_name = "FILE")]
    pub stats: Option<PathBuf>,
    /// Count only the I-th of N parts of the samples, for `merge`; writes no table
    #[arg(long, value_name = "I/N", requires = "stats", conflicts_with = "out")]
    pub shard: Option<Shard>,
    /// Write the statistics after every N samples; an interruption loses at most so many
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..))]
    pub checkpoint_every: u32,
}

/// A part of the samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    part: usize,
    of: usize,
}

impl Shard {
    fn has(self, index: usize) -> bool {
        index % self.of == self.part
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let numbers = text.split_once('/').and_then(|(part, of)| Some((part.parse().ok()?, of.parse().ok()?)));
        match numbers {
            Some((part @ 1.., of)) if part <= of => Ok(Self { part: part - 1, of }),
            _ => Err(format!("expected I/N with I from 1 to N, like 2/4, found {text}")),
        }
    }
}

/// What was counted, and what is to be said about it.
pub(super) struct Counted {
    pub(super) statistics: Statistics,
    pub(super) notes: Vec<String>,
}

/// Counts what `path` lacks of the samples, and keeps it there.
///
/// # Errors
/// `Invalid` when `path` has statistics of something else or samples cannot be read; those of
/// running the network and of writing.
pub(super) fn count(
    args: &StatsArgs,
    path: &PathBuf,
    (model, inputs): (&Model, &Inputs),
    (samples, plain_sums): (&SampleArgs, bool),
    progress: &dyn Progress,
) -> Result<Counted> {
    let chosen = samples.chosen(inputs);
    let origin = Origin {
        model: ModelPrint::of(model)?,
        inputs: inputs.describe(),
        options: samples.describe(),
        plain_sums,
        samples: chosen.len(),
    };
    let mut notes = Vec::new();
    let mut statistics = match path.exists() {
        true => taken_up(path, &origin, &mut notes)?,
        false => Statistics::new(model, origin)?,
    };
    let is_due = |&index: &usize| {
        args.shard.is_none_or(|shard| shard.has(index))
            && !statistics.samples().contains_key(&index)
            && !statistics.skipped().contains_key(&index)
    };
    let mut due: Vec<usize> = (0..chosen.len()).filter(is_due).collect();
    if samples.skip_bad {
        notes.extend(skip_bad(&mut statistics, &chosen, &mut due, progress)?);
    }
    let batch = usize::try_from(args.checkpoint_every).unwrap_or(usize::MAX);
    let mut keep = |statistics: &Statistics| statistics.save(path);
    statistics
        .collect(model, &chosen, &due, batch, progress, &mut keep)
        .map_err(|error| if samples.skip_bad { error } else { list_unreadable(&chosen, error, progress) })?;
    statistics.save(path)?;
    Ok(Counted { statistics, notes })
}

fn taken_up(path: &PathBuf, origin: &Origin, notes: &mut Vec<String>) -> Result<Statistics> {
    let statistics = Statistics::load(path)?;
    statistics.origin().check_same(origin).map_err(|error| {
        let message = format!("{}; choose another file, or remove this one to count anew", error.message());
        Error::invalid(message).in_file(path)
    })?;
    let (counted, of) = (statistics.samples().len(), origin.samples);
    notes.push(format!("{} had {counted} of {of} samples already", path.display()));
    Ok(statistics)
}

/// Takes the unreadable samples out of `due`.
fn skip_bad(
    statistics: &mut Statistics,
    chosen: &Subset<'_>,
    due: &mut Vec<usize>,
    progress: &dyn Progress,
) -> Result<Vec<String>> {
    let candidates = Subset::new(chosen, due.clone());
    let bad = unreadable(&candidates, progress)?;
    for (position, _) in bad.iter().rev() {
        let index = due.remove(*position);
        let name = chosen.name(index);
        let file = std::path::Path::new(&name).file_name().map_or(name.clone(), |it| it.to_string_lossy().into());
        statistics.skip(index, &file);
    }
    Ok(skipped_notes(candidates.len(), &bad))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_is_in_exactly_one_shard() {
        let shards = ["1/3", "2/3", "3/3"].map(|text| text.parse::<Shard>().unwrap());
        assert!((0..10).all(|index| shards.iter().filter(|shard| shard.has(index)).count() == 1));
        for wrong in ["0/3", "4/3", "1", "1/0", "a/b", "-1/2"] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }
}
