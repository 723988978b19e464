//! ARMv8: the kernels of plain NEON, of `sdot` and of `smmla`.

#[macro_use]
mod dense;
mod dense_dotprod;
mod dense_i8mm;
mod dense_neon;
mod depthwise;
mod finish;
mod gather;
mod operands;
mod rows;
mod vector;
mod winograd;
mod words;

use crate::contract::{DenseKernel, DepthwiseKernel, Gather, MicroKernels, Strip, WeightForm};
use crate::isa::Level;

/// The tables differ in the products of dense layers; all else is NEON in each of them.
macro_rules! instruction_set {
    ($(#[$doc:meta])* $table:ident, $level:ident, $dense:expr, $depthwise:literal, $winograd:expr, $peak:expr) => {
        $(#[$doc])*
        pub(super) static $table: MicroKernels = MicroKernels {
            level: Level::$level,
            dense: $dense,
            depthwise: DepthwiseKernel {
                name: $depthwise,
                channels: depthwise::CHANNELS,
                pixels: depthwise::PIXELS,
                form: WeightForm::Rows,
                lanes: depthwise::CHANNELS,
                code: depthwise::depthwise,
            },
            winograd: $winograd,
            finish: finish::finish,
            rows: rows::ROWS,
            peak: $peak,
        };
    };
}

/// A kernel of up to 16 channels that gathers pixels.
const fn gathering(
    name: &'static str,
    depths: usize,
    form: WeightForm,
    gather: Gather,
    code: unsafe fn(&Strip<'_>, &mut [i32]),
) -> DenseKernel {
    DenseKernel {
        name,
        pixels: gather.pixels,
        halves: 1,
        lanes: operands::LANES,
        vectors: dense::VECTORS,
        least_vectors: 1,
        depths,
        form,
        gather: Some(gather),
        code,
    }
}

instruction_set!(
    /// `smull`, `smlal2` and `sadalp`.
    NEON, Neon,
    gathering("dense_5x16c4__neon", 4, WeightForm::BytePairs, gather::PAIRS, dense_neon::dense),
    "depthwise_32x16c4__neon", Some(winograd::KERNEL), (dense_neon::PEAK_MACS, dense_neon::peak)
);
instruction_set!(
    /// `sdot`.
    DOTPROD, DotProd,
    gathering("dense_6x16c4__dotprod", 4, WeightForm::Bytes, gather::SIXTEENS, dense_dotprod::dense),
    "depthwise_32x16c4__dotprod", None, (dense_dotprod::PEAK_MACS, dense_dotprod::peak)
);
instruction_set!(
    /// `smmla`.
    I8MM, I8mm,
    gathering("dense_6x16c8__i8mm", 8, WeightForm::Bytes, gather::EIGHTS, dense_i8mm::dense),
    "depthwise_32x16c4__i8mm", None, (dense_i8mm::PEAK_MACS, dense_i8mm::peak)
);
