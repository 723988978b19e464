"""Check in the stock ncnn runtime where its int8 Winograd convolution stops being exact.

usage: winograd_bound.py FOLDER     (for scratch files)

A 3x3 convolution of 64 channels whose first output has weights of sum |w| = 29356, the most that the guard
`proven` allows (127 * 29356 <= 3728270), is run on an input of 127 everywhere, with Winograd on and off: both
must give 127 * 29356. With one more the accumulator wraps around: the results must differ. For the guard
`exact` the same holds at 14678 (1864136): one more is off by one in builds with SIMD.
"""

import struct
import sys

import ncnn
import numpy as np

CHANNELS, SIZE = 64, 12
TAG_INT8 = 0x000D4B38


def weights(total):
    """Weights within 127 whose magnitudes sum to `total`, spread over all places."""
    count = CHANNELS * 9
    values = np.full(count, total // count)
    values[: total - values.sum()] += 1
    assert values.sum() == total and values.max() <= 127
    return values.astype(np.int8)


def network(folder, total):
    rows = np.concatenate([weights(total), np.ones((CHANNELS - 1) * CHANNELS * 9, np.int8)])
    param, bin = f"{folder}/bound.param", f"{folder}/bound.bin"
    with open(param, "w", encoding="utf-8") as file:
        file.write(
            "7767517\n2 2\n"
            f"Input data 0 1 data 0={SIZE} 1={SIZE} 2={CHANNELS}\n"
            f"Convolution conv 1 1 data out 0={CHANNELS} 1=3 6={len(rows)} 8=2\n"
        )
    with open(bin, "wb") as file:
        file.write(struct.pack("<I", TAG_INT8) + rows.tobytes())
        file.write(np.ones(CHANNELS, np.float32).tobytes() + np.ones(1, np.float32).tobytes())
    return param, bin


def first_sum(files, winograd):
    net = ncnn.Net()
    net.opt.num_threads = 1
    net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
    net.opt.use_bf16_storage = False
    net.opt.use_winograd_convolution = winograd
    if net.load_param(files[0]) != 0 or net.load_model(files[1]) != 0:
        sys.exit("ncnn cannot load the network")
    extractor = net.create_extractor()
    data = np.full((CHANNELS, SIZE, SIZE), 127, np.float32)
    extractor.input("data", ncnn.Mat(data))
    _, out = extractor.extract("out")
    values = np.unique(np.array(out)[0])
    if len(values) != 1:
        sys.exit(f"an even input gave different sums: {values}")
    return int(values[0])


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    for total, is_exact in [(14678, True), (29356, True), (29357, False), (30000, False)]:
        files = network(sys.argv[1], total)
        plain, winograd = (first_sum(files, on) for on in (False, True))
        if plain != 127 * total:
            sys.exit(f"without Winograd: {plain} instead of {127 * total}")
        if (winograd == plain) != is_exact:
            sys.exit(f"sum |w| = {total}: {winograd} with Winograd, {plain} without")
        print(f"sum |w| = {total}: {plain} without Winograd, {winograd} with")


if __name__ == "__main__":
    main()
