//! Layers that move, cut or join values without computing.

use super::table::layer_params;

layer_params! {
    ArgMax arg_max "positions of the largest values; disabled in ncnn's default build" {
        0 OUT_MAX_VAL out_max_val: Int = 0, "1: their values as well";
        1 TOPK topk: Int = 1, "how many";
    }
    Concat concat "joins blobs along an axis" {
        0 AXIS axis: Int = 0, "0 is the outermost dimension, -1 the innermost";
    }
    CopyTo copy_to "writes the second input into the first" {
        0 WOFFSET woffset: Int = 0, "first column";
        1 HOFFSET hoffset: Int = 0, "first row";
        2 COFFSET coffset: Int = 0, "first channel";
        9 STARTS starts: Ints = vec![], "first position along each of axes";
        11 AXES axes: Ints = vec![], "dimensions that starts speaks of; none: all";
        13 DOFFSET doffset: Int = 0, "first plane";
    }
    Crop crop "cuts out a part" {
        0 WOFFSET woffset: Int = 0, "first column; -233: the second input gives all";
        1 HOFFSET hoffset: Int = 0, "first row";
        2 COFFSET coffset: Int = 0, "first channel";
        3 OUTW outw: Int = 0, "columns to keep; -233: to the end less woffset2";
        4 OUTH outh: Int = 0, "rows to keep";
        5 OUTC outc: Int = 0, "channels to keep";
        6 WOFFSET2 woffset2: Int = 0, "columns to drop at the end";
        7 HOFFSET2 hoffset2: Int = 0, "rows to drop at the end";
        8 COFFSET2 coffset2: Int = 0, "channels to drop at the end";
        9 STARTS starts: Ints = vec![], "first position along each of axes; negative counts from the end";
        10 ENDS ends: Ints = vec![], "position after the last one; -233: the end";
        11 AXES axes: Ints = vec![], "dimensions that starts and ends speak of; none: all";
        13 DOFFSET doffset: Int = 0, "first plane";
        14 OUTD outd: Int = 0, "planes to keep";
        15 DOFFSET2 doffset2: Int = 0, "planes to drop at the end";
        19 STARTS_EXPR starts_expr: Text = String::new(), "starts as an expression of the inputs' sizes";
        20 ENDS_EXPR ends_expr: Text = String::new(), "ends as an expression";
        21 AXES_EXPR axes_expr: Text = String::new(), "axes as an expression";
    }
    CumulativeSum cumulative_sum "running sum along an axis" {
        0 AXIS axis: Int = 0, "0 is the outermost dimension, -1 the innermost";
    }
    DeepCopy deep_copy "a copy in memory of its own" {}
    Diag diag "a diagonal matrix from a row, or the diagonal of a matrix" {
        0 DIAGONAL diagonal: Int = 0, "0 the main one, above 0 over it, below 0 under it";
    }
    ExpandDims expand_dims "inserts dimensions of size 1" {
        3 AXES axes: Ints = vec![], "their positions in the output; 0 is the outermost dimension, -1 the innermost";
    }
    Flatten flatten "one dimension in the order of memory (c, d, h, w)" {}
    Flip flip "reverses dimensions" {
        0 AXES axes: Ints = vec![], "0 is the outermost dimension, -1 the innermost";
    }
    Input input "where a blob is fed; the sizes are a hint" {
        0 W w: Int = 0, "width; 0: unknown";
        1 H h: Int = 0, "height";
        2 C c: Int = 0, "channels";
        11 D d: Int = 0, "depth";
    }
    MemoryData memory_data "a constant" {
        0 W w: Int = 0, "width";
        1 H h: Int = 0, "height; 0: 1-D";
        2 C c: Int = 0, "channels; 0: 1-D or 2-D";
        11 D d: Int = 0, "depth; above 0: 4-D";
        21 LOAD_TYPE load_type: Int = 1, "1 plain floats, 0 with a storage tag";
    }
    Noop noop "passes everything through" {}
    Padding padding "adds cells around each plane" {
        0 TOP top: Int = 0, "rows added at the top";
        1 BOTTOM bottom: Int = 0, "rows added at the bottom";
        2 LEFT left: Int = 0, "columns added at the left";
        3 RIGHT right: Int = 0, "columns added at the right";
        4 PAD_TYPE pad_type: Int = 0, "0 constant, 1 the border repeated, 2 reflected";
        5 VALUE value: Float = 0.0, "constant";
        6 PER_CHANNEL_PAD_DATA_SIZE per_channel_pad_data_size: Int = 0,
            "channels with a constant of their own; 0: none";
        7 FRONT front: Int = 0, "channels (3-D) or planes (4-D) added in front";
        8 BEHIND behind: Int = 0, "the same behind";
    }
    Permute permute "changes the order of dimensions" {
        0 ORDER_TYPE order_type: Int = 0,
            "2-D: 0 wh 1 hw. 3-D: 0 whc 1 hwc 2 wch 3 cwh 4 hcw 5 chw. 4-D: 0 whdc to 23 cdhw; innermost first";
    }
    PixelShuffle pixel_shuffle "turns channels into pixels" {
        0 UPSCALE_FACTOR upscale_factor: Int = 1, "edge of the block that one pixel becomes";
        1 MODE mode: Int = 0, "which varies fastest in the channels: 0 the position in the block, 1 the output channel";
    }
    Reduction reduction "one number per row, plane or blob" {
        0 OPERATION operation: Int = 0,
            "0 sum 1 sum of absolute values 2 sum of squares 3 mean 4 max 5 min 6 product 7 L1 8 L2 9 log of sum 10 log of \
             sum of exp";
        1 REDUCE_ALL reduce_all: Int = 1, "1: over everything";
        2 COEFF coeff: Float = 1.0, "multiplier of the result";
        3 AXES axes: Ints = vec![],
            "dimensions to reduce; 0 is the outermost dimension, -1 the innermost; needs fixbug0";
        4 KEEPDIMS keepdims: Int = 0, "1: reduced dimensions stay with size 1";
        5 FIXBUG0 fixbug0: Int = 0, "must be 1 when there are axes";
    }
    Reorg reorg "turns pixels into channels" {
        0 STRIDE stride: Int = 1, "edge of the block that becomes one pixel";
        1 MODE mode: Int = 0, "which varies fastest in the channels: 0 the position in the block, 1 the input channel";
    }
    Reshape reshape "the same values in another shape" {
        0 W w: Int = -233, "width; 0 keeps the input's, -1 what is left, -233 no such dimension";
        1 H h: Int = -233, "height, likewise";
        2 C c: Int = -233, "channels, likewise";
        6 SHAPE_EXPR shape_expr: Text = String::new(), "sizes w, h, d, c as an expression of the inputs' sizes";
        11 D d: Int = -233, "depth, likewise";
        12 INPUT_BATCH_AXIS input_batch_axis: Int = 233, "dimension of the input that is the batch; 233: none";
        13 OUTPUT_BATCH_AXIS output_batch_axis: Int = 233, "dimension of the output that is the batch; 233: none";
    }
    ShuffleChannel shuffle_channel "interleaves groups of channels" {
        0 GROUP group: Int = 1, "groups";
        1 REVERSE reverse: Int = 0, "1: undoes it";
    }
    Slice slice "cuts a blob into several" {
        0 SLICES slices: Ints = vec![], "size of each part; -233: an equal share of what is left";
        1 AXIS axis: Int = 0, "0 is the outermost dimension, -1 the innermost";
        2 INDICES indices: Ints = vec![], "positions of the cuts, in place of slices";
    }
    Split split "the same blob for several readers" {}
    Squeeze squeeze "drops dimensions of size 1" {
        0 SQUEEZE_W squeeze_w: Int = 0, "1: drops the width";
        1 SQUEEZE_H squeeze_h: Int = 0, "1: drops the height";
        2 SQUEEZE_C squeeze_c: Int = 0, "1: drops the channels";
        3 AXES axes: Ints = vec![], "dimensions to drop; 0 is the outermost dimension, -1 the innermost";
        11 SQUEEZE_D squeeze_d: Int = 0, "1: drops the depth";
    }
    Tile tile "repeats a blob" {
        0 AXIS axis: Int = 0, "dimension that is repeated; 0 is the outermost dimension, a negative one none";
        1 TILES tiles: Int = 1, "how many times";
        2 REPEATS repeats: Ints = vec![], "times per dimension, outermost first, in place of both";
    }
}
