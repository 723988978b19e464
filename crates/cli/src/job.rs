//! A job in a file: the options of a command, written down.

use std::path::Path;

use ncnn_format::{Error, Result};
use quantizer::Options;

/// A longer file is something else.
const MAX_BYTES: u64 = 1 << 20;

/// Reads a TOML file, or a JSON one by its extension. Relative paths in it start at its folder.
///
/// # Errors
/// `Io`; `Malformed` with the line for what is no such file or has an unknown key.
pub(crate) fn load_job(path: &Path) -> Result<Options> {
    let cannot_read = |error| Error::io("cannot read the job", path, error);
    let bytes = std::fs::metadata(path).map_err(cannot_read)?.len();
    if bytes > MAX_BYTES {
        return Err(Error::too_large(format!("a job has at most {MAX_BYTES} bytes, found {bytes}")).in_file(path));
    }
    let text = std::fs::read_to_string(path).map_err(cannot_read)?;
    let is_json = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    let read = if is_json { from_json(&text) } else { from_toml(&text) };
    let mut job = read.map_err(|error| error.in_file(path))?;
    job.start_paths_at(path.parent().unwrap_or(Path::new("")));
    Ok(job)
}

fn from_toml(text: &str) -> Result<Options> {
    toml::from_str(text).map_err(|error| {
        let message = error.message().replace('\n', "; ");
        match error.span() {
            Some(span) => {
                Error::malformed(message).at_line(1 + text[..span.start.min(text.len())].matches('\n').count())
            }
            None => Error::malformed(message),
        }
    })
}

fn from_json(text: &str) -> Result<Options> {
    serde_json::from_str(text).map_err(|error| Error::malformed(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn toml_and_json_have_the_same_keys() {
        let text = "param = 'net.param'\nmethod = 'kl'\nfloat-last = true\nexclude = ['fc*']\n\
                    [[input]]\nblob = 'left'\nshape = [4, 3, 1]\nmean = [1]\nnorm = 0.5\n";
        let json = r#"{"param": "net.param", "method": "kl", "float-last": true, "exclude": ["fc*"],
                       "input": [{"blob": "left", "shape": [4, 3, 1], "mean": [1], "norm": 0.5}]}"#;
        assert_eq!(from_toml(text).unwrap(), from_json(json).unwrap());
    }

    #[test]
    fn mistakes_are_named_with_their_line() {
        let message = |text| from_toml(text).unwrap_err().to_string();
        assert!(
            message("param = 'a'\nmode = 1\n").starts_with("line 2: unknown field `mode`, expected one of `param`")
        );
        assert!(message("\n\nmethod = 'best'\n").starts_with("line 3: no method is called best; there are "));
        assert!(message("[[input]]\nresize = 'fit'\n").starts_with("line 2: expected stretch, keep, "));
        assert!(message("[[input]]\nshape = [0]\n").contains("line 2: "));
        assert!(message("\npasses = 3\n").starts_with("line 2: expected 1 or 2, found 3"));
        assert!(message("param = \n").starts_with("line 1: "));
    }
}
