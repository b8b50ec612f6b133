"""Tiny ONNX models, made when a test asks for them; nothing binary is kept in the tree."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FLOAT = TensorProto.FLOAT
INT64 = TensorProto.INT64
BOOL = TensorProto.BOOL
STRING = TensorProto.STRING


def _model(nodes, inputs, outputs, initializers=(), domains=()):
    graph = helper.make_graph(nodes, "g", inputs, outputs, list(initializers))
    opsets = [helper.make_opsetid("", 13)] + [helper.make_opsetid(d, 1) for d in domains]
    model = helper.make_model(graph, opset_imports=opsets)
    model.ir_version = 8
    return model


def _bytes(*args, **options):
    return _model(*args, **options).SerializeToString()


def _io(name, dtype, shape):
    return helper.make_tensor_value_info(name, dtype, shape)


def multiply():
    """c[N,2] = a[N,2] * b[N,2]"""
    return _bytes(
        [helper.make_node("Mul", ["a", "b"], ["c"])],
        [_io("a", FLOAT, ["N", 2]), _io("b", FLOAT, ["N", 2])],
        [_io("c", FLOAT, ["N", 2])],
    )


def doubler(rows="N"):
    """y[N,2] = 2 * x[N,2]"""
    two = numpy_helper.from_array(np.array([2], np.float32), "two")
    return _bytes(
        [helper.make_node("Mul", ["x", "two"], ["y"])],
        [_io("x", FLOAT, [rows, 2])],
        [_io("y", FLOAT, [rows, 2])],
        [two],
    )


def mlp(seed=0):
    """y[N,8] of x[N,64] through one hidden layer of 64"""
    rng = np.random.default_rng(seed)
    shapes = {"w1": (64, 64), "b1": (64,), "w2": (64, 8), "b2": (8,)}
    weights = [numpy_helper.from_array(rng.normal(size=s).astype(np.float32), n) for n, s in shapes.items()]
    return _bytes(
        [
            helper.make_node("Gemm", ["x", "w1", "b1"], ["h"]),
            helper.make_node("Relu", ["h"], ["r"]),
            helper.make_node("Gemm", ["r", "w2", "b2"], ["y"]),
        ],
        [_io("x", FLOAT, ["N", 64])],
        [_io("y", FLOAT, ["N", 8])],
        weights,
    )


def large(megabytes):
    """y = sum of x[1] * weights, which take so many megabytes"""
    weights = np.ones(megabytes * 1024 * 1024 // 4, np.float32)
    return _bytes(
        [helper.make_node("Mul", ["x", "w"], ["p"]), helper.make_node("ReduceSum", ["p"], ["y"], keepdims=0)],
        [_io("x", FLOAT, [1])],
        [_io("y", FLOAT, [])],
        [numpy_helper.from_array(weights, "w")],
    )


def sum_of_many():
    """y = the sum of n[1] zeros, which are all made before they are added up"""
    return _bytes(
        [helper.make_node("ConstantOfShape", ["n"], ["many"]), helper.make_node("ReduceSum", ["many"], ["y"], keepdims=0)],
        [_io("n", INT64, [1])],
        [_io("y", FLOAT, [])],
    )


def endless():
    """y[1] of x[1] after 2^63-1 turns of a loop: ends only when it is stopped"""
    body = helper.make_graph(
        [helper.make_node("Identity", ["go_in"], ["go_out"]), helper.make_node("Sin", ["v_in"], ["v_out"])],
        "body",
        [_io("i", INT64, []), _io("go_in", BOOL, []), _io("v_in", FLOAT, [1])],
        [_io("go_out", BOOL, []), _io("v_out", FLOAT, [1])],
    )
    return _bytes(
        [helper.make_node("Loop", ["times", "go", "x"], ["y"], body=body)],
        [_io("x", FLOAT, [1])],
        [_io("y", FLOAT, [1])],
        [
            numpy_helper.from_array(np.array(2**63 - 1, np.int64), "times"),
            numpy_helper.from_array(np.array(True), "go"),
        ],
    )


def identity(dtype, shape):
    """y = x, of any type"""
    return _bytes([helper.make_node("Identity", ["x"], ["y"])], [_io("x", dtype, shape)], [_io("y", dtype, shape)])


def wrong_batch():
    """y[1,2]: the first row of x[N,2], whatever N"""
    ints = {"from": [0], "to": [1], "axis": [0]}
    return _bytes(
        [helper.make_node("Slice", ["x", "from", "to", "axis"], ["y"])],
        [_io("x", FLOAT, ["N", 2])],
        [_io("y", FLOAT, [1, 2])],
        [numpy_helper.from_array(np.array(v, np.int64), n) for n, v in ints.items()],
    )


def no_rows():
    """y[0,2]: nothing of x[N,2]"""
    ints = {"from": [0], "to": [0], "axis": [0]}
    return _bytes(
        [helper.make_node("Slice", ["x", "from", "to", "axis"], ["y"])],
        [_io("x", FLOAT, ["N", 2])],
        [_io("y", FLOAT, ["M", 2])],
        [numpy_helper.from_array(np.array(v, np.int64), n) for n, v in ints.items()],
    )


def total():
    """y, without dimensions: the sum of x[N,2]"""
    return _bytes(
        [helper.make_node("ReduceSum", ["x"], ["y"], keepdims=0)], [_io("x", FLOAT, ["N", 2])], [_io("y", FLOAT, [])]
    )


def classifier():
    """label int64[N] and probabilities seq(map(int64, float)) of x[N,2], as scikit-learn's converters make them"""
    nodes = [
        helper.make_node(
            "LinearClassifier",
            ["x"],
            ["label", "scores"],
            domain="ai.onnx.ml",
            coefficients=[1.0, 0.0, 0.0, 1.0],
            intercepts=[0.0, 0.0],
            classlabels_ints=[0, 1],
            post_transform="NONE",
            multi_class=0,
        ),
        helper.make_node("ZipMap", ["scores"], ["probabilities"], domain="ai.onnx.ml", classlabels_int64s=[0, 1]),
    ]
    probabilities = helper.make_value_info(
        "probabilities",
        helper.make_sequence_type_proto(
            helper.make_map_type_proto(INT64, helper.make_tensor_type_proto(FLOAT, []))
        ),
    )
    return _bytes(
        nodes, [_io("x", FLOAT, ["N", 2])], [_io("label", INT64, ["N"]), probabilities], domains=["ai.onnx.ml"]
    )


def external_weights(path):
    """A model whose weights lie in a file of the server"""
    model = _model(
        [helper.make_node("Add", ["x", "w"], ["y"])],
        [_io("x", FLOAT, [2])],
        [_io("y", FLOAT, [2])],
        [numpy_helper.from_array(np.array([1, 2], np.float32), "w")],
    )
    weight = model.graph.initializer[0]
    weight.ClearField("raw_data")
    weight.data_location = TensorProto.EXTERNAL
    for key, value in {"location": str(path), "offset": "0", "length": "8"}.items():
        entry = weight.external_data.add()
        entry.key, entry.value = key, value
    return model.SerializeToString()


def with_long_tag(model):
    """The same model of external_weights, its field data_location under a tag that takes 33 bits"""

    def message(number, body):
        size, length = b"", len(body)
        while length >= 128:
            size, length = size + bytes([length & 127 | 128]), length >> 7
        return bytes([number << 3 | 2]) + size + bytes([length]) + body

    parsed = onnx.load_from_string(model)
    weight = parsed.graph.initializer[0]
    weight.ClearField("data_location")
    hidden = weight.SerializeToString() + b"\xf0\x80\x80\x80\x10\x01"
    parsed.graph.ClearField("initializer")
    graph = parsed.graph.SerializeToString() + message(5, hidden)
    parsed.ClearField("graph")
    return parsed.SerializeToString() + message(7, graph)


def of_two(operator, dtype, length=1):
    """y = operator(a, b), numbers of one type and number"""
    return _bytes(
        [helper.make_node(operator, ["a", "b"], ["y"])],
        [_io("a", dtype, [length]), _io("b", dtype, [length])],
        [_io("y", dtype, [length])],
    )
