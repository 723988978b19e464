//! Every public function with lengths that do not match and with sizes of zero, one and the largest there are.
//!
//! Each call ends in a value or an error: it neither panics nor asks for memory that its operands do not explain. CI runs
//! this under the address sanitizer too (`.ci/run abuse`), which also sees reads and writes beyond an allocation.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod convolutions;
mod memory;
mod numbers;
mod products;
mod sources;
mod values;

use std::collections::BTreeSet;

use numbers::Calls;

/// What to do to a function.
type Abuse = fn(&mut Calls);

/// All public functions: module, type and name.
const FUNCTIONS: &[(&str, Abuse)] = &[
    ("activation::Activation::apply", values::activation),
    ("conv::PackedConv::isa", convolutions::packed),
    ("conv::PackedConv::new", convolutions::packed_new),
    ("conv::PackedConv::output_size", convolutions::packed),
    ("conv::PackedConv::run", convolutions::packed),
    ("conv::PackedConv::shape", convolutions::packed),
    ("conv1x1::Conv1x1::accumulate", products::conv1x1),
    ("conv1x1::Conv1x1::into_inner", products::conv1x1),
    ("conv1x1::Conv1x1::new", products::conv1x1_new),
    ("conv1x1::Conv1x1::run", products::conv1x1),
    ("conv1x1::Conv1x1::with_epilogue", products::conv1x1),
    ("convert::dequantize_values", values::slices),
    ("convert::quantize_planes", values::planes),
    ("convert::quantize_values", values::slices),
    ("convert::requantize_values", values::slices),
    ("epilogue::Epilogue::channels", values::epilogue),
    ("epilogue::Epilogue::dequantize", values::epilogue),
    ("epilogue::Epilogue::new", values::epilogue),
    ("epilogue::Epilogue::requantize", values::epilogue),
    ("epilogue::Epilogue::with_fused_bias", values::epilogue),
    ("epilogue::dequantize_scale", values::quantize_one),
    ("gemm::Gemm::accumulate", products::gemm),
    ("gemm::Gemm::depth", products::gemm),
    ("gemm::Gemm::new", products::gemm_new),
    ("gemm::Gemm::outputs", products::gemm),
    ("gemm::Gemm::run", products::gemm),
    ("gemm::Gemm::with_epilogue", products::gemm),
    ("geometry::ConvShape::depth", values::shapes),
    ("geometry::ConvShape::is_depthwise", values::shapes),
    ("geometry::ConvShape::output_size", values::shapes),
    ("geometry::ConvShape::pointwise", values::shapes),
    ("geometry::ConvShape::validate", values::shapes),
    ("geometry::Padding::is_empty", values::shapes),
    ("geometry::Padding::uniform", values::shapes),
    ("im2col::im2col", products::im2col_of),
    ("im2col::im2col_len", products::im2col_of),
    ("image::Image::bytes", values::image),
    ("image::Image::channels", values::image),
    ("image::Image::height", values::image),
    ("image::Image::new", values::image),
    ("image::Image::pixel_stride", values::image),
    ("image::Image::width", values::image),
    ("image::stored", values::quantize_one),
    ("image::unstored", values::quantize_one),
    ("isa::Isa::available", values::isa),
    ("isa::Isa::by_name", values::isa),
    ("isa::Isa::detect", values::isa),
    ("isa::Isa::name", values::isa),
    ("isa::Isa::scalar", values::isa),
    ("max_pool::PoolWindow::output_size", values::pool),
    ("max_pool::max_pool", values::pool),
    ("peak::peak_macs_per_second", values::isa),
    ("pixel_conv::PixelConv::accumulate", convolutions::accumulate),
    ("pixel_conv::PixelConv::algorithm", convolutions::questions),
    ("pixel_conv::PixelConv::isa", convolutions::questions),
    ("pixel_conv::PixelConv::kernel", convolutions::questions),
    ("pixel_conv::PixelConv::new", convolutions::new),
    ("pixel_conv::PixelConv::prepare", convolutions::questions),
    ("pixel_conv::PixelConv::rows_together", convolutions::questions),
    ("pixel_conv::PixelConv::run", convolutions::run),
    ("pixel_conv::PixelConv::shape", convolutions::questions),
    ("pixel_conv::PixelConv::with_algorithm", convolutions::new),
    ("pixel_conv::PixelConv::with_epilogue", convolutions::questions),
    ("quantize::quantize", values::quantize_one),
    ("quantize::quantize_slice", values::slices),
    ("reference::conv", products::reference_conv),
    ("reference::gemm", products::reference_gemm),
    ("sink::Place::whole", values::shapes),
];

#[test]
fn no_public_function_is_missing_here() {
    let listed: BTreeSet<String> = FUNCTIONS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let found = sources::public_functions();
    assert_eq!(found.difference(&listed).collect::<Vec<_>>(), [""; 0], "public, but not abused here");
    assert_eq!(listed.difference(&found).collect::<Vec<_>>(), [""; 0], "abused here, but not public");
}

#[test]
fn every_public_function_survives_any_operands() {
    let mut calls = Calls::default();
    let mut done: Vec<Abuse> = Vec::new();
    for (name, abuse) in FUNCTIONS {
        if done.iter().any(|other| std::ptr::fn_addr_eq(*other, *abuse)) {
            continue;
        }
        let before = calls.count();
        memory::forget();
        abuse(&mut calls);
        let largest = memory::largest();
        assert!(largest < 64 << 20, "{name} and its like asked for {largest} bytes");
        assert!(calls.count() > before, "{name} was not called");
        done.push(*abuse);
    }
    println!("{} public functions, {} calls", FUNCTIONS.len(), calls.count());
    assert!(calls.count() > numbers::times(200_000), "{} calls are few", calls.count());
}
