//! Detection heads.

use super::table::layer_params;

layer_params! {
    DetectionOutput detection_output "boxes and classes from an SSD head: decode, threshold, suppress overlaps" {
        0 NUM_CLASS num_class: Int = 0,
            "classes with the background; -233: mxnet's layout, which the confidences count";
        1 NMS_THRESHOLD nms_threshold: Float = 0.05, "overlap (intersection / union) above which the weaker box goes";
        2 NMS_TOP_K nms_top_k: Int = 300, "boxes per class before suppression";
        3 KEEP_TOP_K keep_top_k: Int = 100, "boxes of the output at most";
        4 CONFIDENCE_THRESHOLD confidence_threshold: Float = 0.5, "score that a box must exceed";
        5 VARIANCE_0 variance_0: Float = 0.1, "variance of the centre x";
        6 VARIANCE_1 variance_1: Float = 0.1, "variance of the centre y";
        7 VARIANCE_2 variance_2: Float = 0.2, "variance of the width";
        8 VARIANCE_3 variance_3: Float = 0.2, "variance of the height";
    }
    PriorBox prior_box "default boxes of an SSD head, one set per cell of the feature map" {
        0 MIN_SIZES min_sizes: Floats = vec![], "smaller edge per box, pixels";
        1 MAX_SIZES max_sizes: Floats = vec![], "larger edge per box, pixels";
        2 ASPECT_RATIOS aspect_ratios: Floats = vec![], "width / height of further boxes";
        3 VARIANCE_0 variance_0: Float = 0.1, "variance of the centre x";
        4 VARIANCE_1 variance_1: Float = 0.1, "variance of the centre y";
        5 VARIANCE_2 variance_2: Float = 0.2, "variance of the width";
        6 VARIANCE_3 variance_3: Float = 0.2, "variance of the height";
        7 FLIP flip: Int = 1, "1: each ratio also upside down";
        8 CLIP clip: Int = 0, "1: boxes are cut at the image's edge";
        9 IMAGE_WIDTH image_width: Int = 0, "pixels; -233: those of the second input";
        10 IMAGE_HEIGHT image_height: Int = 0, "pixels; -233: those of the second input";
        11 STEP_WIDTH step_width: Float = -233.0, "pixels per cell; -233: image / feature map";
        12 STEP_HEIGHT step_height: Float = -233.0, "pixels per cell; -233: image / feature map";
        13 OFFSET offset: Float = 0.0, "centre of the first box in cells";
        14 STEP_MMDETECTION step_mmdetection: Int = 0, "1: the step is rounded up";
        15 CENTER_MMDETECTION center_mmdetection: Int = 0, "1: the centre is offset * (step - 1)";
    }
    Proposal proposal "regions from a Faster R-CNN head" {
        0 FEAT_STRIDE feat_stride: Int = 16, "pixels per cell";
        1 BASE_SIZE base_size: Int = 16, "edge of the base anchor, pixels";
        2 PRE_NMS_TOP_N pre_nms_top_n: Int = 6000, "boxes before suppression";
        3 AFTER_NMS_TOP_N after_nms_top_n: Int = 300, "boxes after it";
        4 NMS_THRESH nms_thresh: Float = 0.7, "overlap (intersection / union) above which the weaker box goes";
        5 MIN_SIZE min_size: Int = 16, "smallest edge of a box, pixels";
    }
    YoloDetectionOutput yolo_detection_output "boxes and classes from a YOLOv2 head" {
        0 NUM_CLASS num_class: Int = 20, "classes";
        1 NUM_BOX num_box: Int = 5, "anchors per cell";
        2 CONFIDENCE_THRESHOLD confidence_threshold: Float = 0.01, "smallest confidence of a box";
        3 NMS_THRESHOLD nms_threshold: Float = 0.45, "overlap (intersection / union) above which the weaker box goes";
        4 BIASES biases: Floats = vec![], "width and height of each anchor in cells";
    }
    Yolov3DetectionOutput yolov3_detection_output "boxes and classes from YOLOv3 heads" {
        0 NUM_CLASS num_class: Int = 20, "classes";
        1 NUM_BOX num_box: Int = 5, "anchors per cell and input";
        2 CONFIDENCE_THRESHOLD confidence_threshold: Float = 0.01, "smallest confidence of a box";
        3 NMS_THRESHOLD nms_threshold: Float = 0.45, "overlap (intersection / union) above which the weaker box goes";
        4 BIASES biases: Floats = vec![], "width and height of each anchor, pixels";
        5 MASK mask: Floats = vec![], "which anchors belong to which input, num_box per input";
        6 ANCHORS_SCALE anchors_scale: Floats = vec![], "pixels per cell of each input";
    }
}
