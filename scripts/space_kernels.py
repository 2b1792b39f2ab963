#!/usr/bin/env python3
"""Writes the kernels of GPU4S Bench and OBPMark, benchmarks of on-board processing, as workloads.

    python3 scripts/space_kernels.py                         # all, into kernels/gpu4s and kernels/obpmark
    python3 scripts/space_kernels.py -o FOLDER --only fir --size 256

Needs numpy and safetensors. Each folder has the graph of ops, the stored tensors, inputs drawn from a seed,
and the outputs that the kernel's definition gives for them in numpy, in f64 and not by way of the graph.
"""

import argparse
import textwrap
from pathlib import Path

import numpy as np
from safetensors.numpy import save

SEED = 20261130
WIDTH = 106


class Graph:
    """The ops of a workload in their order, and the tensors that they read."""

    def __init__(self):
        self.ops = []
        self.tensors = {}
        self.last = "input"

    def store(self, name, array):
        """Stores a tensor and gives its name."""
        self.tensors[name] = np.ascontiguousarray(array)
        return name

    def op(self, kind, name, *inputs, **fields):
        """Adds an op, which reads the value written last where no inputs are named; gives its name."""
        reads = {"inputs": list(inputs)} if inputs and list(inputs) != [self.last] else {}
        self.ops.append({"name": name, "kind": kind, **reads, **fields})
        self.last = name
        return name


class Steps:
    """Adds ops of whole numbers, whose inputs may be numbers."""

    def __init__(self, graph, dtype):
        self.graph = graph
        self.dtype = dtype

    def number(self, value):
        """Stores a number, each one once, and gives its name."""
        return self.graph.store(f"number.{value}", np.array([value], self.dtype))

    def __call__(self, kind, name, *inputs, **fields):
        named = [self.number(one) if isinstance(one, int) else one for one in inputs]
        return self.graph.op(kind, name, *named, **fields)


class Kernel:
    """A kernel: its sizes, and how its inputs, its graph and its outputs are made."""

    name = None
    suite = "gpu4s"
    size = 32
    count = 8
    draw_number = 0
    dtype = "f32"
    # Two outputs are the same decision where they differ by no more than this, of the largest one.
    decision = {"kind": "tolerance", "relative": 1e-4}
    why = "GPU4S Bench itself accepts an error of 1e-4; the arithmetic of f32 stays well below it."
    # What another right implementation may be off by: of the largest output, or absolutely.
    tolerance = 1e-6
    is_absolute = False

    def fits(self, size):
        """Whether there is such a kernel of this size."""
        return size >= 1

    def draw(self, random, size):
        """Inputs, and the tensors that the definition names."""
        raise NotImplementedError

    def build(self, graph, shape, tensors):
        """Adds the ops that compute the outputs from an input of this shape."""
        raise NotImplementedError

    def output(self, x, tensors):
        """The output for one input by the kernel's definition, in f64 or in whole numbers."""
        raise NotImplementedError


class WholeKernel(Kernel):
    """A kernel of whole numbers: its outputs are compared as floats, which they equal, and are exact."""

    dtype = "u32"
    decision = {"kind": "tolerance", "relative": 0.0}
    why = "Any other number is a wrong answer."
    tolerance = 0.5
    is_absolute = True


def uniform(random, shape, low=-1.0, high=1.0):
    """Floats drawn in f64 and rounded."""
    return random.uniform(low, high, shape).astype(np.float32)


def wide(array):
    """An array in f64."""
    return np.asarray(array, np.float64)


# ---- Matrices ------------------------------------------------------------------------------------


class MatmulF32(Kernel):
    """A product of two matrices a·b; a is the input, b is stored."""

    name = "matmul-f32"
    size = 64
    count = 4
    tolerance = 2e-6

    def draw(self, random, size):
        return uniform(random, (self.count, size, size), 0), {"b": uniform(random, (size, size), 0)}

    def build(self, graph, shape, tensors):
        graph.op("matmul", "product", "input", graph.store("b", tensors["b"]))

    def output(self, x, tensors):
        return wide(x) @ wide(tensors["b"])


class MatmulF16(Kernel):
    """A product of two matrices a·b of f16 with sums in f32; a is stored, b is the input."""

    name = "matmul-f16"
    size = 64
    count = 4
    tolerance = 2e-6
    decision = {"kind": "tolerance", "relative": 5e-4}
    why = "Half a unit in the last place of f16, to which the sums are rounded for their next use."

    def draw(self, random, size):
        b = uniform(random, (self.count, size, size), 0).astype(np.float16)
        a = uniform(random, (size, size), 0).astype(np.float16)
        return b.astype(np.float32), {"a": a}

    def build(self, graph, shape, tensors):
        graph.op("linear", "product", weight=graph.store("a", tensors["a"]))

    def output(self, x, tensors):
        return wide(tensors["a"]) @ wide(x)


class MatmulInt8(WholeKernel):
    """A product of two matrices a·b of int8 with sums in i32; a is stored, b is the input."""

    name = "matmul-int8"
    size = 64
    count = 4
    dtype = "i8"
    decision = {"kind": "tolerance", "relative": 4e-3}
    why = "Half a step of the largest sum as int8, to which the sums are quantised for their next use."

    def draw(self, random, size):
        return (
            random.integers(-128, 128, (self.count, size, size), np.int8),
            {"a": random.integers(-128, 128, (size, size), np.int8)},
        )

    def build(self, graph, shape, tensors):
        zero = np.zeros(1, np.int8)
        graph.op(
            "linear-integer",
            "product",
            weight=graph.store("a", tensors["a"]),
            input_zero=graph.store("input-zero", zero),
            weight_zero=graph.store("weight-zero", zero),
        )
        graph.op("float", "float")

    def output(self, x, tensors):
        return tensors["a"].astype(np.int64) @ x.astype(np.int64)


# ---- Images --------------------------------------------------------------------------------------


def correlated(x, kernel):
    """Σ x[i+u−r, j+v−r] · kernel[u, v] with zeros around the image."""
    x, kernel = wide(x), wide(kernel)
    rows, columns = x.shape
    reach = len(kernel) // 2
    around = np.pad(x, reach)
    taps = np.ndindex(*kernel.shape)
    return sum(kernel[u, v] * around[u : u + rows, v : v + columns] for u, v in taps)


def pooled(x):
    """The largest of each block of 2 × 2."""
    return x.reshape(x.shape[0] // 2, 2, x.shape[1] // 2, 2).max((1, 3))


def response_normalised(x):
    """x / (2 + x²/1000)^¾, by element."""
    return wide(x) / (2 + 1e-3 * wide(x) ** 2) ** 0.75


def soft(x):
    """exp(x) over its sum."""
    powers = np.exp(wide(x) - np.max(x))
    return powers / powers.sum()


def add_convolution(graph, name, weight):
    """Adds a convolution of one channel with zeros around the image."""
    weight = graph.store(f"{name}.weight", weight[None, None])
    graph.op("conv2d", name, weight=weight, padding=graph.tensors[weight].shape[2] // 2)


def add_response_norm(graph, name):
    """Adds x / (2 + x²/1000)^¾, whose power is a product of two roots."""
    x = graph.last
    graph.op("mul", f"{name}.square", x, x)
    graph.op("scale", f"{name}.base", alpha=1e-3, beta=2.0)
    root = graph.op("sqrt", f"{name}.root")
    graph.op("sqrt", f"{name}.fourth-root")
    power = graph.op("mul", f"{name}.power", root, graph.last)
    graph.op("div", name, x, power)


class Convolution(Kernel):
    """A 2-D convolution with a kernel of 3 × 3, not flipped, and zeros around the image."""

    name = "conv2d"

    def draw(self, random, size):
        return uniform(random, (self.count, 1, size, size)), {"kernel": uniform(random, (3, 3))}

    def build(self, graph, shape, tensors):
        add_convolution(graph, "conv", tensors["kernel"])

    def output(self, x, tensors):
        return correlated(x[0], tensors["kernel"])[None]


class Correlation(Kernel):
    """Pearson's correlation of an image with a stored one: one number."""

    name = "correlation2d"
    tolerance = 1e-5
    is_absolute = True

    def fits(self, size):
        return size >= 2

    def draw(self, random, size):
        b = uniform(random, (size, size))
        share = np.linspace(-1, 1, self.count)[:, None, None]
        noise = random.uniform(-1, 1, (self.count, size, size))
        return (share * b + 0.5 * noise).astype(np.float32), {"b": b}

    def build(self, graph, shape, tensors):
        axes = list(range(len(shape)))
        graph.op("expand", "b-image", graph.store("b", tensors["b"]), shape=list(shape))
        for name, image in [("a", "input"), ("b", "b-image")]:
            graph.op("reduce-mean", f"{name}-mean", image, axes=axes, keep=1)
            graph.op("sub", f"{name}-less-mean", image, f"{name}-mean")
        for name, a, b in [("covariance", "a", "b"), ("a-variance", "a", "a"), ("b-variance", "b", "b")]:
            graph.op("mul", f"{name}-terms", f"{a}-less-mean", f"{b}-less-mean")
            graph.op("reduce-sum", name, axes=axes)
        graph.op("mul", "variances", "a-variance", "b-variance")
        graph.op("sqrt", "deviations")
        graph.op("div", "correlation", "covariance", "deviations")

    def output(self, x, tensors):
        a, b = (wide(image) - wide(image).mean() for image in (x, tensors["b"]))
        return np.array([(a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum())])


class Lrn(Kernel):
    """Local response normalisation as GPU4S Bench has it: by element, y = x / (2 + x²/1000)^¾."""

    name = "lrn"
    tolerance = 1e-5

    def draw(self, random, size):
        return uniform(random, (self.count, size, size), -100, 100), {}

    def build(self, graph, shape, tensors):
        add_response_norm(graph, "lrn")

    def output(self, x, tensors):
        return response_normalised(x)


class MaxPool(Kernel):
    """The largest element of each block of 2 × 2."""

    name = "max-pool"
    tolerance = 1e-30
    is_absolute = True

    def fits(self, size):
        return size >= 2 and size % 2 == 0

    def draw(self, random, size):
        return uniform(random, (self.count, 1, size, size)), {}

    def build(self, graph, shape, tensors):
        graph.op("max-pool", "pool", size=2)

    def output(self, x, tensors):
        return pooled(wide(x[0]))[None]


class Relu(Kernel):
    """The positive part of each element."""

    name = "relu"
    tolerance = 1e-30
    is_absolute = True

    def draw(self, random, size):
        return uniform(random, (self.count, size, size)), {}

    def build(self, graph, shape, tensors):
        graph.op("relu", "relu")

    def output(self, x, tensors):
        return np.maximum(wide(x), 0)


class Softmax(Kernel):
    """Softmax over all elements, less their largest."""

    name = "softmax"
    tolerance = 1e-5

    def draw(self, random, size):
        return uniform(random, (self.count, size, size)), {}

    def build(self, graph, shape, tensors):
        graph.op("softmax", "softmax")

    def output(self, x, tensors):
        return soft(x)


class Cifar10(Kernel):
    """A network of two convolutions and two layers over images of one channel, of weights not trained."""

    name = "cifar10"
    decision = {"kind": "arg-max"}
    why = "The class of an image; no two classes of an image are closer than f32 can tell."
    tolerance = 1e-5
    # A draw in which a part of each layer is active and five classes occur, 0.12 of a logit and more apart.
    draw_number = 722

    def fits(self, size):
        return size >= 4 and size % 4 == 0

    def draw(self, random, size):
        inside = (size // 4) ** 2
        shapes = {"k1": (3, 3), "k2": (3, 3), "w1": (384, inside), "w2": (10, 384)}
        tensors = {name: uniform(random, shape, -0.6, 0.6) for name, shape in shapes.items()}
        return uniform(random, (self.count, 1, size, size), 0), tensors

    def build(self, graph, shape, tensors):
        add_convolution(graph, "conv1", tensors["k1"])
        graph.op("relu", "relu1")
        graph.op("max-pool", "pool1", size=2)
        add_response_norm(graph, "lrn1")
        add_convolution(graph, "conv2", tensors["k2"])
        graph.op("relu", "relu2")
        add_response_norm(graph, "lrn2")
        graph.op("max-pool", "pool2", size=2)
        graph.op("flatten", "flatten")
        graph.op("linear", "dense1", weight=graph.store("dense1.weight", tensors["w1"]))
        graph.op("relu", "relu3")
        graph.op("linear", "dense2", weight=graph.store("dense2.weight", tensors["w2"]))
        graph.op("relu", "relu4")
        graph.op("softmax", "softmax")

    def output(self, x, tensors):
        image = np.maximum(correlated(x[0], tensors["k1"]), 0)
        image = correlated(response_normalised(pooled(image)), tensors["k2"])
        image = pooled(response_normalised(np.maximum(image, 0)))
        hidden = np.maximum(wide(tensors["w1"]) @ image.ravel(), 0)
        return soft(np.maximum(wide(tensors["w2"]) @ hidden, 0))


# ---- Signals -------------------------------------------------------------------------------------


class Fir(Kernel):
    """A filter of 16 taps over a signal and the zeros around it."""

    name = "fir"
    size = 1024

    def draw(self, random, size):
        return uniform(random, (self.count, 1, 1, size)), {"taps": uniform(random, 16)}

    def build(self, graph, shape, tensors):
        taps = tensors["taps"]
        weight = graph.store("taps-backwards", taps[None, None, None, ::-1])
        graph.op("conv2d", "filter", weight=weight, padding=[0, len(taps) - 1])

    def output(self, x, tensors):
        return np.convolve(wide(x[0, 0]), wide(tensors["taps"]))[None, None]


# The filters of CCSDS 122.0-B, from their middle on; both are symmetric.
LOW = [0.852698679009, 0.377402855613, -0.110624404418, -0.023849465020, 0.037828455507]
HIGH = [-0.788485616406, 0.418092273222, 0.040689417609, -0.064538882629]


class WaveletF32(Kernel):
    """A level of the 9/7 wavelet transform of CCSDS 122.0-B in floats: the low half, then the high one."""

    name = "wavelet-f32"
    size = 1024

    def fits(self, size):
        return size >= 6 and size % 2 == 0

    def draw(self, random, size):
        filters = {"low": LOW[:0:-1] + LOW, "high": HIGH[:0:-1] + HIGH}
        filters = {name: np.array(taps, np.float32) for name, taps in filters.items()}
        return uniform(random, (self.count, 1, 1, size)), filters

    def build(self, graph, shape, tensors):
        # The high filter lies one place further, where its outputs do.
        both = np.stack([tensors["low"], np.pad(tensors["high"], [2, 0])])
        graph.op("pad", "mirrored", before=[0, 0, 4], after=[0, 0, 3], mode="reflect")
        graph.op("conv2d", "filters", weight=graph.store("filters", both[:, None, None]), stride=[1, 2])

    def output(self, x, tensors):
        around = np.pad(wide(x[0, 0]), 4, "reflect")
        low = np.correlate(around[: x.size + 8], wide(tensors["low"]), "valid")[0::2]
        high = np.correlate(around[1 : x.size + 7], wide(tensors["high"]), "valid")[1::2]
        return np.stack([low, high])[:, None]


class WaveletI32(WholeKernel):
    """A level of the 9/7 wavelet transform of CCSDS 122.0-B on whole numbers: low half, then high half."""

    name = "wavelet-i32"
    size = 1024
    dtype = "i32"

    def fits(self, size):
        return size >= 6 and size % 2 == 0

    def draw(self, random, size):
        places = np.arange(size)
        periods, starts = random.uniform([5, 0], [80, 6], (self.count, 2)).T[:, :, None]
        noise = random.normal(0, 100, (self.count, size))
        noisy = 2048 + 1500 * np.sin(places / periods + starts) + noise
        return noisy.clip(0, 4095).astype(np.int16), {}

    def build(self, graph, shape, tensors):
        half = shape[0] // 2
        graph.op("pad", "mirrored", before=[2], after=[3], mode="reflect")
        for name, start in [("before", 0), ("even", 2), ("odd", 3), ("next", 4), ("after", 6)]:
            graph.op("slice", name, "mirrored", starts=[start], counts=[half], steps=[2])
        add = Steps(graph, np.int32)
        near = add("mul", "near-times-9", add("add", "near", "even", "next"), 9)
        far = add("add", "far", "before", "after")
        rounded = add("add", "forecast-rounded", add("sub", "forecast-sum", near, far), 8)
        high = add("sub", "high", "odd", add("shift-right", "forecast", rounded, 4))
        graph.op("pad", "high-mirrored", before=[1], after=[0], mode="edge")
        graph.op("slice", "high-before", starts=[0], counts=[half], steps=[1])
        less = add("sub", "update-less-before", add.number(2), "high-before")
        less = add("sub", "update-sum", less, high)
        add("sub", "low", "even", add("shift-right", "update", less, 2))
        graph.op("concat", "both", "low", high)
        graph.op("float", "float")

    def output(self, x, tensors):
        x = [int(number) for number in x]
        last = len(x) - 1
        halves = range(len(x) // 2)

        def at(place):
            return x[last - abs(last - abs(place))]

        high = []
        for j in halves:
            near, far = at(2 * j) + at(2 * j + 2), at(2 * j - 2) + at(2 * j + 4)
            high.append(at(2 * j + 1) - (9 * near - far + 8) // 16)
        low = [x[2 * j] - (2 - high[max(j - 1, 0)] - high[j]) // 4 for j in halves]
        return np.array(low + high)


class Copy(Kernel):
    """A copy of words from one place of memory to another."""

    name = "copy"
    size = 1024
    decision = {"kind": "tolerance", "relative": 0.0}
    why = "Any other number is a wrong answer."
    tolerance = 1e-30
    is_absolute = True

    def draw(self, random, size):
        return uniform(random, (self.count, size)), {}

    def build(self, graph, shape, tensors):
        graph.op("tile", "copy", repeats=[1])

    def output(self, x, tensors):
        return wide(x)


# ---- Fourier transforms --------------------------------------------------------------------------


def is_power_of_two(size):
    """Whether a transform of radix 2 has this length."""
    return size >= 2 and size & (size - 1) == 0


def bits_reversed(length):
    """Numbers below a power of two in the order of their bits read backwards."""
    places = [0]
    while len(places) < length:
        places = [2 * place for place in places] + [2 * place + 1 for place in places]
    return places


def store_twiddles(graph, length):
    """Stores cos and −sin of the angles 2π k / length, k below half of it, rounded from f64."""
    angles = 2 * np.pi * np.arange(length // 2) / length
    return graph.store("twiddles", np.stack([np.cos(angles), -np.sin(angles)]).astype(np.float32))


def add_butterflies(graph, prefix, length, twiddles):
    """Adds the stages of a transform of the last axis, whose places are in bit-reversed order."""
    half = 1
    while half < length:
        graph.op("butterfly", f"{prefix}{half}", twiddle=twiddles, half=half)
        half *= 2


def parts(x):
    """Real and imaginary parts, along a first axis, of complex numbers."""
    return np.stack([x.real, x.imag])


def complex_of(x):
    """Complex numbers of their real and imaginary parts."""
    return wide(x[0]) + 1j * wide(x[1])


class Fft1d(Kernel):
    """A fast Fourier transform, forward, not scaled; real and imaginary parts lie along the first axis."""

    name = "fft1d"
    size = 1024
    tolerance = 2e-6

    def fits(self, size):
        return is_power_of_two(size)

    def draw(self, random, size):
        return uniform(random, (self.count, 2, size)), {}

    def build(self, graph, shape, tensors):
        length = shape[1]
        twiddles = store_twiddles(graph, length)
        graph.op("take", "bit-reversal", places=bits_reversed(length), axis=1)
        add_butterflies(graph, "stage", length, twiddles)

    def output(self, x, tensors):
        return parts(np.fft.fft(complex_of(x)))


class Fft2d(Kernel):
    """A fast Fourier transform of rows, then columns; real and imaginary parts lie along the first axis."""

    name = "fft2d"
    size = 64
    count = 4
    tolerance = 2e-6

    def fits(self, size):
        return is_power_of_two(size)

    def draw(self, random, size):
        return uniform(random, (self.count, 2, size, size)), {}

    def build(self, graph, shape, tensors):
        length = shape[1]
        twiddles = store_twiddles(graph, length)
        for axis in ["row", "column"]:
            graph.op("take", f"{axis}-bit-reversal", places=bits_reversed(length), axis=2)
            add_butterflies(graph, f"{axis}-stage", length, twiddles)
            graph.op("transpose", f"{axis}-transpose", axes=[0, 2, 1])

    def output(self, x, tensors):
        return parts(np.fft.fft2(complex_of(x)))


class FftWindowed(Kernel):
    """Fourier transforms of all windows of 16 places; real and imaginary parts lie along the first axis."""

    name = "fft-windowed"
    size = 64
    window = 16

    def fits(self, size):
        return size >= self.window

    def draw(self, random, size):
        return uniform(random, (self.count, 2, size)), {}

    def build(self, graph, shape, tensors):
        windows = range(shape[1] - self.window + 1)
        reversed_places = bits_reversed(self.window)
        places = [start + place for start in windows for place in reversed_places]
        twiddles = store_twiddles(graph, self.window)
        graph.op("take", "places", places=places, axis=1)
        graph.op("reshape", "windows", shape=[2, len(windows), self.window])
        add_butterflies(graph, "stage", self.window, twiddles)

    def output(self, x, tensors):
        windows = np.lib.stride_tricks.sliding_window_view(complex_of(x), self.window)
        return parts(np.fft.fft(windows))


# ---- Whole numbers -------------------------------------------------------------------------------


class ImageCalibration(WholeKernel):
    """Calibration of 8 frames: offset, bad pixels, radiation hits, gain, binning by 2 × 2, sum of frames."""

    suite = "obpmark"
    name = "image-calibration"
    dtype = "u16"
    decision = {"kind": "tolerance", "relative": 1e-4}
    why = "1e-4 of the brightest sum is less than the noise that the frames have."
    frames = 8

    def fits(self, size):
        return size >= 6 and size % 2 == 0

    def draw(self, random, size):
        """Frames of a smooth scene with noise, bad pixels and tracks of particles."""
        total = self.frames + 4
        offsets = random.integers(0, 128, (size, size))
        gains = random.integers(31130, 34407, (size, size))
        bad = random.uniform(size=(size, size)) < 0.05
        bad[0, 0] = True
        bad[2:5, 2:5] = True
        rows, columns = np.mgrid[:size, :size] / size
        inputs = []
        for _ in range(self.count):
            tilt = random.uniform(1000, 3000, 3)
            scene = 4000 + tilt[0] * rows + tilt[1] * columns + tilt[2] * np.sin(6 * rows * columns)
            frames = scene + random.normal(0, 16, (total, size, size))
            for frame in frames[2:]:
                for _ in range(size * size // 100):
                    row, column, length = random.integers(0, [size, size - 4, 5])
                    frame[row, column : column + length + 1] += random.integers(1000, 36000)
            frames[:2] *= gains / 65536
            frames[4:] += offsets
            frames[4:, bad] = 65535
            inputs.append(frames.clip(0, 65535).astype(np.uint16))
        return np.array(inputs), {
            "offsets": offsets.astype(np.uint16),
            "gains": gains.astype(np.uint16),
            "bad": bad.astype(np.uint8),
        }

    def build(self, graph, shape, tensors):
        total, rows, columns = shape
        add = Steps(graph, np.uint32)
        frames = graph.op("widen", "frames", "input")
        names = ["offsets", "gains", "bad"]
        offsets, gains, bad = (graph.op("widen", f"{n}-wide", graph.store(n, tensors[n])) for n in names)

        def frame(name, of, number, count=1):
            starts, counts = [number, 0, 0], [count, rows, columns]
            return graph.op("slice", name, of, starts=starts, counts=counts, steps=[1, 1, 1])

        # All raw frames at once: less the offset, then bad pixels become the mean of good ones around them.
        raw = frame("raw", frames, 4, total - 4)
        level = add("and", "level", add("sub", "less-offset", raw, offsets), 65535)
        mask = graph.op("reshape", "mask", bad, shape=[1, rows, columns])
        good, is_bad = add("equal", "good", mask, 0), add("equal", "is-bad", mask, 1)
        good_level = add("where", "good-level", good, level, 0)
        levels = self.add_neighbours(graph, good_level, (total - 4, rows, columns))
        mean = add("div", "good-mean", levels, self.add_neighbours(graph, good, (1, rows, columns)))
        repaired = add("where", "repaired", is_bad, mean, level)
        prepared = add("concat", "prepared", frame("first-prepared", frames, 2, 2), repaired)

        # Frame after frame, as each one needs the two finished before it.
        at = [frame(f"prepared{t}", prepared, t - 2) for t in range(2, total)]
        done = [frame(f"done{t}", frames, t) for t in range(2)]
        for t in range(2, total - 2):
            before = add("add", f"before{t}", done[t - 2], done[t - 1])
            after = add("add", f"after{t}", at[t - 1], at[t])
            mean = add("shift-right", f"mean{t}", add("add", f"around{t}", before, after), 2)
            is_hit = add("less", f"is-hit{t}", add("shift-left", f"limit{t}", mean, 1), at[t - 2])
            clean = add("where", f"clean{t}", is_hit, mean, at[t - 2])
            done.append(add("shift-right", f"done{t}", add("mul", f"gained{t}", clean, gains), 16))
            graph.op("reshape", f"blocks{t}", shape=[rows // 2, 2, columns // 2, 2])
            binned = graph.op("reduce-sum", f"binned{t}", axes=[1, 3])
            summed = binned if t == 2 else add("add", f"sum{t}", summed, binned)
        graph.op("float", "float")

    @staticmethod
    def add_neighbours(graph, name, shape):
        """Adds the sum of the 3 × 3 elements around each element of an image, itself among them."""
        counts = [shape[0], shape[1] + 2, shape[2] + 2]
        graph.op("pad", f"{name}-around", name, before=[0, 1, 1], after=[0, 1, 1])
        for axis, along in [(1, "rows"), (2, "columns")]:
            counts[axis] -= 2
            whole, three = graph.last, []
            for start in range(3):
                places = {"starts": [start if at == axis else 0 for at in range(3)], "counts": list(counts)}
                three.append(graph.op("slice", f"{name}-{along}{start}", whole, **places, steps=[1, 1, 1]))
            two = graph.op("add", f"{name}-two-{along}", three[0], three[1])
            graph.op("add", f"{name}-{along}", two, three[2])
        return graph.last

    def output(self, x, tensors):
        prepared = [frame.astype(np.int64) for frame in x]
        offsets, gains, bad = (tensors[name].astype(np.int64) for name in ["offsets", "gains", "bad"])
        size = bad.shape
        for frame in prepared[4:]:
            level = (frame - offsets) % 65536
            frame[:] = level
            for row, column in np.argwhere(bad == 1):
                around = slice(max(row - 1, 0), row + 2), slice(max(column - 1, 0), column + 2)
                good = level[around][bad[around] == 0]
                frame[row, column] = good.sum() // good.size if good.size else 0
        done = prepared[:2]
        for t in range(2, len(x) - 2):
            mean = (done[t - 2] + done[t - 1] + prepared[t + 1] + prepared[t + 2]) // 4
            done.append(np.where(prepared[t] > 2 * mean, mean, prepared[t]) * gains // 65536)
        return sum(done[2:]).reshape(size[0] // 2, 2, size[1] // 2, 2).sum((1, 3))


def doubled(byte):
    """A byte times 2 in the field of AES."""
    return (byte << 1 ^ (byte >> 7) * 0x1B) & 0xFF


def substitution_box():
    """The table of AES: the inverse of each byte in its field, then an affine map of bits."""
    powers = [1]
    while len(powers) < 255:
        powers.append(powers[-1] ^ doubled(powers[-1]))
    box = np.zeros(256, int)
    box[powers] = [powers[-exponent % 255] for exponent in range(255)]
    turned = [(box << by | box >> (8 - by)) & 0xFF for by in range(5)]
    return np.bitwise_xor.reduce(turned) ^ 0x63


def round_keys(key):
    """The keys of all rounds, 16 bytes each, for a key of 16, 24 or 32 bytes."""
    box, length = substitution_box(), len(key) // 4
    words = list(np.reshape(key, (length, 4)).astype(int))
    constant = 1
    while len(words) < 4 * (length + 7):
        word = words[-1]
        if len(words) % length == 0:
            word = box[np.roll(word, -1)]
            word[0] ^= constant
            constant = doubled(constant)
        elif length > 6 and len(words) % length == 4:
            word = box[word]
        words.append(words[-length] ^ word)
    return np.reshape(words, (-1, 16))


# Byte 4c + r of a block is in row r and column c: where each byte comes from when rows shift, and when the
# bytes of a column turn by one or by two.
SHIFTED_ROWS = [4 * ((c + r) % 4) + r for c in range(4) for r in range(4)]
TURNED = {by: [4 * c + (r + by) % 4 for c in range(4) for r in range(4)] for by in (1, 2)}


class AesCtr(WholeKernel):
    """AES in counter mode with a key of 128 bits; an input is counter blocks and as many of plain text."""

    suite = "obpmark"
    name = "aes-ctr"
    dtype = "u8"
    size = 16

    def draw(self, random, size):
        start = int.from_bytes(random.bytes(16), "big")
        numbers = [(start + block) % 2**128 for block in range(self.count * size)]
        counters = np.array([list(number.to_bytes(16, "big")) for number in numbers], np.uint8)
        counters = counters.reshape(self.count, size, 16)
        plain = random.integers(0, 256, counters.shape, np.uint8)
        return np.stack([counters, plain], 1), {"key": random.integers(0, 256, 16, np.uint8)}

    def build(self, graph, shape, tensors):
        blocks, add = shape[1], Steps(graph, np.uint32)
        box = graph.store("s-box", substitution_box().astype(np.uint8)[:, None])
        keys = enumerate(round_keys(tensors["key"]).astype(np.uint8))
        keys = [graph.store(f"round-key{number}", key) for number, key in keys]
        keys = [graph.op("widen", f"{key}-wide", key) for key in keys]
        graph.op("widen", "bytes", "input")
        for name, start in [("plain", 1), ("counter", 0)]:
            counts = [1, blocks, 16]
            graph.op("slice", name, "bytes", starts=[start, 0, 0], counts=counts, steps=[1, 1, 1])
        add("xor", "keyed0", "counter", keys[0])
        for number, key in enumerate(keys[1:], 1):
            graph.op("reshape", f"bytes{number}", shape=[16 * blocks])
            graph.op("embedding", f"found{number}", weight=box)
            graph.op("reshape", f"substituted{number}", shape=[1, blocks, 16])
            graph.op("take", f"shifted{number}", places=SHIFTED_ROWS, axis=2)
            if number < len(keys) - 1:
                self.add_mixed_columns(add, number)
            add("xor", f"keyed{number}", graph.last, key)
        add("xor", "cipher", graph.last, "plain")
        graph.op("float", "float")

    @staticmethod
    def add_mixed_columns(add, number):
        """Adds 2a + 3b + c + d for the bytes a, b, c, d of each column, from each one on."""
        state = add.graph.last
        turned = add("take", f"turned{number}", state, places=TURNED[1], axis=2)
        pair = add("xor", f"pair{number}", state, turned)
        others = add("take", f"other-pair{number}", pair, places=TURNED[2], axis=2)
        low = add("and", f"low{number}", add("shift-left", f"double{number}", pair, 1), 0xFF)
        carry = add("mul", f"carry{number}", add("shift-right", f"top-bit{number}", pair, 7), 0x1B)
        add("xor", f"doubled-pair{number}", low, carry)
        add("xor", f"and-next{number}", add.graph.last, turned)
        add("xor", f"mixed{number}", add.graph.last, others)

    def output(self, x, tensors):
        counters, plain = x.astype(int)
        box, keys = substitution_box(), round_keys(tensors["key"])
        state = counters ^ keys[0]
        for number, key in enumerate(keys[1:], 1):
            state = box[state].reshape(-1, 4, 4)
            state = np.stack([np.roll(state[:, :, row], -row, 1) for row in range(4)], 2)
            if number < len(keys) - 1:
                a, b, c, d = (np.roll(state, -by, 2) for by in range(4))
                state = doubled(a) ^ doubled(b) ^ b ^ c ^ d
            state = state.reshape(-1, 16) ^ key
        return (state ^ plain)[None]


# ---- Folders -------------------------------------------------------------------------------------


def leaves(of):
    """The kernels among the classes that follow from a class."""
    for kind in of.__subclasses__():
        yield from [kind()] if kind.name else leaves(kind)


KERNELS = {kernel.name: kernel for kernel in leaves(Kernel)}

SOURCES = {
    "gpu4s": "Written from the published description of GPU4S Bench; no code or data of it is copied.",
    "obpmark": "Written from the published description of OBPMark; no code or data of it is copied.",
}


def toml(value):
    """A value as TOML has it."""
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, list):
        items = ", ".join(toml(item) for item in value)
        if len(items) < 80:
            return f"[{items}]"
        return "[\n" + textwrap.fill(items, WIDTH, initial_indent="    ", subsequent_indent="    ") + "\n]"
    return repr(value)


def table(header, entries):
    """A table of TOML."""
    return "\n".join([header, *(f"{key} = {toml(value)}" for key, value in entries.items()), ""])


def workload_text(name, kernel, graph, shape, error):
    """The text of `workload.toml`."""
    about = {"name": name, "description": kernel.__doc__}
    drawn = "Inputs and stored tensors are drawn or computed by scripts/space_kernels.py."
    about["source"] = f"{SOURCES[kernel.suite]} {drawn}"
    if any(op["kind"] in ("relu", "max-pool") for op in graph.ops):
        about["relu_nan"] = "propagate"
    inputs = {"shape": list(shape), "dtype": kernel.dtype, "file": "inputs.npy"}
    tables = [
        "\n".join(f"{key} = {toml(value)}" for key, value in about.items()) + "\n",
        table("[weights]", {"file": "weights.safetensors"}),
        table("[inputs]", inputs),
        *(table("[[op]]", op) for op in graph.ops),
        table(f"# {kernel.why}\n[decision]", kernel.decision),
        table("[expected]", {"file": "expected.npy", "tolerance": error}),
    ]
    return "\n".join(tables)


def write(folder, kernel, inputs, tensors):
    """Writes the folder of a kernel over these inputs and tensors."""
    shape = inputs.shape[1:]
    graph = Graph()
    kernel.build(graph, shape, tensors)
    expected = np.array([kernel.output(x, tensors) for x in inputs]).astype(np.float32)
    largest = 1.0 if kernel.is_absolute else float(np.abs(expected).max())
    error = float(f"{kernel.tolerance * largest:.3g}")
    folder.mkdir(parents=True, exist_ok=True)
    text = workload_text(folder.name, kernel, graph, shape, error)
    (folder / "workload.toml").write_text(text, "utf-8")
    (folder / "weights.safetensors").write_bytes(save(graph.tensors))
    np.save(folder / "inputs.npy", np.ascontiguousarray(inputs))
    np.save(folder / "expected.npy", np.ascontiguousarray(expected))


def main():
    """Reads the arguments and writes the folders."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, default=Path(__file__).parent.parent / "kernels")
    parser.add_argument("--only", choices=KERNELS, metavar="NAME", help=f"one of {', '.join(KERNELS)}")
    meaning = "places of a signal, side of an image or matrix, blocks of AES"
    parser.add_argument("--size", type=int, help=meaning)
    arguments = parser.parse_args()
    if arguments.size and not arguments.only:
        parser.error("--size goes with --only: kernels differ in the sizes that they have")
    for kernel in [KERNELS[arguments.only]] if arguments.only else KERNELS.values():
        size = arguments.size or kernel.size
        if not kernel.fits(size):
            parser.error(f"there is no {kernel.name} of size {size}")
        random = np.random.default_rng([SEED, kernel.draw_number, *kernel.name.encode()])
        write(arguments.output / kernel.suite / kernel.name, kernel, *kernel.draw(random, size))


if __name__ == "__main__":
    main()
