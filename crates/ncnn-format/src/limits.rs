//! How much a file may ask for.

/// Upper bounds that are checked before anything is allocated.
///
/// The defaults admit every model known to run on ncnn; lower them to read files
/// from strangers in little memory.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Layers in a model.
    pub layers: usize,
    /// Inputs plus outputs of one layer.
    pub blobs_per_layer: usize,
    /// Elements of one array parameter.
    pub array_len: usize,
    /// Bytes of a `.param` or `.table` text.
    pub text_bytes: u64,
    /// Elements of one weight blob.
    pub weight_elements: usize,
    /// Bytes of a `.bin`.
    pub bin_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            layers: 1 << 20,
            blobs_per_layer: 1 << 16,
            array_len: 1 << 20,
            text_bytes: 1 << 30,
            weight_elements: 1 << 31,
            bin_bytes: 1 << 36,
        }
    }
}
