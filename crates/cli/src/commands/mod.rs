//! One file per subcommand: its arguments, its work, its words.

pub mod calibrate;
pub mod compare;
pub mod inspect;
pub mod outputs;
pub mod quantize;
pub mod run;
