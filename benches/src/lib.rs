//! What the benches share: data that is the same on every run, and the fixtures.
//!
//! `cargo bench -p benches` runs all of them; `cargo bench -p benches --bench format`
//! runs one file.

#![forbid(unsafe_code)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Seeded numbers: the benches need variety, not randomness.
#[derive(Debug, Clone)]
pub struct Lcg(pub u32);

impl Lcg {
    /// 24 bits that look random.
    pub fn bits(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.0 >> 8
    }

    /// `len` values within ±127.
    pub fn bytes(&mut self, len: usize) -> Vec<i8> {
        (0..len).map(|_| ((self.bits() % 255) as i16 - 127) as i8).collect()
    }

    /// `len` values distributed roughly as activations are: many small, few large.
    pub fn floats(&mut self, len: usize) -> Vec<f32> {
        let mut uniform = || self.bits() as f32 / (1 << 23) as f32 - 1.0;
        (0..len).map(|_| uniform() * uniform() * uniform() * 8.0).collect()
    }
}

/// A file of the repository's `fixtures` folder.
pub fn fixture(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures").join(path)
}

/// A `.param` text of `layers` layers, as a residual network has them.
pub fn param_text(layers: usize) -> String {
    let mut text = format!("7767517\n{layers} {layers}\nInput            data             0 1 b0 0=224 1=224 2=3\n");
    for i in 1..layers {
        let from = i - 1;
        // Writing to a String cannot fail.
        let _ = match i % 4 {
            0 => writeln!(
                text,
                "Convolution      conv_{i}         1 1 b{from} b{i} 0=64 1=3 11=3 2=1 3=1 4=1 14=1 5=1 6=36864 9=1"
            ),
            1 => writeln!(text, "BinaryOp         add_{i}          1 1 b{from} b{i} 0=0 1=1 2=5.000000e-01"),
            2 => writeln!(
                text,
                "ConvolutionDepthWise dw_{i} 1 1 b{from} b{i} 0=64 1=3 4=1 5=1 6=576 7=64 9=3 -23310=2,0.000000e+00,6.000000e+00"
            ),
            _ => writeln!(text, "ReLU             relu_{i}         1 1 b{from} b{i} -23330=4,3,56,56,64"),
        };
    }
    text
}
