//! Lists of numbers as options.

use std::str::FromStr;

use fp32_ref::{Graph, Shape};
use ncnn_format::{Error, Model, Result};
use quantizer::{Pixel, ResizeMode, single_input};
use serde::Deserialize;

use super::named::Plain;

/// Numbers for the channels.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(from = "OneOrMore")]
pub struct Floats(pub Vec<f32>);

/// In a job a single number needs no brackets.
#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(f32),
    More(Vec<f32>),
}

impl From<OneOrMore> for Floats {
    fn from(numbers: OneOrMore) -> Self {
        match numbers {
            OneOrMore::One(number) => Self(vec![number]),
            OneOrMore::More(numbers) => Self(numbers),
        }
    }
}

impl FromStr for Floats {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let number =
            |word: &str| word.trim().parse().map_err(|_| format!("expected numbers like 1.5,2,3, found {text}"));
        text.split(',').map(number).collect::<std::result::Result<_, _>>().map(Self)
    }
}

/// One to four sizes of an input, innermost first: width, height, channels for an image.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<usize>")]
pub struct InputShape(Vec<usize>);

impl InputShape {
    /// The sizes, innermost first; all at least 1.
    pub fn sizes(&self) -> &[usize] {
        &self.0
    }

    /// The same for a tensor.
    ///
    /// # Errors
    /// As [`Shape::new`].
    pub fn shape(&self) -> Result<Shape> {
        let dims: Vec<usize> = self.0.iter().rev().copied().collect();
        Shape::new(&dims)
    }

    /// The shape of the only input of `model`: this one, or what its Input layer says.
    ///
    /// # Errors
    /// `Invalid` when nobody says it, or there are several inputs.
    pub(crate) fn or_declared(given: Option<&Self>, model: &Model) -> Result<Shape> {
        let graph = Graph::new(model)?;
        let declared = super::source::declared(model, single_input(&graph)?)?;
        let missing = || Error::invalid("the network does not say how large its input is; give --shape w,h,c");
        given.map(Self::shape).transpose()?.or(declared).ok_or_else(missing)
    }
}

impl TryFrom<Vec<usize>> for InputShape {
    type Error = String;

    fn try_from(sizes: Vec<usize>) -> std::result::Result<Self, String> {
        match sizes.len() {
            1..=4 if !sizes.contains(&0) => Ok(Self(sizes)),
            _ => Err(format!("expected one to four positive sizes, w,h,c for an image, found {sizes:?}")),
        }
    }
}

impl FromStr for InputShape {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let sizes: std::result::Result<Vec<usize>, _> = text.split(',').map(|number| number.trim().parse()).collect();
        match sizes.map(Self::try_from) {
            Ok(Ok(shape)) => Ok(shape),
            _ => Err(format!("expected positive numbers w,h,c, found {text}")),
        }
    }
}

impl Plain for Floats {}
impl Plain for InputShape {}
impl Plain for Pixel {}
impl Plain for ResizeMode {}
