//! `Softmax`: exponentials that sum to 1 along an axis.

use ncnn_format::{Error, Result, typed};

use super::along_axis::AlongAxis;
use crate::Layer;
use crate::simd::exponential;

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<impl Layer + use<>> {
    let params = typed::Softmax::read(layer)?;
    if params.axis != 0 && params.fixbug0 == 0 {
        return Err(Error::malformed(format!(
            "axis {} without 1=1 is from before ncnn counted axes as it does now; convert the model again",
            params.axis
        )));
    }
    Ok(AlongAxis { axis: params.axis, change: normalize })
}

/// Softmax over the rows of each block, which are `inner` wide.
#[inline(always)]
fn normalize(blocks: &mut [f32], len: usize, inner: usize) {
    if inner == 1 {
        normalize_rows(blocks, len);
    } else {
        blocks.chunks_exact_mut(len).for_each(|block| normalize_columns(block, inner));
    }
}

/// Softmax of each `len` consecutive values. Exponentials are taken of all at once, as rows are often shorter
/// than a vector or two.
#[inline(always)]
fn normalize_rows(values: &mut [f32], len: usize) {
    for row in values.chunks_exact_mut(len) {
        let largest = row.iter().fold(f32::MIN, |largest, &value| if largest < value { value } else { largest });
        row.iter_mut().for_each(|value| *value -= largest);
    }
    values.iter_mut().for_each(|value| *value = exponential(*value));
    for row in values.chunks_exact_mut(len) {
        let sum: f32 = row.iter().sum();
        row.iter_mut().for_each(|value| *value /= sum);
    }
}

#[inline(always)]
fn normalize_columns(block: &mut [f32], inner: usize) {
    let mut largest = vec![f32::MIN; inner];
    for row in block.chunks_exact(inner) {
        for (largest, &value) in largest.iter_mut().zip(row) {
            *largest = if *largest < value { value } else { *largest };
        }
    }
    let mut sum = vec![0.0; inner];
    for row in block.chunks_exact_mut(inner) {
        for ((value, largest), sum) in row.iter_mut().zip(&largest).zip(&mut sum) {
            *value = exponential(*value - largest);
            *sum += *value;
        }
    }
    for row in block.chunks_exact_mut(inner) {
        for (value, sum) in row.iter_mut().zip(&sum) {
            *value /= sum;
        }
    }
}

#[cfg(test)]
mod tests {
    use ncnn_format::LayerKind;

    use super::*;
    use crate::Tensor;
    use crate::layers::pointwise::tests::assert_close;

    #[test]
    fn normalizes_columns_or_rows() {
        let input = Tensor::new([2, 2], vec![0.0, 1000.0, 3.0_f32.ln(), 1000.0]).unwrap();
        let columns = AlongAxis { axis: 0, change: normalize }.run(vec![input.clone()]).unwrap().remove(0);
        assert_close(columns.as_slice(), &[0.25, 0.5, 0.75, 0.5]);
        let rows = AlongAxis { axis: -1, change: normalize }.run(vec![input]).unwrap().remove(0);
        assert_close(rows.as_slice(), &[0.0, 1.0, 0.0, 1.0]);
    }

    #[test]
    fn refuses_axes_of_old_models_as_ncnn_does() {
        let mut layer = ncnn_format::Layer::new(LayerKind::Softmax, "softmax");
        layer.params.set(typed::Softmax::AXIS, 1);
        assert!(build(&layer).is_err());
        layer.params.set(typed::Softmax::FIXBUG0, 1);
        assert!(build(&layer).is_ok());
    }
}
