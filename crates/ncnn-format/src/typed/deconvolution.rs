//! Transposed convolutions.

use super::layer_params;

layer_params! {
    Deconvolution {
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
        18 output_pad_right: Int = 0;
        19 output_pad_bottom: Int = output_pad_right;
        20 output_w: Int = 0;
        21 output_h: Int = output_w;
        28 dynamic_weight: Int = 0;
    }
    Deconvolution1D {
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
        18 output_pad_right: Int = 0;
        20 output_w: Int = 0;
        28 dynamic_weight: Int = 0;
    }
    Deconvolution3D {
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
        18 output_pad_right: Int = 0;
        19 output_pad_bottom: Int = output_pad_right;
        20 output_pad_behind: Int = output_pad_right;
        21 kernel_d: Int = kernel_w;
        22 dilation_d: Int = dilation_w;
        23 stride_d: Int = stride_w;
        24 pad_front: Int = pad_left;
        17 pad_behind: Int = pad_front;
        25 output_w: Int = 0;
        26 output_h: Int = output_w;
        27 output_d: Int = output_w;
    }
    DeconvolutionDepthWise {
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
        18 output_pad_right: Int = 0;
        19 output_pad_bottom: Int = output_pad_right;
        20 output_w: Int = 0;
        21 output_h: Int = output_w;
        28 dynamic_weight: Int = 0;
    }
    DeconvolutionDepthWise1D {
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
        18 output_pad_right: Int = 0;
        20 output_w: Int = 0;
        28 dynamic_weight: Int = 0;
    }
    DeconvolutionDepthWise3D {
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
        18 output_pad_right: Int = 0;
        19 output_pad_bottom: Int = output_pad_right;
        20 output_pad_behind: Int = output_pad_right;
        21 kernel_d: Int = kernel_w;
        22 dilation_d: Int = dilation_w;
        23 stride_d: Int = stride_w;
        24 pad_front: Int = pad_left;
        17 pad_behind: Int = pad_front;
        25 output_w: Int = 0;
        26 output_h: Int = output_w;
        27 output_d: Int = output_w;
    }
}
