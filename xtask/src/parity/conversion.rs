//! Our int8 files against ncnn2int8's.

use std::fs;
use std::path::{Path, PathBuf};

use ncnn_format::{Error, Model, Result, ScaleTable};
use quantizer::{ConvertOptions, convert};
use sha2::{Digest, Sha256};

/// What ncnn2int8 made of the same network and table.
pub(crate) struct Golden {
    /// `<prefix>.kl`; the files add their suffix to it.
    prefix: PathBuf,
}

impl Golden {
    /// The files that start with `prefix`.
    pub(crate) fn new(prefix: &Path) -> Self {
        Self { prefix: suffixed(prefix, "kl") }
    }

    /// ncnn2table's scale table.
    ///
    /// # Errors
    /// Those of reading it.
    pub(crate) fn table(&self) -> Result<ScaleTable> {
        ScaleTable::load(suffixed(&self.prefix, "table"))
    }

    /// Converts `model` with ncnn2table's table; says how the result differs from
    /// ncnn2int8's, or `None` when the weights are the same bytes and every layer
    /// has the same `int8_scale_term`.
    ///
    /// # Errors
    /// Those of converting, and of reading the golden files.
    pub(crate) fn difference(&self, model: &Model, folder: &Path) -> Result<Option<String>> {
        let converted = convert(model, &self.table()?, ConvertOptions::default())?.model;
        let (param, bin) = files(folder);
        converted.save(&param, &bin)?;
        let ours = read(&bin)?;
        Ok(match self.terms_difference(&converted)? {
            Some(difference) => Some(difference),
            None => self.bytes_difference(&ours)?,
        })
    }

    fn terms_difference(&self, ours: &Model) -> Result<Option<String>> {
        let path = suffixed(&self.prefix, "int8.param");
        let text = fs::read_to_string(&path).map_err(|error| Error::io("cannot read", &path, error))?;
        let golden = Model::from_param_text(&text).map_err(|error| error.in_file(&path))?;
        if golden.layers.len() != ours.layers.len() {
            return Ok(Some(format!("{} layers, not {}", ours.layers.len(), golden.layers.len())));
        }
        for (a, b) in ours.layers.iter().zip(&golden.layers) {
            if (&a.kind, &a.name, &a.inputs, &a.outputs) != (&b.kind, &b.name, &b.inputs, &b.outputs) {
                return Ok(Some(format!("layer {} where {} is expected", a.name, b.name)));
            }
            let (found, expected) = (a.int8_term()?.unwrap_or(0), b.int8_term()?.unwrap_or(0));
            if found != expected {
                return Ok(Some(format!("layer {}: int8_scale_term {found}, not {expected}", a.name)));
            }
        }
        Ok(None)
    }

    fn bytes_difference(&self, ours: &[u8]) -> Result<Option<String>> {
        let path = suffixed(&self.prefix, "int8.bin");
        if path.is_file() {
            let golden = read(&path)?;
            if ours.len() != golden.len() {
                return Ok(Some(format!("{} bytes, not {}", ours.len(), golden.len())));
            }
            let at = ours.iter().zip(&golden).position(|(a, b)| a != b);
            return Ok(at.map(|at| format!("first different byte at {at} of {}", golden.len())));
        }
        let expected = self.committed_digest(&path)?;
        let found: String = Sha256::digest(ours).iter().map(|byte| format!("{byte:02x}")).collect();
        Ok((found != expected).then(|| format!("SHA-256 {found}, not {expected}")))
    }

    /// The digest of a file that is too large to commit, from `SHA256SUMS`.
    fn committed_digest(&self, path: &Path) -> Result<String> {
        let sums = path.with_file_name("SHA256SUMS");
        let text = fs::read_to_string(&sums).map_err(|error| Error::io("cannot read", &sums, error))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        text.lines()
            .filter_map(|line| line.split_once("  "))
            .find(|(_, file)| *file == name)
            .map(|(digest, _)| digest.to_owned())
            .ok_or_else(|| Error::invalid(format!("no digest for {name}")).in_file(&sums))
    }
}

/// Where [`Golden::difference`] writes our files in `folder`.
pub(crate) fn files(folder: &Path) -> (PathBuf, PathBuf) {
    (folder.join("golden-table.param"), folder.join("golden-table.bin"))
}

fn suffixed(prefix: &Path, suffix: &str) -> PathBuf {
    PathBuf::from(format!("{}.{suffix}", prefix.display()))
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|error| Error::io("cannot read", path, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARAM: &str = "7767517\n2 2\nInput data 0 1 data\nConvolution conv 1 1 data out 0=1 1=1 6=1 8=2\n";

    /// The files of a golden network in a folder of its own.
    fn golden(test: &str, files: &[(&str, &[u8])]) -> Golden {
        let folder = std::env::temp_dir().join(format!("xtask-conversion-{}-{test}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        for (name, bytes) in files {
            fs::write(folder.join(name), bytes).unwrap();
        }
        Golden::new(&folder.join("net"))
    }

    #[test]
    fn layers_with_other_names_or_terms_are_told() {
        let golden = golden("terms", &[("net.kl.int8.param", PARAM.as_bytes())]);
        let difference = |text: &str| golden.terms_difference(&Model::from_param_text(text).unwrap()).unwrap();
        assert_eq!(difference(PARAM), None);
        let other = |from: &str, to: &str| difference(&PARAM.replace(from, to)).unwrap();
        assert_eq!(other("8=2", "8=102"), "layer conv: int8_scale_term 102, not 2");
        assert_eq!(other(" 8=2", ""), "layer conv: int8_scale_term 0, not 2");
        assert_eq!(other("conv", "conv2"), "layer conv2 where conv is expected");
        assert_eq!(other("Convolution", "Deconvolution"), "layer conv where conv is expected");
        let more = PARAM.replace("2 2\n", "3 3\n") + "ReLU relu 1 1 out last\n";
        assert_eq!(difference(&more).unwrap(), "3 layers, not 2");
    }

    #[test]
    fn bytes_are_compared_with_the_file_where_there_is_one() {
        let golden = golden("bytes", &[("net.kl.int8.bin", &[1, 2, 3, 4])]);
        assert_eq!(golden.bytes_difference(&[1, 2, 3, 4]).unwrap(), None);
        assert_eq!(golden.bytes_difference(&[1, 2, 9, 9]).unwrap().unwrap(), "first different byte at 2 of 4");
        assert_eq!(golden.bytes_difference(&[1, 2]).unwrap().unwrap(), "2 bytes, not 4");
    }

    #[test]
    fn bytes_are_compared_by_digest_where_the_file_is_too_large() {
        // The digest of three letters, from the standard.
        const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let sums = format!("0000  other.bin\n{ABC}  net.kl.int8.bin\n");
        let golden = golden("digest", &[("SHA256SUMS", sums.as_bytes())]);
        assert_eq!(golden.bytes_difference(b"abc").unwrap(), None);
        assert!(golden.bytes_difference(b"abd").unwrap().unwrap().ends_with(&format!("not {ABC}")));
    }

    #[test]
    fn a_golden_file_without_a_digest_is_an_error_that_names_it() {
        let golden = golden("none", &[("SHA256SUMS", b"0000  other.bin\n")]);
        let message = golden.bytes_difference(b"abc").unwrap_err().to_string();
        assert!(message.contains("no digest for net.kl.int8.bin"), "{message}");
    }
}
