"""Run networks in the stock ncnn runtime, in the order of plain C loops.

usage: run_ncnn.py JOBS.json

JOBS.json is a list of jobs. One runs a network:

    {"param": PATH, "bin": PATH, "int8": BOOL, "fast": BOOL,
     "inputs":  {BLOB: PATH, ...},   read:  float32 .npy, first axis = sample
     "outputs": {BLOB: PATH, ...}}   written: float32 .npy, first axis = sample

The other turns pictures into inputs as ncnn2table does:

    {"pictures": [PATH, ...],        read:  float32 .npy [height, width, 3], RGB 0...255
     "tensors":  PATH,               written: float32 .npy, first axis = sample
     "width": INT, "height": INT, "pixel": "RGB" | "BGR" | "GRAY",
     "mean": [FLOAT, ...], "norm": [FLOAT, ...]}

All samples of all jobs run in this process. Everything in ncnn that trades the
order or the precision of float operations for speed is off, so that what remains
can be compared with an executor that computes in the plain order; what changes only
the order comes back with "fast".
"""

import json
import sys

import ncnn
import numpy as np

from stock import load


def run(job):
    # With packing, int8 depthwise layers use an approximate reciprocal.
    fast = job["fast"]
    net = load(job["param"], job["bin"], job["int8"], packing=fast, winograd=fast, sgemm=fast, keep_blobs=True)
    inputs = {blob: np.load(path) for blob, path in job["inputs"].items()}
    samples = len(next(iter(inputs.values())))
    values = {blob: [] for blob in job["outputs"]}
    for sample in range(samples):
        # ncnn.Mat borrows numpy's memory: the arrays must outlive the extractor.
        arrays = {blob: np.ascontiguousarray(array[sample], np.float32) for blob, array in inputs.items()}
        extractor = net.create_extractor()
        for blob, array in arrays.items():
            if extractor.input(blob, ncnn.Mat(array)) != 0:
                sys.exit(f"{job['param']}: no input blob {blob}")
        for blob in values:
            status, mat = extractor.extract(blob)
            if status != 0:
                sys.exit(f"{job['param']}: cannot extract {blob} (status {status})")
            if mat.empty():
                sys.exit(f"{job['param']}: {blob} is empty")
            values[blob].append(np.array(mat, np.float32))
    for blob, path in job["outputs"].items():
        np.save(path, np.stack(values[blob]))


def preprocess(job):
    conversion = {
        "RGB": ncnn.Mat.PixelType.PIXEL_RGB,
        "BGR": ncnn.Mat.PixelType.PIXEL_RGB2BGR,
        "GRAY": ncnn.Mat.PixelType.PIXEL_RGB2GRAY,
    }[job["pixel"]]
    tensors = []
    for path in job["pictures"]:
        pixels = np.ascontiguousarray(np.load(path).astype(np.uint8))
        height, width, _ = pixels.shape
        mat = ncnn.Mat.from_pixels_resize(pixels, conversion, width, height, job["width"], job["height"])
        mat.substract_mean_normalize(job["mean"], job["norm"])
        tensors.append(np.array(mat, np.float32))
    np.save(job["tensors"], np.stack(tensors))


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as file:
        jobs = json.load(file)
    for job in jobs:
        preprocess(job) if "pictures" in job else run(job)


if __name__ == "__main__":
    main()
