"""Golden outputs of layers for sequences with int8 weights or products, from the ncnn wheel.

Made with the wheel 1.0.20260526; replayed by crates/int8-exec/tests/sequence_goldens.rs. The wheel
1.0.20261020 gives the same bits, except in MultiHeadAttention with kv_cache, whose cache it lays out
in another way than commit a4d2ea1.

usage: int8_sequence_goldens.py OUT_PREFIX [CASES_PER_KIND [SEED]]

The cases are those of cases_sequence.py with the int8 term set. Files and generator are those of
layer_goldens.py; a line of weights also says how they are stored:

    weights KIND COUNT LOW HIGH        KIND is f32, raw or i8; the last rounds the values drawn
"""

import random
import sys
import tempfile
from pathlib import Path

import numpy as np

import cases_sequence
import layer_goldens
from layer_goldens import Case

KINDS = {"Embed": 24, "GRU": 54, "LSTM": 72, "RNN": 54, "Gemm": 54, "MultiHeadAttention": 72, "SDPA": 42}
TAG_INT8 = b"\x38\x4b\x0d\x00"


def int8_case(rng, kind):
    """A case of `kind` with int8 weights; scales are so that weights are within about ±1."""
    case = cases_sequence.case_of(rng, kind)
    words = dict(word.split("=") for word in case.params.split() if not word.startswith("-"))
    value = lambda key, default=0: int(words.get(str(key), default))
    weights = [("f32" if tagged else "raw", count, low, high) for tagged, count, low, high in case.weights]

    def integers(index):
        weights[index] = ("i8", weights[index][1], -127.49, 127.49)

    def scales(count):
        weights.append(("raw", count, 90, 260))

    term = 8 if kind in ("RNN", "GRU", "LSTM") else 18
    if kind == "Embed":
        integers(0)
        scales(1)
    elif kind == "Gemm":
        constant_a, constant_b = value(4), value(5)
        for index in range(constant_a + constant_b):
            integers(index)
        if constant_a:
            scales(value(7))
        if constant_b:
            scales(1)
    elif kind == "MultiHeadAttention":
        for index in (0, 2, 4, 6):
            integers(index)
        for count in (value(0), value(0), value(0), 1):
            scales(count)
    elif kind in ("RNN", "GRU", "LSTM"):
        integers(0)
        integers(2)
        gates = {"RNN": 1, "GRU": 3, "LSTM": 4}[kind]
        hidden = value(3, value(0)) if kind == "LSTM" else value(0)
        for _ in range(2):
            scales(gates * hidden * (2 if value(2) == 2 else 1))
    return Case(kind, f"{case.params} {term}=2", case.inputs, weights, case.outputs)


def stored(draw, kind, count, low, high):
    """The bytes of a weight."""
    values = draw.values(count, low, high)
    if kind == "i8":
        return TAG_INT8 + np.rint(values).astype(np.int8).tobytes() + b"\0" * (-count % 4)
    return (b"\0\0\0\0" if kind == "f32" else b"") + values.tobytes()


def main():
    prefix = Path(sys.argv[1])
    factor = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    rng = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    with tempfile.TemporaryDirectory() as folder:
        cases = (int8_case(rng, kind) for kind, count in KINDS.items() for _ in range(count * factor))
        layer_goldens.write(prefix, cases, Path(folder), stored)


if __name__ == "__main__":
    main()
