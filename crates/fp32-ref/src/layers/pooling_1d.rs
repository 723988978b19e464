//! `Pooling1D`: the largest or the mean value of windows along rows.

use ncnn_format::{Error, Result, typed};

use super::arity::only;
use super::grid_pooling::{GridPooling, PoolAxis, PoolForm, PoolMode};
use super::window::positive;
use crate::{Layer, Shape, Tensor};

pub(super) struct Pooling1D(GridPooling);

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<Pooling1D> {
    let params = typed::Pooling1D::read(layer)?;
    let form = if params.global_pooling != 0 {
        PoolForm::Global
    } else if params.adaptive_pooling != 0 {
        PoolForm::Adaptive([None, None, Some(positive("out_w", params.out_w)?)])
    } else {
        let axis = PoolAxis::new("w", [params.kernel_w, params.stride_w], (params.pad_left, params.pad_right))?;
        PoolForm::Windows {
            axes: [PoolAxis::SINGLE, PoolAxis::SINGLE, axis],
            mode: PoolMode::new(params.pad_mode)?,
            counts_padding: params.avgpool_count_include_pad != 0,
        }
    };
    Ok(Pooling1D(GridPooling::new(params.pooling_type, form)?))
}

impl Layer for Pooling1D {
    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        let input = only(inputs.iter().copied())?;
        if input.rank() > 2 {
            return Err(Error::invalid(format!("expects a matrix, the input is {input}")));
        }
        Ok(vec![match self.0.form {
            PoolForm::Global => Shape::new(&[input.h()])?,
            _ => Shape::new(&[input.h(), self.0.counts([1, 1, input.w()])?[2]])?,
        }])
    }

    fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>> {
        let input = only(inputs)?;
        let mut output = Tensor::filled(only(self.output_shapes(&[input.shape()])?)?, 0.0);
        self.0.run(&input, [1, 1, input.shape().w()], output.as_mut_slice())?;
        Ok(vec![output])
    }
}
