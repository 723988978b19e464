//! ARMv8: the kernels of plain NEON, of `sdot` and of `smmla`.

mod depthwise;
mod finish;
mod rows;
mod vector;

use crate::arch::scalar;
use crate::isa::Level;
use crate::micro_kernel::{DenseKernel, DepthwiseKernel, KR, MicroKernels, WeightForm};

/// The tables differ in the products of dense layers; all else is NEON in each of them.
macro_rules! instruction_set {
    ($(#[$doc:meta])* $table:ident, $level:ident, $dense:expr, $depthwise:literal, $peak:expr) => {
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
                run: depthwise::depthwise,
            },
            finish: finish::finish,
            rows: rows::ROWS,
            peak: $peak,
        };
    };
}

const fn dense(name: &'static str) -> DenseKernel {
    DenseKernel {
        name,
        pixels: 4,
        halves: 1,
        lanes: 16,
        vectors: 1,
        least_vectors: 1,
        depths: KR,
        form: WeightForm::Rows,
        run: scalar::KERNELS.dense.run,
    }
}

instruction_set!(
    /// `smull`, `smlal` and `sadalp`.
    NEON, Neon, dense("dense_4x16c4__neon"), "depthwise_32x16c4__neon", scalar::KERNELS.peak
);
instruction_set!(
    /// `sdot`.
    DOTPROD, DotProd, dense("dense_4x16c4__dotprod"), "depthwise_32x16c4__dotprod", scalar::KERNELS.peak
);
instruction_set!(
    /// `smmla`.
    I8MM, I8mm, dense("dense_4x16c4__i8mm"), "depthwise_32x16c4__i8mm", scalar::KERNELS.peak
);
