//! Pooling, resizing and region layers.

use super::layer_params;

layer_params! {
    GridSample {
        0 sample_type: Int = 1;
        1 padding_mode: Int = 1;
        2 align_corner: Int = 0;
        3 permute_fusion: Int = 0;
    }
    Interp {
        0 resize_type: Int = 0;
        1 height_scale: Float = 1.0;
        2 width_scale: Float = 1.0;
        3 output_height: Int = 0;
        4 output_width: Int = 0;
        5 dynamic_target_size: Int = 0;
        6 align_corner: Int = 0;
        9 size_expr: Text = String::new();
    }
    PSROIPooling {
        0 pooled_width: Int = 7;
        1 pooled_height: Int = 7;
        2 spatial_scale: Float = 0.0625;
        3 output_dim: Int = 0;
    }
    Pooling {
        0 pooling_type: Int = 0;
        1 kernel_w: Int = 0;
        2 stride_w: Int = 1;
        3 pad_left: Int = 0;
        4 global_pooling: Int = 0;
        5 pad_mode: Int = 0;
        6 avgpool_count_include_pad: Int = 0;
        7 adaptive_pooling: Int = 0;
        8 out_w: Int = 0;
        11 kernel_h: Int = kernel_w;
        12 stride_h: Int = stride_w;
        13 pad_top: Int = pad_left;
        14 pad_right: Int = pad_left;
        15 pad_bottom: Int = pad_top;
        18 out_h: Int = out_w;
    }
    Pooling1D {
        0 pooling_type: Int = 0;
        1 kernel_w: Int = 0;
        2 stride_w: Int = 1;
        3 pad_left: Int = 0;
        4 global_pooling: Int = 0;
        5 pad_mode: Int = 0;
        6 avgpool_count_include_pad: Int = 0;
        7 adaptive_pooling: Int = 0;
        8 out_w: Int = 0;
        14 pad_right: Int = pad_left;
    }
    Pooling3D {
        0 pooling_type: Int = 0;
        1 kernel_w: Int = 0;
        2 stride_w: Int = 1;
        3 pad_left: Int = 0;
        4 global_pooling: Int = 0;
        5 pad_mode: Int = 0;
        6 avgpool_count_include_pad: Int = 0;
        7 adaptive_pooling: Int = 0;
        8 out_w: Int = 0;
        11 kernel_h: Int = kernel_w;
        12 stride_h: Int = stride_w;
        13 pad_top: Int = pad_left;
        14 pad_right: Int = pad_left;
        15 pad_bottom: Int = pad_top;
        18 out_h: Int = out_w;
        21 kernel_d: Int = kernel_w;
        22 stride_d: Int = stride_w;
        23 pad_front: Int = pad_left;
        16 pad_behind: Int = pad_front;
        28 out_d: Int = out_w;
    }
    ROIAlign {
        0 pooled_width: Int = 0;
        1 pooled_height: Int = 0;
        2 spatial_scale: Float = 1.0;
        3 sampling_ratio: Int = 0;
        4 aligned: Int = 0;
        5 version: Int = 0;
    }
    ROIPooling {
        0 pooled_width: Int = 0;
        1 pooled_height: Int = 0;
        2 spatial_scale: Float = 1.0;
    }
    SPP {
        0 pooling_type: Int = 0;
        1 pyramid_height: Int = 1;
    }
    StatisticsPooling {
        0 include_stddev: Int = 0;
    }
}
