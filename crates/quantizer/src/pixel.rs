//! The channels that a network wants.

use std::fmt;
use std::str::FromStr;

use ncnn_format::Error;

/// The channels of the network's input, in order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Pixel {
    /// Red, green, blue.
    #[default]
    Rgb,
    /// Blue, green, red.
    Bgr,
    /// One channel: (77 · red + 150 · green + 29 · blue) >> 8.
    Gray,
    /// Red, green, blue, and a plane of 255.
    Rgba,
    /// Blue, green, red, and a plane of 255.
    Bgra,
}

impl Pixel {
    /// Every value.
    pub const ALL: [Self; 5] = [Self::Rgb, Self::Bgr, Self::Gray, Self::Rgba, Self::Bgra];

    /// The number of channels.
    pub fn channels(self) -> usize {
        match self {
            Self::Gray => 1,
            Self::Rgb | Self::Bgr => 3,
            Self::Rgba | Self::Bgra => 4,
        }
    }

    /// The name, as ncnn2table writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rgb => "RGB",
            Self::Bgr => "BGR",
            Self::Gray => "GRAY",
            Self::Rgba => "RGBA",
            Self::Bgra => "BGRA",
        }
    }

    /// The value of `channel` for one pixel. Alpha is opaque: the decoders drop it.
    pub(crate) fn value(self, channel: usize, [red, green, blue]: [u8; 3]) -> u8 {
        match (self, channel) {
            (Self::Gray, _) => ((77 * u32::from(red) + 150 * u32::from(green) + 29 * u32::from(blue)) >> 8) as u8,
            (Self::Rgb | Self::Rgba, 0) | (Self::Bgr | Self::Bgra, 2) => red,
            (Self::Rgb | Self::Rgba | Self::Bgr | Self::Bgra, 1) => green,
            (Self::Rgb | Self::Rgba, 2) | (Self::Bgr | Self::Bgra, 0) => blue,
            (Self::Rgb | Self::Rgba | Self::Bgr | Self::Bgra, _) => 255,
        }
    }
}

impl fmt::Display for Pixel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Pixel {
    type Err = Error;

    /// Any case.
    fn from_str(text: &str) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|pixel| pixel.as_str().eq_ignore_ascii_case(text)).ok_or_else(|| {
            Error::invalid(format!("the pixel type is one of RGB, BGR, GRAY, RGBA and BGRA, found '{text}'"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_both_ways_in_any_case() {
        for pixel in Pixel::ALL {
            assert_eq!(pixel.to_string().to_lowercase().parse::<Pixel>().unwrap(), pixel);
        }
        let message = "RAW".parse::<Pixel>().unwrap_err().to_string();
        assert_eq!(message, "the pixel type is one of RGB, BGR, GRAY, RGBA and BGRA, found 'RAW'");
    }

    #[test]
    fn channels_come_in_the_order_of_the_name() {
        let all = |pixel: Pixel| -> Vec<u8> { (0..pixel.channels()).map(|c| pixel.value(c, [10, 20, 30])).collect() };
        assert_eq!(all(Pixel::Rgb), [10, 20, 30]);
        assert_eq!(all(Pixel::Bgr), [30, 20, 10]);
        assert_eq!(all(Pixel::Rgba), [10, 20, 30, 255]);
        assert_eq!(all(Pixel::Bgra), [30, 20, 10, 255]);
        assert_eq!(all(Pixel::Gray), [((770 + 3000 + 870) >> 8) as u8]);
        assert_eq!(Pixel::Gray.value(0, [255; 3]), 255);
    }
}
