"""TorchScript models: AI.MODELSTORE ... TORCH and what runs them."""

import subprocess
import threading
import time

import pytest

from ai_models import error_of, execute, get_floats, onnx_models, set_floats, store
from ai_scripts import needs_torch, store_torch, torch_model, values_of
from servers import BUILD, eventually

pytestmark = needs_torch


def test_a_model_is_stored_described_and_run(client):
    assert store_torch(client, "m", "sum_and_product", "TAG", "v1") == b"OK"
    meta = client.execute_command("AI.MODELGET", "m", "META")
    assert meta[:6] == [b"backend", b"TORCH", b"device", b"CPU", b"tag", b"v1"]
    assert meta[10:] == [b"inputs", [b"a", b"b"], b"outputs", [b"", b""], b"minbatchtimeout", 0]
    assert client.execute_command("AI.MODELGET", "m", "BLOB") == torch_model("sum_and_product")
    set_floats(client, "a", [2], [1, 2])
    set_floats(client, "b", [2], [3, 4])
    assert execute(client, "m", ["a", "b"], ["s", "p"]) == b"OK"
    assert get_floats(client, "s") == [4, 6]
    assert get_floats(client, "p") == [3, 8]
    assert client.execute_command("AI.MODELRUN", "m", "INPUTS", "a", "b", "OUTPUTS", "s2", "p2") == b"OK"
    assert get_floats(client, "p2") == [3, 8]
    info = client.execute_command("AI.INFO", "m")
    assert info[2:6] == [b"type", b"MODEL", b"backend", b"TORCH"]
    assert info[12:] == [b"samples", 4, b"calls", 2, b"errors", 0]
    assert client.info("modules")["ai_Torch_version"] == "2.7.1"


def test_inputs_and_stored_results_do_not_change_under_a_model(client):
    for name in ("in_place", "weight", "keeps"):
        store_torch(client, name, name)
    set_floats(client, "x", [2], [1, 2])
    execute(client, "in_place", ["x"], ["y"])
    assert get_floats(client, "x") == [1, 2] and get_floats(client, "y") == [2, 3]
    execute(client, "weight", ["x"], ["first"])
    execute(client, "weight", ["x"], ["second"])
    assert get_floats(client, "first")[0] == 1.5 and get_floats(client, "second")[0] == 2.5
    execute(client, "keeps", ["x"], ["y"])
    client.delete("x")
    set_floats(client, "z", [2], [9, 9])
    execute(client, "keeps", ["z"], ["y"])
    assert get_floats(client, "y") == [1, 2]


def test_predict_returns_all_that_a_list_or_dict_holds(client):
    store_torch(client, "m", "rows")
    store_torch(client, "d", "dict")
    set_floats(client, "x", [3, 2], range(6))
    assert len(client.execute_command("AI.PREDICT", "m", "INPUTS", 1, "KEY", "x")) == 3
    reply = client.execute_command("AI.PREDICT", "d", "INPUTS", 1, "KEY", "x")
    assert [entry[3] for entry in reply] == [[3, 2], []]
    error = error_of(client, "AI.PREDICT", "m", "INPUTS", 1, "KEY", "x", "OUTPUTS", 1, "y")
    assert error == "ERR the outputs of this model have no names; leave OUTPUTS out to get all of them"


def test_a_list_gives_as_many_outputs_as_it_has(client):
    store_torch(client, "m", "rows")
    set_floats(client, "x", [3, 2], range(6))
    assert execute(client, "m", ["x"], ["a", "b", "c"]) == b"OK"
    assert get_floats(client, "c") == [4, 5]
    text = "Number of keys given as OUTPUTS here does not match model definition"
    assert error_of(client, "AI.MODELEXECUTE", "m", "INPUTS", 1, "x", "OUTPUTS", 2, "a", "b") == text
    store_torch(client, "d", "dict")
    assert execute(client, "d", ["x"], ["one", "two"]) == b"OK"
    assert get_floats(client, "two") == [15]


def test_runs_are_joined_to_batches(client, server):
    store_torch(client, "m", "double", "BATCHSIZE", 4, "MINBATCHSIZE", 4)
    done = []

    def run(i):
        with server.client() as other:
            set_floats(other, f"x{i}", [1, 2], [i, i])
            execute(other, "m", [f"x{i}"], [f"y{i}"])
            done.append(get_floats(other, f"y{i}"))

    threads = [threading.Thread(target=run, args=(i,)) for i in range(4)]
    [t.start() for t in threads]
    [t.join(20) for t in threads]
    assert sorted(done) == [[2 * i, 2 * i] for i in range(4)]


@pytest.mark.parametrize(
    "name, text",
    [
        ("needs_int", "argument 'n' of forward is a int"),
        ("no_forward", "the model has no method 'forward'"),
        ("saves", "Unknown builtin op: aten::save"),
        ("reads", "Unknown builtin op: aten::from_file"),
        ("saves_while_loading", "Unknown builtin op: aten::save"),
    ],
)
def test_a_model_that_cannot_be_used_is_refused(client, name, text):
    assert text in error_of(client, "AI.MODELSTORE", "m", "TORCH", "CPU", "BLOB", torch_model(name))
    assert not client.exists("m")


def test_the_vendors_words_come_through(client):
    assert "zip archive" in error_of(client, "AI.MODELSTORE", "m", "TORCH", "CPU", "BLOB", "garbage")
    text = error_of(client, "AI.MODELSTORE", "m", "TORCH", "GPU", "BLOB", torch_model("add"))
    assert text == "ERR GPU requested but Torch couldn't find CUDA"
    store_torch(client, "m", "add")
    set_floats(client, "a", [2], [1, 2])
    set_floats(client, "b", [3], [1, 2, 3])
    text = error_of(client, "AI.MODELEXECUTE", "m", "INPUTS", 2, "a", "b", "OUTPUTS", 1, "c")
    assert "The size of tensor a (2) must match the size of tensor b (3)" in text
    text = error_of(client, "AI.MODELEXECUTE", "m", "INPUTS", 1, "a", "OUTPUTS", 1, "c")
    assert text == "Number of keys given as INPUTS here does not match model definition"
    client.execute_command("AI.TENSORSET", "words", "STRING", 2, "VALUES", "a", "b")
    text = error_of(client, "AI.MODELEXECUTE", "m", "INPUTS", 2, "words", "words", "OUTPUTS", 1, "c")
    assert "TORCH has no tensors of strings" in text
    assert client.execute_command("AI.INFO", "m")[-1] == 2


@pytest.mark.asan
def test_a_damaged_model_is_an_error_and_never_a_crash(client):
    blob = torch_model("add")
    for at in range(0, len(blob), 401):
        damaged = bytearray(blob)
        damaged[at] ^= 0xFF
        for candidate in (bytes(damaged), blob[:at]):
            try:
                client.execute_command("AI.MODELSTORE", "m", "TORCH", "CPU", "BLOB", candidate)
            except Exception as error:  # noqa: BLE001: any answer is fine, a dead server is not
                assert "Connection" not in type(error).__name__, error
    assert client.ping()


def test_the_client_gets_its_answer_when_a_model_cannot_be_stopped(client, server):
    store_torch(client, "m", "slow")
    set_floats(client, "steps", [], [2000])
    started = time.monotonic()
    assert execute(client, "m", ["steps"], ["y"], "TIMEOUT", 50) == b"TIMEDOUT"
    assert time.monotonic() - started < 5
    eventually(lambda: client.info("everything")["ai_queue_CPU"]["discarded"] == 1, timeout=60)
    assert not client.exists("y")
    client.config_set("ai.model-execution-timeout", 100)
    set_floats(client, "steps", [], [5000])
    text = error_of(client, "AI.MODELEXECUTE", "m", "INPUTS", 1, "steps", "OUTPUTS", 1, "y")
    assert "given up after 100 ms (ai.model-execution-timeout)" in text
    eventually(lambda: client.info("everything")["ai_queue_CPU"]["running"] == 0, timeout=60)
    assert not client.exists("y")


def test_sigterm_during_an_endless_model_ends_the_server_within_two_seconds(server):
    client = server.client()
    store_torch(client, "m", "endless")
    set_floats(client, "x", [1], [1])
    connection = client.connection_pool.get_connection()
    connection.send_command("AI.MODELEXECUTE", "m", "INPUTS", 1, "x", "OUTPUTS", 1, "y")
    eventually(lambda: client.info("everything").get("ai_queue_CPU", {}).get("running") == 1)
    status, seconds = server.terminate()
    assert status == 0
    assert seconds < 2
    connection.disconnect()


@pytest.mark.parametrize("how", ["rdb", "aof", "aof-rewritten", "replica"])
def test_models_survive(start_server, engine, how):
    config = {"appendonly": "yes", "aof-use-rdb-preamble": "no"} if how.startswith("aof") else {"save": "3600 1"}
    server = start_server(config=config)
    client = server.client()
    store_torch(client, "m", "sum_and_product", "TAG", "t")
    set_floats(client, "a", [2], [1, 2])
    if how == "replica":
        other = start_server(config={"replicaof": f"127.0.0.1 {server.port}"})
        reader = other.client()
        eventually(lambda: reader.exists("m") and reader.exists("a"))
        meta = eventually(lambda: reader.execute_command("AI.MODELGET", "m", "SCHEMA")[1][1] == b"ready")
        assert meta
        execute(client, "m", ["a", "a"], ["s", "p"])
        eventually(lambda: reader.exists("p"))
        assert get_floats(reader, "p") == [1, 4]
        return
    if how == "aof-rewritten":
        client.execute_command("BGREWRITEAOF")
        eventually(lambda: client.info("persistence")["aof_rewrite_in_progress"] == 0)
    server.restart()
    client = server.client()
    assert execute(client, "m", ["a", "a"], ["s", "p"]) == b"OK"
    assert get_floats(client, "p") == [1, 4]
    assert client.execute_command("AI.MODELGET", "m", "META")[5] == b"t"


def test_memory_counts_the_parameters(client):
    store_torch(client, "m", "mlp")
    blob = len(torch_model("mlp"))
    assert client.memory_usage("m") > blob + 64 * 64 * 4
    client.execute_command("COPY", "m", "n")
    set_floats(client, "x", [1, 64], [1] * 64)
    assert execute(client, "n", ["x"], ["y"]) == b"OK"
    assert values_of(client, "y")[0] == b"1"


def test_onnx_and_torch_work_side_by_side(client):
    store_torch(client, "t", "double")
    store(client, "o", onnx_models.doubler())
    set_floats(client, "x", [1, 2], [1, 2])
    execute(client, "t", ["x"], ["y"])
    execute(client, "o", ["y"], ["z"])
    execute(client, "t", ["z"], ["y"])
    assert get_floats(client, "y") == [8, 16]


def test_the_backend_exports_its_table_and_brings_its_libraries():
    folder = BUILD / "lib" / "backends"
    out = subprocess.run(
        ["nm", "-D", "--defined-only", folder / "redoubt_torch.so"], capture_output=True, text=True, check=True
    ).stdout
    assert [line.split()[-1] for line in out.splitlines()] == ["redoubt_backend_get"]
    for name in ("libtorch_cpu.so", "libc10.so", "libgomp-98b21ff3.so.1"):
        assert (folder / name).exists()
