"""What the stock ncnn runtime makes of small int8 networks.

usage: int8_goldens.py OUT_PREFIX [--subset]

With --subset only cases with small outputs, a few hundred of them, for the repository.

Writes OUT_PREFIX.txt, one block of lines per case:

    case NUMBER LABEL
    layer LINE                      a line of a .param after that of the input
    weights KIND COUNT ...          in file order; see `Draw.weights`
    input NAME KIND [NUMBER] DIMS   outermost dimension first; see `Draw.input`
    output NAME TYPE DIMS           TYPE: f32, or i8 (integers kept as such)
    same OPTIONS                    these options give the same bits
    other OPTIONS                   these give others

and OUT_PREFIX.bin, for every output the values (little-endian f32, or int8) with ncnn's plain
options, then those of every `other`. Inputs and weights are not stored: both sides draw them,
weights first, from the generator of `Draw` seeded with the case's number.
"""

import random
import sys
import tempfile
from pathlib import Path

import ncnn
import numpy as np

# Options that are on, by the name that they get in the files; everything is off in "plain".
OPTIONS = {
    "plain": (),
    "unpacked": ("winograd_convolution", "sgemm_convolution"),
    "packed": ("packing_layout",),
    "fast": ("packing_layout", "winograd_convolution", "sgemm_convolution"),
}
ALWAYS_OFF = ("fp16_packed", "fp16_storage", "fp16_arithmetic", "bf16_storage", "vulkan_compute")
INT8_TAG = 0x000D4B38
# Of the committed subset: values of an output, and which of the cases.
MOST_VALUES = 700
EVERY = 3


class Case:
    def __init__(self, label, lines, weights, inputs, outputs):
        self.label, self.lines, self.weights, self.inputs, self.outputs = label, lines, weights, inputs, outputs
        # Which of OPTIONS to run with.
        self.options = tuple(OPTIONS)


class Draw:
    """x' = 1664525 x + 1013904223 mod 2^32; the upper 24 bits are a whole number u."""

    FACTOR, TERM = 1664525, 1013904223
    # After n steps x is powers[n] x + terms[n].
    powers = np.cumprod(np.full(1 << 18, FACTOR, np.uint32), dtype=np.uint32)
    terms = np.cumsum(np.concatenate([[1], powers[:-1]]).astype(np.uint32), dtype=np.uint32) * np.uint32(TERM)

    def __init__(self, seed):
        self.state = np.uint32(seed)

    def whole(self, count):
        states = self.powers[:count] * self.state + self.terms[:count]
        if count:
            self.state = states[-1]
        return (states >> np.uint32(8)).astype(np.int64)

    def unit(self, count):
        return self.whole(count) / 2.0**24

    def weights(self, spec):
        """i8 COUNT LIMIT, i8c COUNT VALUE (constant), f32 COUNT LOW HIGH, f32z the same with zeros."""
        kind, count, *given = spec.split()
        count = int(count)
        if kind == "i8":
            limit = int(given[0])
            return (((self.whole(count) * (2 * limit + 1)) >> 24) - limit).astype(np.int8)
        if kind == "i8c":
            return np.full(count, int(given[0]), np.int8)
        low, high = map(float, given)
        whole = self.whole(count)
        values = low + whole / 2.0**24 * (high - low)
        return np.where((whole % 8 == 0) & (kind == "f32z"), 0.0, values).astype(np.float32)

    def input(self, spec, dims):
        """real SCALE: zeros, ties, outliers and others; ints LIMIT; bits LIMIT (int32); flat VALUE."""
        kind, given = spec.split()
        given, count = float(given), int(np.prod(dims))
        if kind == "flat":
            values = np.full(count, given, np.float32)
        elif kind == "real":
            whole = self.whole(2 * count)
            sort, u = whole[0::2] % 16, whole[1::2]
            spread = u / 2.0**24 * 2.0 - 1.0
            tie = ((u * 261) >> 24) - 130 + 0.5
            scaled = np.select([sort == 0, sort == 1, sort == 2], [0.0 * spread, tie, spread * 1e6], spread * 140.0)
            values = (scaled / given).astype(np.float32)
        else:
            whole = ((self.whole(count) * (2 * int(given) + 1)) >> 24) - int(given)
            values = whole.astype(np.float32) if kind == "ints" else whole.astype(np.int32).view(np.float32)
        return values.reshape(dims)


def stored(array):
    """The bytes of weights in a .bin file."""
    if array.dtype != np.int8:
        return array.tobytes()
    return np.uint32(INT8_TAG).tobytes() + array.tobytes() + bytes(-array.size % 4)


def write(case, number, folder):
    """The files of a case and its input arrays."""
    draw = Draw(number)
    lines = [f"Input {name} 0 1 {name}" for name, *_ in case.inputs] + case.lines
    (folder / "m.param").write_text("\n".join(["7767517", f"{len(lines)} {3 * len(lines)}", *lines]) + "\n")
    blobs = [stored(draw.weights(spec)) for spec in case.weights]
    (folder / "m.bin").write_bytes(b"".join(blobs) + bytes(4))
    return [draw.input(spec, dims) for _, spec, dims in case.inputs]


def run(case, arrays, options, folder):
    """The outputs of a case as arrays."""
    net = ncnn.Net()
    net.opt.num_threads = 1
    net.opt.lightmode = False
    for name in (*ALWAYS_OFF, *OPTIONS["fast"]):
        setattr(net.opt, f"use_{name}", name in options)
    if net.load_param(str(folder / "m.param")) or net.load_model(str(folder / "m.bin")):
        sys.exit(f"ncnn cannot load {case.lines}")
    extractor = net.create_extractor()
    # Copies, for in-place layers crash on memory that is not ncnn's own.
    mats = [ncnn.Mat(array).clone() for array in arrays]
    for (name, *_), mat in zip(case.inputs, mats):
        extractor.input(name, mat)
    made = []
    for name, kind in case.outputs:
        status, mat = extractor.extract(name)
        if status or mat.empty():
            sys.exit(f"ncnn cannot run {case.lines}")
        made.append(np.array(mat, np.float32).astype(np.int8 if kind == "i8" else np.float32))
    return made


def describe(number, case, made):
    """The lines of a case and the bytes of its outputs."""
    lines = [f"case {number} {case.label}"]
    lines += [f"layer {line}" for line in case.lines]
    lines += [f"weights {spec}" for spec in case.weights]
    lines += [f"input {name} {spec} {' '.join(map(str, dims))}" for name, spec, dims in case.inputs]
    values = []
    for index, (name, kind) in enumerate(case.outputs):
        plain = made["plain"][index]
        lines.append(f"output {name} {kind} {' '.join(map(str, plain.shape))}")
        values.append(plain.tobytes())
        for options in case.options[1:]:
            other = made[options][index].tobytes()
            lines.append(f"{'same' if other == plain.tobytes() else 'other'} {options}")
            if other != plain.tobytes():
                values.append(other)
    return lines, values


def main():
    # Only now, for that module wants `Case` of this one.
    sys.modules["int8_goldens"] = sys.modules["__main__"]
    from cases_int8 import cases

    prefix, subset = Path(sys.argv[1]), "--subset" in sys.argv
    text, values = [], []
    with tempfile.TemporaryDirectory() as folder:
        for number, case in enumerate(cases(random.Random(1)), 1):
            if subset and number % EVERY and case.label not in ("overflow", "chain"):
                continue
            arrays = write(case, number, Path(folder))
            made = {name: run(case, arrays, OPTIONS[name], Path(folder)) for name in case.options}
            if subset and sum(array.size for array in made["plain"]) > MOST_VALUES:
                continue
            lines, arrays = describe(number, case, made)
            text += lines
            values += arrays
    prefix.with_suffix(".txt").write_text("\n".join(text) + "\n")
    prefix.with_suffix(".bin").write_bytes(b"".join(values))
    print(f"{sum(line.startswith('case ') for line in text)} cases")


if __name__ == "__main__":
    main()
