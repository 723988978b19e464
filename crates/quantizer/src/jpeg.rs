//! JPEG, to the same bytes as stb_image, which ncnn2table decodes with.
//!
//! The jpeg-decoder crate has stb_image's inverse transform and chroma
//! interpolation. Colours it converts with other roundings, so it is told to
//! leave them alone and they are converted here.

use std::io::Cursor;

use jpeg_decoder::{ColorTransform, Decoder};
use ncnn_format::{Error, Result};

use crate::image::{RgbImage8, check_size};

/// The image in `bytes`. EXIF orientation is ignored, as in ncnn2table.
///
/// # Errors
/// `Malformed` for damaged or truncated files, `Unsupported` for what stb_image
/// does not read either (lossless, arithmetic coding, 12 bits), `TooLarge`.
pub(crate) fn decode(bytes: &[u8]) -> Result<RgbImage8> {
    let header = Header::read(bytes)
        .ok_or_else(|| Error::malformed("the JPEG file ends or is damaged before its first scan"))?;
    let size = check_size(header.width, header.height)?;
    let colours = header.colours()?;
    let mut decoder = Decoder::new(Cursor::new(bytes));
    // These two transforms only interleave; the second one also inverts.
    let plain = if header.components.len() == 4 { ColorTransform::CMYK } else { ColorTransform::RGB };
    decoder.set_color_transform(plain);
    decoder.set_max_decoding_buffer_size(size.saturating_mul(header.components.len()));
    let mut samples = decoder.decode().map_err(refused)?;
    header.repeat_last_but_one_column(&mut samples);
    RgbImage8::new(header.width, header.height, colours.to_rgb(samples))
}

fn refused(error: jpeg_decoder::Error) -> Error {
    match error {
        jpeg_decoder::Error::Unsupported(feature) => Error::unsupported(format!("JPEG with {feature:?}")),
        other => Error::malformed("the JPEG data are damaged or end too early").caused_by(other),
    }
}

/// What the markers before the first scan say.
#[derive(Debug, Default)]
struct Header {
    width: usize,
    height: usize,
    precision: u8,
    /// Marker of the frame: how it is coded.
    frame: u8,
    components: Vec<Component>,
    jfif: bool,
    /// Byte "transform" of the Adobe marker.
    adobe: Option<u8>,
}

#[derive(Debug, Clone, Copy)]
struct Component {
    id: u8,
    /// Samples across and down in the smallest unit of the image.
    sampling: (u8, u8),
}

impl Header {
    fn read(bytes: &[u8]) -> Option<Self> {
        let mut header = Self::default();
        let mut rest = bytes.strip_prefix(&[0xff, 0xd8])?;
        loop {
            // Fill bytes may stand between segments.
            let start = rest.windows(2).position(|pair| pair[0] == 0xff && !matches!(pair[1], 0 | 0xff))?;
            let marker = rest[start + 1];
            rest = &rest[start + 2..];
            if matches!(marker, 0x01 | 0xd0..=0xd8) {
                continue;
            }
            let length = usize::from(u16::from_be_bytes(rest.first_chunk().copied()?));
            let segment = rest.get(2..length)?;
            rest = &rest[length..];
            match marker {
                0xda => return Some(header).filter(|header| !header.components.is_empty()),
                // Frames; 0xc4, 0xc8 and 0xcc are tables.
                0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => header.read_frame(marker, segment)?,
                0xe0 if segment.starts_with(b"JFIF\0") => header.jfif = true,
                0xee if segment.starts_with(b"Adobe\0") => header.adobe = segment.get(11).copied(),
                _ => {}
            }
        }
    }

    fn read_frame(&mut self, marker: u8, segment: &[u8]) -> Option<()> {
        let &[precision, h0, h1, w0, w1, count] = segment.first_chunk()?;
        self.frame = marker;
        self.precision = precision;
        self.height = usize::from(u16::from_be_bytes([h0, h1]));
        self.width = usize::from(u16::from_be_bytes([w0, w1]));
        let descriptions = segment.get(6..6 + 3 * usize::from(count))?;
        let component = |&[id, sampling, _]: &[u8; 3]| Component { id, sampling: (sampling >> 4, sampling & 15) };
        self.components = descriptions.as_chunks().0.iter().map(component).collect();
        Some(())
    }

    /// How the samples become colours: stb_image's rules.
    fn colours(&self) -> Result<Colours> {
        // Baseline, extended and progressive, Huffman-coded.
        if !matches!(self.frame, 0xc0..=0xc2) || self.precision != 8 {
            return Err(Error::unsupported(format!(
                "JPEG of coding process 0x{:02x} with {} bits per sample",
                self.frame, self.precision
            )));
        }
        let ids: Vec<u8> = self.components.iter().map(|component| component.id).collect();
        match (ids.as_slice(), self.adobe) {
            ([_], _) => Ok(Colours::Grey),
            (b"RGB", _) => Ok(Colours::Rgb),
            ([_, _, _], Some(0)) if !self.jfif => Ok(Colours::Rgb),
            ([_, _, _], _) => Ok(Colours::YCbCr),
            ([_, _, _, _], Some(0)) => Ok(Colours::Cmyk),
            ([_, _, _, _], Some(2)) => Ok(Colours::Ycck),
            ([_, _, _, _], _) => Ok(Colours::YCbCrAlpha),
            (other, _) => {
                Err(Error::unsupported(format!("JPEG with {} components per pixel, expected 1, 3 or 4", other.len())))
            }
        }
    }
}

impl Header {
    /// Where chroma is halved across but not down (4:2:2), stb_image interpolates
    /// the last but one column between the wrong neighbours, which gives the value
    /// of the column before it. The models that ncnn2table calibrated saw that.
    fn repeat_last_but_one_column(&self, samples: &mut [u8]) {
        let largest = |side: fn((u8, u8)) -> u8| self.components.iter().map(|it| side(it.sampling)).max().unwrap_or(1);
        let most = (largest(|it| it.0), largest(|it| it.1));
        let count = self.components.len();
        // The left one of the last two columns when the width is even, else the last.
        let column = self.width.next_multiple_of(2) - 2;
        for (index, component) in self.components.iter().enumerate() {
            let (across, down) = component.sampling;
            if 2 * across == most.0 && down == most.1 && column > 0 {
                for row in samples.chunks_exact_mut(count * self.width) {
                    row[count * column + index] = row[count * (column - 1) + index];
                }
            }
        }
    }
}

/// What the interleaved samples of a pixel are.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Colours {
    Grey,
    Rgb,
    YCbCr,
    /// Inverted, as Adobe programs store it.
    Cmyk,
    Ycck,
    /// The fourth component is dropped.
    YCbCrAlpha,
}

impl Colours {
    fn to_rgb(self, mut samples: Vec<u8>) -> Vec<u8> {
        match self {
            Self::Grey => samples.iter().flat_map(|&value| [value; 3]).collect(),
            Self::Rgb => samples,
            Self::YCbCr => {
                for pixel in samples.as_chunks_mut::<3>().0 {
                    *pixel = ycbcr_to_rgb(*pixel);
                }
                samples
            }
            Self::Cmyk | Self::Ycck | Self::YCbCrAlpha => samples
                .as_chunks::<4>()
                .0
                .iter()
                .flat_map(|pixel| self.four_to_rgb(pixel.map(|value| !value)))
                .collect(),
        }
    }

    fn four_to_rgb(self, [a, b, c, black]: [u8; 4]) -> [u8; 3] {
        match self {
            Self::Cmyk => [a, b, c].map(|value| scaled(value, black)),
            Self::Ycck => ycbcr_to_rgb([a, b, c]).map(|value| scaled(!value, black)),
            _ => ycbcr_to_rgb([a, b, c]),
        }
    }
}

/// BT.601 in 20-bit fixed point, with coefficients of 12 bits.
fn ycbcr_to_rgb([y, cb, cr]: [u8; 3]) -> [u8; 3] {
    /// `value` · 2^12 rounded to nearest, at the place of 2^20.
    const fn fixed(value: f64) -> i32 {
        ((value * 4096.0 + 0.5) as i32) << 8
    }
    let luma = (i32::from(y) << 20) + (1 << 19);
    let (cb, cr) = (i32::from(cb) - 128, i32::from(cr) - 128);
    // The blue part of green loses its low half before it is added; this is the
    // only difference from the exact fixed-point sum, and it decides bytes.
    let blue_in_green = (-fixed(0.34414) * cb) & !0xffff;
    let red = luma + fixed(1.402) * cr;
    let green = luma - fixed(0.71414) * cr + blue_in_green;
    let blue = luma + fixed(1.772) * cb;
    [red, green, blue].map(|value| (value >> 20).clamp(0, 255) as u8)
}

/// `a` · `b` / 255, rounded.
fn scaled(a: u8, b: u8) -> u8 {
    let product = u32::from(a) * u32::from(b) + 128;
    ((product + (product >> 8)) >> 8) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A JPEG's markers up to the first scan, which is empty.
    fn markers(frame: u8, components: &[u8], extra: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0xff, 0xd8];
        bytes.extend(extra);
        bytes.extend([0xff, frame, 0, 8 + 3 * components.len() as u8, 8, 0, 4, 0, 6, components.len() as u8]);
        bytes.extend(components.iter().flat_map(|&id| [id, 0x11, 0]));
        bytes.extend([0xff, 0xda, 0, 2]);
        bytes
    }

    const ADOBE_0: &[u8] = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00";
    const ADOBE_2: &[u8] = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x02";
    const JFIF: &[u8] = b"\xff\xe0\x00\x07JFIF\x00";

    fn colours(frame: u8, components: &[u8], extra: &[u8]) -> Result<Colours> {
        let header = Header::read(&markers(frame, components, extra)).unwrap();
        assert_eq!((header.width, header.height), (6, 4));
        header.colours()
    }

    #[test]
    fn markers_decide_what_the_components_are() {
        let both = [ADOBE_0, JFIF].concat();
        assert_eq!(colours(0xc0, &[1], b"").unwrap(), Colours::Grey);
        assert_eq!(colours(0xc2, &[1, 2, 3], b"\xff\xff\xd0").unwrap(), Colours::YCbCr);
        assert_eq!(colours(0xc0, b"RGB", b"").unwrap(), Colours::Rgb);
        assert_eq!(colours(0xc0, &[1, 2, 3], ADOBE_0).unwrap(), Colours::Rgb);
        assert_eq!(colours(0xc0, &[1, 2, 3], &both).unwrap(), Colours::YCbCr);
        assert_eq!(colours(0xc0, &[1, 2, 3, 4], ADOBE_0).unwrap(), Colours::Cmyk);
        assert_eq!(colours(0xc0, &[1, 2, 3, 4], ADOBE_2).unwrap(), Colours::Ycck);
        assert_eq!(colours(0xc0, &[1, 2, 3, 4], b"").unwrap(), Colours::YCbCrAlpha);
    }

    #[test]
    fn only_halved_columns_are_repeated() {
        let component = |across, down| Component { id: 0, sampling: (across, down) };
        let repeated = |width, sampling: [(u8, u8); 2]| {
            let components = sampling.map(|(across, down)| component(across, down)).to_vec();
            let header = Header { width, height: 1, components, ..Default::default() };
            let mut samples: Vec<u8> = (0..2 * width as u8).collect();
            header.repeat_last_but_one_column(&mut samples);
            samples
        };
        assert_eq!(repeated(4, [(2, 1), (1, 1)]), [0, 1, 2, 3, 4, 3, 6, 7]);
        assert_eq!(repeated(3, [(2, 1), (1, 1)]), [0, 1, 2, 3, 4, 3]);
        assert_eq!(repeated(2, [(2, 1), (1, 1)]), [0, 1, 2, 3]);
        assert_eq!(repeated(4, [(2, 2), (1, 1)]), [0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(repeated(4, [(1, 1), (1, 1)]), [0, 1, 2, 3, 4, 5, 6, 7]);
    }

    #[test]
    fn other_codings_are_refused_by_name() {
        let message = colours(0xc3, &[1], b"").unwrap_err().to_string();
        assert_eq!(message, "JPEG of coding process 0xc3 with 8 bits per sample");
        assert!(colours(0xc0, &[1, 2], b"").unwrap_err().to_string().contains("2 components"));
    }

    #[test]
    fn every_truncation_of_a_header_is_an_error() {
        let bytes = markers(0xc0, &[1, 2, 3], JFIF);
        for length in 0..=bytes.len() {
            assert!(decode(&bytes[..length]).is_err(), "{length} bytes");
        }
    }

    #[test]
    fn greys_stay_grey_and_primaries_saturate() {
        for value in 0..=255 {
            assert_eq!(ycbcr_to_rgb([value, 128, 128]), [value; 3]);
        }
        assert_eq!(ycbcr_to_rgb([255, 255, 255]), [255, 121, 255]);
        assert_eq!(ycbcr_to_rgb([76, 85, 255]), [254, 0, 0]);
    }

    #[test]
    fn four_components_darken_by_black() {
        assert_eq!(scaled(255, 200), 200);
        assert_eq!(scaled(100, 0), 0);
        // The decoder hands out inverted samples.
        assert_eq!(Colours::Cmyk.to_rgb(vec![0, 55, 255, 0]), [255, 200, 0]);
        assert_eq!(Colours::Ycck.to_rgb(vec![255 - 55, 127, 127, 0]), [200, 200, 200]);
        assert_eq!(Colours::YCbCrAlpha.to_rgb(vec![255 - 55, 127, 127, 9]), [55, 55, 55]);
    }
}
