"""Cases of layers that find, place or rearrange boxes and blocks, and of convolutions whose
weights are blobs, for layer_goldens.py."""

from layer_goldens import Case

KINDS = """Convolution ConvolutionDepthWise Deconvolution DeconvolutionDepthWise DetectionOutput MVN Normalize PSROIPooling PixelShuffle PriorBox Proposal ROIAlign ROIPooling Reorg Tile
YoloDetectionOutput Yolov3DetectionOutput""".split()


def array(number, values):
    return f"-233{number:02}={len(values)},{','.join(map(str, values))}"


def case_of(rng, kind):
    """A random case of a layer type."""
    pick, n = rng.choice, rng.randint

    def any_shape(low=-1, high=1, ranks=(1, 2, 3, 4)):
        return (low, high, [n(1, 5) for _ in range(pick(ranks))])

    def image(c, lo=3, hi=8):
        return (-1, 1, [c, n(lo, hi), n(lo, hi)])

    if kind.startswith(("Convolution", "Deconvolution")):
        # With weights that are blobs; those of the layer itself are in layer_goldens.py.
        transposed, grouped = kind.startswith("De"), kind.endswith("DepthWise")
        g, cg, mg, bias, k, kh = n(2, 3) if grouped else 1, n(1, 3), n(1, 3), n(0, 1), n(1, 3), n(1, 3)
        if grouped and n(0, 1):
            cg = mg = 1
        text = f"0={g * mg} 1={k} 11={kh} 3={n(1, 2)} 13={n(1, 2)} 4={n(0, 1)} 5={bias} 9={n(0, 1)}"
        text += " 28=1" if transposed else " 19=1"
        if grouped:
            text += f" 7={g}"
        weights = [g * cg, mg, kh, k] if transposed else [g * mg, cg, kh, k]
        inputs = [image(g * cg, 4, 5), (-1, 1, weights)] + [(-1, 1, [g * mg])] * bias
        return Case(kind, text, inputs)
    if kind == "DetectionOutput":
        # Backgrounds stay below 1 - threshold: above it ncnn leaves boxes unset.
        classes, priors, text = n(2, 5), n(1, 30), f"1={pick((0.2, 0.45, 0.7))} 2={n(1, 30)} 3={n(1, 40)} 4=0.3"
        if n(0, 2):
            inputs = [(-1, 1, [4 * priors]), (0, 0.69, [classes * priors]), (0, 1, [2, 4 * priors])]
            return Case(kind, f"0={classes} " + text, inputs)
        inputs = [(-1, 1, [4 * priors]), (0, 0.69, [classes, priors]), (0, 1, [priors, 4])]
        return Case(kind, "0=-233 5=0.2 7=0.3 " + text, inputs)
    if kind == "MVN":
        return Case(kind, f"0={n(0, 1)} 1={n(0, 1)} 2={pick((0.0001, 0.1))}", [any_shape()])
    if kind == "Normalize":
        shape = any_shape()
        channels = shape[2][0] if len(shape[2]) > 2 else 1
        shared = n(0, 1)
        count = 1 if shared else channels
        text = f"0={n(0, 1)} 1={shared} 2={pick((0.0001, 0.5))} 3={count} 4={n(0, 1)} 9={n(0, 2)}"
        return Case(kind, text, [shape], [(False, count, -2, 2)])
    if kind == "PixelShuffle":
        factor = n(1, 3)
        return Case(kind, f"0={factor} 1={n(0, 1)}", [image(factor * factor * n(1, 2) + n(0, 1), 1, 3)])
    if kind == "Reorg":
        return Case(kind, f"0={n(1, 3)} 1={n(0, 1)}", [image(n(1, 3), 3, 6)])
    if kind == "Tile":
        dims = [n(1, 4) for _ in range(n(1, 4))]
        if n(0, 1):
            return Case(kind, f"0={n(-1, len(dims) - 1)} 1={n(1, 3)}", [(-1, 1, dims)])
        return Case(kind, array(2, [n(1, 3) for _ in range(n(1, 4))]), [(-1, 1, dims)])
    if kind == "PriorBox":
        sizes = [pick((4.0, 7.5, 20.0)) for _ in range(n(1, 2))]
        text = array(0, sizes)
        ratios = [1.0] * n(0, 1) + [pick((2.0, 3.0)) for _ in range(n(0, 2))]
        if n(0, 3) == 0:
            step = pick(("", " 11=0.25 12=0.125"))
            ratios = ratios or [1.0]
            return Case(kind, f"{text} {array(2, ratios)} 8={n(0, 1)} 9=-233 10=-233 13={pick((0.0, 0.5))}" + step, [image(1, 1, 4)])
        if n(0, 1):
            text += " " + array(1, [size * 2 for size in sizes])
        if ratios:
            text += " " + array(2, ratios)
        text += f" 7={n(0, 1)} 8={n(0, 1)} 13={pick((0.0, 0.5))} 14={n(0, 1)} 15={n(0, 1)}"
        if n(0, 2) == 0:
            text += " 3=0.3 4=0.4 5=0.5 6=0.6"
        if n(0, 1):
            text += f" 11={n(5, 20)}.5 12={n(5, 20)}.0"
        if n(0, 1):
            return Case(kind, text + " 9=-233 10=-233", [image(1, 1, 4), image(1, 20, 40)])
        return Case(kind, text + f" 9={n(20, 40)} 10={n(20, 40)}", [image(1, 1, 4)])
    if kind == "Proposal":
        h, w = n(1, 3), n(1, 3)
        text = f"0={n(8, 16)} 1={pick((2, 4, 16))} 2={pick((0, 5, 60))} 3={n(1, 12)} 4={pick((0.3, 0.7))} 5=0"
        inputs = [(0, 1, [18, h, w]), (-0.5, 0.5, [36, h, w]), (40, 120, [3])]
        return Case(kind, text, inputs, outputs=n(1, 2))
    if kind == "ROIAlign":
        text = f"0={n(1, 4)} 1={n(1, 4)} 2={pick((1.0, 0.5))} 3={n(0, 2)} 4={n(0, 1)} 5={n(0, 1)}"
        # Regions inside the plane, for ncnn reads beyond it otherwise.
        return Case(kind, text, [image(n(1, 3), 7, 9), (0, 6, [4])])
    if kind == "ROIPooling":
        # No cells of whole pixels: the wheel divides by an approximate reciprocal, and floor shows it.
        text = f"0={pick((1, 7))} 1={pick((1, 7))} 2={pick((1.0, 0.5))}"
        return Case(kind, text, [image(n(1, 3), 6, 9), (0, 5, [4])])
    if kind == "PSROIPooling":
        w, h, c = n(1, 3), n(1, 3), n(1, 3)
        return Case(kind, f"0={w} 1={h} 2={pick((1.0, 0.25))} 3={c}", [image(w * h * c), (-2, 9, [4])])
    if kind == "YoloDetectionOutput":
        classes, boxes = n(1, 9), n(1, 3)
        # Low enough to find something: without a box ncnn gives the input with its scores changed.
        text = f"0={classes} 1={boxes} 2={0.25 / classes:.3f} 3={pick((0.2, 0.45, 0.8))} "
        inputs = [(-2, 2, [boxes * (5 + classes), n(2, 3), n(1, 3)]) for _ in range(n(1, 2))]
        return Case(kind, text + array(4, [n(1, 5) + 0.5 for _ in range(2 * boxes)]), inputs)
    if kind == "Yolov3DetectionOutput":
        classes, boxes, count = n(1, 18), n(1, 3), n(1, 2)
        text = f"0={classes} 1={boxes} 2={pick((0.2, 0.4))} 3={pick((0.2, 0.45, 0.8))} "
        anchors = [n(10, 60) + 0.5 for _ in range(2 * boxes * count)]
        mask = [float(n(0, boxes * count - 1)) for _ in range(boxes * count)]
        scales = [pick((8.0, 16.8, 33.6)) for _ in range(count)]
        inputs = [(-2, 2, [boxes * (5 + classes), n(1, 3), n(1, 3)]) for _ in range(count)]
        return Case(kind, text + " ".join((array(4, anchors), array(5, mask), array(6, scales))), inputs)
    raise ValueError(kind)
