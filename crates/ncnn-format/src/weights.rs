//! Weights and how the file stores them.

use std::borrow::Cow;
use std::fmt;

use half::f16;

/// One blob of the `.bin`.
#[derive(Debug, Clone, PartialEq)]
pub struct Weight {
    /// What the layer uses it for.
    pub role: WeightRole,
    /// Its elements, kept as stored.
    pub data: WeightData,
}

/// What a layer uses a weight for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum WeightRole {
    /// Kernel or matrix.
    Weight,
    /// Added per output channel.
    Bias,
    /// int8 multipliers of the weights, one per output channel or group.
    WeightScales,
    /// int8 multiplier of the input blob.
    InputScale,
    /// int8 multiplier of the output blob (requantizing layers).
    OutputScale,
    /// Slope of BatchNorm or PReLU.
    Slope,
    /// Mean of BatchNorm.
    Mean,
    /// Variance of BatchNorm.
    Variance,
    /// Multiplier of a normalization.
    Gamma,
    /// Offset of a normalization.
    Beta,
    /// Multiplier of Scale, Normalize, Quantize and Dequantize.
    Scale,
    /// Constant of MemoryData.
    Data,
    /// Per-channel values of Padding.
    PadValues,
    /// Input projection of a recurrent layer.
    InputWeight,
    /// Hidden projection of a recurrent layer.
    HiddenWeight,
    /// Output projection of an LSTM.
    ProjectionWeight,
    /// int8 multipliers of [`WeightRole::InputWeight`].
    InputWeightScales,
    /// int8 multipliers of [`WeightRole::HiddenWeight`].
    HiddenWeightScales,
    /// Query projection of an attention layer.
    QueryWeight,
    /// Query bias.
    QueryBias,
    /// Key projection.
    KeyWeight,
    /// Key bias.
    KeyBias,
    /// Value projection.
    ValueWeight,
    /// Value bias.
    ValueBias,
    /// Output projection of an attention layer.
    OutWeight,
    /// Output bias of an attention layer.
    OutBias,
    /// int8 multipliers of [`WeightRole::QueryWeight`].
    QueryScales,
    /// int8 multipliers of [`WeightRole::KeyWeight`].
    KeyScales,
    /// int8 multipliers of [`WeightRole::ValueWeight`].
    ValueScales,
    /// int8 multiplier of [`WeightRole::OutWeight`].
    OutScale,
    /// Constant A of Gemm.
    MatrixA,
    /// Constant B of Gemm.
    MatrixB,
    /// Constant C of Gemm.
    MatrixC,
    /// int8 multipliers of [`WeightRole::MatrixA`].
    MatrixAScales,
    /// int8 multiplier of [`WeightRole::MatrixB`].
    MatrixBScale,
    /// Multipliers of the packed values of [`WeightRole::MatrixB`], per row and block.
    MatrixBBlockScales,
    /// Multipliers of the input columns that meet [`WeightRole::MatrixB`].
    MatrixBInputScales,
    /// Multipliers of the packed values of [`WeightRole::QueryWeight`], per row and block.
    QueryBlockScales,
    /// Multipliers of the input columns that meet [`WeightRole::QueryWeight`].
    QueryInputScales,
    /// Multipliers of the packed values of [`WeightRole::KeyWeight`], per row and block.
    KeyBlockScales,
    /// Multipliers of the input columns that meet [`WeightRole::KeyWeight`].
    KeyInputScales,
    /// Multipliers of the packed values of [`WeightRole::ValueWeight`], per row and block.
    ValueBlockScales,
    /// Multipliers of the input columns that meet [`WeightRole::ValueWeight`].
    ValueInputScales,
    /// Multipliers of the packed values of [`WeightRole::OutWeight`], per row and block.
    OutBlockScales,
    /// Multipliers of the columns that meet [`WeightRole::OutWeight`].
    OutInputScales,
}

impl fmt::Display for WeightRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // "InputWeightScales" -> "input weight scales"
        for (i, c) in format!("{self:?}").char_indices() {
            if i > 0 && c.is_ascii_uppercase() {
                f.write_str(" ")?;
            }
            write!(f, "{}", c.to_ascii_lowercase())?;
        }
        Ok(())
    }
}

/// Elements as the file stores them.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum WeightData {
    /// f32 values, with what stood in front of them.
    F32(Vec<f32>, F32Tag),
    /// IEEE half floats, behind tag 0x01306B47.
    F16(Vec<f16>),
    /// int8, behind tag 0x000D4B38.
    I8(Vec<i8>),
    /// 8-bit indices into 256 f32 values, behind any other tag (kept here).
    Table {
        /// The tag found in the file.
        tag: u32,
        /// The values that the indices stand for.
        table: Box<[f32; 256]>,
        /// One index per element.
        indices: Vec<u8>,
    },
    /// Values of 4, 6 or 8 bits in blocks, packed low bits first, each row from a byte
    /// on. Bytes, not values, are the elements.
    Packed {
        /// Whether the tag of int8 stands in front, as in ncnn of July 2026. The release
        /// of October 2026 reads packed values without it.
        tagged: bool,
        /// The rows, one after another.
        bytes: Vec<u8>,
    },
}

/// What precedes f32 values in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum F32Tag {
    /// Nothing: the layer always reads plain floats here.
    Raw,
    /// Tag 0.
    Tagged,
    /// The legacy tag 0x0002C056.
    Legacy,
}

/// The kind of number in storage, without the numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Storage {
    /// 32-bit floats.
    F32,
    /// 16-bit floats.
    F16,
    /// 8-bit integers.
    I8,
    /// 8-bit indices into a table of 256 floats.
    Table,
    /// Integers of 4, 6 or 8 bits in bytes.
    Packed,
}

impl fmt::Display for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "fp32",
            Self::F16 => "fp16",
            Self::I8 => "int8",
            Self::Table => "table",
            Self::Packed => "packed",
        })
    }
}

impl WeightData {
    /// The number of elements.
    pub fn len(&self) -> usize {
        match self {
            Self::F32(values, _) => values.len(),
            Self::F16(values) => values.len(),
            Self::I8(values) => values.len(),
            Self::Table { indices, .. } => indices.len(),
            Self::Packed { bytes, .. } => bytes.len(),
        }
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The kind of number stored.
    pub fn storage(&self) -> Storage {
        match self {
            Self::F32(..) => Storage::F32,
            Self::F16(_) => Storage::F16,
            Self::I8(_) => Storage::I8,
            Self::Table { .. } => Storage::Table,
            Self::Packed { .. } => Storage::Packed,
        }
    }

    /// The elements as f32, as ncnn's loader makes them; `None` for int8 and packed values.
    pub fn to_f32(&self) -> Option<Cow<'_, [f32]>> {
        match self {
            Self::F32(values, _) => Some(Cow::Borrowed(values)),
            Self::F16(values) => Some(values.iter().map(|value| value.to_f32()).collect()),
            Self::I8(_) | Self::Packed { .. } => None,
            Self::Table { table, indices, .. } => {
                Some(indices.iter().map(|&index| table[usize::from(index)]).collect())
            }
        }
    }

    /// The elements if they are int8.
    pub fn as_i8(&self) -> Option<&[i8]> {
        match self {
            Self::I8(values) => Some(values),
            _ => None,
        }
    }

    /// The bytes that the blob takes in a `.bin`: tag, elements and padding.
    pub fn stored_bytes(&self) -> usize {
        match self {
            Self::F32(values, tag) => 4 * values.len() + if *tag == F32Tag::Raw { 0 } else { 4 },
            Self::F16(values) => 4 + (2 * values.len()).next_multiple_of(4),
            Self::I8(values) => 4 + values.len().next_multiple_of(4),
            Self::Table { indices, .. } => 4 + 4 * 256 + indices.len().next_multiple_of(4),
            Self::Packed { tagged, bytes } => 4 * usize::from(*tagged) + bytes.len().next_multiple_of(4),
        }
    }
}
