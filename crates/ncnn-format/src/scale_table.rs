//! The scales that calibration found.

/// A `.table`: one row of multipliers per key, in file order.
///
/// A key `<layer>_param_0` carries the weight scales of a layer, the bare layer
/// name the scale of its input blob. A scale is 127 / threshold.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ScaleTable {
    /// Rows in file order.
    pub rows: Vec<TableRow>,
}

/// One line of a `.table`.
#[derive(Debug, Clone, PartialEq)]
pub struct TableRow {
    /// `<layer>_param_0` or `<layer>`.
    pub key: String,
    /// Multipliers.
    pub values: Vec<f32>,
}

impl ScaleTable {
    /// The weight scales of `layer`: row `<layer>_param_0`; the last one wins, as in ncnn2int8.
    pub fn weight_scales(&self, layer: &str) -> Option<&[f32]> {
        self.rows
            .iter()
            .rev()
            .find(|row| row.key.strip_suffix("_param_0") == Some(layer))
            .map(|row| row.values.as_slice())
    }

    /// The scale of the input blob of `layer`: row `<layer>`; the last one wins.
    pub fn input_scale(&self, layer: &str) -> Option<f32> {
        self.rows.iter().rev().find(|row| row.key == layer).and_then(|row| row.values.first().copied())
    }

    /// Appends a row.
    pub fn push(&mut self, key: impl Into<String>, values: Vec<f32>) {
        self.rows.push(TableRow { key: key.into(), values });
    }
}
