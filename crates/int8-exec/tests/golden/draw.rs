//! The generator that both sides draw weights and inputs from.

use ncnn_format::{Error, F32Tag, Result, WeightData};

use super::case::number;

/// x' = 1664525 x + 1013904223 mod 2³²; the upper 24 bits are a whole number.
pub(crate) struct Draw(u32);

const STEPS: f64 = 16_777_216.0;

impl Draw {
    pub(crate) fn new(seed: u32) -> Self {
        Self(seed)
    }

    fn whole(&mut self) -> i64 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        i64::from(self.0 >> 8)
    }

    /// Within `-limit..=limit`.
    fn integer(&mut self, limit: i64) -> i64 {
        ((self.whole() * (2 * limit + 1)) >> 24) - limit
    }

    /// `i8 COUNT LIMIT`, `i8c COUNT VALUE` (constant), `f32 COUNT LOW HIGH`, `f32z` the same with zeros.
    pub(crate) fn weights(&mut self, spec: &[&str]) -> Result<WeightData> {
        let floats = |values| Ok(WeightData::F32(values, F32Tag::Raw));
        match spec {
            ["i8", count, limit] => {
                let (count, limit) = (number::<usize>(count)?, number(limit)?);
                Ok(WeightData::I8((0..count).map(|_| self.integer(limit) as i8).collect()))
            }
            ["i8c", count, value] => Ok(WeightData::I8(vec![number(value)?; number(count)?])),
            [kind @ ("f32" | "f32z"), count, low, high] => {
                let (low, high) = (number::<f64>(low)?, number::<f64>(high)?);
                let value = |whole: i64| match whole % 8 {
                    0 if *kind == "f32z" => 0.0,
                    _ => (low + whole as f64 / STEPS * (high - low)) as f32,
                };
                floats((0..number::<usize>(count)?).map(|_| value(self.whole())).collect())
            }
            other => Err(Error::invalid(format!("unknown weights {other:?}"))),
        }
    }

    /// `real SCALE`: zeros, ties, outliers and others; `ints LIMIT`; `bits LIMIT`: int32 in the bits of
    /// floats; `flat VALUE`.
    pub(crate) fn input(&mut self, kind: &str, given: &str, count: usize) -> Result<Vec<f32>> {
        let given = number::<f64>(given)?;
        Ok(match kind {
            "flat" => vec![given as f32; count],
            "real" => (0..count).map(|_| (self.real() / given) as f32).collect(),
            "ints" => (0..count).map(|_| self.integer(given as i64) as f32).collect(),
            "bits" => (0..count).map(|_| f32::from_bits(self.integer(given as i64) as u32)).collect(),
            other => return Err(Error::invalid(format!("unknown input {other}"))),
        })
    }

    fn real(&mut self) -> f64 {
        let (sort, whole) = (self.whole() % 16, self.whole());
        let spread = whole as f64 / STEPS * 2.0 - 1.0;
        match sort {
            0 => 0.0 * spread,
            1 => ((whole * 261) >> 24) as f64 - 130.0 + 0.5,
            2 => spread * 1e6,
            _ => spread * 140.0,
        }
    }
}
