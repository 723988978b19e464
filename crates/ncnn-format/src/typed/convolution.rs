//! Convolutions in one, two and three dimensions, and their unfoldings.

use super::table::layer_params;

layer_params! {
    Convolution convolution "2-D convolution" {
        0 NUM_OUTPUT num_output: Int = 0, "output channels";
        1 KERNEL_W kernel_w: Int = 0, "kernel width";
        2 DILATION_W dilation_w: Int = 1, "columns between two taps of the kernel";
        3 STRIDE_W stride_w: Int = 1, "columns the kernel moves by";
        4 PAD_LEFT pad_left: Int = 0, "columns added at the left; -233 in all pads: SAME_UPPER, -234: SAME_LOWER";
        5 BIAS_TERM bias_term: Int = 0, "1: a bias is added";
        6 WEIGHT_DATA_SIZE weight_data_size: Int = 0,
            "elements of the weight: num_output x input channels x kernel_h x kernel_w";
        8 INT8_SCALE_TERM int8_scale_term: Int = 0,
            "0 float; 1, 2 int8 with scales per output; above 100 also int8 output with one scale";
        9 ACTIVATION_TYPE activation_type: Int = 0,
            "0 none, 1 ReLU, 2 LeakyReLU, 3 Clip, 4 Sigmoid, 5 Mish, 6 HardSwish, applied to the sum";
        10 ACTIVATION_PARAMS activation_params: Floats = vec![],
            "LeakyReLU: slope; Clip: min, max; HardSwish: alpha, beta";
        11 KERNEL_H kernel_h: Int = kernel_w, "kernel height";
        12 DILATION_H dilation_h: Int = dilation_w, "rows between two taps";
        13 STRIDE_H stride_h: Int = stride_w, "rows it moves by";
        14 PAD_TOP pad_top: Int = pad_left, "rows added at the top";
        15 PAD_RIGHT pad_right: Int = pad_left, "columns added at the right";
        16 PAD_BOTTOM pad_bottom: Int = pad_top, "rows added at the bottom";
        18 PAD_VALUE pad_value: Float = 0.0, "value of the added cells (in an int8 layer used as it is, not scaled)";
        19 DYNAMIC_WEIGHT dynamic_weight: Int = 0, "1: weight and bias are further inputs, not in the .bin";
    }
    Convolution1D convolution_1d "1-D convolution of rows" {
        0 NUM_OUTPUT num_output: Int = 0, "output channels";
        1 KERNEL_W kernel_w: Int = 0, "kernel width";
        2 DILATION_W dilation_w: Int = 1, "columns between two taps of the kernel";
        3 STRIDE_W stride_w: Int = 1, "columns the kernel moves by";
        4 PAD_LEFT pad_left: Int = 0, "columns added at the left; -233 in all pads: SAME_UPPER, -234: SAME_LOWER";
        5 BIAS_TERM bias_term: Int = 0, "1: a bias is added";
        6 WEIGHT_DATA_SIZE weight_data_size: Int = 0, "elements of the weight";
        9 ACTIVATION_TYPE activation_type: Int = 0,
            "0 none, 1 ReLU, 2 LeakyReLU, 3 Clip, 4 Sigmoid, 5 Mish, 6 HardSwish, applied to the sum";
        10 ACTIVATION_PARAMS activation_params: Floats = vec![],
            "LeakyReLU: slope; Clip: min, max; HardSwish: alpha, beta";
        15 PAD_RIGHT pad_right: Int = pad_left, "columns added at the right";
        18 PAD_VALUE pad_value: Float = 0.0, "value of the added cells (in an int8 layer used as it is, not scaled)";
        19 DYNAMIC_WEIGHT dynamic_weight: Int = 0, "1: weight and bias are further inputs, not in the .bin";
    }
    Convolution3D convolution_3d "3-D convolution" {
        0 NUM_OUTPUT num_output: Int = 0, "output channels";
        1 KERNEL_W kernel_w: Int = 0, "kernel width";
        2 DILATION_W dilation_w: Int = 1, "columns between two taps of the kernel";
        3 STRIDE_W stride_w: Int = 1, "columns the kernel moves by";
        4 PAD_LEFT pad_left: Int = 0, "columns added at the left; -233 in all pads: SAME_UPPER, -234: SAME_LOWER";
        5 BIAS_TERM bias_term: Int = 0, "1: a bias is added";
        6 WEIGHT_DATA_SIZE weight_data_size: Int = 0, "elements of the weight";
        9 ACTIVATION_TYPE activation_type: Int = 0,
            "0 none, 1 ReLU, 2 LeakyReLU, 3 Clip, 4 Sigmoid, 5 Mish, 6 HardSwish, applied to the sum";
        10 ACTIVATION_PARAMS activation_params: Floats = vec![],
            "LeakyReLU: slope; Clip: min, max; HardSwish: alpha, beta";
        11 KERNEL_H kernel_h: Int = kernel_w, "kernel height";
        12 DILATION_H dilation_h: Int = dilation_w, "rows between two taps";
        13 STRIDE_H stride_h: Int = stride_w, "rows it moves by";
        14 PAD_TOP pad_top: Int = pad_left, "rows added at the top";
        15 PAD_RIGHT pad_right: Int = pad_left, "columns added at the right";
        16 PAD_BOTTOM pad_bottom: Int = pad_top, "rows added at the bottom";
        18 PAD_VALUE pad_value: Float = 0.0, "value of the added cells (in an int8 layer used as it is, not scaled)";
        21 KERNEL_D kernel_d: Int = kernel_w, "kernel depth";
        22 DILATION_D dilation_d: Int = dilation_w, "planes between two taps";
        23 STRIDE_D stride_d: Int = stride_w, "planes it moves by";
        24 PAD_FRONT pad_front: Int = pad_left, "planes added in front";
        17 PAD_BEHIND pad_behind: Int = pad_front, "planes added behind";
    }
    ConvolutionDepthWise convolution_depth_wise "2-D convolution of each group of channels by itself" {
        0 NUM_OUTPUT num_output: Int = 0, "output channels";
        1 KERNEL_W kernel_w: Int = 0, "kernel width";
        2 DILATION_W dilation_w: Int = 1, "columns between two taps of the kernel";
        3 STRIDE_W stride_w: Int = 1, "columns the kernel moves by";
        4 PAD_LEFT pad_left: Int = 0, "columns added at the left; -233 in all pads: SAME_UPPER, -234: SAME_LOWER";
        5 BIAS_TERM bias_term: Int = 0, "1: a bias is added";
        6 WEIGHT_DATA_SIZE weight_data_size: Int = 0,
            "elements of the weight: num_output x input channels / group x kernel_h x kernel_w";
        7 GROUP group: Int = 1, "groups of channels, each with kernels of its own";
        8 INT8_SCALE_TERM int8_scale_term: Int = 0,
            "0 float; 1 int8 with a weight scale per group, 2 with one for all; 101, 102 also int8 output";
        9 ACTIVATION_TYPE activation_type: Int = 0,
            "0 none, 1 ReLU, 2 LeakyReLU, 3 Clip, 4 Sigmoid, 5 Mish, 6 HardSwish, applied to the sum";
        10 ACTIVATION_PARAMS activation_params: Floats = vec![],
            "LeakyReLU: slope; Clip: min, max; HardSwish: alpha, beta";
        11 KERNEL_H kernel_h: Int = kernel_w, "kernel height";
        12 DILATION_H dilation_h: Int = dilation_w, "rows between two taps";
        13 STRIDE_H stride_h: Int = stride_w, "rows it moves by";
        14 PAD_TOP pad_top: Int = pad_left, "rows added at the top";
        15 PAD_RIGHT pad_right: Int = pad_left, "columns added at the right";
        16 PAD_BOTTOM pad_bottom: Int = pad_top, "rows added at the bottom";
        18 PAD_VALUE pad_value: Float = 0.0, "value of the added cells (in an int8 layer used as it is, not scaled)";
        19 DYNAMIC_WEIGHT dynamic_weight: Int = 0, "1: weight and bias are further inputs, not in the .bin";
    }
    ConvolutionDepthWise1D convolution_depth_wise_1d "1-D convolution of each group of rows by itself" {
        0 NUM_OUTPUT num_output: Int = 0, "output channels";
        1 KERNEL_W kernel_w: Int = 0, "kernel width";
        2 DILATION_W dilation_w: Int = 1, "columns between two taps of the kernel";
        3 STRIDE_W stride_w: Int = 1, "columns the kernel moves by";
        4 PAD_LEFT pad_left: Int = 0, "columns added at the left; -233 in all pads: SAME_UPPER, -234: SAME_LOWER";
        5 BIAS_TERM bias_term: Int = 0, "1: a bias is added";
        6 WEIGHT_DATA_SIZE weight_data_size: Int = 0, "elements of the weight";
        7 GROUP group: Int = 1, "groups of channels, each with kernels of its own";
        9 ACTIVATION_TYPE activation_type: Int = 0,
            "0 none, 1 ReLU, 2 LeakyReLU, 3 Clip, 4 Sigmoid, 5 Mish, 6 HardSwish, applied to the sum";
        10 ACTIVATION_PARAMS activation_params: Floats = vec![],
            "LeakyReLU: slope; Clip: min, max; HardSwish: alpha, beta";
        15 PAD_RIGHT pad_right: Int = pad_left, "columns added at the right";
        18 PAD_VALUE pad_value: Float = 0.0, "value of the added cells (in an int8 layer used as it is, not scaled)";
        19 DYNAMIC_WEIGHT dynamic_weight: Int = 0, "1: weight and bias are further inputs, not in the .bin";
    }
    ConvolutionDepthWise3D convolution_depth_wise_3d "3-D convolution of each group of channels by itself" {
        0 NUM_OUTPUT num_output: Int = 0, "output channels";
        1 KERNEL_W kernel_w: Int = 0, "kernel width";
        2 DILATION_W dilation_w: Int = 1, "columns between two taps of the kernel";
        3 STRIDE_W stride_w: Int = 1, "columns the kernel moves by";
        4 PAD_LEFT pad_left: Int = 0, "columns added at the left; -233 in all pads: SAME_UPPER, -234: SAME_LOWER";
        5 BIAS_TERM bias_term: Int = 0, "1: a bias is added";
        6 WEIGHT_DATA_SIZE weight_data_size: Int = 0, "elements of the weight";
        7 GROUP group: Int = 1, "groups of channels, each with kernels of its own";
        9 ACTIVATION_TYPE activation_type: Int = 0,
            "0 none, 1 ReLU, 2 LeakyReLU, 3 Clip, 4 Sigmoid, 5 Mish, 6 HardSwish, applied to the sum";
        10 ACTIVATION_PARAMS activation_params: Floats = vec![],
            "LeakyReLU: slope; Clip: min, max; HardSwish: alpha, beta";
        11 KERNEL_H kernel_h: Int = kernel_w, "kernel height";
        12 DILATION_H dilation_h: Int = dilation_w, "rows between two taps";
        13 STRIDE_H stride_h: Int = stride_w, "rows it moves by";
        14 PAD_TOP pad_top: Int = pad_left, "rows added at the top";
        15 PAD_RIGHT pad_right: Int = pad_left, "columns added at the right";
        16 PAD_BOTTOM pad_bottom: Int = pad_top, "rows added at the bottom";
        18 PAD_VALUE pad_value: Float = 0.0, "value of the added cells (in an int8 layer used as it is, not scaled)";
        21 KERNEL_D kernel_d: Int = kernel_w, "kernel depth";
        22 DILATION_D dilation_d: Int = dilation_w, "planes between two taps";
        23 STRIDE_D stride_d: Int = stride_w, "planes it moves by";
        24 PAD_FRONT pad_front: Int = pad_left, "planes added in front";
        17 PAD_BEHIND pad_behind: Int = pad_front, "planes added behind";
    }
    DeformableConv2D deformable_conv_2d "2-D convolution whose taps are moved by a second input (and weighted by a third)" {
        0 NUM_OUTPUT num_output: Int = 0, "output channels";
        1 KERNEL_W kernel_w: Int = 0, "kernel width";
        2 DILATION_W dilation_w: Int = 1, "columns between two taps of the kernel";
        3 STRIDE_W stride_w: Int = 1, "columns the kernel moves by";
        4 PAD_LEFT pad_left: Int = 0, "columns added at the left; -233 in all pads: SAME_UPPER, -234: SAME_LOWER";
        5 BIAS_TERM bias_term: Int = 0, "1: a bias is added";
        6 WEIGHT_DATA_SIZE weight_data_size: Int = 0, "elements of the weight";
        9 ACTIVATION_TYPE activation_type: Int = 0,
            "0 none, 1 ReLU, 2 LeakyReLU, 3 Clip, 4 Sigmoid, 5 Mish, 6 HardSwish, applied to the sum";
        10 ACTIVATION_PARAMS activation_params: Floats = vec![],
            "LeakyReLU: slope; Clip: min, max; HardSwish: alpha, beta";
        11 KERNEL_H kernel_h: Int = kernel_w, "kernel height";
        12 DILATION_H dilation_h: Int = dilation_w, "rows between two taps";
        13 STRIDE_H stride_h: Int = stride_w, "rows it moves by";
        14 PAD_TOP pad_top: Int = pad_left, "rows added at the top";
        15 PAD_RIGHT pad_right: Int = pad_left, "columns added at the right";
        16 PAD_BOTTOM pad_bottom: Int = pad_top, "rows added at the bottom";
    }
    Fold fold "adds columns of patches up to an image (col2im)" {
        1 KERNEL_W kernel_w: Int = 0, "kernel width";
        2 DILATION_W dilation_w: Int = 1, "columns between two taps of the kernel";
        3 STRIDE_W stride_w: Int = 1, "columns the kernel moves by";
        4 PAD_LEFT pad_left: Int = 0, "columns added at the left; -233 in all pads: SAME_UPPER, -234: SAME_LOWER";
        11 KERNEL_H kernel_h: Int = kernel_w, "kernel height";
        12 DILATION_H dilation_h: Int = dilation_w, "rows between two taps";
        13 STRIDE_H stride_h: Int = stride_w, "rows it moves by";
        14 PAD_TOP pad_top: Int = pad_left, "rows added at the top";
        15 PAD_RIGHT pad_right: Int = pad_left, "columns added at the right";
        16 PAD_BOTTOM pad_bottom: Int = pad_top, "rows added at the bottom";
        20 OUTPUT_W output_w: Int = 0, "image width";
        21 OUTPUT_H output_h: Int = output_w, "image height";
    }
    Unfold unfold "lays out the patches of an image as columns (im2col)" {
        1 KERNEL_W kernel_w: Int = 0, "kernel width";
        2 DILATION_W dilation_w: Int = 1, "columns between two taps of the kernel";
        3 STRIDE_W stride_w: Int = 1, "columns the kernel moves by";
        4 PAD_LEFT pad_left: Int = 0, "columns added at the left; -233 in all pads: SAME_UPPER, -234: SAME_LOWER";
        11 KERNEL_H kernel_h: Int = kernel_w, "kernel height";
        12 DILATION_H dilation_h: Int = dilation_w, "rows between two taps";
        13 STRIDE_H stride_h: Int = stride_w, "rows it moves by";
        14 PAD_TOP pad_top: Int = pad_left, "rows added at the top";
        15 PAD_RIGHT pad_right: Int = pad_left, "columns added at the right";
        16 PAD_BOTTOM pad_bottom: Int = pad_top, "rows added at the bottom";
        18 PAD_VALUE pad_value: Float = 0.0, "value of the added cells";
    }
}
