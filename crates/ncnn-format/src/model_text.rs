//! A model as `.param` text and as `.param.bin`.

use crate::{Limits, Model, Remark, Result, param, param_binary};

impl Model {
    /// Reads `.param` text; the layers have no weights until a `.bin` is read.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`](crate::ErrorKind::Malformed) or
    /// [`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge), with the line.
    pub fn from_param_text(text: &str) -> Result<Self> {
        Ok(Self::from_param_text_with(text, &Limits::default())?.0)
    }

    /// [`Model::from_param_text`] with limits of your own, and what was odd.
    ///
    /// # Errors
    /// As [`Model::from_param_text`].
    pub fn from_param_text_with(text: &str, limits: &Limits) -> Result<(Self, Vec<Remark>)> {
        param::parse_model(text, limits)
    }

    /// The `.param` text.
    ///
    /// A model that was read and not changed gives the same bytes again; a layer
    /// that was changed gives a new line and leaves the others alone. Layers made
    /// by hand are laid out as ncnn's tools do. A model that
    /// [`Model::check_param_text`] refuses gives text that reads back differently.
    pub fn to_param_text(&self) -> String {
        param::write_model(self)
    }

    /// Whether [`Model::to_param_text`] can say what this model says.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) when there are no layers or
    /// no blobs, a name is empty or has blanks, or a text has characters that end it early.
    pub fn check_param_text(&self) -> Result<()> {
        param::check_writable(self)
    }

    /// Reads the bytes of a `.param.bin`, which has numbers where the text has names.
    ///
    /// A layer is called by its type and position (`Convolution_3`), a blob by its
    /// number (`blob7`), an unknown type by its number (`custom0`). A word becomes a
    /// float where the layer's type reads one ([`typed`](crate::typed)) and the float
    /// is finite, for text has no word for others; else an integer. Its bits are kept
    /// in either case. Bytes behind the last layer are dropped with a warning;
    /// everything else is written back as it was.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`](crate::ErrorKind::Malformed) or
    /// [`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge), with the byte.
    pub fn from_param_binary(bytes: &[u8]) -> Result<(Self, Vec<Remark>)> {
        Self::from_param_binary_with(bytes, &Limits::default())
    }

    /// [`Model::from_param_binary`] with limits of your own; the size of the file
    /// is limited by [`Limits::text_bytes`].
    ///
    /// # Errors
    /// As [`Model::from_param_binary`].
    pub fn from_param_binary_with(bytes: &[u8], limits: &Limits) -> Result<(Self, Vec<Remark>)> {
        param_binary::parse_binary(bytes, limits)
    }

    /// The bytes of the `.param.bin`, as ncnn2mem makes them from the text.
    ///
    /// Names are lost: blobs are numbered in order of appearance, custom types from
    /// 256 on. A model that came from a `.param.bin` keeps its numbers.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) when there are no layers, a
    /// count does not fit 32 bits, a text has more than 255 bytes, a parameter id is
    /// 32 or more, or there are more than 256 custom types.
    pub fn to_param_binary(&self) -> Result<Vec<u8>> {
        param_binary::write_binary(self)
    }
}
