//! The `.bin` file: weights one after another, as ncnn's `src/modelbin.cpp` reads them.

mod decode;
mod file;
mod half;
mod index;
mod place;
mod read;
mod source;
mod write;

pub use file::BinFile;
pub(crate) use index::index_weights;
pub use index::{BinIndex, WeightRef};
pub use read::OddPadding;
pub(crate) use read::{fill_weights, read_weights};
pub(crate) use source::Source;
pub(crate) use write::write_weights;

/// Half floats follow.
const TAG_F16: u32 = 0x0130_6B47;
/// int8 follows.
const TAG_I8: u32 = 0x000D_4B38;
/// f32 follows, as behind tag 0.
const TAG_LEGACY: u32 = 0x0002_C056;
/// f32 follows.
const TAG_F32: u32 = 0;
/// Every weight ends on a multiple of so many bytes.
const ALIGNMENT: usize = 4;
/// Values in front of 8-bit indices.
const TABLE_LEN: usize = 256;
