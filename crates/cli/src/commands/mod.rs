//! One file per subcommand: its arguments, its work, its words.

pub mod bench;
mod bench_layers;
pub mod calibrate;
pub mod check;
pub mod compare;
pub mod convert;
pub mod diff;
mod diff_model;
mod diff_table;
mod diff_weights;
pub mod inspect;
mod inspect_layers;
mod inspect_params;
mod inspect_shapes;
mod inspect_table;
mod inspect_weights;
pub mod machine;
pub mod merge;
mod model_file;
pub mod optimize;
pub mod outputs;
mod plain_model;
pub mod plan;
pub mod quantize;
pub mod run;
pub mod thresholds;
