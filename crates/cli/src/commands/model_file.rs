//! Which file is what, and reading a model whose .bin may be missing.

use std::path::{Path, PathBuf};

use ncnn_format::{BinFile, BinIndex, Error, Limits, Model, Remark, Result, WeightRef};

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
            Err(Error::invalid("a .bin holds weights without names or sizes; give the .param beside it").in_file(file))
        } else {
            Err(Error::invalid("expected a .param, .param.bin or .table file").in_file(file))
        }
    }
}

/// A model whose weights stay in its .bin until they are asked for.
pub(crate) struct ModelFile {
    /// The model without weights.
    pub(crate) model: Model,
    /// Oddities of the .param.
    pub(crate) oddities: Vec<Remark>,
    /// Its .bin, if there is one.
    pub(crate) bin: Option<PathBuf>,
}

impl ModelFile {
    /// Reads `param`; the weights are in `bin`, or else in the .bin beside it if there is one.
    ///
    /// # Errors
    /// Those of reading the .param.
    pub(crate) fn load(param: &Path, bin: Option<&Path>) -> Result<Self> {
        let (model, oddities) = Model::load_param_with(param, &Limits::default())?;
        let sibling = sibling_bin(param);
        let bin = bin.map(Path::to_owned).or_else(|| Some(sibling).filter(|path| path.is_file()));
        Ok(Self { model, oddities, bin })
    }

    /// Opens the .bin; `None` when there is none.
    ///
    /// # Errors
    /// As [`BinFile::open`].
    pub(crate) fn open_bin(&self) -> Result<Option<BinFile>> {
        self.bin.as_ref().map(BinFile::open).transpose()
    }
}

/// The .bin of a model, of which only the tags were read.
pub(crate) struct OpenWeights<'f> {
    /// The file.
    pub(crate) file: &'f BinFile,
    /// Where the weights are in it.
    pub(crate) index: BinIndex<'f>,
}

impl<'f> OpenWeights<'f> {
    /// Reads the tags of the weights of `model` in `file`.
    ///
    /// # Errors
    /// As [`Model::index_bin`], when the two do not belong together above all.
    pub(crate) fn find(model: &Model, file: &'f BinFile) -> Result<Self> {
        Ok(Self { file, index: model.index_bin(file)? })
    }

    /// The weights of the layer at `index`.
    pub(crate) fn of_layer(&self, index: usize) -> &[WeightRef<'f>] {
        self.index.layers.get(index).map_or(&[], Vec::as_slice)
    }

    /// The number of bytes behind the last weight, which ncnn ignores.
    pub(crate) fn trailing(&self) -> u64 {
        self.file.len().saturating_sub(self.index.end)
    }
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
