//! Convolutions in one, two and three dimensions, and their unfoldings.

use super::layer_params;

layer_params! {
    Convolution {
        0 num_output: Int = 0;
        1 kernel_w: Int = 0;
        2 dilation_w: Int = 1;
        3 stride_w: Int = 1;
        4 pad_left: Int = 0;
        5 bias_term: Int = 0;
        6 weight_data_size: Int = 0;
        8 int8_scale_term: Int = 0;
        9 activation_type: Int = 0;
        10 activation_params: Floats = vec![];
        11 kernel_h: Int = kernel_w;
        12 dilation_h: Int = dilation_w;
        13 stride_h: Int = stride_w;
        14 pad_top: Int = pad_left;
        15 pad_right: Int = pad_left;
        16 pad_bottom: Int = pad_top;
        18 pad_value: Float = 0.0;
        19 dynamic_weight: Int = 0;
    }
    Convolution1D {
        0 num_output: Int = 0;
        1 kernel_w: Int = 0;
        2 dilation_w: Int = 1;
        3 stride_w: Int = 1;
        4 pad_left: Int = 0;
        5 bias_term: Int = 0;
        6 weight_data_size: Int = 0;
        9 activation_type: Int = 0;
        10 activation_params: Floats = vec![];
        15 pad_right: Int = pad_left;
        18 pad_value: Float = 0.0;
        19 dynamic_weight: Int = 0;
    }
    Convolution3D {
        0 num_output: Int = 0;
        1 kernel_w: Int = 0;
        2 dilation_w: Int = 1;
        3 stride_w: Int = 1;
        4 pad_left: Int = 0;
        5 bias_term: Int = 0;
        6 weight_data_size: Int = 0;
        9 activation_type: Int = 0;
        10 activation_params: Floats = vec![];
        11 kernel_h: Int = kernel_w;
        12 dilation_h: Int = dilation_w;
        13 stride_h: Int = stride_w;
        14 pad_top: Int = pad_left;
        15 pad_right: Int = pad_left;
        16 pad_bottom: Int = pad_top;
        18 pad_value: Float = 0.0;
        21 kernel_d: Int = kernel_w;
        22 dilation_d: Int = dilation_w;
        23 stride_d: Int = stride_w;
        24 pad_front: Int = pad_left;
        17 pad_behind: Int = pad_front;
    }
    ConvolutionDepthWise {
        0 num_output: Int = 0;
        1 kernel_w: Int = 0;
        2 dilation_w: Int = 1;
        3 stride_w: Int = 1;
        4 pad_left: Int = 0;
        5 bias_term: Int = 0;
        6 weight_data_size: Int = 0;
        7 group: Int = 1;
        8 int8_scale_term: Int = 0;
        9 activation_type: Int = 0;
        10 activation_params: Floats = vec![];
        11 kernel_h: Int = kernel_w;
        12 dilation_h: Int = dilation_w;
        13 stride_h: Int = stride_w;
        14 pad_top: Int = pad_left;
        15 pad_right: Int = pad_left;
        16 pad_bottom: Int = pad_top;
        18 pad_value: Float = 0.0;
        19 dynamic_weight: Int = 0;
    }
    ConvolutionDepthWise1D {
        0 num_output: Int = 0;
        1 kernel_w: Int = 0;
        2 dilation_w: Int = 1;
        3 stride_w: Int = 1;
        4 pad_left: Int = 0;
        5 bias_term: Int = 0;
        6 weight_data_size: Int = 0;
        7 group: Int = 1;
        9 activation_type: Int = 0;
        10 activation_params: Floats = vec![];
        15 pad_right: Int = pad_left;
        18 pad_value: Float = 0.0;
        19 dynamic_weight: Int = 0;
    }
    ConvolutionDepthWise3D {
        0 num_output: Int = 0;
        1 kernel_w: Int = 0;
        2 dilation_w: Int = 1;
        3 stride_w: Int = 1;
        4 pad_left: Int = 0;
        5 bias_term: Int = 0;
        6 weight_data_size: Int = 0;
        7 group: Int = 1;
        9 activation_type: Int = 0;
        10 activation_params: Floats = vec![];
        11 kernel_h: Int = kernel_w;
        12 dilation_h: Int = dilation_w;
        13 stride_h: Int = stride_w;
        14 pad_top: Int = pad_left;
        15 pad_right: Int = pad_left;
        16 pad_bottom: Int = pad_top;
        18 pad_value: Float = 0.0;
        21 kernel_d: Int = kernel_w;
        22 dilation_d: Int = dilation_w;
        23 stride_d: Int = stride_w;
        24 pad_front: Int = pad_left;
        17 pad_behind: Int = pad_front;
    }
    DeformableConv2D {
        0 num_output: Int = 0;
        1 kernel_w: Int = 0;
        2 dilation_w: Int = 1;
        3 stride_w: Int = 1;
        4 pad_left: Int = 0;
        5 bias_term: Int = 0;
        6 weight_data_size: Int = 0;
        9 activation_type: Int = 0;
        10 activation_params: Floats = vec![];
        11 kernel_h: Int = kernel_w;
        12 dilation_h: Int = dilation_w;
        13 stride_h: Int = stride_w;
        14 pad_top: Int = pad_left;
        15 pad_right: Int = pad_left;
        16 pad_bottom: Int = pad_top;
    }
    Fold {
        1 kernel_w: Int = 0;
        2 dilation_w: Int = 1;
        3 stride_w: Int = 1;
        4 pad_left: Int = 0;
        11 kernel_h: Int = kernel_w;
        12 dilation_h: Int = dilation_w;
        13 stride_h: Int = stride_w;
        14 pad_top: Int = pad_left;
        15 pad_right: Int = pad_left;
        16 pad_bottom: Int = pad_top;
        20 output_w: Int = 0;
        21 output_h: Int = output_w;
    }
    Unfold {
        1 kernel_w: Int = 0;
        2 dilation_w: Int = 1;
        3 stride_w: Int = 1;
        4 pad_left: Int = 0;
        11 kernel_h: Int = kernel_w;
        12 dilation_h: Int = dilation_w;
        13 stride_h: Int = stride_w;
        14 pad_top: Int = pad_left;
        15 pad_right: Int = pad_left;
        16 pad_bottom: Int = pad_top;
        18 pad_value: Float = 0.0;
    }
}
