#!/usr/bin/env python3
"""Writes the networks that read digits in other number types beside kernels/digits-mlp and digits-cnn.

    pip install numpy safetensors
    python3 scripts/digits_types.py          # kernels/digits-{mlp,cnn}-{f16,bf16,i8}

f16 and bf16 round the weights of the network to nearest, ties to even; arithmetic stays that of F32. i8 quantises
it as ONNX has it: weights with a scale for each output, activations with one scale, both from the largest number
among the first 128 inputs; sums are whole numbers. Expected outputs are computed here in numpy.
"""

from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save

KERNELS = Path(__file__).parent.parent / "kernels"
CALIBRATION = 128
LAYERS = {"digits-mlp": ["fc1", "fc2", "fc3"], "digits-cnn": ["conv1", "conv2", "fc1", "fc2"]}


def windows(x):
    """The 3 × 3 windows of images (input, channel, row, column) with zeros around, as rows of their taps."""
    around = np.pad(x, [(0, 0), (0, 0), (1, 1), (1, 1)])
    taps = np.lib.stride_tricks.sliding_window_view(around, (3, 3), (2, 3))
    return taps.transpose(0, 2, 3, 1, 4, 5).reshape(*x.shape[:1], *x.shape[2:], -1)


def product(layer, x, weight):
    """What a layer sums: linear over features, or a convolution over windows."""
    if layer.startswith("conv"):
        return (windows(x) @ weight.reshape(len(weight), -1).T).transpose(0, 3, 1, 2)
    return x @ weight.T


def by_output(layer, tensor):
    """A number for each output, as it broadcasts over the outputs of a layer."""
    return tensor[:, None, None] if layer.startswith("conv") else tensor


def pooled(x):
    """The largest of each block of 2 × 2."""
    return x.reshape(*x.shape[:2], x.shape[2] // 2, 2, x.shape[3] // 2, 2).max((3, 5))


def between(network, layer, x):
    """What lies between a layer and the next one, after its ReLU."""
    if network == "digits-cnn" and layer == "conv2":
        return pooled(x).reshape(len(x), -1)
    return x


def forward(network, x, layer_of):
    """The outputs of a network; `layer_of` gives those of one layer, after its ReLU but for the last one."""
    outputs = {}
    for layer in LAYERS[network]:
        x = layer_of(layer, x)
        outputs[layer] = x
        x = between(network, layer, x)
    return outputs


def inputs(network):
    """All inputs in the shape that the network reads."""
    x = np.load(KERNELS / "digits-data/test_x.npy")
    return x.reshape(-1, 1, 8, 8) if network == "digits-cnn" else x


def of_floats(network, tensors, dtype=np.float64):
    """A function that computes a layer in floats."""

    def layer_of(layer, x):
        weight, bias = (tensors[f"{layer}.{part}"].astype(dtype) for part in ["weight", "bias"])
        y = product(layer, x.astype(dtype), weight) + by_output(layer, bias)
        return y if layer == LAYERS[network][-1] else np.maximum(y, 0)

    return layer_of


def bf16(array):
    """The upper halves of floats, rounded to nearest, ties to even."""
    bits = array.view(np.uint32)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(np.uint16)


def quantised(network, tensors):
    """The tensors of the network in whole numbers, with scales and zero points."""
    x = inputs(network)[:CALIBRATION]
    largest = {layer: float(np.abs(y).max()) for layer, y in forward(network, x, of_floats(network, tensors)).items()}
    one = lambda value, dtype: np.array([value], dtype)  # noqa: E731
    made = {"input.scale": one(float(x.max()) / 255, np.float32), "input.zero": one(0, np.uint8)}
    scale = made["input.scale"]
    for layer in LAYERS[network]:
        weight, bias = tensors[f"{layer}.weight"], tensors[f"{layer}.bias"]
        scales = np.abs(weight.reshape(len(weight), -1)).max(1) / np.float32(127)
        each = scales.reshape(-1, *[1] * (weight.ndim - 1))
        made[f"{layer}.weight"] = np.rint(weight / each).clip(-127, 127).astype(np.int8)
        made[f"{layer}.weight_scale"] = scales.astype(np.float32)
        made[f"{layer}.weight_zero"] = one(0, np.int8)
        made[f"{layer}.bias"] = np.rint(bias / (scale * scales)).astype(np.int32)
        last = layer == LAYERS[network][-1]
        scale = one(largest[layer] / (127 if last else 255), np.float32)
        made[f"{layer}.scale"] = scale
        made[f"{layer}.zero"] = one(0, np.int8 if last else np.uint8)
    return made


def rounded(x, scale, zero):
    """The quantised numbers nearest to floats."""
    info = np.iinfo(zero.dtype)
    return (np.rint(x / scale) + zero.astype(np.float32)).clip(info.min, info.max).astype(zero.dtype)


def of_integers(network, made):
    """A function that computes a layer in whole numbers."""
    before = {layer: before for before, layer in zip(["input", *LAYERS[network]], LAYERS[network])}

    def layer_of(layer, x):
        sums = product(layer, x.astype(np.int64), made[f"{layer}.weight"].astype(np.int64))
        sums = sums + by_output(layer, made[f"{layer}.bias"].astype(np.int64))
        factor = made[f"{before[layer]}.scale"] * made[f"{layer}.weight_scale"] / made[f"{layer}.scale"]
        y = sums.astype(np.float32) * by_output(layer, factor)
        return rounded(y, np.float32(1), made[f"{layer}.zero"])

    return layer_of


def ops_of_integers(network):
    """The ops of the quantised network."""
    tensor = lambda *names: {name.split(".")[-1]: name for name in names}  # noqa: E731
    ops = [("quantised", "quantize", {"scale": "input.scale", "zero": "input.zero"})]
    before = "input"
    for layer in LAYERS[network]:
        kind = "conv2d-integer" if layer.startswith("conv") else "linear-integer"
        fields = tensor(f"{layer}.weight", f"{layer}.weight_zero") | {"input_zero": f"{before}.zero"}
        ops.append((layer, kind, fields | ({"padding": 1} if layer.startswith("conv") else {})))
        fields = {"input_scale": f"{before}.scale", "output_scale": f"{layer}.scale"}
        fields |= tensor(f"{layer}.weight_scale", f"{layer}.zero", f"{layer}.bias")
        ops.append((f"{layer}-quantised", "requantize", fields))
        if network == "digits-cnn" and layer == "conv2":
            ops += [("pool", "max-pool", {"size": 2}), ("flatten", "flatten", {})]
        before = layer
    return ops + [("logits", "dequantize", {"scale": f"{before}.scale", "zero": f"{before}.zero"})]


def write(network, suffix, text, tensors, outputs, how):
    """Writes the folder of a network in another type."""
    folder = KERNELS / f"{network}-{suffix}"
    folder.mkdir(exist_ok=True)
    labels = np.load(KERNELS / "digits-data/test_y.npy")
    head, rest = text.split("relu_nan", 1)
    head = head.replace(f'name = "{network}"', f'name = "{network}-{suffix}"').replace('"""\nWeights', f'"""\n{how} Weights')
    body, end = rest.split("# The logits of PyTorch on a CPU.")
    end = '[expected]\nfile = "expected.npy"\ntolerance = 1e-4\n' + f"correct = {(outputs.argmax(1) == labels).sum()}\n"
    (folder / "workload.toml").write_text(f"{head}relu_nan{body}{end}", "utf-8")
    (folder / "weights.safetensors").write_bytes(tensors)
    np.save(folder / "expected.npy", outputs.astype(np.float32))
    print(f"{network}-{suffix}: {(outputs.argmax(1) == labels).sum()} of {len(labels)} right")


def safetensors_of_bf16(tensors):
    """A file of tensors of bf16, which numpy has no type for: written as u16 under another name."""
    data = save({name: bf16(tensor) for name, tensor in tensors.items()})
    length = int.from_bytes(data[:8], "little")
    header = data[8 : 8 + length].replace(b'"U16"', b'"BF16"').rstrip()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + data[8 + length :]


def main():
    for network in LAYERS:
        text = (KERNELS / network / "workload.toml").read_text("utf-8")
        tensors = load_file(KERNELS / network / "weights.safetensors")
        x, last = inputs(network), LAYERS[network][-1]
        halves = {name: tensor.astype(np.float16) for name, tensor in tensors.items()}
        outputs = forward(network, x, of_floats(network, halves))[last]
        how = "The network of kernels/{} with its weights {}, by scripts/digits_types.py."
        write(network, "f16", text, save(halves), outputs, how.format(network, "rounded to f16"))
        wide = {name: (bf16(tensor).astype(np.uint32) << 16).view(np.float32) for name, tensor in tensors.items()}
        outputs = forward(network, x, of_floats(network, wide))[last]
        data = safetensors_of_bf16(tensors)
        write(network, "bf16", text, data, outputs, how.format(network, "rounded to bf16"))
        made = quantised(network, tensors)
        first = rounded(x, made["input.scale"], made["input.zero"])
        numbers = forward(network, first, of_integers(network, made))[last]
        outputs = numbers.astype(np.float32) * made[f"{last}.scale"]
        ops = "".join(
            "[[op]]\n" + "".join(
                f"{key} = {value if isinstance(value, int) else chr(34) + value + chr(34)}\n"
                for key, value in {"name": name, "kind": kind, **fields}.items()
            ) + "\n"
            for name, kind, fields in ops_of_integers(network)
        )
        before, after = text.split("[[op]]", 1)[0], "[decision]" + text.split("[decision]", 1)[1]
        how = how.format(network, "and activations quantised to 8 bits")
        write(network, "i8", before + ops + after, save(made), outputs, how)


if __name__ == "__main__":
    main()
