//! Counting that can be interrupted, divided and used again.

use std::path::Path;

use ncnn_format::{Error, Remark, Result};

use super::prepared::Prepared;
use crate::calibrate::statistics::{ModelPrint, Origin, Statistics};
use crate::inputs::{list_unreadable, skipped_remarks};
use crate::{Dataset, Inputs, Options, Progress, Subset, unreadable};

/// Samples to count between two states of the file, unless told otherwise.
const CHECKPOINT: usize = 256;

/// What was counted, and what is to be said about it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Counted {
    /// The counts, as they are in the file.
    pub statistics: Statistics,
    /// What was there already, and the samples that were skipped.
    pub remarks: Vec<Remark>,
}

impl Prepared<'_> {
    /// Counts what the file at `path` lacks of the chosen samples (or of the shard of them), and keeps it there.
    ///
    /// # Errors
    /// `Invalid` when the file has statistics of something else or samples cannot be read; those of
    /// running the network and of writing; `Cancelled` if `progress` says so, and then the file has what was
    /// counted up to the last checkpoint.
    pub fn count(&self, path: &Path, inputs: &Inputs, progress: &dyn Progress) -> Result<Counted> {
        let options = &self.options;
        let chosen = options.chosen(inputs);
        let origin = Origin {
            model: ModelPrint::of(&self.model)?,
            inputs: inputs.describe(),
            options: options.describe_choice(),
            plain_sums: options.plain_sums,
            samples: chosen.len(),
        };
        let mut remarks = Vec::new();
        let mut statistics = match path.exists() {
            true => taken_up(path, &origin, &mut remarks)?,
            false => Statistics::new(&self.model, origin)?,
        };
        let mut due = due(&statistics, options, chosen.len());
        if options.skip_bad {
            remarks.extend(skip_bad(&mut statistics, &chosen, &mut due, progress)?);
        }
        let batch = options.checkpoint_every.map_or(CHECKPOINT, std::num::NonZeroUsize::get);
        let mut keep = |statistics: &Statistics| statistics.save(path);
        let listed = |error| if options.skip_bad { error } else { list_unreadable(&chosen, error, progress) };
        statistics.collect(&self.model, &chosen, &due, batch, progress, &mut keep).map_err(listed)?;
        statistics.save(path)?;
        Ok(Counted { statistics, remarks })
    }
}

/// The samples to count, by their numbers.
fn due(statistics: &Statistics, options: &Options, samples: usize) -> Vec<usize> {
    let is_due = |index: &usize| {
        options.shard.is_none_or(|shard| shard.has(*index))
            && !statistics.samples().contains_key(index)
            && !statistics.skipped().contains_key(index)
    };
    (0..samples).filter(is_due).collect()
}

fn taken_up(path: &Path, origin: &Origin, remarks: &mut Vec<Remark>) -> Result<Statistics> {
    let statistics = Statistics::load(path)?;
    statistics.origin().check_same(origin).map_err(|error| {
        let message = format!("{}; choose another file, or remove this one to count anew", error.message());
        Error::invalid(message).in_file(path)
    })?;
    let (counted, of) = (statistics.samples().len(), origin.samples);
    let message = format!("{} had {counted} of {of} samples already", path.display());
    remarks.push(Remark::note("taken-up", message));
    Ok(statistics)
}

/// Takes the unreadable samples out of `due`.
fn skip_bad(
    statistics: &mut Statistics,
    chosen: &Subset<'_>,
    due: &mut Vec<usize>,
    progress: &dyn Progress,
) -> Result<Vec<Remark>> {
    let candidates = Subset::new(chosen, due.clone());
    let bad = unreadable(&candidates, progress)?;
    for (position, _) in bad.iter().rev() {
        let index = due.remove(*position);
        let name = chosen.name(index);
        let file = Path::new(&name).file_name().map_or(name.clone(), |it| it.to_string_lossy().into());
        statistics.skip(index, &file);
    }
    Ok(skipped_remarks(candidates.len(), &bad))
}
