//! The two files of a model.

use std::path::Path;

use crate::bin::{BinFile, BinIndex, OddPadding, Source, fill_weights, index_weights, read_weights, write_weights};
use crate::foreign::explain_weights;
use crate::param_binary::is_param_binary;
use crate::whole_file::{first_bytes, into_text, read_limited, write_all_whole, write_whole};
use crate::{Error, ErrorKind, Limits, Model, Remark, Result};

impl Model {
    /// Reads a model with its weights. The first file may be a `.param.bin` as well.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) when a file cannot be read, else as
    /// [`Model::from_param_text`] and [`Model::read_bin`]; all name the file.
    pub fn load(param_path: impl AsRef<Path>, bin_path: impl AsRef<Path>) -> Result<Self> {
        Ok(Self::load_with(param_path, bin_path, &Limits::default())?.0)
    }

    /// [`Model::load`] with limits of your own, and what was odd in the `.param`.
    ///
    /// # Errors
    /// As [`Model::load`].
    pub fn load_with(
        param_path: impl AsRef<Path>,
        bin_path: impl AsRef<Path>,
        limits: &Limits,
    ) -> Result<(Self, Vec<Remark>)> {
        let (mut model, remarks) = Self::load_param_with(param_path, limits)?;
        model.load_bin_with(bin_path, limits)?;
        Ok((model, remarks))
    }

    /// Reads a `.param` file; the layers have no weights. A `.param.bin`, known by
    /// its first four bytes, is read as [`Model::from_param_binary`] does.
    ///
    /// # Errors
    /// As [`Model::load`].
    pub fn load_param(param_path: impl AsRef<Path>) -> Result<Self> {
        Ok(Self::load_param_with(param_path, &Limits::default())?.0)
    }

    /// [`Model::load_param`] with limits of your own, and what was odd.
    ///
    /// # Errors
    /// As [`Model::load`].
    pub fn load_param_with(param_path: impl AsRef<Path>, limits: &Limits) -> Result<(Self, Vec<Remark>)> {
        let path = param_path.as_ref();
        let bytes = read_limited(path, limits.text_bytes)?;
        let read = if is_param_binary(&bytes) {
            Self::from_param_binary_with(&bytes, limits)
        } else {
            into_text(bytes).and_then(|text| Self::from_param_text_with(&text, limits))
        };
        read.map_err(|error| error.in_file(path))
    }

    /// Takes the weights of all layers from the bytes of a `.bin`. What follows
    /// the last weight goes to [`Model::trailing_bytes`].
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`](crate::ErrorKind::Malformed) with the byte and the
    /// layer when the bytes end too early, else as
    /// [`weight_layout`](crate::weight_layout). The model is unchanged then.
    pub fn read_bin(&mut self, bytes: &[u8]) -> Result<()> {
        self.read_bin_with(bytes, &Limits::default()).map(|_| ())
    }

    /// [`Model::read_bin`] with limits of your own. Gives the places where padding
    /// was not zero, which is the only thing in a `.bin` that writing it back changes.
    ///
    /// # Errors
    /// As [`Model::read_bin`], and [`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge).
    pub fn read_bin_with(&mut self, bytes: &[u8], limits: &Limits) -> Result<Vec<OddPadding>> {
        self.take_weights(Source::Bytes(bytes), limits)
    }

    /// Finds the weights of all layers in a `.bin` without reading more of it than
    /// their tags; each can be read by itself then.
    ///
    /// # Errors
    /// As [`Model::read_bin_with`], and [`ErrorKind::Io`](crate::ErrorKind::Io).
    pub fn index_bin<'f>(&self, file: &'f BinFile) -> Result<BinIndex<'f>> {
        self.index_bin_with(file, &Limits::default())
    }

    /// [`Model::index_bin`] with limits of your own.
    ///
    /// # Errors
    /// As [`Model::index_bin`].
    pub fn index_bin_with<'f>(&self, file: &'f BinFile, limits: &Limits) -> Result<BinIndex<'f>> {
        index_weights(self, file, limits)
    }

    /// [`Model::read_bin_with`] from a file: weight by weight, so that its bytes are
    /// not all kept beside the weights made from them; a pipe, which has no
    /// positions, as a whole.
    ///
    /// # Errors
    /// As [`Model::read_bin_with`], and [`ErrorKind::Io`](crate::ErrorKind::Io); all
    /// name the file.
    pub fn load_bin_with(&mut self, path: impl AsRef<Path>, limits: &Limits) -> Result<Vec<OddPadding>> {
        let path = path.as_ref();
        let regular = std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file());
        let read = if regular {
            let file = BinFile::open(path)?;
            self.take_weights(Source::File(&file), limits)
        } else {
            let bytes = read_limited(path, limits.bin_bytes)?;
            self.take_weights(Source::Bytes(&bytes), limits)
        };
        read.map_err(|error| match error.kind() {
            ErrorKind::Malformed => explain_weights(error, &first_bytes(path)).in_file(path),
            _ => error.in_file(path),
        })
    }

    fn take_weights(&mut self, source: Source<'_>, limits: &Limits) -> Result<Vec<OddPadding>> {
        let mut weights = read_weights(self, source, limits)?;
        let odd_padding = std::mem::take(&mut weights.odd_padding);
        fill_weights(self, weights);
        Ok(odd_padding)
    }

    /// The bytes of the `.bin`: every weight as it is stored, values unchanged.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) when a layer's weights are
    /// not those that its parameters call for (number, role, length, tag), else as
    /// [`weight_layout`](crate::weight_layout).
    pub fn bin_bytes(&self) -> Result<Vec<u8>> {
        write_weights(self)
    }

    /// Writes both files. Each is complete under a temporary name beside its place
    /// before either of them is renamed, so a failure leaves old files untouched.
    ///
    /// # Errors
    /// As [`Model::check_param_text`] and [`Model::bin_bytes`];
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) when a file cannot be written, and
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) when both paths are the same.
    pub fn save(&self, param_path: impl AsRef<Path>, bin_path: impl AsRef<Path>) -> Result<()> {
        let (param_path, bin_path) = (param_path.as_ref(), bin_path.as_ref());
        if param_path == bin_path {
            return Err(Error::invalid("the .param and the .bin cannot be one file").in_file(param_path));
        }
        self.check_param_text().map_err(|error| error.in_file(param_path))?;
        let bin = self.bin_bytes().map_err(|error| error.in_file(bin_path))?;
        let param = self.to_param_text();
        write_all_whole(&[(param_path, param.as_bytes()), (bin_path, &bin)])
    }

    /// Writes the `.param.bin`, whole or not at all.
    ///
    /// # Errors
    /// As [`Model::to_param_binary`], and [`ErrorKind::Io`](crate::ErrorKind::Io).
    pub fn save_param_binary(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let bytes = self.to_param_binary().map_err(|error| error.in_file(path))?;
        write_whole(path, &bytes)
    }
}
