//! Quantization layers, type conversions and signal processing.

use super::layer_params;

layer_params! {
    Cast {
        0 type_from: Int = 0;
        1 type_to: Int = 0;
    }
    Dequantize {
        0 scale_data_size: Int = 1;
        1 bias_data_size: Int = 0;
    }
    InverseSpectrogram {
        0 n_fft: Int = 0;
        1 returns: Int = 0;
        2 hoplen: Int = n_fft / 4;
        3 winlen: Int = n_fft;
        4 window_type: Int = 0;
        5 center: Int = 1;
        7 normalized: Int = 0;
    }
    Packing {
        0 out_elempack: Int = 1;
        1 use_padding: Int = 0;
        2 cast_type_from: Int = 0;
        3 cast_type_to: Int = 0;
    }
    Quantize {
        0 scale_data_size: Int = 1;
    }
    Requantize {
        0 scale_in_data_size: Int = 1;
        1 scale_out_data_size: Int = 1;
        2 bias_data_size: Int = 0;
        3 activation_type: Int = 0;
        4 activation_params: Floats = vec![];
    }
    Spectrogram {
        0 n_fft: Int = 0;
        1 power: Int = 0;
        2 hoplen: Int = n_fft / 4;
        3 winlen: Int = n_fft;
        4 window_type: Int = 0;
        5 center: Int = 1;
        6 pad_type: Int = 2;
        7 normalized: Int = 0;
        8 onesided: Int = 1;
    }
}
