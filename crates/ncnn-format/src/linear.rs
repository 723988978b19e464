//! Layers with a weight matrix: convolutions of every kind and inner products.

use crate::typed::{self, ParamKey};
use crate::{Activation, Error, F32Tag, Layer, LayerKind, Result, Weight, WeightData, WeightRole};

/// What all layers have in common whose outputs are weighted sums with weights of their own for each output
/// channel, a bias, and an activation: convolutions and transposed convolutions in one, two and three dimensions,
/// with and without groups, and inner products.
///
/// A `Gemm` is none: which of its factors is the weight, and whether by rows or columns, is up to its parameters,
/// it has no activation, and no table has rows for it.
///
/// Sizes are what the file says; one that is negative counts as 0. [`weight_layout`](crate::weight_layout) checks
/// that they go together.
///
/// ```
/// use ncnn_format::{Activation, LinearLayer, Model};
///
/// let text = "7767517\n1 1\nConvolution conv 0 1 out 0=8 1=3 5=1 6=216 9=1\n";
/// let mut model = Model::from_param_text(text)?;
/// model.layers[0].fill_weights(|_, _| 0.5)?;
///
/// let conv = LinearLayer::of(&model.layers[0])?.expect("a convolution is linear");
/// assert_eq!((conv.outputs, conv.depth(), conv.window.len()), (8, 27, 2));
/// assert_eq!(conv.activation()?, Activation::Relu);
/// conv.set_activation(&mut model.layers[0], Activation::None);
/// conv.set_bias(&mut model.layers[0], vec![0.0; 8]);
/// assert!(model.to_param_text().ends_with("conv 0 1 out 0=8 1=3 5=1 6=216 9=0\n"));
/// # Ok::<(), ncnn_format::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct LinearLayer {
    /// What the windows do.
    pub family: LinearFamily,
    /// Output channels, each with a bias and weights of its own.
    pub outputs: usize,
    /// Groups of channels that see nothing of each other; 1 for most.
    pub groups: usize,
    /// Elements of the weight. Of a convolution, `outputs` times [`depth`](Self::depth) in this order.
    pub weight_len: usize,
    /// Whether there is a bias.
    pub has_bias: bool,
    /// Whether weight and bias are further inputs instead of in the `.bin`.
    pub is_dynamic: bool,
    /// `activation_type`; [`activation`](Self::activation) says what it is.
    pub activation_type: i32,
    /// `activation_params`.
    pub activation_params: Vec<f32>,
    /// The kernel along each axis, the outermost first; none for an inner product.
    pub window: Vec<WindowAxis>,
    /// `int8_scale_term`; `None` for types without an int8 form.
    pub int8_term: Option<i32>,
    pub(crate) raw: RawSizes,
    keys: Keys,
}

/// What the windows of a [`LinearLayer`] do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LinearFamily {
    /// Each output is a weighted sum of a window of the input.
    Convolution,
    /// Each input is spread over a window of the output. Pads are cut off.
    Deconvolution,
    /// A convolution whose taps are moved by a second input.
    Deformable,
    /// There are none: all inputs, or all of a row, count.
    InnerProduct,
}

/// A kernel, or a window of a pooling, along one axis, as the file says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct WindowAxis {
    /// Taps.
    pub kernel: i32,
    /// Cells from one tap to the next.
    pub dilation: i32,
    /// Cells from one window to the next.
    pub stride: i32,
    /// Cells added before and after (of a deconvolution, cut off). -233 and -234 ask for as many as the size needs.
    pub pads: [i32; 2],
}

/// Sizes with the signs that the file has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct RawSizes {
    pub(crate) num_output: i32,
    pub(crate) weight_data_size: i32,
    /// 1 for a type without groups.
    pub(crate) group: i32,
}

/// Parameters that are not under one number in all types, or not in all types.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Keys {
    bias_term: ParamKey<i32>,
    activation_type: ParamKey<i32>,
    activation_params: ParamKey<Vec<f32>>,
    /// Whether there is a parameter `group`.
    has_groups: bool,
}

/// Reads the fields that all types have, the window along the named axes, and of the other fields those that are
/// named.
macro_rules! linear {
    ($layer:ident as $kind:ident, $family:ident [$($axis:ident)*] $($extra:ident)*) => {{
        let params = typed::$kind::read($layer)?;
        let mut linear = LinearLayer {
            family: LinearFamily::$family,
            outputs: size(params.num_output),
            groups: 1,
            weight_len: size(params.weight_data_size),
            has_bias: params.bias_term != 0,
            is_dynamic: false,
            activation_type: params.activation_type,
            activation_params: Vec::new(),
            window: vec![$(linear!(@axis params $axis)),*],
            int8_term: $layer.int8_term()?,
            raw: RawSizes { num_output: params.num_output, weight_data_size: params.weight_data_size, group: 1 },
            keys: Keys {
                bias_term: typed::$kind::BIAS_TERM,
                activation_type: typed::$kind::ACTIVATION_TYPE,
                activation_params: typed::$kind::ACTIVATION_PARAMS,
                has_groups: false,
            },
        };
        $(linear!(@extra linear params $extra);)*
        linear.activation_params = params.activation_params;
        Some(linear)
    }};
    (@axis $params:ident w) => {
        linear!(@axis $params kernel_w dilation_w stride_w pad_left pad_right)
    };
    (@axis $params:ident h) => {
        linear!(@axis $params kernel_h dilation_h stride_h pad_top pad_bottom)
    };
    (@axis $params:ident d) => {
        linear!(@axis $params kernel_d dilation_d stride_d pad_front pad_behind)
    };
    (@axis $params:ident $kernel:ident $dilation:ident $stride:ident $before:ident $after:ident) => {
        WindowAxis {
            kernel: $params.$kernel,
            dilation: $params.$dilation,
            stride: $params.$stride,
            pads: [$params.$before, $params.$after],
        }
    };
    (@extra $linear:ident $params:ident group) => {
        $linear.groups = size($params.group);
        $linear.raw.group = $params.group;
        $linear.keys.has_groups = true
    };
    (@extra $linear:ident $params:ident dynamic_weight) => {
        $linear.is_dynamic = $params.dynamic_weight != 0
    };
}

impl LinearLayer {
    /// What `layer` is as a linear layer; `None` if it is none.
    ///
    /// # Errors
    /// `Malformed` when its parameters cannot be read.
    #[rustfmt::skip]
    pub fn of(layer: &Layer) -> Result<Option<Self>> {
        use LayerKind as K;
        Ok(match layer.kind {
            K::InnerProduct => linear!(layer as InnerProduct, InnerProduct []),
            K::Convolution => linear!(layer as Convolution, Convolution [h w] dynamic_weight),
            K::ConvolutionDepthWise => linear!(layer as ConvolutionDepthWise, Convolution [h w] group dynamic_weight),
            K::Convolution1D => linear!(layer as Convolution1D, Convolution [w] dynamic_weight),
            K::ConvolutionDepthWise1D => linear!(layer as ConvolutionDepthWise1D, Convolution [w] group dynamic_weight),
            K::Convolution3D => linear!(layer as Convolution3D, Convolution [d h w]),
            K::ConvolutionDepthWise3D => linear!(layer as ConvolutionDepthWise3D, Convolution [d h w] group),
            K::Deconvolution => linear!(layer as Deconvolution, Deconvolution [h w] dynamic_weight),
            K::DeconvolutionDepthWise =>
                linear!(layer as DeconvolutionDepthWise, Deconvolution [h w] group dynamic_weight),
            K::Deconvolution1D => linear!(layer as Deconvolution1D, Deconvolution [w] dynamic_weight),
            K::DeconvolutionDepthWise1D =>
                linear!(layer as DeconvolutionDepthWise1D, Deconvolution [w] group dynamic_weight),
            K::Deconvolution3D => linear!(layer as Deconvolution3D, Deconvolution [d h w]),
            K::DeconvolutionDepthWise3D => linear!(layer as DeconvolutionDepthWise3D, Deconvolution [d h w] group),
            K::DeformableConv2D => linear!(layer as DeformableConv2D, Deformable [h w]),
            _ => None,
        })
    }

    /// Weights of one output channel; 0 without outputs.
    pub fn depth(&self) -> usize {
        self.weight_len.checked_div(self.outputs).unwrap_or(0)
    }

    /// Whether it is a convolution over this many dimensions, with or without groups; 2 are those of an image.
    pub fn is_convolution(&self, dimensions: usize) -> bool {
        self.family == LinearFamily::Convolution && self.window.len() == dimensions
    }

    /// Whether it is a convolution of images: a `Convolution` or a `ConvolutionDepthWise`.
    pub fn is_image_convolution(&self) -> bool {
        self.is_convolution(2)
    }

    /// Whether it is of a type with groups of channels, such as `ConvolutionDepthWise`, be it one group only.
    pub fn has_groups(&self) -> bool {
        self.keys.has_groups
    }

    /// Whether scale tables have rows for layers of its type: image convolutions and inner products.
    pub fn has_table_rows(&self) -> bool {
        self.int8_term.is_some()
    }

    /// Whether ncnn has an int8 form of it: its type [has rows](Self::has_table_rows), and its weights are its own.
    pub fn has_int8_form(&self) -> bool {
        self.has_table_rows() && !self.is_dynamic
    }

    /// Whether it computes on integers.
    pub fn is_int8(&self) -> bool {
        self.int8_term.is_some_and(|term| term != 0)
    }

    /// How many scales a table has for its weights: one per group for a type with groups
    /// (`ConvolutionDepthWise`), else one per output.
    pub fn scale_count(&self) -> usize {
        if self.keys.has_groups { self.groups } else { self.outputs }
    }

    /// What it does to its sums.
    ///
    /// # Errors
    /// As [`Activation::new`].
    pub fn activation(&self) -> Result<Activation> {
        Activation::new(self.activation_type, &self.activation_params)
    }

    /// The biases of `layer`, one per output; zeros where it has none.
    ///
    /// # Errors
    /// As [`Layer::weight_f32`].
    pub fn bias(&self, layer: &Layer) -> Result<Vec<f32>> {
        if self.has_bias { Ok(layer.weight_f32(WeightRole::Bias)?.into_owned()) } else { Ok(vec![0.0; self.outputs]) }
    }

    /// Gives `layer` other biases, which it may not have had.
    pub fn set_bias(&self, layer: &mut Layer, bias: Vec<f32>) {
        layer.params.set(self.keys.bias_term, 1);
        let bias = Weight { role: WeightRole::Bias, data: WeightData::F32(bias, F32Tag::Raw) };
        match layer.weights.iter_mut().find(|weight| weight.role == WeightRole::Bias) {
            Some(old) => *old = bias,
            // Behind the kernel, in front of scales.
            None => layer.weights.insert(1.min(layer.weights.len()), bias),
        }
    }

    /// Gives `layer` another activation.
    pub fn set_activation(&self, layer: &mut Layer, activation: Activation) {
        let (number, params) = activation.to_params();
        layer.params.set(self.keys.activation_type, number);
        if params.is_empty() {
            layer.params.remove(self.keys.activation_params);
        } else {
            layer.params.set(self.keys.activation_params, params);
        }
    }

    /// Makes `layer` an inner product with the same weights, bias and activation, which a convolution of single
    /// cells is to a vector.
    pub fn become_inner_product(&self, layer: &mut Layer) {
        use typed::InnerProduct as Product;
        let old = std::mem::take(&mut layer.params);
        layer.kind = LayerKind::InnerProduct;
        layer.params.set(Product::NUM_OUTPUT, self.raw.num_output);
        layer.params.set(Product::BIAS_TERM, i32::from(self.has_bias));
        layer.params.set(Product::WEIGHT_DATA_SIZE, self.raw.weight_data_size);
        if self.activation_type != 0 {
            layer.params.set(Product::ACTIVATION_TYPE, self.activation_type);
        }
        if let Some(params) = old.raw(self.keys.activation_params.id()) {
            layer.params.set_raw(Product::ACTIVATION_PARAMS.id(), params.clone());
        }
    }

    /// Makes `layer` int8: these weights, in place of those that it has, with their scales (as many as
    /// [`scale_count`](Self::scale_count)) and that of the input; the bias stays.
    ///
    /// # Errors
    /// `Invalid` for a layer without an int8 form.
    pub fn set_int8(&self, layer: &mut Layer, weights: Vec<i8>, scales: Vec<f32>, input_scale: f32) -> Result<()> {
        if !self.has_int8_form() {
            return Err(Error::invalid("has no int8 form").in_layer(&layer.name));
        }
        let bias = layer.weights.iter().position(|weight| weight.role == WeightRole::Bias);
        let bias = bias.map(|index| layer.weights.swap_remove(index));
        layer.weights.clear();
        layer.weights.push(Weight { role: WeightRole::Weight, data: weights.into() });
        layer.weights.extend(bias);
        layer.weights.push(Weight { role: WeightRole::WeightScales, data: scales.into() });
        layer.weights.push(Weight { role: WeightRole::InputScale, data: vec![input_scale].into() });
        // 2 would mean a single scale for all groups.
        layer.set_int8_term(if self.keys.has_groups { 1 } else { 2 })
    }
}

impl Layer {
    /// Replaces the values of a weight that the layer has, stored as fp32 from now on.
    pub fn set_weight_f32(&mut self, role: WeightRole, values: Vec<f32>) {
        if let Some(weight) = self.weights.iter_mut().find(|weight| weight.role == role) {
            let tag = match weight.data {
                WeightData::F32(_, tag) => tag,
                _ => F32Tag::Tagged,
            };
            weight.data = WeightData::F32(values, tag);
        }
    }
}

/// A size as the file says it.
fn size(value: i32) -> usize {
    usize::try_from(value).unwrap_or(0)
}
