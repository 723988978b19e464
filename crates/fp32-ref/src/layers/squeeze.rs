//! `Squeeze`: drops dimensions of size 1.

use ncnn_format::{Result, typed};

use super::arity::only;
use super::pass_through::{Element, PassThrough, Passing, reshape_first};
use crate::{Shape, Tensor};

pub(super) struct Squeeze {
    /// Axes, if the file lists them.
    axes: Vec<i32>,
    /// Else whether to drop c, d, h, w.
    named: [bool; 4],
}

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<Passing<Squeeze>> {
    let params = typed::Squeeze::read(layer)?;
    let named = [params.squeeze_c, params.squeeze_d, params.squeeze_h, params.squeeze_w].map(|flag| flag != 0);
    Ok(Passing(Squeeze { axes: params.axes, named }))
}

impl Squeeze {
    fn drops(&self, input: Shape) -> Result<Vec<bool>> {
        let [c, d, h, w] = self.named;
        let mut drops = match input.rank() {
            1 => vec![w],
            2 => vec![h, w],
            3 => vec![c, h, w],
            _ => vec![c, d, h, w],
        };
        if !self.axes.is_empty() {
            drops.fill(false);
            for &axis in &self.axes {
                drops[input.axis(axis)?] = true;
            }
        }
        Ok(drops)
    }
}

impl PassThrough for Squeeze {
    fn shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        let input = only(inputs.iter().copied())?;
        let drops = self.drops(input)?;
        let kept: Vec<usize> =
            input.dims().iter().zip(drops).filter(|&(&size, drop)| size != 1 || !drop).map(|(&size, _)| size).collect();
        Ok(vec![if kept.is_empty() { Shape::new(&[1])? } else { Shape::new(&kept)? }])
    }

    fn pass<T: Element>(&self, inputs: Vec<Tensor<T>>, outputs: &[Shape]) -> Result<Vec<Tensor<T>>> {
        reshape_first(inputs, outputs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drops_only_dimensions_of_one() {
        let dims = |axes: &[i32], named, shape: &[usize]| {
            let squeeze = Squeeze { axes: axes.to_vec(), named };
            squeeze.shapes(&[Shape::new(shape).unwrap()]).unwrap()[0].dims().to_vec()
        };
        assert_eq!(dims(&[], [true; 4], &[3, 1, 4]), [3, 4]);
        assert_eq!(dims(&[0, -1], [false; 4], &[1, 2, 1]), [2]);
        assert_eq!(dims(&[], [true; 4], &[1, 1]), [1]);
    }
}
