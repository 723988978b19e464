"""Random cases of layers for sequences: normalization, matrix products, attention, recurrence.

A module of cases for layer_goldens.py.
"""

from layer_goldens import Case

# The smallest positive f32 is the integer 1, so that these reach as integers from 0 to about `n`.
INTEGER = 1.401298464324817e-45


def case_of(rng, kind):
    """A random case of a layer type."""
    pick, n = rng.choice, rng.randint

    def any_shape(low=-1, high=1, ranks=(1, 2, 3, 4)):
        dims = [n(1, 5) for _ in range(pick(ranks))]
        if len(dims) < 3:
            dims[-1] = width(dims[-1])
        return (low, high, dims)

    def width(small):
        # Long rows reach ncnn's vector code.
        return n(8, 40) if n(0, 3) == 0 else small

    def blob(*dims):
        return (-1, 1, list(dims))

    def activation():
        kind = n(0, 6)
        given = {2: (0.1,), 3: (-0.3, 0.4), 6: (0.2, 0.5)}.get(kind)
        return f" 9={kind}" + (f" -23310={len(given)},{','.join(map(str, given))}" if given else "")

    if kind in ("SELU", "CELU", "Softplus", "Erf", "Shrink"):
        text = {"SELU": ("", "0=1.2 1=0.8"), "CELU": ("", "0=0.5"), "Shrink": ("", "0=0.25 1=1.0")}.get(kind, ("",))
        return Case(kind, pick(text), [any_shape(-4, 4)])
    if kind == "InstanceNorm":
        shape, affine = any_shape(-1, 3), n(0, 1)
        c = shape[2][0] if len(shape[2]) > 2 else pick((1, 3))
        return Case(kind, f"0={c} 1={pick((0.02, 0.1))} 2={affine}", [shape], [(False, c, -1, 1)] * (2 * affine))
    if kind == "GroupNorm":
        g, affine = n(1, 3), n(0, 1)
        c = g * n(1, 3)
        dims = [c] + [n(1, 5) for _ in range(n(0, 3))]
        return Case(kind, f"0={g} 1={c} 2=0.01 3={affine}", [(-1, 3, dims)], [(False, c, -1, 1)] * (2 * affine))
    if kind in ("LayerNorm", "RMSNorm"):
        shape, affine = any_shape(-1, 3), n(0, 1)
        dims = shape[2]
        sizes = [dims[-1]]
        if len(dims) > 2:
            sizes.append(dims[-1] * dims[-2])
        if len(dims) > 3:
            sizes.append(dims[-1] * dims[-2] * dims[-3])
        size = pick(sizes)
        count = (2 if kind == "LayerNorm" else 1) * affine
        return Case(kind, f"0={size} 1=0.01 2={affine}", [shape], [(False, size, -1, 1)] * count)
    if kind == "CumulativeSum":
        shape = any_shape()
        rank = len(shape[2])
        return Case(kind, f"0={n(-rank, rank - 1)}", [shape])
    if kind == "GLU":
        shape = (-3, 3, [n(2, 6) for _ in range(n(1, 4))])
        rank = len(shape[2])
        return Case(kind, f"0={n(-rank, rank - 1)}", [shape])
    if kind == "RotaryEmbed":
        heads, positions, half = n(1, 3), n(1, 4), pick((n(1, 4), n(8, 9)))
        angles = blob(positions + n(0, 1), half)
        dims = pick(([heads, positions, 2 * half], [positions, 2 * half]))
        return Case(kind, f"0={n(0, 1)}", [blob(*dims), angles, angles])
    if kind == "Embed":
        rows, outputs, bias = n(1, 6), width(n(1, 5)), n(0, 1)
        # Negative floats are negative integers, ordinary ones enormous integers.
        low, high = pick(((0, INTEGER * rows), (0, INTEGER * rows), (-1, 1)))
        dims = pick(([n(1, 6)], [1, n(1, 6)]))
        return Case(kind, f"0={outputs} 1={rows} 2={bias} 3={rows * outputs}", [(low, high, dims)],
                    [(True, rows * outputs, -1, 1)] + [(False, outputs, -1, 1)] * bias)
    if kind == "MatMul":
        m, k, c, trans = n(1, 5), width(n(1, 6)), n(1, 5), n(0, 1)
        batch = [n(1, 3) for _ in range(2)]
        a, b = n(1, 4), n(1, 4)
        left, right = [m, k], [c, k] if trans else [k, c]
        if a == 1:
            left = [k]
        if b == 1:
            right = [k]
        stretch = lambda sizes: [pick((size, size, 1)) for size in sizes]
        if a > 2:
            left = stretch(batch[4 - a:]) + left
        if b > 2:
            right = stretch(batch[4 - b:]) + right
        return Case(kind, f"0={trans}", [blob(*left), blob(*right)])
    if kind == "Gemm":
        return gemm(rng, kind, blob, width(n(1, 6)))
    if kind == "MultiHeadAttention":
        return attention(rng, kind, blob, width(n(1, 5)))
    if kind == "SDPA":
        groups, sharing, queries, keys, past = n(1, 2), n(1, 3), n(1, 4), n(1, 4), n(1, 3)
        heads, values = groups * sharing, n(1, 5)
        inner = width(n(1, 5))
        masked, cached = n(0, 1), n(0, 1)
        inputs = [(-2, 2, [heads, queries, inner]), (-2, 2, [groups, keys, inner]), blob(groups, keys, values)]
        if masked:
            dims = [queries, keys + past * cached]
            inputs.append((-2, 2, pick((dims, [1] + dims, [heads] + dims))))
        if cached:
            inputs += [(-2, 2, [groups, past, inner]), blob(groups, past, values)]
        text = f"5={masked} 7={cached}" + pick(("", " 6=0.3"))
        return Case(kind, text, inputs, outputs=3 if cached else 1)
    if kind in ("RNN", "GRU", "LSTM"):
        return recurrence(rng, kind, blob, width(n(1, 5)))
    if kind in ("Convolution1D", "ConvolutionDepthWise1D"):
        g = n(1, 4) if kind == "ConvolutionDepthWise1D" else 1
        cg, mg, k, d, s, bias = width(n(1, 4)), n(1, 6), n(1, 4), n(1, 2), n(1, 3), n(0, 1)
        if g > 1 and n(0, 1):
            cg = mg = 1
        text = f"0={g * mg} 1={k} 2={d}"
        style = n(0, 4)
        if style in (2, 3):
            s = min(s, d * (k - 1) + 1)
        text += (f" 3={s}", f" 3={s} 4={n(0, 2)} 15={n(0, 2)}", f" 3={s} 4=-233", f" 3={s} 4=-234",
                 f" 3={s} 4={n(1, 2)} 18=0.5")[style]
        count = g * mg * cg * k
        text += f" 5={bias} 6={count}" + (f" 7={g}" if kind == "ConvolutionDepthWise1D" else "") + activation()
        return Case(kind, text, [blob(g * cg, n(7, 12))], [(True, count, -1, 1)] + [(False, g * mg, -1, 1)] * bias)
    if kind == "Pooling1D":
        style, text = n(0, 9), f"0={n(0, 1)}"
        dims = [n(1, 4), n(5, 12)]
        if style == 0:
            return Case(kind, text + " 4=1", [blob(*dims)])
        if style == 1:
            return Case(kind, text + f" 7=1 8={n(1, 6)}", [blob(*dims)])
        k = n(1, 4)
        text += f" 1={k} 2={min(n(1, 3), k)} 5={n(0, 3)} 6={n(0, 1)}"
        if n(0, 1):
            text += f" 3={n(0, k - 1)} 14={n(0, k - 1)}"
        return Case(kind, text, [blob(*dims)])
    if kind in ("Convolution3D", "ConvolutionDepthWise3D", "Pooling3D"):
        return volume(rng, kind, activation)
    if kind == "Cast":
        return Case(kind, pick(("0=1 1=1", "0=1 1=2", "0=0 1=0", "0=2 1=2")), [any_shape()])
    if kind == "Packing":
        return Case(kind, "0=1", [any_shape()])
    raise ValueError(kind)


def gemm(rng, kind, blob, k):
    pick, n = rng.choice, rng.randint
    m, c = n(1, 12), n(1, 12)
    trans_a, trans_b = n(0, 1), n(0, 1)
    left, right = [k, m] if trans_a else [m, k], [c, k] if trans_b else [k, c]
    const_a, const_b = n(0, 1), n(0, 1)
    inputs, weights = [], []
    text = f"0={pick((1.0, 0.5))} 1={pick((1.0, 2.0))} 2={trans_a} 3={trans_b} 4={const_a} 5={const_b}"
    for const, dims in ((const_a, left), (const_b, right)):
        if const:
            weights.append((True, dims[0] * dims[1], -1, 1))
        else:
            inputs.append(blob(*(pick((dims, dims, [dims[0], 1, dims[1]])))))
    style = pick(("none", "constant", "input"))
    sizes = {0: [1], 1: [m], 2: [m, 1], 3: [m, c], 4: [c]}
    form = n(0, 4)
    if style == "constant":
        form = n(-1, 4)
        text += f" 6=1 7={m} 8={c} 9={k} 10={form}"
        if form >= 0:
            count = 1
            for size in sizes[form]:
                count *= size
            weights.append((True, count, -1, 1))
    else:
        text += f" 7={m if const_a else 0} 8={c if const_b else 0} 9={k if const_a or const_b else 0}"
        if style == "input" and inputs:
            # What matches nothing counts by its first value.
            inputs.append(blob(*pick((sizes[form], sizes[form], [1, c] if form == 4 else [m + 1, c + 1]))))
    if not inputs:
        inputs.append(blob(*sizes[form])) if style != "constant" else None
    text += f" 11={n(0, 1)} 14={n(0, 1)}"
    return Case(kind, text, inputs, weights)


def attention(rng, kind, blob, width):
    pick, n = rng.choice, rng.randint
    heads, queries, keys, past = n(1, 3), n(1, 4), n(1, 4), n(1, 3)
    embed, masked, cached, sources = heads * n(1, 3), n(0, 1), n(0, 1), n(1, 3)
    key_width = value_width = width
    if sources >= 2:
        key_width = value_width = n(1, 5)
    if sources == 3:
        value_width = n(1, 5)
    if sources == 1:
        keys = queries
    inputs = [blob(queries, width), blob(keys, key_width), blob(keys, value_width)][:sources]
    all_keys = keys if not cached else keys + past if sources == 1 else past
    if masked:
        inputs.append((-2, 2, pick(([queries, all_keys], [heads, queries, all_keys]))))
    if cached:
        inputs += [blob(embed, past), blob(embed, past)]
    text = f"0={embed} 1={heads} 2={embed * width}"
    if key_width != embed:
        text += f" 3={key_width}"
    if value_width != embed:
        text += f" 4={value_width}"
    text += f" 5={masked} 7={cached}" + pick(("", " 6=0.7"))
    weights = []
    for inputs_, outputs in ((width, embed), (key_width, embed), (value_width, embed), (embed, width)):
        weights += [(True, inputs_ * outputs, -1, 1), (False, outputs, -1, 1)]
    return Case(kind, text, inputs, weights, outputs=3 if cached else 1)


def recurrence(rng, kind, blob, size):
    pick, n = rng.choice, rng.randint
    steps, outputs, direction = n(1, 5), n(1, 12), n(0, 2)
    directions = 2 if direction == 2 else 1
    hidden = pick((outputs, n(1, 12))) if kind == "LSTM" else outputs
    gates, biases = {"RNN": (1, 1), "GRU": (3, 4), "LSTM": (4, 4)}[kind]
    count = gates * hidden * size * directions
    text = f"0={outputs} 1={count} 2={direction}" + (f" 3={hidden}" if hidden != outputs else "")
    weights = [(True, count, -1, 1), (True, biases * hidden * directions, -1, 1),
               (True, gates * hidden * outputs * directions, -1, 1)]
    if hidden != outputs:
        weights.append((True, hidden * outputs * directions, -1, 1))
    states = [blob(directions, outputs)] + ([blob(directions, hidden)] if kind == "LSTM" else [])
    if directions == 1 and n(0, 3) == 0:
        states = [blob(dims[1]) for _, _, dims in states]
    given, taken = n(0, 1), n(0, 1)
    return Case(kind, text, [blob(steps, size)] + states * given, weights, outputs=1 + len(states) * taken)


def volume(rng, kind, activation):
    pick, n = rng.choice, rng.randint
    pooling, grouped = kind == "Pooling3D", kind == "ConvolutionDepthWise3D"
    g = n(1, 3) if grouped else 1
    cg, mg = (1, 1) if grouped and n(0, 1) else (n(1, 3), n(1, 3))
    dims = [g * cg, n(5, 6), n(5, 6), n(5, 6)]
    kernel, dilation = [n(1, 3) for _ in range(3)], [1, 1, 1] if pooling else [n(1, 2) for _ in range(3)]
    style = n(0, 4)
    extents = [d * (k - 1) + 1 for k, d in zip(kernel, dilation)]
    stride = [min(n(1, 3), extent) for extent in extents]
    text = f"11={kernel[1]} 1={kernel[2]} 21={kernel[0]} "
    if pooling:
        if style == 0 and n(0, 1):
            return Case(kind, f"0={n(0, 1)} 4=1", [(-1, 1, dims)])
        if style == 0:
            sizes = [pick((-233, n(1, 5))) for _ in range(3)]
            return Case(kind, f"0={n(0, 1)} 7=1 8={sizes[2]} 18={sizes[1]} 28={sizes[0]}", [(-1, 1, dims)])
        text += f"0={n(0, 1)} 2={stride[2]} 12={stride[1]} 22={stride[0]} 5={n(0, 3)} 6={n(0, 1)}"
        if n(0, 1):
            before, after = [n(0, k - 1) for k in kernel], [n(0, k - 1) for k in kernel]
            text += f" 3={before[2]} 13={before[1]} 23={before[0]} 14={after[2]} 15={after[1]} 16={after[0]}"
        return Case(kind, text, [(-1, 1, dims)])
    count, bias = g * cg * mg * kernel[0] * kernel[1] * kernel[2], n(0, 1)
    text += f"0={g * mg} 3={stride[2]} 13={stride[1]} 23={stride[0]} 2={dilation[2]} 12={dilation[1]} 22={dilation[0]}"
    text += ("", f" 4={n(0, 2)} 14={n(0, 2)} 15={n(0, 2)} 16={n(0, 2)} 24={n(0, 2)} 17={n(0, 2)}", " 4=-233", " 4=-234",
             f" 4={n(1, 2)} 18=0.5")[style]
    text += f" 5={bias} 6={count}" + (f" 7={g}" if grouped else "") + activation()
    return Case(kind, text, [(-1, 1, dims)], [(True, count, -1, 1)] + [(False, g * mg, -1, 1)] * bias)


KINDS = """CELU Cast Convolution1D Convolution3D ConvolutionDepthWise1D ConvolutionDepthWise3D CumulativeSum Embed Erf
GLU GRU Gemm GroupNorm InstanceNorm LSTM LayerNorm MatMul MultiHeadAttention Packing Pooling1D Pooling3D RMSNorm RNN
RotaryEmbed SDPA SELU Shrink Softplus""".split()
MANY = set("""Convolution1D Convolution3D ConvolutionDepthWise1D ConvolutionDepthWise3D GRU Gemm LSTM LayerNorm MatMul
MultiHeadAttention Pooling1D Pooling3D RMSNorm RNN SDPA""".split())
