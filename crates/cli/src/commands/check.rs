//! `ncnn-quant check`: what ncnn accepts silently and fails on later.

use std::path::{Path, PathBuf};

use clap::Args;
use ncnn_format::{Error, Finding, Limits, Model, Result, ScaleTable, Severity};
use serde_json::{Value, json};

use super::model_file::{FileKind, ModelFile};
use crate::output::Output;

/// Arguments of `check`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "A table is checked against the only .param among the files, or against --model.\n\
    Exit code 1 when there is an error; warnings alone give 0.")]
pub struct CheckArgs {
    /// .param or .param.bin files (with the .bin beside them, if there is one), or .table files.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The .bin of the only model, if it is not beside it.
    #[arg(long, value_name = "FILE")]
    pub bin: Option<PathBuf>,
    /// The fp32 model that tables belong to.
    #[arg(long, value_name = "PARAM")]
    pub model: Option<PathBuf>,
}

/// What is wrong in one line, whether the library found it or reading failed.
struct Report {
    severity: Severity,
    /// File, line, layer and message.
    text: String,
    advice: String,
}

/// Checks every file.
///
/// # Errors
/// `Io` when a file cannot be opened, `Invalid` for a file that is none of ncnn's;
/// everything else is a finding.
pub fn run(args: &CheckArgs) -> Result<Output> {
    let kinds = args.files.iter().map(|file| FileKind::of(file)).collect::<Result<Vec<_>>>()?;
    let models: Vec<&PathBuf> =
        args.files.iter().zip(&kinds).filter(|(_, kind)| **kind == FileKind::Model).map(|(file, _)| file).collect();
    if args.bin.is_some() && models.len() != 1 {
        return Err(Error::invalid("--bin goes with a single .param"));
    }
    let partner = match (&args.model, models.as_slice()) {
        (Some(model), _) => Some(Model::load_param(model)?),
        (None, [only]) => Model::load_param(only).ok(),
        _ => None,
    };
    let mut reports = Vec::new();
    for (file, kind) in args.files.iter().zip(&kinds) {
        match kind {
            FileKind::Model => check_model(file, args.bin.as_deref(), &mut reports)?,
            FileKind::Table => check_table(file, partner.as_ref(), &mut reports)?,
        }
    }
    Ok(output(&reports))
}

fn check_model(param: &Path, bin: Option<&Path>, reports: &mut Vec<Report>) -> Result<()> {
    let mut file = match ModelFile::load(param, bin) {
        Ok(file) => file,
        Err(error) => return refused(error, reports),
    };
    let read = file.bin.as_ref().map(|bin| file.model.load_bin_with(bin, &Limits::default())).transpose();
    let findings = ncnn_format::check(&file.model, &file.warnings);
    reports.extend(findings.iter().map(|finding| report(param, finding)));
    let (odd_padding, bin_error) = match read {
        Ok(odd) => (odd.unwrap_or_default(), None),
        Err(error) => (Vec::new(), Some(error)),
    };
    for odd in &odd_padding {
        let bin = file.bin.as_deref().unwrap_or(param).display();
        reports.push(Report {
            severity: Severity::Warning,
            text: format!("{bin}: byte {}: layer {}: the padding behind {} is not zero", odd.byte, odd.layer, odd.role),
            advice: "ncnn ignores it; it is written back as zero".to_owned(),
        });
    }
    bin_error.map_or(Ok(()), |error| refused(error, reports))
}

fn check_table(path: &Path, model: Option<&Model>, reports: &mut Vec<Report>) -> Result<()> {
    let limits = Limits::default();
    let read = std::fs::metadata(path).and_then(|metadata| {
        if metadata.len() > limits.text_bytes { Ok(None) } else { std::fs::read_to_string(path).map(Some) }
    });
    let text = read.map_err(|error| Error::io("cannot read", path, error))?;
    let text = text.ok_or_else(|| Error::too_large("more text than the limit").in_file(path))?;
    match ScaleTable::parse_with(&text, &limits) {
        Ok(table) => {
            let findings = ncnn_format::check_table(&table, Some(&text), model);
            reports.extend(findings.iter().map(|finding| report(path, finding)));
            Ok(())
        }
        Err(error) => refused(error.in_file(path), reports),
    }
}

/// A file that cannot be read is a finding, unless it is not there at all.
fn refused(error: Error, reports: &mut Vec<Report>) -> Result<()> {
    if error.kind() == ncnn_format::ErrorKind::Io {
        return Err(error);
    }
    reports.push(Report { severity: Severity::Error, text: error.to_string(), advice: String::new() });
    Ok(())
}

fn report(file: &Path, finding: &Finding) -> Report {
    // An Error knows how to say where.
    let mut place = Error::invalid(finding.message.clone()).in_file(file);
    if let Some(line) = finding.place.line {
        place = place.at_line(line);
    }
    if let Some(byte) = finding.place.byte {
        place = place.at_byte(byte);
    }
    if let Some(layer) = &finding.place.layer {
        place = place.in_layer(layer);
    }
    Report { severity: finding.severity, text: place.to_string(), advice: finding.advice.clone() }
}

fn output(reports: &[Report]) -> Output {
    let mut text = String::new();
    for Report { severity, text: what, advice } in reports {
        text += &format!("{severity}: {what}\n");
        if !advice.is_empty() {
            text += &format!("    {advice}\n");
        }
    }
    let errors = reports.iter().filter(|report| report.severity == Severity::Error).count();
    let warnings = reports.len() - errors;
    text += &match (errors, warnings) {
        (0, 0) => "nothing found\n".to_owned(),
        _ => format!("{}, {}\n", plural(errors, "error"), plural(warnings, "warning")),
    };
    let findings: Vec<Value> = reports
        .iter()
        .map(|report| {
            json!({ "severity": report.severity.to_string(), "message": report.text, "advice": report.advice })
        })
        .collect();
    let json = json!({ "errors": errors, "warnings": warnings, "findings": findings });
    Output { text, json, exit: u8::from(errors > 0) }
}

fn plural(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
