//! Tensors in files without a header.

use std::ffi::OsStr;
use std::path::Path;

use fp32_ref::{Shape, Tensor};
use ncnn_format::{Error, Result};

use crate::decode::read_file;

/// Extensions of such files, lower case.
pub(crate) const RAW_EXTENSIONS: [&str; 2] = ["f32", "raw"];

/// Whether the file at `path` is one, by its extension.
pub(crate) fn is_raw(path: &Path) -> bool {
    let extension = path.extension().and_then(OsStr::to_str).unwrap_or_default();
    RAW_EXTENSIONS.iter().any(|known| extension.eq_ignore_ascii_case(known))
}

/// Reads little-endian f32 values of a tensor of `shape`, in row-major order.
///
/// # Errors
/// All name the file. `Io` when it cannot be read, `Malformed` when it has another number of
/// bytes than `shape` needs, or holds NaN or infinity.
pub(crate) fn read_raw(path: &Path, shape: Shape) -> Result<Tensor> {
    read_file(path).and_then(|bytes| parse(&bytes, shape)).map_err(|error| error.in_file(path))
}

fn parse(bytes: &[u8], shape: Shape) -> Result<Tensor> {
    let expected = 4 * shape.volume();
    if bytes.len() != expected {
        let message = format!("a tensor of {shape} has {expected} bytes as float32, found {}", bytes.len());
        return Err(Error::malformed(message));
    }
    let values: Vec<f32> = bytes.as_chunks().0.iter().map(|&word| f32::from_le_bytes(word)).collect();
    if let Some(index) = values.iter().position(|value| !value.is_finite()) {
        return Err(Error::malformed(format!("element {index} is {}, expected finite numbers", values[index])));
    }
    Tensor::new(shape.dims(), values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_lie_in_row_major_order_without_a_header() {
        let shape = Shape::new(&[2, 1]).unwrap();
        let bytes = [1.5f32.to_le_bytes(), (-2f32).to_le_bytes()].concat();
        assert_eq!(parse(&bytes, shape).unwrap().as_slice(), [1.5, -2.0]);
        let message = parse(&bytes[..7], shape).unwrap_err().to_string();
        assert_eq!(message, "a tensor of 2x1 has 8 bytes as float32, found 7");
        let nan = [f32::NAN.to_le_bytes(), [0; 4]].concat();
        assert!(parse(&nan, shape).unwrap_err().to_string().contains("element 0 is NaN"));
    }

    #[test]
    fn extensions_tell_them() {
        assert!(is_raw(Path::new("a/b.F32")) && is_raw(Path::new("x.raw")) && !is_raw(Path::new("raw")));
    }
}
