//! The strategies, one per method.

mod auto;
mod easy_quant;
mod moving_average;
mod ncnn;
mod one_rule;

pub use auto::Auto;
pub use easy_quant::EasyQuant;
pub use moving_average::MovingAverage;
pub use ncnn::Ncnn;
pub use one_rule::OneRule;
