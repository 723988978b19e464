//! Which file is what, and reading a model whose .bin may be missing.

use std::path::{Path, PathBuf};

use ncnn_format::{Error, Limits, Model, OddPadding, Result, Warning};

/// What a file's name says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileKind {
    /// `.param` or `.param.bin`.
    Model,
    /// `.table`.
    Table,
}

impl FileKind {
    /// # Errors
    /// `Invalid` when the name ends otherwise.
    pub(crate) fn of(file: &Path) -> Result<Self> {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        if name.ends_with(".param") || name.ends_with(".param.bin") {
            Ok(Self::Model)
        } else if name.ends_with(".table") {
            Ok(Self::Table)
        } else if name.ends_with(".bin") {
            Err(Error::invalid("a .bin has no names or sizes; give the .param beside it").in_file(file))
        } else {
            Err(Error::invalid("expected a .param, .param.bin or .table file").in_file(file))
        }
    }
}

/// A model with what its files had to say.
pub(crate) struct ModelFile {
    /// The model; without weights when there is no .bin.
    pub(crate) model: Model,
    /// Oddities of the .param.
    pub(crate) warnings: Vec<Warning>,
    /// The .bin that was read.
    pub(crate) bin: Option<PathBuf>,
    /// Why a .bin that is there could not be read.
    pub(crate) bin_error: Option<Error>,
    /// Padding in it that is not zero.
    pub(crate) odd_padding: Vec<OddPadding>,
}

impl ModelFile {
    /// Reads `param`, and `bin` or else the .bin beside it if there is one.
    ///
    /// # Errors
    /// Those of reading the .param. Those of reading a .bin are in
    /// [`ModelFile::bin_error`], for there is much to say without weights.
    pub(crate) fn load(param: &Path, bin: Option<&Path>) -> Result<Self> {
        let limits = Limits::default();
        let (mut model, warnings) = Model::load_param_with(param, &limits)?;
        let sibling = sibling_bin(param);
        let bin = bin.map(Path::to_owned).or_else(|| Some(sibling).filter(|path| path.is_file()));
        let read = bin.as_ref().map(|path| read_bin(&mut model, path, &limits)).transpose();
        let (odd_padding, bin_error) = match read {
            Ok(odd) => (odd.unwrap_or_default(), None),
            Err(error) => (Vec::new(), Some(error)),
        };
        Ok(Self { model, warnings, bin, bin_error, odd_padding })
    }

    /// Whether weights were read.
    pub(crate) fn has_weights(&self) -> bool {
        self.bin.is_some() && self.bin_error.is_none()
    }
}

fn read_bin(model: &mut Model, path: &Path, limits: &Limits) -> Result<Vec<OddPadding>> {
    let size = std::fs::metadata(path).map_err(|error| Error::io("cannot read", path, error))?.len();
    if size > limits.bin_bytes {
        return Err(Error::too_large(format!("{size} bytes, the limit is {}", limits.bin_bytes)).in_file(path));
    }
    let bytes = std::fs::read(path).map_err(|error| Error::io("cannot read", path, error))?;
    model.read_bin_with(&bytes, limits).map_err(|error| error.in_file(path))
}

/// `net.bin` for `net.param` and for `net.param.bin`.
pub(crate) fn sibling_bin(param: &Path) -> PathBuf {
    let name = param.file_name().unwrap_or_default().to_string_lossy();
    let stem = name.strip_suffix(".param.bin").or_else(|| name.strip_suffix(".param")).unwrap_or(&name);
    param.with_file_name(format!("{stem}.bin"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bin_beside_a_binary_param_is_not_the_param_itself() {
        assert_eq!(sibling_bin(Path::new("a/net.param")), Path::new("a/net.bin"));
        assert_eq!(sibling_bin(Path::new("a/net.param.bin")), Path::new("a/net.bin"));
    }
}
