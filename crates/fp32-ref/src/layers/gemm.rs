//! `Gemm`: `alpha · (A · B + beta · C)`, each of them a blob or a weight.

use ncnn_format::{Result, WeightRole, typed};
use ndarray::ArrayView2;
use ndarray::linalg::general_mat_mul;

use super::gemm_form::{GemmFactor, GemmForm, stored_sizes};
use super::loading::{self, floats};
use super::matrix::{matrix, matrix_mut};
use crate::{Layer, Shape, Tensor};

pub(super) struct Gemm {
    form: GemmForm,
    a: Option<Tensor>,
    b: Option<Tensor>,
}

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<Gemm> {
    loading::refuse_int8(layer, typed::Gemm::read(layer)?.quantize_term)?;
    let form = GemmForm::read(layer)?;
    let constant = |factor: GemmFactor, role| -> Result<Option<Tensor>> {
        let Some(shape) = factor.constant else { return Ok(None) };
        Ok(Some(Tensor::new(shape.dims(), floats(layer, role, shape.volume())?)?))
    };
    Ok(Gemm { a: constant(form.a, WeightRole::MatrixA)?, b: constant(form.b, WeightRole::MatrixB)?, form })
}

/// The matrix as multiplied.
fn view(factor: GemmFactor, tensor: &Tensor) -> Result<ArrayView2<'_, f32>> {
    let (rows, columns) = stored_sizes(tensor.shape())?;
    let stored = matrix(tensor.as_slice(), rows, columns)?;
    Ok(if factor.transposed { stored.reversed_axes() } else { stored })
}

impl Layer for Gemm {
    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        self.form.output_shapes(inputs)
    }

    fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>> {
        let form = &self.form;
        let inputs = form.sort(inputs, self.a.clone(), self.b.clone())?;
        let sizes = form.sizes(inputs.a.shape(), inputs.b.shape())?;
        // Checks the size of the product before it is allocated.
        let shape = form.shape(&sizes)?;
        let addend = form.addend(inputs.c.as_ref(), &sizes);
        let beta = if addend.is_some() { form.alpha } else { 0.0 };
        let mut product = addend.unwrap_or_else(|| vec![0.0; shape.volume()]);
        let (a, b) = (view(form.a, &inputs.a)?, view(form.b, &inputs.b)?);
        general_mat_mul(form.alpha, &a, &b, beta, &mut matrix_mut(&mut product, sizes.m, sizes.n)?);
        Ok(vec![form.finish(product, &sizes)?])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ncnn_format::typed::ParamKey;

    fn plain(params: &[(ParamKey<i32>, i32)]) -> Gemm {
        let mut layer = ncnn_format::Layer::new(ncnn_format::LayerKind::Gemm, "gemm");
        layer.params.set(typed::Gemm::ALPHA, 2.0);
        layer.params.set(typed::Gemm::BETA, 0.5);
        params.iter().for_each(|&(key, value)| layer.params.set(key, value));
        build(&layer).unwrap()
    }

    fn tensor(dims: &[usize], values: &[f32]) -> Tensor {
        Tensor::new(dims, values.to_vec()).unwrap()
    }

    #[test]
    fn alpha_scales_the_product_and_c() {
        let inputs = vec![tensor(&[1, 2], &[1.0, 2.0]), tensor(&[2, 1], &[3.0, 4.0]), tensor(&[1], &[6.0])];
        assert_eq!(plain(&[]).run(inputs).unwrap()[0].as_slice(), [28.0]);
    }

    #[test]
    fn the_output_may_be_transposed_and_spread_over_channels() {
        let layer = plain(&[(typed::Gemm::OUTPUT_N1M, 1), (typed::Gemm::OUTPUT_TRANSPOSE, 1)]);
        let output = layer.run(vec![tensor(&[1], &[2.0]), tensor(&[1, 3], &[1.0, 2.0, 3.0])]).unwrap().remove(0);
        assert_eq!((output.shape().dims(), output.as_slice()), (&[3, 1, 1][..], &[4.0, 8.0, 12.0][..]));
    }

    #[test]
    fn names_what_does_not_fit() {
        let shape = |dims: &[usize]| Shape::new(dims).unwrap();
        let message = |inputs: &[Shape]| plain(&[]).output_shapes(inputs).unwrap_err().to_string();
        assert_eq!(
            message(&[shape(&[2, 3]), shape(&[4, 5])]),
            "a matrix of 2 x 3 cannot be multiplied by one of 4 x 5"
        );
        assert_eq!(message(&[shape(&[2, 3])]), "takes more than the 1 blobs that the file gives it");
    }
}
