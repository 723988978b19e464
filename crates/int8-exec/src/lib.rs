//! Run a quantized ncnn network as ncnn's reference does, without the detours.

#![forbid(unsafe_code)]
