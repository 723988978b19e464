//! Where results go, checked before any work is done.

use std::fs;
use std::path::{Path, PathBuf};

use ncnn_format::{Error, Result};
pub use quantizer::{SavedModel, file_size, save_model as save, with_suffix};

use crate::model_args::ModelArgs;

/// Makes the folder of `outputs` and refuses to overwrite the model that is read.
///
/// # Errors
/// `Invalid` when an output is one of the model's files or has no name, `Io` when
/// the folder cannot be made.
pub(super) fn prepare(outputs: &[PathBuf], model: &ModelArgs) -> Result<()> {
    let same = |a: &Path, b: &Path| matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b);
    for output in outputs {
        if same(output, &model.param) || same(output, &model.bin) {
            return Err(
                Error::invalid("--out would overwrite the model that is read; choose another name").in_file(output)
            );
        }
        if let Some(folder) = output.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder).map_err(|error| Error::io("cannot create the folder", folder, error))?;
        }
    }
    Ok(())
}
