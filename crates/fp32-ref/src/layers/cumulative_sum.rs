//! `CumulativeSum`: every value is the sum of those up to it along an axis.

use ncnn_format::{Result, typed};

use super::along_axis::AlongAxis;
use crate::Layer;

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<impl Layer + use<>> {
    Ok(AlongAxis { axis: typed::CumulativeSum::read(layer)?.axis, change: accumulate })
}

/// Adds to every row of `block`, which are `inner` wide, the row before it.
#[inline(always)]
fn accumulate(blocks: &mut [f32], len: usize, inner: usize) {
    for block in blocks.chunks_exact_mut(len) {
        for index in inner..len {
            block[index] += block[index - inner];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tensor;

    #[test]
    fn sums_along_rows_or_columns() {
        let along = |axis| AlongAxis { axis, change: accumulate };
        let input = Tensor::new([2, 2], vec![1.0, 2.0, 3.0, 4.0]).unwrap();
        let rows = along(-1).run(vec![input.clone()]).unwrap().remove(0);
        assert_eq!(rows.as_slice(), [1.0, 3.0, 3.0, 7.0]);
        let columns = along(0).run(vec![input]).unwrap().remove(0);
        assert_eq!(columns.as_slice(), [1.0, 2.0, 4.0, 6.0]);
        assert!(along(2).output_shapes(&[columns.shape()]).is_err());
    }
}
