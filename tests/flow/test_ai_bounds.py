"""What one client may cost the others: memory, time of the loader, devices, operations of a DAG."""

import threading
import time

import numpy as np
import pytest
import redis

from ai_models import error_of, execute, get_floats, onnx_models, set_floats, store
from servers import BUILD, eventually

# A backend whose model "hang" never loads: tests/backends/dying_backend.cc.
DYING = ["BACKENDSPATH", BUILD / "lib" / "test" / "backends"]


def predict_sum(client, count):
    """AI.PREDICT of a model that makes `count` floats on its way to their sum."""
    return client.execute_command(
        "AI.PREDICT", "sum", "INPUTS", 1, "TENSOR", "INT64", 1, "BLOB", np.array([count], np.int64).tobytes()
    )


def test_a_run_does_not_empty_a_full_cache(start_server, engine):
    server = start_server(config={"maxmemory": "100mb", "maxmemory-policy": "allkeys-lru"})
    with server.client() as client:
        store(client, "sum", onnx_models.sum_of_many())
        for i in range(1000):
            client.set(f"key:{i}", bytes(60_000))
        before = client.dbsize()
        assert before > 500
        with pytest.raises(redis.ResponseError, match="Onnxruntime memory limit exceeded"):
            predict_sum(client, 100_000_000)
        assert client.dbsize() > before / 2
        # What is small has room at the cost of a few keys.
        assert predict_sum(client, 1000)[0][3] == []
        client.config_set("maxmemory", 0)
        time.sleep(0.2)
        assert predict_sum(client, 10_000_000)[0][3] == []


def test_a_model_that_never_loads_keeps_nobody_waiting(start_server, engine):
    server = start_server(config={"ai.load-timeout": 1}, module_args=DYING)
    with server.client() as client:
        answers = []

        def store_hanging():
            with server.client() as other:
                answers.append(error_of(other, "AI.MODELSTORE", "never", "TFLITE", "CPU", "BLOB", "hang"))

        waiting = threading.Thread(target=store_hanging)
        waiting.start()
        time.sleep(0.2)
        assert client.execute_command("AI.MODELSTORE", "m", "TFLITE", "CPU", "BLOB", "good") == b"OK"
        waiting.join()
        assert answers == ["ERR loading took longer than 1000 ms (ai.load-timeout) and was given up"]
        assert not client.exists("never")
        assert client.delete("m") == 1


def test_devices_are_bounded(client):
    set_floats(client, "x", [1, 2], [1, 2])
    for i in range(64):
        client.execute_command("AI.MODELSTORE", f"m{i}", "ONNX", f"CPU:{i}", "BLOB", onnx_models.doubler())
        assert execute(client, f"m{i}", ["x"], ["y"]) == b"OK"
    # Another name of the same device is no other device.
    client.execute_command("AI.MODELSTORE", "same", "ONNX", "cpu:007", "BLOB", onnx_models.doubler())
    assert execute(client, "same", ["x"], ["y"]) == b"OK"
    client.execute_command("AI.MODELSTORE", "more", "ONNX", "CPU:64", "BLOB", onnx_models.doubler())
    text = error_of(client, "AI.MODELEXECUTE", "more", "INPUTS", 1, "x", "OUTPUTS", 1, "z")
    assert text == "ERR Could not initialize queue on device CPU:64: 64 devices have one already, which is the limit"
    assert get_floats(client, "y") == [2, 4]


def test_the_operations_of_a_dag_are_bounded(client):
    operation = ["|>", "AI.TENSORSET", "x", "FLOAT", 1, "VALUES", 1]
    text = error_of(client, "AI.DAGEXECUTE", "ROUTING", "k", *operation * 1001)
    assert text == "ERR the DAG has 1001 operations, at most 1000 are allowed"
    assert client.execute_command("AI.DAGEXECUTE", "ROUTING", "k", *operation * 1000) == [b"OK"] * 1000


def test_a_large_tensor_is_copied_aside(client, server):
    large = np.arange(2_000_000, dtype=np.float32).tobytes()  # 8 MB
    assert client.execute_command("AI.TENSORSET", "t", "FLOAT", 1000, 2000, "BLOB", large) == b"OK"
    assert client.execute_command("AI.TENSORGET", "t", "BLOB") == large
    assert client.execute_command("AI.TENSORGET", "t", "META") == [b"dtype", b"FLOAT", b"shape", [1000, 2000]]
    flags = b"\x02" * 5_000_000
    text = error_of(client, "AI.TENSORSET", "t", "BOOL", 5_000_000, "BLOB", flags)
    assert text == "ERR BOOL tensor elements must be 0 or 1"
    client.set("word", "x")
    text = error_of(client, "AI.TENSORSET", "word", "FLOAT", 1000, 2000, "BLOB", large)
    assert text == "WRONGTYPE Operation against a key holding the wrong kind of value"
    # Where nobody can wait it is copied at once.
    with client.pipeline(transaction=True) as pipe:
        pipe.execute_command("AI.TENSORSET", "u", "FLOAT", 2_000_000, "BLOB", large)
        pipe.execute_command("AI.TENSORGET", "u", "META")
        assert pipe.execute()[0] == b"OK"
    # In the order in which they were sent.
    with client.pipeline(transaction=False) as pipe:
        pipe.execute_command("AI.TENSORSET", "v", "FLOAT", 2_000_000, "BLOB", large)
        pipe.execute_command("AI.TENSORSET", "v", "FLOAT", 1, "VALUES", 5)
        pipe.execute()
    assert get_floats(client, "v") == [5]


def test_replicas_get_what_was_copied_aside(start_server, engine):
    primary = start_server()
    replica = start_server(config={"replicaof": f"127.0.0.1 {primary.port}"})
    large = bytes(range(256)) * 40_000
    with primary.client() as client, replica.client() as reader:
        assert eventually(lambda: client.wait(1, 100) == 1)
        client.execute_command("AI.TENSORSET", "t", "UINT8", len(large), "BLOB", large)
        client.wait(1, 5000)
        assert reader.execute_command("AI.TENSORGET", "t", "BLOB") == large
