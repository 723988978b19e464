//! Whatever network it is, the optimized one gives the same outputs.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod random_model;

use proptest::prelude::*;
use quantizer::optimize::{OptimizeOptions, differences, optimize};
use random_model::random_model;

/// A network under construction: an image of 6x5 cells and some channels, over and over.
struct Network {
    lines: Vec<String>,
    blob: String,
    channels: usize,
    count: usize,
}

impl Network {
    fn new() -> Self {
        let lines = vec!["Input data 0 1 x 0=6 1=5 2=4".to_owned()];
        Self { lines, blob: "x".to_owned(), channels: 4, count: 0 }
    }

    fn fresh(&mut self) -> String {
        self.count += 1;
        format!("b{}", self.count)
    }

    /// A layer of one input and one output.
    fn then(&mut self, kind: &str, params: &str) {
        let (input, output) = (self.blob.clone(), self.fresh());
        self.lines.push(format!("{kind} l{} 1 1 {input} {output} {params}", self.count));
        self.blob = output;
    }

    fn constant(&mut self, sizes: &str) -> String {
        let output = self.fresh();
        self.lines.push(format!("MemoryData l{} 0 1 {output} {sizes}", self.count));
        output
    }

    /// A BinaryOp of the current blob and another, in this or the other order.
    fn join(&mut self, other: &str, op: usize, other_first: bool) {
        let output = self.fresh();
        let inputs = if other_first { format!("{other} {}", self.blob) } else { format!("{} {other}", self.blob) };
        self.lines.push(format!("BinaryOp l{} 2 1 {inputs} {output} 0={op}", self.count));
        self.blob = output;
    }

    /// Splits the current blob and gives a second name of it.
    fn split(&mut self) -> String {
        let (input, a, b, spare) = (self.blob.clone(), self.fresh(), self.fresh(), self.fresh());
        let spares = if self.count.is_multiple_of(2) {
            format!("3 {input} {a} {b} {spare}")
        } else {
            format!("2 {input} {a} {b}")
        };
        self.lines.push(format!("Split l{} 1 {spares}", self.count));
        self.blob = a;
        b
    }

    /// Scalar and vector operations that have a sense for any operand: add, subtract,
    /// multiply, maximum, minimum and reversed subtraction.
    fn operation(detail: usize) -> usize {
        [0, 1, 2, 4, 5, 7][detail % 6]
    }

    fn add(&mut self, choice: usize, detail: usize) {
        let channels = self.channels;
        match choice {
            0 | 1 => {
                self.channels = 1 + detail % 5;
                let (outputs, kernel) = (self.channels, 1 + 2 * (detail % 2));
                let activation = if detail.is_multiple_of(7) { " 9=1" } else { "" };
                let weights = outputs * channels * kernel * kernel;
                let bias = detail / 2 % 2;
                let params = format!("0={outputs} 1={kernel} 4={} 5={bias} 6={weights}{activation}", kernel / 2);
                self.then("Convolution", &params);
            }
            2 => self.then("ConvolutionDepthWise", &format!("0={channels} 1=3 4=1 6={} 7={channels}", 9 * channels)),
            3 => self.then("BatchNorm", &format!("0={channels} 1=0.01")),
            4 => self.then("Scale", &format!("0={channels} 1={}", detail % 2)),
            5 => self.then("Bias", &format!("0={channels}")),
            6 => {
                let kind = ["ReLU", "Clip", "Sigmoid", "Mish", "HardSwish", "TanH"][detail % 6];
                self.then(kind, if kind == "Clip" { "0=-1.0 1=2.0" } else { "" });
            }
            7 => self.then("Dropout", ["", "0=0.5"][detail % 2]),
            8 => self.then(["Noop", "Pooling", "Concat"][detail % 3], ["", "1=1", ""][detail % 3]),
            9 => self.then("PReLU", &format!("0={}", if detail.is_multiple_of(2) { 1 } else { channels })),
            10 => self.then("BinaryOp", &format!("0={} 1=1 2=0.75", Self::operation(detail))),
            11 => {
                let sizes = [format!("0={channels}"), format!("0=1 1=1 2={channels}"), "0=1".to_owned()];
                let other = self.constant(&sizes[detail % 3]);
                self.join(&other, Self::operation(detail / 3), detail.is_multiple_of(2));
            }
            12 => {
                // Something beside the main road, joined again.
                let other = self.split();
                let main = std::mem::replace(&mut self.blob, other);
                self.add(detail % 11, detail / 11);
                if self.channels != channels {
                    self.channels = channels;
                    self.blob = main;
                } else {
                    self.join(&main, [0, 0, 2, 4][detail % 4], detail % 3 == 1);
                }
            }
            _ => {
                // Squeeze and excitation.
                let main = self.split();
                self.then("Pooling", "0=1 4=1");
                self.then("Convolution", &format!("0={channels} 1=1 5=1 6={}", channels * channels));
                self.then("Sigmoid", "");
                if detail.is_multiple_of(2) {
                    self.then("Reshape", "0=1 1=1 2=-1");
                }
                self.join(&main, 2, detail % 3 == 1);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn outputs_stay_and_a_second_time_changes_nothing(
        layers in prop::collection::vec((0_usize..14, 0_usize..1000), 1..12),
    ) {
        let mut network = Network::new();
        layers.iter().for_each(|&(choice, detail)| network.add(choice, detail));
        let model = random_model(&network.lines.iter().map(|line| format!("{line}\n")).collect::<String>());
        let optimized = optimize(&model, &OptimizeOptions::default()).unwrap();
        prop_assert!(optimized.model.layers.len() <= model.layers.len());
        for output in differences(&model, &optimized.model, &[], 1, 1).unwrap() {
            prop_assert!(output.relative < 1e-4, "{output:?}\n{}\n{:?}", model.to_param_text(), optimized.changes);
        }
        let again = optimize(&optimized.model, &OptimizeOptions::default()).unwrap();
        prop_assert_eq!(again.changes, vec![]);
    }
}
