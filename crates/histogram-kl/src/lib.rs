//! Choose how much of a tensor's range eight bits should cover.
//!
//! # The question
//!
//! An int8 value stands for `q / scale`, with q in −127..=127. If the scale is `127 / max|x|` every
//! value can be represented, but a single outlier makes all steps coarse. If it is `127 / threshold`
//! with a smaller threshold, steps are finer and values beyond the threshold are clipped to it. A
//! [`Rule`] weighs the two errors against each other and chooses the threshold.
//!
//! # The procedure
//!
//! 1. [`Range`]: run the network on samples and note the largest |x| of the tensor.
//! 2. [`Histogram`]: run it again and count |x| in 2048 bins over `[0, absmax]`.
//! 3. [`Rule::threshold`]: search the number of bins to keep.
//!
//! Both passes merge exactly, in any order, so they can be split over threads and machines.
//! A [`GrowingHistogram`] does with one pass, at the price of edges of bins that are a fraction of a
//! bin off.
//!
//! # The divergence
//!
//! Take the histogram as a distribution P of values, and the histogram after coding with 128 levels
//! as a distribution Q. The Kullback–Leibler divergence
//!
//! ```text
//! D(P‖Q) = Σ P(i) · ln(P(i) / Q(i)) = cross entropy(P, Q) − entropy(P)
//! ```
//!
//! says how much information is lost when Q is taken for P. For each candidate m, the first m bins
//! are kept and everything beyond is added to the last one (that is what clipping does), giving P;
//! averaging those bins in 128 groups and spreading each average over its group again gives Q. Few
//! bins: fine levels, much clipping. Many bins: coarse levels, little clipping. The m of least
//! divergence wins, and the threshold is `(m + 0.5) · absmax / 2048`.
//!
//! Two forms of this search differ in details that matter: [`kl`] equals ncnn's tool bit for bit,
//! [`kl_textbook`] is the published one.
//!
//! ```
//! use histogram_kl::{Histogram, Range, Rule};
//!
//! // A triangle of values around zero, and one outlier.
//! let mut values: Vec<f32> = (0..10_000).map(|i| (i % 100 - i / 100) as f32 / 100.0).collect();
//! values.push(3.0);
//!
//! let mut range = Range::default();
//! range.add(&values);
//! let mut histogram = Histogram::new(range.absmax)?;
//! histogram.add(&values);
//!
//! let whole = Rule::AbsMax.threshold(&histogram);
//! let searched = Rule::KlTextbook.threshold(&histogram);
//! assert_eq!(whole.value, 3.0);
//! assert!(searched.value < 1.1, "the outlier is clipped");
//! assert!(searched.scale() > whole.scale());
//! # Ok::<(), histogram_kl::Error>(())
//! ```

#![forbid(unsafe_code)]

mod divergence;
pub mod error;
pub mod growing_histogram;
pub mod histogram;
pub mod kl;
pub mod kl_textbook;
mod ln;
pub mod range;
pub mod rule;
mod simd;
mod slots;
pub mod squared_error;
pub mod threshold;

pub use divergence::divergence;
pub use error::Error;
pub use growing_histogram::GrowingHistogram;
pub use histogram::Histogram;
pub use range::Range;
pub use rule::Rule;
pub use squared_error::expected_squared_error;
pub use threshold::Threshold;
