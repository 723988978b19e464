"""Score int8 networks against their fp32 originals in the stock ncnn runtime.

usage: accuracy.py JOBS.json

JOBS.json is a list of

    {"images": DIR, "labels": TSV                     pictures; columns file, class, accepted alternates
     or "idx": [IMAGES.gz, LABELS.gz], "limit": INT,  Fashion-MNIST's own files, the first of them
     "width": INT, "height": INT, "pixel": "RGB" | "BGR" | "GRAY", "mean": [..], "norm": [..],
     "input": BLOB, "output": BLOB,
     "fp32": [PARAM, BIN],
     "int8": [{"name": TEXT, "param": PATH, "bin": PATH, "winograd": BOOL}, ..]}

A JSON line per int8 network goes to standard output: top1 and top1_fp32 (share of right answers),
agreement (share of the fp32 network's answers), cosine (mean over samples, of the output blob).

Options are ncnn's own (packing, sgemm and, where asked for, Winograd on), except that fp16 and bf16 are
off, which would compare roundings to half precision instead. Pictures are stretched to the input's size
by Pillow's bilinear filter.
"""

import csv
import gzip
import json
import os
import sys

import ncnn
import numpy as np
from PIL import Image

from stock import load

CONVERSION = {
    "RGB": ncnn.Mat.PixelType.PIXEL_RGB,
    "BGR": ncnn.Mat.PixelType.PIXEL_RGB2BGR,
    "GRAY": ncnn.Mat.PixelType.PIXEL_GRAY,
}


def samples(job):
    """Pixels and accepted classes of every sample."""
    if "idx" in job:
        with gzip.open(job["idx"][0]) as file:
            pixels = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 28, 28)
        with gzip.open(job["idx"][1]) as file:
            labels = np.frombuffer(file.read(), np.uint8, offset=8)
        for picture, label in list(zip(pixels, labels))[: job["limit"]]:
            yield picture, {int(label)}
        return
    with open(job["labels"], encoding="utf-8") as file:
        for row in csv.reader(file, delimiter="\t"):
            if row[0].startswith("#") or row[0] == "file":
                continue
            accepted = {int(row[1])}
            if len(row) > 2:
                accepted |= {int(text) for text in row[2].replace(",", " ").split() if text.isdigit()}
            mode = "L" if job["pixel"] == "GRAY" else "RGB"
            yield np.array(Image.open(os.path.join(job["images"], row[0])).convert(mode)), accepted


def tensor(job, picture):
    picture = np.ascontiguousarray(picture)
    size = (job["width"], job["height"])
    if picture.shape[1::-1] != size:
        picture = np.array(Image.fromarray(picture).resize(size, Image.Resampling.BILINEAR))
    mat = ncnn.Mat.from_pixels(picture, CONVERSION[job["pixel"]], *size)
    mat.substract_mean_normalize(job["mean"], job["norm"])
    return np.array(mat, np.float32)


def run(job, net, inputs):
    outputs = []
    for array in inputs:
        extractor = net.create_extractor()
        extractor.input(job["input"], ncnn.Mat(array))
        status, mat = extractor.extract(job["output"])
        if status != 0:
            sys.exit(f"cannot extract {job['output']}")
        outputs.append(np.array(mat, np.float64).ravel())
    return np.stack(outputs)


def score(expected, found, accepted):
    answers, wanted = found.argmax(1), expected.argmax(1)
    norms = np.linalg.norm(expected, axis=1) * np.linalg.norm(found, axis=1)
    return {
        "top1": float(np.mean([answer in classes for answer, classes in zip(answers, accepted)])),
        "top1_fp32": float(np.mean([answer in classes for answer, classes in zip(wanted, accepted)])),
        "agreement": float(np.mean(answers == wanted)),
        "cosine": float(np.mean((expected * found).sum(1) / norms)),
        "samples": len(answers),
    }


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as file:
        jobs = json.load(file)
    for job in jobs:
        pictures, accepted = zip(*samples(job))
        inputs = [tensor(job, picture) for picture in pictures]
        expected = run(job, load(*job["fp32"], int8=False), inputs)
        for int8 in job["int8"]:
            net = load(int8["param"], int8["bin"], int8=True, winograd=int8.get("winograd", True))
            print(json.dumps({"name": int8["name"], **score(expected, run(job, net, inputs), accepted)}), flush=True)


if __name__ == "__main__":
    main()
