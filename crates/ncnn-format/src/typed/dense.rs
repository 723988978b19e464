//! Inner products, matrix products, attention and recurrent layers.

use super::table::layer_params;

layer_params! {
    Einsum einsum "Einstein summation over named dimensions" {
        0 EQUATION_MAT equation_mat: Ints = vec![], "the equation, one character code per element";
    }
    Embed embed "looks up a row of the weight per integer of the input" {
        0 NUM_OUTPUT num_output: Int = 0, "width of a row";
        1 INPUT_DIM input_dim: Int = 0, "number of rows";
        2 BIAS_TERM bias_term: Int = 0, "1: a bias is added";
        3 WEIGHT_DATA_SIZE weight_data_size: Int = 0, "elements of the weight";
        18 INT8_SCALE_TERM int8_scale_term: Int = 0, "0 float; else int8 weights with one scale";
    }
    GRU gru "gated recurrent unit over the rows of the input" {
        0 NUM_OUTPUT num_output: Int = 0, "width of the output (per direction)";
        1 WEIGHT_DATA_SIZE weight_data_size: Int = 0, "elements of the input projection";
        2 DIRECTION direction: Int = 0, "0 forward, 1 reverse, 2 both (outputs joined)";
        8 INT8_SCALE_TERM int8_scale_term: Int = 0, "0 float; else int8 weights with a scale per row";
    }
    Gemm gemm "alpha * (A x B + beta * C)" {
        0 ALPHA alpha: Float = 1.0, "multiplier of the sum";
        1 BETA beta: Float = 1.0, "multiplier of C";
        2 TRANS_A trans_a: Int = 0, "1: A is stored transposed, K x M";
        3 TRANS_B trans_b: Int = 0, "1: B is stored transposed, N x K";
        4 CONSTANT_A constant_a: Int = 0, "1: A is a weight";
        5 CONSTANT_B constant_b: Int = 0, "1: B is a weight";
        6 CONSTANT_C constant_c: Int = 0, "1: C is a weight";
        7 CONSTANT_M constant_m: Int = 0, "rows of A and of the output; 0: from the input";
        8 CONSTANT_N constant_n: Int = 0, "columns of B and of the output; 0: from the input";
        9 CONSTANT_K constant_k: Int = 0, "columns of A, rows of B; 0: from the input";
        10 CONSTANT_BROADCAST_TYPE_C constant_broadcast_type_c: Int = 0,
            "shape of C: -1 none, 0 one value, 1 M, 2 M x 1, 3 M x N, 4 N";
        11 OUTPUT_N1M output_n1m: Int = 0, "1: the output has the shape (M, 1, N)";
        12 OUTPUT_ELEMPACK output_elempack: Int = 0, "packing of the output; 0: free";
        13 OUTPUT_ELEMTYPE output_elemtype: Int = 0, "element type of the output; 0: free";
        14 OUTPUT_TRANSPOSE output_transpose: Int = 0, "1: the output is transposed";
        18 QUANTIZE_TERM quantize_term: Int = 0,
            "0 float; below 400 int8 with scales (A per row, B one); 400 and more: blocks of 4, 6 or 8 bits";
        20 CONSTANT_TILE_M constant_tile_m: Int = 0, "tile of the kernel along M; 0: free";
        21 CONSTANT_TILE_N constant_tile_n: Int = 0, "tile along N";
        22 CONSTANT_TILE_K constant_tile_k: Int = 0, "tile along K";
    }
    InnerProduct inner_product "matrix times the flattened input, or times each of its rows" {
        0 NUM_OUTPUT num_output: Int = 0, "length of the output";
        1 BIAS_TERM bias_term: Int = 0, "1: a bias is added";
        2 WEIGHT_DATA_SIZE weight_data_size: Int = 0, "elements of the weight: num_output x inputs";
        8 INT8_SCALE_TERM int8_scale_term: Int = 0,
            "0 float; else int8 with scales per output; the output is always float";
        9 ACTIVATION_TYPE activation_type: Int = 0,
            "0 none, 1 ReLU, 2 LeakyReLU, 3 Clip, 4 Sigmoid, 5 Mish, 6 HardSwish, applied to the sum";
        10 ACTIVATION_PARAMS activation_params: Floats = vec![],
            "LeakyReLU: slope; Clip: min, max; HardSwish: alpha, beta";
    }
    LSTM lstm "long short-term memory over the rows of the input" {
        0 NUM_OUTPUT num_output: Int = 0, "width of the output (per direction)";
        1 WEIGHT_DATA_SIZE weight_data_size: Int = 0, "elements of the input projection";
        2 DIRECTION direction: Int = 0, "0 forward, 1 reverse, 2 both (outputs joined)";
        3 HIDDEN_SIZE hidden_size: Int = num_output, "width of the cell; another than num_output adds a projection";
        8 INT8_SCALE_TERM int8_scale_term: Int = 0, "0 float; else int8 weights with a scale per row";
    }
    MatMul mat_mul "matrix product of two blobs, with broadcasting" {
        0 TRANS_B trans_b: Int = 0, "1: the second is transposed";
    }
    MultiHeadAttention multi_head_attention "attention with projections of query, key, value and output" {
        0 EMBED_DIM embed_dim: Int = 0, "width of all heads together";
        1 NUM_HEADS num_heads: Int = 1, "number of heads";
        2 WEIGHT_DATA_SIZE weight_data_size: Int = 0, "elements of the query projection: embed_dim x query width";
        3 KDIM kdim: Int = embed_dim, "width of the key input";
        4 VDIM vdim: Int = embed_dim, "width of the value input";
        5 ATTN_MASK attn_mask: Int = 0, "1: a further input is added to the scores";
        6 SCALE scale: Float = 1.0 / ((embed_dim / num_heads.max(1)) as f32).sqrt(), "multiplier of the queries";
        7 KV_CACHE kv_cache: Int = 0, "1: keys and values of earlier calls are inputs and outputs";
        18 QUANTIZE_TERM quantize_term: Int = 0,
            "0 float; below 400 int8 with scales per row; 400 and more: blocks of 4, 6 or 8 bits";
    }
    RNN rnn "plain recurrent layer (tanh) over the rows of the input" {
        0 NUM_OUTPUT num_output: Int = 0, "width of the output (per direction)";
        1 WEIGHT_DATA_SIZE weight_data_size: Int = 0, "elements of the input projection";
        2 DIRECTION direction: Int = 0, "0 forward, 1 reverse, 2 both (outputs joined)";
        8 INT8_SCALE_TERM int8_scale_term: Int = 0, "0 float; else int8 weights with a scale per row";
    }
    RotaryEmbed rotary_embed "turns pairs of values by angles given as cosines and sines" {
        0 INTERLEAVED interleaved: Int = 0, "0 pairs (i, i + n/2), 1 pairs (2i, 2i + 1)";
    }
    SDPA sdpa "scaled dot-product attention, heads as channels" {
        5 ATTN_MASK attn_mask: Int = 0, "1: a further input is added to the scores";
        6 SCALE scale: Float = 0.0, "multiplier of the scores; 0: 1 / the root of the head's width";
        7 KV_CACHE kv_cache: Int = 0, "1: keys and values of earlier calls are inputs and outputs";
        18 INT8_SCALE_TERM int8_scale_term: Int = 0, "0 float; else int8 with scales found while running";
    }
}
