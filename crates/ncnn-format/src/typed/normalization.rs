//! Normalizations and per-channel affine layers.

use super::layer_params;

layer_params! {
    BatchNorm batch_norm "slope * (x - mean) / sqrt(variance + eps) + bias per channel" {
        0 channels: Int = 0, "channels";
        1 eps: Float = 0.0, "added to the variance";
    }
    Bias bias "adds a bias per channel" {
        0 bias_data_size: Int = 0, "channels";
    }
    GroupNorm group_norm "normalizes groups of channels to mean 0 and variance 1" {
        0 group: Int = 1, "groups of channels";
        1 channels: Int = 0, "channels";
        2 eps: Float = 0.001, "added to the variance";
        3 affine: Int = 1, "1: multiplied with gamma and, except in RMSNorm, moved by beta";
    }
    InstanceNorm instance_norm "normalizes each channel to mean 0 and variance 1" {
        0 channels: Int = 0, "channels";
        1 eps: Float = 0.001, "added to the variance";
        2 affine: Int = 1, "1: multiplied with gamma and, except in RMSNorm, moved by beta";
    }
    LRN lrn "local response normalization" {
        0 region_type: Int = 0, "0 across channels, 1 within a channel";
        1 local_size: Int = 5, "neighbours that are squared and summed";
        2 alpha: Float = 1.0, "multiplier of the sum";
        3 beta: Float = 0.75, "exponent";
        4 bias: Float = 1.0, "added to the sum";
    }
    LayerNorm layer_norm "normalizes rows, planes or channels to mean 0 and variance 1" {
        0 affine_size: Int = 0, "elements that are normalized together: w, or w * h";
        1 eps: Float = 0.001, "added to the variance";
        2 affine: Int = 1, "1: multiplied with gamma and, except in RMSNorm, moved by beta";
    }
    MVN mvn "subtracts the mean, divides by the deviation" {
        0 normalize_variance: Int = 0, "1: also divides";
        1 across_channels: Int = 0, "1: one mean for all channels";
        2 eps: Float = 0.0001, "added to the deviation";
    }
    Normalize normalize "divides by the L2 norm" {
        0 across_spatial: Int = 0, "1: the norm runs over a whole plane";
        1 channel_shared: Int = 0, "1: one scale for all channels";
        2 eps: Float = 0.0001, "keeps the divisor from 0";
        3 scale_data_size: Int = 0, "elements of the scale";
        4 across_channel: Int = 1, "1: the norm runs over the channels";
        9 eps_mode: Int = 0, "0 sqrt(s + eps), 1 max(sqrt(s), eps), 2 sqrt(max(s, eps))";
    }
    RMSNorm rms_norm "divides rows by their root mean square" {
        0 affine_size: Int = 0, "elements that are normalized together: w, or w * h";
        1 eps: Float = 0.001, "added to the mean square";
        2 affine: Int = 1, "1: multiplied with gamma";
    }
    Scale scale "multiplies each channel, and may add a bias" {
        0 scale_data_size: Int = 0, "channels; -233: the scale is the second input";
        1 bias_term: Int = 0, "1: a bias is added";
    }
    Softmax softmax "exp(x) divided by its sum along an axis" {
        0 axis: Int = 0, "0 is the outermost dimension, -1 the innermost; other than 0 needs fixbug0";
        1 fixbug0: Int = 0, "must be 1 when axis is not 0";
    }
}
