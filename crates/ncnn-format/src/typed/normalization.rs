//! Normalizations and per-channel affine layers.

use super::table::layer_params;

layer_params! {
    BatchNorm batch_norm "slope * (x - mean) / sqrt(variance + eps) + bias per channel" {
        0 CHANNELS channels: Int = 0, "channels";
        1 EPS eps: Float = 0.0, "added to the variance";
    }
    Bias bias "adds a bias per channel" {
        0 BIAS_DATA_SIZE bias_data_size: Int = 0, "channels";
    }
    GroupNorm group_norm "normalizes groups of channels to mean 0 and variance 1" {
        0 GROUP group: Int = 1, "groups of channels";
        1 CHANNELS channels: Int = 0, "channels";
        2 EPS eps: Float = 0.001, "added to the variance";
        3 AFFINE affine: Int = 1, "1: multiplied with gamma and, except in RMSNorm, moved by beta";
    }
    InstanceNorm instance_norm "normalizes each channel to mean 0 and variance 1" {
        0 CHANNELS channels: Int = 0, "channels";
        1 EPS eps: Float = 0.001, "added to the variance";
        2 AFFINE affine: Int = 1, "1: multiplied with gamma and, except in RMSNorm, moved by beta";
    }
    LRN lrn "local response normalization" {
        0 REGION_TYPE region_type: Int = 0, "0 across channels, 1 within a channel";
        1 LOCAL_SIZE local_size: Int = 5, "neighbours that are squared and summed";
        2 ALPHA alpha: Float = 1.0, "multiplier of the sum";
        3 BETA beta: Float = 0.75, "exponent";
        4 BIAS bias: Float = 1.0, "added to the sum";
    }
    LayerNorm layer_norm "normalizes rows, planes or channels to mean 0 and variance 1" {
        0 AFFINE_SIZE affine_size: Int = 0, "elements that are normalized together: w, or w * h";
        1 EPS eps: Float = 0.001, "added to the variance";
        2 AFFINE affine: Int = 1, "1: multiplied with gamma and, except in RMSNorm, moved by beta";
    }
    MVN mvn "subtracts the mean, divides by the deviation" {
        0 NORMALIZE_VARIANCE normalize_variance: Int = 0, "1: also divides";
        1 ACROSS_CHANNELS across_channels: Int = 0, "1: one mean for all channels";
        2 EPS eps: Float = 0.0001, "added to the deviation";
    }
    Normalize normalize "divides by the L2 norm" {
        0 ACROSS_SPATIAL across_spatial: Int = 0, "1: the norm runs over a whole plane";
        1 CHANNEL_SHARED channel_shared: Int = 0, "1: one scale for all channels";
        2 EPS eps: Float = 0.0001, "keeps the divisor from 0";
        3 SCALE_DATA_SIZE scale_data_size: Int = 0, "elements of the scale";
        4 ACROSS_CHANNEL across_channel: Int = 1, "1: the norm runs over the channels";
        9 EPS_MODE eps_mode: Int = 0, "0 sqrt(s + eps), 1 max(sqrt(s), eps), 2 sqrt(max(s, eps))";
    }
    RMSNorm rms_norm "divides rows by their root mean square" {
        0 AFFINE_SIZE affine_size: Int = 0, "elements that are normalized together: w, or w * h";
        1 EPS eps: Float = 0.001, "added to the mean square";
        2 AFFINE affine: Int = 1, "1: multiplied with gamma";
    }
    Scale scale "multiplies each channel, and may add a bias" {
        0 SCALE_DATA_SIZE scale_data_size: Int = 0, "channels; -233: the scale is the second input";
        1 BIAS_TERM bias_term: Int = 0, "1: a bias is added";
    }
    Softmax softmax "exp(x) divided by its sum along an axis" {
        0 AXIS axis: Int = 0, "0 is the outermost dimension, -1 the innermost; other than 0 needs fixbug0";
        1 FIXBUG0 fixbug0: Int = 0, "must be 1 when axis is not 0";
    }
}
