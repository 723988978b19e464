//! `cargo xtask golden`: outputs of the stock runtime on the fixtures.
//!
//! What ncnn2table and ncnn2int8 made cannot be regenerated here, because these
//! programs are not in the wheel; `fixtures/README.md` has the commands.

use std::fmt::Write as _;
use std::fs;

use ncnn_format::{Error, Result, write_whole};

use crate::batch::{Batch, images, results};
use crate::models::{Home, ModelSpec, fixtures};
use crate::python::{Python, target_folder};

/// Numbers per file, so that a thousand classes do not make megabytes.
const NUMBERS_PER_FILE: usize = 4_000;
/// Images per network, at most.
const MOST_IMAGES: usize = 20;

/// Writes `fixtures/golden/fp32/NAME.tsv` for every fixture.
///
/// # Errors
/// Those of getting Python, of reading the images and of running ncnn.
pub(crate) fn run() -> Result<()> {
    let python = Python::with_ncnn()?;
    for spec in fixtures() {
        let text = logits(spec, &python)?;
        let file = Home::Fixtures.root().join("golden/fp32").join(format!("{}.tsv", spec.name));
        create_parent(&file)?;
        write_whole(&file, text.as_bytes())?;
        println!("wrote {} ({} bytes)", file.display(), text.len());
    }
    Ok(())
}

fn logits(spec: &'static ModelSpec, python: &Python) -> Result<String> {
    let folder = target_folder().join("golden").join(spec.name);
    fs::create_dir_all(&folder).map_err(|error| Error::io("cannot create", &folder, error))?;
    let batch = Batch::load(&images(spec, spec.images_test, MOST_IMAGES)?)?;
    let job = batch.job(spec, (spec.path(spec.param), spec.path(spec.bin)), "fp32", &folder)?;
    python.run(&[job.describe()], &folder.join("jobs.json"))?;
    let blobs = results(&job)?;
    let scores = blobs.first().ok_or_else(|| Error::invalid(format!("{} has no output", spec.name)))?;
    let mut text = format!(
        "# {} of {}, fp32, ncnn {}; one line per image: file, values\n",
        scores.blob, spec.param, python.ncnn_version
    );
    let classes = scores.values.first().map_or(1, |values| values.as_slice().len().max(1));
    for (name, values) in batch.names.iter().zip(&scores.values).take(NUMBERS_PER_FILE / classes) {
        let numbers: Vec<_> = values.as_slice().iter().map(f32::to_string).collect();
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{name}\t{}", numbers.join("\t"));
    }
    Ok(text)
}

fn create_parent(file: &std::path::Path) -> Result<()> {
    let parent = file.parent().unwrap_or(file);
    fs::create_dir_all(parent).map_err(|error| Error::io("cannot create", parent, error))
}
