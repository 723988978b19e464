//! The inner loop of the dense kernel: two pixels, four channels.
//!
//! `r1`, `r2` activations; `r3` weights, `r4` their step. `q0`, `q1` activations; `q2`–`q5` weights; `q6`, `q7` products
//! (`q4`–`q7` of eight depths); `q8`–`q15` sums, the first four of the first pixel.

/// Two groups of depths of two pixels and four channels, added by `vpadal.s16`, or by `vpaddl.s16` to nothing.
macro_rules! sixteen_depths {
    ($add:literal) => {
        concat!(
            "vld1.8 {d0-d1}, [r1]!\n",
            "vld1.8 {d4-d7}, [r3], r4\n",
            "vld1.8 {d2-d3}, [r2]!\n",
            "vld1.8 {d8-d11}, [r3], r4\n",
            "vmull.s8 q6, d0, d4\n",
            "vmull.s8 q7, d2, d4\n",
            "vmlal.s8 q6, d1, d8\n",
            "vmlal.s8 q7, d3, d8\n",
            $add,
            " q8, q6\n",
            $add,
            " q12, q7\n",
            "vmull.s8 q6, d0, d5\n",
            "vmull.s8 q7, d2, d5\n",
            "vmlal.s8 q6, d1, d9\n",
            "vmlal.s8 q7, d3, d9\n",
            $add,
            " q9, q6\n",
            $add,
            " q13, q7\n",
            "vmull.s8 q6, d0, d6\n",
            "vmull.s8 q7, d2, d6\n",
            "vmlal.s8 q6, d1, d10\n",
            "vmlal.s8 q7, d3, d10\n",
            $add,
            " q10, q6\n",
            $add,
            " q14, q7\n",
            "vmull.s8 q6, d0, d7\n",
            "vmull.s8 q7, d2, d7\n",
            "vmlal.s8 q6, d1, d11\n",
            "vmlal.s8 q7, d3, d11\n",
            $add,
            " q11, q6\n",
            $add,
            " q15, q7",
        )
    };
}

/// Eight depths, to sums that there are.
macro_rules! eight_depths {
    () => {
        concat!(
            "vld1.8 {d0}, [r1]!\n",
            "vld1.8 {d4-d7}, [r3], r4\n",
            "vld1.8 {d2}, [r2]!\n",
            "vmull.s8 q4, d0, d4\n",
            "vmull.s8 q5, d0, d5\n",
            "vmull.s8 q6, d0, d6\n",
            "vmull.s8 q7, d0, d7\n",
            "vpadal.s16 q8, q4\n",
            "vpadal.s16 q9, q5\n",
            "vpadal.s16 q10, q6\n",
            "vpadal.s16 q11, q7\n",
            "vmull.s8 q4, d2, d4\n",
            "vmull.s8 q5, d2, d5\n",
            "vmull.s8 q6, d2, d6\n",
            "vmull.s8 q7, d2, d7\n",
            "vpadal.s16 q12, q4\n",
            "vpadal.s16 q13, q5\n",
            "vpadal.s16 q14, q6\n",
            "vpadal.s16 q15, q7",
        )
    };
}
