use super::*;
use crate::Model;

/// The layout of the only layer in `line`, as `role*len` with `R` for raw.
fn layout(line: &str) -> String {
    let text = format!("7767517\n1 1\n{line}\n");
    let model = Model::from_param_text(&text).unwrap();
    match weight_layout(&model.layers[0]) {
        Ok(specs) if specs.is_empty() => "nothing".to_owned(),
        Ok(specs) => specs
            .iter()
            .map(|spec| {
                let raw = match spec.encoding {
                    Encoding::Raw => "R",
                    Encoding::Tagged => "T",
                    Encoding::Packed => "P",
                };
                format!("{raw} {}*{}", spec.role, spec.len)
            })
            .collect::<Vec<_>>()
            .join(", "),
        Err(error) => error.to_string(),
    }
}

#[test]
fn convolutions_follow_the_int8_term() {
    let layers = [
        "Convolution c 0 0 0=8 1=3 5=1 6=72",
        "Convolution c 0 0 0=8 1=3 6=72 8=2",
        "Convolution c 0 0 0=8 1=3 5=1 6=72 8=102",
        "Convolution c 0 0 0=8 1=3 6=72 19=1",
        "ConvolutionDepthWise c 0 0 0=8 1=3 6=72 7=4 8=1",
        "ConvolutionDepthWise c 0 0 0=8 1=3 6=72 7=4 8=102",
        "ConvolutionDepthWise c 0 0 0=8 1=3 6=72 7=4 8=3",
    ];
    let found: Vec<String> = layers.iter().map(|line| layout(line)).collect();
    insta::assert_snapshot!(found.join("\n"), @r#"
    T weight*72, R bias*8
    T weight*72, R weight scales*8, R input scale*1
    T weight*72, R bias*8, R weight scales*8, R input scale*1, R output scale*1
    nothing
    T weight*72, R weight scales*4, R input scale*1
    T weight*72, R weight scales*1, R input scale*1, R output scale*1
    T weight*72
    "#);
}

#[test]
fn convolutions_without_an_int8_form_own_kernel_and_bias() {
    let layers = [
        "Convolution1D c 0 0 0=8 1=3 5=1 6=48",
        "Convolution1D c 0 0 0=8 1=3 6=48 19=1",
        "ConvolutionDepthWise1D c 0 0 0=8 1=3 6=24 7=8",
        "Convolution3D c 0 0 0=2 1=3 6=54 5=1",
        "ConvolutionDepthWise3D c 0 0 0=2 1=3 11=1 21=1 6=6 7=2",
        "Deconvolution c 0 0 0=3 1=2 6=36 5=1",
        "Deconvolution c 0 0 0=3 1=2 6=36 28=1",
        "DeconvolutionDepthWise c 0 0 0=4 1=2 6=16 7=4",
        "Deconvolution1D c 0 0 0=4 1=2 6=8",
        "DeconvolutionDepthWise1D c 0 0 0=4 1=2 6=8 7=4",
        "Deconvolution3D c 0 0 0=1 1=2 6=8",
        "DeconvolutionDepthWise3D c 0 0 0=2 1=2 6=16 7=2",
        "DeformableConv2D c 0 0 0=8 1=3 6=72 5=1",
    ];
    let found: Vec<String> = layers.iter().map(|line| layout(line)).collect();
    insta::assert_snapshot!(found.join("\n"), @r#"
    T weight*48, R bias*8
    nothing
    T weight*24
    T weight*54, R bias*2
    T weight*6
    T weight*36, R bias*3
    nothing
    T weight*16
    T weight*8
    T weight*8
    T weight*8
    T weight*16
    T weight*72, R bias*8
    "#);
}

#[test]
fn plain_vectors_follow_their_sizes() {
    let layers = [
        "BatchNorm a 0 0 0=4",
        "Bias a 0 0 0=4",
        "Scale a 0 0 0=4 1=1",
        "Scale a 0 0 0=4",
        "Scale a 0 0 0=-233 1=1",
        "PReLU a 0 0 0=4",
        "Normalize a 0 0 3=4",
        "InstanceNorm a 0 0 0=4",
        "InstanceNorm a 0 0 0=4 2=0",
        "GroupNorm a 0 0 0=2 1=4",
        "LayerNorm a 0 0 0=4",
        "RMSNorm a 0 0 0=4",
        "RMSNorm a 0 0 0=4 2=0",
        "Padding a 0 0 0=1",
        "Padding a 0 0 6=4",
        "Quantize a 0 0 0=4",
        "Quantize a 0 0",
        "Dequantize a 0 0 0=4 1=4",
        "Requantize a 0 0 0=4 1=1 2=4",
        "ReLU a 0 0",
        "SDPA a 0 0 18=2",
        "YourLayer a 0 0 0=4",
    ];
    let found: Vec<String> = layers.iter().map(|line| layout(line)).collect();
    insta::assert_snapshot!(found.join("\n"), @r#"
    R slope*4, R mean*4, R variance*4, R bias*4
    R bias*4
    R scale*4, R bias*4
    R scale*4
    nothing
    R slope*4
    R scale*4
    R gamma*4, R beta*4
    nothing
    R gamma*4, R beta*4
    R gamma*4, R beta*4
    R gamma*4
    nothing
    nothing
    R pad values*4
    R scale*4
    R scale*1
    R scale*4, R bias*4
    R input scale*4, R output scale*1, R bias*4
    nothing
    nothing
    nothing
    "#);
}

#[test]
fn the_outermost_size_of_constant_data_decides_its_rank() {
    let layers = [
        "MemoryData a 0 1 b",
        "MemoryData a 0 1 b 0=5",
        "MemoryData a 0 1 b 0=5 1=2",
        "MemoryData a 0 1 b 0=5 1=2 2=3 21=0",
        "MemoryData a 0 1 b 0=5 1=2 2=3 11=7 21=1",
        "MemoryData a 0 1 b 0=5 2=3",
        "MemoryData a 0 1 b 0=5 21=2",
    ];
    let found: Vec<String> = layers.iter().map(|line| layout(line)).collect();
    insta::assert_snapshot!(found.join("\n"), @r#"
    nothing
    R data*5
    R data*10
    T data*30
    R data*210
    layer a: data: h 0 should be positive
    layer a: load_type should be 0 or 1, found 2
    "#);
}

#[test]
fn matrices_attention_and_embeddings_follow_their_terms() {
    let layers = [
        "InnerProduct a 0 0 0=10 1=1 2=200",
        "InnerProduct a 0 0 0=10 2=200 8=1",
        "Embed a 0 0 0=8 1=100 3=800 2=1",
        "Embed a 0 0 0=8 1=100 3=800 18=2",
        "Embed a 0 0 0=8 1=99 3=800",
        "Gemm a 0 0",
        "Gemm a 0 0 5=1 8=6 9=7",
        "Gemm a 0 0 4=1 5=1 6=1 7=5 8=6 9=7 10=3 18=2",
        "Gemm a 0 0 6=1 10=0",
        "Gemm a 0 0 6=1 7=5 10=1",
        "Gemm a 0 0 6=1 7=5 10=2",
        "Gemm a 0 0 6=1 8=6 10=4",
        "Gemm a 0 0 6=1 10=-1",
        "Gemm a 0 0 6=1 10=5",
        "Gemm a 0 0 3=1 5=1 8=6 9=70 18=602",
        "Gemm a 0 0 3=1 5=1 6=1 8=6 9=70 10=4 18=411",
        "Gemm a 0 0 5=1 8=6 9=7 18=602",
        "Gemm a 0 0 3=1 5=1 8=6 9=-7 18=602",
        "Gemm a 0 0 18=403",
        "Gemm a 0 0 18=500",
        "Gemm a 0 0 18=4",
        "MultiHeadAttention a 0 0 0=8 1=2 2=48",
        "MultiHeadAttention a 0 0 0=8 1=2 2=64 3=5 4=6 18=2",
        "MultiHeadAttention a 0 0 0=8 1=2 2=528 3=33 4=5 18=400",
        "MultiHeadAttention a 0 0 0=8 1=2 2=64 18=612",
    ];
    let found: Vec<String> = layers.iter().map(|line| layout(line)).collect();
    insta::assert_snapshot!(found.join("\n"), @r#"
    T weight*200, R bias*10
    T weight*200, R weight scales*10, R input scale*1
    T weight*800, R bias*8
    T weight*800, R weight scales*1
    layer a: weight_data_size 800 should be num_output 8 x input_dim 99
    nothing
    T matrix b*42
    T matrix a*35, T matrix b*42, T matrix c*30, R matrix a scales*5, R matrix b scale*1
    T matrix c*1
    T matrix c*5
    T matrix c*5
    T matrix c*6
    nothing
    layer a: constant_broadcast_type_C should be in -1..=4, found 5
    P matrix b*318, R matrix b block scales*6
    P matrix b*210, T matrix c*6, R matrix b block scales*12, R matrix b input scales*70
    layer a: block-quantized weights need constantA 0, constantB 1, transA 0 and transB 1, found 0, 1, 0 and 0
    layer a: matrix b: constantK -7 should be positive
    layer a: quantize term 403 is one that ncnn refuses
    layer a: quantize term 500 is one that ncnn refuses
    layer a: quantize term 4 is one that ncnn refuses
    T query weight*48, R query bias*8, T key weight*64, R key bias*8, T value weight*64, R value bias*8, T out weight*48, R out bias*6
    T query weight*64, R query bias*8, T key weight*40, R key bias*8, T value weight*48, R value bias*8, T out weight*64, R out bias*8, R query scales*8, R key scales*8, R value scales*8, R out scale*1
    P query weight*264, R query bias*8, P key weight*136, R key bias*8, P value weight*24, R value bias*8, P out weight*264, R out bias*66, R query block scales*24, R key block scales*16, R value block scales*8, R out block scales*66
    P query weight*48, R query bias*8, P key weight*48, R key bias*8, P value weight*48, R value bias*8, P out weight*48, R out bias*8, R query block scales*8, R key block scales*8, R value block scales*8, R out block scales*8, R query input scales*8, R key input scales*8, R value input scales*8, R out input scales*8
    "#);
    let largest = layout("Gemm a 0 0 3=1 5=1 8=6 9=2147483647 18=800");
    let expected = if cfg!(target_pointer_width = "64") {
        "P matrix b*12884901882, R matrix b block scales*402653184"
    } else {
        "layer a: matrix b: constantN 6 x constantK 2147483647 is too large"
    };
    assert_eq!(largest, expected);
}

#[test]
fn recurrent_layers_count_gates_and_directions() {
    let layers = [
        "RNN a 0 0 0=4 1=12",
        "RNN a 0 0 0=4 1=24 2=2 8=2",
        "GRU a 0 0 0=4 1=36",
        "GRU a 0 0 0=4 1=72 2=2 8=2",
        "LSTM a 0 0 0=4 1=48",
        "LSTM a 0 0 0=4 1=96 2=2 8=2",
        "LSTM a 0 0 0=4 1=96 3=8",
    ];
    let found: Vec<String> = layers.iter().map(|line| layout(line)).collect();
    insta::assert_snapshot!(found.join("\n"), @r#"
    T input weight*12, T bias*4, T hidden weight*16
    T input weight*24, T bias*8, T hidden weight*32, R input weight scales*8, R hidden weight scales*8
    T input weight*36, T bias*16, T hidden weight*48
    T input weight*72, T bias*32, T hidden weight*96, R input weight scales*24, R hidden weight scales*24
    T input weight*48, T bias*16, T hidden weight*64
    T input weight*96, T bias*32, T hidden weight*128, R input weight scales*32, R hidden weight scales*32
    T input weight*96, T bias*32, T hidden weight*128, T projection weight*32
    "#);
}

#[test]
fn sizes_that_contradict_each_other_are_named() {
    let layers = [
        "Convolution c 0 0 0=8 1=3 6=70",
        "Convolution c 0 0 0=0 1=3 6=70",
        "Convolution c 0 0 0=8 1=-3 6=72",
        "Convolution c 0 0 0=8 1=3 6=0",
        "Convolution c 0 0 0=2147483647 1=2147483647 6=1 11=2147483647",
        "ConvolutionDepthWise c 0 0 0=8 1=3 6=72 7=3",
        "ConvolutionDepthWise c 0 0 0=8 1=3 6=72 7=0",
        "Deconvolution c 0 0 0=3 1=2 6=35",
        "InnerProduct a 0 0 0=10 2=201",
        "PReLU a 0 0",
        "BatchNorm a 0 0 0=-1",
        "BatchNorm a 0 0 0=abc",
        "LSTM a 0 0 0=4 1=50",
        "MultiHeadAttention a 0 0 0=8 1=2 2=63",
        "Gemm a 0 0 4=1 9=7",
    ];
    let found: Vec<String> = layers.iter().map(|line| layout(line)).collect();
    insta::assert_snapshot!(found.join("\n"), @r#"
    layer c: weight_data_size 70 is not a multiple of num_output 8 x kernel_w 3 x kernel_h 3
    layer c: num_output 0 should be positive
    layer c: kernel_w -3 should be positive
    layer c: weight_data_size 0 should be positive
    layer c: num_output 2147483647 x kernel_w 2147483647 x kernel_h 2147483647 is too large
    layer c: num_output 8 is not a multiple of group 3
    layer c: group 0 should be positive
    layer c: weight_data_size 35 is not a multiple of num_output 3 x kernel_w 2 x kernel_h 2
    layer a: weight_data_size 201 is not a multiple of num_output 10
    layer a: slope: num_slope 0 should be positive
    layer a: slope: channels -1 should be positive
    layer a: parameter 0 should be a number, found the text "abc"
    layer a: weight_data_size 50 is not a multiple of directions 1 x hidden_size 4 x gates 4
    layer a: weight_data_size 63 is not a multiple of embed_dim 8
    layer a: matrix a: constantM 0 should be positive
    "#);
}
