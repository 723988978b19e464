//! `ROIAlign`: the average of interpolated points of each cell of a region.

use ncnn_format::{Error, Result, typed};

use super::arity::{exactly, only};
use super::region::{Extent, Grid, edges};
use crate::{Layer, Shape, Tensor};

pub(super) struct RoiAlign {
    grid: Grid,
    scale: f32,
    /// Points per cell along each axis; 0 is as many as a cell has pixels.
    points: usize,
    /// Whether coordinates are those of the pixels' centres.
    aligned: bool,
    version: Version,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Version {
    /// Cells are cut at the plane's edges.
    Original,
    /// Points outside the plane count as zeros.
    Detectron2,
}

/// The most points of a cell along an axis.
const MOST_POINTS: usize = 1 << 16;

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<RoiAlign> {
    let params = typed::ROIAlign::read(layer)?;
    let version = match params.version {
        0 => Version::Original,
        1 => Version::Detectron2,
        other => return Err(Error::malformed(format!("version is {other}, expected 0 or 1"))),
    };
    Ok(RoiAlign {
        grid: Grid::new(params.pooled_width, params.pooled_height)?,
        scale: params.spatial_scale,
        points: limited(usize::try_from(params.sampling_ratio).unwrap_or(0))?,
        aligned: params.aligned != 0,
        version,
    })
}

fn limited(points: usize) -> Result<usize> {
    if points > MOST_POINTS {
        return Err(Error::too_large(format!("a cell of {points} points along an axis, more than {MOST_POINTS}")));
    }
    Ok(points)
}

/// What a cell averages along one axis.
struct Average {
    /// First row or column that counts.
    first: usize,
    /// How much each counts, from the first on; together the points on the plane.
    weights: Vec<f32>,
    /// Points, with those outside.
    count: usize,
}

impl Layer for RoiAlign {
    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        Ok(vec![self.grid.output(inputs, |image| Ok(image.c()))?])
    }

    fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>> {
        let shape = only(self.output_shapes(&inputs.iter().map(Tensor::shape).collect::<Vec<_>>())?)?;
        let [image, roi] = exactly(inputs)?;
        let (h, w) = (image.shape().h(), image.shape().w());
        let [left, top, right, bottom] = edges(&roi);
        let across = self.axis(self.extent(left, right, self.grid.w), self.grid.w, w)?;
        let down = self.axis(self.extent(top, bottom, self.grid.h), self.grid.h, h)?;
        let mut values = Vec::with_capacity(shape.volume());
        for plane in image.as_slice().chunks_exact(h * w) {
            values.extend(self.grid.cells().map(|(row, column)| average(plane, w, &down[row], &across[column])));
        }
        Ok(vec![Tensor::new(shape.dims(), values)?])
    }
}

impl RoiAlign {
    /// Start of the region and size of a cell.
    fn extent(&self, start: f32, end: f32, cells: usize) -> Extent {
        let shift = if self.aligned { 0.5 } else { 0.0 };
        let (start, end) = (start * self.scale - shift, end * self.scale - shift);
        let size = if self.aligned { end - start } else { (end - start).max(1.0) };
        Extent { start, size: size / cells as f32 }
    }

    /// What each of `cells` cells averages of `size` rows or columns.
    fn axis(&self, extent: Extent, cells: usize, size: usize) -> Result<Vec<Average>> {
        (0..cells).map(|cell| self.cell(extent, cell, size)).collect()
    }

    fn cell(&self, extent: Extent, cell: usize, size: usize) -> Result<Average> {
        // A region that has no size in Detectron2's version has no points at all.
        let counted = |pixels: f32| if self.points > 0 { self.points } else { pixels.ceil().max(0.0) as usize };
        let limit = size as f32;
        let start = extent.start + cell as f32 * extent.size;
        let (start, points) = match self.version {
            Version::Detectron2 => (start, counted(extent.size)),
            Version::Original => {
                let end = (extent.start + (cell + 1) as f32 * extent.size).clamp(0.0, limit);
                let start = start.clamp(0.0, limit);
                // A cell off the plane is 0, like one without points.
                (start, if end <= start { 0 } else { counted(end - start) })
            }
        };
        let mut weights = vec![0.0; size];
        for point in 0..limited(points)? {
            let position = start + (point as f32 + 0.5) * extent.size / points as f32;
            if self.version == Version::Original || (-1.0..=limit).contains(&position) {
                let (before, after, part) = neighbours(position.max(0.0), size);
                weights[before] += 1.0 - part;
                weights[after] += part;
            }
        }
        let first = weights.iter().position(|&weight| weight != 0.0).unwrap_or(0);
        let behind = weights.iter().rposition(|&weight| weight != 0.0).map_or(0, |last| last + 1);
        Ok(Average { first, weights: weights.get(first..behind).unwrap_or_default().to_vec(), count: points })
    }
}

/// The interpolated points of a cell, summed row by row: interpolation is linear along each axis.
fn average(plane: &[f32], w: usize, rows: &Average, columns: &Average) -> f32 {
    let row = |y: usize| -> f32 {
        let values = &plane[y * w + columns.first..];
        values.iter().zip(&columns.weights).map(|(value, weight)| value * weight).sum()
    };
    let sum: f32 = (rows.first..).zip(&rows.weights).map(|(y, weight)| weight * row(y)).sum();
    sum / rows.count.saturating_mul(columns.count).max(1) as f32
}

/// The pixels before and after `position`, and how far it is from the first of them.
fn neighbours(position: f32, size: usize) -> (usize, usize, f32) {
    let before = position as usize;
    if before >= size - 1 { (size - 1, size - 1, 0.0) } else { (before, before + 1, position - before as f32) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(version: Version, points: usize, roi: [f32; 4]) -> Result<Vec<f32>> {
        let align = RoiAlign { grid: Grid { w: 2, h: 1 }, scale: 1.0, points, aligned: false, version };
        let image = Tensor::new([1, 2, 3], vec![0.0, 1.0, 2.0, 10.0, 11.0, 12.0]).unwrap();
        Ok(align.run(vec![image, Tensor::new([4], roi.to_vec()).unwrap()])?[0].as_slice().to_vec())
    }

    #[test]
    fn a_point_is_interpolated_between_pixels() {
        for version in [Version::Original, Version::Detectron2] {
            assert_eq!(run(version, 1, [0.0, 0.0, 2.0, 1.0]).unwrap(), [5.5, 6.5]);
        }
    }

    #[test]
    fn regions_outside_are_zero_and_no_numbers_do_no_harm() {
        for version in [Version::Original, Version::Detectron2] {
            assert_eq!(run(version, 0, [9.0, 9.0, 12.0, 12.0]).unwrap(), [0.0, 0.0]);
            assert!(run(version, 2, [f32::NAN; 4]).is_ok());
            assert!(run(version, 0, [f32::NAN; 4]).is_ok());
        }
        assert!(run(Version::Detectron2, 0, [0.0, 0.0, 1e30, 1.0]).is_err());
        assert!(run(Version::Original, MOST_POINTS + 1, [0.0, 0.0, 1.0, 1.0]).is_err());
    }
}
