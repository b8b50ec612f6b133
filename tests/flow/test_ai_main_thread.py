"""What AI.* costs the server's main thread: processor time as the kernel counts it, so that a busy machine does not
matter. Commands run one at a time here; test_ai_soak.py looks at all of them at once.
"""

import pathlib
import time

import pytest

from ai_models import execute, floats, onnx_models, set_floats, store

pytestmark = pytest.mark.alone

LIMIT_MS = 5
LARGE = 4  # MB


def main_thread_ms(server):
    return int(pathlib.Path(f"/proc/{server.pid}/task/{server.pid}/schedstat").read_text().split()[0]) / 1e6


def cost_ms(server, client, command):
    """What the main thread spends on the command, from its arrival until the callbacks after its answer are over."""
    client.ping()
    before = main_thread_ms(server)
    command()
    client.ping()
    return main_thread_ms(server) - before


def cost_once_received_ms(server, client, *words):
    """The same without receiving the command: its last byte comes after all others have been read."""
    connection = client.connection_pool.get_connection()
    bytes_ = b"".join(connection.pack_command(*words))
    connection._sock.sendall(bytes_[:-1])
    before = -1000
    while main_thread_ms(server) - before > 2:  # what its own timers take in the meantime
        before = main_thread_ms(server)
        time.sleep(0.2)
    connection._sock.sendall(bytes_[-1:])
    assert connection.read_response() == b"OK"
    client.connection_pool.release(connection)
    client.ping()
    return main_thread_ms(server) - before


@pytest.fixture
def ready(client):
    store(client, "small", onnx_models.doubler())
    store(client, "mlp", onnx_models.mlp())
    set_floats(client, "x", [20_000, 2], [1] * 40_000)
    set_floats(client, "row", [1, 64], [1] * 64)
    return client


def test_commands_on_tensors_of_160_kb_are_short(ready, server):
    blob = floats([1] * 40_000)
    commands = {
        "TENSORSET": lambda: ready.execute_command("AI.TENSORSET", "y", "FLOAT", 20_000, 2, "BLOB", blob),
        "TENSORGET": lambda: ready.execute_command("AI.TENSORGET", "x", "BLOB"),
        "MODELEXECUTE": lambda: execute(ready, "small", ["x"], ["y"]),
        "PREDICT": lambda: ready.execute_command("AI.PREDICT", "small", "INPUTS", 1, "KEY", "x"),
        "DAGEXECUTE": lambda: ready.execute_command(
            *"AI.DAGEXECUTE LOAD 1 x PERSIST 1 y |> AI.MODELEXECUTE small INPUTS 1 x OUTPUTS 1 y".split()
        ),
        "INFO": lambda: ready.info("everything"),
        "MODELSTORE": lambda: store(ready, "mlp", onnx_models.mlp()),
        "SCAN": lambda: ready.execute_command("AI._MODELSCAN"),
    }
    costs = {name: max(cost_ms(server, ready, command) for _ in range(20)) for name, command in commands.items()}
    print(costs)
    assert {name: cost for name, cost in costs.items() if cost > LIMIT_MS} == {}


def large_model_costs(server, client, blob):
    words = ("AI.MODELSTORE", "large", "ONNX", "CPU", "BLOB", blob)
    costs = {
        "stored": cost_once_received_ms(server, client, *words),
        "copied": cost_ms(server, client, lambda: client.copy("large", "twin")),
        "deleted": cost_ms(server, client, lambda: client.delete("twin")),
        "replaced": cost_ms(server, client, lambda: store(client, "large", onnx_models.doubler())),
    }
    client.execute_command(*words)
    costs["flushed"] = cost_ms(server, client, client.flushall)
    return costs


def test_large_models_are_built_copied_and_freed_elsewhere(ready, server):
    ready.config_set("save", "")  # FLUSHALL would write a dump
    blob = onnx_models.large(LARGE)
    rounds = [large_model_costs(server, ready, blob) for _ in range(3)]
    costs = {name: min(round_[name] for round_ in rounds) for name in rounds[0]}  # what is ours comes every time
    print(costs)
    assert {name: cost for name, cost in costs.items() if cost > LIMIT_MS} == {}
