"""Time networks in the stock ncnn runtime, and in OpenVINO where it is installed.

usage: bench_ncnn.py

Reads one job a line from standard input and answers each with a JSON line:

    {"runtime": "ncnn", "param": PATH, "bin": PATH, "input": NPY, "threads": INT, "winograd": BOOL}
    {"runtime": "openvino", "model": PATH, "input": NPY, "threads": INT}

    {"ms": FLOAT, "load_ms": FLOAT}          median of single inferences, after two that are not timed
    {"missing": TEXT}                        the runtime is not there

Options are those of a user who sets only these; an inference extracts every output.
"""

import json
import statistics
import sys
import time

import ncnn
import numpy as np

# Inferences: at least so many, then for so many seconds, at most so many.
LEAST, SECONDS, MOST = 8, 0.5, 60


def median_ms(infer):
    for _ in range(2):
        infer()
    times, start = [], time.perf_counter()
    while len(times) < LEAST or (time.perf_counter() - start < SECONDS and len(times) < MOST):
        before = time.perf_counter()
        infer()
        times.append(1e3 * (time.perf_counter() - before))
    return statistics.median(times)


def time_ncnn(job):
    start = time.perf_counter()
    net = ncnn.Net()
    net.opt.num_threads = job["threads"]
    net.opt.use_winograd_convolution = job["winograd"]
    if net.load_param(job["param"]) != 0 or net.load_model(job["bin"]) != 0:
        sys.exit(f"ncnn cannot load {job['param']}")
    load_ms = 1e3 * (time.perf_counter() - start)
    array = np.load(job["input"])
    mat = ncnn.Mat(array)

    def infer():
        extractor = net.create_extractor()
        extractor.input(net.input_names()[0], mat)
        for name in net.output_names():
            if extractor.extract(name)[0] != 0:
                sys.exit(f"cannot extract {name} of {job['param']}")

    return {"ms": median_ms(infer), "load_ms": load_ms}


def time_openvino(job):
    try:
        import openvino
    except ImportError:
        return {"missing": "openvino is not installed"}
    start = time.perf_counter()
    config = {
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": "1",
        "INFERENCE_NUM_THREADS": job["threads"],
        "INFERENCE_PRECISION_HINT": "f32",
    }
    request = openvino.Core().compile_model(job["model"], "CPU", config).create_infer_request()
    load_ms = 1e3 * (time.perf_counter() - start)
    request.set_input_tensor(openvino.Tensor(np.load(job["input"])[np.newaxis]))
    return {"ms": median_ms(request.infer), "load_ms": load_ms}


def main():
    if len(sys.argv) != 1:
        sys.exit(__doc__)
    for line in sys.stdin:
        job = json.loads(line)
        print(json.dumps(time_ncnn(job) if job["runtime"] == "ncnn" else time_openvino(job)), flush=True)


if __name__ == "__main__":
    main()
