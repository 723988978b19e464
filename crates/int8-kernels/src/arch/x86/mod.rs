//! x86-64: one file of vector operations per width, one of products per instruction set, and macros
//! that make the kernels of each set from them.

#[macro_use]
mod operations;
#[macro_use]
mod dense;
#[macro_use]
mod depthwise;
#[macro_use]
mod rows;
#[macro_use]
mod winograd_product;
#[macro_use]
mod words;
mod vector128;
mod vector256;
mod vector512;

/// The kernels of one instruction set. `$pixels` lists the pixels of a half that get a kernel.
macro_rules! instruction_set {
    (
        $(#[$doc:meta])*
        $module:ident, $level:ident, $features:literal, $vector:ident, $product:ident,
        tile $halves:literal x [$($pixels:literal)*] x [$($vectors:literal)*], names $dense:literal, $depthwise:literal,
        winograd [$($tiles:literal)*] from $channels:literal channels $least_tiles:literal tiles, name $winograd:literal
    ) => {
        $(#[$doc])*
        pub(super) mod $module {
            use super::$vector::*;
            use super::$vector::$product as product;
            use crate::isa::Level;
            use crate::contract::{DenseKernel, DepthwiseKernel, KR, MicroKernels, RowKernels, WinogradKernel};

            dense_kernel!($features, $halves x [$($pixels)*] x [$($vectors)*]);
            depthwise_kernel!($features);
            finish_kernel!($features);
            row_kernels!($features);
            winograd_transforms!($features);
            winograd_product!($features, [$($tiles)*] x [$($vectors)*]);

            pub(in crate::arch) static KERNELS: MicroKernels = MicroKernels {
                level: Level::$level,
                dense: DenseKernel {
                    name: $dense,
                    pixels: MOST_PIXELS,
                    halves: $halves,
                    lanes: LANES,
                    vectors: MOST_VECTORS,
                    least_vectors: LEAST_VECTORS,
                    depths: KR,
                    form: product::FORM,
                    gather: None,
                    code: dense,
                },
                depthwise: DepthwiseKernel {
                    name: $depthwise,
                    channels: 4 * LANES,
                    pixels: DEPTHWISE_PIXELS,
                    form: product::FORM,
                    lanes: LANES,
                    code: depthwise,
                },
                winograd: Some(WinogradKernel {
                    name: $winograd,
                    blocks: BLOCKS,
                    lanes: LANES,
                    depths: 2,
                    vectors: MOST_VECTORS,
                    least_vectors: LEAST_VECTORS,
                    least_channels: $channels,
                    least_tiles: $least_tiles,
                    transform_inputs,
                    multiply: multiply_tiles,
                    transform_sums,
                }),
                finish,
                rows: RowKernels { quantize, dequantize, requantize: requantize_row, interleave: interleave_three, max },
                peak: ((PEAK_SUMS * LANES * KR) as u64, peak),
            };
        }
    };
}

instruction_set!(
    /// `pmaddwd` on 128 bits.
    sse41, Sse41, "sse4.1", vector128, words,
    tile 2 x [1 2] x [2], names "dense_4x8c4__sse41", "depthwise_8x16c4__sse41",
    winograd [4 5 6] from 16 channels 4 tiles, name "winograd_6x8c2__sse41"
);
instruction_set!(
    /// `vpmaddwd` on 256 bits.
    avx2, Avx2, "avx2,fma", vector256, words,
    tile 2 x [1 2] x [2], names "dense_4x16c4__avx2", "depthwise_8x32c4__avx2",
    winograd [4 5 6] from 16 channels 4 tiles, name "winograd_6x16c2__avx2"
);
instruction_set!(
    /// `vpdpbusd` on 256 bits in its VEX encoding.
    avxvnni, AvxVnni, "avx2,fma,avxvnni", vector256, vnni,
    tile 2 x [1 2 3] x [2], names "dense_6x16c4__avxvnni", "depthwise_8x32c4__avxvnni",
    winograd [4 5 6] from 64 channels 49 tiles, name "winograd_6x16c2__avxvnni"
);
instruction_set!(
    /// `vpmaddwd` on 512 bits.
    avx512bw, Avx512Bw, "avx2,fma,avx512f,avx512bw,avx512vl", vector512, words,
    tile 2 x [1 2 3 4 5 6 7] x [1 2], names "dense_14x32c4__avx512bw", "depthwise_8x64c4__avx512bw",
    winograd [4 6 7 8 10 12 14] from 16 channels 9 tiles, name "winograd_14x32c2__avx512bw"
);
instruction_set!(
    /// `vpdpbusd` on 512 bits.
    avx512vnni, Avx512Vnni, "avx2,fma,avx512f,avx512bw,avx512vl,avx512vnni", vector512, vnni,
    tile 2 x [1 2 3 4 5 6 7] x [1 2], names "dense_14x32c4__avx512vnni", "depthwise_8x64c4__avx512vnni",
    winograd [4 6 7 8 10 12 14] from 64 channels 49 tiles, name "winograd_14x32c2__avx512vnni"
);
