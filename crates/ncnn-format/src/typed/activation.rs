//! Element-wise functions of one or two blobs.

use super::layer_params;

layer_params! {
    AbsVal {}
    BNLL {}
    BinaryOp {
        0 op_type: Int = 0;
        1 with_scalar: Int = 0;
        2 b: Float = 0.0;
    }
    CELU {
        0 alpha: Float = 1.0;
    }
    Clip {
        0 min: Float = f32::MIN;
        1 max: Float = f32::MAX;
    }
    Dropout {
        0 scale: Float = 1.0;
    }
    ELU {
        0 alpha: Float = 0.1;
    }
    Eltwise {
        0 op_type: Int = 0;
        1 coeffs: Floats = vec![];
    }
    Erf {}
    Exp {
        0 base: Float = -1.0;
        1 scale: Float = 1.0;
        2 shift: Float = 0.0;
    }
    GELU {
        0 fast_gelu: Int = 0;
    }
    GLU {
        0 axis: Int = 0;
    }
    HardSigmoid {
        0 alpha: Float = 0.2;
        1 beta: Float = 0.5;
    }
    HardSwish {
        0 alpha: Float = 0.2;
        1 beta: Float = 0.5;
    }
    Log {
        0 base: Float = -1.0;
        1 scale: Float = 1.0;
        2 shift: Float = 0.0;
    }
    Mish {}
    PReLU {
        0 num_slope: Int = 0;
    }
    Power {
        0 power: Float = 1.0;
        1 scale: Float = 1.0;
        2 shift: Float = 0.0;
    }
    ReLU {
        0 slope: Float = 0.0;
    }
    SELU {
        0 alpha: Float = 1.673_263_2;
        1 lambda: Float = 1.050_701;
    }
    Shrink {
        0 bias: Float = 0.0;
        1 lambd: Float = 0.5;
    }
    Sigmoid {}
    Softplus {}
    Swish {}
    TanH {}
    Threshold {
        0 threshold: Float = 0.0;
    }
    UnaryOp {
        0 op_type: Int = 0;
    }
}
