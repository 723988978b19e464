//! `Proposal`: regions from a Faster R-CNN head.

use ncnn_format::{Error, Result, typed};

use super::arity::exactly;
use super::detections::{Corners, Detection, overlaps, sort_descending, suppress};
use super::loading::count;
use crate::{Layer, Shape, Tensor};

pub(super) struct Proposal {
    anchors: Vec<Corners>,
    /// Pixels per cell.
    stride: f32,
    /// 0 is all.
    before_nms: usize,
    after_nms: usize,
    nms_threshold: f32,
    min_size: f32,
    outputs: usize,
}

const RATIOS: [f32; 3] = [0.5, 1.0, 2.0];
const SCALES: [f32; 3] = [8.0, 16.0, 32.0];

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<Proposal> {
    let params = typed::Proposal::read(layer)?;
    Ok(Proposal {
        anchors: anchors(params.base_size as f32),
        stride: params.feat_stride as f32,
        before_nms: count("pre_nms_topN", params.pre_nms_top_n.max(0))?,
        after_nms: count("after_nms_topN", params.after_nms_top_n)?,
        nms_threshold: params.nms_thresh,
        min_size: params.min_size as f32,
        outputs: layer.outputs.len(),
    })
}

/// Boxes of every ratio and scale around the centre of the first cell.
fn anchors(base: f32) -> Vec<Corners> {
    let boxes = RATIOS.iter().flat_map(|ratio| {
        let width = (base / ratio.sqrt()).round();
        let height = (width * ratio).round();
        SCALES.map(|scale| Corners::centered(base * 0.5, base * 0.5, width * scale, height * scale))
    });
    boxes.collect()
}

/// The blobs of a head, checked to belong together.
struct Head<'a> {
    scores: &'a [f32],
    moves: &'a [f32],
    h: usize,
    w: usize,
    /// Height, width and scale.
    image: [f32; 3],
}

impl Layer for Proposal {
    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        self.check(exactly(inputs.iter().copied())?)?;
        Err(Error::unsupported("the number of regions found depends on the values"))
    }

    fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>> {
        let inputs: [Tensor; 3] = exactly(inputs)?;
        self.check(inputs.each_ref().map(Tensor::shape))?;
        let [scores, moves, image] = inputs.each_ref().map(Tensor::as_slice);
        let (h, w) = (inputs[0].shape().h(), inputs[0].shape().w());
        let image = image.first_chunk().copied().unwrap_or_default();
        let found = self.propose(&Head { scores, moves, h, w, image });
        if found.is_empty() {
            return Err(Error::invalid("no region is large enough"));
        }
        let edges = found
            .iter()
            .flat_map(|region| [region.corners.left, region.corners.top, region.corners.right, region.corners.bottom]);
        let mut outputs = vec![Tensor::new([found.len(), 1, 4], edges.collect())?];
        if self.outputs > 1 {
            outputs.push(Tensor::new([found.len(), 1, 1], found.iter().map(|region| region.score).collect())?);
        }
        Ok(outputs)
    }
}

impl Proposal {
    fn check(&self, [scores, moves, image]: [Shape; 3]) -> Result<()> {
        let fits = scores.rank() == 3
            && moves.rank() == 3
            && scores.c() >= 2 * self.anchors.len()
            && moves.c() >= 4 * self.anchors.len()
            && scores.dims()[1..] == moves.dims()[1..]
            && image.volume() >= 3;
        if !fits {
            return Err(Error::invalid(format!(
                "scores {scores}, boxes {moves} and an image size {image} do not belong together"
            )));
        }
        Ok(())
    }

    /// The regions that stay, the strongest first.
    fn propose(&self, head: &Head<'_>) -> Vec<Detection> {
        let smallest = self.min_size * head.image[2];
        let mut found = Vec::new();
        for (index, anchor) in self.anchors.iter().enumerate() {
            for cell in 0..head.h * head.w {
                let corners = head.region(index, &anchor.shifted(cell % head.w, cell / head.w, self.stride), cell);
                let (width, height) = (corners.right - corners.left + 1.0, corners.bottom - corners.top + 1.0);
                if width >= smallest && height >= smallest {
                    let score = head.scores[(index + self.anchors.len()) * head.h * head.w + cell];
                    found.push(Detection::new(0.0, score, corners));
                }
            }
        }
        sort_descending(&mut found);
        if self.before_nms > 0 {
            found.truncate(self.before_nms);
        }
        let mut kept = suppress(&found, |shared, covered| overlaps(shared, covered, self.nms_threshold));
        kept.truncate(self.after_nms);
        kept
    }
}

impl Corners {
    /// The same box some cells further.
    fn shifted(&self, columns: usize, rows: usize, stride: f32) -> Self {
        let (x, y) = (columns as f32 * stride, rows as f32 * stride);
        Self { left: self.left + x, top: self.top + y, right: self.right + x, bottom: self.bottom + y }
    }
}

impl Head<'_> {
    /// The anchor of number `index` moved and stretched as the head says, cut at the image's edges.
    fn region(&self, index: usize, anchor: &Corners, cell: usize) -> Corners {
        let change = |channel: usize| self.moves[(index * 4 + channel) * self.h * self.w + cell];
        let (width, height) = (anchor.right - anchor.left, anchor.bottom - anchor.top);
        let corners = Corners::centered(
            anchor.left + width * 0.5 + width * change(0),
            anchor.top + height * 0.5 + height * change(1),
            width * change(2).exp(),
            height * change(3).exp(),
        );
        let [image_h, image_w, _] = self.image;
        let cut = |edge: f32, size: f32| edge.min(size - 1.0).max(0.0);
        Corners {
            left: cut(corners.left, image_w),
            top: cut(corners.top, image_h),
            right: cut(corners.right, image_w),
            bottom: cut(corners.bottom, image_h),
        }
    }
}

#[cfg(test)]
mod tests {
    use ncnn_format::LayerKind;

    use super::*;

    fn run(image: [f32; 3], value: f32) -> Result<Vec<f32>> {
        let mut layer = ncnn_format::Layer::new(LayerKind::Proposal, "regions");
        layer.outputs.push("regions".into());
        layer.params.set(typed::Proposal::BASE_SIZE, 2);
        let blob = |channels: usize| Tensor::new([channels, 1, 1], vec![value; channels]).unwrap();
        let inputs = vec![blob(18), blob(36), Tensor::new([3], image.to_vec()).unwrap()];
        Ok(build(&layer)?.run(inputs)?[0].as_slice().to_vec())
    }

    #[test]
    fn regions_are_cut_at_the_image() {
        let regions = run([30.0, 40.0, 1.0], 0.0).unwrap();
        assert!(regions.contains(&29.0));
        assert!(regions.iter().all(|edge| (0.0..=39.0).contains(edge)));
    }

    #[test]
    fn an_image_too_small_for_any_region_is_an_error() {
        assert_eq!(run([4.0, 4.0, 1.0], 0.0).unwrap_err().to_string(), "no region is large enough");
    }

    #[test]
    fn no_numbers_do_no_harm() {
        assert!(run([30.0, 40.0, 1.0], f32::NAN).is_err());
        assert!(run([f32::NAN; 3], 0.0).is_err());
    }
}
