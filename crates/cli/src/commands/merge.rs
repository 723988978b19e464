//! `ncnn-quant merge`: statistics of shards to statistics of all.

use std::path::PathBuf;

use clap::Args;
use ncnn_format::{Error, Result};
use quantizer::calibrate::statistics::Statistics;
use serde_json::json;

use crate::output::Output;

/// Arguments of `merge`.
#[derive(Debug, Clone, Args)]
#[command(after_help = AFTER_HELP)]
pub struct MergeArgs {
    /// Statistics of the same network and samples, each with other samples counted.
    #[arg(required = true, value_name = "STATS")]
    pub files: Vec<PathBuf>,
    /// The statistics file to write.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

const AFTER_HELP: &str = "\
Example, four processes or machines:
  ncnn-quant calibrate … --images photos/ --stats part1.stats --shard 1/4    # and 2/4, 3/4, 4/4
  ncnn-quant merge part1.stats part2.stats part3.stats part4.stats --out all.stats
  ncnn-quant thresholds --stats all.stats --param net.param --bin net.bin --out net.table
The order does not matter: the bytes are those that one process alone would have written.";

/// Merges and writes the file.
///
/// # Errors
/// Those of reading and writing; `Invalid` when the files do not belong together, naming the
/// one that differs from the first.
pub fn run(args: &MergeArgs) -> Result<Output> {
    let [first, rest @ ..] = args.files.as_slice() else {
        return Err(Error::invalid("there are no statistics to merge"));
    };
    let mut merged = Statistics::load(first)?;
    for file in rest {
        merged.merge(&Statistics::load(file)?).map_err(|error| error.in_file(file))?;
    }
    merged.save(&args.out)?;
    let (counted, of) = (merged.samples().len(), merged.origin().samples);
    let skipped = merged.skipped().len();
    let mut text = match merged.missing() {
        0 => String::new(),
        missing => format!("note: {missing} of {of} samples are not counted yet\n"),
    };
    text += &format!("wrote {}: {counted} of {of} samples, {skipped} skipped\n", args.out.display());
    let json = json!({ "stats": args.out, "samples": counted, "skipped": skipped, "samples_in_all": of });
    Ok(Output { text, json, ..Output::default() })
}
