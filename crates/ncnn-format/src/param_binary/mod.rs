//! The `.param.bin` file: the `.param` text as 32-bit words, as ncnn's
//! `Net::load_param_bin` (`src/net.cpp`) reads it.
//!
//! ```text
//! file   = magic , layer count , blob count , { layer } ;
//! layer  = type , input count , output count , { input } , { output } , { record } , END ;
//! record = id , word                            (* id in 0..32 *)
//!        | -23300 - id , length , { word }
//!        | -23400 - id , length , { byte } ;    (* filled up with zeros to whole words *)
//! ```
//!
//! All words are little-endian. The file stores no names, so layers and blobs get
//! theirs from their numbers when they are read ([`names`]).

mod names;
mod read;
mod write;

pub(crate) use read::{is_param_binary, parse_binary};
pub(crate) use write::write_binary;

/// The first word of the file, as it is the first number of the text.
const MAGIC: i32 = 7_767_517;
/// Ends the records of a layer.
const END: i32 = -233;
/// Added to the negated id of an array.
const ARRAY: i32 = -23300;
/// Added to the negated id of a text.
const TEXT: i32 = -23400;
/// ncnn refuses longer texts.
const TEXT_BYTES: usize = 255;
/// Marks the number of a custom layer type.
const CUSTOM: i32 = 1 << 8;
/// Bytes of a word.
const WORD: usize = 4;
