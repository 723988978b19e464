//! The files of golden outputs that `xtask/python/layer_goldens.py` makes and describes.

use std::path::Path;

/// The generator that both sides draw inputs and weights from.
pub(crate) struct Draw(pub(crate) u32);

impl Draw {
    /// The next values between two bounds.
    pub(crate) fn values(&mut self, count: usize, low: f64, high: f64) -> Vec<f32> {
        let mut next = || {
            self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (low + f64::from(self.0 >> 8) / f64::from(1 << 24) * (high - low)) as f32
        };
        (0..count).map(|_| next()).collect()
    }

    /// The values of a weight.
    pub(crate) fn weight(&mut self, weight: &GoldenWeight) -> Vec<f32> {
        self.values(weight.count, weight.low, weight.high)
    }
}

/// A weight to draw.
pub(crate) struct GoldenWeight {
    /// How it is stored; empty where the layer's layout says it.
    pub(crate) storage: String,
    pub(crate) count: usize,
    low: f64,
    high: f64,
}

/// One layer with its inputs, and the shapes of what ncnn made of them.
#[derive(Default)]
pub(crate) struct Case {
    /// Seed of its values.
    pub(crate) number: u32,
    /// Names, bounds and shapes.
    pub(crate) inputs: Vec<(String, f64, f64, Vec<usize>)>,
    pub(crate) weights: Vec<GoldenWeight>,
    /// The line of the `.param`.
    pub(crate) layer: String,
    pub(crate) outputs: Vec<(String, Vec<usize>)>,
}

impl Case {
    /// The type of the layer.
    pub(crate) fn kind(&self) -> &str {
        self.layer.split(' ').next().unwrap()
    }

    /// Number, layer and shapes of the inputs, for messages.
    pub(crate) fn describe(&self) -> String {
        let shapes: Vec<_> = self.inputs.iter().map(|(.., dims)| dims).collect();
        format!("{}: {} of {shapes:?}", self.number, self.layer)
    }
}

/// The cases of `NAME.txt` and the values of their outputs, from `NAME.bin`.
pub(crate) fn load(text: &Path) -> (Vec<Case>, Vec<f32>) {
    let bytes = std::fs::read(text.with_extension("bin")).unwrap();
    let values = bytes.chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap())).collect();
    (parse(&std::fs::read_to_string(text).unwrap()), values)
}

fn parse(text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for line in text.lines() {
        let (word, rest) = line.split_once(' ').unwrap();
        if word == "case" {
            cases.push(Case { number: rest.parse().unwrap(), ..Case::default() });
            continue;
        }
        let case = cases.last_mut().unwrap();
        let words: Vec<&str> = rest.split(' ').collect();
        let sizes = |words: &[&str]| words.iter().map(|word| word.parse().unwrap()).collect();
        let float = |word: &str| word.parse::<f64>().unwrap();
        match word {
            "input" => case.inputs.push((words[0].to_owned(), float(words[1]), float(words[2]), sizes(&words[3..]))),
            "weights" => {
                let (storage, words) = words.split_at(words.len() - 3);
                case.weights.push(GoldenWeight {
                    storage: storage.concat(),
                    count: words[0].parse().unwrap(),
                    low: float(words[1]),
                    high: float(words[2]),
                });
            }
            "layer" => case.layer = rest.to_owned(),
            "output" => case.outputs.push((words[0].to_owned(), sizes(&words[1..]))),
            other => panic!("unknown line {other}"),
        }
    }
    cases
}
