//! `cargo xtask calibrate`: the whole job on the fixtures.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use ncnn_format::{Error, Model, Result};
use ncnn_quant::commands::compare::describe_scores;
use ncnn_quant::commands::outputs::{file_size, save};
use ncnn_quant::output::{bytes, decibels, table};
use ncnn_quant::{Cli, TerminalProgress};
use quantizer::calibrate::{Calibration, Method, calibrate};
use quantizer::compare::{CompareOptions, Comparison, compare};
use quantizer::{ConvertOptions, Labels, convert};

use crate::batch::images;
use crate::models::{ModelSpec, fixtures, repository};

/// Calibrates, converts and scores every fixture into `target/calibrate/`.
///
/// # Errors
/// Those of the job, naming file and layer.
pub(crate) fn run() -> Result<()> {
    let folder = repository().join("target").join("calibrate");
    for spec in fixtures() {
        let job = Job::run(spec, &folder)?;
        println!("{}", job.describe());
    }
    println!("Stock ncnn loads these files as they are; so do `ncnn-quant run` and `ncnn-quant inspect`.");
    Ok(())
}

/// The command line's own `calibrate`, with these arguments.
pub(crate) fn forward(args: Vec<OsString>) -> ExitCode {
    let line = ["ncnn-quant".into(), "calibrate".into()].into_iter().chain(args);
    ncnn_quant::main_with(&Cli::parse_from(line))
}

/// One network, calibrated, converted and scored.
struct Job {
    spec: &'static ModelSpec,
    calibration: Calibration,
    comparison: Comparison,
    notes: Vec<String>,
    fp32_bytes: u64,
    int8_bytes: u64,
    out: PathBuf,
    seconds: [f64; 3],
}

impl Job {
    fn run(spec: &'static ModelSpec, folder: &Path) -> Result<Self> {
        let progress = TerminalProgress::new(false);
        let bin = spec.path(spec.bin);
        let model = Model::load(spec.path(spec.param), &bin)?;
        let mut clock = Clock(Instant::now());
        let calibration =
            calibrate(&model, &images(spec, spec.images_calib, usize::MAX)?, Method::default(), &progress)?;
        let calibrating = clock.lap();
        let converted = convert(&model, &calibration.table(), ConvertOptions::default())?;
        let out = folder.join(spec.name);
        std::fs::create_dir_all(folder).map_err(|error| Error::io("cannot create the folder", folder, error))?;
        let saved = save(&converted.model, Some(&calibration.table()), &out)?;
        let converting = clock.lap();
        let labels = spec.labels.map(|labels| Labels::load(spec.path(labels))).transpose()?;
        let options = CompareOptions::default().with_labels(labels.as_ref());
        // Scores what was written, not what is in memory.
        let written = Model::load(&saved.param, &saved.bin)?;
        let comparison = compare(&model, &written, &images(spec, spec.images_test, usize::MAX)?, &options, &progress)?;
        let mut notes: Vec<String> = calibration.remarks().iter().map(ToString::to_string).collect();
        notes.extend(converted.remarks.iter().map(ToString::to_string));
        Ok(Self {
            spec,
            calibration,
            comparison,
            notes,
            fp32_bytes: file_size(&bin)?,
            int8_bytes: saved.bin_bytes,
            out,
            seconds: [calibrating, converting, clock.lap()],
        })
    }

    fn describe(&self) -> String {
        let notes: String = self.notes.iter().map(|note| format!("note: {note}\n")).collect();
        let [calibrating, converting, comparing] = self.seconds;
        format!(
            "\n{}: calibrated on {} images, scored on {}\n\n{}\n{}{}size: {} fp32 model, {} int8\n\
             time: calibrate {calibrating:.2} s, convert {converting:.2} s, compare {comparing:.2} s\n\
             wrote {out}.param, {out}.bin and {out}.table\n",
            self.spec.name,
            self.calibration.samples,
            self.comparison.samples,
            self.layers(),
            notes,
            describe_scores(&self.comparison),
            bytes(self.fp32_bytes),
            bytes(self.int8_bytes),
            out = self.out.strip_prefix(repository()).unwrap_or(&self.out).display(),
        )
    }

    /// One line per quantized layer: how its input was cut and what its output lost.
    fn layers(&self) -> String {
        let rows = self
            .calibration
            .layers
            .iter()
            .map(|layer| {
                let blob = self.comparison.blobs.iter().find(|blob| blob.layer == layer.layer);
                vec![
                    layer.layer.clone(),
                    layer.rule.to_string(),
                    format!("{:.6}", layer.range.absmax()),
                    format!("{:.6}", layer.reported_threshold()),
                    format!("{:.6}", layer.input_scale),
                    blob.map_or_else(String::new, |blob| decibels(blob.sqnr_db)),
                ]
            })
            .collect();
        table(&["layer", "rule", "largest |x|", "threshold", "scale", "SQNR"], rows, 2)
    }
}

/// Seconds since it was last asked.
struct Clock(Instant);

impl Clock {
    fn lap(&mut self) -> f64 {
        let seconds = self.0.elapsed().as_secs_f64();
        self.0 = Instant::now();
        seconds
    }
}
