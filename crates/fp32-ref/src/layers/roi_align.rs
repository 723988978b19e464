//! `ROIAlign`: the average of interpolated points of each cell of a region.

use ncnn_format::{Error, Result, typed};

use super::arity::{exactly, only};
use super::loading::count;
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
        points: count("sampling_ratio", params.sampling_ratio.max(0))?,
        aligned: params.aligned != 0,
        version,
    })
}

/// The points along one axis that a cell averages.
struct Points {
    /// Positions of the points that lie on the plane.
    positions: Vec<f32>,
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

    /// The points of each of `cells` cells on `size` rows or columns.
    fn axis(&self, extent: Extent, cells: usize, size: usize) -> Result<Vec<Points>> {
        // A region that has no size in Detectron2's version has no points at all.
        let counted = |pixels: f32| if self.points > 0 { self.points } else { pixels.ceil().max(0.0) as usize };
        let limit = size as f32;
        let mut all = Vec::with_capacity(cells);
        for cell in 0..cells {
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
            if points.saturating_mul(cells) > Shape::MAX_VOLUME {
                return Err(Error::too_large(format!("a region of {cells} cells with {points} points each")));
            }
            let position = |point: usize| start + (point as f32 + 0.5) * extent.size / points as f32;
            let on_plane = |position: &f32| self.version == Version::Original || (-1.0..=limit).contains(position);
            let positions = (0..points).map(position).filter(on_plane).map(|position| position.max(0.0)).collect();
            all.push(Points { positions, count: points });
        }
        Ok(all)
    }
}

fn average(plane: &[f32], w: usize, rows: &Points, columns: &Points) -> f32 {
    let points = rows.positions.iter().flat_map(|&y| columns.positions.iter().map(move |&x| (x, y)));
    let sum: f32 = points.map(|(x, y)| interpolate(plane, w, x, y)).sum();
    sum / rows.count.saturating_mul(columns.count).max(1) as f32
}

/// The value between four pixels, or between fewer at the last row and column.
fn interpolate(plane: &[f32], w: usize, x: f32, y: f32) -> f32 {
    let (left, right, to_right) = neighbours(x, w);
    let (upper, lower, to_lower) = neighbours(y, plane.len() / w);
    let between = |row: usize| plane[row * w + left] * (1.0 - to_right) + plane[row * w + right] * to_right;
    between(upper) * (1.0 - to_lower) + between(lower) * to_lower
}

/// The pixels before and after `position`, and how far it is from the first of them.
fn neighbours(position: f32, size: usize) -> (usize, usize, f32) {
    let before = position as usize;
    if before + 1 >= size { (size - 1, size - 1, 0.0) } else { (before, before + 1, position - before as f32) }
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
        assert!(run(Version::Original, usize::MAX, [0.0, 0.0, 1.0, 1.0]).is_err());
    }
}
