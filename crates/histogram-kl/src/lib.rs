#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod aciq;
mod divergence;
mod error;
mod growing_histogram;
mod histogram;
pub mod js;
pub mod kl;
pub mod kl_merge;
mod ln;
mod maxima;
pub mod percentile;
mod range;
mod rule;
mod simd;
mod slots;
pub mod squared_error;
#[cfg(feature = "serde")]
mod stored;
mod threshold;

pub use divergence::divergence;
pub use error::Error;
pub use growing_histogram::GrowingHistogram;
pub use histogram::Histogram;
pub use maxima::Maxima;
pub use percentile::Percent;
pub use range::Range;
pub use rule::Rule;
pub use squared_error::{expected_squared_error, sqnr_db};
pub use threshold::Threshold;

/// Compiles and runs the example programs.
#[cfg(doctest)]
mod examples {
    /// ```
    #[doc = include_str!("../examples/pick_threshold.rs")]
    /// ```
    struct PickThreshold;

    /// ```
    #[doc = include_str!("../examples/compare_rules.rs")]
    /// ```
    struct CompareRules;
}
