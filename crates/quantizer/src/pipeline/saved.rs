//! The files of a network.

use std::fs;
use std::path::{Path, PathBuf};

use ncnn_format::{Error, Model, Result, ScaleTable, write_all_whole};

/// The files of a written model.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SavedModel {
    /// PREFIX.param.
    pub param: PathBuf,
    /// PREFIX.bin.
    pub bin: PathBuf,
    /// PREFIX.table, if a table was written.
    pub table: Option<PathBuf>,
    /// Size of the .bin.
    pub bin_bytes: u64,
}

/// Writes `model` (and `table`) to PREFIX.param, PREFIX.bin (and PREFIX.table), all or none.
///
/// # Errors
/// Those of writing, and of a model that its format cannot hold.
pub fn save_model(model: &Model, table: Option<&ScaleTable>, prefix: &Path) -> Result<SavedModel> {
    let [param, bin, table_path] = ["param", "bin", "table"].map(|suffix| with_suffix(prefix, suffix));
    model.check_param_text().map_err(|error| error.in_file(&param))?;
    let (text, weights) = (model.to_param_text(), model.bin_bytes()?);
    let table_text = table.map(ScaleTable::to_text);
    let mut files = vec![(param.as_path(), text.as_bytes()), (bin.as_path(), weights.as_slice())];
    files.extend(table_text.as_deref().map(|text| (table_path.as_path(), text.as_bytes())));
    write_all_whole(&files)?;
    let bin_bytes = weights.len() as u64;
    Ok(SavedModel { param, bin, table: table_text.is_some().then_some(table_path), bin_bytes })
}

/// PREFIX.param, PREFIX.bin and PREFIX.table.
///
/// # Errors
/// `Invalid` for a prefix that ends with a folder (`.`, `out/`).
pub fn model_paths(prefix: &Path) -> Result<[PathBuf; 3]> {
    let text = prefix.to_string_lossy();
    if prefix.file_name().is_none() || text.ends_with(std::path::is_separator) || prefix.is_dir() {
        return Err(Error::invalid(format!("option out takes the beginning of file names, found the folder {text}")));
    }
    Ok(["param", "bin", "table"].map(|suffix| with_suffix(prefix, suffix)))
}

/// `prefix.suffix`; a dot in the prefix is part of its name.
///
/// ```
/// use std::path::Path;
///
/// assert_eq!(quantizer::with_suffix(Path::new("out/v1.2"), "param"), Path::new("out/v1.2.param"));
/// ```
pub fn with_suffix(prefix: &Path, suffix: &str) -> PathBuf {
    let mut name = prefix.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    name.into()
}

/// The size of a file in bytes.
///
/// # Errors
/// `Io` when it cannot be asked.
pub fn file_size(path: &Path) -> Result<u64> {
    Ok(fs::metadata(path).map_err(|error| Error::io("cannot read", path, error))?.len())
}
