//! A job in a file: the options of a command, written down.

use std::path::{Path, PathBuf};

use ncnn_format::{Error, Result};
use quantizer::calibrate::Method;
use quantizer::{Pixel, ResizeMode};
use serde::{Deserialize, Deserializer};

use crate::inputs::{Floats, InputShape};
use crate::{InputArgs, MethodArgs, SampleArgs, SelectionArgs};

/// A longer file is something else.
const MAX_BYTES: u64 = 1 << 20;

/// Every key is the name of the option that it stands for; docs/job-file.md lists them.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Job {
    pub(crate) param: Option<PathBuf>,
    pub(crate) bin: Option<PathBuf>,
    /// `calibrate --out`.
    pub(crate) table: Option<PathBuf>,
    /// `quantize --out`.
    pub(crate) out: Option<PathBuf>,
    pub(crate) stats: Option<PathBuf>,
    pub(crate) labels: Option<PathBuf>,
    #[serde(deserialize_with = "parsed")]
    pub(crate) method: Option<Method>,
    pub(crate) passes: Option<u8>,
    pub(crate) plain_sums: bool,
    pub(crate) limit: Option<usize>,
    pub(crate) shuffle_seed: Option<u64>,
    pub(crate) skip_bad: bool,
    pub(crate) optimize: bool,
    pub(crate) exclude: Vec<String>,
    pub(crate) only: Vec<String>,
    pub(crate) float_first: bool,
    pub(crate) float_last: bool,
    pub(crate) input: Vec<JobInput>,
}

/// One `[[input]]` of a job.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct JobInput {
    /// The input blob; needed when the network has several.
    pub(crate) blob: Option<String>,
    pub(crate) images: Option<PathBuf>,
    pub(crate) shape: Option<InputShape>,
    #[serde(deserialize_with = "parsed")]
    pub(crate) pixel: Option<Pixel>,
    pub(crate) mean: Option<Floats>,
    pub(crate) norm: Option<Floats>,
    #[serde(deserialize_with = "parsed")]
    pub(crate) resize: Option<ResizeMode>,
}

/// A value written as the word that the command line takes.
fn parsed<'de, D, T>(deserializer: D) -> std::result::Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    let word = String::deserialize(deserializer)?;
    word.parse().map(Some).map_err(serde::de::Error::custom)
}

impl Job {
    /// Reads a TOML file, or a JSON one by its extension. Relative paths in it start at its folder.
    ///
    /// # Errors
    /// `Io`; `Malformed` with the line for what is no such file or has an unknown key.
    pub(crate) fn load(path: &Path) -> Result<Self> {
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

    /// Gives the groups of options that commands share what was not given to them.
    ///
    /// # Errors
    /// As [`MethodArgs::fill`].
    pub(crate) fn fill(
        &self,
        samples: &mut SampleArgs,
        input: &mut InputArgs,
        method: &mut MethodArgs,
        selection: &mut SelectionArgs,
    ) -> Result<()> {
        samples.fill(self);
        input.fill(self);
        selection.fill(self);
        method.fill(self)
    }

    fn start_paths_at(&mut self, folder: &Path) {
        let of_job =
            [&mut self.param, &mut self.bin, &mut self.table, &mut self.out, &mut self.stats, &mut self.labels];
        let of_inputs = self.input.iter_mut().map(|input| &mut input.images);
        for path in of_job.into_iter().chain(of_inputs).flatten() {
            // Joining an absolute path gives that path.
            *path = folder.join(&path);
        }
    }
}

fn from_toml(text: &str) -> Result<Job> {
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

fn from_json(text: &str) -> Result<Job> {
    serde_json::from_str(text).map_err(|error| Error::malformed(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_the_name_of_an_option() {
        let text = "param = 'net.param'\nmethod = 'kl'\nfloat-last = true\nexclude = ['fc*']\n\
                    [[input]]\nblob = 'left'\nshape = [4, 3, 1]\npixel = 'GRAY'\nmean = [1]\nnorm = 0.5\nresize = 'crop:7'\n";
        let job = from_toml(text).unwrap();
        assert_eq!((job.method, job.float_last, job.exclude), ("kl".parse().ok(), true, vec!["fc*".to_owned()]));
        let input = &job.input[0];
        assert_eq!(input.shape.clone().unwrap().sizes(), [4, 3, 1]);
        assert_eq!((input.mean.clone().unwrap().0, input.norm.clone().unwrap().0), (vec![1.0], vec![0.5]));
        assert_eq!(input.resize, Some(ResizeMode::Crop { short_side: Some(7) }));
        let json = r#"{"method": "kl", "input": [{"blob": "left", "norm": [0.5]}]}"#;
        assert_eq!(from_json(json).unwrap().method, "kl".parse().ok());
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
        assert!(message("param = \n").starts_with("line 1: "));
    }

    #[test]
    fn relative_paths_start_at_the_folder_of_the_job() {
        let mut job =
            from_toml("param = 'net.param'\nbin = '/models/net.bin'\n[[input]]\nimages = 'photos'\n").unwrap();
        job.start_paths_at(Path::new("jobs"));
        assert_eq!(job.param.unwrap(), Path::new("jobs/net.param"));
        assert_eq!(job.bin.unwrap(), Path::new("/models/net.bin"));
        assert_eq!(job.input[0].images.as_deref().unwrap(), Path::new("jobs/photos"));
    }
}
