//! JPEG, PNG, BMP and PNM.

use std::io::Cursor;

use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader};
use ncnn_format::{Error, ErrorKind, Result};

use crate::image::{MAX_PIXELS, RgbImage8, check_size};
use crate::jpeg;

/// The image in `bytes`; the first of them tell its format.
pub(super) fn decode_bytes(bytes: &[u8]) -> Result<RgbImage8> {
    if bytes.starts_with(&[0xff, 0xd8]) {
        return jpeg::decode(bytes);
    }
    match image::guess_format(bytes) {
        Ok(format @ (ImageFormat::Png | ImageFormat::Bmp | ImageFormat::Pnm)) => decode_with(format, bytes),
        _ => Err(Error::unsupported(format!(
            "expected a JPEG, PNG, BMP or PNM image, found a file that starts with {:02x?}",
            &bytes[..bytes.len().min(4)]
        ))),
    }
}

fn decode_with(format: ImageFormat, bytes: &[u8]) -> Result<RgbImage8> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = image::Limits::default();
    // Four samples of two bytes.
    limits.max_alloc = Some(8 * MAX_PIXELS as u64);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(refused)?;
    let (width, height) = decoder.dimensions();
    check_size(width as usize, height as usize)?;
    let image = DynamicImage::from_decoder(decoder).map_err(refused)?;
    RgbImage8::new(width as usize, height as usize, rgb8(image))
}

fn refused(error: image::ImageError) -> Error {
    match error {
        image::ImageError::Unsupported(error) => Error::wrap(ErrorKind::Unsupported, error),
        image::ImageError::Limits(error) => Error::wrap(ErrorKind::TooLarge, error),
        other => Error::malformed("the image is damaged or ends too early").caused_by(other),
    }
}

fn rgb8(image: DynamicImage) -> Vec<u8> {
    let color = image.color();
    if color.bytes_per_pixel() > color.channel_count() {
        image.into_rgb16().into_raw().iter().map(|value| (value >> 8) as u8).collect()
    } else {
        image.into_rgb8().into_raw()
    }
}

#[cfg(test)]
mod tests {
    use super::super::decode_image;
    use super::*;
    use image::{GrayImage, ImageBuffer, LumaA, Rgb, RgbaImage};

    fn encoded(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        image.into().write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn grey_is_repeated_in_every_format() {
        let image = GrayImage::from_raw(2, 1, vec![7, 200]).unwrap();
        for format in [ImageFormat::Png, ImageFormat::Bmp, ImageFormat::Pnm] {
            let image = decode_bytes(&encoded(image.clone(), format)).unwrap();
            assert_eq!((image.width(), image.height()), (2, 1));
            assert_eq!(image.pixels(), [7, 7, 7, 200, 200, 200], "{format:?}");
        }
    }

    #[test]
    fn alpha_is_dropped_and_not_blended() {
        let image = RgbaImage::from_raw(1, 1, vec![10, 20, 30, 0]).unwrap();
        assert_eq!(decode_bytes(&encoded(image, ImageFormat::Png)).unwrap().pixels(), [10, 20, 30]);
        let image = ImageBuffer::<LumaA<u8>, _>::from_raw(1, 1, vec![9, 128]).unwrap();
        assert_eq!(decode_bytes(&encoded(image, ImageFormat::Png)).unwrap().pixels(), [9, 9, 9]);
    }

    #[test]
    fn of_sixteen_bits_the_upper_eight_are_kept() {
        let image = ImageBuffer::<Rgb<u16>, _>::from_raw(1, 1, vec![0x12ff, 0xfffe, 0x0100]).unwrap();
        assert_eq!(decode_bytes(&encoded(image, ImageFormat::Png)).unwrap().pixels(), [0x12, 0xff, 0x01]);
    }

    #[test]
    fn other_maxima_of_pnm_are_scaled() {
        assert_eq!(decode_bytes(b"P5 2 1 15\n\x0f\x05").unwrap().pixels(), [255, 255, 255, 85, 85, 85]);
    }

    #[test]
    fn unreadable_images_say_which_and_why() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        let message = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            let message = decode_image(&path).unwrap_err().to_string();
            message.strip_prefix(&format!("{}: ", path.display())).unwrap().to_owned()
        };
        assert_eq!(message(b""), "the file is empty");
        assert_eq!(
            message(b"GIF89a"),
            "expected a JPEG, PNG, BMP or PNM image, found a file that starts with [47, 49, 46, 38]"
        );
        let png = encoded(GrayImage::from_fn(64, 64, |x, y| image::Luma([(x * 7 + y * 13) as u8])), ImageFormat::Png);
        assert!(message(&png[..png.len() / 2]).starts_with("the image is damaged or ends too early: "));
        assert!(message(&[0xff, 0xd8, 0xff, 0xe0]).starts_with("the JPEG file ends or is damaged"));
        assert!(message(b"P6 0 5 255\n").contains("0x5") || message(b"P6 0 5 255\n").contains("damaged"));
        assert!(message(b"P6 100000 100000 255\n").contains("100000x100000"));
        std::fs::remove_file(&path).unwrap();
        assert!(decode_image(&path).unwrap_err().to_string().contains("a.png: cannot read: "));
    }
}
