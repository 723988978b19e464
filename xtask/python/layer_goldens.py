"""Single-layer golden outputs from the ncnn wheel, replayed by crates/fp32-ref/tests/layer_goldens.rs.

Made with the wheel 1.0.20260526. The wheel 1.0.20261020 differs from it, and from commit a4d2ea1,
in Interp (nearest by reference blob; scales that do not give whole sizes) and in LRN of even size.

usage: layer_goldens.py OUT_PREFIX [CASES_PER_KIND [SEED [MODULE]]]

MODULE is a file beside this one with cases of its own: KINDS, case_of(rng, kind) and, if some
kinds are to get more cases, MANY. Without it the cases are those of this file.

Writes OUT_PREFIX.txt, one block of lines per case:

    case NUMBER
    input NAME LOW HIGH DIMS...        inputs, outermost dimension first
    weights COUNT LOW HIGH             weights in file order
    layer TYPE NAME ...                the layer's line of a .param
    output NAME DIMS...                what ncnn made; values are in the .bin in this order

and OUT_PREFIX.bin, the outputs as little-endian f32. Inputs and weights are not stored: both
sides draw them, inputs first, from the generator of `Draw` seeded with the case's number.
"""

import importlib
import os
import pickle
import random
import struct
import sys
import tempfile
from pathlib import Path

import ncnn
import numpy as np

# Outputs stay small so that the file can be kept in the repository.
MOST_VALUES = 260


class Draw:
    """x' = 1664525 x + 1013904223 mod 2^32; the upper 24 bits are a number in 0..1."""

    def __init__(self, seed):
        self.state = seed

    def values(self, count, low, high):
        out = np.empty(count, np.float32)
        for i in range(count):
            self.state = (1664525 * self.state + 1013904223) % 2**32
            out[i] = np.float32(low + (self.state >> 8) / 2**24 * (high - low))
        return out


class Case:
    def __init__(self, kind, params="", inputs=(), weights=(), outputs=1):
        self.kind, self.params, self.inputs, self.weights, self.outputs = kind, params, inputs, weights, outputs


def case_of(rng, kind):
    """A random case of a layer type."""
    pick, n = rng.choice, rng.randint

    def image(c=None, low=-1, high=1, lo=3, hi=8):
        return (low, high, [c or n(1, 6), n(lo, hi), n(lo, hi)])

    def any_shape(low=-1, high=1, ranks=(1, 2, 3, 4)):
        return (low, high, [n(1, 5) for _ in range(pick(ranks))])

    def activation():
        kind = n(0, 6)
        given = {2: (0.1,), 3: (-0.3, 0.4), 6: (0.2, 0.5)}.get(kind)
        return f" 9={kind}" + (f" -23310={len(given)},{','.join(map(str, given))}" if given else "")

    def unskipping(stride, extent):
        # SAME padding where windows leave gaps can be negative; ncnn then writes outside its buffers.
        return min(stride, extent)

    def window(spread=True):
        k, kh, s, sh, d, dh = n(1, 4), n(1, 4), n(1, 3), n(1, 3), n(1, 2), n(1, 2)
        style = n(0, 4) if spread else n(0, 1)
        if style in (2, 3):
            s, sh = unskipping(s, d * (k - 1) + 1), unskipping(sh, dh * (kh - 1) + 1)
        text = f"1={k} 11={kh} 3={s} 13={sh} 2={d} 12={dh}"
        if style == 1:
            text += f" 4={n(0, 2)} 14={n(0, 2)} 15={n(0, 2)} 16={n(0, 2)}"
        elif style == 2:
            text += " 4=-233"
        elif style == 3:
            text += " 4=-234"
        elif style == 4:
            text += f" 4={n(1, 2)} 18=0.5"
        return text, k * kh

    if kind == "Convolution":
        text, taps = window()
        c, m, bias = n(1, 6), n(1, 6), n(0, 1)
        count = c * m * taps
        return Case(kind, f"0={m} {text} 5={bias} 6={count}" + activation(), [image(c, lo=7, hi=9)],
                    [(True, count, -1, 1)] + [(False, m, -1, 1)] * bias)
    if kind == "ConvolutionDepthWise":
        text, taps = window()
        g, cg, mg, bias = n(1, 4), n(1, 2), n(1, 2), n(0, 1)
        if n(0, 1):
            cg = mg = 1
        count = g * cg * mg * taps
        return Case(kind, f"0={g * mg} {text} 5={bias} 6={count} 7={g}" + activation(), [image(g * cg, lo=7, hi=9)],
                    [(True, count, -1, 1)] + [(False, g * mg, -1, 1)] * bias)
    if kind in ("Deconvolution", "DeconvolutionDepthWise"):
        text, taps = window(False)
        g = n(1, 3) if kind.endswith("DepthWise") else 1
        cg, mg, bias = n(1, 3), n(1, 3), n(0, 1)
        if kind.endswith("DepthWise") and n(0, 1):
            cg = mg = 1
        count = g * cg * mg * taps
        text = f"0={g * mg} {text} 5={bias} 6={count} 18={n(0, 1)} 19={n(0, 1)}" + activation()
        if kind.endswith("DepthWise"):
            text += f" 7={g}"
        if n(0, 4) == 0:
            text = " ".join(word for word in text.split() if word.split("=")[0] not in ("4", "14", "15", "16"))
            text += f" 4={pick((-233, -234))} 20={n(1, 2)} 21={n(1, 2)}"
        return Case(kind, text, [image(g * cg, lo=3, hi=5)],
                    [(True, count, -1, 1)] + [(False, g * mg, -1, 1)] * bias)
    if kind == "InnerProduct":
        shape, m, bias = any_shape(), n(1, 9), n(0, 1)
        inputs = int(np.prod(shape[2]))
        if len(shape[2]) == 2:
            inputs = pick((inputs, shape[2][1]))
        return Case(kind, f"0={m} 1={bias} 2={m * inputs}" + activation(), [shape],
                    [(True, m * inputs, -1, 1)] + [(False, m, -1, 1)] * bias)
    if kind == "Pooling":
        style, text = n(0, 9), f"0={n(0, 1)}"
        if style == 0:
            return Case(kind, text + " 4=1", [image()])
        if style <= 2:
            return Case(kind, text + f" 7=1 8={pick((-233, n(1, 6)))} 18={pick((-233, n(1, 6)))}", [image()])
        k, kh = n(1, 4), n(1, 4)
        text += f" 1={k} 11={kh} 2={unskipping(n(1, 3), k)} 12={unskipping(n(1, 3), kh)} 5={n(0, 3)} 6={n(0, 1)}"
        if n(0, 1):
            text += f" 3={n(0, k - 1)} 13={n(0, kh - 1)} 14={n(0, k - 1)} 15={n(0, kh - 1)}"
        return Case(kind, text, [image(lo=5, hi=9)])
    if kind in ("AbsVal", "Sigmoid", "TanH", "Mish", "Swish"):
        return Case(kind, "", [any_shape(-6, 6)])
    if kind == "ReLU":
        return Case(kind, pick(("", "0=0.1")), [any_shape()])
    if kind == "Clip":
        return Case(kind, pick(("", "0=-0.5 1=0.25", "1=0.5")), [any_shape()])
    if kind == "ELU":
        return Case(kind, "0=0.5", [any_shape(-4, 4)])
    if kind == "GELU":
        return Case(kind, f"0={n(0, 1)}", [any_shape(-4, 4)])
    if kind in ("HardSigmoid", "HardSwish"):
        return Case(kind, pick(("", "0=0.1666667 1=0.5")), [any_shape(-5, 5)])
    if kind == "Exp":
        return Case(kind, pick(("", "0=2.0 1=0.5 2=1.0")), [any_shape(-3, 3)])
    if kind == "Log":
        return Case(kind, pick(("", "0=10.0 1=0.5 2=1.0")), [any_shape(0.1, 9)])
    if kind == "Power":
        return Case(kind, "0=1.5 1=0.5 2=1.0", [any_shape(0, 4)])
    if kind == "Threshold":
        return Case(kind, "0=0.25", [any_shape()])
    if kind == "Dropout":
        return Case(kind, pick(("", "0=0.5")), [any_shape()])
    if kind == "PReLU":
        shape = any_shape()
        count = pick((1, shape[2][0]))
        return Case(kind, f"0={count}", [shape], [(False, count, 0, 1)])
    if kind == "BatchNorm":
        shape = any_shape()
        c = shape[2][0]
        return Case(kind, f"0={c} 1=0.001", [shape],
                    [(False, c, -1, 1), (False, c, -1, 1), (False, c, 0.1, 2), (False, c, -1, 1)])
    if kind == "Scale":
        shape = any_shape()
        c, bias = shape[2][0], n(0, 1)
        if n(0, 3) == 0:
            return Case(kind, "0=-233", [shape, (-1, 1, [c])])
        return Case(kind, f"0={c} 1={bias}", [shape], [(False, c, -1, 1)] * (1 + bias))
    if kind == "Bias":
        shape = any_shape()
        return Case(kind, f"0={shape[2][0]}", [shape], [(False, shape[2][0], -1, 1)])
    if kind == "Eltwise":
        shape, count, op = any_shape(), n(2, 4), n(0, 2)
        coeffs = f" -23301={count}," + ",".join(f"{rng.uniform(-2, 2):.3f}" for _ in range(count))
        return Case(kind, f"0={op}" + (coeffs if op == 1 and n(0, 1) else ""), [shape] * count)
    if kind == "BinaryOp":
        op = n(0, 18)
        low, high = (0.3, 3) if op in (6, 9) else (-4, 4)
        a = [n(2, 5) for _ in range(n(1, 4))]
        if op in (12, 13, 15, 16, 17, 18) or n(0, 4) == 0:
            scalar = pick((1.7, -2.3)) if op not in (6, 9) else 1.7
            return Case(kind, f"0={op} 1=1 2={scalar}", [(low, high, a)])
        style = n(0, 4)
        if style == 0:
            b = list(a)
        elif style == 1:
            b = [d if n(0, 1) else 1 for d in a]
            a = [d if n(0, 1) or e == 1 else 1 for d, e in zip(a, b)]
        elif style == 2:
            b = a[: n(1, len(a))]
        elif style == 3:
            b = [a[pick((0, -1))]]
        else:
            b = [1]
        if n(0, 1):
            a, b = b, a
        return Case(kind, f"0={op}", [(low, high, a), (low, high, b)])
    if kind == "UnaryOp":
        # Not 6, the reciprocal root, which the wheel takes from an approximate instruction.
        op = pick([op for op in range(28) if op != 6])
        low, high = {5: (0.1, 9), 8: (0.1, 9), 12: (-0.9, 0.9), 13: (-0.9, 0.9), 17: (0.1, 9),
                     25: (1.1, 9), 26: (-0.9, 0.9), 27: (-0.9, 9), 11: (-1.4, 1.4), 15: (0.5, 4)}.get(op, (-3, 3))
        return Case(kind, f"0={op}", [any_shape(low, high)])
    if kind == "Concat":
        dims = [n(1, 5) for _ in range(n(1, 4))]
        axis = n(0, len(dims) - 1)
        shapes = [(-1, 1, [n(1, 5) if i == axis else d for i, d in enumerate(dims)]) for _ in range(n(1, 4))]
        return Case(kind, f"0={pick((axis, axis - len(dims)))}", shapes)
    if kind == "Slice":
        dims = [n(2, 6) for _ in range(n(1, 4))]
        axis, count = n(0, len(dims) - 1), n(2, 3)
        dims[axis] = n(4, 8)
        text = f"1={pick((axis, axis - len(dims)))}"
        if n(0, 1):
            cuts = pick(([-233] * 3, [1, -233, -233], [2, 1, -233]))[-count:]
            return Case(kind, f"-23300={count},{','.join(map(str, cuts))} " + text, [(-1, 1, dims)], outputs=count)
        cuts = pick(([1, -1], [2, 3], [1, 3]))[: count - 1]
        return Case(kind, f"-23302={len(cuts)},{','.join(map(str, cuts))} " + text, [(-1, 1, dims)], outputs=count)
    if kind == "Split":
        return Case(kind, "", [any_shape()], outputs=2)
    if kind in ("Flatten",):
        return Case(kind, "", [any_shape()])
    if kind == "Crop":
        rank = n(1, 4)
        dims = [n(4, 7) for _ in range(rank)]
        names = {1: "w", 2: "hw", 3: "chw", 4: "cdhw"}[rank]
        before = dict(w=0, h=1, d=13, c=2)
        size = dict(w=3, h=4, d=14, c=5)
        after = dict(w=6, h=7, d=15, c=8)
        style = n(0, 3)
        if style == 0:
            words = [f"{before[a]}={n(0, 2)} {size[a]}={pick((-233, n(1, 3)))} {after[a]}={n(0, 1)}" for a in names]
            return Case(kind, " ".join(words), [(-1, 1, dims)])
        if style == 1:
            reference = [n(1, 3) for _ in range(rank)]
            words = [f"{before[a]}={n(0, 1)}" for a in names]
            return Case(kind, " ".join(words), [(-1, 1, dims), (-1, 1, reference)])
        axes = rng.sample(range(rank), n(1, rank))
        starts = [pick((0, 1, -3, -233)) for _ in axes]
        ends = [pick((-1, 3, 9, -233)) if s != -3 else pick((-1, -233, 9)) for s in starts]
        if style == 2:
            axes = [pick((a, a - rank)) for a in axes]
            arrays = [(9, starts), (10, ends), (11, axes)]
            return Case(kind, " ".join(f"-233{i:02}={len(v)},{','.join(map(str, v))}" for i, v in arrays), [(-1, 1, dims)])
        size_of = [f"{0}{names[a]}" for a in axes]
        return Case(kind, f'19="{",".join("1" for _ in axes)}" 20="{",".join(f"-({s},1)" for s in size_of)}" '
                    f'21="{",".join(map(str, axes))}"', [(-1, 1, dims)])
    if kind == "Reshape":
        c, h, w = dims = [pick((2, 3, 4)), pick((2, 3)), pick((2, 4))]
        text = pick(("0=-1", f"0={w * h} 1={c}", "0=0 1=-1", f"0=-1 1=1 2={c}", "0=0 1=0 2=-1", "0=1 1=-1 11=1 2=0",
                     '6="*(0w,0h),0c"', '6="0h,0w,-1"', f'6="//(0w,1),-1"', f"0={c} 1={h} 2={w}", f"0={h} 1={c} 11={w} 2=1"))
        return Case(kind, text, [(-1, 1, dims)])
    if kind == "Permute":
        rank = n(2, 4)
        return Case(kind, f"0={n(0, {2: 1, 3: 5, 4: 23}[rank])}", [(-1, 1, [n(1, 5) for _ in range(rank)])])
    if kind == "Padding":
        rank, style = n(1, 4), n(0, 2)
        dims = [n(3, 5) for _ in range(rank)]
        most = 2
        text = f"0={n(0, most)} 1={n(0, most)} 2={n(0, most)} 3={n(0, most)} 4={style} 5=0.5"
        front, behind = (n(0, most), n(0, most)) if rank >= 3 else (0, 0)
        text += f" 7={front} 8={behind}"
        weights = []
        if style == 0 and rank >= 3 and n(0, 1):
            count = dims[0] + (front + behind if rank == 3 else 0)
            text += f" 6={count}"
            weights = [(False, count, -1, 1)]
        return Case(kind, text, [(-1, 1, dims)], weights)
    if kind == "Interp":
        resize, rank = n(1, 3), pick((1, 2, 3, 3, 3))
        dims = [n(1, 4)] + [n(3, 6) for _ in range(rank - 1)]
        style = n(0, 3)
        corner = f" 6={n(0, 1)}"
        if style == 0:
            return Case(kind, f"0={resize} 3={n(2, 9)} 4={n(2, 9)}" + corner, [(-1, 1, dims)])
        if style == 1 or rank < 3:
            return Case(kind, f"0={resize} 1={pick((0.5, 1.5, 2.0))} 2={pick((0.5, 1.5, 2.0, 3.0))}" + corner, [(-1, 1, [max(d, 2) for d in dims])])
        if style == 2:
            return Case(kind, f"0={resize} 5=1" + corner, [(-1, 1, dims), (-1, 1, [1, n(2, 8), n(2, 8)])])
        return Case(kind, f'0={resize} 9="*(0w,2),+(0h,1)"' + corner, [(-1, 1, dims)])
    if kind == "ShuffleChannel":
        g = n(1, 4)
        return Case(kind, f"0={g} 1={n(0, 1)}", [image(g * n(1, 3), lo=1, hi=4)])
    if kind == "LRN":
        return Case(kind, f"0={n(0, 1)} 1={pick((1, 2, 3, 5))} 2={pick((1.0, 0.1))} 3=0.75 4={pick((1.0, 2.0))}", [image()])
    if kind == "Softmax":
        shape = any_shape(-5, 5)
        axis = n(-len(shape[2]), len(shape[2]) - 1)
        return Case(kind, f"0={axis} 1=1", [shape])
    if kind == "Reduction":
        rank, op = n(1, 4), n(0, 10)
        shape = (0.1 if op == 9 else -1.5, 2, [n(1, 5) for _ in range(rank)])
        text = f"0={op} 2={pick((1.0, 0.5))} 4={n(0, 1)}"
        if n(0, 4):
            axes = [pick((a, a - rank)) for a in rng.sample(range(rank), n(1, rank))]
            text += f" 1=0 -23303={len(axes)},{','.join(map(str, axes))} 5=1"
        return Case(kind, text, [shape])
    if kind == "Squeeze":
        dims = [pick((1, 1, 3)) for _ in range(n(1, 4))]
        text = "0=1 1=1 2=1 11=1" if n(0, 1) else f"-23303=1,{pick((0, -1))}"
        return Case(kind, text, [(-1, 1, dims)])
    if kind == "ExpandDims":
        rank, count = n(1, 3), 1
        return Case(kind, f"-23303={count},{n(-1, rank)}", [(-1, 1, [n(2, 4) for _ in range(rank)])])
    if kind == "MemoryData":
        w, h, c = n(1, 5), n(1, 5), n(1, 5)
        return Case(kind, f"0={w} 1={h} 2={c}", [], [(False, w * h * c, -1, 1)])
    raise ValueError(kind)


KINDS = """AbsVal BatchNorm Bias BinaryOp Clip Concat Convolution ConvolutionDepthWise Crop Deconvolution
DeconvolutionDepthWise Dropout ELU Eltwise Exp ExpandDims Flatten GELU HardSigmoid HardSwish InnerProduct Interp LRN
Log MemoryData Mish PReLU Padding Permute Pooling Power ReLU Reduction Reshape Scale ShuffleChannel Sigmoid Slice
Softmax Split Squeeze Swish TanH Threshold UnaryOp""".split()
# Layers with many forms get more cases.
MANY = set("""BinaryOp Concat Convolution ConvolutionDepthWise Crop Deconvolution DeconvolutionDepthWise InnerProduct
Interp Padding Permute Pooling Reduction Reshape Slice Softmax UnaryOp""".split())


def stored(draw, tagged, count, low, high):
    """The bytes of a weight."""
    return (b"\0\0\0\0" if tagged else b"") + draw.values(count, low, high).tobytes()


def run_apart(case, number, folder, stored):
    """`run` in a process of its own, for ncnn crashes on some cases; those count as refused."""
    result = folder / "result"
    result.unlink(missing_ok=True)
    child = os.fork()
    if child == 0:
        # Nothing may return from here, not even an exception: the folder is the parent's.
        try:
            result.write_bytes(pickle.dumps(run(case, number, folder, stored)))
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    if result.exists():
        return pickle.loads(result.read_bytes())
    print(f"crashed: {case.kind} {case.params} {case.inputs}")
    return "", None


def run(case, number, folder, stored):
    """The layer line and the outputs; None where ncnn refuses."""
    inputs = [f"in{i}" for i in range(len(case.inputs))]
    outputs = [f"out{i}" for i in range(case.outputs)]
    line = " ".join([case.kind, "layer", str(len(inputs)), str(len(outputs)), *inputs, *outputs, case.params]).strip()
    lines = [f"Input {name} 0 1 {name}" for name in inputs] + [line]
    blobs = len(inputs) + len(outputs)
    draw = Draw(number)
    arrays = [draw.values(int(np.prod(dims)), low, high).reshape(dims) for low, high, dims in case.inputs]
    (folder / "m.param").write_text("\n".join(["7767517", f"{len(lines)} {blobs}", *lines]) + "\n")
    with open(folder / "m.bin", "wb") as file:
        for weight in case.weights:
            file.write(stored(draw, *weight))
        # The wheel crashes on an empty file.
        file.write(b"\0\0\0\0")
    net = ncnn.Net()
    for name in ("fp16_packed", "fp16_storage", "fp16_arithmetic", "bf16_storage", "packing_layout",
                 "winograd_convolution", "sgemm_convolution"):
        setattr(net.opt, f"use_{name}", False)
    net.opt.num_threads = 1
    if net.load_param(str(folder / "m.param")) or net.load_model(str(folder / "m.bin")):
        return line, None
    extractor = net.create_extractor()
    # Copies, for in-place layers crash on memory that is not ncnn's own.
    mats = [ncnn.Mat(array).clone() for array in arrays]
    for name, mat in zip(inputs, mats):
        extractor.input(name, mat)
    made = []
    for name in outputs:
        status, mat = extractor.extract(name)
        if status or mat.empty():
            return line, None
        made.append((name, np.array(mat, np.float32)))
    return line, made


def write(prefix, cases, folder, stored):
    """Runs the cases and writes those that ncnn takes."""
    number, text, values = 0, [], []
    for case in cases:
        number += 1
        line, made = run_apart(case, number, folder, stored)
        # Aligned corners of a single output are 0/0 in ncnn; ours are the first sample.
        undefined = case.kind == "Interp" and made and np.isnan(made[0][1]).any()
        if made is None or undefined or sum(array.size for _, array in made) > MOST_VALUES:
            continue
        text.append(f"case {number}")
        text += [f"input in{i} {low} {high} {' '.join(map(str, dims))}"
                 for i, (low, high, dims) in enumerate(case.inputs)]
        # How a weight is stored is in the layout of its layer, unless it is a word.
        text += [f"weights {' '.join(str(part) for part in weight if not isinstance(part, bool))}"
                 for weight in case.weights]
        text.append(f"layer {line}")
        for name, array in made:
            text.append(f"output {name} {' '.join(map(str, array.shape))}")
            values.append(array.ravel())
    prefix.with_suffix(".txt").write_text("\n".join(text) + "\n")
    prefix.with_suffix(".bin").write_bytes(np.concatenate(values).astype("<f4").tobytes())
    print(f"{sum(line.startswith('case') for line in text)} cases of {number} kept")


def main():
    prefix = Path(sys.argv[1])
    per_kind = int(sys.argv[2]) if len(sys.argv) > 2 else 4
    rng = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    module = importlib.import_module(sys.argv[4]) if len(sys.argv) > 4 else sys.modules[__name__]
    many = getattr(module, "MANY", set())
    cases = (module.case_of(rng, kind)
             for kind in module.KINDS for _ in range(per_kind * (5 if kind in many else 1)))
    with tempfile.TemporaryDirectory() as folder:
        write(prefix, cases, Path(folder), stored)


if __name__ == "__main__":
    main()
