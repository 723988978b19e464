//! `Yolov3DetectionOutput`: boxes from YOLOv3 heads of several sizes.

use ncnn_format::{Error, Result, typed};

use super::detections::{Corners, Detection, rows, sort_descending, suppress};
use super::loading::count;
use super::window::positive;
use super::yolo_head::YoloHead;
use crate::{Layer, Shape, Tensor};

pub(super) struct Yolov3DetectionOutput {
    classes: usize,
    /// Per input.
    scales: Vec<Scale>,
    confidence_threshold: f32,
    nms_threshold: f32,
}

struct Scale {
    /// Width and height in pixels.
    anchors: Vec<[f32; 2]>,
    pixels_per_cell: f32,
}

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<Yolov3DetectionOutput> {
    let params = typed::Yolov3DetectionOutput::read(layer)?;
    let boxes = positive("num_box", params.num_box)?;
    let inputs = layer.inputs.len();
    let (masks, _) = params.mask.split_at(params.mask.len() - params.mask.len() % boxes);
    if masks.len() / boxes < inputs || params.anchors_scale.len() < inputs {
        return Err(Error::malformed(format!(
            "has {} masks and {} anchor scales for {inputs} inputs of {boxes} boxes",
            params.mask.len(),
            params.anchors_scale.len()
        )));
    }
    let scales = masks
        .chunks_exact(boxes)
        .zip(&params.anchors_scale)
        .take(inputs)
        .map(|(mask, &pixels_per_cell)| {
            let anchors = mask.iter().map(|&index| anchor(&params.biases, index)).collect::<Result<_>>()?;
            Ok(Scale { anchors, pixels_per_cell })
        })
        .collect::<Result<_>>()?;
    Ok(Yolov3DetectionOutput {
        classes: count("num_class", params.num_class)?,
        scales,
        confidence_threshold: params.confidence_threshold,
        nms_threshold: params.nms_threshold,
    })
}

/// The pair of `biases` at `index`, whose fraction does not count.
fn anchor(biases: &[f32], index: f32) -> Result<[f32; 2]> {
    let (anchors, _) = biases.as_chunks();
    // A number that is negative or none becomes 0, which the file does not mean.
    let anchor = if index > -1.0 { anchors.get(index as usize) } else { None };
    anchor
        .copied()
        .ok_or_else(|| Error::malformed(format!("a mask names the anchor {index}, there are {}", anchors.len())))
}

impl Layer for Yolov3DetectionOutput {
    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        for (&input, scale) in inputs.iter().zip(&self.scales) {
            YoloHead::check(input, scale.anchors.len(), self.classes)?;
        }
        Err(Error::unsupported("the number of boxes found depends on the values"))
    }

    fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>> {
        let mut found = Vec::new();
        for (input, scale) in inputs.iter().zip(&self.scales) {
            let head = YoloHead::new(input, scale.anchors.len(), self.classes)?;
            for index in 0..scale.anchors.len() {
                found.extend((0..head.cells()).filter_map(|cell| self.detect(&head, scale, index, cell)));
            }
        }
        sort_descending(&mut found);
        Ok(vec![rows(&suppress(&found, |shared, covered| shared > self.nms_threshold * covered))?])
    }
}

impl Yolov3DetectionOutput {
    fn detect(&self, head: &YoloHead<'_>, scale: &Scale, index: usize, cell: usize) -> Option<Detection> {
        let value = |channel| head.value(index, channel, cell);
        let (class, best) = head
            .scores(index, cell)
            .enumerate()
            .fold((0, f32::MIN), |best, (class, score)| if score > best.1 { (class, score) } else { best });
        // Not the product of two logistic functions, though it stands for it.
        let score = 1.0 / (1.0 + (-value(YoloHead::CONFIDENCE)).exp() * (1.0 + (-best).exp()));
        (score >= self.confidence_threshold).then(|| {
            let pixels = |cells: usize| (scale.pixels_per_cell * cells as f32).trunc();
            let [x, y] = head.center(index, cell);
            let anchor = scale.anchors[index];
            let width = value(YoloHead::WIDTH).exp() * anchor[0] / pixels(head.w);
            let height = value(YoloHead::HEIGHT).exp() * anchor[1] / pixels(head.h);
            let corners = Corners::centered(x, y, width, height);
            // Class 0 is the background that the network does not have.
            Detection { label: class as f32 + 1.0, score, corners, area: width * height }
        })
    }
}

#[cfg(test)]
mod tests {
    use ncnn_format::LayerKind;

    use super::*;

    fn layer(mask: f32) -> ncnn_format::Layer {
        let mut layer = ncnn_format::Layer::new(LayerKind::Yolov3DetectionOutput, "detections");
        layer.inputs.push("head".into());
        layer.params.set(typed::Yolov3DetectionOutput::NUM_CLASS, 2);
        layer.params.set(typed::Yolov3DetectionOutput::NUM_BOX, 1);
        layer.params.set(typed::Yolov3DetectionOutput::BIASES, vec![2.0, 1.0, 4.0, 8.0]);
        layer.params.set(typed::Yolov3DetectionOutput::MASK, vec![mask]);
        layer.params.set(typed::Yolov3DetectionOutput::ANCHORS_SCALE, vec![8.0]);
        layer
    }

    #[test]
    fn the_mask_picks_the_anchor() {
        let values = vec![0.0, 0.0, 0.0, 0.0, 0.0, 0.0, -1.0];
        let output = build(&layer(1.0)).unwrap().run(vec![Tensor::new([7, 1, 1], values).unwrap()]).unwrap().remove(0);
        assert_eq!(output.as_slice(), [1.0, 1.0 / 3.0, 0.25, 0.0, 0.75, 1.0]);
    }

    #[test]
    fn refuses_masks_without_an_anchor() {
        for mask in [2.0, -1.0, f32::NAN, 1e30] {
            let message = build(&layer(mask)).err().unwrap().to_string();
            assert_eq!(message, format!("a mask names the anchor {mask}, there are 2"));
        }
    }

    #[test]
    fn no_numbers_are_no_boxes() {
        let input = Tensor::new([7, 1, 1], vec![f32::NAN; 7]).unwrap();
        assert_eq!(build(&layer(0.0)).unwrap().run(vec![input]).unwrap()[0].as_slice(), [-1.0; 6]);
    }
}
