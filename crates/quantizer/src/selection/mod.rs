//! Which layers become int8, by hand.

mod ends;
mod near_misses;
mod pattern;

use ncnn_format::{Error, Layer, Model, Remark, Result, ScaleTable, SourceText, TableRow};

use crate::is_quantizable;
use pattern::Pattern;

/// The layers that shall become int8, out of those that can.
///
/// A pattern is the name of a layer, a glob (`*` any characters, `?` any one), or a type.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// If there are any, only layers that match one of these become int8.
    pub only: Vec<String>,
    /// Layers that match one of these stay float, even if `only` has them.
    pub exclude: Vec<String>,
    /// The first layers stay float: those that no other layer of these types leads to.
    pub float_first: bool,
    /// The last layers stay float: those that lead to no other layer of these types.
    pub float_last: bool,
}

impl Selection {
    /// Whether every layer that can become int8 shall.
    pub fn is_everything(&self) -> bool {
        *self == Self::default()
    }

    /// A remark `stays-float` for each layer of `model` that could be int8 and shall not be, in file order; its
    /// place is the layer, and it says which part of the selection excludes it.
    ///
    /// # Errors
    /// `Invalid` when a pattern matches no layer that could be int8, naming those it
    /// might have meant; when every layer is excluded; or when the layers are no graph.
    pub fn excluded(&self, model: &Model) -> Result<Vec<Remark>> {
        let mut candidates = Vec::new();
        for (index, layer) in model.layers.iter().enumerate() {
            if is_quantizable(layer)? {
                candidates.push((index, layer));
            }
        }
        let only = patterns(&self.only, &candidates, model)?;
        let exclude = patterns(&self.exclude, &candidates, model)?;
        let ends = ends::find(model, &candidates.iter().map(|(index, _)| *index).collect::<Vec<_>>())?;
        let reason = |index: usize, layer: &Layer| {
            if let Some(pattern) = exclude.iter().find(|pattern| pattern.matches(layer)) {
                Some(format!("excluded by {pattern}"))
            } else if !only.is_empty() && !only.iter().any(|pattern| pattern.matches(layer)) {
                Some("not among the layers wanted".to_owned())
            } else if self.float_first && ends.first.contains(&index) {
                Some("one of the first layers".to_owned())
            } else if self.float_last && ends.last.contains(&index) {
                Some("one of the last layers".to_owned())
            } else {
                None
            }
        };
        let excluded: Vec<Remark> = candidates
            .iter()
            .filter_map(|&(index, layer)| {
                let message = format!("layer {} stays float: {}", layer.name, reason(index, layer)?);
                Some(Remark::note("stays-float", message).in_layer(&layer.name))
            })
            .collect();
        if !candidates.is_empty() && excluded.len() == candidates.len() {
            return Err(Error::invalid(format!(
                "all {} layers that could be int8 are to stay float; nothing is left to quantize",
                candidates.len()
            )));
        }
        Ok(excluded)
    }
}

fn patterns(texts: &[String], candidates: &[(usize, &Layer)], model: &Model) -> Result<Vec<Pattern>> {
    let patterns: Vec<Pattern> = texts.iter().map(|text| Pattern::new(text)).collect();
    for pattern in &patterns {
        if !candidates.iter().any(|(_, layer)| pattern.matches(layer)) {
            return Err(Error::invalid(near_misses::describe(pattern, candidates, model)));
        }
    }
    Ok(patterns)
}

/// `table` with the rows of layers that a remark of `excluded` is about as comments, each pair after that remark.
///
/// Both rows of a layer are commented: ncnn2int8 gives up a whole layer type when it finds
/// an input row without its weight row. A comment is a key that no layer has, so its reader
/// and ours pass over it, and removing the `#` brings the row back.
pub fn comment_out(table: &ScaleTable, excluded: &[Remark]) -> ScaleTable {
    let mut commented = ScaleTable { rows: Vec::new(), trailer: table.trailer.clone() };
    // Comments stand in front of the next row that is none.
    let mut pending = String::new();
    for row in &table.rows {
        let text = ScaleTable { rows: vec![row.clone()], ..ScaleTable::default() }.to_text();
        match excluded.iter().find(|remark| is_about_owner(remark, row)) {
            Some(remark) => {
                pending += &format!("# {remark}\n#{text}");
            }
            None if pending.is_empty() => commented.rows.push(row.clone()),
            None => {
                let source = SourceText(Some((std::mem::take(&mut pending) + &text).into()));
                commented.rows.push(TableRow { source, ..row.clone() });
            }
        }
    }
    if !pending.is_empty() {
        let trailer = table.trailer.0.as_deref().unwrap_or_default();
        commented.trailer = SourceText(Some((pending + trailer).into()));
    }
    commented
}

/// Whether `remark` is about the layer that `row` belongs to.
fn is_about_owner(remark: &Remark, row: &TableRow) -> bool {
    let rest = remark.place.layer.as_deref().and_then(|layer| row.key.strip_prefix(layer));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("_param_"))
}
