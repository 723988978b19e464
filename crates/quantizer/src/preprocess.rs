//! Sample files to the tensors that a network takes.

use std::ffi::OsStr;
use std::fmt;
use std::path::Path;

use fp32_ref::{Shape, Tensor};
use ncnn_format::{Error, Result};

use crate::decode::decode_image;
use crate::fit::ResizeMode;
use crate::image::{RgbImage8, check_size};
use crate::npy::read_npy;
use crate::pixel::Pixel;
use crate::raw::{is_raw, read_raw};
use crate::setters::setters;

/// How samples become input tensors.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct InputOptions {
    /// Subtracted per channel, in units of 0…255; empty for none.
    pub mean: Vec<f32>,
    /// Multiplied per channel after the subtraction; empty for none.
    pub norm: Vec<f32>,
    /// The channels and their order.
    pub pixel: Pixel,
    /// The width to resize to. With only one side given the other follows the
    /// image's proportions; with none the image keeps its size.
    pub width: Option<usize>,
    /// The height to resize to.
    pub height: Option<usize>,
    /// The channels expected; a check of `pixel` and of `.npy` files.
    pub channels: Option<usize>,
    /// What happens to the proportions. All but stretching need both sides.
    pub resize: ResizeMode,
}

impl InputOptions {
    setters! {
        with_mean(mean: impl Into<Vec<f32>>) "other means";
        with_norm(norm: impl Into<Vec<f32>>) "other factors";
        with_pixel(pixel: Pixel) "other channels";
        with_channels(channels: impl Into<Option<usize>>) "a check of the number of channels";
        with_resize(resize: ResizeMode) "another way to treat proportions";
    }

    /// The same with a size in pixels; a side that is `None` follows the image's proportions.
    #[must_use]
    pub fn with_size(mut self, width: impl Into<Option<usize>>, height: impl Into<Option<usize>>) -> Self {
        (self.width, self.height) = (width.into(), height.into());
        self
    }
}

/// Turns images and `.npy` files into tensors exactly as ncnn2table does.
///
/// An image is decoded ([`decode_image`]), resized (by default without cropping or
/// letterbox), split into planes, and normalized. A `.npy` file is taken as it
/// is, without mean and norm. Source: ncnn's `tools/quantize/ncnn2table.cpp`.
///
/// ```
/// use quantizer::{InputOptions, Pixel, Preprocess, RgbImage8};
///
/// let options = InputOptions::default().with_mean([100.0]).with_norm([0.5]).with_pixel(Pixel::Gray);
/// let tensor = Preprocess::new(options)?.from_rgb8(RgbImage8::new(2, 1, vec![100, 100, 100, 102, 102, 102])?)?;
/// assert_eq!((tensor.shape().dims(), tensor.as_slice()), (&[1, 1, 2][..], &[0.0, 1.0][..]));
/// # Ok::<(), quantizer::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Preprocess {
    options: InputOptions,
    /// For each channel what each of the 256 byte values becomes.
    tables: Vec<[f32; 256]>,
    /// The shape that arrays must have, where it is known.
    array: Option<Shape>,
}

impl Preprocess {
    /// # Errors
    /// `Invalid` when there are neither no nor exactly as many means (norms) as
    /// channels, one is not finite, a norm is 0, a side is 0 or enormous, or
    /// `channels` is not what `pixel` has.
    pub fn new(options: InputOptions) -> Result<Self> {
        let channels = options.pixel.channels();
        check_channel_values("mean", &options.mean, options.pixel)?;
        check_channel_values("norm", &options.norm, options.pixel)?;
        if let Some(channel) = options.norm.iter().position(|&norm| norm == 0.0) {
            return Err(Error::invalid(format!("norm is a factor; 0 for channel {channel} would erase it")));
        }
        for (name, side) in [("width", options.width), ("height", options.height)] {
            if side == Some(0) {
                return Err(Error::invalid(format!("a {name} of 0 is no size; leave it out to keep the proportions")));
            }
        }
        if let (Some(width), Some(height)) = (options.width, options.height) {
            check_size(width, height)?;
        } else if options.resize != ResizeMode::Stretch {
            return Err(Error::invalid(format!("resizing by {} needs a width and a height", options.resize)));
        }
        if let Some(expected) = options.channels.filter(|&expected| expected != channels) {
            return Err(Error::invalid(format!(
                "pixel type {} has {channels} channels, but the shape asks for {expected}",
                options.pixel
            )));
        }
        let tables = (0..channels).map(|channel| normalization(&options, channel)).collect();
        Ok(Self { options, tables, array: None })
    }

    /// Takes arrays only, `.npy` or raw, which have `shape` if it is known; raw ones need it.
    pub fn of_arrays(shape: Option<Shape>) -> Self {
        Self { options: InputOptions::default(), tables: Vec::new(), array: shape }
    }

    /// The options.
    pub fn options(&self) -> &InputOptions {
        &self.options
    }

    /// The tensor for the file at `path`: `[c, h, w]` for an image, the array's
    /// own shape for `.npy` (by extension).
    ///
    /// # Errors
    /// As [`decode_image`], [`read_npy`] and [`Preprocess::from_rgb8`], naming the
    /// file; `Invalid` for an array of another shape than the options ask for.
    pub fn load(&self, path: impl AsRef<Path>) -> Result<Tensor> {
        let path = path.as_ref();
        let is_npy = path.extension().and_then(OsStr::to_str).is_some_and(|it| it.eq_ignore_ascii_case("npy"));
        let tensor = if is_npy {
            read_npy(path).and_then(|tensor| self.check_array(tensor))
        } else if is_raw(path) {
            let unknown = || Error::invalid("a raw file needs a shape, which the network does not state");
            self.array.ok_or_else(unknown).and_then(|shape| read_raw(path, shape))
        } else if self.tables.is_empty() {
            Err(Error::invalid("expected arrays only, found an image"))
        } else {
            decode_image(path).and_then(|image| self.from_rgb8(image))
        };
        tensor.map_err(|error| error.in_file(path))
    }

    /// The tensor `[c, h, w]` for an image.
    ///
    /// Each value is one fused multiply-add, x · norm + (−(mean · norm)), with
    /// the bias rounded to f32 first. That is what ncnn computes on a CPU with
    /// FMA and what its goldens hold; a CPU without FMA may give ncnn another last
    /// bit, while ours is the same everywhere.
    ///
    /// # Errors
    /// `Invalid` or `TooLarge` when keeping the proportions leads to an empty or
    /// enormous image.
    pub fn from_rgb8(&self, image: RgbImage8) -> Result<Tensor> {
        let (width, height) = self.target_size(image.width(), image.height())?;
        let image = self.options.resize.apply(image, width, height)?;
        let (width, height) = (image.width(), image.height());
        let pixels = image.pixels().as_chunks::<3>().0;
        let mut values = Vec::with_capacity(self.tables.len() * pixels.len());
        for (channel, table) in self.tables.iter().enumerate() {
            let pixel = self.options.pixel;
            values.extend(pixels.iter().map(|&rgb| table[usize::from(pixel.value(channel, rgb))]));
        }
        Tensor::new([self.tables.len(), height, width], values)
    }

    /// ncnn's arithmetic: the quotient in f64 stored as f32, the second quotient
    /// in f64, truncated.
    fn target_size(&self, width: usize, height: usize) -> Result<(usize, usize)> {
        let follow = |given: usize, from: usize, other: usize| {
            let scale = (from as f64 / given as f64) as f32;
            (other as f64 / f64::from(scale)) as usize
        };
        let target = match (self.options.width, self.options.height) {
            (None, None) => (width, height),
            (Some(to), None) => (to, follow(to, width, height)),
            (None, Some(to)) => (follow(to, height, width), to),
            (Some(width), Some(height)) => (width, height),
        };
        if target.0 == 0 || target.1 == 0 {
            return Err(Error::invalid(format!(
                "an image of {width}x{height} with its proportions kept would become {}x{}",
                target.0, target.1
            )));
        }
        Ok(target)
    }

    fn check_array(&self, tensor: Tensor) -> Result<Tensor> {
        let shape = tensor.shape();
        if let Some(expected) = self.array {
            let message = || Error::invalid(format!("expected an array of shape {expected}, found {shape}"));
            return if shape == expected { Ok(tensor) } else { Err(message()) };
        }
        let InputOptions { width, height, channels, .. } = self.options;
        // [1, c, h, w] is far more common than a volume of one channel.
        if shape.rank() == 4 && shape.c() == 1 && channels != Some(1) {
            return Err(Error::invalid(format!(
                "the array {shape} seems to have a batch dimension; store one sample per file without it, array[0]"
            )));
        }
        let fits = |expected: Option<usize>, found: usize| expected.is_none_or(|expected| expected == found);
        let rank = if channels.is_some() { 3 } else { 1 + usize::from(height.is_some()) };
        if shape.rank() < rank || !fits(width, shape.w()) || !fits(height, shape.h()) || !fits(channels, shape.c()) {
            return Err(Error::invalid(format!(
                "expected an array of shape {}, found {shape}",
                expected_shape(channels, height, width)
            )));
        }
        Ok(tensor)
    }

    /// The shape of every image's tensor, when both sides are given.
    pub fn image_shape(&self) -> Option<Shape> {
        if self.options.resize == ResizeMode::Keep {
            return None;
        }
        Shape::new(&[self.tables.len(), self.options.height?, self.options.width?]).ok()
    }
}

/// What is done to the samples, for people.
impl fmt::Display for Preprocess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.tables.is_empty() {
            return match self.array {
                Some(shape) => write!(f, "arrays of {shape}"),
                None => f.write_str("arrays as they are"),
            };
        }
        let InputOptions { mean, norm, pixel, width, height, resize, .. } = &self.options;
        let shape = expected_shape(Some(self.tables.len()), *height, *width);
        write!(f, "{shape}, pixel {pixel}, mean {mean:?}, norm {norm:?}, resize {resize}")
    }
}

/// The dimensions asked for, outermost first, `?` for any.
fn expected_shape(channels: Option<usize>, height: Option<usize>, width: Option<usize>) -> String {
    let sides = [channels, height, width].map(|side| side.map_or("?".to_owned(), |side| side.to_string()));
    sides.join("x")
}

fn check_channel_values(name: &str, values: &[f32], pixel: Pixel) -> Result<()> {
    let channels = pixel.channels();
    if !values.is_empty() && values.len() != channels {
        return Err(Error::invalid(format!(
            "{name} needs one value for each of the {channels} channels of {pixel}, found {}",
            values.len()
        )));
    }
    match values.iter().position(|value| !value.is_finite()) {
        Some(channel) => Err(Error::invalid(format!("{name} of channel {channel} is {}", values[channel]))),
        None => Ok(()),
    }
}

fn normalization(options: &InputOptions, channel: usize) -> [f32; 256] {
    let mean = options.mean.get(channel).copied().unwrap_or(0.0);
    let norm = options.norm.get(channel).copied().unwrap_or(1.0);
    let bias = -(mean * norm);
    std::array::from_fn(|value| (value as f32).mul_add(norm, bias))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(pixel: Pixel, mean: &[f32], norm: &[f32]) -> InputOptions {
        InputOptions { mean: mean.to_vec(), norm: norm.to_vec(), pixel, ..Default::default() }
    }

    fn image(width: usize, height: usize) -> RgbImage8 {
        RgbImage8::new(width, height, (0..3 * width * height).map(|i| i as u8).collect()).unwrap()
    }

    fn refusal(options: InputOptions) -> String {
        Preprocess::new(options).unwrap_err().to_string()
    }

    #[test]
    fn planes_are_normalized_by_their_own_mean_and_norm() {
        let preprocess = Preprocess::new(options(Pixel::Bgr, &[1., 2., 3.], &[1., 0.5, 2.])).unwrap();
        let tensor = preprocess.from_rgb8(image(2, 1)).unwrap();
        assert_eq!(tensor.shape().dims(), [3, 1, 2]);
        assert_eq!(tensor.as_slice(), [1.0, 4.0, -0.5, 1.0, -6.0, 0.0]);
    }

    #[test]
    fn without_mean_and_norm_the_bytes_come_through() {
        let preprocess = Preprocess::new(options(Pixel::Rgba, &[], &[])).unwrap();
        let tensor = preprocess.from_rgb8(image(1, 1)).unwrap();
        assert_eq!(tensor.as_slice(), [0.0, 1.0, 2.0, 255.0]);
        assert_eq!(preprocess.options().pixel, Pixel::Rgba);
    }

    #[test]
    fn the_other_side_follows_the_proportions_and_is_truncated() {
        let sized = |width, height| {
            let options = InputOptions { width, height, ..Default::default() };
            let preprocess = Preprocess::new(options).unwrap();
            preprocess.from_rgb8(image(30, 20)).map(|tensor| (tensor.shape().w(), tensor.shape().h()))
        };
        assert_eq!(sized(None, None).unwrap(), (30, 20));
        assert_eq!(sized(Some(7), None).unwrap(), (7, 4));
        assert_eq!(sized(None, Some(7)).unwrap(), (10, 7));
        assert_eq!(sized(Some(5), Some(9)).unwrap(), (5, 9));
        let message = sized(Some(1), None).unwrap_err().to_string();
        assert_eq!(message, "an image of 30x20 with its proportions kept would become 1x0");
    }

    #[test]
    fn options_that_cannot_work_are_refused() {
        let one = refusal(options(Pixel::Rgb, &[104.0], &[]));
        assert_eq!(one, "mean needs one value for each of the 3 channels of RGB, found 1");
        assert!(refusal(options(Pixel::Gray, &[], &[1., 1., 1.])).contains("each of the 1 channels of GRAY, found 3"));
        assert_eq!(refusal(options(Pixel::Gray, &[f32::NAN], &[])), "mean of channel 0 is NaN");
        assert!(refusal(options(Pixel::Gray, &[], &[0.0])).contains("0 for channel 0 would erase it"));
        let shape = InputOptions { channels: Some(1), ..Default::default() };
        assert_eq!(refusal(shape), "pixel type RGB has 3 channels, but the shape asks for 1");
        assert!(refusal(InputOptions { width: Some(0), ..Default::default() }).contains("a width of 0"));
        let enormous = InputOptions { width: Some(1 << 20), height: Some(1 << 20), ..Default::default() };
        assert!(refusal(enormous).contains("1048576x1048576"));
    }

    #[test]
    fn arrays_are_taken_as_they_are_but_must_have_the_shape() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.NPY");
        let load = |dims: &[usize], options: &InputOptions| {
            let count = dims.iter().product();
            crate::npy::write_npy(&path, &Tensor::new(dims, vec![7.0; count]).unwrap()).unwrap();
            Preprocess::new(options.clone()).unwrap().load(&path)
        };
        let mut options = options(Pixel::Rgb, &[1., 1., 1.], &[2., 2., 2.]);
        assert_eq!(load(&[5], &options).unwrap().as_slice(), [7.0; 5]);
        (options.width, options.height, options.channels) = (Some(4), Some(2), Some(3));
        assert_eq!(load(&[3, 2, 4], &options).unwrap().shape().dims(), [3, 2, 4]);
        let message = load(&[3, 4, 2], &options).unwrap_err().to_string();
        assert_eq!(message, format!("{}: expected an array of shape 3x2x4, found 3x4x2", path.display()));
        assert!(load(&[24], &options).unwrap_err().to_string().contains("found 24"));
        let batch = load(&[1, 3, 2, 4], &options).unwrap_err().to_string();
        assert!(batch.contains("the array 1x3x2x4 seems to have a batch dimension"), "{batch}");
    }

    #[test]
    fn the_shape_of_images_is_known_when_both_sides_are() {
        let mut options = InputOptions { width: Some(4), ..Default::default() };
        assert_eq!(Preprocess::new(options.clone()).unwrap().image_shape(), None);
        options.height = Some(2);
        assert_eq!(Preprocess::new(options).unwrap().image_shape().unwrap().dims(), [3, 2, 4]);
    }
}
