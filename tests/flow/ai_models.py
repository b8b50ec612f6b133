"""What the tests of AI.* share: models and a few words for commands."""

import pathlib
import sys

import numpy as np

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "data"))

import onnx_models  # noqa: E402,F401


def floats(values):
    return np.asarray(values, np.float32).tobytes()


def set_floats(client, key, shape, values):
    assert client.execute_command("AI.TENSORSET", key, "FLOAT", *shape, "BLOB", floats(values)) == b"OK"


def get_floats(client, key):
    return list(np.frombuffer(client.execute_command("AI.TENSORGET", key, "BLOB"), np.float32))


def store(client, key, blob, *options):
    return client.execute_command("AI.MODELSTORE", key, "ONNX", "CPU", *options, "BLOB", blob)


def execute(client, key, inputs, outputs, *options):
    return client.execute_command(
        "AI.MODELEXECUTE", key, "INPUTS", len(inputs), *inputs, "OUTPUTS", len(outputs), *outputs, *options
    )


def error_of(client, *command):
    """The text of the error that the command is answered with, as it comes over the wire."""
    import redis

    # A connection of its own, whose parser does not cut "ERR " off.
    connection = redis.Connection(host="127.0.0.1", port=client.connection_pool.connection_kwargs["port"])
    connection.connect()
    try:
        sock = connection._sock
        parts = [p if isinstance(p, bytes) else str(p).encode() for p in command]
        sock.sendall(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts))
        line = b""
        while not line.endswith(b"\r\n"):
            byte = sock.recv(1)
            assert byte, "the server closed the connection"
            line += byte
        assert line.startswith(b"-"), line
        return line[1:-2].decode()
    finally:
        connection.disconnect()
