//! Element-wise functions of one or two blobs.

use super::table::layer_params;

layer_params! {
    AbsVal abs_val "absolute value" {}
    BNLL bnll "log(1 + exp(x))" {}
    BinaryOp binary_op "a function of two blobs, or of a blob and a number, with broadcasting" {
        0 OP_TYPE op_type: Int = 0,
            "0 add 1 sub 2 mul 3 div 4 max 5 min 6 pow 7 rsub 8 rdiv 9 rpow 10 atan2 11 ratan2 12 fmod 13 rfmod \
             14 logaddexp 15 floordiv 16 rfloordiv 17 remainder 18 rremainder";
        1 WITH_SCALAR with_scalar: Int = 0, "1: the second operand is b";
        2 B b: Float = 0.0, "the second operand";
    }
    CELU celu "max(x, 0) + min(alpha * (exp(x / alpha) - 1), 0)" {
        0 ALPHA alpha: Float = 1.0, "width and depth of the negative part";
    }
    Clip clip "limits values to [min, max]" {
        0 MIN min: Float = f32::MIN, "smallest value that passes";
        1 MAX max: Float = f32::MAX, "largest value that passes";
    }
    Dropout dropout "multiplies by scale (training left it behind; usually 1)" {
        0 SCALE scale: Float = 1.0, "multiplier";
    }
    ELU elu "x, or alpha * (exp(x) - 1) below 0" {
        0 ALPHA alpha: Float = 0.1, "depth of the negative part";
    }
    Eltwise eltwise "joins blobs of one shape element by element" {
        0 OP_TYPE op_type: Int = 0, "0 product, 1 sum, 2 maximum";
        1 COEFFS coeffs: Floats = vec![], "sum: one multiplier per input; none: all 1";
    }
    Erf erf "the error function" {}
    Exp exp "base ^ (shift + scale * x)" {
        0 BASE base: Float = -1.0, "-1 means e";
        1 SCALE scale: Float = 1.0, "multiplier of x";
        2 SHIFT shift: Float = 0.0, "added to it";
    }
    GELU gelu "x * Phi(x)" {
        0 FAST_GELU fast_gelu: Int = 0, "1: the approximation with tanh";
    }
    GLU glu "first half * sigmoid(second half)" {
        0 AXIS axis: Int = 0, "dimension that is halved; 0 is the outermost dimension, -1 the innermost";
    }
    HardSigmoid hard_sigmoid "alpha * x + beta, limited to [0, 1]" {
        0 ALPHA alpha: Float = 0.2, "slope";
        1 BETA beta: Float = 0.5, "value at 0";
    }
    HardSwish hard_swish "x * (alpha * x + beta, limited to [0, 1])" {
        0 ALPHA alpha: Float = 0.2, "slope";
        1 BETA beta: Float = 0.5, "value at 0";
    }
    Log log "logarithm of shift + scale * x" {
        0 BASE base: Float = -1.0, "-1 means e";
        1 SCALE scale: Float = 1.0, "multiplier of x";
        2 SHIFT shift: Float = 0.0, "added to it";
    }
    Mish mish "x * tanh(log(1 + exp(x)))" {}
    PReLU prelu "x, or slope * x below 0, the slopes being weights" {
        0 NUM_SLOPE num_slope: Int = 0, "1: one slope for all; else one per channel";
    }
    Power power "(shift + scale * x) ^ power" {
        0 POWER power: Float = 1.0, "exponent";
        1 SCALE scale: Float = 1.0, "multiplier of x";
        2 SHIFT shift: Float = 0.0, "added to it";
    }
    ReLU relu "x, or slope * x below 0" {
        0 SLOPE slope: Float = 0.0, "0: negative values become 0";
    }
    SELU selu "lambda * (x, or alpha * (exp(x) - 1) below 0)" {
        0 ALPHA alpha: Float = 1.673_263_2, "depth of the negative part";
        1 LAMBDA lambda: Float = 1.050_701, "multiplier of all";
    }
    Shrink shrink "moves values towards 0 by bias, and those within lambd to 0" {
        0 BIAS bias: Float = 0.0, "distance of the move";
        1 LAMBD lambd: Float = 0.5, "half the width of what becomes 0";
    }
    Sigmoid sigmoid "1 / (1 + exp(-x))" {}
    Softplus softplus "log(1 + exp(x))" {}
    Swish swish "x * sigmoid(x)" {}
    TanH tan_h "hyperbolic tangent" {}
    Threshold threshold "1 above the threshold, else 0" {
        0 THRESHOLD threshold: Float = 0.0, "largest value that gives 0";
    }
    UnaryOp unary_op "a function of one blob" {
        0 OP_TYPE op_type: Int = 0,
            "0 abs 1 neg 2 floor 3 ceil 4 square 5 sqrt 6 rsqrt 7 exp 8 log 9 sin 10 cos 11 tan 12 asin 13 acos \
             14 atan 15 reciprocal 16 tanh 17 log10 18 round 19 trunc 20 sign 21 expm1 22 sinh 23 asinh 24 cosh \
             25 acosh 26 atanh 27 log1p";
    }
}
