//! What a caller may ask of an optimization.

use fp32_ref::Shape;

/// What to keep, and what is known about the inputs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OptimizeOptions {
    /// Shapes of inputs by blob name, in place of those that the file declares. Passes that
    /// depend on shapes do nothing where they are not known.
    pub input_shapes: Vec<(String, Shape)>,
    /// The only blobs that are wanted; layers that do not lead to them are removed. Empty:
    /// every blob that no layer reads.
    pub outputs: Vec<String>,
    /// Blobs between layers that must stay as they are, for programs that extract them.
    pub keep: Vec<String>,
}
