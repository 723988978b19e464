//! Small networks and what the stock ncnn runtime makes of them, as `int8_goldens.py` writes them.

use std::str::FromStr;

use fp32_ref::Tensor;
use ncnn_format::{Error, Model, Result, Weight, weight_layout};

use super::draw::Draw;

/// A network, its inputs and ncnn's outputs.
#[derive(Default)]
pub(crate) struct Case {
    pub(crate) number: u32,
    pub(crate) label: String,
    pub(crate) layers: Vec<String>,
    weights: Vec<String>,
    /// Name, kind, parameter of the kind, sizes.
    inputs: Vec<(String, String, String, Vec<usize>)>,
    pub(crate) outputs: Vec<Golden>,
}

/// What ncnn makes of one blob.
pub(crate) struct Golden {
    pub(crate) blob: String,
    pub(crate) is_i8: bool,
    pub(crate) dims: Vec<usize>,
    /// By ncnn's options; those of the same values share an entry.
    pub(crate) runs: Vec<GoldenRun>,
}

/// Values, and ncnn's options that give them: `plain` (all off) and others.
pub(crate) struct GoldenRun {
    pub(crate) options: Vec<String>,
    pub(crate) values: Values,
}

/// The values of a blob.
#[derive(Clone, PartialEq)]
pub(crate) enum Values {
    F32(Vec<f32>),
    I8(Vec<i8>),
}

/// A number of the file.
pub(crate) fn number<T: FromStr>(word: &str) -> Result<T> {
    word.parse().map_err(|_| Error::malformed(format!("expected a number, found {word}")))
}

/// The cases in `text`, with the values in `bytes`.
pub(crate) fn parse(text: &str, bytes: &[u8]) -> Result<Vec<Case>> {
    let mut cases: Vec<Case> = Vec::new();
    let mut rest = bytes;
    for line in text.lines() {
        let (word, args) = line.split_once(' ').ok_or_else(|| unknown(line))?;
        let words: Vec<&str> = args.split(' ').collect();
        if let ("case", [number_word, label]) = (word, &words[..]) {
            cases.push(Case { number: number(number_word)?, label: (*label).to_owned(), ..Case::default() });
            continue;
        }
        let case = cases.last_mut().ok_or_else(|| unknown(line))?;
        match (word, &words[..]) {
            ("layer", _) => case.layers.push(args.to_owned()),
            ("weights", _) => case.weights.push(args.to_owned()),
            ("input", [name, kind, given, dims @ ..]) => {
                case.inputs.push(((*name).to_owned(), (*kind).to_owned(), (*given).to_owned(), sizes(dims)?));
            }
            ("output", [blob, kind, dims @ ..]) => {
                let mut golden =
                    Golden { blob: (*blob).to_owned(), is_i8: *kind == "i8", dims: sizes(dims)?, runs: Vec::new() };
                let values = golden.take(&mut rest)?;
                golden.runs.push(GoldenRun { options: vec!["plain".to_owned()], values });
                case.outputs.push(golden);
            }
            ("same" | "other", [options]) => {
                let golden = case.outputs.last_mut().ok_or_else(|| unknown(line))?;
                golden.add((*options).to_owned(), word == "same", &mut rest)?;
            }
            _ => return Err(unknown(line)),
        }
    }
    if !rest.is_empty() {
        return Err(Error::malformed(format!("{} bytes of values belong to no case", rest.len())));
    }
    Ok(cases)
}

fn unknown(line: &str) -> Error {
    Error::malformed(format!("unknown line {line}"))
}

fn sizes(words: &[&str]) -> Result<Vec<usize>> {
    words.iter().map(|word| number(word)).collect()
}

impl Golden {
    /// The values of one run off the front of `rest`.
    fn take(&self, rest: &mut &[u8]) -> Result<Values> {
        let count: usize = self.dims.iter().product();
        let size = if self.is_i8 { count } else { 4 * count };
        let (bytes, after) = rest.split_at_checked(size).ok_or_else(|| Error::malformed("too few values"))?;
        *rest = after;
        Ok(if self.is_i8 {
            Values::I8(bytes.iter().map(|&byte| byte as i8).collect())
        } else {
            let floats = bytes.chunks_exact(4).map(|word| f32::from_le_bytes([word[0], word[1], word[2], word[3]]));
            Values::F32(floats.collect())
        })
    }

    fn add(&mut self, options: String, is_plain: bool, rest: &mut &[u8]) -> Result<()> {
        if is_plain {
            self.runs[0].options.push(options);
            return Ok(());
        }
        let values = self.take(rest)?;
        match self.runs.iter_mut().find(|run| run.values == values) {
            Some(run) => run.options.push(options),
            None => self.runs.push(GoldenRun { options: vec![options], values }),
        }
        Ok(())
    }
}

impl Case {
    /// The network, with its weights drawn, and what to feed.
    ///
    /// # Errors
    /// `Malformed` when the case contradicts itself.
    pub(crate) fn network(&self) -> Result<(Model, Vec<(String, Tensor)>)> {
        let inputs = self.inputs.iter().map(|(name, ..)| format!("Input {name} 0 1 {name}"));
        let lines: Vec<String> = inputs.chain(self.layers.iter().cloned()).collect();
        let text = format!("7767517\n{} {}\n{}\n", lines.len(), 3 * lines.len(), lines.join("\n"));
        let mut model = Model::from_param_text(&text)?;
        let mut draw = Draw::new(self.number);
        let mut specs = self.weights.iter();
        for layer in &mut model.layers {
            for wanted in weight_layout(layer)? {
                let spec: Vec<&str> = specs.next().ok_or_else(|| self.contradicts("weights"))?.split(' ').collect();
                if number::<usize>(spec[1])? != wanted.len {
                    return Err(self.contradicts(&format!("{spec:?} are to be {}", wanted.len)));
                }
                layer.weights.push(Weight { role: wanted.role, data: draw.weights(&spec)? });
            }
        }
        let feed = |(name, kind, given, dims): &(String, String, String, Vec<usize>)| {
            Ok((name.clone(), Tensor::new(dims, draw.input(kind, given, dims.iter().product())?)?))
        };
        Ok((model, self.inputs.iter().map(feed).collect::<Result<_>>()?))
    }

    fn contradicts(&self, what: &str) -> Error {
        Error::malformed(format!("case {}: {what}", self.number))
    }
}
