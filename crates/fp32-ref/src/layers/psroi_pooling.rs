//! `PSROIPooling`: the average of each cell of a region, with a channel per cell.

use ncnn_format::{Error, Result, typed};

use super::arity::{exactly, only};
use super::region::{Extent, Grid, cut, edges};
use super::window::positive;
use crate::{Layer, Shape, Tensor};

pub(super) struct PsRoiPooling {
    grid: Grid,
    scale: f32,
    channels: usize,
}

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<PsRoiPooling> {
    let params = typed::PSROIPooling::read(layer)?;
    Ok(PsRoiPooling {
        grid: Grid::new(params.pooled_width, params.pooled_height)?,
        scale: params.spatial_scale,
        channels: positive("output_dim", params.output_dim)?,
    })
}

impl Layer for PsRoiPooling {
    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        let channels = |image: Shape| {
            let needed = self.channels.saturating_mul(self.grid.w).saturating_mul(self.grid.h);
            if image.c() != needed {
                return Err(Error::invalid(format!(
                    "expects {needed} channels, the input has {} ({image})",
                    image.c()
                )));
            }
            Ok(self.channels)
        };
        Ok(vec![self.grid.output(inputs, channels)?])
    }

    fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>> {
        let shape = only(self.output_shapes(&inputs.iter().map(Tensor::shape).collect::<Vec<_>>())?)?;
        let [image, roi] = exactly(inputs)?;
        let (h, w) = (image.shape().h(), image.shape().w());
        let [left, top, right, bottom] = edges(&roi);
        let extent = |start: f32, end: f32, cells: usize| {
            let (start, end) = (start.round() * self.scale, (end + 1.0).round() * self.scale);
            Extent { start, size: (end - start).max(0.1) / cells as f32 }
        };
        let (across, down) = (extent(left, right, self.grid.w), extent(top, bottom, self.grid.h));
        let planes = image.as_slice().chunks_exact(h * w);
        let cells = (0..self.channels).flat_map(|_| self.grid.cells());
        let values = cells.zip(planes).map(|((row, column), plane)| {
            let (rows, columns) = (cell(down, row, h), cell(across, column, w));
            let count = rows.len() * columns.len();
            let sum: f32 = rows.flat_map(|y| &plane[y * w..(y + 1) * w][columns.clone()]).sum();
            if count == 0 { 0.0 } else { sum / count as f32 }
        });
        Ok(vec![Tensor::new(shape.dims(), values.collect())?])
    }
}

/// The rows or columns of the cell at `index`, with those that it covers in part.
fn cell(Extent { start, size }: Extent, index: usize, limit: usize) -> std::ops::Range<usize> {
    let range = cut((start + index as f32 * size).floor(), (start + (index + 1) as f32 * size).ceil(), limit);
    range.start..range.end.max(range.start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cell_has_a_channel() {
        let pooling = PsRoiPooling { grid: Grid { w: 2, h: 1 }, scale: 1.0, channels: 1 };
        let image = Tensor::new([2, 1, 4], vec![1.0, 3.0, 100.0, 100.0, 100.0, 100.0, 5.0, 9.0]).unwrap();
        let roi = Tensor::new([4], vec![0.0, 0.0, 3.0, 0.0]).unwrap();
        assert_eq!(pooling.run(vec![image, roi]).unwrap()[0].as_slice(), [2.0, 7.0]);
    }
}
