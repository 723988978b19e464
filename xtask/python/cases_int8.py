"""The int8 layer cases for int8_goldens.py: ncnn's own test grid, and random ones around it.

Every case is a small network that reads the blob `in`. Scales are such that values stay
near -2...2, except where a case is about sums (all scales 1) or ties (scales are powers of 2).
"""

import math

import numpy as np

from int8_goldens import Case

# Kernel, dilation, stride, pad of ncnn's tests of int8 convolutions.
WINDOWS = [(1, 1, 1, 0), (1, 1, 2, 0), (2, 1, 1, 1), (2, 1, 2, -233), (3, 1, 1, 1), (3, 1, 2, 1), (3, 2, 1, 1),
           (4, 1, 1, 2), (4, 1, 2, -233), (4, 2, 1, -234), (5, 1, 1, -234), (5, 1, 2, 2), (5, 2, 2, 2), (7, 1, 1, 3),
           (7, 1, 2, 3), (7, 2, 1, -233)]
# Input and output channels.
CHANNELS = [(1, 1), (2, 2), (3, 3), (4, 4), (7, 7), (8, 8), (15, 15), (16, 15), (15, 16), (16, 16)]
# Input channels, output channels, groups.
GROUPS = [(1, 1, 1), (2, 2, 1), (2, 2, 2), (3, 3, 3), (4, 2, 2), (4, 4, 4), (7, 7, 7), (8, 8, 2), (8, 8, 8), (12, 12, 4),
          (15, 15, 15), (16, 8, 2), (16, 16, 16)]
# Width, height, input channels, output channels, window.
LARGER = [(11, 11, 8, 16, (3, 1, 1, 1)), (25, 33, 31, 31, (3, 1, 1, 1)), (23, 11, 33, 28, (5, 1, 1, 2)),
          (3, 63, 2, 28, (2, 1, 2, 0)), (19, 17, 16, 24, (3, 2, 1, 2)), (19, 17, 3, 20, (5, 2, 1, 4)),
          (9, 7, 31, 17, (1, 1, 1, 0)), (9, 7, 32, 32, (1, 1, 1, 0)), (9, 7, 33, 33, (3, 1, 1, 1)),
          (9, 7, 64, 48, (3, 1, 1, 1)), (14, 14, 48, 64, (1, 1, 2, 0)), (9, 7, 3, 32, (3, 1, 2, 1)),
          (15, 15, 3, 16, (7, 1, 2, 3)), (7, 7, 129, 12, (1, 1, 1, 0))]
# Sums of Winograd's algorithm that ncnn divides exactly.
EXACT = 1_864_136


def f32(value):
    """A number as the nearest f32, written so that both sides read it back."""
    return float(np.float32(value))


class Window:
    """A kernel's size, dilation, stride and pads, square or not."""

    def __init__(self, kernel, dilation=(1, 1), stride=(1, 1), pads="", pad_value=0):
        self.kernel, self.dilation, self.stride, self.pads, self.pad_value = kernel, dilation, stride, pads, pad_value

    @staticmethod
    def square(k, d, s, pad):
        return Window((k, k), (d, d), (s, s), f" 4={pad}" if pad else "")

    @staticmethod
    def random(rng):
        pick, n = rng.choice, rng.randint
        kernel = [pick((1, 2, 3, 4, 5)), pick((1, 2, 3, 4, 5))]
        dilation = [n(1, 2), n(1, 2)]
        stride = [n(1, 3), n(1, 3)]
        style = n(0, 5)
        if style in (2, 3):
            # Where windows leave gaps, SAME padding can be negative; ncnn then leaves its buffers.
            stride = [min(s, d * (k - 1) + 1) for s, d, k in zip(stride, dilation, kernel)]
        pads = ("", f" 4={n(0, 2)} 14={n(0, 2)} 15={n(0, 2)} 16={n(0, 2)}", " 4=-233", " 4=-234", f" 4={n(1, 2)}",
                f" 4={n(1, 2)}")[style]
        return Window(kernel, dilation, stride, pads, pad_value=pick((-5.0, 3.7, 100.0)) if style == 5 else 0)

    @property
    def taps(self):
        return self.kernel[0] * self.kernel[1]

    @property
    def is_winograd(self):
        return list(self.kernel) == [3, 3] and list(self.stride) == [1, 1] and list(self.dilation) == [1, 1]

    def text(self):
        (kh, kw), (dh, dw), (sh, sw) = self.kernel, self.dilation, self.stride
        value = f" 18={self.pad_value}" if self.pad_value else ""
        return f"1={kw} 11={kh} 2={dw} 12={dh} 3={sw} 13={sh}{self.pads}{value}"


def activation(kind):
    given = {2: (0.1,), 3: (-0.3, 0.4), 6: (0.2, 0.5)}.get(kind)
    return f" 9={kind}" + (f" -23310={len(given)},{','.join(map(str, given))}" if given else "") if kind else ""


class Scales:
    """The scales of a layer whose sums have `fan` products with weights up to `limit`."""

    def __init__(self, rng, style, fan, limit):
        self.style = style
        if style == "sums":
            self.given, self.weight, self.out = 1.0, (1.0, 1.0), 1.0
            return
        spread = 30 * 0.58 * limit * math.sqrt(fan)
        if style == "dyadic":
            self.given, self.out = 32.0, 16.0
            weight = 2.0 ** round(math.log2(spread / self.given))
            self.weight = (weight, weight)
            return
        while True:
            self.given = f32(rng.uniform(20, 60))
            half = np.float32(0.5)
            # 0.49999997 is a class of its own in ncnn.
            if np.float32(half / np.float32(self.given)) * np.float32(self.given) == half:
                break
        self.weight = (0.7 * spread / self.given, 1.3 * spread / self.given)
        self.out = f32(rng.uniform(25, 45))


def conv(rng, name, blobs, channels, outputs, window, *, groups=0, term=2, act=0, bias=True, style="", limit=127,
         reads=None, zero=False):
    """A layer with its weights; `groups` 0 is a Convolution. `reads` is the scale of an int8 input."""
    fan = channels // max(groups, 1) * window.taps
    if window.is_winograd:
        limit = min(limit, max(EXACT // (127 * fan), 1))
    scales = Scales(rng, style, fan, limit)
    given = scales.given if reads is None else reads
    slices = 1 if groups and term % 100 == 2 else groups or outputs
    count = outputs * fan
    kind = "ConvolutionDepthWise" if groups else "Convolution"
    text = f"{kind} {name} 1 1 {blobs[0]} {blobs[1]} 0={outputs} {window.text()} 5={int(bias)} 6={count}"
    text += (f" 7={groups}" if groups else "") + f" 8={term}" + activation(act)
    low, high = scales.weight
    weights = [f"i8 {count} {limit}"]
    weights += [f"f32 {outputs} -1.0 1.0"] * bias
    weights.append(f"{'f32z' if zero else 'f32'} {slices} {low} {high}")
    weights.append(f"f32 1 {given} {given}")
    if term > 100:
        weights.append(f"f32 1 {scales.out} {scales.out}")
    return [text], weights, scales


def one_conv(rng, label, dims, outputs, window, **options):
    lines, weights, scales = conv(rng, "layer", ("in", "out"), dims[0], outputs, window, **options)
    style = "ints 127" if options.get("style") == "sums" else f"real {scales.given}"
    kind = "i8" if options.get("term", 2) > 100 else "f32"
    return Case(label, lines, weights, [("in", style, dims)], [("out", kind)])


def convolutions(rng):
    n = rng.randint
    for window in WINDOWS:
        for channels, outputs in CHANNELS:
            for term in (rng.choice((1, 2)), rng.choice((101, 102))):
                yield one_conv(rng, "Convolution", [channels, 7, 9], outputs, Window.square(*window), term=term,
                               act=n(0, 6), bias=bool(n(0, 1)), style=rng.choice(("", "", "dyadic")))
    for width, height, channels, outputs, window in LARGER:
        for term in (2, 102):
            yield one_conv(rng, "Convolution", [channels, height, width], outputs, Window.square(*window), term=term,
                           act=n(0, 3))
    for _ in range(120):
        dims = [n(1, 20), n(9, 11), n(9, 11)]
        yield one_conv(rng, "Convolution", dims, n(1, 20), Window.random(rng), term=rng.choice((1, 2, 101, 102)),
                       act=n(0, 6), bias=bool(n(0, 1)), zero=n(0, 5) == 0)


def grouped(rng):
    n = rng.randint
    for window in WINDOWS:
        for channels, outputs, groups in GROUPS:
            for term, width in ((n(1, 2), 15), (n(101, 102), 9)):
                yield one_conv(rng, label_of(channels, outputs, groups), [channels, 7, width], outputs,
                               Window.square(*window), groups=groups, term=term, act=n(0, 6), bias=bool(n(0, 1)),
                               style=rng.choice(("", "", "dyadic")))
    for _ in range(80):
        groups = rng.choice((2, 3, 5, 8, 16, 24, 32, 33))
        per, outs = rng.choice(((1, 1), (1, 1), (1, 2), (2, 1), (3, 4), (4, 8)))
        window = Window.random(rng)
        case = one_conv(rng, label_of(groups * per, groups * outs, groups), [groups * per, n(9, 11), n(9, 11)],
                        groups * outs, window, groups=groups, term=rng.choice((1, 2, 101, 102)), act=n(0, 6),
                        bias=bool(n(0, 1)))
        if outs % 8 == 0:
            # Groups packed by 8 that read groups which are not: ncnn reads memory that nobody wrote.
            case.options = ("plain", "unpacked")
        yield case


def label_of(channels, outputs, groups):
    return "depthwise" if channels == outputs == groups else "grouped"


def sums(rng):
    """Scales of 1 and neither bias nor activation: the output is the accumulator."""
    n = rng.randint
    for number in range(60):
        window = Window.square(*WINDOWS[number % len(WINDOWS)])
        dims = [rng.choice((1, 3, 4, 8, 13, 16, 32, 48)), 8, 9]
        yield one_conv(rng, "sums", dims, rng.choice((1, 4, 6, 8, 16, 24)), window, bias=False, style="sums")
    for number in range(40):
        window = Window.square(*WINDOWS[number % len(WINDOWS)])
        groups = rng.choice((4, 7, 8, 16, 32))
        yield one_conv(rng, "sums", [groups, 8, 9], groups, window, groups=groups, term=1, bias=False, style="sums")
    for _ in range(20):
        yield product(rng, "sums", [n(1, 300)], n(1, 40), act=0, bias=False, style="sums")


def product(rng, label, dims, outputs, act, bias, style="", rows=False):
    inputs = dims[-1] if rows else int(np.prod(dims))
    scales = Scales(rng, style, inputs, 127)
    low, high = scales.weight
    text = f"InnerProduct layer 1 1 in out 0={outputs} 1={int(bias)} 2={outputs * inputs} 8={rng.choice((1, 2))}"
    weights = [f"i8 {outputs * inputs} 127"] + [f"f32 {outputs} -1.0 1.0"] * bias
    weights += [f"f32 {outputs} {low} {high}", f"f32 1 {scales.given} {scales.given}"]
    values = "ints 127" if style == "sums" else f"real {scales.given}"
    return Case(label, [text + activation(act)], weights, [("in", values, dims)], [("out", "f32")])


def products(rng):
    n = rng.randint
    for number in range(140):
        outputs = rng.choice((1, 2, 3, 4, 7, 8, 11, 15, 16, 17, 24, 32, 48, 100))
        rank = 1 + number % 4
        dims = [n(1, 400)] if rank == 1 else [n(1, 9) for _ in range(rank)]
        if rank == 3 and number % 8 == 2:
            dims[0] = rng.choice((8, 16, 32))
        yield product(rng, "InnerProduct", dims, outputs, n(0, 6), bool(n(0, 1)), rng.choice(("", "", "dyadic")),
                      rows=rank == 2 and number % 8 < 4)


def rescaled(rng):
    """Quantize, Dequantize and Requantize; int32 blobs are the bits of floats."""
    n = rng.randint
    for number in range(60):
        rank = 1 + number % 4
        dims = [n(1, 60)] if rank == 1 else [rng.choice((1, 3, 4, 8, 13, 16)), n(1, 9), n(1, 9), n(1, 4)][:rank]
        slices = 1 if rank == 1 else rng.choice((1, dims[0]))
        yield Case("Quantize", [f"Quantize layer 1 1 in out 0={slices}"], [f"f32 {slices} 10 50"],
                   [("in", "real 32.0", dims)], [("out", "i8")])
        biases = rng.choice((0, 1, slices))
        yield Case("Dequantize", [f"Dequantize layer 1 1 in out 0={slices} 1={biases}"],
                   [f"f32 {slices} 0.0001 0.001"] + [f"f32 {biases} -1 1"] * (biases > 0),
                   [("in", "bits 20000", dims)], [("out", "f32")])
        outs, act = 1 if rank == 1 else rng.choice((1, dims[0])), n(0, 6)
        text = f"Requantize layer 1 1 in out 0={slices} 1={outs} 2={biases}"
        text += activation(act).replace(" 9=", " 3=").replace("-23310", "-23304")
        yield Case("Requantize", [text],
                   [f"f32 {slices} 0.0001 0.001", f"f32 {outs} 20 60"] + [f"f32 {biases} -1 1"] * (biases > 0),
                   [("in", "bits 20000", dims)], [("out", "i8")])


def chains(rng):
    """Int8 blobs between layers: directly, through Split, and past a depthwise layer."""
    n = rng.randint
    for number in range(60):
        channels, middle, outputs = n(1, 17), rng.choice((3, 4, 8, 12, 16, 24, 32)), n(1, 20)
        first, second = (Window.square(*rng.choice(WINDOWS[:6])) for _ in range(2))
        style = rng.choice(("", "dyadic"))
        groups = middle if number % 3 == 1 else 0
        split = number % 3 == 2
        lines, weights, scales = conv(rng, "first", ("in", "mid"), channels, middle, first, term=102, act=n(0, 3),
                                      style=style)
        follow = dict(reads=scales.out, style=style, act=n(0, 3))
        outs = [("mid", "i8"), ("out", "f32")]
        fed = "mid"
        if split:
            lines.append("Split split 1 2 mid left right")
            more = conv(rng, "other", ("right", "also"), middle, 5, Window.square(1, 1, 1, 0), **follow)
            fed, outs = "left", [("out", "f32"), ("also", "f32")]
        term = 1 if groups else 2
        last = conv(rng, "second", (fed, "out"), middle, middle if groups else outputs, second, groups=groups, term=term,
                    **follow)
        lines, weights = lines + last[0], weights + last[1]
        if split:
            lines, weights = lines + more[0], weights + more[1]
        yield Case("chain", lines, weights, [("in", f"real {scales.given}", [channels, 9, 10])], outs)


def overflows(rng):
    """Sums that 576-fold do not fit 32 bits: ncnn's Winograd wraps around, ours must not."""
    for channels in (32, 64, 96):
        weights = [f"i8c {4 * 9 * channels} 127", "f32 4 1.0 1.0", "f32 1 1.0 1.0"]
        text = f"Convolution layer 1 1 in out 0=4 1=3 4=1 6={4 * 9 * channels} 8=2"
        yield Case("overflow", [text], weights, [("in", "flat 127", [channels, 6, 6])], [("out", "f32")])


def cases(rng):
    for family in (convolutions, grouped, sums, products, rescaled, chains, overflows):
        yield from family(rng)
