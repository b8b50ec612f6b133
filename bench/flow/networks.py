"""The networks that the flow benches run, and the same run without a server."""

import json
import subprocess

import numpy as np
import onnx
from measure import servers


def network(widths, rows=1):
    """A dense ONNX network with relus between, such as [64, 64, 8]: input x, output y, weights of a fixed seed.

    rows: of the input; a name ("n") leaves them open, as batches need.
    """
    rng = np.random.default_rng(1)
    node, value = onnx.helper.make_node, onnx.helper.make_tensor_value_info
    nodes, weights, last = [], [], "x"
    for i, (wide_in, wide_out) in enumerate(zip(widths, widths[1:])):
        if i > 0:
            nodes.append(node("Relu", [last], [f"r{i}"]))
            last = f"r{i}"
        for name, shape in ((f"w{i}", (wide_in, wide_out)), (f"b{i}", (wide_out,))):
            weights.append(onnx.numpy_helper.from_array(rng.standard_normal(shape).astype(np.float32), name))
        out = "y" if i == len(widths) - 2 else f"h{i}"
        nodes.append(node("Gemm", [last, f"w{i}", f"b{i}"], [out]))
        last = out
    graph = onnx.helper.make_graph(
        nodes,
        "dense",
        [value("x", onnx.TensorProto.FLOAT, [rows, widths[0]])],
        [value("y", onnx.TensorProto.FLOAT, [rows, widths[-1]])],
        weights,
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    return model.SerializeToString()


def in_process(folder, blob, rows=1):
    """One run in a single thread without a server: {"p50_us", "mean_us", "cpu_us"}; None when it is not built."""
    program = servers.BUILD / "bin" / "redoubt_model_run_bench"
    if not program.exists():
        return None
    path = folder / "network.onnx"
    path.write_bytes(blob)
    command = [program, path, servers.BUILD / "lib" / "backends", str(rows)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
