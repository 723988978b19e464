//! Layers that move, cut or join values without computing.

use super::layer_params;

layer_params! {
    ArgMax {
        0 out_max_val: Int = 0;
        1 topk: Int = 1;
    }
    Concat {
        0 axis: Int = 0;
    }
    CopyTo {
        0 woffset: Int = 0;
        1 hoffset: Int = 0;
        2 coffset: Int = 0;
        9 starts: Ints = vec![];
        11 axes: Ints = vec![];
        13 doffset: Int = 0;
    }
    Crop {
        0 woffset: Int = 0;
        1 hoffset: Int = 0;
        2 coffset: Int = 0;
        3 outw: Int = 0;
        4 outh: Int = 0;
        5 outc: Int = 0;
        6 woffset2: Int = 0;
        7 hoffset2: Int = 0;
        8 coffset2: Int = 0;
        9 starts: Ints = vec![];
        10 ends: Ints = vec![];
        11 axes: Ints = vec![];
        13 doffset: Int = 0;
        14 outd: Int = 0;
        15 doffset2: Int = 0;
        19 starts_expr: Text = String::new();
        20 ends_expr: Text = String::new();
        21 axes_expr: Text = String::new();
    }
    CumulativeSum {
        0 axis: Int = 0;
    }
    DeepCopy {}
    Diag {
        0 diagonal: Int = 0;
    }
    ExpandDims {
        3 axes: Ints = vec![];
    }
    Flatten {}
    Flip {
        0 axes: Ints = vec![];
    }
    Input {
        0 w: Int = 0;
        1 h: Int = 0;
        2 c: Int = 0;
        11 d: Int = 0;
    }
    MemoryData {
        0 w: Int = 0;
        1 h: Int = 0;
        2 c: Int = 0;
        11 d: Int = 0;
        21 load_type: Int = 1;
    }
    Noop {}
    Padding {
        0 top: Int = 0;
        1 bottom: Int = 0;
        2 left: Int = 0;
        3 right: Int = 0;
        4 pad_type: Int = 0;
        5 value: Float = 0.0;
        6 per_channel_pad_data_size: Int = 0;
        7 front: Int = 0;
        8 behind: Int = 0;
    }
    Permute {
        0 order_type: Int = 0;
    }
    PixelShuffle {
        0 upscale_factor: Int = 1;
        1 mode: Int = 0;
    }
    Reduction {
        0 operation: Int = 0;
        1 reduce_all: Int = 1;
        2 coeff: Float = 1.0;
        3 axes: Ints = vec![];
        4 keepdims: Int = 0;
        5 fixbug0: Int = 0;
    }
    Reorg {
        0 stride: Int = 1;
        1 mode: Int = 0;
    }
    Reshape {
        0 w: Int = -233;
        1 h: Int = -233;
        2 c: Int = -233;
        6 shape_expr: Text = String::new();
        11 d: Int = -233;
        12 input_batch_axis: Int = 233;
        13 output_batch_axis: Int = 233;
    }
    ShuffleChannel {
        0 group: Int = 1;
        1 reverse: Int = 0;
    }
    Slice {
        0 slices: Ints = vec![];
        1 axis: Int = 0;
        2 indices: Ints = vec![];
    }
    Split {}
    Squeeze {
        0 squeeze_w: Int = 0;
        1 squeeze_h: Int = 0;
        2 squeeze_c: Int = 0;
        3 axes: Ints = vec![];
        11 squeeze_d: Int = 0;
    }
    Tile {
        0 axis: Int = 0;
        1 tiles: Int = 1;
        2 repeats: Ints = vec![];
    }
}
