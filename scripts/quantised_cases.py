"""Writes the ONNX cases of quantised operators below tests/onnx: models of a few nodes over random numbers,
with outputs of onnxruntime without graph optimisation.

    pip install numpy onnx onnxruntime
    python3 scripts/quantised_cases.py tests/onnx
"""

import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

draws = np.random.default_rng(0)
node = helper.make_node
QUANTIZE = node("QuantizeLinear", ["x", "xs", "xz"], ["q"])
DEQUANTIZE = node("DequantizeLinear", ["q", "xs", "xz"], ["xd"])


def numbers(dtype, shape):
    """Random numbers of a type of 8 bits."""
    info = np.iinfo(dtype)
    return draws.integers(info.min, info.max, shape, dtype, endpoint=True)


def write(folder, name, nodes, shape, tensors):
    """Writes a model of one input `x` of this shape and one output `y`, and what onnxruntime makes of it."""
    scaled = {"xs": np.float32(0.02)} | tensors
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, *shape])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(tensor), key) for key, tensor in scaled.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    case = folder / name
    case.mkdir(exist_ok=True)
    onnx.save(model, case / "model.onnx")
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(str(case / "model.onnx"), options, ["CPUExecutionProvider"])
    x = draws.normal(scale=2, size=(3, *shape)).astype(np.float32)
    np.save(case / "input.npy", x)
    np.save(case / "output.npy", session.run(None, {"x": x})[0])


def main(folder):
    scales = draws.uniform(0.005, 0.03, 6).astype(np.float32)
    for dtype in (np.int8, np.uint8):
        own = {"xz": dtype(5)}
        name = np.dtype(dtype).name
        axis = {"xs": np.float32([0.02, 0.05, 0.01]), "xz": dtype([3, 0, 9])}
        pair = [QUANTIZE, node("DequantizeLinear", ["q", "xs", "xz"], ["y"], axis=1)]
        pair[0] = node("QuantizeLinear", ["x", "xs", "xz"], ["q"], axis=1)
        write(folder, f"Quantize_{name}", pair, (3, 4), axis)
        conv = dict(kernel_shape=[3, 2], pads=[1, 0, 2, 1], strides=[2, 1], dilations=[1, 2], group=3)
        inputs = ["q", "xs", "xz", "w", "ws", "wz", "ys", "yz", "b"]
        out = node("DequantizeLinear", ["c", "ys", "yz"], ["y"])
        tensors = {
            "w": numbers(np.int8, (6, 1, 3, 2)), "ws": scales, "wz": np.zeros(6, np.int8),
            "ys": np.float32(0.05), "yz": dtype(2), "b": draws.integers(-500, 500, 6, np.int32),
        }
        nodes = [QUANTIZE, node("QLinearConv", inputs, ["c"], **conv), out]
        write(folder, f"QLinearConv_{name}", nodes, (3, 7, 6), own | tensors)
        cast = node("Cast", ["i"], ["y"], to=TensorProto.FLOAT)
        nodes = [QUANTIZE, node("MatMulInteger", ["q", "w", "xz", "wz"], ["i"]), cast]
        tensors = {"w": numbers(np.uint8, (6, 7)), "wz": np.uint8(3)}
        write(folder, f"MatMulInteger_{name}", nodes, (5, 6), own | tensors)
        # Floats of quantised weights and biases.
        weight = node("DequantizeLinear", ["w", "ws", "wz"], ["wd"], axis=0)
        bias = node("DequantizeLinear", ["b", "bs"], ["bd"], axis=0)
        tensors = {
            "w": numbers(np.int8, (6, 3, 3, 3)), "ws": scales, "wz": np.zeros(6, np.int8),
            "b": draws.integers(-900, 900, 6, np.int32), "bs": np.float32(0.02) * scales,
        }
        nodes = [QUANTIZE, DEQUANTIZE, weight, bias, node("Conv", ["xd", "wd", "bd"], ["y"], pads=[1] * 4)]
        write(folder, f"Conv_of_{name}", nodes, (3, 7, 6), own | tensors)
        nodes[-1] = node("Gemm", ["xd", "wd", "bd"], ["y"], transB=1)
        write(folder, f"Gemm_of_{name}", nodes, (8,), own | tensors | {"w": numbers(np.int8, (6, 8))})
    own = {"xz": np.uint8(5)}
    tensors = own | {"w": numbers(np.uint8, (4, 3, 3, 3)), "wz": np.uint8(7)}
    nodes = [QUANTIZE, node("ConvInteger", ["q", "w", "xz", "wz"], ["i"], pads=[1] * 4), cast]
    write(folder, "ConvInteger", nodes, (3, 7, 6), tensors)
    inputs = ["q", "xs", "xz", "w", "ws", "wz", "ys", "yz"]
    nodes = [QUANTIZE, node("QLinearMatMul", inputs, ["c"]), out]
    tensors = own | {"ws": np.float32(0.01), "ys": np.float32(0.04), "yz": np.uint8(7)}
    weights = {"w": numbers(np.int8, (6, 7)), "wz": np.int8(0)}
    write(folder, "QLinearMatMul", nodes, (5, 6), tensors | weights)
    # A product of two values.
    turned = node("Transpose", ["q"], ["w"], perm=[0, 2, 1])
    nodes = [QUANTIZE, turned, node("QLinearMatMul", inputs, ["c"]), out]
    write(folder, "QLinearMatMul_of_values", nodes, (5, 6), tensors | {"wz": np.uint8(5)})


main(Path(sys.argv[1]))
