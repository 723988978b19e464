//! Pooling, resizing and region layers.

use super::table::layer_params;

layer_params! {
    GridSample grid_sample "reads a blob at places that a second input gives" {
        0 SAMPLE_TYPE sample_type: Int = 1, "1 bilinear, 2 nearest, 3 bicubic";
        1 PADDING_MODE padding_mode: Int = 1, "outside is 1 zero, 2 the border, 3 a reflection";
        2 ALIGN_CORNER align_corner: Int = 0, "1: -1 and 1 are the centres of the corners";
        3 PERMUTE_FUSION permute_fusion: Int = 0, "1: the grid is (2, h, w), else (h, w, 2)";
    }
    Interp interp "resizes planes" {
        0 RESIZE_TYPE resize_type: Int = 0, "1 nearest, 2 bilinear, 3 bicubic";
        1 HEIGHT_SCALE height_scale: Float = 1.0, "output / input height";
        2 WIDTH_SCALE width_scale: Float = 1.0, "output / input width";
        3 OUTPUT_HEIGHT output_height: Int = 0, "output height; 0: by height_scale";
        4 OUTPUT_WIDTH output_width: Int = 0, "output width; 0: by width_scale";
        5 DYNAMIC_TARGET_SIZE dynamic_target_size: Int = 0, "1: the second input gives the size";
        6 ALIGN_CORNER align_corner: Int = 0, "1: the corners' centres stay in place";
        9 SIZE_EXPR size_expr: Text = String::new(), "width[, height] as an expression of the inputs' sizes";
    }
    PSROIPooling psroi_pooling "averages regions with a channel per cell of the grid" {
        0 POOLED_WIDTH pooled_width: Int = 7, "columns of the output";
        1 POOLED_HEIGHT pooled_height: Int = 7, "rows of the output";
        2 SPATIAL_SCALE spatial_scale: Float = 0.0625, "cells per pixel of the region";
        3 OUTPUT_DIM output_dim: Int = 0, "channels of the output";
    }
    Pooling pooling "maximum or average of windows" {
        0 POOLING_TYPE pooling_type: Int = 0, "0 maximum, 1 average";
        1 KERNEL_W kernel_w: Int = 0, "window width";
        2 STRIDE_W stride_w: Int = 1, "columns the window moves by";
        3 PAD_LEFT pad_left: Int = 0, "columns added at the left";
        4 GLOBAL_POOLING global_pooling: Int = 0, "1: over the whole plane, output 1-D of c values";
        5 PAD_MODE pad_mode: Int = 0, "0 full (adds what the last window lacks), 1 valid, 2 SAME_UPPER, 3 SAME_LOWER";
        6 AVGPOOL_COUNT_INCLUDE_PAD avgpool_count_include_pad: Int = 0, "1: added cells count in the average";
        7 ADAPTIVE_POOLING adaptive_pooling: Int = 0, "1: windows are chosen to give out_w x out_h";
        8 OUT_W out_w: Int = 0, "adaptive: output width; -233 keeps the input's";
        11 KERNEL_H kernel_h: Int = kernel_w, "window height";
        12 STRIDE_H stride_h: Int = stride_w, "rows it moves by";
        13 PAD_TOP pad_top: Int = pad_left, "rows added at the top";
        14 PAD_RIGHT pad_right: Int = pad_left, "columns added at the right";
        15 PAD_BOTTOM pad_bottom: Int = pad_top, "rows added at the bottom";
        18 OUT_H out_h: Int = out_w, "adaptive: output height";
    }
    Pooling1D pooling_1d "maximum or average of windows of rows" {
        0 POOLING_TYPE pooling_type: Int = 0, "0 maximum, 1 average";
        1 KERNEL_W kernel_w: Int = 0, "window width";
        2 STRIDE_W stride_w: Int = 1, "columns the window moves by";
        3 PAD_LEFT pad_left: Int = 0, "columns added at the left";
        4 GLOBAL_POOLING global_pooling: Int = 0, "1: over the whole row";
        5 PAD_MODE pad_mode: Int = 0, "0 full (adds what the last window lacks), 1 valid, 2 SAME_UPPER, 3 SAME_LOWER";
        6 AVGPOOL_COUNT_INCLUDE_PAD avgpool_count_include_pad: Int = 0, "1: added cells count in the average";
        7 ADAPTIVE_POOLING adaptive_pooling: Int = 0, "1: windows are chosen to give out_w";
        8 OUT_W out_w: Int = 0, "adaptive: output width";
        14 PAD_RIGHT pad_right: Int = pad_left, "columns added at the right";
    }
    Pooling3D pooling_3d "maximum or average of windows in three dimensions" {
        0 POOLING_TYPE pooling_type: Int = 0, "0 maximum, 1 average";
        1 KERNEL_W kernel_w: Int = 0, "window width";
        2 STRIDE_W stride_w: Int = 1, "columns the window moves by";
        3 PAD_LEFT pad_left: Int = 0, "columns added at the left";
        4 GLOBAL_POOLING global_pooling: Int = 0, "1: over the whole channel";
        5 PAD_MODE pad_mode: Int = 0, "0 full (adds what the last window lacks), 1 valid, 2 SAME_UPPER, 3 SAME_LOWER";
        6 AVGPOOL_COUNT_INCLUDE_PAD avgpool_count_include_pad: Int = 0, "1: added cells count in the average";
        7 ADAPTIVE_POOLING adaptive_pooling: Int = 0, "1: windows are chosen to give out_w x out_h x out_d";
        8 OUT_W out_w: Int = 0, "adaptive: output width; -233 keeps the input's";
        11 KERNEL_H kernel_h: Int = kernel_w, "window height";
        12 STRIDE_H stride_h: Int = stride_w, "rows it moves by";
        13 PAD_TOP pad_top: Int = pad_left, "rows added at the top";
        14 PAD_RIGHT pad_right: Int = pad_left, "columns added at the right";
        15 PAD_BOTTOM pad_bottom: Int = pad_top, "rows added at the bottom";
        18 OUT_H out_h: Int = out_w, "adaptive: output height";
        21 KERNEL_D kernel_d: Int = kernel_w, "window depth";
        22 STRIDE_D stride_d: Int = stride_w, "planes it moves by";
        23 PAD_FRONT pad_front: Int = pad_left, "planes added in front";
        16 PAD_BEHIND pad_behind: Int = pad_front, "planes added behind";
        28 OUT_D out_d: Int = out_w, "adaptive: output depth";
    }
    ROIAlign roi_align "averages interpolated points of regions" {
        0 POOLED_WIDTH pooled_width: Int = 0, "columns of the output";
        1 POOLED_HEIGHT pooled_height: Int = 0, "rows of the output";
        2 SPATIAL_SCALE spatial_scale: Float = 1.0, "cells per pixel of the region";
        3 SAMPLING_RATIO sampling_ratio: Int = 0, "points per cell and direction; 0: by size";
        4 ALIGNED aligned: Int = 0, "1: moved by half a cell";
        5 VERSION version: Int = 0, "0 as in Detectron, 1 as in Detectron2";
    }
    ROIPooling roi_pooling "maximum of the cells of regions" {
        0 POOLED_WIDTH pooled_width: Int = 0, "columns of the output";
        1 POOLED_HEIGHT pooled_height: Int = 0, "rows of the output";
        2 SPATIAL_SCALE spatial_scale: Float = 1.0, "cells per pixel of the region";
    }
    SPP spp "pools by a pyramid of grids; disabled in ncnn's default build" {
        0 POOLING_TYPE pooling_type: Int = 0, "0 maximum, 1 average";
        1 PYRAMID_HEIGHT pyramid_height: Int = 1, "levels: 1, 4, 16 ... cells";
    }
    StatisticsPooling statistics_pooling "mean, and deviation, of each channel" {
        0 INCLUDE_STDDEV include_stddev: Int = 0, "1: deviations follow the means";
    }
}
