//! The ncnn-quant command line: calibrate, quantize, run, compare and inspect ncnn models.

#![forbid(unsafe_code)]
