//! Detection heads.

use super::layer_params;

layer_params! {
    DetectionOutput detection_output "boxes and classes from an SSD head: decode, threshold, suppress overlaps" {
        0 num_class: Int = 0, "classes with the background; -233: mxnet's layout, which the confidences count";
        1 nms_threshold: Float = 0.05, "overlap (intersection / union) above which the weaker box goes";
        2 nms_top_k: Int = 300, "boxes per class before suppression";
        3 keep_top_k: Int = 100, "boxes of the output at most";
        4 confidence_threshold: Float = 0.5, "score that a box must exceed";
        5 variance_0: Float = 0.1, "variance of the centre x";
        6 variance_1: Float = 0.1, "variance of the centre y";
        7 variance_2: Float = 0.2, "variance of the width";
        8 variance_3: Float = 0.2, "variance of the height";
    }
    PriorBox prior_box "default boxes of an SSD head, one set per cell of the feature map" {
        0 min_sizes: Floats = vec![], "smaller edge per box, pixels";
        1 max_sizes: Floats = vec![], "larger edge per box, pixels";
        2 aspect_ratios: Floats = vec![], "width / height of further boxes";
        3 variance_0: Float = 0.1, "variance of the centre x";
        4 variance_1: Float = 0.1, "variance of the centre y";
        5 variance_2: Float = 0.2, "variance of the width";
        6 variance_3: Float = 0.2, "variance of the height";
        7 flip: Int = 1, "1: each ratio also upside down";
        8 clip: Int = 0, "1: boxes are cut at the image's edge";
        9 image_width: Int = 0, "pixels; -233: those of the second input";
        10 image_height: Int = 0, "pixels; -233: those of the second input";
        11 step_width: Float = -233.0, "pixels per cell; -233: image / feature map";
        12 step_height: Float = -233.0, "pixels per cell; -233: image / feature map";
        13 offset: Float = 0.0, "centre of the first box in cells";
        14 step_mmdetection: Int = 0, "1: the step is rounded up";
        15 center_mmdetection: Int = 0, "1: the centre is offset * (step - 1)";
    }
    Proposal proposal "regions from a Faster R-CNN head" {
        0 feat_stride: Int = 16, "pixels per cell";
        1 base_size: Int = 16, "edge of the base anchor, pixels";
        2 pre_nms_top_n: Int = 6000, "boxes before suppression";
        3 after_nms_top_n: Int = 300, "boxes after it";
        4 nms_thresh: Float = 0.7, "overlap (intersection / union) above which the weaker box goes";
        5 min_size: Int = 16, "smallest edge of a box, pixels";
    }
    YoloDetectionOutput yolo_detection_output "boxes and classes from a YOLOv2 head" {
        0 num_class: Int = 20, "classes";
        1 num_box: Int = 5, "anchors per cell";
        2 confidence_threshold: Float = 0.01, "smallest confidence of a box";
        3 nms_threshold: Float = 0.45, "overlap (intersection / union) above which the weaker box goes";
        4 biases: Floats = vec![], "width and height of each anchor in cells";
    }
    Yolov3DetectionOutput yolov3_detection_output "boxes and classes from YOLOv3 heads" {
        0 num_class: Int = 20, "classes";
        1 num_box: Int = 5, "anchors per cell and input";
        2 confidence_threshold: Float = 0.01, "smallest confidence of a box";
        3 nms_threshold: Float = 0.45, "overlap (intersection / union) above which the weaker box goes";
        4 biases: Floats = vec![], "width and height of each anchor, pixels";
        5 mask: Floats = vec![], "which anchors belong to which input, num_box per input";
        6 anchors_scale: Floats = vec![], "pixels per cell of each input";
    }
}
