"""What every calibration rule says about 200 histograms, computed with numpy and scipy.

usage: rule_goldens.py OUT.tsv     (crates/histogram-kl/tests/data/rules.tsv)

The histograms are made of integers by a small generator, which crates/histogram-kl/tests/rule_goldens.rs
repeats. Columns: number, then bins kept (searches by divergence and percentiles: the bin whose upper edge
is the threshold; mse: the bin kept, 2048 for the whole range), then thresholds in widths of a bin (aciq).
Everything is written after the formulas in the documentation of histogram-kl and the specification of ncnn's
tools, not after the code.
"""

import sys

import numpy as np
from scipy import optimize, special

BINS, LEVELS = 2048, 128


class Lcg:
    def __init__(self, seed):
        self.state = seed

    def next(self):
        self.state = (self.state * 1664525 + 1013904223) % 2**32
        return self.state >> 8


def decay(height, factor):
    counts, value = [], height
    for _ in range(BINS):
        counts.append(value)
        value = (value * factor) >> 10
    return counts


def histogram(number):
    """Counts, exact zeros, elements of a tensor."""
    lcg = Lcg(77 * (number + 1))
    height = 1 << (6 + lcg.next() % 30)
    counts = decay(height, 1023 - lcg.next() % 40)
    kind = number % 8
    if kind == 1:
        counts = [count + lcg.next() % 3 for count in counts]
    elif kind == 2:
        counts[lcg.next() % BINS] += height * (1 + lcg.next() % 8)
    elif kind == 3:
        counts = [lcg.next() >> (lcg.next() % 20) for _ in counts]
    elif kind == 4:
        counts = [0] * BINS
        for _ in range(1 + lcg.next() % 60):
            counts[lcg.next() % BINS] = 1 + lcg.next() % 1000
    elif kind == 5:
        start = lcg.next() % 1500
        for bin in range(start, start + 200):
            counts[bin] += (height >> 4) + 1
    elif kind == 6:
        end = 200 + lcg.next() % 600
        counts[end:] = [0] * (BINS - end)
        counts[-1] = 1 + lcg.next() % 5
    elif kind == 7:
        counts = [100 + lcg.next() % 10 for _ in counts]
    return counts, (lcg.next() % 2**20 if number % 2 else 0), 2 + lcg.next()


def kl_ncnn(counts):
    f32 = np.float32
    total = sum(counts)
    p = np.array([count / total for count in counts], np.float64).astype(f32)
    best, least = LEVELS, np.finfo(f32).max
    level = np.arange(LEVELS)
    for kept in range(LEVELS, BINS):
        start, end = level * kept, (level + 1) * kept
        first, past = -(-start // LEVELS), end // LEVELS
        left = ((first * LEVELS - start) / LEVELS).astype(f32)
        right = ((end - past * LEVELS) / LEVELS).astype(f32)
        sums = np.where(left > 0, left * p[np.maximum(first - 1, 0)], f32(0)).astype(f32)
        sums = sums + right * p[past]
        for step in range(int((past - first).max())):
            index = first + step
            sums = np.where(index < past, sums + p[np.minimum(index, BINS - 1)], sums)
        mean = sums / f32(kept / LEVELS)
        spread = np.full(kept, 0.0001, f32)
        inner = np.repeat(level, past - first)
        places = np.concatenate([np.arange(a, b) for a, b in zip(first, past)])
        edges = np.nonzero(right[:-1] > 0)[0]
        spread[places] += mean[inner]
        spread[past[edges]] += right[edges] * mean[edges]
        spread[past[edges]] += left[edges + 1] * mean[edges + 1]
        clip = f32(0.0001) + p[:kept]
        clip[-1] = np.add.accumulate(np.concatenate([clip[-1:], p[kept:]]))[-1]
        terms = clip * np.log((clip / spread).astype(np.float64)).astype(f32)
        divergence = np.add.accumulate(terms)[-1]
        if divergence < least:
            best, least = kept, divergence
    return best


def merged(counts, kept):
    """P and Q of the textbook."""
    whole = np.array(counts, np.float64)
    p = whole[:kept].copy()
    p[-1] += whole[kept:].sum()
    level = np.arange(kept) * LEVELS // kept
    filled = p > 0
    mass = np.bincount(level, whole[:kept], LEVELS)
    bins = np.bincount(level, filled, LEVELS)
    q = np.where(filled, (mass / np.maximum(bins, 1))[level], 0.0)
    inside = q.sum()
    return p / p.sum(), q / inside if inside > 0 else None


def kl_merge(p, q):
    if q is None or np.any((q == 0) & (p > 0)):
        return np.inf
    return np.sum(special.rel_entr(p, q))


def js(p, q):
    if q is None:
        return np.log(2)
    middle = (p + q) / 2
    return (np.sum(special.rel_entr(p, middle)) + np.sum(special.rel_entr(q, middle))) / 2


def by_divergence(counts):
    candidates = [(kept, *merged(counts, kept)) for kept in range(LEVELS, BINS + 1)]
    return [min((divergence(p, q), kept) for kept, p, q in candidates)[1] for divergence in (kl_merge, js)]


def mse(counts):
    """Least squared error by exact prefix sums, in units of which rounding half a bin costs 1."""
    zero = np.array([0] + [int(c) for c in counts], object).cumsum()
    one = np.array([0] + [int(c) * b for b, c in enumerate(counts)], object).cumsum()
    two = np.array([0] + [int(c) * b * b for b, c in enumerate(counts)], object).cumsum()
    whole = zero[-1] * (2 * BINS) ** 2
    candidates = [(whole, -1, BINS)]
    for kept in range(1, BINS):
        inside = zero[kept + 1]
        beyond = [sums[-1] - sums[kept + 1] for sums in (zero, one, two)]
        clipping = beyond[2] - 2 * kept * beyond[1] + kept * kept * beyond[0]
        candidates.append((inside * (2 * kept + 1) ** 2 + 48 * 127**2 * clipping, kept, kept))
    return min(candidates)[2]


def percentile(counts, zeros, millionths):
    seen, wanted = zeros, (sum(counts) + zeros) * millionths
    for bin, count in enumerate(counts):
        seen += count
        if seen * 100_000_000 >= wanted:
            return bin + 1
    return BINS


def aciq(counts):
    x, weights = np.arange(BINS) + 0.5, np.array(counts, np.float64)
    width, deviation = np.average(x, weights=weights), np.sqrt(np.average(x * x, weights=weights))
    rounding = 12 * 127**2

    def slope(z):
        return z * special.erfc(z / np.sqrt(2)) - np.sqrt(2 / np.pi) * np.exp(-z * z / 2) + z / rounding

    gauss = optimize.brentq(slope, 1, 20, xtol=1e-14) * deviation
    laplace = special.lambertw(rounding).real * width
    return min(gauss, BINS), min(laplace, BINS)


def aciq_ncnn(elements):
    gauss = 0.5 * 0.35 * (1 + np.sqrt(np.pi * np.log(4)))
    return float(np.float32(3.92403714)) * 2 * BINS * gauss / np.sqrt(2 * np.log(elements))


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with open(sys.argv[1], "w", encoding="utf-8") as out:
        print("#\tkl-ncnn\tkl-merge\tjs\tmse\t99.9\t99.99\t99.999\taciq-gauss\taciq-laplace\taciq-ncnn", file=out)
        for number in range(200):
            counts, zeros, elements = histogram(number)
            bins = [kl_ncnn(counts), *by_divergence(counts), mse(counts)]
            bins += [percentile(counts, zeros, millionths) for millionths in (99_900_000, 99_990_000, 99_999_000)]
            widths = [*aciq(counts), aciq_ncnn(elements)]
            print(number, *bins, *(f"{width:.9g}" for width in widths), sep="\t", file=out)


if __name__ == "__main__":
    main()
