#!/usr/bin/env python3
"""How many weight faults a second a plain PyTorch loop runs: flip one bit, run 128 inputs, classify, flip back.

    python3 scripts/pytorch-loop.py [SECONDS]

Needs torch and numpy. Compare with the rows "128 inputs, none" of `beamline bench --only trials` on the same machine.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch.nn import Conv2d, Flatten, Linear, MaxPool2d, ReLU, Sequential

KERNELS = Path(__file__).parent.parent / "kernels"
ROWS = 128


def tensors(path):
    """The f32 tensors of a safetensors file, by name."""
    raw = path.read_bytes()
    header = 8 + int.from_bytes(raw[:8], "little")
    entries = json.loads(raw[8:header])
    entries.pop("__metadata__", None)
    found = {}
    for name, entry in entries.items():
        begin, end = entry["data_offsets"]
        words = np.frombuffer(raw[header + begin : header + end], np.float32).copy()
        found[name] = torch.from_numpy(words.reshape(entry["shape"]))
    return found


def network(name):
    """The network of a workload with its weights, and the names of its layers."""
    if name == "digits-mlp":
        layers = {"fc1": Linear(64, 128), "r1": ReLU(), "fc2": Linear(128, 64), "r2": ReLU(), "fc3": Linear(64, 10)}
    else:
        layers = {
            "conv1": Conv2d(1, 16, 3, padding=1), "r1": ReLU(), "conv2": Conv2d(16, 32, 3, padding=1), "r2": ReLU(),
            "pool": MaxPool2d(2), "flat": Flatten(), "fc1": Linear(512, 80), "r3": ReLU(), "fc2": Linear(80, 10),
        }
    weights = tensors(KERNELS / name / "weights.safetensors")
    for layer, module in layers.items():
        for part, _ in module.named_parameters():
            setattr(module, part, torch.nn.Parameter(weights[f"{layer}.{part}"], requires_grad=False))
    return Sequential(*layers.values())


def outcome(golden, output):
    """DUE, masked, critical or tolerable for each input, as docs/model.md has them; the worst of all."""
    due = ~torch.isfinite(output).all(1)
    masked = (output.view(torch.int32) == golden.view(torch.int32)).all(1)
    critical = output.argmax(1) != golden.argmax(1)
    return torch.where(due, 3, torch.where(masked, 0, torch.where(critical, 2, 1))).max().item()


def rate(name, seconds, draws):
    """Trials a second, and how many ended in each outcome."""
    model = network(name)
    pixels = np.load(KERNELS / "digits-data" / "test_x.npy")[:ROWS]
    inputs = torch.from_numpy(pixels.reshape(ROWS, *((64,) if name == "digits-mlp" else (1, 8, 8))))
    words = [parameter.data.view(-1).view(torch.int32) for parameter in model.parameters()]
    sizes = np.array([len(part) for part in words])
    golden = model(inputs)
    counts, trials, started = [0, 0, 0, 0], 0, time.perf_counter()
    while (spent := time.perf_counter() - started) < seconds:
        at = int(draws.integers(sizes.sum()))
        part = int(np.searchsorted(sizes.cumsum(), at, side="right"))
        index, bit = at - int(sizes[:part].sum()), int(draws.integers(32))
        mask = int(np.int32(np.uint32(1 << bit).astype(np.int32)))
        words[part][index] ^= mask
        counts[outcome(golden, model(inputs))] += 1
        words[part][index] ^= mask
        trials += 1
    return trials / spent, dict(zip(("masked", "tolerable", "critical", "due"), counts))


def main():
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    draws = np.random.default_rng(1)
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads")
    with torch.no_grad():
        for name in ("digits-mlp", "digits-cnn"):
            rate(name, 1.0, draws)
            found, counts = rate(name, seconds, draws)
            print(f"{name}, {ROWS} inputs, one weight bit a trial: {found:.0f} trials/s, worst outcomes {counts}")


main()
