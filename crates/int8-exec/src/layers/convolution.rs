//! Convolutions of images on integers.

use fp32_ref::{Activation, ConvWindow, Shape};
use int8_kernels::{ConvShape, Padding, PixelConv};
use ncnn_format::typed::ConvolutionDepthWise;
use ncnn_format::{Error, Layer, LayerKind, LinearLayer, Result};

use super::parts::Parts;
use super::weights::Form;
use crate::{Options, Roundings};

/// A convolution with int8 weights, dense or in groups.
pub(crate) struct Int8Convolution {
    window: ConvWindow,
    pad_value: i8,
    pub(super) parts: Parts,
    pub(super) input_scale: f32,
    pub(super) output_scale: Option<f32>,
}

impl Int8Convolution {
    pub(super) fn new(layer: &Layer, linear: &LinearLayer, options: &Options) -> Result<Self> {
        if linear.is_dynamic {
            return Err(Error::unsupported("int8 convolution with weights from a blob"));
        }
        let (form, groups, window) = (Form::of(layer, linear)?, linear.groups, ConvWindow::of(linear)?);
        let weights = form.weights()?;
        let per_output = weights.len() / form.num_output / (window.kernel_h * window.kernel_w);
        let shape = ConvShape {
            in_channels: per_output * groups,
            out_channels: form.num_output,
            groups,
            kernel_h: window.kernel_h,
            kernel_w: window.kernel_w,
            stride_h: window.stride_h,
            stride_w: window.stride_w,
            dilation_h: window.dilation_h,
            dilation_w: window.dilation_w,
        };
        let epilogue = form.epilogue()?;
        let is_fused = options.roundings == Roundings::NcnnX86 && fuses_on_x86(&form, &shape);
        let epilogue = if is_fused { epilogue.with_fused_bias() } else { epilogue };
        let conv = PixelConv::with_algorithm(shape, &weights, epilogue, options.isa, options.algorithm);
        Ok(Self {
            parts: Parts::whole(conv?),
            window,
            // ncnn truncates the pad value and does not scale it. Both types have it under one number.
            pad_value: layer.params.get(ConvolutionDepthWise::PAD_VALUE)?.unwrap_or_default() as i8,
            input_scale: form.input_scale()?,
            output_scale: form.output_scale()?,
        })
    }

    /// What surrounds an input of `shape`, and the shape of the output.
    ///
    /// # Errors
    /// `Invalid` if the input has other channels or is smaller than the kernel.
    pub(super) fn place(&self, shape: Shape) -> Result<(Padding, Shape)> {
        let channels = self.parts.in_channels();
        if shape.rank() != 3 || shape.c() != channels {
            return Err(Error::invalid(format!("expects {channels} channels of h x w, the input is {shape}")));
        }
        let place = self.window.place(shape.h(), shape.w())?;
        let padding = Padding {
            top: place.top,
            bottom: place.bottom,
            left: place.left,
            right: place.right,
            value: self.pad_value,
        };
        Ok((padding, Shape::new(&[self.parts.out_channels(), place.out_h, place.out_w])?))
    }
}

/// Whether ncnn on x86 with FMA rounds `acc · scale + bias` once (see [`Roundings::NcnnX86`]).
fn fuses_on_x86(form: &Form<'_>, shape: &ConvShape) -> bool {
    let is_special = (shape.kernel_h, shape.kernel_w) == (3, 3)
        && (shape.dilation_h, shape.dilation_w) == (1, 1)
        && matches!((shape.stride_h, shape.stride_w), (1, 1) | (2, 2))
        && matches!(form.activation, Activation::None | Activation::Relu);
    // ncnn runs other groups as convolutions; one channel in one group is depthwise to it.
    let is_depthwise = form.layer.kind == LayerKind::ConvolutionDepthWise && shape.is_depthwise();
    !is_depthwise || is_special
}
