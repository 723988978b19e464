//! What the rows of a table mean, and old tables turned into today's.

use std::collections::{HashMap, HashSet};

use crate::{Error, Layer, LayerKind, LinearLayer, Model, Result, ScaleTable, TableDialect, TableRow};

/// Judges `table` by the model that it is for.
pub(crate) fn dialect(table: &ScaleTable, model: &Model) -> TableDialect {
    if block_row(table).is_some() {
        TableDialect::Block
    } else if producer_row(table, model).is_some() {
        TableDialect::Producer
    } else if has_one_scale_per_layer(table, model) {
        TableDialect::PerLayer
    } else {
        TableDialect::Current
    }
}

/// Explains a dialect that cannot be read as today's.
pub(crate) fn check_dialect(table: &ScaleTable, model: &Model) -> Result<()> {
    if let Some(row) = block_row(table) {
        return Err(Error::unsupported(format!(
            "row {} has attributes: these are the block scales that ncnnllm2table makes for ncnnllm2int, not a \
             table for int8",
            row.key
        )));
    }
    if let Some(row) = producer_row(table, model) {
        return Err(Error::unsupported(format!(
            "row {} is named after a blob: this is a table of July 2018, whose rows hold the scale of what a layer \
             makes, where today's hold the scale of what it reads; remap it with its model first",
            row.key
        )));
    }
    Ok(())
}

/// Today's rows from rows that are named after blobs.
pub(crate) fn remap_producers(table: &ScaleTable, model: &Model) -> Result<ScaleTable> {
    let mut made = ScaleTable::default();
    made.rows.extend(table.rows.iter().filter(|row| row.is_weight_row()).cloned());
    let blobs = Blobs::new(table, model);
    for layer in model.layers.iter().filter(|layer| is_quantized(layer)) {
        if table.weight_scales(&layer.name).is_some() {
            let values = blobs.scale_of_input(layer).map_err(|error| error.in_layer(&layer.name))?;
            made.push(&*layer.name, values.to_vec());
        }
    }
    Ok(made)
}

/// Whether a table has rows for the layer, or would have if its parameters could be read.
fn is_quantized(layer: &Layer) -> bool {
    LinearLayer::of(layer).map_or(true, |linear| linear.is_some_and(|linear| linear.has_table_rows()))
}

fn quantized(layer: &Layer) -> Option<LinearLayer> {
    LinearLayer::of(layer).ok().flatten().filter(LinearLayer::has_table_rows)
}

fn block_row(table: &ScaleTable) -> Option<&TableRow> {
    table.rows.iter().find(|row| !row.attributes.is_empty())
}

/// A row named after a blob (or the layer that makes it) that cannot be meant as the
/// input of a layer, because no layer of that name is quantized: the network's own
/// input, the output of a pooling. Tables of July 2018 have a row for every blob.
fn producer_row<'t>(table: &'t ScaleTable, model: &Model) -> Option<&'t TableRow> {
    let quantized: HashSet<&str> =
        model.layers.iter().filter(|layer| is_quantized(layer)).map(|layer| layer.name.as_str()).collect();
    let others = model.layers.iter().filter(|layer| !is_quantized(layer));
    let made: HashSet<&str> = others
        .flat_map(|layer| layer.outputs.iter().chain([&layer.name]))
        .map(String::as_str)
        .filter(|name| !quantized.contains(name))
        .collect();
    table.rows.iter().find(|row| !row.is_weight_row() && made.contains(row.key.as_str()))
}

fn has_one_scale_per_layer(table: &ScaleTable, model: &Model) -> bool {
    let has_several = |linear: LinearLayer| linear.outputs > 1 && !linear.has_groups();
    let several = model.layers.iter().filter(|layer| quantized(layer).is_some_and(has_several));
    let mut lengths = several.filter_map(|layer| table.weight_scales(&layer.name)).map(<[f32]>::len).peekable();
    lengths.peek().is_some() && lengths.all(|len| len == 1)
}

/// The rows of blobs, and who makes which blob.
struct Blobs<'a> {
    scales: HashMap<&'a str, &'a [f32]>,
    makers: HashMap<&'a str, &'a Layer>,
}

impl<'a> Blobs<'a> {
    fn new(table: &'a ScaleTable, model: &'a Model) -> Self {
        let rows = table.rows.iter().filter(|row| !row.is_weight_row());
        let mut makers: HashMap<&str, &Layer> = HashMap::new();
        for layer in &model.layers {
            for output in &layer.outputs {
                makers.entry(output).or_insert(layer);
            }
        }
        Self { scales: rows.map(|row| (row.key.as_str(), row.values.as_slice())).collect(), makers }
    }

    fn scale_of_input(&self, layer: &'a Layer) -> Result<&'a [f32]> {
        let Some(input) = layer.inputs.first() else { return Err(Error::invalid("reads no blob")) };
        let mut blob = input.as_str();
        // A file may name blobs in a circle.
        for _ in 0..=self.makers.len() {
            if let Some(scale) = self.scales.get(blob) {
                return Ok(scale);
            }
            let Some(maker) = self.makers.get(blob) else { break };
            if let Some(scale) = self.scales.get(maker.name.as_str()) {
                return Ok(scale);
            }
            let Some(before) = maker.inputs.first().filter(|_| hands_through(maker)) else { break };
            blob = before;
        }
        Err(Error::invalid(format!("the table has no row for its input blob {input}, nor for what that is made from")))
    }
}

/// Whether the old tool knew the output under the name of the input.
fn hands_through(layer: &Layer) -> bool {
    use LayerKind as K;
    match layer.kind {
        K::Split => true,
        K::ReLU
        | K::PReLU
        | K::ELU
        | K::Sigmoid
        | K::TanH
        | K::BNLL
        | K::AbsVal
        | K::Power
        | K::Exp
        | K::Log
        | K::BatchNorm
        | K::Scale
        | K::Bias
        | K::Dropout => layer.inputs.len() == 1 && layer.outputs.len() == 1,
        _ => false,
    }
}
