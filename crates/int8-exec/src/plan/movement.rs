//! Where the values of a layer that only moves values come from.

use fp32_ref::{Layer, Shape, Tensor};
use ncnn_format::{Error, Result};

use crate::grid::Grid;

/// More values than this are not worth a table; floats count exactly to four times as many.
const MOST_VALUES: usize = 1 << 22;

/// Whether a table for a layer of these shapes is small.
pub(super) fn is_affordable(inputs: &[Shape], outputs: &[Shape]) -> bool {
    inputs.iter().chain(outputs).all(|shape| shape.volume() <= MOST_VALUES)
}

/// For every value of an output, pixel by pixel, the pixel and channel of the input it is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Movement {
    sources: Vec<(u32, u32)>,
    /// Channels of an output pixel.
    channels: usize,
    /// Channels of an input pixel.
    from_channels: usize,
}

/// A run of bytes that stay together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) len: usize,
}

/// A pattern of pieces that repeats at regular distances.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern {
    pub(crate) pieces: Vec<Piece>,
    pub(crate) repeats: usize,
    pub(crate) from_step: usize,
    pub(crate) to_step: usize,
}

/// Whether the values that `layer` makes of an image of `shape`, in ncnn's order, are its pixels one
/// after the other.
///
/// # Errors
/// Those of the layer.
pub(super) fn reads_pixels_in_order(layer: &dyn Layer, shape: Shape) -> Result<bool> {
    let (grid, outputs) = (Grid::of(shape), layer.run(vec![positions(shape)?])?);
    let place = |(index, &position): (usize, &f32)| {
        grid.place(shape.rank(), position as usize) == (index / grid.channels, index % grid.channels)
    };
    Ok(outputs
        .iter()
        .all(|output| output.shape().volume() == shape.volume() && output.as_slice().iter().enumerate().all(place)))
}

/// A tensor whose values are the positions at which they are.
fn positions(shape: Shape) -> Result<Tensor> {
    Tensor::new(shape.dims(), (0..shape.volume()).map(|position| position as f32).collect())
}

impl Movement {
    /// What `layer`, which has one input of `shape`, moves where: one movement per output.
    ///
    /// The layer is asked itself: it is given the position of each value as the value.
    ///
    /// # Errors
    /// Those of the layer, and `Unsupported` if its outputs are not values of its input.
    pub(super) fn of(layer: &dyn Layer, shape: Shape) -> Result<Vec<Self>> {
        let outputs = layer.run(vec![positions(shape)?])?;
        outputs.iter().map(|output| Self::from_positions(output, shape)).collect()
    }

    /// From ncnn's order to pixel by pixel as it is, as a reshape to one pixel needs it.
    pub(super) fn flatten(shape: Shape) -> Self {
        let grid = Grid::of(shape);
        let sources = (0..shape.volume()).map(|position| to_u32(grid.place(shape.rank(), position))).collect();
        Self { sources, channels: shape.volume(), from_channels: grid.channels }
    }

    fn from_positions(output: &Tensor, input: Shape) -> Result<Self> {
        let (from, to, rank) = (Grid::of(input), Grid::of(output.shape()), output.shape().rank());
        let mut sources = vec![(0, 0); output.shape().volume()];
        for (position, &source) in output.as_slice().iter().enumerate() {
            if source < 0.0 || source.fract() != 0.0 || source as usize >= input.volume() {
                return Err(Error::unsupported("the layer makes values that its input does not have"));
            }
            let (pixel, channel) = to.place(rank, position);
            sources[pixel * to.channels + channel] = to_u32(from.place(input.rank(), source as usize));
        }
        Ok(Self { sources, channels: to.channels, from_channels: from.channels })
    }

    /// If every output pixel is neighbouring channels of the input pixel of the same number: the
    /// first of them.
    pub(super) fn channel_slice(&self) -> Option<usize> {
        let first = self.sources.first()?.1;
        let fits = |(index, &(pixel, channel)): (usize, &(u32, u32))| {
            pixel as usize == index / self.channels && channel as usize == first as usize + index % self.channels
        };
        self.sources.iter().enumerate().all(fits).then_some(first as usize)
    }

    /// Whether the bytes stay in the order in which they lie, without gaps.
    pub(super) fn keeps_order(&self) -> bool {
        let place = |&(pixel, channel): &(u32, u32)| pixel as usize * self.from_channels + channel as usize;
        let mut places = self.sources.iter().map(place);
        (0..self.sources.len()).all(|index| places.next() == Some(index))
    }

    /// The bytes to copy for views of these strides; positions count from the first byte of a view.
    pub(super) fn pattern(&self, from_stride: usize, to_stride: usize) -> Pattern {
        let mut pieces: Vec<Piece> = Vec::new();
        for (index, &(pixel, channel)) in self.sources.iter().enumerate() {
            let from = pixel as usize * from_stride + channel as usize;
            let to = index / self.channels * to_stride + index % self.channels;
            // Pieces end with their pixel, so that pixels stay alike.
            let piece = Piece { from, to, len: 1 };
            match pieces.last_mut().filter(|_| index % self.channels != 0) {
                Some(last) if last.continues(piece) => last.len += 1,
                _ => pieces.push(piece),
            }
        }
        let pixels = self.sources.len() / self.channels;
        // Most movements do the same to every pixel; flattening does the same to every channel.
        Pattern::repeated(pieces, [pixels, self.from_channels])
    }
}

impl Piece {
    fn continues(&self, next: Self) -> bool {
        self.from + self.len == next.from && self.to + self.len == next.to
    }
}

impl Pattern {
    /// `pieces` as equal patterns, if they are as many as one of `candidates`.
    fn repeated(pieces: Vec<Piece>, candidates: [usize; 2]) -> Self {
        for repeats in candidates {
            if repeats < 2 || !pieces.len().is_multiple_of(repeats) {
                continue;
            }
            let len = pieces.len() / repeats;
            let step = |part: fn(&Piece) -> usize| part(&pieces[len]).checked_sub(part(&pieces[0]));
            let (Some(from_step), Some(to_step)) = (step(|piece| piece.from), step(|piece| piece.to)) else { continue };
            let fits = pieces.iter().zip(&pieces[len..]).all(|(piece, next)| {
                next.from == piece.from + from_step && next.to == piece.to + to_step && next.len == piece.len
            });
            let is_one_run = len == 1 && (from_step, to_step) == (pieces[0].len, pieces[0].len);
            if fits && !is_one_run {
                return Self { pieces: pieces[..len].to_vec(), repeats, from_step, to_step };
            }
        }
        let mut longer: Vec<Piece> = Vec::new();
        for piece in pieces {
            match longer.last_mut() {
                Some(last) if last.continues(piece) => last.len += piece.len,
                _ => longer.push(piece),
            }
        }
        Self { pieces: longer, repeats: 1, from_step: 0, to_step: 0 }
    }

    /// Copies everything.
    pub(crate) fn copy(&self, from: &[u8], to: &mut [u8]) {
        for repeat in 0..self.repeats {
            let (from, to) = (&from[repeat * self.from_step..], &mut to[repeat * self.to_step..]);
            for piece in &self.pieces {
                if piece.len == 1 {
                    to[piece.to] = from[piece.from];
                } else {
                    to[piece.to..piece.to + piece.len].copy_from_slice(&from[piece.from..piece.from + piece.len]);
                }
            }
        }
    }
}

fn to_u32((pixel, channel): (usize, usize)) -> (u32, u32) {
    // Below MOST_VALUES.
    (pixel as u32, channel as u32)
}

#[cfg(test)]
mod tests {
    use fp32_ref::BuildOptions;
    use ncnn_format::LayerKind;
    use ncnn_format::typed::{self, ParamKey};

    use super::*;

    fn movement(kind: LayerKind, params: &[(ParamKey<i32>, i32)], dims: &[usize]) -> Movement {
        let mut layer = ncnn_format::Layer::new(kind, "layer");
        layer.inputs = vec!["in".into()];
        layer.outputs = vec!["out".into()];
        params.iter().for_each(|&(key, value)| layer.params.set(key, value));
        Movement::of(&*fp32_ref::build(&layer, BuildOptions::default()).unwrap(), Shape::new(dims).unwrap())
            .unwrap()
            .remove(0)
    }

    #[test]
    fn a_shuffle_repeats_at_every_pixel() {
        let shuffle = movement(LayerKind::ShuffleChannel, &[(typed::ShuffleChannel::GROUP, 2)], &[6, 2, 2]);
        let pattern = shuffle.pattern(6, 6);
        assert_eq!((pattern.repeats, pattern.from_step, pattern.to_step), (4, 6, 6));
        let mut to = [0; 24];
        pattern.copy(&(0..24).collect::<Vec<u8>>(), &mut to);
        assert_eq!(to[6..12], [6, 9, 7, 10, 8, 11]);
        assert_eq!((shuffle.channel_slice(), shuffle.keeps_order()), (None, false));
    }

    #[test]
    fn a_flattened_image_is_planar_again() {
        let flatten = movement(LayerKind::Flatten, &[], &[3, 2, 2]);
        assert_eq!(flatten, Movement::flatten(Shape::new(&[3, 2, 2]).unwrap()));
        let mut to = [0; 12];
        flatten.pattern(3, 12).copy(&(0..12).collect::<Vec<u8>>(), &mut to);
        assert_eq!(to, [0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11]);
        assert!(movement(LayerKind::Flatten, &[], &[3, 1, 1]).keeps_order());
    }

    #[test]
    fn a_crop_of_channels_is_a_slice() {
        let crop = movement(
            LayerKind::Crop,
            &[(typed::Crop::COFFSET, 1), (typed::Crop::OUTC, 2), (typed::Crop::OUTW, -233), (typed::Crop::OUTH, -233)],
            &[4, 2, 3],
        );
        assert_eq!(crop.channel_slice(), Some(1));
        let rows = movement(
            LayerKind::Crop,
            &[(typed::Crop::HOFFSET, 1), (typed::Crop::OUTW, -233), (typed::Crop::OUTH, 1), (typed::Crop::OUTC, -233)],
            &[4, 2, 3],
        );
        assert_eq!(rows.channel_slice(), None);
        assert_eq!(rows.pattern(4, 4).pieces, [Piece { from: 12, to: 0, len: 12 }]);
    }
}
