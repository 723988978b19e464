//! Detection heads.

use super::layer_params;

layer_params! {
    DetectionOutput {
        0 num_class: Int = 0;
        1 nms_threshold: Float = 0.05;
        2 nms_top_k: Int = 300;
        3 keep_top_k: Int = 100;
        4 confidence_threshold: Float = 0.5;
        5 variance_0: Float = 0.1;
        6 variance_1: Float = 0.1;
        7 variance_2: Float = 0.2;
        8 variance_3: Float = 0.2;
    }
    PriorBox {
        0 min_sizes: Floats = vec![];
        1 max_sizes: Floats = vec![];
        2 aspect_ratios: Floats = vec![];
        3 variance_0: Float = 0.1;
        4 variance_1: Float = 0.1;
        5 variance_2: Float = 0.2;
        6 variance_3: Float = 0.2;
        7 flip: Int = 1;
        8 clip: Int = 0;
        9 image_width: Int = 0;
        10 image_height: Int = 0;
        11 step_width: Float = -233.0;
        12 step_height: Float = -233.0;
        13 offset: Float = 0.0;
        14 step_mmdetection: Int = 0;
        15 center_mmdetection: Int = 0;
    }
    Proposal {
        0 feat_stride: Int = 16;
        1 base_size: Int = 16;
        2 pre_nms_top_n: Int = 6000;
        3 after_nms_top_n: Int = 300;
        4 nms_thresh: Float = 0.7;
        5 min_size: Int = 16;
    }
    YoloDetectionOutput {
        0 num_class: Int = 20;
        1 num_box: Int = 5;
        2 confidence_threshold: Float = 0.01;
        3 nms_threshold: Float = 0.45;
        4 biases: Floats = vec![];
    }
    Yolov3DetectionOutput {
        0 num_class: Int = 20;
        1 num_box: Int = 5;
        2 confidence_threshold: Float = 0.01;
        3 nms_threshold: Float = 0.45;
        4 biases: Floats = vec![];
        5 mask: Floats = vec![];
        6 anchors_scale: Floats = vec![];
    }
}
