//! Multiply int8 tensors exactly, as fast as the CPU allows.
