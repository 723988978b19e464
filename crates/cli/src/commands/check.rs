//! `ncnn-quant check`: what ncnn accepts silently and fails on later.

use std::path::{Path, PathBuf};

use clap::Args;
use ncnn_format::{Error, Limits, Model, Remark, Result, ScaleTable, Severity};
use serde_json::json;

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
    let mut findings = Vec::new();
    for (file, kind) in args.files.iter().zip(&kinds) {
        match kind {
            FileKind::Model => check_model(file, args.bin.as_deref(), &mut findings)?,
            FileKind::Table => check_table(file, partner.as_ref(), &mut findings)?,
        }
    }
    Ok(output(&findings))
}

fn check_model(param: &Path, bin: Option<&Path>, findings: &mut Vec<Remark>) -> Result<()> {
    let mut file = match ModelFile::load(param, bin) {
        Ok(file) => file,
        Err(error) => return refused(error, findings),
    };
    let read = file.bin.as_ref().map(|bin| file.model.load_bin_with(bin, &Limits::default())).transpose();
    let found = ncnn_format::check(&file.model, &file.oddities);
    findings.extend(found.into_iter().map(|finding| finding.in_file(param)));
    let (odd_padding, bin_error) = match read {
        Ok(odd) => (odd.unwrap_or_default(), None),
        Err(error) => (Vec::new(), Some(error)),
    };
    for odd in &odd_padding {
        findings.push(
            Remark::warning("odd-padding", format!("the padding behind {} is not zero", odd.role))
                .advise("ncnn ignores it; it is written back as zero")
                .in_file(file.bin.as_deref().unwrap_or(param))
                .at_byte(odd.byte)
                .in_layer(&odd.layer),
        );
    }
    if let Some(error) = bin_error {
        return refused(error, findings);
    }
    if file.bin.is_some() {
        // Once per layer: what is wrong with the file is often why it cannot run.
        let is_known = |remark: &Remark| {
            let is_as_bad = |finding: &&Remark| finding.severity >= remark.severity;
            findings.iter().filter(is_as_bad).any(|finding| finding.place.layer == remark.place.layer)
        };
        let mut faults = int8_exec::validate(&file.model, &[], &int8_exec::Options::default());
        faults.retain(|fault| !is_known(fault));
        findings.extend(faults.into_iter().map(|fault| fault.in_file(param)));
    }
    Ok(())
}

fn check_table(path: &Path, model: Option<&Model>, findings: &mut Vec<Remark>) -> Result<()> {
    let limits = Limits::default();
    let read = std::fs::metadata(path).and_then(|metadata| {
        if metadata.len() > limits.text_bytes { Ok(None) } else { std::fs::read_to_string(path).map(Some) }
    });
    let text = read.map_err(|error| Error::io("cannot read", path, error))?;
    let text = text.ok_or_else(|| Error::too_large("more text than the limit").in_file(path))?;
    match ScaleTable::parse_with(&text, &limits) {
        Ok(table) => {
            let found = ncnn_format::check_table(&table, Some(&text), model);
            findings.extend(found.into_iter().map(|finding| finding.in_file(path)));
            Ok(())
        }
        Err(error) => refused(error.in_file(path), findings),
    }
}

/// A file that cannot be read is a finding, unless it is not there at all.
fn refused(error: Error, findings: &mut Vec<Remark>) -> Result<()> {
    if error.kind() == ncnn_format::ErrorKind::Io {
        return Err(error);
    }
    findings.push(Remark::from(&error));
    Ok(())
}

fn output(findings: &[Remark]) -> Output {
    let mut text = String::new();
    for finding in findings {
        text += &format!("{}: {finding}\n", finding.severity);
        if let Some(advice) = &finding.advice {
            text += &format!("    {advice}\n");
        }
    }
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    let warnings = findings.len() - errors;
    text += &match (errors, warnings) {
        (0, 0) => "nothing found\n".to_owned(),
        _ => format!("{}, {}\n", plural(errors, "error"), plural(warnings, "warning")),
    };
    let findings = findings.iter().map(|finding| {
        // The message is the whole text; `place` has its parts.
        let mut json = json!(finding);
        json["message"] = json!(finding.to_string());
        json["advice"] = json!(finding.advice.as_deref().unwrap_or_default());
        json
    });
    let json = json!({ "errors": errors, "warnings": warnings, "findings": findings.collect::<Vec<_>>() });
    Output { text, json, exit: u8::from(errors > 0) }
}

fn plural(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
