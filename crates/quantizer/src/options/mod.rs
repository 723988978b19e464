//! Everything that can be chosen about a job, each thing declared once.
//!
//! The table below makes the struct, the specifications that a command line or a binding to another language
//! asks for, and the reader of job files.

mod declare;
mod named;
#[cfg(feature = "serde")]
mod read;
mod values;
mod word;

use std::num::NonZeroUsize;
use std::path::PathBuf;

use crate::calibrate::{Method, Passes};
use crate::{Pixel, ResizeMode, WeightRule, WinogradGuard};

pub use declare::{OptionSpec, Takes};
pub use named::Named;
pub use values::{Floats, InputShape, Shard};

declare::options! {
    /// The choices of a job: which files, which samples, what is done to the network.
    ///
    /// A program sets fields, or options by name with the words that a command line and a job file take
    /// ([`Options::set`]). Whatever is not given has its default. Options that name files are for programs that
    /// read and write them; [`Pipeline`](crate::Pipeline) reads the labels and keeps the statistics, no other.
    ///
    /// ```
    /// use quantizer::{Options, calibrate::Method};
    ///
    /// let mut options = Options::default().set("images", "photos/")?.set("mean", "123.675,116.28,103.53")?;
    /// options.method = Some(Method::Eq);
    /// assert!(options.is_given("mean") && !options.is_given("norm"));
    /// assert!(options.set("method", "best").is_err());
    /// # Ok::<(), quantizer::Error>(())
    /// ```
    pub struct Options {
        "" {
            /// The network's .param file
            "param" param: Option<PathBuf> = "FILE", "";
            /// The network's .bin file
            "bin" bin: Option<PathBuf> = "FILE", "";
            /// The table of scales: written by `calibrate`, read by `quantize` instead of samples
            "table" table: Option<PathBuf> = "FILE", "";
            /// Beginning of the names of the files of the int8 network, PREFIX.param and PREFIX.bin (and PREFIX.table
            /// when calibrating)
            "out" out: Option<PathBuf> = "PREFIX", "";
            /// The int8 network's .param file
            "int8-param" int8_param: Option<PathBuf> = "FILE", "what the job's `out` names";
            /// The int8 network's .bin file
            "int8-bin" int8_bin: Option<PathBuf> = "FILE", "what the job's `out` names";
            /// Classes: file name, tab, class number (and, after another tab, accepted alternates)
            "labels" labels: Option<PathBuf> = "TSV", "the list of samples, if it has classes";
            /// The output to rank classes by; needed when the network has several
            "output" output: Option<String> = "BLOB", "";
            /// Also draw the histogram of every layer's input with the thresholds of all rules, as SVG files in this folder
            "plots" plots: Option<PathBuf> = "DIR", "";
            /// Fold, fuse and remove layers first, as the command `optimize` does; a table is for that network then
            "optimize" optimize: bool = "", "";
            /// The table is one of July 2018, with the scale of what each layer makes: rename its rows to the layers that
            /// read them
            "remap-table" remap_table: bool = "", "";
            /// Scale the channels of blobs before calibrating, so that small ones get more levels; the float network
            /// computes the same
            "equalize" equalize: bool = "", "";
            /// Take the mean error of every output channel off its bias
            "correct-bias" correct_bias: bool = "", "";
            /// Leave Embed, Gemm, GRU, LSTM, MultiHeadAttention, RNN and SDPA float, which ncnn2int8 quantizes
            "float-sequence" float_sequence: bool = "", "";
            /// How thresholds are chosen: auto (the best of all by the error of the outputs), kl, kl-merge, js, mse,
            /// percentile:P, aciq-gauss, aciq-laplace, aciq-ncnn, absmax, moving-average, kl-ncnn; eq (weights and
            /// activations searched in turn for the cosine of the outputs, slower); ncnn-kl and ncnn-aciq give
            /// ncnn2table's tables digit for digit
            "method" method: Option<Method> = "METHOD", "auto";
            /// How often every sample goes through the network: 1, or 2 for exact histograms
            "passes" passes: Option<Passes> = "N", "2 for the kl methods, else 1";
            /// Weights that ncnn may run through Winograd: observed (eight bits where no sum can wrap or none came near it
            /// in calibration), proven, exact, ncnn (six bits) or off
            "winograd" winograd: Option<WinogradGuard> = "GUARD", "observed";
            /// How far the weights of a channel reach: absmax, mse or aciq
            "weights" weights: Option<WeightRule> = "RULE", "absmax";
            /// Add up 3x3 convolutions product by product instead of by Winograd's algorithm: slower, values differ by 1e-5
            "plain-sums" plain_sums: bool = "", "";
        }
        "Samples" {
            /// Use only so many samples
            "limit" limit: Option<usize> = "N", "all";
            /// Shuffle the samples before the limit; the same number always gives the same order
            "shuffle-seed" shuffle_seed: Option<u64> = "NUMBER", "";
            /// Go on without samples that cannot be read, and name them; otherwise they end the job
            "skip-bad" skip_bad: bool = "", "";
        }
        "Mixed precision" {
            /// Leave layers float: a layer's name, a glob such as 'head/*', or a type such as InnerProduct; may be repeated
            "exclude" exclude: Vec<String> = "NAME|GLOB|TYPE", "";
            /// Leave all other layers float; may be repeated, and what is excluded is taken from it
            "only" only: Vec<String> = "NAME|GLOB|TYPE", "";
            /// Leave the first layers float: those that no other int8 layer leads to
            "float-first" float_first: bool = "", "";
            /// Leave the last layers float: those that lead to no other int8 layer
            "float-last" float_last: bool = "", "";
        }
        "Statistics" {
            /// Keep what is counted in FILE, for `thresholds` and `merge` (docs/statistics-file.md). A file that is there is
            /// taken up again: samples that it has are not run. Counts in one pass
            "stats" stats: Option<PathBuf> = "FILE", "";
            /// Count only the I-th of N parts of the samples, for `merge`; writes no table
            "shard" shard: Option<Shard> = "I/N", "";
            /// Write the statistics after every N samples; an interruption loses at most so many
            "checkpoint-every" checkpoint_every: Option<NonZeroUsize> = "N", "256";
        }
        each input: "Input (for networks with several, give an option once per input, as BLOB=VALUE)" {
            /// A folder of images (JPEG, PNG, BMP, PNM), .npy or raw float32 files (.f32, .raw), a glob such as
            /// 'photos/**/*.jpg', or a list of files, one per line, perhaps with a tab and a class behind
            "images" images: PathBuf = "DIR|GLOB|LIST", "";
            /// Subtracted from the pixels (0 to 255) per channel, in the order of the pixel type
            "mean" mean: Floats = "A,B,C", "0";
            /// Multiplied with them after that
            "norm" norm: Floats = "A,B,C", "1";
            /// Order of the channels: RGB, BGR, GRAY, RGBA or BGRA
            "pixel" pixel: Pixel = "ORDER", "GRAY for one channel, else BGR as in ncnn";
            /// Width, height, channels; images are resized to it. Arrays may have one to four sizes, innermost first
            "shape" shape: InputShape = "W,H,C", "what the Input layer says";
            /// What happens to the proportions of an image: stretch (as ncnn2table), keep (as large as fits), crop (the
            /// centre; crop:256 resizes the shorter side to 256 first), letterbox (grey around; letterbox:0 black)
            "resize" resize: ResizeMode = "MODE", "stretch";
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn every_option_is_called_like_its_field_and_explained() {
        for spec in Options::SPECS {
            assert!(spec.name.bytes().all(|byte| byte.is_ascii_lowercase() || b"-8".contains(&byte)), "{}", spec.name);
            let help = spec.help();
            assert!(help.len() > 15 && !help.contains("  ") && !help.starts_with(' '), "{}: {help}", spec.name);
            assert_eq!(spec.value.is_empty(), spec.takes == Takes::Nothing, "{}", spec.name);
            assert_eq!(Options::SPECS.iter().filter(|other| other.name == spec.name).count(), 1, "{}", spec.name);
        }
        let debug = format!("{:?}", Options::default());
        let fields = Options::SPECS.iter().filter(|spec| debug.contains(&format!("{}: ", spec.name.replace('-', "_"))));
        assert_eq!(fields.count(), Options::SPECS.len());
    }

    #[test]
    fn every_option_can_be_set_by_name() {
        let words = |name: &str| match name {
            "method" => "mse",
            "passes" => "2",
            "winograd" => "proven",
            "weights" => "aciq",
            "limit" | "shuffle-seed" | "checkpoint-every" => "7",
            "shard" => "2/4",
            "mean" | "norm" => "left=-1,2.5",
            "pixel" => "GRAY",
            "shape" => "4,3",
            "resize" => "crop:7",
            _ => "some/file",
        };
        for spec in Options::SPECS {
            let text = if spec.takes == Takes::Nothing { "true" } else { words(spec.name) };
            let mut given = Options::default().set(spec.name, text).unwrap();
            assert!(given.is_given(spec.name), "{}", spec.name);
            assert_ne!(given, Options::default(), "{}", spec.name);
            let mut filled = Options::default();
            filled.fill_from(&given, |name| name == spec.name);
            assert_eq!(filled, given, "{}", spec.name);
            let before = given.clone();
            given.fill_from(&Options::default(), |_| true);
            assert_eq!(given, before, "{}: nothing is filled from nothing", spec.name);
            let mut kept = Options::default();
            kept.fill_from(&given, |name| name != spec.name);
            assert_eq!(kept, Options::default(), "{}", spec.name);
        }
    }

    #[test]
    fn what_is_given_wins_over_what_fills() {
        let mut given = Options::default().set("limit", "3").unwrap().set("exclude", "a").unwrap();
        let other = Options { limit: Some(9), exclude: vec!["b".into()], only: vec!["c".into()], ..Options::default() };
        given.fill_from(&other, |_| true);
        assert_eq!((given.limit, given.exclude, given.only), (Some(3), vec!["a".into()], vec!["c".into()]));
    }

    #[test]
    fn wrong_words_name_the_option_and_unknown_options_those_that_there_are() {
        let message = |name: &str, text: &str| Options::default().set(name, text).unwrap_err().to_string();
        for (name, text, expected) in [
            ("passes", "3", "option passes: expected 1 or 2, found 3"),
            ("skip-bad", "maybe", "option skip-bad: expected true or false, found maybe"),
            ("shard", "0/3", "option shard: expected I/N with I from 1 to N, like 2/4, found 0/3"),
            ("shape", "0,3", "option shape: expected positive numbers w,h,c, found 0,3"),
            ("mean", "a", "option mean: expected numbers like 1.5,2,3, found a"),
            ("limit", "-1", "option limit: invalid digit found in string"),
        ] {
            assert_eq!(message(name, text), expected);
        }
        assert!(message("method", "best").starts_with("option method: no method is called best; there are "));
        let unknown = message("winogard", "off");
        assert!(unknown.starts_with("no option is called winogard; there are param, bin, "), "{unknown}");
    }

    #[test]
    fn relative_paths_start_at_a_folder() {
        let mut options = Options {
            param: Some("net.param".into()),
            bin: Some("/models/net.bin".into()),
            images: vec![Named::new(Some("left".into()), "photos".into())],
            ..Options::default()
        };
        options.start_paths_at(Path::new("jobs"));
        assert_eq!(options.param.as_deref(), Some(Path::new("jobs/net.param")));
        assert_eq!(options.bin.as_deref(), Some(Path::new("/models/net.bin")));
        assert_eq!(options.images, [Named::new(Some("left".into()), "jobs/photos".into())]);
    }
}
