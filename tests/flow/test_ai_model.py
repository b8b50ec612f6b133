"""AI.MODELSTORE, MODELSET, MODELGET, MODELDEL, INFO, _MODELSCAN and CONFIG."""

import threading
import time

import pytest

from ai_models import error_of, execute, get_floats, onnx_models, set_floats, store
from servers import BUILD, eventually

WRONGTYPE = "WRONGTYPE Operation against a key holding the wrong kind of value"


def test_a_model_is_stored_and_described(client):
    blob = onnx_models.multiply()
    assert store(client, "m", blob, "TAG", "v1.2") == b"OK"
    meta = client.execute_command("AI.MODELGET", "m", "META")
    names = [b"inputs", [b"a", b"b"], b"outputs", [b"c"], b"minbatchtimeout", 0]
    redisai = [b"backend", b"ONNX", b"device", b"CPU", b"tag", b"v1.2", b"batchsize", 0, b"minbatchsize", 0] + names
    own = client.execute_command("AI.MODELGET", "m", "SCHEMA")
    assert own[0] == b"schema" and meta == redisai
    assert client.execute_command("AI.MODELGET", "m") == redisai + [b"blob", blob]
    assert client.execute_command("AI.MODELGET", "m", "SCHEMA", "META", "BLOB") == redisai + [b"blob", blob] + own
    assert client.execute_command("AI.MODELGET", "m", "BLOB") == blob
    schema = dict(zip(*[iter(own[1])] * 2))
    assert schema[b"state"] == b"ready"
    assert schema[b"opset"] == 13
    assert schema[b"inputs"] == [[b"a", b"FLOAT", [-1, 2]], [b"b", b"FLOAT", [-1, 2]]]


def test_modelset_is_the_old_form(client):
    blob = onnx_models.doubler()
    assert client.execute_command("AI.MODELSET", "m", "ONNX", "cpu", "TAG", "t", "BATCHSIZE", 4, "BLOB", blob) == b"OK"
    meta = client.execute_command("AI.MODELGET", "m", "META")
    assert meta[3] == b"cpu"
    assert meta[7] == 4


@pytest.mark.asan
def test_a_blob_may_come_and_go_in_pieces(client):
    blob = onnx_models.mlp()
    pieces = [blob[i : i + 5000] for i in range(0, len(blob), 5000)]
    client.execute_command("AI.MODELSTORE", "m", "ONNX", "CPU", "BLOB", *pieces)
    assert client.execute_command("AI.CONFIG", "MODEL_CHUNK_SIZE", 5000) == b"OK"
    assert client.execute_command("AI.MODELGET", "m", "BLOB") == pieces
    assert client.execute_command("AI.CONFIG", "GET", "MODEL_CHUNK_SIZE") == 5000


@pytest.mark.parametrize(
    "words, text",
    [
        (["m"], "ERR wrong number of arguments for 'AI.MODELSTORE' command"),
        (["m", "PORN", "CPU", "BLOB", "x"], "ERR unsupported backend"),
        (["m", "ONNX", "XPU", "BLOB", "x"], "ERR Invalid DEVICE"),
        (["m", "ONNX", "CPU:x", "BLOB", "x"], "ERR Invalid DEVICE"),
        (["m", "ONNX", "CPU", "BATCHSIZE", "z", "BLOB", "x"], "ERR Invalid argument for BATCHSIZE"),
        (["m", "ONNX", "CPU", "BATCHSIZE", 2, "MINBATCHSIZE", "z", "BLOB", "x"], "ERR Invalid argument for MINBATCHSIZE"),
        (["m", "ONNX", "CPU", "MINBATCHSIZE", 2, "BLOB", "x"], "ERR MINBATCHSIZE specified without BATCHSIZE"),
        (
            ["m", "ONNX", "CPU", "BATCHSIZE", 2, "MINBATCHSIZE", 2, "MINBATCHTIMEOUT", "z", "BLOB", "x"],
            "ERR Invalid argument for MINBATCHTIMEOUT",
        ),
        (
            ["m", "ONNX", "CPU", "BATCHSIZE", 2, "MINBATCHTIMEOUT", 5, "BLOB", "x"],
            "ERR MINBATCHTIMEOUT specified without MINBATCHSIZE",
        ),
        (["m", "ONNX", "CPU", "TAG", "t"], "ERR Insufficient arguments, missing model BLOB"),
        (["m", "TF", "CPU", "BLOB", "x"], "ERR INPUTS not specified for TF"),
        (["m", "TF", "CPU", "INPUTS", "a", "BLOB", "x"], "ERR Invalid argument for input_count"),
        (
            ["m", "TF", "CPU", "INPUTS", 9, "a", "BLOB", "x"],
            "ERR number of model inputs does not match the number of given arguments",
        ),
        (["m", "TF", "CPU", "INPUTS", 1, "a", "BLOB", "x"], "ERR OUTPUTS not specified for TF"),
        (
            ["m", "ONNX", "CPU", "INPUTS", 1, "a", "OUTPUTS", 1, "b", "BLOB", "x"],
            "ERR INPUTS argument should not be specified for this backend",
        ),
        (["m", "ONNX", "CPU", "FOO", "x"], "ERR Invalid argument, expected BLOB"),
        (["word", "ONNX", "CPU", "BLOB", "x"], WRONGTYPE),
    ],
)
def test_errors_of_modelstore_are_those_of_redisai(client, words, text):
    client.set("word", "x")
    assert error_of(client, "AI.MODELSTORE", *words) == text
    assert not client.exists("m")


@pytest.mark.asan
def test_the_vendors_words_come_through(client):
    assert "protobuf" in error_of(client, "AI.MODELSTORE", "m", "ONNX", "CPU", "BLOB", "garbage")
    assert "No graph was found in the protobuf." in error_of(client, "AI.MODELSTORE", "m", "ONNX", "CPU", "BLOB", b"\x08\x08")
    assert "GPU requested but ONNX couldn't find CUDA" in error_of(
        client, "AI.MODELSTORE", "m", "ONNX", "GPU", "BLOB", onnx_models.doubler()
    )
    assert not client.exists("m")


@pytest.mark.parametrize("backend", ["ONNX", "TF", "TORCH", "TFLITE"])
def test_a_backend_that_is_not_there_is_named(start_server, engine, folder, backend):
    empty = folder / "backends"
    empty.mkdir()
    client = start_server(module_args=["BACKENDSPATH", str(empty)]).client()
    names = ["INPUTS", "a", "b", "OUTPUTS", "c"] if backend == "TF" else []
    text = error_of(client, "AI.MODELSET", "m", backend, "CPU", *names, "BLOB", "x")
    assert text.startswith(f"ERR Could not load backend {backend}: {backend} is not part of this installation")
    assert not client.exists("m")


def test_models_may_not_read_files_of_the_server(client, folder):
    secret = folder / "secret"
    secret.write_bytes(bytes(8))
    model = onnx_models.external_weights(secret)
    text = error_of(client, "AI.MODELSTORE", "m", "ONNX", "CPU", "BLOB", model)
    assert "Initializer tensors with external data is not allowed." in text
    # A tag of more than 32 bits, of which protobuf drops what is too much.
    hidden = onnx_models.with_long_tag(model)
    assert "not a protobuf message" in error_of(client, "AI.MODELSTORE", "m", "ONNX", "CPU", "BLOB", hidden)


@pytest.mark.asan
def test_a_damaged_model_is_an_error_and_never_a_crash(client):
    blob = onnx_models.mlp()
    for at in range(0, 400, 3):
        damaged = bytearray(blob)
        damaged[at] ^= 0xFF
        try:
            client.execute_command("AI.MODELSTORE", "m", "ONNX", "CPU", "BLOB", bytes(damaged[: len(blob) - at]))
        except Exception as error:  # noqa: BLE001: any answer is fine, a dead server is not
            assert "Connection" not in type(error).__name__, error
    assert client.ping()


@pytest.mark.alone
def test_the_server_answers_while_a_model_is_built(client, server):
    blob = onnx_models.large(64)
    slowest = [0.0]
    done = threading.Event()

    def ping():
        with server.client() as other:
            while not done.is_set():
                started = time.monotonic()
                other.ping()
                slowest[0] = max(slowest[0], time.monotonic() - started)

    pinger = threading.Thread(target=ping)
    pinger.start()
    try:
        assert store(client, "m", blob) == b"OK"
    finally:
        done.set()
        pinger.join()
    assert client.execute_command("AI.MODELGET", "m", "META")[1] == b"ONNX"
    # Building takes a second and more; receiving 64 MB is the server's own share.
    assert slowest[0] < 1.0


def test_a_key_appears_with_its_model_and_not_before(client, server):
    done = threading.Event()
    seen = []

    def watch():
        with server.client() as other:
            while not done.is_set():
                if other.exists("m"):
                    seen.append(other.execute_command("AI.MODELGET", "m", "SCHEMA")[1][1])
                    return

    watcher = threading.Thread(target=watch)
    watcher.start()
    store(client, "m", onnx_models.large(16))
    time.sleep(0.1)
    done.set()
    watcher.join()
    assert seen == [b"ready"]


@pytest.mark.asan
def test_two_stores_of_one_key_end_with_the_later(server):
    def run(blob):
        with server.client() as client:
            store(client, "m", blob)

    with server.client() as client:
        first = threading.Thread(target=run, args=(onnx_models.large(64),))
        first.start()
        eventually(lambda: client.info("everything")["ai_models_loading"] == 1, interval=0.005)
        run(onnx_models.doubler())
        first.join()
        assert client.execute_command("AI.MODELGET", "m", "BLOB") == onnx_models.doubler()


def test_modeldel_del_and_missing_keys(client):
    store(client, "m", onnx_models.doubler())
    assert client.execute_command("AI.MODELDEL", "m") == b"OK"
    assert error_of(client, "AI.MODELDEL", "m") == "ERR model key is empty"
    assert error_of(client, "AI.MODELGET", "m") == "ERR model key is empty"
    client.set("word", "x")
    assert error_of(client, "AI.MODELDEL", "word") == WRONGTYPE
    assert error_of(client, "AI.MODELGET", "word") == WRONGTYPE


def test_info_counts_runs_per_model(client):
    store(client, "m", onnx_models.doubler(), "TAG", "t")
    set_floats(client, "x", [3, 2], range(6))
    execute(client, "m", ["x"], ["y"])
    set_floats(client, "bad", [1, 3], [1, 2, 3])
    error_of(client, "AI.MODELEXECUTE", "m", "INPUTS", 1, "bad", "OUTPUTS", 1, "y")
    info = dict(zip(*[iter(client.execute_command("AI.INFO", "m"))] * 2))
    assert info[b"key"] == b"m"
    assert info[b"type"] == b"MODEL"
    assert (info[b"calls"], info[b"errors"], info[b"samples"]) == (2, 1, 3)
    assert info[b"duration"] > 0
    assert client.execute_command("AI.INFO", "m", "RESETSTAT") == b"OK"
    info = dict(zip(*[iter(client.execute_command("AI.INFO", "m"))] * 2))
    assert (info[b"calls"], info[b"errors"], info[b"samples"], info[b"duration"]) == (0, 0, 0, 0)
    assert error_of(client, "AI.INFO", "absent") == "ERR cannot find run info for key"


@pytest.mark.asan
def test_modelscan_follows_the_keys(client):
    def scan(which=client):
        return sorted((k.decode(), t.decode()) for k, t in which.execute_command("AI._MODELSCAN"))

    assert scan() == []
    store(client, "a", onnx_models.doubler(), "TAG", "t1")
    store(client, "b", onnx_models.doubler())
    assert scan() == [("a", "t1"), ("b", "")]
    client.rename("a", "c")
    client.copy("b", "d")
    client.restore("e", 0, client.dump("c"))
    client.delete("b")
    assert scan() == [("c", "t1"), ("d", ""), ("e", "t1")]
    client.set("d", "no model any more")
    assert scan() == [("c", "t1"), ("e", "t1")]
    client.move("c", 1)
    assert scan() == [("e", "t1")]
    client.swapdb(0, 1)
    assert scan() == [("c", "t1")]
    client.flushall()
    assert scan() == []


def test_config_errors_are_those_of_redisai(client):
    assert error_of(client, "AI.CONFIG") == "ERR wrong number of arguments for 'AI.CONFIG' command"
    assert error_of(client, "AI.CONFIG", "BAD_COMMAND") == "ERR unsupported subcommand"
    assert error_of(client, "AI.CONFIG", "LOADBACKEND", "PORN", "x") == "ERR unsupported backend"
    assert error_of(client, "AI.CONFIG", "BACKENDSPATH") == "ERR BACKENDSPATH: missing path argument"
    assert error_of(client, "AI.CONFIG", "MODEL_CHUNK_SIZE") == "ERR MODEL_CHUNK_SIZE: missing chunk size"
    assert error_of(client, "AI.CONFIG", "MODEL_CHUNK_SIZE", "x") == "ERR MODEL_CHUNK_SIZE: invalid chunk size"
    assert client.execute_command("AI.CONFIG", "GET", "nothing") is None
    assert client.execute_command("AI.CONFIG", "GET", "BACKENDSPATH") == str(BUILD / "lib" / "backends").encode()


@pytest.mark.asan
def test_backends_come_from_their_directory_only(client, folder):
    (folder / "redoubt_onnx.so").write_bytes(b"\x7fELF")
    text = error_of(client, "AI.CONFIG", "LOADBACKEND", "ONNX", folder / "redoubt_onnx.so")
    assert text.startswith("ERR error loading backend: ") and "lies outside" in text
    # Looking elsewhere does not widen what may be loaded.
    assert client.execute_command("AI.CONFIG", "BACKENDSPATH", str(folder)) == b"OK"
    assert "lies outside" in error_of(client, "AI.MODELSTORE", "m", "ONNX", "CPU", "BLOB", onnx_models.doubler())
    client.execute_command("AI.CONFIG", "BACKENDSPATH", str(BUILD / "lib" / "backends"))
    assert client.execute_command("AI.CONFIG", "LOADBACKEND", "ONNX", "redoubt_onnx.so") == b"OK"


@pytest.mark.asan
def test_in_a_transaction_the_model_is_stored_at_once_and_ready_when_it_runs(client):
    set_floats(client, "x", [1, 2], [1, 2])
    with client.pipeline(transaction=True) as pipe:
        pipe.execute_command("AI.MODELSTORE", "m", "ONNX", "CPU", "BLOB", onnx_models.doubler())
        pipe.exists("m")
        assert pipe.execute() == [b"OK", 1]
    assert execute(client, "m", ["x"], ["y"]) == b"OK"
    assert get_floats(client, "y") == [2, 4]
    client.eval("return redis.call('AI.MODELSTORE', KEYS[1], 'ONNX', 'CPU', 'BLOB', ARGV[1])", 1, "s", "garbage")
    assert "protobuf" in error_of(client, "AI.MODELEXECUTE", "s", "INPUTS", 1, "x", "OUTPUTS", 1, "y")


def test_settings_are_configs_of_the_server(client):
    client.config_set("ai.queue-limit", 5)
    assert client.config_get("ai.queue-limit") == {"ai.queue-limit": "5"}
    with pytest.raises(Exception, match="immutable"):
        client.config_set("ai.threads-per-queue", 2)


def test_load_arguments_of_redisai_are_understood(start_server, engine):
    server = start_server(module_args=["THREADS_PER_QUEUE", "2", "MODEL_EXECUTION_TIMEOUT", "1000"])
    info = server.client().info("everything")
    assert info["ai_threads_per_queue"] == 2
    assert info["ai_model_execution_timeout"] == 1000
    with pytest.raises(AssertionError, match="unknown argument 'FOO' of loadmodule"):
        start_server(module_args=["FOO", "1"])


def test_memory_of_a_model_is_counted(client):
    before = client.info("memory")["used_memory"]
    store(client, "m", onnx_models.large(8))
    assert client.info("memory")["used_memory"] - before > 8 << 20  # the blob; ONNX Runtime keeps weights outside
    assert client.memory_usage("m") > 16 << 20  # blob and weights
    assert client.info("everything")["ai_onnxruntime_memory"] >= 8 << 20
    client.delete("m")
    eventually(lambda: client.info("everything")["ai_onnxruntime_memory"] == 0)
    eventually(lambda: client.info("memory")["used_memory"] - before < 2 << 20)
