//! Normalizations and per-channel affine layers.

use super::layer_params;

layer_params! {
    BatchNorm {
        0 channels: Int = 0;
        1 eps: Float = 0.0;
    }
    Bias {
        0 bias_data_size: Int = 0;
    }
    GroupNorm {
        0 group: Int = 1;
        1 channels: Int = 0;
        2 eps: Float = 0.001;
        3 affine: Int = 1;
    }
    InstanceNorm {
        0 channels: Int = 0;
        1 eps: Float = 0.001;
        2 affine: Int = 1;
    }
    LRN {
        0 region_type: Int = 0;
        1 local_size: Int = 5;
        2 alpha: Float = 1.0;
        3 beta: Float = 0.75;
        4 bias: Float = 1.0;
    }
    LayerNorm {
        0 affine_size: Int = 0;
        1 eps: Float = 0.001;
        2 affine: Int = 1;
    }
    MVN {
        0 normalize_variance: Int = 0;
        1 across_channels: Int = 0;
        2 eps: Float = 0.0001;
    }
    Normalize {
        0 across_spatial: Int = 0;
        1 channel_shared: Int = 0;
        2 eps: Float = 0.0001;
        3 scale_data_size: Int = 0;
        4 across_channel: Int = 1;
        9 eps_mode: Int = 0;
    }
    RMSNorm {
        0 affine_size: Int = 0;
        1 eps: Float = 0.001;
        2 affine: Int = 1;
    }
    Scale {
        0 scale_data_size: Int = 0;
        1 bias_term: Int = 0;
    }
    Softmax {
        0 axis: Int = 0;
        1 fixbug0: Int = 0;
    }
}
