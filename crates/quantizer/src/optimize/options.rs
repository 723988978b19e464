//! What a caller may ask of an optimization.

use fp32_ref::Shape;

use crate::setters::setters;

/// What to keep, and what is known about the inputs.
///
/// ```
/// use quantizer::optimize::OptimizeOptions;
///
/// let options = OptimizeOptions::default().with_outputs(["boxes", "scores"]).with_keep(["features"]);
/// assert_eq!((options.outputs.len(), &*options.keep[0]), (2, "features"));
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
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

impl OptimizeOptions {
    setters! {
        with_input_shapes(input_shapes: impl Into<Vec<(String, Shape)>>) "shapes of inputs by blob name";
    }

    /// The same with the only blobs that are wanted.
    #[must_use]
    pub fn with_outputs<S: Into<String>>(mut self, outputs: impl IntoIterator<Item = S>) -> Self {
        self.outputs = outputs.into_iter().map(Into::into).collect();
        self
    }

    /// The same with blobs that must stay as they are.
    #[must_use]
    pub fn with_keep<S: Into<String>>(mut self, keep: impl IntoIterator<Item = S>) -> Self {
        self.keep = keep.into_iter().map(Into::into).collect();
        self
    }
}
