//! Tensors in `.npy` files.

use std::path::Path;

use fp32_ref::Tensor;
use ncnn_format::{Error, Result, write_whole};
use npyz::{DType, NpyFile, Order, WriterBuilder};

use crate::decode::read_file;

/// The only element type read and written.
const FLOAT32: &str = "<f4";

/// Reads an array of little-endian f32 in C order with one to four dimensions,
/// outermost first: `[w]`, `[h, w]`, `[c, h, w]` or `[c, d, h, w]`.
///
/// # Errors
/// All name the file. `Io` when it cannot be read, `Malformed` when it is damaged,
/// cut short or longer than its shape says, or holds NaN or infinity,
/// `Unsupported` for another element type, Fortran order or number of dimensions.
pub fn read_npy(path: impl AsRef<Path>) -> Result<Tensor> {
    let path = path.as_ref();
    read_file(path).and_then(|bytes| parse(&bytes)).map_err(|error| error.in_file(path))
}

/// Writes `tensor` as an array of little-endian f32 in C order.
///
/// # Errors
/// `Io`; the file appears whole or not at all.
pub fn write_npy(path: impl AsRef<Path>, tensor: &Tensor) -> Result<()> {
    let path = path.as_ref();
    let bytes = encode(tensor).map_err(|error| Error::io("cannot write", path, error))?;
    write_whole(path, &bytes)
}

fn encode(tensor: &Tensor) -> std::io::Result<Vec<u8>> {
    let shape: Vec<u64> = tensor.shape().dims().iter().map(|&dim| dim as u64).collect();
    let mut bytes = Vec::new();
    let mut writer = npyz::WriteOptions::new().default_dtype().shape(&shape).writer(&mut bytes).begin_nd()?;
    writer.extend(tensor.as_slice())?;
    writer.finish()?;
    Ok(bytes)
}

fn parse(bytes: &[u8]) -> Result<Tensor> {
    let damaged = |error: std::io::Error| Error::malformed("the .npy header is damaged").caused_by(error);
    check_header(bytes)?;
    let file = NpyFile::new(bytes).map_err(damaged)?;
    check_type(&file.dtype(), file.order())?;
    let shape: Vec<usize> = file.shape().iter().map(|&dim| usize::try_from(dim).unwrap_or(usize::MAX)).collect();
    if shape.is_empty() || shape.len() > 4 {
        return Err(Error::unsupported(format!("expected an array of 1 to 4 dimensions, found the shape {shape:?}")));
    }
    // `check_header` has made sure that this does not overflow.
    let expected = file.len();
    let data = file.into_inner();
    if Some(data.len() as u64) != expected.checked_mul(4) {
        return Err(Error::malformed(format!(
            "the shape {shape:?} needs {} bytes of data, found {}",
            expected.saturating_mul(4),
            data.len()
        )));
    }
    let values: Vec<f32> = data.as_chunks().0.iter().map(|&word| f32::from_le_bytes(word)).collect();
    if let Some(index) = values.iter().position(|value| !value.is_finite()) {
        return Err(Error::malformed(format!("element {index} is {}, expected finite numbers", values[index])));
    }
    Tensor::new(shape, values)
}

fn check_type(dtype: &DType, order: Order) -> Result<()> {
    match dtype {
        DType::Plain(plain) if plain.to_string() == FLOAT32 => {}
        other => {
            let found = other.descr();
            return Err(Error::unsupported(format!(
                "expected elements of type '<f4' (little-endian float32), found {found}; convert with .astype('<f4')"
            )));
        }
    }
    if order == Order::Fortran {
        return Err(Error::unsupported(
            "the array is in Fortran (column-major) order, which ncnn would read as if it were row-major; \
             store numpy.ascontiguousarray(array)",
        ));
    }
    Ok(())
}

/// Checks what the npyz crate trusts: that the header lies within the file, and
/// that the product of the shape fits 64 bits.
fn check_header(bytes: &[u8]) -> Result<()> {
    let damaged = || Error::malformed("expected a .npy file: the header is cut short or missing");
    let rest = bytes.strip_prefix(b"\x93NUMPY").ok_or_else(damaged)?;
    let (length, rest) = match rest {
        [1, _, a, b, rest @ ..] => (usize::from(u16::from_le_bytes([*a, *b])), rest),
        [2 | 3, _, a, b, c, d, rest @ ..] => (u32::from_le_bytes([*a, *b, *c, *d]) as usize, rest),
        _ => return Err(damaged()),
    };
    let text = String::from_utf8_lossy(rest.get(..length).ok_or_else(damaged)?);
    let elements = text.split(|c: char| !c.is_ascii_digit()).filter(|run| !run.is_empty()).try_fold(1u64, |n, run| {
        // An empty dimension must not hide an overflow of the others.
        n.checked_mul(run.parse::<u64>().ok()?.max(1))
    });
    elements.map(|_| ()).ok_or_else(|| Error::too_large("the shape in the .npy header does not fit 64 bits"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn npy(version: u8, descr: &str, fortran: &str, shape: &str, values: &[f32]) -> Vec<u8> {
        let header = format!("{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}\n");
        let mut bytes = b"\x93NUMPY".to_vec();
        bytes.extend([version, 0]);
        match version {
            1 => bytes.extend((header.len() as u16).to_le_bytes()),
            _ => bytes.extend((header.len() as u32).to_le_bytes()),
        }
        bytes.extend(header.as_bytes());
        bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        bytes
    }

    fn message(bytes: &[u8]) -> String {
        parse(bytes).unwrap_err().to_string()
    }

    #[test]
    fn reads_both_versions() {
        for version in [1, 2] {
            let tensor = parse(&npy(version, "'<f4'", "False", "(2, 1, 3)", &[0., 1., 2., 3., 4., 5.])).unwrap();
            assert_eq!(tensor.shape().dims(), [2, 1, 3]);
            assert_eq!(tensor.as_slice(), [0., 1., 2., 3., 4., 5.]);
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.npy");
        for dims in [vec![6], vec![2, 3], vec![1, 2, 3], vec![1, 2, 3, 1]] {
            let tensor = Tensor::new(&dims, vec![0.5, -1.0, 1e-30, 4.0, 5.0, f32::MAX]).unwrap();
            write_npy(&path, &tensor).unwrap();
            assert_eq!(read_npy(&path).unwrap(), tensor);
        }
        let nowhere = folder.path().join("no/where.npy");
        assert!(read_npy(&nowhere).unwrap_err().to_string().contains("where.npy: cannot read: "));
        assert!(write_npy(&nowhere, &Tensor::new([1], vec![0.0]).unwrap()).is_err());
    }

    #[test]
    fn other_types_and_orders_are_explained() {
        assert!(message(&npy(1, "'<f8'", "False", "(1,)", &[0., 0.])).contains("found '<f8'; convert with"));
        assert!(message(&npy(1, "'>f4'", "False", "(1,)", &[0.])).contains("found '>f4'"));
        assert!(message(&npy(1, "'<f4'", "True", "(1,)", &[0.])).contains("Fortran"));
        let scalar = message(&npy(1, "'<f4'", "False", "()", &[0.]));
        assert_eq!(scalar, "expected an array of 1 to 4 dimensions, found the shape []");
    }

    #[test]
    fn sizes_and_values_are_checked() {
        let short = npy(1, "'<f4'", "False", "(2, 2)", &[0.; 3]);
        assert_eq!(message(&short), "the shape [2, 2] needs 16 bytes of data, found 12");
        let empty = message(&npy(1, "'<f4'", "False", "(2, 0)", &[]));
        assert!(empty.contains("[2, 0]"), "{empty}");
        let nan = npy(1, "'<f4'", "False", "(2,)", &[0., f32::NAN]);
        assert_eq!(message(&nan), "element 1 is NaN, expected finite numbers");
    }

    #[test]
    fn hostile_headers_do_not_panic() {
        let huge = npy(1, "'<f4'", "False", "(0, 9999999999999, 9999999999999)", &[]);
        assert_eq!(message(&huge), "the shape in the .npy header does not fit 64 bits");
        let valid = npy(2, "'<f4'", "False", "(2, 1)", &[0., 1.]);
        for length in 0..valid.len() {
            assert!(parse(&valid[..length]).is_err(), "{length} bytes");
        }
        assert!(parse(b"\x93NUMPY\x02\x00\xff\xff\xff\xff").is_err());
        assert!(message(&npy(1, "'<f4'", "maybe", "(1,)", &[0.])).starts_with("the .npy header is damaged"));
    }
}
