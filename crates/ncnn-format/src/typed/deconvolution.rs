//! Transposed convolutions.

use super::table::layer_params;

layer_params! {
    Deconvolution deconvolution "2-D transposed convolution" {
        0 NUM_OUTPUT num_output: Int = 0, "output channels";
        1 KERNEL_W kernel_w: Int = 0, "kernel width";
        2 DILATION_W dilation_w: Int = 1, "columns between two taps of the kernel";
        3 STRIDE_W stride_w: Int = 1, "columns between two inputs";
        4 PAD_LEFT pad_left: Int = 0,
            "columns cut at the left; -233 or -234: cut to output_w, the odd one at the end or the start";
        5 BIAS_TERM bias_term: Int = 0, "1: a bias is added";
        6 WEIGHT_DATA_SIZE weight_data_size: Int = 0, "elements of the weight";
        9 ACTIVATION_TYPE activation_type: Int = 0,
            "0 none, 1 ReLU, 2 LeakyReLU, 3 Clip, 4 Sigmoid, 5 Mish, 6 HardSwish, applied to the sum";
        10 ACTIVATION_PARAMS activation_params: Floats = vec![],
            "LeakyReLU: slope; Clip: min, max; HardSwish: alpha, beta";
        11 KERNEL_H kernel_h: Int = kernel_w, "kernel height";
        12 DILATION_H dilation_h: Int = dilation_w, "rows between two taps";
        13 STRIDE_H stride_h: Int = stride_w, "rows between two inputs";
        14 PAD_TOP pad_top: Int = pad_left, "rows cut at the top";
        15 PAD_RIGHT pad_right: Int = pad_left, "columns cut at the right";
        16 PAD_BOTTOM pad_bottom: Int = pad_top, "rows cut at the bottom";
        18 OUTPUT_PAD_RIGHT output_pad_right: Int = 0, "columns added to the output at the right";
        19 OUTPUT_PAD_BOTTOM output_pad_bottom: Int = output_pad_right, "rows added at the bottom";
        20 OUTPUT_W output_w: Int = 0, "wanted output width; 0: what the kernel gives";
        21 OUTPUT_H output_h: Int = output_w, "wanted output height";
        28 DYNAMIC_WEIGHT dynamic_weight: Int = 0, "1: weight and bias are further inputs, not in the .bin";
    }
    Deconvolution1D deconvolution_1d "1-D transposed convolution of rows" {
        0 NUM_OUTPUT num_output: Int = 0, "output channels";
        1 KERNEL_W kernel_w: Int = 0, "kernel width";
        2 DILATION_W dilation_w: Int = 1, "columns between two taps of the kernel";
        3 STRIDE_W stride_w: Int = 1, "columns between two inputs";
        4 PAD_LEFT pad_left: Int = 0,
            "columns cut at the left; -233 or -234: cut to output_w, the odd one at the end or the start";
        5 BIAS_TERM bias_term: Int = 0, "1: a bias is added";
        6 WEIGHT_DATA_SIZE weight_data_size: Int = 0, "elements of the weight";
        9 ACTIVATION_TYPE activation_type: Int = 0,
            "0 none, 1 ReLU, 2 LeakyReLU, 3 Clip, 4 Sigmoid, 5 Mish, 6 HardSwish, applied to the sum";
        10 ACTIVATION_PARAMS activation_params: Floats = vec![],
            "LeakyReLU: slope; Clip: min, max; HardSwish: alpha, beta";
        15 PAD_RIGHT pad_right: Int = pad_left, "columns cut at the right";
        18 OUTPUT_PAD_RIGHT output_pad_right: Int = 0, "columns added to the output at the right";
        20 OUTPUT_W output_w: Int = 0, "wanted output width; 0: what the kernel gives";
        28 DYNAMIC_WEIGHT dynamic_weight: Int = 0, "1: weight and bias are further inputs, not in the .bin";
    }
    Deconvolution3D deconvolution_3d "3-D transposed convolution" {
        0 NUM_OUTPUT num_output: Int = 0, "output channels";
        1 KERNEL_W kernel_w: Int = 0, "kernel width";
        2 DILATION_W dilation_w: Int = 1, "columns between two taps of the kernel";
        3 STRIDE_W stride_w: Int = 1, "columns between two inputs";
        4 PAD_LEFT pad_left: Int = 0,
            "columns cut at the left; -233 or -234: cut to output_w, the odd one at the end or the start";
        5 BIAS_TERM bias_term: Int = 0, "1: a bias is added";
        6 WEIGHT_DATA_SIZE weight_data_size: Int = 0, "elements of the weight";
        9 ACTIVATION_TYPE activation_type: Int = 0,
            "0 none, 1 ReLU, 2 LeakyReLU, 3 Clip, 4 Sigmoid, 5 Mish, 6 HardSwish, applied to the sum";
        10 ACTIVATION_PARAMS activation_params: Floats = vec![],
            "LeakyReLU: slope; Clip: min, max; HardSwish: alpha, beta";
        11 KERNEL_H kernel_h: Int = kernel_w, "kernel height";
        12 DILATION_H dilation_h: Int = dilation_w, "rows between two taps";
        13 STRIDE_H stride_h: Int = stride_w, "rows between two inputs";
        14 PAD_TOP pad_top: Int = pad_left, "rows cut at the top";
        15 PAD_RIGHT pad_right: Int = pad_left, "columns cut at the right";
        16 PAD_BOTTOM pad_bottom: Int = pad_top, "rows cut at the bottom";
        18 OUTPUT_PAD_RIGHT output_pad_right: Int = 0, "columns added to the output at the right";
        19 OUTPUT_PAD_BOTTOM output_pad_bottom: Int = output_pad_right, "rows added at the bottom";
        20 OUTPUT_PAD_BEHIND output_pad_behind: Int = output_pad_right, "planes added behind";
        21 KERNEL_D kernel_d: Int = kernel_w, "kernel depth";
        22 DILATION_D dilation_d: Int = dilation_w, "planes between two taps";
        23 STRIDE_D stride_d: Int = stride_w, "planes between two inputs";
        24 PAD_FRONT pad_front: Int = pad_left, "planes cut in front";
        17 PAD_BEHIND pad_behind: Int = pad_front, "planes cut behind";
        25 OUTPUT_W output_w: Int = 0, "wanted output width; 0: what the kernel gives";
        26 OUTPUT_H output_h: Int = output_w, "wanted output height";
        27 OUTPUT_D output_d: Int = output_w, "wanted output depth";
    }
    DeconvolutionDepthWise deconvolution_depth_wise "2-D transposed convolution of each group of channels by itself" {
        0 NUM_OUTPUT num_output: Int = 0, "output channels";
        1 KERNEL_W kernel_w: Int = 0, "kernel width";
        2 DILATION_W dilation_w: Int = 1, "columns between two taps of the kernel";
        3 STRIDE_W stride_w: Int = 1, "columns between two inputs";
        4 PAD_LEFT pad_left: Int = 0,
            "columns cut at the left; -233 or -234: cut to output_w, the odd one at the end or the start";
        5 BIAS_TERM bias_term: Int = 0, "1: a bias is added";
        6 WEIGHT_DATA_SIZE weight_data_size: Int = 0, "elements of the weight";
        7 GROUP group: Int = 1, "groups of channels, each with kernels of its own";
        9 ACTIVATION_TYPE activation_type: Int = 0,
            "0 none, 1 ReLU, 2 LeakyReLU, 3 Clip, 4 Sigmoid, 5 Mish, 6 HardSwish, applied to the sum";
        10 ACTIVATION_PARAMS activation_params: Floats = vec![],
            "LeakyReLU: slope; Clip: min, max; HardSwish: alpha, beta";
        11 KERNEL_H kernel_h: Int = kernel_w, "kernel height";
        12 DILATION_H dilation_h: Int = dilation_w, "rows between two taps";
        13 STRIDE_H stride_h: Int = stride_w, "rows between two inputs";
        14 PAD_TOP pad_top: Int = pad_left, "rows cut at the top";
        15 PAD_RIGHT pad_right: Int = pad_left, "columns cut at the right";
        16 PAD_BOTTOM pad_bottom: Int = pad_top, "rows cut at the bottom";
        18 OUTPUT_PAD_RIGHT output_pad_right: Int = 0, "columns added to the output at the right";
        19 OUTPUT_PAD_BOTTOM output_pad_bottom: Int = output_pad_right, "rows added at the bottom";
        20 OUTPUT_W output_w: Int = 0, "wanted output width; 0: what the kernel gives";
        21 OUTPUT_H output_h: Int = output_w, "wanted output height";
        28 DYNAMIC_WEIGHT dynamic_weight: Int = 0, "1: weight and bias are further inputs, not in the .bin";
    }
    DeconvolutionDepthWise1D deconvolution_depth_wise_1d "1-D transposed convolution of each group of rows by itself" {
        0 NUM_OUTPUT num_output: Int = 0, "output channels";
        1 KERNEL_W kernel_w: Int = 0, "kernel width";
        2 DILATION_W dilation_w: Int = 1, "columns between two taps of the kernel";
        3 STRIDE_W stride_w: Int = 1, "columns between two inputs";
        4 PAD_LEFT pad_left: Int = 0,
            "columns cut at the left; -233 or -234: cut to output_w, the odd one at the end or the start";
        5 BIAS_TERM bias_term: Int = 0, "1: a bias is added";
        6 WEIGHT_DATA_SIZE weight_data_size: Int = 0, "elements of the weight";
        7 GROUP group: Int = 1, "groups of channels, each with kernels of its own";
        9 ACTIVATION_TYPE activation_type: Int = 0,
            "0 none, 1 ReLU, 2 LeakyReLU, 3 Clip, 4 Sigmoid, 5 Mish, 6 HardSwish, applied to the sum";
        10 ACTIVATION_PARAMS activation_params: Floats = vec![],
            "LeakyReLU: slope; Clip: min, max; HardSwish: alpha, beta";
        15 PAD_RIGHT pad_right: Int = pad_left, "columns cut at the right";
        18 OUTPUT_PAD_RIGHT output_pad_right: Int = 0, "columns added to the output at the right";
        20 OUTPUT_W output_w: Int = 0, "wanted output width; 0: what the kernel gives";
        28 DYNAMIC_WEIGHT dynamic_weight: Int = 0, "1: weight and bias are further inputs, not in the .bin";
    }
    DeconvolutionDepthWise3D deconvolution_depth_wise_3d "3-D transposed convolution of each group of channels by itself" {
        0 NUM_OUTPUT num_output: Int = 0, "output channels";
        1 KERNEL_W kernel_w: Int = 0, "kernel width";
        2 DILATION_W dilation_w: Int = 1, "columns between two taps of the kernel";
        3 STRIDE_W stride_w: Int = 1, "columns between two inputs";
        4 PAD_LEFT pad_left: Int = 0,
            "columns cut at the left; -233 or -234: cut to output_w, the odd one at the end or the start";
        5 BIAS_TERM bias_term: Int = 0, "1: a bias is added";
        6 WEIGHT_DATA_SIZE weight_data_size: Int = 0, "elements of the weight";
        7 GROUP group: Int = 1, "groups of channels, each with kernels of its own";
        9 ACTIVATION_TYPE activation_type: Int = 0,
            "0 none, 1 ReLU, 2 LeakyReLU, 3 Clip, 4 Sigmoid, 5 Mish, 6 HardSwish, applied to the sum";
        10 ACTIVATION_PARAMS activation_params: Floats = vec![],
            "LeakyReLU: slope; Clip: min, max; HardSwish: alpha, beta";
        11 KERNEL_H kernel_h: Int = kernel_w, "kernel height";
        12 DILATION_H dilation_h: Int = dilation_w, "rows between two taps";
        13 STRIDE_H stride_h: Int = stride_w, "rows between two inputs";
        14 PAD_TOP pad_top: Int = pad_left, "rows cut at the top";
        15 PAD_RIGHT pad_right: Int = pad_left, "columns cut at the right";
        16 PAD_BOTTOM pad_bottom: Int = pad_top, "rows cut at the bottom";
        18 OUTPUT_PAD_RIGHT output_pad_right: Int = 0, "columns added to the output at the right";
        19 OUTPUT_PAD_BOTTOM output_pad_bottom: Int = output_pad_right, "rows added at the bottom";
        20 OUTPUT_PAD_BEHIND output_pad_behind: Int = output_pad_right, "planes added behind";
        21 KERNEL_D kernel_d: Int = kernel_w, "kernel depth";
        22 DILATION_D dilation_d: Int = dilation_w, "planes between two taps";
        23 STRIDE_D stride_d: Int = stride_w, "planes between two inputs";
        24 PAD_FRONT pad_front: Int = pad_left, "planes cut in front";
        17 PAD_BEHIND pad_behind: Int = pad_front, "planes cut behind";
        25 OUTPUT_W output_w: Int = 0, "wanted output width; 0: what the kernel gives";
        26 OUTPUT_H output_h: Int = output_w, "wanted output height";
        27 OUTPUT_D output_d: Int = output_w, "wanted output depth";
    }
}
