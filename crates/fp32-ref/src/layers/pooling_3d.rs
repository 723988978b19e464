//! `Pooling3D`: the largest or the mean value of windows on volumes.

use ncnn_format::{Error, Result, typed};

use super::arity::only;
use super::grid_pooling::{GridPooling, PoolAxis, PoolForm, PoolMode};
use super::window::positive;
use crate::{Layer, Shape, Tensor};

pub(super) struct Pooling3D(GridPooling);

/// An adaptive size that keeps the input's.
const AS_IT_IS: i32 = -233;

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<Pooling3D> {
    let params = typed::Pooling3D::read(layer)?;
    let form = if params.global_pooling != 0 {
        PoolForm::Global
    } else if params.adaptive_pooling != 0 {
        let size = |name, value| if value == AS_IT_IS { Ok(None) } else { positive(name, value).map(Some) };
        PoolForm::Adaptive([size("out_d", params.out_d)?, size("out_h", params.out_h)?, size("out_w", params.out_w)?])
    } else {
        PoolForm::Windows {
            axes: [
                PoolAxis::new("d", [params.kernel_d, params.stride_d], (params.pad_front, params.pad_behind))?,
                PoolAxis::new("h", [params.kernel_h, params.stride_h], (params.pad_top, params.pad_bottom))?,
                PoolAxis::new("w", [params.kernel_w, params.stride_w], (params.pad_left, params.pad_right))?,
            ],
            mode: PoolMode::new(params.pad_mode)?,
            counts_padding: params.avgpool_count_include_pad != 0,
        }
    };
    Ok(Pooling3D(GridPooling::new(params.pooling_type, form)?))
}

impl Layer for Pooling3D {
    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        let input = only(inputs.iter().copied())?;
        if input.rank() != 4 {
            return Err(Error::invalid(format!("expects channels of volumes, the input is {input}")));
        }
        let counts = self.0.counts(volume(input))?;
        Ok(vec![match self.0.form {
            PoolForm::Global => Shape::new(&[input.c()])?,
            _ => Shape::new(&[input.c(), counts[0], counts[1], counts[2]])?,
        }])
    }

    fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>> {
        let input = only(inputs)?;
        let mut output = Tensor::filled(only(self.output_shapes(&[input.shape()])?)?, 0.0);
        self.0.run(&input, volume(input.shape()), output.as_mut_slice())?;
        Ok(vec![output])
    }
}

fn volume(input: Shape) -> [usize; 3] {
    [input.d(), input.h(), input.w()]
}
