//! The text of 2017: no magic number, parameters by position.
//!
//! ```text
//! model = layer count , blob count , { layer } ;
//! layer = kind , name , input count , output count , { input } , { output } , { value } ;
//! ```
//!
//! ncnn wrote and read it from June to October 2017, when `id=value` and the magic
//! number came; the ids are the old positions, with the exceptions in [`convert`].
//! Every layer stands on a line of its own.
//!
//! Source of the positions: ncnn before commit 1e2265dd9, `load_param` of each layer.

use self::values::Values;
use super::fault::shown;
use crate::{Error, Layer, Limits, Model, Remark, Result};

mod convert;
mod values;

/// Whether `text` starts like one of 2017: two counts, then a line that starts with a
/// word and has two counts in its third and fourth place.
pub(super) fn is_positional(text: &str) -> bool {
    let mut lines = text.lines().map(str::split_ascii_whitespace);
    let (Some(counts), Some(mut layer)) = (lines.next(), lines.find(|line| line.clone().next().is_some())) else {
        return false;
    };
    let is_count = |word: &str| word.parse::<u32>().is_ok();
    let counts: Vec<&str> = counts.take(3).collect();
    let starts_with_letter = layer.next().is_some_and(|word| word.starts_with(|c: char| c.is_ascii_alphabetic()));
    counts.len() == 2
        && counts.iter().all(|word| is_count(word) && *word != "7767517")
        && starts_with_letter
        && layer.skip(1).take(2).filter(|word| is_count(word)).count() == 2
}

/// Reads a whole text.
pub(super) fn parse_positional(text: &str, limits: &Limits) -> Result<(Model, Vec<Remark>)> {
    let mut lines = text.lines().enumerate().map(|(index, line)| (index + 1, line));
    let (_, header) = lines.next().unwrap_or((1, ""));
    let mut counts = header.split_ascii_whitespace().map(|word| word.parse::<usize>().unwrap_or(0));
    let layer_count = counts.next().unwrap_or(0);
    if layer_count > limits.layers {
        return Err(Error::too_large(format!("{layer_count} layers, the limit is {}", limits.layers)).at_line(1));
    }
    let mut model = Model::default();
    let mut remarks = vec![
        Remark::warning(
            "positional-text",
            "a text of 2017, without magic number and with parameters by position: today's ncnn does not read it",
        )
        .at_line(1),
    ];
    for (number, line) in lines {
        if line.trim().is_empty() {
            continue;
        }
        if model.layers.len() >= layer_count {
            let message = format!("more than the {layer_count} layers that the header counts");
            return Err(Error::malformed(message).at_line(number));
        }
        let (layer, odd) = layer(line, limits).map_err(|error| error.at_line(number))?;
        remarks.extend(
            odd.map(|message| Remark::warning("lost-parameter", message).at_line(number).in_layer(&layer.name)),
        );
        model.layers.push(layer);
    }
    if model.layers.len() != layer_count || layer_count == 0 {
        let found = model.layers.len();
        let message = format!("the header counts {layer_count} layers, the text ends after {found}");
        return Err(Error::malformed(message).at_line(text.lines().count()));
    }
    Ok((model, remarks))
}

/// A layer, and what should be said about it.
fn layer(line: &str, limits: &Limits) -> Result<(Layer, Option<String>)> {
    let mut words = line.split_ascii_whitespace();
    let mut word = |expected: &str| {
        words.next().ok_or_else(|| Error::malformed(format!("expected {expected}, found the end of the line")))
    };
    let kind = word("a layer type")?;
    let name = word("a layer name")?;
    let mut layer = Layer::new(convert::today(kind), name);
    let in_layer = |error: Error| error.in_layer(name);
    let inputs = count(word("the number of inputs").map_err(in_layer)?).map_err(in_layer)?;
    let outputs = count(word("the number of outputs").map_err(in_layer)?).map_err(in_layer)?;
    let (blobs, most) = (inputs.saturating_add(outputs), limits.blobs_per_layer);
    if blobs > most {
        let message = format!("{blobs} inputs and outputs, the limit is {most}");
        return Err(in_layer(Error::too_large(message)));
    }
    for _ in 0..inputs {
        layer.inputs.push(word("the name of an input").map_err(in_layer)?.to_owned());
    }
    for _ in 0..outputs {
        layer.outputs.push(word("the name of an output").map_err(in_layer)?.to_owned());
    }
    let values: Vec<&str> = words.collect();
    let odd = convert::fill(&mut layer, kind, Values::new(&values)).map_err(in_layer)?;
    Ok((layer, odd))
}

fn count(word: &str) -> Result<usize> {
    word.parse().map_err(|_| Error::malformed(format!("expected a count, found {}", shown(word))))
}
