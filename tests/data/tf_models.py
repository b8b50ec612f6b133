"""Tiny TensorFlow graphs, written field by field when a test asks for them: no TensorFlow is needed for that.

Field numbers are those of graph.proto, node_def.proto, attr_value.proto, tensor.proto and saved_model.proto.
"""

import gzip
import io
import tarfile

import numpy as np

FLOAT, INT32, STRING, INT64, BFLOAT16 = 1, 3, 7, 9, 14


def _varint(value):
    value &= (1 << 64) - 1
    out = b""
    while value >= 0x80:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def number(field, value):
    return _varint(field << 3) + _varint(value)


def field(field_number, content):
    content = content.encode() if isinstance(content, str) else content
    return _varint(field_number << 3 | 2) + _varint(len(content)) + content


def shape(dims):
    return b"".join(field(2, number(1, d)) for d in dims)


def attribute(name, value):
    return field(5, field(1, name) + field(2, value))


def typed(**types):
    return b"".join(attribute(name, number(6, value)) for name, value in types.items())


def node(name, op, inputs=(), attributes=b""):
    return field(1, field(1, name) + field(2, op) + b"".join(field(3, i) for i in inputs) + attributes)


def placeholder(name, dtype, dims=None):
    dims = b"" if dims is None else attribute("shape", field(7, shape(dims)))
    return node(name, "Placeholder", (), typed(dtype=dtype) + dims)


def const(name, array):
    array = np.asarray(array)
    if array.dtype.kind in "SUO":
        strings = [s.encode() if isinstance(s, str) else s for s in array.ravel()]
        dtype, content = STRING, b"".join(field(8, s) for s in strings)
    else:
        dtype = {"float32": FLOAT, "int32": INT32, "int64": INT64}[str(array.dtype)]
        content = field(4, array.tobytes())
    tensor = number(1, dtype) + field(2, shape(array.shape)) + content
    return node(name, "Const", (), typed(dtype=dtype) + attribute("value", field(8, tensor)))


def graph(*nodes):
    return b"".join(nodes) + field(4, number(1, 1000))


def multiply():
    """mul[N,2] = a[N,2] * b[N,2]"""
    return graph(
        placeholder("a", FLOAT, [-1, 2]), placeholder("b", FLOAT, [-1, 2]), node("mul", "Mul", ["a", "b"], typed(T=FLOAT))
    )


def fraud(seed=0):
    """output[N,2] of transaction[N,30] and reference[N,256]: one hidden layer of 32 and a softmax, as the model that
    RedisAI's own benchmark ran; also the weights, for the test's own sum"""
    rng = np.random.default_rng(seed)
    weights = {"w1": (286, 32), "b1": (32,), "w2": (32, 2), "b2": (2,)}
    weights = {name: (rng.normal(size=size) / 10).astype(np.float32) for name, size in weights.items()}
    t = typed(T=FLOAT)
    blob = graph(
        placeholder("transaction", FLOAT, [-1, 30]),
        placeholder("reference", FLOAT, [-1, 256]),
        *(const(name, array) for name, array in weights.items()),
        const("axis", np.int32(1)),
        node("all", "ConcatV2", ["transaction", "reference", "axis"], t + typed(Tidx=INT32) + attribute("N", number(3, 2))),
        node("m1", "MatMul", ["all", "w1"], t),
        node("a1", "BiasAdd", ["m1", "b1"], t),
        node("r1", "Relu", ["a1"], t),
        node("m2", "MatMul", ["r1", "w2"], t),
        node("a2", "BiasAdd", ["m2", "b2"], t),
        node("output", "Softmax", ["a2"], t),
    )
    return blob, weights


def fraud_by_hand(weights, transaction, reference):
    hidden = np.maximum(np.concatenate([transaction, reference], 1) @ weights["w1"] + weights["b1"], 0)
    logits = hidden @ weights["w2"] + weights["b2"]
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def identity(dtype):
    """y = x"""
    return graph(placeholder("x", dtype), node("y", "Identity", ["x"], typed(T=dtype)))


def other_batch():
    """y[1,2] whatever the number of rows in x[N,2]"""
    return graph(
        placeholder("x", FLOAT, [-1, 2]),
        const("axis", np.int32(0)),
        node("y", "Sum", ["x", "axis"], typed(T=FLOAT, Tidx=INT32) + attribute("keep_dims", number(5, 1))),
    )


def endless():
    """y of the scalar x after a loop that ends only when it is stopped"""
    t = typed(T=FLOAT)

    def enter(constant):
        return t + attribute("frame_name", field(2, "loop")) + attribute("is_constant", number(5, constant))

    return graph(
        placeholder("x", FLOAT, []),
        const("big", np.float32(1e30)),
        node("enter", "Enter", ["x"], enter(0)),
        node("limit", "Enter", ["big"], enter(1)),
        node("merge", "Merge", ["enter", "next"], t + attribute("N", number(3, 2))),
        node("less", "Less", ["merge", "limit"], t),
        node("go", "LoopCond", ["less"]),
        node("switch", "Switch", ["merge", "go"], t),
        node("sin", "Sin", ["switch:1"], t),
        node("next", "NextIteration", ["sin"], t),
        node("y", "Exit", ["switch"], t),
    )


def read_file(path):
    """y = the content of a file of the server"""
    return graph(const("path", np.array(str(path))), node("y", "ReadFile", ["path"]))


def _signature(inputs, outputs):
    def tensors(number_of_field, rows):
        return b"".join(
            field(number_of_field, field(1, key) + field(2, field(1, tensor) + number(2, dtype) + field(3, shape(dims))))
            for key, (tensor, dtype, dims) in rows.items()
        )

    return tensors(1, inputs) + tensors(2, outputs) + field(3, "tensorflow/serving/predict")


def saved_model_pb(graph_def, inputs, outputs, tag="serve"):
    meta = field(1, field(4, tag)) + field(2, graph_def)
    meta += field(5, field(1, "serving_default") + field(2, _signature(inputs, outputs)))
    return number(1, 1) + field(2, meta)


def tar(files, compress=True):
    """A tar archive of {name: content}, as `tar -cz` makes one."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return gzip.compress(buffer.getvalue()) if compress else buffer.getvalue()


def saved_model(**options):
    """product[N,2] = first[N,2] * second[N,2]: keys of a signature over the tensors of multiply()"""
    rows = {"first": ("a:0", FLOAT, [-1, 2]), "second": ("b:0", FLOAT, [-1, 2])}
    pb = saved_model_pb(multiply(), rows, {"product": ("mul:0", FLOAT, [-1, 2])})
    return tar({"./saved_model.pb": pb}, **options)
