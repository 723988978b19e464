//! Quantization layers, type conversions and signal processing.

use super::table::layer_params;

layer_params! {
    Cast cast "changes the type of the elements" {
        0 TYPE_FROM type_from: Int = 0, "0 auto, 1 fp32, 2 fp16, 3 int8, 4 bf16";
        1 TYPE_TO type_to: Int = 0, "0 auto, 1 fp32, 2 fp16, 3 int8, 4 bf16";
    }
    Dequantize dequantize "int32 to float: x * scale + bias" {
        0 SCALE_DATA_SIZE scale_data_size: Int = 1, "1: one scale for all; else one per channel";
        1 BIAS_DATA_SIZE bias_data_size: Int = 0, "0 none, 1 one bias for all; else one per channel";
    }
    InverseSpectrogram inverse_spectrogram "samples from a complex spectrogram" {
        0 N_FFT n_fft: Int = 0, "samples of one transform";
        1 RETURNS returns: Int = 0, "0 complex, 1 the real part, 2 the imaginary part";
        2 HOPLEN hoplen: Int = n_fft / 4, "samples from one window to the next";
        3 WINLEN winlen: Int = n_fft, "samples of the window";
        4 WINDOW_TYPE window_type: Int = 0, "0 all ones, 1 Hann, 2 Hamming";
        5 CENTER center: Int = 1, "1: windows stood centred on their hop";
        7 NORMALIZED normalized: Int = 0, "0 no, 1 by the root of n_fft, 2 by the window's L2 norm";
    }
    Packing packing "changes how channels are packed in memory" {
        0 OUT_ELEMPACK out_elempack: Int = 1, "values per element: 1, 4, 8 or 16";
        1 USE_PADDING use_padding: Int = 0, "1: fills up with zeros";
        2 CAST_TYPE_FROM cast_type_from: Int = 0, "0 auto, 1 fp32, 2 fp16, 3 int8, 4 bf16";
        3 CAST_TYPE_TO cast_type_to: Int = 0, "0 auto, 1 fp32, 2 fp16, 3 int8, 4 bf16";
    }
    Quantize quantize "float to int8: round(x * scale)" {
        0 SCALE_DATA_SIZE scale_data_size: Int = 1, "1: one scale for all; else one per channel";
    }
    Requantize requantize "int32 to int8: x * scale_in + bias, activation, * scale_out, rounded" {
        0 SCALE_IN_DATA_SIZE scale_in_data_size: Int = 1, "1: one scale for all; else one per channel";
        1 SCALE_OUT_DATA_SIZE scale_out_data_size: Int = 1, "1: one scale for all; else one per channel";
        2 BIAS_DATA_SIZE bias_data_size: Int = 0, "0 none, 1 one bias for all; else one per channel";
        3 ACTIVATION_TYPE activation_type: Int = 0,
            "0 none, 1 ReLU, 2 LeakyReLU, 3 Clip, 4 Sigmoid, 5 Mish, 6 HardSwish, applied to the sum";
        4 ACTIVATION_PARAMS activation_params: Floats = vec![],
            "LeakyReLU: slope; Clip: min, max; HardSwish: alpha, beta";
    }
    Spectrogram spectrogram "short-time Fourier transform of samples" {
        0 N_FFT n_fft: Int = 0, "samples of one transform";
        1 POWER power: Int = 0, "0 complex, 1 magnitude, 2 power";
        2 HOPLEN hoplen: Int = n_fft / 4, "samples from one window to the next";
        3 WINLEN winlen: Int = n_fft, "samples of the window";
        4 WINDOW_TYPE window_type: Int = 0, "0 all ones, 1 Hann, 2 Hamming";
        5 CENTER center: Int = 1, "1: windows stand centred on their hop, the ends being padded";
        6 PAD_TYPE pad_type: Int = 2, "0 constant, 1 the border repeated, 2 reflected";
        7 NORMALIZED normalized: Int = 0, "0 no, 1 by the root of n_fft, 2 by the window's L2 norm";
        8 ONESIDED onesided: Int = 1, "1: only n_fft / 2 + 1 frequencies";
    }
}
