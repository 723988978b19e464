//! The types of layers.

use std::fmt;

macro_rules! layer_kinds {
    ($($name:ident,)*) => {
        /// A layer type: one of ncnn's own, or a name that it does not know.
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        #[allow(clippy::upper_case_acronyms, reason = "ncnn's names, letter by letter")]
        pub enum LayerKind {
            $(
                #[doc = concat!("ncnn's `", stringify!($name), "`.")]
                $name,
            )*
            /// A custom layer; kept verbatim.
            Custom(Box<str>),
        }

        impl LayerKind {
            /// ncnn's own types; the position is the type number in `.param.bin`.
            pub const BUILTIN: &[LayerKind] = &[$(LayerKind::$name),*];

            /// The name in a `.param` file.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$name => stringify!($name),)*
                    Self::Custom(name) => name,
                }
            }
        }

        impl From<&str> for LayerKind {
            fn from(name: &str) -> Self {
                match name {
                    $(stringify!($name) => Self::$name,)*
                    _ => Self::Custom(name.into()),
                }
            }
        }
    };
}

// In the order of ncnn's type numbers, from 0.
#[rustfmt::skip]
layer_kinds! {
    AbsVal, ArgMax, BatchNorm, Bias, BNLL, Concat, Convolution, Crop,
    Deconvolution, Dropout, Eltwise, ELU, Embed, Exp, Flatten, InnerProduct,
    Input, Log, LRN, MemoryData, MVN, Pooling, Power, PReLU,
    Proposal, Reduction, ReLU, Reshape, ROIPooling, Scale, Sigmoid, Slice,
    Softmax, Split, SPP, TanH, Threshold, Tile, RNN, LSTM,
    BinaryOp, UnaryOp, ConvolutionDepthWise, Padding, Squeeze, ExpandDims, Normalize, Permute,
    PriorBox, DetectionOutput, Interp, DeconvolutionDepthWise, ShuffleChannel, InstanceNorm, Clip, Reorg,
    YoloDetectionOutput, Quantize, Dequantize, Yolov3DetectionOutput, PSROIPooling, ROIAlign, Packing, Requantize,
    Cast, HardSigmoid, SELU, HardSwish, Noop, PixelShuffle, DeepCopy, Mish,
    StatisticsPooling, Swish, Gemm, GroupNorm, LayerNorm, Softplus, GRU, MultiHeadAttention,
    GELU, Convolution1D, Pooling1D, ConvolutionDepthWise1D, Convolution3D, ConvolutionDepthWise3D, Pooling3D, MatMul,
    Deconvolution1D, DeconvolutionDepthWise1D, Deconvolution3D, DeconvolutionDepthWise3D, Einsum, DeformableConv2D, GLU, Fold,
    Unfold, GridSample, CumulativeSum, CopyTo, Erf, Diag, CELU, Shrink,
    RMSNorm, Spectrogram, InverseSpectrogram, Flip, SDPA, RotaryEmbed,
}

impl fmt::Display for LayerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A layer type is its name, as in a `.param` file.
#[cfg(feature = "serde")]
impl serde::Serialize for LayerKind {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for LayerKind {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        std::borrow::Cow::<str>::deserialize(deserializer).map(|name| Self::from(&*name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_ncnns() {
        assert_eq!(LayerKind::BUILTIN[6], LayerKind::Convolution);
        assert_eq!(LayerKind::BUILTIN[42], LayerKind::ConvolutionDepthWise);
        assert_eq!(LayerKind::BUILTIN[109], LayerKind::RotaryEmbed);
        assert_eq!(LayerKind::BUILTIN.len(), 110);
    }

    #[test]
    fn an_unknown_name_is_kept() {
        assert_eq!(LayerKind::from("YoloV9Head").as_str(), "YoloV9Head");
    }
}
