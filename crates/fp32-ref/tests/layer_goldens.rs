//! Replays single-layer cases whose outputs the stock ncnn runtime made.
//!
//! `xtask/python/layer_goldens.py` makes the files and describes their form.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "common/goldens.rs"]
mod goldens;

use fp32_ref::{Net, Shape, Tensor};
use goldens::{Case, Draw};
use ncnn_format::{ErrorKind, F32Tag, Model, Weight, WeightData, weight_layout};

/// The largest error allowed, relative to the largest value of the output.
const TOLERANCE: f32 = 1e-4;
/// An error that is always allowed: what is left where terms of about 1 cancel.
const ROUNDING: f32 = 2e-6;

/// Kinds that cannot be held to [`TOLERANCE`], and why.
const LOOSER: &[(&str, f32)] = &[
    // ncnn rounds to f16 in the nearest way eight or four values at a time and cuts the rest off.
    ("Cast", 1e-3),
];

/// What the tests do with a case.
trait Replay {
    fn network(&self, as_pixels: bool) -> (Net, Vec<(String, Tensor)>);
    fn tolerance(&self) -> f32;
    fn difference(&self, values: &mut &[f32]) -> Option<String>;
    fn difference_in(&self, as_pixels: bool, values: &mut &[f32]) -> Option<String>;
}

impl Replay for Case {
    /// The network of the layer and its inputs, and the values to feed.
    ///
    /// With `as_pixels` every image passes a pooling over single pixels first, which changes
    /// no value but hands it on in channels-last order.
    fn network(&self, as_pixels: bool) -> (Net, Vec<(String, Tensor)>) {
        // The executor wants an input even for a constant.
        let mut lines = vec!["Input unused 0 1 unused".to_owned()];
        let fed = |name: &str, dims: &[usize]| {
            if as_pixels && dims.len() == 3 { format!("{name}_fed") } else { name.to_owned() }
        };
        for (name, .., dims) in &self.inputs {
            let fed = fed(name, dims);
            lines.push(format!("Input {fed} 0 1 {fed}"));
            if fed != *name {
                lines.push(format!("Pooling {name} 1 1 {fed} {name} 0=0 1=1 2=1"));
            }
        }
        let text = format!("7767517\n{} 99\n{}\n", lines.len() + 1, lines.join("\n"));
        let mut model = Model::from_param_text(&format!("{text}{}\n", self.layer)).unwrap();
        let mut draw = Draw(self.number);
        let mut feeds = vec![("unused".to_owned(), Tensor::new([1], vec![0.0]).unwrap())];
        for (name, low, high, dims) in &self.inputs {
            let values = draw.values(dims.iter().product(), *low, *high);
            feeds.push((fed(name, dims), Tensor::new(dims, values).unwrap()));
        }
        let layer = model.layers.last_mut().unwrap();
        let layout = weight_layout(layer).unwrap();
        let lengths: Vec<usize> = layout.iter().map(|spec| spec.len).collect();
        assert_eq!(lengths, self.weights.iter().map(|weight| weight.count).collect::<Vec<_>>(), "{}", self.layer);
        for (spec, weight) in layout.iter().zip(&self.weights) {
            assert_eq!(weight.storage, "", "{}", self.layer);
            let data = WeightData::F32(draw.weight(weight), F32Tag::Tagged);
            layer.weights.push(Weight { role: spec.role, data });
        }
        (Net::new(&model).unwrap_or_else(|error| panic!("{}: {error}", self.layer)), feeds)
    }

    fn tolerance(&self) -> f32 {
        LOOSER.iter().find(|(name, _)| *name == self.kind()).map_or(TOLERANCE, |(_, tolerance)| *tolerance)
    }

    /// What differs from the expected `values`, which are taken off the front.
    fn difference(&self, values: &mut &[f32]) -> Option<String> {
        let mut again = *values;
        let planar = self.difference_in(false, values);
        let pixels = self.difference_in(true, &mut again).map(|found| format!("channels-last {found}"));
        planar.or(pixels)
    }

    fn difference_in(&self, as_pixels: bool, values: &mut &[f32]) -> Option<String> {
        let (net, feeds) = self.network(as_pixels);
        let feeds: Vec<(&str, Tensor)> = feeds.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        let outputs = net.run(&feeds, &mut ());
        let shapes: Vec<(&str, Shape)> = feeds.iter().map(|(name, value)| (*name, value.shape())).collect();
        let inferred = net.infer_shapes(&shapes);
        let mut found = None;
        for (name, dims) in &self.outputs {
            let (expected, rest) = values.split_at(dims.iter().product());
            *values = rest;
            match &outputs {
                Err(error) => found = Some(format!("failed: {error}")),
                Ok(outputs) => {
                    let output = outputs.get(name).unwrap();
                    let blob = net.graph().blob(name).unwrap();
                    match &inferred {
                        Ok(shapes) => assert_eq!(shapes[blob.0], output.shape(), "{}", self.layer),
                        // Shapes that depend on values cannot be known beforehand.
                        Err(error) => assert_eq!(error.kind(), ErrorKind::Unsupported, "{}: {error}", self.layer),
                    }
                    found = found.or(compare(output, dims, expected, self.tolerance()));
                }
            }
        }
        found
    }
}

fn compare(output: &Tensor, dims: &[usize], expected: &[f32], tolerance: f32) -> Option<String> {
    if output.shape().dims() != dims {
        return Some(format!("found the shape {}, expected {dims:?}", output.shape()));
    }
    let largest = expected.iter().fold(0.0_f32, |largest, x| largest.max(x.abs()));
    let worst = output
        .as_slice()
        .iter()
        .zip(expected)
        .map(|(a, b)| if a == b || a.is_nan() && b.is_nan() { 0.0 } else { (a - b).abs() })
        .fold(0.0_f32, |worst, error| if error <= worst { worst } else { error });
    if worst <= tolerance * largest + ROUNDING {
        return None;
    }
    let shown = expected.len().min(8);
    let (found, expected) = (&output.as_slice()[..shown], &expected[..shown]);
    Some(format!("off by {worst} of {largest}: found {found:?}, expected {expected:?}"))
}

/// Replays `NAME.txt` with `NAME.bin`; the number of cases, and what differs.
fn replay(text: &std::path::Path) -> (usize, Vec<String>) {
    let (cases, values) = goldens::load(text);
    let mut values = &values[..];
    let different: Vec<String> = cases
        .iter()
        .filter_map(|case| {
            let difference = case.difference(&mut values)?;
            Some(format!("{} {}: {difference}", text.display(), case.describe()))
        })
        .collect();
    assert!(values.is_empty(), "the cases of {} do not use all values", text.display());
    (cases.len(), different)
}

#[test]
fn layers_give_what_ncnn_gives() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    files.sort();
    let (mut cases, mut different) = (0, Vec::new());
    for file in &files {
        let (more, others) = replay(file);
        assert!(more > 100, "only {more} cases in {}", file.display());
        cases += more;
        different.extend(others);
    }
    assert!(cases > 600, "only {cases} cases");
    assert!(different.is_empty(), "{} of {cases} cases differ:\n{}", different.len(), different.join("\n"));
}
