//! `DetectionOutput`: boxes from an SSD head.

use ncnn_format::{Error, Result, typed};

use super::arity::exactly;
use super::detections::{Corners, Detection, overlaps, rows, sort_strongest, suppress};
use super::loading::count;
use super::window::positive;
use crate::shares::each_share;
use crate::{Layer, Shape, Tensor};

pub(super) struct DetectionOutput {
    /// With the background; `None` in mxnet's layout, where the confidences tell.
    classes: Option<usize>,
    nms_threshold: f32,
    nms_top_k: usize,
    keep_top_k: usize,
    confidence_threshold: f32,
    /// Of mxnet's layout; otherwise the prior boxes bring theirs.
    variances: [f32; 4],
}

/// What a prior takes in a class, roughly.
const OPERATIONS: usize = 64;

/// The class that means that there is nothing.
const BACKGROUND: usize = 0;

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<DetectionOutput> {
    let params = typed::DetectionOutput::read(layer)?;
    let classes = match params.num_class {
        -233 => None,
        other => Some(positive("num_class", other)?),
    };
    Ok(DetectionOutput {
        classes,
        nms_threshold: params.nms_threshold,
        nms_top_k: count("nms_top_k", params.nms_top_k)?,
        keep_top_k: count("keep_top_k", params.keep_top_k)?,
        confidence_threshold: params.confidence_threshold,
        variances: [params.variance_0, params.variance_1, params.variance_2, params.variance_3],
    })
}

/// The blobs of a head, checked to belong together.
struct Head<'a> {
    priors: usize,
    classes: usize,
    location: &'a [[f32; 4]],
    confidence: &'a [f32],
    /// Whether a class's confidences lie together, or a prior's.
    by_class: bool,
    boxes: &'a [[f32; 4]],
    variances: &'a [[f32; 4]],
}

impl Layer for DetectionOutput {
    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        let inputs = exactly(inputs.iter().copied())?;
        self.sizes(inputs)?;
        Err(Error::unsupported("the number of boxes found depends on the values"))
    }

    fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>> {
        let inputs: [Tensor; 3] = exactly(inputs)?;
        let head = self.head(&inputs)?;
        let corners = head.decode(self.confidence_threshold);
        let mut of_class = vec![Vec::new(); head.classes];
        each_share(&mut of_class, 1, head.priors.saturating_mul(OPERATIONS), |first, some| {
            for (found, class) in some.iter_mut().zip(first..).filter(|&(_, class)| class != BACKGROUND) {
                *found = self.of_class(&head, &corners, class);
            }
        });
        let mut found = of_class.concat();
        sort_strongest(&mut found, self.keep_top_k);
        found.truncate(self.keep_top_k);
        Ok(vec![rows(&found)?])
    }
}

impl DetectionOutput {
    /// The numbers of priors and of classes.
    fn sizes(&self, [location, confidence, priors]: [Shape; 3]) -> Result<(usize, usize)> {
        let (count, classes) = match self.classes {
            Some(classes) => (priors.w() / 4, classes),
            None => (priors.h(), confidence.h()),
        };
        let rows = if self.classes.is_some() { 2 } else { 1 };
        let fits = count > 0
            && priors.volume() >= count.saturating_mul(4 * rows)
            && location.volume() >= count.saturating_mul(4)
            && confidence.volume() >= count.saturating_mul(classes);
        if !fits {
            return Err(Error::invalid(format!(
                "a location {location}, a confidence {confidence} and prior boxes {priors} do not belong together"
            )));
        }
        Ok((count, classes))
    }

    fn head<'a>(&'a self, inputs: &'a [Tensor; 3]) -> Result<Head<'a>> {
        let (priors, classes) = self.sizes(inputs.each_ref().map(Tensor::shape))?;
        let [location, confidence, boxes] = inputs.each_ref().map(Tensor::as_slice);
        let row = if self.classes.is_some() { inputs[2].shape().w() } else { 4 * priors };
        let (boxes, behind) = boxes.split_at(row);
        let variances = match self.classes {
            Some(_) => behind.as_chunks().0,
            None => std::slice::from_ref(&self.variances),
        };
        Ok(Head {
            priors,
            classes,
            location: location.as_chunks().0,
            confidence,
            by_class: self.classes.is_none(),
            boxes: boxes.as_chunks().0,
            variances,
        })
    }

    /// The boxes of one class, the strongest first.
    fn of_class(&self, head: &Head<'_>, corners: &[Corners], class: usize) -> Vec<Detection> {
        let mut found: Vec<Detection> = corners
            .iter()
            .enumerate()
            .map(|(prior, &corners)| (head.score(prior, class), corners))
            .filter(|&(score, _)| score > self.confidence_threshold)
            .map(|(score, corners)| Detection::new(class as f32, score, corners))
            .collect();
        sort_strongest(&mut found, self.nms_top_k);
        found.truncate(self.nms_top_k);
        suppress(&found, |shared, covered| overlaps(shared, covered, self.nms_threshold))
    }
}

impl Head<'_> {
    fn score(&self, prior: usize, class: usize) -> f32 {
        self.confidence[if self.by_class { class * self.priors + prior } else { prior * self.classes + class }]
    }

    /// The box of every prior; where the background is certain it stays empty.
    fn decode(&self, confidence_threshold: f32) -> Vec<Corners> {
        let certain = 1.0 - f64::from(confidence_threshold);
        let priors = self.location.iter().zip(self.boxes).zip(self.variances.iter().cycle()).take(self.priors);
        priors
            .enumerate()
            .map(|(prior, ((location, corners), variances))| {
                if f64::from(self.score(prior, BACKGROUND)) >= certain {
                    return Corners::default();
                }
                moved(location, corners, variances)
            })
            .collect()
    }
}

/// A prior box moved and stretched by `location` times `variances`.
fn moved(location: &[f32; 4], &[left, top, right, bottom]: &[f32; 4], variances: &[f32; 4]) -> Corners {
    let (width, height) = (right - left, bottom - top);
    Corners::centered(
        variances[0] * location[0] * width + (left + right) * 0.5,
        variances[1] * location[1] * height + (top + bottom) * 0.5,
        (variances[2] * location[2]).exp() * width,
        (variances[3] * location[3]).exp() * height,
    )
}

#[cfg(test)]
mod tests {
    use ncnn_format::LayerKind;

    use super::*;

    fn run(confidence: Vec<f32>) -> Vec<f32> {
        let mut layer = ncnn_format::Layer::new(LayerKind::DetectionOutput, "detections");
        layer.params.set(typed::DetectionOutput::NUM_CLASS, 2);
        let priors = vec![0.0, 0.0, 1.0, 1.0, 0.5, 0.5, 1.0, 1.0, 0.1, 0.1, 0.2, 0.2, 0.1, 0.1, 0.2, 0.2];
        let inputs = vec![
            Tensor::new([8], vec![0.0; 8]).unwrap(),
            Tensor::new([4], confidence).unwrap(),
            Tensor::new([2, 8], priors).unwrap(),
        ];
        build(&layer).unwrap().run(inputs).unwrap()[0].as_slice().to_vec()
    }

    #[test]
    fn a_prior_with_a_strong_class_is_a_box() {
        assert_eq!(run(vec![0.1, 0.9, 0.9, 0.1]), [1.0, 0.9, 0.0, 0.0, 1.0, 1.0]);
    }

    #[test]
    fn nothing_above_the_threshold_is_a_row_of_minus_one() {
        assert_eq!(run(vec![0.9, 0.1, f32::NAN, f32::NAN]), [-1.0; 6]);
    }

    #[test]
    fn refuses_blobs_that_do_not_belong_together() {
        let mut layer = ncnn_format::Layer::new(LayerKind::DetectionOutput, "detections");
        layer.params.set(typed::DetectionOutput::NUM_CLASS, 2);
        let shapes = [&[8][..], &[3], &[2, 8]].map(|dims| Shape::new(dims).unwrap());
        let message = build(&layer).unwrap().output_shapes(&shapes).unwrap_err().to_string();
        assert_eq!(message, "a location 8, a confidence 3 and prior boxes 2x8 do not belong together");
    }
}
