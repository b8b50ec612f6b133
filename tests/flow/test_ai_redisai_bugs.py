"""Faults that RedisAI had, a test for each, so that ours never has them.

Some have their test where they belong:
  sizes that overflow, shapes of terabytes            test_ai_tensor.py  test_shapes_that_overflow_or_take_too_much...
  zeros beyond maxmemory                              test_ai_tensor.py  test_zeros_do_not_outgrow_maxmemory
  the last byte of a BOOL blob, empty STRING blobs    test_ai_tensor.py  test_errors_are_those_of_redisai
  negative integers refused                           test_ai_tensor.py  test_integers_keep_to_their_range
  the times of a DAG (none, zero, less)               test_ai_dag.py     test_errors_are_those_of_redisai
  DAGs that lock each other over two devices          test_ai_dag_live.py  test_dags_that_meet_in_batches_of_two...
  a dump whose model cannot be built                  test_ai_persistence.py  test_a_model_that_cannot_be_built...
  ranks and shapes of a file that lie                 test_ai_persistence.py  test_damaged_payloads..., rdb_test.cc
  a tensor moved to a device and thrown away          backend_test.cc (TorchBackendTest, RefusesAGpu)
  outputs of a script that are no keys                test_ai_script_execute.py  test_all_keys_of_a_call_are_known...
"""

import pathlib
import socket
import subprocess
import time

import pytest

from ai_dag import Later, queue
from ai_models import error_of, execute, floats, get_floats, onnx_models, set_floats, store
from servers import BUILD, eventually

import tf_models


def torch_model(name):
    return (BUILD / "share" / "test-models" / "torch" / f"{name}.pt").read_bytes()


def execute_later(server, key, inputs, outputs, *options):
    words = ("INPUTS", len(inputs), *inputs, "OUTPUTS", len(outputs), *outputs, *options)
    return Later(server, "AI.MODELEXECUTE", key, *words)


# ---- tensors ----


@pytest.mark.asan
def test_empty_strings_at_both_ends_are_kept(client):
    for values in ([""], ["", ""], ["", "a", ""]):
        client.execute_command("AI.TENSORSET", "t", "STRING", len(values), "VALUES", *values)
        assert client.execute_command("AI.TENSORGET", "t", "VALUES") == [v.encode() for v in values]
        blob = b"".join(v.encode() + b"\0" for v in values)
        client.execute_command("AI.TENSORSET", "t", "STRING", len(values), "BLOB", blob)
        assert client.execute_command("AI.TENSORGET", "t", "BLOB") == blob


@pytest.mark.asan
def test_the_last_value_is_the_last_one(client):
    for shape in ([1], [1000], [10, 100]):
        count = 1
        for dim in shape:
            count *= dim
        client.execute_command("AI.TENSORSET", "t", "INT16", *shape, "VALUES", *range(count))
        assert client.execute_command("AI.TENSORGET", "t", "VALUES") == list(range(count))


# ---- batches ----


def test_runs_of_another_type_do_not_join_a_batch(client, server):
    options = ("BATCHSIZE", 2, "MINBATCHSIZE", 2, "MINBATCHTIMEOUT", 400)
    client.execute_command("AI.MODELSTORE", "m", "TORCH", "CPU", *options, "BLOB", torch_model("double"))
    set_floats(client, "f", [1, 2], [1.5, 2.5])
    client.execute_command("AI.TENSORSET", "i", "INT32", 1, 2, "VALUES", 3, 4)  # as many bytes, the same shape
    laters = [execute_later(server, "m", [x], [f"y:{x}"]) for x in ("f", "i")]
    assert [later.get() for later in laters] == [b"OK", b"OK"]
    assert get_floats(client, "y:f") == [3, 5]
    assert client.execute_command("AI.TENSORGET", "y:i") == [
        b"dtype", b"INT32", b"shape", [1, 2], b"blob", b"\6\0\0\0\10\0\0\0"
    ]  # fmt: skip
    assert queue(client)["runs"] == 2


@pytest.mark.asan
def test_strings_of_a_batch_come_back_to_their_runs(client, server):
    options = ("BATCHSIZE", 5, "MINBATCHSIZE", 5)
    store(client, "onnx", onnx_models.identity(onnx_models.STRING, ["N", 2]), *options)
    names = ("INPUTS", 1, "x", "OUTPUTS", 1, "y")
    blob = tf_models.identity(tf_models.STRING)
    client.execute_command("AI.MODELSTORE", "tf", "TF", "CPU", *options, *names, "BLOB", blob)
    rows = {"a": ["", "one"], "b": ["two" * 300, "", "", "한글"], "c": ["three", "four", "", ""]}
    for model in ("onnx", "tf"):
        laters = []
        for name, words in rows.items():
            client.execute_command("AI.TENSORSET", name, "STRING", len(words) // 2, 2, "VALUES", *words)
            laters.append(execute_later(server, model, [name], [f"y:{name}"]))
        assert [later.get() for later in laters] == [b"OK"] * 3
        for name, words in rows.items():
            assert client.execute_command("AI.TENSORGET", f"y:{name}", "VALUES") == [w.encode() for w in words]
    assert queue(client)["runs"] == 2


@pytest.mark.asan
def test_outputs_without_rows_or_dimensions_divide_nothing(client, server):
    set_floats(client, "x", [1, 2], [1, 2])
    for batching in ((), ("BATCHSIZE", 1), ("BATCHSIZE", 2, "MINBATCHSIZE", 2, "MINBATCHTIMEOUT", 10)):
        store(client, "no_rows", onnx_models.no_rows(), *batching)
        store(client, "total", onnx_models.total(), *batching)
        assert execute(client, "no_rows", ["x"], ["y"]) == b"OK"
        assert client.execute_command("AI.TENSORGET", "y") == [
            b"dtype", b"FLOAT", b"shape", [0, 2], b"blob", b""
        ]  # fmt: skip
        assert client.execute_command("AI.TENSORGET", "y", "VALUES") == []
        assert execute(client, "total", ["x"], ["y"]) == b"OK"
        assert client.execute_command("AI.TENSORGET", "y") == [
            b"dtype", b"FLOAT", b"shape", [], b"blob", floats([3])
        ]  # fmt: skip
    # In a batch of two there is nothing to cut.
    for model in (onnx_models.no_rows(), onnx_models.total()):
        store(client, "model", model, "BATCHSIZE", 2, "MINBATCHSIZE", 2)
        laters = [execute_later(server, "model", ["x"], ["y"]) for _ in range(2)]
        answers = {str(later.get()) for later in laters}
        assert answers == {"Model did not generate the expected batch size"}


def test_a_tensor_without_rows_reaches_the_replica_and_the_aof(start_server, engine):
    primary = start_server(config={"appendonly": "yes", "appendfsync": "always", "aof-use-rdb-preamble": "no"})
    replica = start_server()
    client = primary.client()
    replica.client().replicaof("127.0.0.1", primary.port)
    eventually(lambda: replica.client().info("replication")["master_link_status"] == "up", timeout=30)
    store(client, "no_rows", onnx_models.no_rows())
    set_floats(client, "x", [1, 2], [1, 2])
    assert execute(client, "no_rows", ["x"], ["y"]) == b"OK"
    empty = [b"dtype", b"FLOAT", b"shape", [0, 2], b"blob", b""]
    eventually(lambda: replica.client().exists("y"), what="the tensor on the replica")
    assert replica.client().execute_command("AI.TENSORGET", "y") == empty
    for rewrite in (False, True):
        if rewrite:
            client.bgrewriteaof()
            eventually(lambda: client.info("persistence")["aof_rewrite_in_progress"] == 0, what="the rewrite")
        primary.kill9()
        primary.start()
        client = primary.client()
        assert client.execute_command("AI.TENSORGET", "y") == empty
    # A client may not say so.
    assert error_of(client, "AI.TENSORSET", "t", "FLOAT", 0, 2) == "ERR invalid or negative value found in tensor shape"


def cpu_seconds(server):
    """What the module's own threads have used."""
    total = 0.0
    for task in pathlib.Path(f"/proc/{server.pid}/task").iterdir():
        if (task / "comm").read_text().startswith("ai-"):
            fields = (task / "stat").read_text().rsplit(")", 1)[1].split()
            total += (int(fields[11]) + int(fields[12])) / 100
    return total


def test_a_worker_that_waits_for_a_batch_sleeps(client, server):
    # Over the end of a second, where RedisAI's workers got the time wrong and spun.
    store(client, "m", onnx_models.doubler(), "BATCHSIZE", 8, "MINBATCHSIZE", 8, "MINBATCHTIMEOUT", 1500)
    set_floats(client, "x", [1, 2], [1, 2])
    before = cpu_seconds(server)
    started = time.monotonic()
    assert execute(client, "m", ["x"], ["y"]) == b"OK"
    assert 1.49 < time.monotonic() - started < 5
    assert cpu_seconds(server) - before < 0.1


def test_runs_that_wait_for_a_batch_keep_their_order(client, server):
    client.config_set("notify-keyspace-events", "KEAd")
    store(client, "m", onnx_models.doubler(), "BATCHSIZE", 4, "MINBATCHSIZE", 4)
    set_floats(client, "x", [1, 2], [1, 2])
    stored = client.pubsub()
    stored.psubscribe("__keyspace@0__:y*")
    assert stored.get_message(timeout=5)["type"] == "psubscribe"
    laters = []
    for i in range(8):
        laters.append(execute_later(server, "m", ["x"], [f"y{i}"]))
        done = i + 1 - (i + 1) % 4
        eventually(lambda: queue(client)["waiting"] == i + 1 - done, interval=0.01)  # noqa: B023: called at once
        time.sleep(0.02)
    assert [later.get() for later in laters] == [b"OK"] * 8
    order = []
    while message := stored.get_message(timeout=0.5):
        if message["data"] == b"ai.tensorset":
            order.append(message["channel"].decode()[-1])
    assert order == list("01234567")


def test_a_batch_that_waits_does_not_hold_up_other_models(client, server):
    store(client, "waits", onnx_models.doubler(), "BATCHSIZE", 8, "MINBATCHSIZE", 8)
    store(client, "double", onnx_models.doubler())
    set_floats(client, "x", [1, 2], [1, 2])
    waiting = execute_later(server, "waits", ["x"], ["never"], "TIMEOUT", 4000)
    eventually(lambda: queue(client)["waiting"] == 1)
    for _ in range(50):
        assert execute(client, "double", ["x"], ["y"], "TIMEOUT", 1000) == b"OK"
    assert queue(client)["waiting"] == 1
    assert waiting.get() == b"TIMEDOUT"
    assert not client.exists("never")


# ---- backends ----


def test_booleans_go_through_every_backend(client):
    names = ("INPUTS", 1, "x", "OUTPUTS", 1, "y")
    client.execute_command("AI.TENSORSET", "x", "BOOL", 1, 3, "VALUES", 1, 0, 1)
    store(client, "onnx", onnx_models.identity(onnx_models.BOOL, ["N", 3]))
    bools = tf_models.identity(10)  # DT_BOOL
    client.execute_command("AI.MODELSTORE", "tf", "TF", "CPU", *names, "BLOB", bools)
    client.execute_command("AI.MODELSTORE", "torch", "TORCH", "CPU", "BLOB", torch_model("identity"))
    for model in ("onnx", "tf", "torch"):
        assert execute(client, model, ["x"], ["y"]) == b"OK"
        assert client.execute_command("AI.TENSORGET", "y", "META", "BLOB") == [
            b"dtype", b"BOOL", b"shape", [1, 3], b"blob", b"\1\0\1"
        ]  # fmt: skip


@pytest.mark.parametrize("backend", ["ONNX", "TF", "TORCH"])
def test_a_device_that_is_not_there_ends_the_command(client, backend):
    blobs = {"ONNX": onnx_models.doubler(), "TF": tf_models.multiply(), "TORCH": torch_model("double")}
    names = ("INPUTS", 2, "a", "b", "OUTPUTS", 1, "mul") if backend == "TF" else ()
    label = {"TORCH": "Torch"}.get(backend, backend)
    text = f"ERR GPU requested but {label} couldn't find CUDA"
    assert error_of(client, "AI.MODELSTORE", "m", backend, "GPU", *names, "BLOB", blobs[backend]) == text
    assert not client.exists("m")
    assert client.execute_command("AI._MODELSCAN") == []


# ---- replies ----


@pytest.mark.asan
def test_a_blob_of_whole_chunks_has_no_empty_piece(client):
    blob = onnx_models.mlp()
    store(client, "m", blob)
    pieces = next(n for n in range(2, len(blob) + 1) if len(blob) % n == 0)
    size = len(blob) // pieces
    client.execute_command("AI.CONFIG", "MODEL_CHUNK_SIZE", size)
    assert client.execute_command("AI.MODELGET", "m", "BLOB") == [blob[i : i + size] for i in range(0, len(blob), size)]
    client.execute_command("AI.CONFIG", "MODEL_CHUNK_SIZE", len(blob))
    assert client.execute_command("AI.MODELGET", "m", "BLOB") == blob


def replies_to(server, *commands):
    """What a connection receives for some commands sent at once, as bytes."""
    request = b""
    for command in commands:
        parts = [p if isinstance(p, bytes) else str(p).encode() for p in command]
        request += b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts)
    received = b""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(request)
        while not received.endswith(b"+PONG\r\n"):
            data = connection.recv(65536)
            assert data, received
            received += data
    return received


@pytest.mark.asan
def test_every_failing_command_is_answered_once(client, server):
    set_floats(client, "x", [1, 2], [1, 2])
    failing = [
        ("AI.MODELSTORE", "m", "ONNX", "CPU", "BLOB", "garbage"),
        ("AI.MODELSTORE", "m", "ONNX", "GPU", "BLOB", onnx_models.doubler()),
        ("AI.MODELSTORE", "m", "TFLITE", "CPU", "BLOB", "x"),
        ("AI.MODELEXECUTE", "absent", "INPUTS", 1, "x", "OUTPUTS", 1, "y"),
        ("AI.DAGEXECUTE", "ROUTING", "x", "|>", "AI.NOTHING", "x", "y"),
        ("AI.TENSORSET", "t", "FLOAT", 1, "VALUES", "x"),
        ("AI.CONFIG", "LOADBACKEND", "ONNX", "/nowhere.so"),
    ]
    for command in failing:
        received = replies_to(server, command, ("PING",))
        assert received.startswith(b"-") and received.count(b"\r\n") == 2, received


def test_a_device_without_threads_is_an_error_and_the_next_run_works(client, server):
    # RedisAI answered twice then, and used the model after it had been freed.
    store(client, "m", onnx_models.doubler())
    client.execute_command("AI.MODELSTORE", "m1", "ONNX", "CPU:1", "BLOB", onnx_models.doubler())
    set_floats(client, "x", [1, 2], [1, 2])
    assert execute(client, "m", ["x"], ["y"]) == b"OK"
    status = pathlib.Path(f"/proc/{server.pid}/status").read_text()
    size = int(next(line for line in status.splitlines() if line.startswith("VmSize")).split()[1]) * 1024
    limit = ["prlimit", "--pid", str(server.pid)]
    subprocess.run([*limit, f"--as={size + (1 << 20)}:unlimited"], check=True)  # less than the stack of a thread
    try:
        received = replies_to(
            server, ("AI.MODELEXECUTE", "m1", "INPUTS", 1, "x", "OUTPUTS", 1, "z"), ("PING",)
        )
    finally:
        subprocess.run([*limit, "--as=unlimited:unlimited"], check=True)
    assert received.startswith(b"-ERR Could not initialize queue") and received.count(b"\r\n") == 2, received
    assert execute(client, "m1", ["x"], ["z"]) == b"OK"
    assert get_floats(client, "z") == [2, 4]
