//! Files that are something else: what they are, and what to do.

use crate::Error;

/// What a file is, judged by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ForeignFile {
    /// Nothing at all.
    Empty,
    /// pnnx's own `.pnnx.param`, which starts with ncnn's magic number.
    Pnnx,
    /// The `.param` of August 2018 for int8, magic number 7767518.
    Int8Of2018,
    /// A `.param.bin` where text is expected.
    ParamBinary,
    /// A model of TensorFlow Lite.
    TfLite,
    /// A frozen graph of TensorFlow, or another `GraphDef`.
    TensorFlow,
    /// A model of ONNX.
    Onnx,
    /// A network of Caffe as text.
    CaffeText,
    /// A network of Caffe with its weights.
    CaffeModel,
    /// A zip archive, as PyTorch and Keras write it.
    Zip,
    /// A pickle, as old PyTorch writes it.
    Pickle,
    /// An HDF5 file, as Keras writes it.
    Hdf5,
    /// Compressed with gzip, xz, zstd or 7-Zip.
    Compressed,
    /// A web page: a download that went wrong.
    Html,
    /// The place holder that git leaves for a big file.
    GitLfs,
    /// A model as JSON (MXNet's symbol file, TensorFlow.js).
    Json,
    /// Scales in sections, as the PPL Quantization Tool writes them.
    ScalesInSections,
    /// Text in UTF-16.
    Utf16,
    /// UTF-8 text behind a byte order mark.
    ByteOrderMark,
}

impl ForeignFile {
    /// Recognises `bytes`, of which the first few thousand are looked at.
    ///
    /// `None` for ncnn's own files and for what nobody knows.
    pub fn sniff(bytes: &[u8]) -> Option<Self> {
        const MOST: usize = 4096;
        let head = bytes.get(..MOST).unwrap_or(bytes);
        if head.is_empty() {
            return Some(Self::Empty);
        }
        by_magic(head).or_else(|| match text_of(head) {
            Some(text) => by_text(text),
            None => by_protobuf(head),
        })
    }

    /// Its name and one sentence of advice, for an error message.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Empty => "the file is empty; the program that wrote it failed, or the download did",
            Self::Pnnx => "this is pnnx's own graph; the ncnn model is the file beside it that ends in .ncnn.param",
            Self::Int8Of2018 => {
                "this is the int8 dialect of August 2018 (magic number 7767518), which ncnn itself no longer reads; \
                 convert and quantize the float model again"
            }
            Self::ParamBinary => "this is a .param.bin; read it as one",
            Self::TfLite => "this is a TensorFlow Lite model; convert it to ONNX and that with pnnx",
            Self::TensorFlow => "this is a TensorFlow graph; convert it to ONNX and that with pnnx",
            Self::Onnx => "this is an ONNX model; convert it with pnnx",
            Self::CaffeText => "this is a Caffe prototxt; convert it and its .caffemodel with ncnn's caffe2ncnn",
            Self::CaffeModel => "this is a Caffe model; convert it and its prototxt with ncnn's caffe2ncnn",
            Self::Zip => "this is a zip archive, as PyTorch and Keras save models; unpack it, or convert it with pnnx",
            Self::Pickle => {
                "this is a Python pickle, as old PyTorch saves models; export TorchScript and convert it with pnnx"
            }
            Self::Hdf5 => "this is an HDF5 file, as Keras saves models; convert it to ONNX and that with pnnx",
            Self::Compressed => "this is a compressed file; unpack it first",
            Self::Html => "this is a web page; the download went wrong",
            Self::GitLfs => "this is a place holder of git LFS; fetch the file itself with git lfs pull",
            Self::Json => "this is JSON; ncnn's text starts with 7767517",
            Self::ScalesInSections => {
                "this is a table of the PPL Quantization Tool, with sections in brackets; \
                 ncnn2int8 wants a row per key, as ncnn2table writes them"
            }
            Self::Utf16 => "this is text in UTF-16; save it as UTF-8",
            Self::ByteOrderMark => "the text starts with a byte order mark; save it as UTF-8 without one",
        }
    }
}

/// `error`, or what the file is if it is known to be something else.
pub(crate) fn explain(error: Error, bytes: &[u8]) -> Error {
    match ForeignFile::sniff(bytes) {
        Some(foreign) => Error::malformed(foreign.advice()),
        None => error,
    }
}

/// [`explain`] for a `.bin`, whose numbers can look like the first fields of a model
/// in protobuf: only what has a clear mark is named.
pub(crate) fn explain_weights(error: Error, head: &[u8]) -> Error {
    match ForeignFile::sniff(head) {
        None | Some(ForeignFile::Onnx | ForeignFile::TensorFlow | ForeignFile::CaffeModel | ForeignFile::Utf16) => {
            error
        }
        Some(foreign) => Error::malformed(foreign.advice()),
    }
}

fn by_magic(head: &[u8]) -> Option<ForeignFile> {
    use ForeignFile as F;
    const AT_START: &[(&[u8], ForeignFile)] = &[
        (&[0xDD, 0x85, 0x76, 0x00], F::ParamBinary),
        (b"PK\x03\x04", F::Zip),
        (b"\x80\x02\x8A\x0A", F::Pickle),
        (b"\x89HDF\r\n\x1a\n", F::Hdf5),
        (b"\x1F\x8B\x08", F::Compressed),
        (b"\xFD7zXZ\0", F::Compressed),
        (b"\x28\xB5\x2F\xFD", F::Compressed),
        (b"7z\xBC\xAF\x27\x1C", F::Compressed),
        (b"\xFF\xFE", F::Utf16),
        (b"\xFE\xFF", F::Utf16),
        (b"\xEF\xBB\xBF", F::ByteOrderMark),
        (b"version https://git-lfs", F::GitLfs),
    ];
    if head.get(4..8) == Some(b"TFL3") {
        return Some(F::TfLite);
    }
    AT_START.iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, foreign)| *foreign)
}

/// `head` if it is text, whose last letter may be cut in two.
fn text_of(head: &[u8]) -> Option<&str> {
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => std::str::from_utf8(head.get(..error.valid_up_to())?).ok()?,
        Err(_) => return None,
    };
    text.chars().all(|c| !c.is_ascii_control() || c.is_ascii_whitespace() || c == '\x0b').then_some(text)
}

fn by_text(text: &str) -> Option<ForeignFile> {
    use ForeignFile as F;
    let text = text.trim_start();
    let lower = text.get(..16).unwrap_or(text).to_ascii_lowercase();
    if lower.starts_with("<!doctype") || lower.starts_with("<html") || lower.starts_with("<?xml") {
        return Some(F::Html);
    }
    if text.starts_with('{') {
        return Some(F::Json);
    }
    if in_sections(text) {
        return Some(F::ScalesInSections);
    }
    let mut words = text.split_ascii_whitespace();
    match words.next()? {
        "7767517" if words.nth(2) == Some("pnnx.Input") || text.contains("\npnnx.Input ") => Some(F::Pnnx),
        "7767518" => Some(F::Int8Of2018),
        _ if is_prototxt(text) => Some(F::CaffeText),
        _ => None,
    }
}

/// Caffe's text starts with a field of its network, maybe behind comments.
/// Whether there is a line `[...]` and a line `type = "..."` behind it.
fn in_sections(text: &str) -> bool {
    let lines = text.lines().map(str::trim_end);
    let mut from_first = lines.skip_while(|line| !(line.starts_with('[') && line.ends_with(']')));
    from_first.next().is_some() && from_first.any(|line| line.starts_with("type = \""))
}

fn is_prototxt(text: &str) -> bool {
    let first = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#')).unwrap_or("");
    let field = first.split([':', '{', ' ']).next().unwrap_or("");
    let known = ["name", "layer", "layers", "input", "input_dim", "input_shape", "force_backward", "state"];
    let rest = first.get(field.len()..).unwrap_or("").trim_start();
    known.contains(&field) && rest.starts_with([':', '{'])
}

/// The three have no magic number; their first field and a word of their schema tell.
fn by_protobuf(head: &[u8]) -> Option<ForeignFile> {
    let has = |word: &str| head.windows(word.len()).any(|window| window == word.as_bytes());
    match head {
        // ModelProto: field 1 is the version of the format, field 2 the producer.
        [0x08, 1..=32, 0x12 | 0x3A | 0x42, ..] => Some(ForeignFile::Onnx),
        // GraphDef: field 1 is a node, field 1 of which is its name, field 2 its operation.
        [0x0A, ..] if has("Placeholder") || has("Const\x12") || has("Const*") || has("\x05dtype") => {
            Some(ForeignFile::TensorFlow)
        }
        // NetParameter: field 1 is the name; layers follow as field 2 or 100.
        [0x0A, ..] if has("Convolution") || has("Data") || has("Input") || has("\x04data") => {
            Some(ForeignFile::CaffeModel)
        }
        _ => None,
    }
}
