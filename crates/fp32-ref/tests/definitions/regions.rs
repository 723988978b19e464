//! Layers that pool regions of an image: `ROIPooling`, `PSROIPooling`, `ROIAlign`.

use crate::support::{Array, Draw, Trial, float};

/// A region in pixels: left, top, right, bottom; halves now and then, partly outside.
fn region(draw: &mut Draw, h: usize, w: usize, scale: f64) -> Array {
    let mut edge = |size: usize| (draw.float(-2.0, size as f64 + 2.0) / scale * 4.0).round() / 4.0;
    let (a, b, c, d) = (edge(w), edge(w), edge(h), edge(h));
    Array::row(&[a.min(b), c.min(d), a.max(b), c.max(d)])
}

fn clamped(value: f64, size: usize) -> usize {
    value.clamp(0.0, size as f64) as usize
}

/// Away from zero in the middle, as the C library rounds.
fn round(value: f64) -> f64 {
    value.abs().mul_add(1.0, 0.5).floor().copysign(value)
}

#[test]
fn roi_pooling_takes_the_largest_of_each_cell() {
    for case in 0..120 {
        let mut draw = Draw::new(case);
        let [c, h, w] = [draw.size(1, 3), draw.size(1, 8), draw.size(1, 8)];
        let [rows, columns] = [draw.size(1, 4), draw.size(1, 4)];
        let scale = draw.pick(&[1.0, 0.5, 0.0625]);
        let image = draw.array(&[c, h, w], -1.0, 1.0);
        let roi = region(&mut draw, h, w, scale);
        let [left, top, right, bottom] = [0, 1, 2, 3].map(|at| round(roi.values[at] * scale));
        let range = |start: f64, end: f64, at: usize, cells: usize, size: usize| {
            let cell = (end - start + 1.0).max(1.0) / cells as f64;
            clamped(start + (at as f64 * cell).floor(), size)..clamped(start + ((at + 1) as f64 * cell).ceil(), size)
        };
        // Thirds and the like are not the same sums in f32; these are left out.
        let (size_w, size_h) = ((right - left + 1.0).max(1.0), (bottom - top + 1.0).max(1.0));
        let exact = |size: f64, cells: usize| {
            (1..cells).all(|at| {
                let product = size * at as f64;
                (product % cells as f64 != 0.0) || (size / cells as f64).fract() == 0.0
            })
        };
        if !exact(size_w, columns) || !exact(size_h, rows) {
            continue;
        }
        let expected = Array::build(&[c, rows, columns], |i| {
            let ys = range(top, bottom, i[1], rows, h);
            let xs = range(left, right, i[2], columns, w);
            ys.flat_map(|y| xs.clone().map(move |x| (y, x)))
                .map(|(y, x)| image.at(&[i[0], y, x]))
                .reduce(f64::max)
                .unwrap_or(0.0)
        });
        let params = format!("0={columns} 1={rows} 2={}", float(scale));
        Trial::new("ROIPooling", params, &[&image, &roi]).gives(&[expected]);
    }
}

#[test]
fn psroi_pooling_averages_each_cell_in_a_channel_of_its_own() {
    for case in 0..120 {
        let mut draw = Draw::new(1000 + case);
        // Cells of 1, 2 or 4 to an edge divide without rounding.
        let [rows, columns] = [draw.pick(&[1, 2, 4]), draw.pick(&[1, 2, 4])];
        let [outputs, h, w] = [draw.size(1, 3), draw.size(1, 8), draw.size(1, 8)];
        let scale = draw.pick(&[1.0, 0.5, 0.0625]);
        let image = draw.array(&[outputs * rows * columns, h, w], -1.0, 1.0);
        let roi = region(&mut draw, h, w, scale);
        let edges = &roi.values;
        let (left, top) = (round(edges[0]) * scale, round(edges[1]) * scale);
        let (right, bottom) = (round(edges[2] + 1.0) * scale, round(edges[3] + 1.0) * scale);
        if right - left < 0.1 || bottom - top < 0.1 {
            continue;
        }
        let range = |start: f64, end: f64, at: usize, cells: usize, size: usize| {
            let cell = (end - start) / cells as f64;
            clamped((start + at as f64 * cell).floor(), size)..clamped((start + (at + 1) as f64 * cell).ceil(), size)
        };
        let expected = Array::build(&[outputs, rows, columns], |i| {
            let channel = (i[0] * rows + i[1]) * columns + i[2];
            let ys = range(top, bottom, i[1], rows, h);
            let xs = range(left, right, i[2], columns, w);
            let values: Vec<f64> =
                ys.flat_map(|y| xs.clone().map(move |x| (y, x))).map(|(y, x)| image.at(&[channel, y, x])).collect();
            values.iter().sum::<f64>() / values.len().max(1) as f64
        });
        let params = format!("0={columns} 1={rows} 2={} 3={outputs}", float(scale));
        Trial::new("PSROIPooling", params, &[&image, &roi]).gives(&[expected]);
    }
}

/// The image between its pixels, which repeat beyond the last.
fn between(image: &Array, channel: usize, y: f64, x: f64) -> f64 {
    let along = |at: f64, size: usize| {
        let at = at.max(0.0);
        let before = at as usize;
        if before >= size - 1 { (size - 1, size - 1, 0.0) } else { (before, before + 1, at - before as f64) }
    };
    let (y0, y1, ly) = along(y, image.dims[1]);
    let (x0, x1, lx) = along(x, image.dims[2]);
    let at = |y: usize, x: usize| image.at(&[channel, y, x]);
    (1.0 - ly) * ((1.0 - lx) * at(y0, x0) + lx * at(y0, x1)) + ly * ((1.0 - lx) * at(y1, x0) + lx * at(y1, x1))
}

#[test]
fn roi_align_averages_points_between_pixels() {
    for case in 0..200 {
        let mut draw = Draw::new(2000 + case);
        let [c, h, w] = [draw.size(1, 3), draw.size(2, 8), draw.size(2, 8)];
        let [rows, columns] = [draw.pick(&[1, 2, 4]), draw.pick(&[1, 2, 4])];
        let scale = draw.pick(&[1.0, 0.5, 0.25]);
        let (ratio, aligned, version) = (draw.size(0, 3), draw.flag(), draw.size(0, 1));
        let image = draw.array(&[c, h, w], -1.0, 1.0);
        let roi = region(&mut draw, h, w, scale);
        let shift = if aligned { 0.5 } else { 0.0 };
        let [left, top, right, bottom] = [0, 1, 2, 3].map(|at| roi.values[at] * scale - shift);
        let extent = |start: f64, end: f64| if aligned { end - start } else { (end - start).max(1.0) };
        let (cell_w, cell_h) = (extent(left, right) / columns as f64, extent(top, bottom) / rows as f64);
        let points = |length: f64| if ratio > 0 { ratio } else { length.ceil().max(0.0) as usize };
        let expected = Array::build(&[c, rows, columns], |i| {
            // Where a cell begins, how many points it has.
            let along = |start: f64, cell: f64, at: usize, size: usize| {
                let (from, to) = (start + at as f64 * cell, start + (at + 1) as f64 * cell);
                if version == 1 {
                    return (from, points(cell));
                }
                let (from, to) = (from.clamp(0.0, size as f64), to.clamp(0.0, size as f64));
                (from, if to <= from { 0 } else { points(to - from) })
            };
            let (from_y, count_y) = along(top, cell_h, i[1], h);
            let (from_x, count_x) = along(left, cell_w, i[2], w);
            let mut sum = 0.0;
            for y in 0..count_y {
                for x in 0..count_x {
                    let y = from_y + (y as f64 + 0.5) * cell_h / count_y as f64;
                    let x = from_x + (x as f64 + 0.5) * cell_w / count_x as f64;
                    let inside = (-1.0..=h as f64).contains(&y) && (-1.0..=w as f64).contains(&x);
                    if version == 0 || inside {
                        sum += between(&image, i[0], y, x);
                    }
                }
            }
            sum / (count_y * count_x).max(1) as f64
        });
        let params = format!("0={columns} 1={rows} 2={} 3={ratio} 4={} 5={version}", float(scale), u8::from(aligned));
        Trial::new("ROIAlign", params, &[&image, &roi]).gives(&[expected]);
    }
}

#[test]
fn what_is_no_region_of_an_image_is_refused() {
    let image = Array::build(&[4, 5, 5], |_| 1.0);
    let volume = Array::build(&[1, 4, 5, 5], |_| 1.0);
    let region = Array::row(&[0.0, 0.0, 3.0, 3.0]);
    let short = Array::row(&[0.0, 0.0, 3.0]);
    for (kind, params) in [("ROIPooling", "0=2 1=2"), ("PSROIPooling", "0=2 1=2 3=1"), ("ROIAlign", "0=2 1=2")] {
        Trial::new(kind, params, &[&image, &region]).run().unwrap();
        Trial::new(kind, params, &[&image, &short]).refused();
        Trial::new(kind, params, &[&volume, &region]).refused();
        Trial::new(kind, params, &[&image]).refused();
        Trial::new(kind, "0=0 1=2 3=1", &[&image, &region]).refused();
        Trial::new(kind, "0=2 1=-1 3=1", &[&image, &region]).refused();
    }
    Trial::new("PSROIPooling", "0=2 1=2 3=2", &[&image, &region]).refused();
    Trial::new("ROIAlign", "0=2 1=2 5=2", &[&image, &region]).refused();
}
