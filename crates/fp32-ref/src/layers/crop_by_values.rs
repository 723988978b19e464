//! The form of `Crop` whose offsets and sizes are the values of a second blob.

use ncnn_format::{Error, LayerKind, Result, typed};

use super::arity::exactly;
use super::cut::{cut, cut_shape};
use crate::{Layer, Shape, Tensor};

pub(super) struct CropByValues;

/// `None` for the other forms.
pub(super) fn build(layer: &ncnn_format::Layer) -> Result<Option<CropByValues>> {
    if layer.kind != LayerKind::Crop {
        return Ok(None);
    }
    let params = typed::Crop::read(layer)?;
    let sizes = [params.outw, params.outh, params.outd, params.outc];
    let behind = [params.woffset2, params.hoffset2, params.doffset2, params.coffset2];
    let by_ranges = !params.starts.is_empty() && !params.ends.is_empty();
    let by_formulas = !params.starts_expr.is_empty() && !params.ends_expr.is_empty();
    let by_values = params.woffset == -233 && sizes == [0; 4] && behind == [0; 4] && !by_ranges && !by_formulas;
    Ok(by_values.then_some(CropByValues))
}

impl Layer for CropByValues {
    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        let [_, _] = exactly(inputs)?;
        Err(Error::unsupported("the size of the crop depends on the values"))
    }

    fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>> {
        let [input, values] = exactly(inputs)?;
        let ranges = ranges(input.shape().rank(), values.as_slice())?;
        let (_, ranges) = cut_shape(input.shape(), &ranges)?;
        Ok(vec![cut(input, &ranges)?])
    }
}

/// Start and length per axis, outermost first. The blob holds integers, not floats: offsets of
/// w, h, (d,) c, then as many sizes; images and smaller blobs leave their places unused.
fn ranges(rank: usize, values: &[f32]) -> Result<Vec<(i64, i64)>> {
    let axes = if rank == 4 { 4 } else { 3 };
    let word = |index: usize| {
        let value = values.get(index).ok_or_else(|| {
            Error::invalid(format!("expects {} offsets and sizes, the second input has {}", 2 * axes, values.len()))
        })?;
        Ok(i64::from(value.to_bits().cast_signed()))
    };
    (0..rank).rev().map(|axis| Ok((word(axis)?, word(axes + axis)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(dims: &[usize], values: &[u32]) -> Result<(Vec<usize>, Vec<f32>)> {
        let mut layer = ncnn_format::Layer::new(LayerKind::Crop, "crop");
        layer.params.set(typed::Crop::WOFFSET, -233);
        let input = Tensor::new(dims, (0..dims.iter().product::<usize>()).map(|i| i as f32).collect())?;
        let values = Tensor::new([values.len()], values.iter().map(|&value| f32::from_bits(value)).collect())?;
        let output = build(&layer)?.unwrap().run(vec![input, values])?.remove(0);
        Ok((output.shape().dims().to_vec(), output.as_slice().to_vec()))
    }

    #[test]
    fn the_second_blob_holds_integers() {
        assert_eq!(run(&[2, 3, 4], &[1, 0, 1, 2, 1, 1]).unwrap(), (vec![1, 1, 2], vec![13.0, 14.0]));
        assert_eq!(run(&[2, 3], &[1, 1, 0, 2, 1, 0]).unwrap(), (vec![1, 2], vec![4.0, 5.0]));
        assert_eq!(run(&[5], &[2, 0, 0, 3]).unwrap(), (vec![3], vec![2.0, 3.0, 4.0]));
    }

    #[test]
    fn refuses_values_that_are_missing_or_reach_out() {
        assert!(run(&[5], &[2]).is_err());
        assert!(run(&[5], &[2, 0, 0, 4]).is_err());
        assert!(run(&[5], &[1.0_f32.to_bits(), 0, 0, u32::MAX]).is_err());
    }
}
