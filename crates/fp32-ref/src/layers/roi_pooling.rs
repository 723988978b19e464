//! `ROIPooling`: the largest value of each cell of a region.

use ncnn_format::{Result, typed};

use super::arity::{exactly, only};
use super::region::{Extent, Grid, cut, edges};
use crate::{Layer, Shape, Tensor};

pub(super) struct RoiPooling {
    grid: Grid,
    scale: f32,
}

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<RoiPooling> {
    let params = typed::ROIPooling::read(layer)?;
    Ok(RoiPooling { grid: Grid::new(params.pooled_width, params.pooled_height)?, scale: params.spatial_scale })
}

impl Layer for RoiPooling {
    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        Ok(vec![self.grid.output(inputs, |image| Ok(image.c()))?])
    }

    fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>> {
        let shape = only(self.output_shapes(&inputs.iter().map(Tensor::shape).collect::<Vec<_>>())?)?;
        let [image, roi] = exactly(inputs)?;
        let (h, w) = (image.shape().h(), image.shape().w());
        let [left, top, right, bottom] = edges(&roi).map(|edge| (edge * self.scale).round());
        // A cell is at least 1 wide, both edges included.
        let extent =
            |start: f32, end: f32, cells: usize| Extent { start, size: (end - start + 1.0).max(1.0) / cells as f32 };
        let (across, down) = (extent(left, right, self.grid.w), extent(top, bottom, self.grid.h));
        let mut values = Vec::with_capacity(shape.volume());
        for plane in image.as_slice().chunks_exact(h * w) {
            values.extend(self.grid.cells().map(|(row, column)| {
                let (rows, columns) = (cell(down, row, h), cell(across, column, w));
                rows.flat_map(|y| &plane[y * w..(y + 1) * w][columns.clone()]).copied().reduce(larger).unwrap_or(0.0)
            }));
        }
        Ok(vec![Tensor::new(shape.dims(), values)?])
    }
}

/// The rows or columns of the cell at `index`, with those that it covers in part.
fn cell(Extent { start, size }: Extent, index: usize, limit: usize) -> std::ops::Range<usize> {
    let range = cut(start + (index as f32 * size).floor(), start + ((index + 1) as f32 * size).ceil(), limit);
    range.start..range.end.max(range.start)
}

fn larger(a: f32, b: f32) -> f32 {
    if a < b { b } else { a }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(roi: [f32; 4]) -> Vec<f32> {
        let pooling = RoiPooling { grid: Grid { w: 2, h: 1 }, scale: 1.0 };
        let image = Tensor::new([1, 2, 4], vec![1.0, 2.0, 3.0, 4.0, 8.0, 7.0, 6.0, 5.0]).unwrap();
        pooling.run(vec![image, Tensor::new([4], roi.to_vec()).unwrap()]).unwrap()[0].as_slice().to_vec()
    }

    #[test]
    fn both_edges_belong_to_the_region() {
        assert_eq!(run([0.0, 0.0, 3.0, 1.0]), [8.0, 6.0]);
        assert_eq!(run([2.0, 0.0, 3.0, 0.0]), [3.0, 4.0]);
    }

    #[test]
    fn regions_outside_are_zero_and_no_numbers_do_no_harm() {
        assert_eq!(run([9.0, 9.0, 12.0, 12.0]), [0.0, 0.0]);
        assert_eq!(run([-9.0, -9.0, -5.0, -5.0]), [0.0, 0.0]);
        assert_eq!(run([f32::NAN; 4]).len(), 2);
        assert_eq!(run([f32::MIN, f32::MIN, f32::MAX, f32::INFINITY]).len(), 2);
    }
}
