//! What is said of a layer type and its parameters.

use std::fmt;

/// A layer type, for inspectors and documentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LayerSpec {
    /// The name in a `.param` file.
    pub name: &'static str,
    /// The method of [`Layer`](crate::Layer) that reads the parameters.
    pub method: &'static str,
    /// What the layer does, in one line.
    pub summary: &'static str,
    /// Its parameters in the order in which ncnn reads them.
    pub params: &'static [ParamSpec],
}

/// One parameter of a layer type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParamSpec {
    /// The id in front of the `=`.
    pub id: u8,
    /// Its name in ncnn's sources, in snake case.
    pub name: &'static str,
    /// What ncnn takes its 32-bit words for.
    pub kind: ParamKind,
    /// The default, as an expression that may name other parameters.
    pub default: &'static str,
    /// What it says, with the values that it may have.
    pub meaning: &'static str,
}

/// What ncnn takes the words of a parameter for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ParamKind {
    /// A 32-bit integer.
    Int,
    /// A 32-bit float.
    Float,
    /// An array of integers.
    Ints,
    /// An array of floats.
    Floats,
    /// Text.
    Text,
}

impl fmt::Display for ParamKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Int => "int",
            Self::Float => "float",
            Self::Ints => "ints",
            Self::Floats => "floats",
            Self::Text => "text",
        })
    }
}

impl LayerSpec {
    /// The parameter with `id`.
    pub fn param(&self, id: u8) -> Option<&'static ParamSpec> {
        self.params.iter().find(|spec| spec.id == id)
    }
}
