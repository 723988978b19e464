"""Networks in the stock ncnn runtime, with its options set."""

import sys

import ncnn


def load(param, bin, int8, packing=True, winograd=True, sgemm=True, keep_blobs=False):
    """A network on one thread in f32: fp16 and bf16 are off, which would compare roundings to half precision.

    `keep_blobs` lets several outputs be extracted one after another.
    """
    net = ncnn.Net()
    net.opt.num_threads = 1
    net.opt.lightmode = not keep_blobs
    net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
    net.opt.use_bf16_storage = False
    net.opt.use_vulkan_compute = False
    net.opt.use_int8_inference = int8
    net.opt.use_packing_layout = packing
    net.opt.use_winograd_convolution = winograd
    net.opt.use_sgemm_convolution = sgemm
    if net.load_param(param) != 0 or net.load_model(bin) != 0:
        sys.exit(f"ncnn cannot load {param} and {bin}")
    return net
