//! What the passes did and left alone.

use std::fmt;

use ncnn_format::{LayerKind, Remark};

/// One simplification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The pass that made it.
    pub pass: &'static str,
    /// The layer that is gone or changed.
    pub layer: String,
    /// Its type before.
    pub kind: LayerKind,
    /// What became of it: "folded into conv1", say.
    pub what: String,
}

/// A simplification that was possible but for one condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The pass that wanted it.
    pub pass: &'static str,
    /// The layer that stays.
    pub layer: String,
    /// Its type.
    pub kind: LayerKind,
    /// The condition that does not hold.
    pub reason: String,
}

impl Change {
    /// The same as a remark, `optimized`.
    pub fn remark(&self) -> Remark {
        Remark::note("optimized", format!("{}: {}", self.kind, self.what)).in_layer(&self.layer)
    }
}

impl Refusal {
    /// The same as a remark, `not-optimized`.
    pub fn remark(&self) -> Remark {
        Remark::note("not-optimized", format!("{} stays: {}", self.kind, self.reason)).in_layer(&self.layer)
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.kind, self.layer, self.what)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} stays: {}", self.kind, self.layer, self.reason)
    }
}
