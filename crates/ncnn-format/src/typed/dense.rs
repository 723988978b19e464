//! Inner products, matrix products, attention and recurrent layers.

use super::layer_params;

layer_params! {
    Einsum {
        0 equation_mat: Ints = vec![];
    }
    Embed {
        0 num_output: Int = 0;
        1 input_dim: Int = 0;
        2 bias_term: Int = 0;
        3 weight_data_size: Int = 0;
        18 int8_scale_term: Int = 0;
    }
    GRU {
        0 num_output: Int = 0;
        1 weight_data_size: Int = 0;
        2 direction: Int = 0;
        8 int8_scale_term: Int = 0;
    }
    Gemm {
        0 alpha: Float = 1.0;
        1 beta: Float = 1.0;
        2 trans_a: Int = 0;
        3 trans_b: Int = 0;
        4 constant_a: Int = 0;
        5 constant_b: Int = 0;
        6 constant_c: Int = 0;
        7 constant_m: Int = 0;
        8 constant_n: Int = 0;
        9 constant_k: Int = 0;
        10 constant_broadcast_type_c: Int = 0;
        11 output_n1m: Int = 0;
        12 output_elempack: Int = 0;
        13 output_elemtype: Int = 0;
        14 output_transpose: Int = 0;
        18 quantize_term: Int = 0;
        20 constant_tile_m: Int = 0;
        21 constant_tile_n: Int = 0;
        22 constant_tile_k: Int = 0;
    }
    InnerProduct {
        0 num_output: Int = 0;
        1 bias_term: Int = 0;
        2 weight_data_size: Int = 0;
        8 int8_scale_term: Int = 0;
        9 activation_type: Int = 0;
        10 activation_params: Floats = vec![];
    }
    LSTM {
        0 num_output: Int = 0;
        1 weight_data_size: Int = 0;
        2 direction: Int = 0;
        3 hidden_size: Int = num_output;
        8 int8_scale_term: Int = 0;
    }
    MatMul {
        0 trans_b: Int = 0;
    }
    MultiHeadAttention {
        0 embed_dim: Int = 0;
        1 num_heads: Int = 1;
        2 weight_data_size: Int = 0;
        3 kdim: Int = embed_dim;
        4 vdim: Int = embed_dim;
        5 attn_mask: Int = 0;
        6 scale: Float = 1.0 / ((embed_dim / num_heads.max(1)) as f32).sqrt();
        7 kv_cache: Int = 0;
        18 quantize_term: Int = 0;
    }
    RNN {
        0 num_output: Int = 0;
        1 weight_data_size: Int = 0;
        2 direction: Int = 0;
        8 int8_scale_term: Int = 0;
    }
    RotaryEmbed {
        0 interleaved: Int = 0;
    }
    SDPA {
        5 attn_mask: Int = 0;
        6 scale: Float = 0.0;
        7 kv_cache: Int = 0;
        18 int8_scale_term: Int = 0;
    }
}
