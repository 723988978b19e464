//! How an image is brought to the size that a network takes.

use std::fmt;
use std::str::FromStr;

use ncnn_format::{Error, Result};

use crate::image::{RgbImage8, check_size};
use crate::resize::resize;

/// The grey that letterboxes are filled with unless told otherwise, as YOLO's.
const GREY: u8 = 114;

/// What happens to the proportions of an image. Sizes are resampled bilinearly, as ncnn does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum ResizeMode {
    /// `stretch`: to the wanted width and height, whatever the proportions; as ncnn2table does.
    #[default]
    Stretch,
    /// `keep`: as large as fits into the wanted size; one side may stay smaller.
    Keep,
    /// `crop` or `crop:256`: the shorter side to so many pixels (without a number: as small as
    /// covers the wanted size), then the wanted size is cut out of the centre.
    Crop {
        /// Pixels of the shorter side before cutting.
        short_side: Option<usize>,
    },
    /// `letterbox` or `letterbox:0`: as `keep`, centred on a background of one grey.
    Letterbox {
        /// The grey, 0 to 255, before mean and norm.
        value: u8,
    },
}

impl ResizeMode {
    /// `image` at `width` x `height`, or with [`ResizeMode::Keep`] at most so large.
    ///
    /// # Errors
    /// `Invalid` when the image, resized to `short_side`, does not cover the wanted size; as
    /// [`check_size`] for enormous ones.
    pub(crate) fn apply(self, image: RgbImage8, width: usize, height: usize) -> Result<RgbImage8> {
        let ratio = |wanted: usize, side: usize| wanted as f64 / side as f64;
        let (x, y) = (ratio(width, image.width()), ratio(height, image.height()));
        match self {
            Self::Stretch => resize(image, width, height),
            Self::Keep => scaled(image, x.min(y)),
            Self::Letterbox { value } => paste(&scaled(image, x.min(y))?, width, height, value),
            Self::Crop { short_side: None } => cut(&scaled(image, x.max(y))?, width, height),
            Self::Crop { short_side: Some(side) } => {
                let shorter = image.width().min(image.height());
                cut(&scaled(image, ratio(side, shorter))?, width, height)
            }
        }
    }
}

/// `image` with both sides multiplied by `scale` and rounded, at least one pixel.
fn scaled(image: RgbImage8, scale: f64) -> Result<RgbImage8> {
    let side = |side: usize| ((side as f64 * scale).round() as usize).max(1);
    let (width, height) = (side(image.width()), side(image.height()));
    check_size(width, height)?;
    resize(image, width, height)
}

/// The centre of `image`; of an odd rest the smaller half is cut at the left and the top.
fn cut(image: &RgbImage8, width: usize, height: usize) -> Result<RgbImage8> {
    if image.width() < width || image.height() < height {
        return Err(Error::invalid(format!(
            "the image would be {}x{} after resizing, smaller than the {width}x{height} to cut out of it",
            image.width(),
            image.height()
        )));
    }
    let (left, top) = ((image.width() - width) / 2, (image.height() - height) / 2);
    let rows = (top..top + height).flat_map(|y| &image.row(y)[3 * left..3 * (left + width)]);
    RgbImage8::new(width, height, rows.copied().collect())
}

/// `image` in the middle of a grey one; of an odd rest the smaller half is at the left and the top.
fn paste(image: &RgbImage8, width: usize, height: usize, value: u8) -> Result<RgbImage8> {
    let (left, top) = ((width - image.width()) / 2, (height - image.height()) / 2);
    let mut pixels = vec![value; 3 * check_size(width, height)?];
    for y in 0..image.height() {
        let start = 3 * ((top + y) * width + left);
        pixels[start..start + 3 * image.width()].copy_from_slice(image.row(y));
    }
    RgbImage8::new(width, height, pixels)
}

impl FromStr for ResizeMode {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (name, number) = text.split_once(':').map_or((text, None), |(name, number)| (name, Some(number)));
        let unknown = || {
            Error::invalid(format!(
                "expected stretch, keep, crop, crop:PIXELS, letterbox or letterbox:GREY, found {text}"
            ))
        };
        match (name, number) {
            ("stretch", None) => Ok(Self::Stretch),
            ("keep", None) => Ok(Self::Keep),
            ("crop", None) => Ok(Self::Crop { short_side: None }),
            ("crop", Some(number)) => match number.parse() {
                Ok(side @ 1..) => Ok(Self::Crop { short_side: Some(side) }),
                _ => Err(unknown()),
            },
            ("letterbox", None) => Ok(Self::Letterbox { value: GREY }),
            ("letterbox", Some(number)) => number.parse().map(|value| Self::Letterbox { value }).map_err(|_| unknown()),
            _ => Err(unknown()),
        }
    }
}

impl fmt::Display for ResizeMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stretch => f.write_str("stretch"),
            Self::Keep => f.write_str("keep"),
            Self::Crop { short_side: None } => f.write_str("crop"),
            Self::Crop { short_side: Some(side) } => write!(f, "crop:{side}"),
            Self::Letterbox { value } => write!(f, "letterbox:{value}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Columns of increasing red.
    fn image(width: usize, height: usize) -> RgbImage8 {
        let pixels = (0..height).flat_map(|_| (0..width).flat_map(|x| [(10 * x) as u8, 0, 0])).collect();
        RgbImage8::new(width, height, pixels).unwrap()
    }

    fn size(mode: &str, from: (usize, usize)) -> (usize, usize) {
        let image = mode.parse::<ResizeMode>().unwrap().apply(image(from.0, from.1), 4, 2).unwrap();
        (image.width(), image.height())
    }

    #[test]
    fn all_modes_but_keep_give_the_wanted_size() {
        for from in [(8, 8), (3, 9), (9, 3), (1, 1), (4, 2)] {
            for mode in ["stretch", "crop", "crop:5", "letterbox", "letterbox:0"] {
                assert_eq!(size(mode, from), (4, 2), "{mode} of {from:?}");
            }
        }
        assert_eq!([size("keep", (8, 8)), size("keep", (9, 3)), size("keep", (100, 1))], [(2, 2), (4, 1), (4, 1)]);
    }

    #[test]
    fn a_crop_is_cut_out_of_the_centre() {
        let cropped = ResizeMode::Crop { short_side: Some(2) }.apply(image(7, 2), 4, 2).unwrap();
        assert_eq!(cropped.row(0).iter().step_by(3).copied().collect::<Vec<_>>(), [10, 20, 30, 40]);
        let message = ResizeMode::Crop { short_side: Some(1) }.apply(image(7, 2), 4, 2).unwrap_err().to_string();
        assert!(message.starts_with("the image would be 4x1 after resizing, smaller than the 4x2"), "{message}");
    }

    #[test]
    fn a_letterbox_is_grey_around_the_image() {
        let boxed = ResizeMode::Letterbox { value: 9 }.apply(image(1, 2), 4, 2).unwrap();
        assert_eq!(boxed.row(1), [9, 9, 9, 0, 0, 0, 9, 9, 9, 9, 9, 9]);
    }

    #[test]
    fn names_are_read_as_they_are_written() {
        for name in ["stretch", "keep", "crop", "crop:256", "letterbox:114"] {
            assert_eq!(name.parse::<ResizeMode>().unwrap().to_string(), name);
        }
        assert_eq!("letterbox".parse::<ResizeMode>().unwrap(), ResizeMode::Letterbox { value: 114 });
        for wrong in ["fit", "crop:0", "crop:x", "letterbox:256", "keep:1", ""] {
            assert!(wrong.parse::<ResizeMode>().unwrap_err().to_string().ends_with(&format!("found {wrong}")));
        }
    }
}
