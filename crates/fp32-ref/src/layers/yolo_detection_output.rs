//! `YoloDetectionOutput`: boxes from a YOLOv2 head.

use ncnn_format::{Error, Result, typed};

use super::detections::{Corners, Detection, overlaps, rows, sigmoid, sort_descending, suppress};
use super::loading::count;
use super::window::positive;
use super::yolo_head::YoloHead;
use crate::{Layer, Shape, Tensor};

pub(super) struct YoloDetectionOutput {
    classes: usize,
    /// Width and height in cells.
    anchors: Vec<[f32; 2]>,
    confidence_threshold: f32,
    nms_threshold: f32,
}

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<YoloDetectionOutput> {
    let params = typed::YoloDetectionOutput::read(layer)?;
    let boxes = positive("num_box", params.num_box)?;
    let (anchors, _) = params.biases.as_chunks();
    let anchors = anchors.get(..boxes).ok_or_else(|| {
        Error::malformed(format!("has {} biases, {boxes} boxes need a width and a height each", params.biases.len()))
    })?;
    Ok(YoloDetectionOutput {
        classes: count("num_class", params.num_class)?,
        anchors: anchors.to_vec(),
        confidence_threshold: params.confidence_threshold,
        nms_threshold: params.nms_threshold,
    })
}

impl Layer for YoloDetectionOutput {
    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        for &input in inputs {
            YoloHead::check(input, self.anchors.len(), self.classes)?;
        }
        Err(Error::unsupported("the number of boxes found depends on the values"))
    }

    fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>> {
        let mut found = Vec::new();
        for input in &inputs {
            let head = YoloHead::new(input, self.anchors.len(), self.classes)?;
            for (index, anchor) in self.anchors.iter().enumerate() {
                found.extend((0..head.cells()).filter_map(|cell| self.detect(&head, index, *anchor, cell)));
            }
        }
        sort_descending(&mut found);
        Ok(vec![rows(&suppress(&found, |shared, covered| overlaps(shared, covered, self.nms_threshold)))?])
    }
}

impl YoloDetectionOutput {
    fn detect(&self, head: &YoloHead<'_>, index: usize, anchor: [f32; 2], cell: usize) -> Option<Detection> {
        let value = |channel| head.value(index, channel, cell);
        let (class, probability) = most_probable(head.scores(index, cell));
        let score = sigmoid(value(YoloHead::CONFIDENCE)) * probability;
        (score >= self.confidence_threshold).then(|| {
            let [x, y] = head.center(index, cell);
            let width = value(YoloHead::WIDTH).exp() * anchor[0] / head.w as f32;
            let height = value(YoloHead::HEIGHT).exp() * anchor[1] / head.h as f32;
            // Class 0 is the background that the network does not have.
            Detection::new(class as f32 + 1.0, score, Corners::centered(x, y, width, height))
        })
    }
}

/// The first class of the largest softmax, and that.
fn most_probable(scores: impl Iterator<Item = f32> + Clone) -> (usize, f32) {
    let largest = scores.clone().fold(f32::MIN, f32::max);
    let sum: f32 = scores.clone().map(|score| (score - largest).exp()).sum();
    let probabilities = scores.map(|score| (score - largest).exp() / sum);
    probabilities.enumerate().fold(
        (0, 0.0),
        |best, (class, probability)| {
            if probability > best.1 { (class, probability) } else { best }
        },
    )
}

#[cfg(test)]
mod tests {
    use ncnn_format::LayerKind;

    use super::*;
    use crate::layers::pointwise::tests::assert_close;

    fn layer() -> ncnn_format::Layer {
        let mut layer = ncnn_format::Layer::new(LayerKind::YoloDetectionOutput, "detections");
        layer.params.set(typed::YoloDetectionOutput::NUM_CLASS, 2);
        layer.params.set(typed::YoloDetectionOutput::NUM_BOX, 1);
        layer.params.set(typed::YoloDetectionOutput::BIASES, vec![2.0, 1.0]);
        layer
    }

    #[test]
    fn a_cell_gives_a_box_around_its_centre() {
        // x, y, width, height, confidence, two classes
        let values = vec![0.0, 0.0, 0.0, 0.0, 0.0, 3.0_f32.ln(), 0.0];
        let output = build(&layer()).unwrap().run(vec![Tensor::new([7, 1, 1], values).unwrap()]).unwrap().remove(0);
        assert_close(output.as_slice(), &[1.0, 0.375, -0.5, 0.0, 1.5, 1.0]);
    }

    #[test]
    fn no_numbers_are_no_boxes() {
        let input = Tensor::new([7, 1, 1], vec![f32::NAN; 7]).unwrap();
        assert_eq!(build(&layer()).unwrap().run(vec![input]).unwrap()[0].as_slice(), [-1.0; 6]);
    }

    #[test]
    fn refuses_anchors_that_are_missing_and_channels_that_do_not_fit() {
        let mut short = layer();
        short.params.set(typed::YoloDetectionOutput::NUM_BOX, 2);
        let message = build(&short).err().unwrap().to_string();
        assert_eq!(message, "has 2 biases, 2 boxes need a width and a height each");
        let message = build(&layer()).unwrap().output_shapes(&[Shape::new(&[8, 1, 1]).unwrap()]).unwrap_err();
        assert_eq!(message.to_string(), "expects 1 x (5 + 2) channels, the input is 8x1x1");
    }
}
