//! Numbers as options.

use std::str::FromStr;

use fp32_ref::Shape;
use ncnn_format::{Error, Result};

/// Numbers for the channels.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Floats(pub Vec<f32>);

impl FromStr for Floats {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let number =
            |word: &str| word.trim().parse().map_err(|_| format!("expected numbers like 1.5,2,3, found {text}"));
        text.split(',').map(number).collect::<std::result::Result<_, _>>().map(Self)
    }
}

/// One to four sizes of an input, innermost first: width, height, channels for an image.
#[derive(Debug, Clone, PartialEq, Eq)]
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

/// A part of the samples: every N-th, beginning with the I-th.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    part: usize,
    of: usize,
}

impl Shard {
    /// Part `part` (from 0) of `of`.
    ///
    /// # Errors
    /// `Invalid` unless `part` is below `of`.
    pub fn new(part: usize, of: usize) -> Result<Self> {
        if part < of { Ok(Self { part, of }) } else { Err(Error::invalid(format!("there is no part {part} of {of}"))) }
    }

    /// Whether the sample `index` belongs to it.
    pub fn has(self, index: usize) -> bool {
        index % self.of == self.part
    }
}

impl FromStr for Shard {
    type Err = String;

    /// `I/N` with I from 1.
    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let numbers = text.split_once('/').and_then(|(part, of)| Some((part.parse().ok()?, of.parse().ok()?)));
        match numbers {
            Some((part @ 1.., of)) if part <= of => Ok(Self { part: part - 1, of }),
            _ => Err(format!("expected I/N with I from 1 to N, like 2/4, found {text}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_is_in_exactly_one_shard() {
        let shards = ["1/3", "2/3", "3/3"].map(|text| text.parse::<Shard>().unwrap());
        assert!((0..10).all(|index| shards.iter().filter(|shard| shard.has(index)).count() == 1));
        for wrong in ["0/3", "4/3", "1", "1/0", "a/b", "-1/2"] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
        assert_eq!(Shard::new(1, 3).unwrap(), shards[1]);
        assert!(Shard::new(3, 3).is_err());
    }

    #[test]
    fn sizes_are_innermost_first_and_shapes_outermost() {
        let shape: InputShape = "4, 3,2".parse().unwrap();
        assert_eq!((shape.sizes(), shape.shape().unwrap().dims()), (&[4, 3, 2][..], &[2, 3, 4][..]));
        for wrong in ["", "4,", "4,0", "1,2,3,4,5", "4x3", "-1"] {
            assert!(wrong.parse::<InputShape>().is_err(), "{wrong}");
        }
        assert!(InputShape::try_from(vec![0]).is_err());
    }
}
