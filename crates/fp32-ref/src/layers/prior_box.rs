//! `PriorBox`: the default boxes of an SSD head.

use ncnn_format::{Error, Result, typed};

use crate::{Layer, Shape, Tensor};

pub(super) struct PriorBox {
    min_sizes: Vec<f32>,
    /// None, or one per element of `min_sizes`.
    max_sizes: Vec<f32>,
    aspect_ratios: Vec<f32>,
    variances: [f32; 4],
    flip: bool,
    clip: bool,
    /// Width and height; -233 is that of the second input.
    image: [i32; 2],
    /// Pixels per cell in x and y; -233 is image size / cells.
    step: [f32; 2],
    offset: f32,
    whole_step: bool,
    offset_from_step: bool,
}

/// The value of a parameter that takes its value from elsewhere.
const AUTOMATIC: i32 = -233;

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<PriorBox> {
    let params = typed::PriorBox::read(layer)?;
    if !params.max_sizes.is_empty() && params.max_sizes.len() != params.min_sizes.len() {
        return Err(Error::malformed(format!(
            "has {} max_sizes for {} min_sizes",
            params.max_sizes.len(),
            params.min_sizes.len()
        )));
    }
    Ok(PriorBox {
        min_sizes: params.min_sizes,
        max_sizes: params.max_sizes,
        aspect_ratios: params.aspect_ratios,
        variances: [params.variance_0, params.variance_1, params.variance_2, params.variance_3],
        flip: params.flip != 0,
        clip: params.clip != 0,
        image: [params.image_width, params.image_height],
        step: [params.step_width, params.step_height],
        offset: params.offset,
        whole_step: params.step_mmdetection != 0,
        offset_from_step: params.center_mmdetection != 0,
    })
}

/// The cells of the feature map, and the centres that they stand for.
struct Cells {
    w: usize,
    h: usize,
    first: [f32; 2],
    step: [f32; 2],
}

impl Layer for PriorBox {
    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        let map = *inputs.first().ok_or_else(|| Error::malformed("takes a blob, the file gives it none"))?;
        if self.mxnet_style(inputs) {
            let sides = self.count(map, self.mxnet_boxes().count())?;
            return Ok(vec![Shape::new(&[sides])?]);
        }
        self.image(inputs)?;
        Ok(vec![Shape::new(&[2, self.count(map, self.sizes().count())?])?])
    }

    fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>> {
        let shapes: Vec<Shape> = inputs.iter().map(Tensor::shape).collect();
        let (Some(&output), Some(map)) = (self.output_shapes(&shapes)?.first(), shapes.first()) else {
            return Ok(Vec::new());
        };
        let mut values = Vec::with_capacity(output.volume());
        if self.mxnet_style(&shapes) {
            self.mxnet(*map, &mut values);
        } else {
            self.caffe(*map, self.image(&shapes)?, &mut values);
        }
        if self.clip {
            for side in &mut values {
                *side = side.clamp(0.0, 1.0);
            }
        }
        values.extend(self.variances.iter().cycle().take(output.volume() - values.len()));
        Ok(vec![Tensor::new(output.dims(), values)?])
    }
}

impl PriorBox {
    /// Whether the boxes are those of mxnet's `MultiBoxPrior`.
    fn mxnet_style(&self, inputs: &[Shape]) -> bool {
        inputs.len() == 1 && self.image == [AUTOMATIC; 2] && self.max_sizes.is_empty()
    }

    /// Sides of all boxes of a feature map, with `boxes` per cell.
    fn count(&self, map: Shape, boxes: usize) -> Result<usize> {
        if boxes == 0 {
            return Err(Error::malformed("has no sizes of boxes"));
        }
        // Shape::new refuses the largest number.
        Ok(boxes.saturating_mul(4).saturating_mul(map.w() * map.h()))
    }

    /// Width and height of the image in pixels.
    fn image(&self, inputs: &[Shape]) -> Result<[f32; 2]> {
        let second = inputs.get(1).map(|shape| [shape.w() as f32, shape.h() as f32]);
        if self.image.contains(&AUTOMATIC) && second.is_none() {
            return Err(Error::malformed("takes the size of the image from a second blob, the file gives it none"));
        }
        let second = second.unwrap_or_default();
        Ok([0, 1].map(|axis| if self.image[axis] == AUTOMATIC { second[axis] } else { self.image[axis] as f32 }))
    }

    /// Width and height of the boxes of a cell, in pixels.
    fn sizes(&self) -> impl Iterator<Item = [f32; 2]> {
        self.min_sizes.iter().enumerate().flat_map(move |(index, &min)| {
            let max = self.max_sizes.get(index).map(|max| (min * max).sqrt());
            let by_ratio = self.aspect_ratios.iter().flat_map(move |ratio| {
                let (wide, high) = (min * ratio.sqrt(), min / ratio.sqrt());
                std::iter::once([wide, high]).chain(self.flip.then_some([high, wide]))
            });
            std::iter::once([min; 2]).chain(max.map(|max| [max; 2])).chain(by_ratio)
        })
    }

    fn caffe(&self, map: Shape, image: [f32; 2], values: &mut Vec<f32>) {
        let map_size = [map.w(), map.h()];
        let step = [0, 1].map(|axis| {
            let even = image[axis] / map_size[axis] as f32;
            match self.step[axis] {
                step if step != AUTOMATIC as f32 => step,
                _ if self.whole_step => even.ceil(),
                _ => even,
            }
        });
        let first = step.map(|step| self.offset * if self.offset_from_step { step - 1.0 } else { step });
        Cells { w: map.w(), h: map.h(), first, step }.for_each_center(|[x, y]| {
            for [width, height] in self.sizes() {
                values.extend([
                    (x - width * 0.5) / image[0],
                    (y - height * 0.5) / image[1],
                    (x + width * 0.5) / image[0],
                    (y + height * 0.5) / image[1],
                ]);
            }
        });
    }

    /// Size and the root of the ratio of mxnet's boxes: every size as a square, then
    /// the smallest in the other ratios. The first ratio is taken to be 1.
    fn mxnet_boxes(&self) -> impl Iterator<Item = (f32, f32)> {
        let squares = self.min_sizes.iter().map(|&size| (size, 1.0));
        let ratios = self.aspect_ratios.iter().skip(1);
        squares.chain(
            self.min_sizes
                .first()
                .into_iter()
                .flat_map(move |&size| ratios.clone().map(move |ratio| (size, ratio.sqrt()))),
        )
    }

    /// Centres and sizes as parts of the image.
    fn mxnet(&self, map: Shape, values: &mut Vec<f32>) {
        let (w, h) = (map.w() as f32, map.h() as f32);
        let cells = [w, h];
        let step =
            [0, 1].map(|axis| if self.step[axis] == AUTOMATIC as f32 { 1.0 / cells[axis] } else { self.step[axis] });
        let first = step.map(|step| self.offset * step);
        Cells { w: map.w(), h: map.h(), first, step }.for_each_center(|[x, y]| {
            for (size, root) in self.mxnet_boxes() {
                let half = [size * h / w * root / 2.0, size / root / 2.0];
                values.extend([x - half[0], y - half[1], x + half[0], y + half[1]]);
            }
        });
    }
}

impl Cells {
    fn for_each_center(&self, mut f: impl FnMut([f32; 2])) {
        for row in 0..self.h {
            // Columns are added up, as ncnn does.
            let mut x = self.first[0];
            for _ in 0..self.w {
                f([x, self.first[1] + row as f32 * self.step[1]]);
                x += self.step[0];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ncnn_format::LayerKind;
    use ncnn_format::typed::ParamKey;

    use super::*;

    fn layer(arrays: &[(ParamKey<Vec<f32>>, &[f32])], ints: &[(ParamKey<i32>, i32)]) -> ncnn_format::Layer {
        let mut layer = ncnn_format::Layer::new(LayerKind::PriorBox, "boxes");
        for &(key, values) in arrays {
            layer.params.set(key, values.to_vec());
        }
        for &(key, value) in ints {
            layer.params.set(key, value);
        }
        layer
    }

    fn blob(dims: &[usize]) -> Tensor {
        Tensor::filled(Shape::new(dims).unwrap(), 0.0)
    }

    #[test]
    fn a_cell_has_a_box_per_size_and_ratio_and_a_row_of_variances() {
        let layer = layer(
            &[
                (typed::PriorBox::MIN_SIZES, &[2.0]),
                (typed::PriorBox::MAX_SIZES, &[8.0]),
                (typed::PriorBox::ASPECT_RATIOS, &[4.0]),
            ],
            &[(typed::PriorBox::IMAGE_WIDTH, -233), (typed::PriorBox::IMAGE_HEIGHT, -233)],
        );
        let output = build(&layer).unwrap().run(vec![blob(&[1, 1, 1]), blob(&[1, 4, 8])]).unwrap().remove(0);
        assert_eq!(output.shape().dims(), [2, 16]);
        let boxes = [-1.0, -1.0, 1.0, 1.0, -2.0, -2.0, 2.0, 2.0, -2.0, -0.5, 2.0, 0.5, -0.5, -2.0, 0.5, 2.0];
        let scaled = (0..16).map(|i| boxes[i] / if i % 2 == 0 { 8.0 } else { 4.0 });
        assert_eq!(output.as_slice()[..16], scaled.collect::<Vec<f32>>());
        assert_eq!(output.as_slice()[16..20], [0.1, 0.1, 0.2, 0.2]);
    }

    #[test]
    fn one_input_without_a_size_is_mxnets_style() {
        let layer = layer(
            &[(typed::PriorBox::MIN_SIZES, &[0.5, 1.0]), (typed::PriorBox::ASPECT_RATIOS, &[1.0, 4.0])],
            &[(typed::PriorBox::IMAGE_WIDTH, -233), (typed::PriorBox::IMAGE_HEIGHT, -233)],
        );
        let output = build(&layer).unwrap().run(vec![blob(&[1, 1, 1])]).unwrap().remove(0);
        assert_eq!(output.shape().dims(), [12]);
        assert_eq!(output.as_slice()[8..], [-0.5, -0.125, 0.5, 0.125]);
    }

    #[test]
    fn refuses_what_leaves_boxes_without_a_size() {
        assert!(
            build(&layer(&[(typed::PriorBox::MIN_SIZES, &[1.0, 2.0]), (typed::PriorBox::MAX_SIZES, &[3.0])], &[]))
                .is_err()
        );
        let one = build(&layer(
            &[(typed::PriorBox::MIN_SIZES, &[1.0]), (typed::PriorBox::MAX_SIZES, &[3.0])],
            &[(typed::PriorBox::IMAGE_WIDTH, -233)],
        ))
        .unwrap();
        assert!(one.output_shapes(&[Shape::new(&[1, 2, 2]).unwrap()]).is_err());
        let none =
            build(&layer(&[], &[(typed::PriorBox::IMAGE_WIDTH, 8), (typed::PriorBox::IMAGE_HEIGHT, 8)])).unwrap();
        assert!(none.output_shapes(&[Shape::new(&[1, 2, 2]).unwrap()]).is_err());
    }
}
