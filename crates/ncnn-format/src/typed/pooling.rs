//! Pooling, resizing and region layers.

use super::layer_params;

layer_params! {
    GridSample grid_sample "reads a blob at places that a second input gives" {
        0 sample_type: Int = 1, "1 bilinear, 2 nearest, 3 bicubic";
        1 padding_mode: Int = 1, "outside is 1 zero, 2 the border, 3 a reflection";
        2 align_corner: Int = 0, "1: -1 and 1 are the centres of the corners";
        3 permute_fusion: Int = 0, "1: the grid is (2, h, w), else (h, w, 2)";
    }
    Interp interp "resizes planes" {
        0 resize_type: Int = 0, "1 nearest, 2 bilinear, 3 bicubic";
        1 height_scale: Float = 1.0, "output / input height";
        2 width_scale: Float = 1.0, "output / input width";
        3 output_height: Int = 0, "output height; 0: by height_scale";
        4 output_width: Int = 0, "output width; 0: by width_scale";
        5 dynamic_target_size: Int = 0, "1: the second input gives the size";
        6 align_corner: Int = 0, "1: the corners' centres stay in place";
        9 size_expr: Text = String::new(), "width[, height] as an expression of the inputs' sizes";
    }
    PSROIPooling psroi_pooling "averages regions with a channel per cell of the grid" {
        0 pooled_width: Int = 7, "columns of the output";
        1 pooled_height: Int = 7, "rows of the output";
        2 spatial_scale: Float = 0.0625, "cells per pixel of the region";
        3 output_dim: Int = 0, "channels of the output";
    }
    Pooling pooling "maximum or average of windows" {
        0 pooling_type: Int = 0, "0 maximum, 1 average";
        1 kernel_w: Int = 0, "window width";
        2 stride_w: Int = 1, "columns the window moves by";
        3 pad_left: Int = 0, "columns added at the left";
        4 global_pooling: Int = 0, "1: over the whole plane, output 1-D of c values";
        5 pad_mode: Int = 0, "0 full (adds what the last window lacks), 1 valid, 2 SAME_UPPER, 3 SAME_LOWER";
        6 avgpool_count_include_pad: Int = 0, "1: added cells count in the average";
        7 adaptive_pooling: Int = 0, "1: windows are chosen to give out_w x out_h";
        8 out_w: Int = 0, "adaptive: output width; -233 keeps the input's";
        11 kernel_h: Int = kernel_w, "window height";
        12 stride_h: Int = stride_w, "rows it moves by";
        13 pad_top: Int = pad_left, "rows added at the top";
        14 pad_right: Int = pad_left, "columns added at the right";
        15 pad_bottom: Int = pad_top, "rows added at the bottom";
        18 out_h: Int = out_w, "adaptive: output height";
    }
    Pooling1D pooling_1d "maximum or average of windows of rows" {
        0 pooling_type: Int = 0, "0 maximum, 1 average";
        1 kernel_w: Int = 0, "window width";
        2 stride_w: Int = 1, "columns the window moves by";
        3 pad_left: Int = 0, "columns added at the left";
        4 global_pooling: Int = 0, "1: over the whole row";
        5 pad_mode: Int = 0, "0 full (adds what the last window lacks), 1 valid, 2 SAME_UPPER, 3 SAME_LOWER";
        6 avgpool_count_include_pad: Int = 0, "1: added cells count in the average";
        7 adaptive_pooling: Int = 0, "1: windows are chosen to give out_w";
        8 out_w: Int = 0, "adaptive: output width; -233 keeps the input's";
        14 pad_right: Int = pad_left, "columns added at the right";
    }
    Pooling3D pooling_3d "maximum or average of windows in three dimensions" {
        0 pooling_type: Int = 0, "0 maximum, 1 average";
        1 kernel_w: Int = 0, "window width";
        2 stride_w: Int = 1, "columns the window moves by";
        3 pad_left: Int = 0, "columns added at the left";
        4 global_pooling: Int = 0, "1: over the whole channel";
        5 pad_mode: Int = 0, "0 full (adds what the last window lacks), 1 valid, 2 SAME_UPPER, 3 SAME_LOWER";
        6 avgpool_count_include_pad: Int = 0, "1: added cells count in the average";
        7 adaptive_pooling: Int = 0, "1: windows are chosen to give out_w x out_h x out_d";
        8 out_w: Int = 0, "adaptive: output width; -233 keeps the input's";
        11 kernel_h: Int = kernel_w, "window height";
        12 stride_h: Int = stride_w, "rows it moves by";
        13 pad_top: Int = pad_left, "rows added at the top";
        14 pad_right: Int = pad_left, "columns added at the right";
        15 pad_bottom: Int = pad_top, "rows added at the bottom";
        18 out_h: Int = out_w, "adaptive: output height";
        21 kernel_d: Int = kernel_w, "window depth";
        22 stride_d: Int = stride_w, "planes it moves by";
        23 pad_front: Int = pad_left, "planes added in front";
        16 pad_behind: Int = pad_front, "planes added behind";
        28 out_d: Int = out_w, "adaptive: output depth";
    }
    ROIAlign roi_align "averages interpolated points of regions" {
        0 pooled_width: Int = 0, "columns of the output";
        1 pooled_height: Int = 0, "rows of the output";
        2 spatial_scale: Float = 1.0, "cells per pixel of the region";
        3 sampling_ratio: Int = 0, "points per cell and direction; 0: by size";
        4 aligned: Int = 0, "1: moved by half a cell";
        5 version: Int = 0, "0 as in Detectron, 1 as in Detectron2";
    }
    ROIPooling roi_pooling "maximum of the cells of regions" {
        0 pooled_width: Int = 0, "columns of the output";
        1 pooled_height: Int = 0, "rows of the output";
        2 spatial_scale: Float = 1.0, "cells per pixel of the region";
    }
    SPP spp "pools by a pyramid of grids; disabled in ncnn's default build" {
        0 pooling_type: Int = 0, "0 maximum, 1 average";
        1 pyramid_height: Int = 1, "levels: 1, 4, 16 ... cells";
    }
    StatisticsPooling statistics_pooling "mean, and deviation, of each channel" {
        0 include_stddev: Int = 0, "1: deviations follow the means";
    }
}
