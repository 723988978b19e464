//! Image files to pixels.

#[cfg(feature = "images")]
mod formats;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use ncnn_format::{Error, Result};

use crate::image::RgbImage8;
#[cfg(feature = "images")]
use formats::decode_bytes;

/// A file longer than this is not read.
const MAX_FILE_BYTES: u64 = 1 << 29;

/// The image in the file at `path`: JPEG, PNG, BMP or PNM, told by its first
/// bytes and not by its name.
///
/// Always three channels: grey is repeated, alpha is dropped (not blended), of 16
/// bits the upper 8 are kept. EXIF orientation and colour profiles are ignored.
/// All as ncnn2table does, whose pixels these are, byte for byte; only a PNM whose
/// maximum is not 255 is scaled to it, which stb_image leaves out.
///
/// # Errors
/// All name the file. `Io` when it cannot be read, `Malformed` when it is damaged
/// or cut short, `Unsupported` when it is none of these formats or this crate was built
/// without its feature `images`, `TooLarge` above 2^27 pixels.
pub fn decode_image(path: impl AsRef<Path>) -> Result<RgbImage8> {
    let path = path.as_ref();
    read_file(path).and_then(|bytes| decode_bytes(&bytes)).map_err(|error| error.in_file(path))
}

pub(crate) fn read_file(path: &Path) -> Result<Vec<u8>> {
    let cannot_read = |error| Error::io("cannot read", path, error);
    let file = File::open(path).map_err(cannot_read)?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(cannot_read)?;
    if bytes.is_empty() {
        Err(Error::malformed("the file is empty"))
    } else if bytes.len() as u64 > MAX_FILE_BYTES {
        Err(Error::too_large(format!("a sample has at most {MAX_FILE_BYTES} bytes")))
    } else {
        Ok(bytes)
    }
}

#[cfg(not(feature = "images"))]
fn decode_bytes(_: &[u8]) -> Result<RgbImage8> {
    Err(Error::unsupported("this program was built without decoders of images (feature images of quantizer)"))
}

#[cfg(all(test, not(feature = "images")))]
mod tests {
    use super::*;

    #[test]
    fn without_decoders_an_image_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        std::fs::write(&path, "P5").unwrap();
        assert!(decode_image(&path).unwrap_err().to_string().contains("without decoders of images"));
    }
}
