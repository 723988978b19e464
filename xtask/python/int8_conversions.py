"""A network of layers for sequences, with ncnn2table's table and ncnn2int8's int8 form of it.

Made with the tools of ncnn's commit a4d2ea1; the wheel 1.0.20261020 loads the result.
Replayed by crates/quantizer/tests/sequence.rs.

usage: int8_conversions.py NCNN2TABLE NCNN2INT8 OUT_PREFIX [LAYERS_PER_KIND [SEED]]

Writes OUT_PREFIX.param and .bin, OUT_PREFIX.table, OUT_PREFIX.int8.param and .int8.bin. The layers
are those of cases_sequence.py, each with inputs of its own; they need not fit together to be
converted.
"""

import random
import subprocess
import sys
from pathlib import Path

import ncnn

import cases_sequence
import layer_goldens

KINDS = ("Embed", "GRU", "LSTM", "RNN", "Gemm", "MultiHeadAttention", "SDPA")
# So that the files can be kept in the repository.
MOST_WEIGHTS = 900


def small_case(rng, kind):
    while True:
        case = cases_sequence.case_of(rng, kind)
        # A term of 0 in the file stays there; ncnn's writer drops it.
        if sum(count for _, count, _, _ in case.weights) <= MOST_WEIGHTS:
            return case


def main():
    ncnn2table, ncnn2int8, prefix = sys.argv[1:4]
    per_kind = int(sys.argv[4]) if len(sys.argv) > 4 else 5
    rng = random.Random(int(sys.argv[5]) if len(sys.argv) > 5 else 1)
    lines, blobs, weights, draw = [], 0, [], layer_goldens.Draw(1)
    for number, kind in enumerate(kind for kind in KINDS for _ in range(per_kind)):
        case = small_case(rng, kind)
        inputs = [f"in{number}_{i}" for i in range(len(case.inputs))]
        outputs = [f"out{number}_{i}" for i in range(case.outputs)]
        lines += [f"Input {name} 0 1 {name}" for name in inputs]
        lines.append(" ".join([kind, f"layer{number}", str(len(inputs)), str(len(outputs)),
                               *inputs, *outputs, case.params]).strip())
        blobs += len(inputs) + len(outputs)
        weights += [layer_goldens.stored(draw, *weight) for weight in case.weights]
    path = lambda suffix: f"{prefix}.{suffix}"
    Path(path("param")).write_text("\n".join(["7767517", f"{len(lines)} {blobs}", *lines]) + "\n")
    Path(path("bin")).write_bytes(b"".join(weights))
    run = lambda *words: subprocess.run(words, check=True, capture_output=True)
    run(ncnn2table, path("param"), path("bin"), path("table"))
    run(ncnn2int8, path("param"), path("bin"), path("int8.param"), path("int8.bin"), path("table"))
    net = ncnn.Net()
    if net.load_param(path("int8.param")) or net.load_model(path("int8.bin")):
        sys.exit("the wheel does not load the int8 model")


if __name__ == "__main__":
    main()
