//! The scales that calibration found.

use crate::SourceText;

/// A `.table`: one row of multipliers per key, in file order.
///
/// A key `<layer>_param_0` carries the weight scales of a layer (attention and
/// recurrent layers have `_param_1` to `_param_3` as well), the bare layer name the
/// scale of its input blob. A scale is 127 / threshold. Older tables mean something
/// else by the same form, see [`TableDialect`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ScaleTable {
    /// Rows in file order.
    pub rows: Vec<TableRow>,
    /// Comments behind the last row, as they were read.
    pub trailer: SourceText,
}

/// One line of a `.table`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TableRow {
    /// `<layer>_param_0` or `<layer>`.
    pub key: String,
    /// `name=value` words in front of the multipliers, in order: ncnnllm2table
    /// writes `bits`, `block`, `method` and `qweight`.
    pub attributes: Vec<(String, String)>,
    /// Multipliers.
    pub values: Vec<f32>,
    /// The comments above the row and its line, as they were read; written back
    /// while they still say the same as the fields above.
    pub source: SourceText,
}

impl TableRow {
    /// A row without attributes.
    pub fn new(key: impl Into<String>, values: Vec<f32>) -> Self {
        Self { key: key.into(), values, ..Self::default() }
    }

    /// The value of the attribute `name`.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Whether ncnn takes the row for weight scales, which it does when `_param_`
    /// stands anywhere in the key.
    pub fn is_weight_row(&self) -> bool {
        self.key.contains("_param_")
    }
}

impl ScaleTable {
    /// The weight scales of `layer`: row `<layer>_param_0`; the last one wins, as in ncnn2int8.
    pub fn weight_scales(&self, layer: &str) -> Option<&[f32]> {
        self.param_scales(layer, 0)
    }

    /// The scales in row `<layer>_param_<index>`: of the query, key and value weights
    /// and of the output of an attention layer (0 to 3), of the input and the hidden
    /// weights of a recurrent one (0 and 1). The last one wins.
    pub fn param_scales(&self, layer: &str, index: usize) -> Option<&[f32]> {
        let key = format!("{layer}_param_{index}");
        self.rows.iter().rev().find(|row| row.key == key).map(|row| row.values.as_slice())
    }

    /// The scale of the input blob of `layer`: row `<layer>`; the last one wins.
    pub fn input_scale(&self, layer: &str) -> Option<f32> {
        self.rows.iter().rev().find(|row| row.key == layer).and_then(|row| row.values.first().copied())
    }

    /// Appends a row.
    pub fn push(&mut self, key: impl Into<String>, values: Vec<f32>) {
        self.rows.push(TableRow::new(key, values));
    }
}

/// What the rows of a `.table` mean. The form does not tell: the same words have had
/// several meanings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TableDialect {
    /// What ncnn2table writes since 2019: one weight scale per output channel or
    /// group; the row of a layer's name is the scale of its input blob.
    Current,
    /// What the Caffe tool wrote in late 2018: the same, with one weight scale for a
    /// whole layer. ncnn2int8 reads it in the same sense.
    PerLayer,
    /// What the Caffe tool wrote in July 2018: the row of a *blob's* name (which in
    /// Caffe mostly is that of the layer that makes it) is the scale of that blob.
    /// Read as today's, every layer would be quantized with the scale of its output.
    Producer,
    /// What ncnnllm2table writes: block scales, with attributes in front.
    Block,
}
