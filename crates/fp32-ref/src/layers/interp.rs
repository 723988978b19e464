//! `Interp`: resizes images.

use ncnn_format::{Error, Result, typed};

use super::arity::{exactly, only};
use super::expression::Expression;
use super::loading::count;
use super::resampling::{Method, Resampling, Taps};
use crate::{Layer, Shape, Tensor};

pub(super) struct Interp {
    sampling: Sampling,
    target: Target,
    align_corners: bool,
    /// Columns and rows of input per output sample of nearest resizing, unless sizes are known.
    step_w: Option<f32>,
    step_h: Option<f32>,
}

#[derive(Clone, Copy, PartialEq)]
enum Sampling {
    Nearest,
    Between(Method),
}

enum Target {
    Size {
        h: usize,
        w: usize,
    },
    Scale {
        h: f32,
        w: f32,
    },
    /// The size of a second blob.
    Reference,
    /// Width, and height unless it is that of the input.
    Expression(Expression),
}

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<Interp> {
    let params = typed::Interp::read(layer)?;
    let sampling = match params.resize_type {
        1 => Sampling::Nearest,
        2 => Sampling::Between(Method::Linear),
        3 => Sampling::Between(Method::Cubic),
        other => return Err(Error::malformed(format!("resize_type is {other}, expected 1, 2 or 3"))),
    };
    let (h, w) = (count("output_height", params.output_height)?, count("output_width", params.output_width)?);
    let has_expression = !params.size_expr.is_empty();
    let target = if has_expression {
        Target::Expression(Expression::parse(&params.size_expr)?)
    } else if params.dynamic_target_size == 1 {
        Target::Reference
    } else if h != 0 && w != 0 {
        Target::Size { h, w }
    } else {
        Target::Scale { h: params.height_scale, w: params.width_scale }
    };
    Ok(Interp {
        sampling,
        target,
        align_corners: params.align_corner != 0,
        step_w: (w == 0 && !has_expression).then_some(1.0 / params.width_scale),
        step_h: (h == 0 && !has_expression).then_some(1.0 / params.height_scale),
    })
}

impl Interp {
    /// The input's shape and the rows and columns to make of it.
    fn resolve(&self, inputs: &[Shape]) -> Result<(Shape, usize, usize)> {
        let first = *inputs.first().ok_or_else(|| Error::malformed("takes a blob, the file gives it none"))?;
        let (h, w) = match &self.target {
            Target::Size { h, w } => {
                only(inputs)?;
                (*h, *w)
            }
            Target::Scale { h, w } => {
                only(inputs)?;
                // A vector is made of pixels.
                let (in_h, in_w) = if first.rank() == 1 { (1, 1) } else { (first.h(), first.w()) };
                ((in_h as f32 * h) as usize, (in_w as f32 * w) as usize)
            }
            Target::Reference => {
                let [_, reference] = exactly(inputs)?;
                (reference.h(), reference.w())
            }
            Target::Expression(expression) => {
                let sizes = expression.evaluate(inputs)?;
                match sizes[..] {
                    [w] => (first.h(), count("the width", w)?),
                    [w, h] => (count("the height", h)?, count("the width", w)?),
                    _ => return Err(Error::malformed(format!("the size has {} values, expected 1 or 2", sizes.len()))),
                }
            }
        };
        if first.rank() == 4 {
            return Err(Error::invalid(format!("expects an image, the input is 4-D ({first})")));
        }
        Ok((first, h, w))
    }

    fn shape(&self, inputs: &[Shape]) -> Result<Shape> {
        let (input, h, w) = self.resolve(inputs)?;
        match input.rank() {
            1 => Shape::new(&[input.w(), h, w]),
            2 => Shape::new(&[input.h(), w]),
            _ => Shape::new(&[input.c(), h, w]),
        }
    }

    fn along(&self, method: Method, size: usize, out: usize) -> Resampling {
        Resampling { method, size, out, align_corners: self.align_corners }
    }
}

impl Layer for Interp {
    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        Ok(vec![self.shape(inputs)?])
    }

    fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>> {
        let shapes: Vec<Shape> = inputs.iter().map(Tensor::shape).collect();
        let output = self.shape(&shapes)?;
        let input =
            inputs.into_iter().next().ok_or_else(|| Error::malformed("takes a blob, the file gives it none"))?;
        let from = input.shape();
        if from == output {
            return Ok(vec![input]);
        }
        if from.rank() == 1 {
            return Ok(vec![Tensor::filled_per_channel(output, input.as_slice())]);
        }
        let mut resized = Tensor::filled(output, 0.0);
        // The rows of a matrix are resized one by one.
        let (h, out_h) = if from.rank() == 2 { (1, 1) } else { (from.h(), output.h()) };
        let planes = input.as_slice().chunks_exact(h * from.w());
        let outs = resized.as_mut_slice().chunks_exact_mut(out_h * output.w());
        match self.sampling {
            Sampling::Nearest => {
                let step = |fixed: Option<f32>, size: usize, out: usize| fixed.unwrap_or(size as f32 / out as f32);
                let (step_h, step_w) = (step(self.step_h, h, out_h), step(self.step_w, from.w(), output.w()));
                for (plane, out) in planes.zip(outs) {
                    nearest(plane, from.w(), step_h, out, output.w(), step_w);
                }
            }
            Sampling::Between(method) => {
                let columns = self.along(method, from.w(), output.w());
                let columns: Vec<Taps> = (0..output.w()).map(|x| columns.taps(x)).collect();
                let rows = (out_h > 1 || h > 1).then(|| self.along(method, h, out_h));
                for (plane, out) in planes.zip(outs) {
                    resample(plane, from.w(), rows, &columns, out);
                }
            }
        }
        Ok(vec![resized])
    }
}

fn nearest(plane: &[f32], w: usize, step_h: f32, out: &mut [f32], out_w: usize, step_w: f32) {
    let h = plane.len() / w;
    for (y, row) in out.chunks_exact_mut(out_w).enumerate() {
        let source = ((y as f32 * step_h) as usize).min(h - 1);
        let source = &plane[source * w..(source + 1) * w];
        for (x, value) in row.iter_mut().enumerate() {
            *value = source[((x as f32 * step_w) as usize).min(w - 1)];
        }
    }
}

/// Resizes along rows first, then down the columns, unless there is but one row.
fn resample(plane: &[f32], w: usize, rows: Option<Resampling>, columns: &[Taps], out: &mut [f32]) {
    let resize_row = |source: usize, row: &mut [f32]| {
        let source = &plane[source * w..(source + 1) * w];
        for (value, taps) in row.iter_mut().zip(columns) {
            *value = taps.apply(source);
        }
    };
    let Some(rows) = rows else { return resize_row(0, out) };
    // Resized rows by source row modulo 4: taps span at most four successive rows.
    let mut resized: [(Option<usize>, Vec<f32>); 4] = std::array::from_fn(|_| (None, vec![0.0; columns.len()]));
    for (y, out_row) in out.chunks_exact_mut(columns.len()).enumerate() {
        let taps = rows.taps(y);
        for (tap, (&source, &weight)) in taps.sources.iter().zip(&taps.weights).take(taps.len).enumerate() {
            let (holds, row) = &mut resized[source % 4];
            if *holds != Some(source) {
                resize_row(source, row);
                *holds = Some(source);
            }
            for (value, &resized) in out_row.iter_mut().zip(&*row) {
                *value = if tap == 0 { resized * weight } else { *value + resized * weight };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ncnn_format::LayerKind;

    use super::*;
    use crate::layers::pointwise::tests::assert_close;
    use ncnn_format::typed::ParamKey;

    fn interp(ints: &[(ParamKey<i32>, i32)], floats: &[(ParamKey<f32>, f32)]) -> Interp {
        let mut layer = ncnn_format::Layer::new(LayerKind::Interp, "resize");
        ints.iter().for_each(|&(key, value)| layer.params.set(key, value));
        floats.iter().for_each(|&(key, value)| layer.params.set(key, value));
        build(&layer).unwrap()
    }

    fn image(dims: &[usize]) -> Tensor {
        Tensor::new(dims, (1..=dims.iter().product::<usize>()).map(|i| i as f32).collect()).unwrap()
    }

    #[test]
    fn nearest_repeats_values() {
        let output = interp(
            &[(typed::Interp::RESIZE_TYPE, 1)],
            &[(typed::Interp::HEIGHT_SCALE, 2.0), (typed::Interp::WIDTH_SCALE, 2.0)],
        )
        .run(vec![image(&[1, 1, 2])])
        .unwrap()
        .remove(0);
        assert_eq!(output.as_slice(), [1.0, 1.0, 2.0, 2.0, 1.0, 1.0, 2.0, 2.0]);
    }

    #[test]
    fn bilinear_keeps_edges_or_corners() {
        let edges = interp(
            &[(typed::Interp::RESIZE_TYPE, 2), (typed::Interp::OUTPUT_HEIGHT, 2), (typed::Interp::OUTPUT_WIDTH, 4)],
            &[],
        )
        .run(vec![image(&[1, 2, 2])])
        .unwrap()
        .remove(0);
        assert_close(edges.as_slice(), &[1.0, 1.25, 1.75, 2.0, 3.0, 3.25, 3.75, 4.0]);
        let corners = interp(
            &[
                (typed::Interp::RESIZE_TYPE, 2),
                (typed::Interp::OUTPUT_HEIGHT, 2),
                (typed::Interp::OUTPUT_WIDTH, 3),
                (typed::Interp::ALIGN_CORNER, 1),
            ],
            &[],
        )
        .run(vec![image(&[1, 2, 2])])
        .unwrap()
        .remove(0);
        assert_close(corners.as_slice(), &[1.0, 1.5, 2.0, 3.0, 3.5, 4.0]);
    }

    #[test]
    fn a_vector_becomes_planes() {
        let output = interp(
            &[(typed::Interp::RESIZE_TYPE, 2), (typed::Interp::OUTPUT_HEIGHT, 1), (typed::Interp::OUTPUT_WIDTH, 2)],
            &[],
        )
        .run(vec![image(&[2])])
        .unwrap()
        .remove(0);
        assert_eq!((output.shape().dims(), output.as_slice()), (&[2, 1, 2][..], &[1.0, 1.0, 2.0, 2.0][..]));
    }

    #[test]
    fn the_size_may_be_a_formula_or_that_of_a_blob() {
        let mut layer = ncnn_format::Layer::new(LayerKind::Interp, "resize");
        layer.params.set(typed::Interp::RESIZE_TYPE, 1);
        layer.params.set(typed::Interp::SIZE_EXPR, "*(0w,2),1h".to_owned());
        let shapes = [Shape::new(&[1, 2, 3]).unwrap(), Shape::new(&[1, 5, 5]).unwrap()];
        assert_eq!(build(&layer).unwrap().output_shapes(&shapes).unwrap()[0].dims(), [1, 5, 6]);
        assert_eq!(
            interp(&[(typed::Interp::RESIZE_TYPE, 2), (typed::Interp::DYNAMIC_TARGET_SIZE, 1)], &[])
                .output_shapes(&shapes)
                .unwrap()[0]
                .dims(),
            [1, 5, 5]
        );
    }
}
