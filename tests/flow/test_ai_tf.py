"""TensorFlow: frozen graphs and SavedModels through AI.MODELSTORE, MODELSET, MODELGET, MODELEXECUTE and MODELRUN."""

import pathlib
import threading
import time

import numpy as np
import pytest

from ai_models import error_of, execute, get_floats, set_floats
from servers import eventually

import tf_models


def store_tf(client, key, blob, inputs, outputs, *options):
    names = ["INPUTS", len(inputs), *inputs, "OUTPUTS", len(outputs), *outputs]
    return client.execute_command("AI.MODELSTORE", key, "TF", "CPU", *options, *names, "BLOB", blob)


@pytest.fixture
def ready(client):
    """A client of a server with the model m: mul = a * b."""
    assert store_tf(client, "m", tf_models.multiply(), ["a", "b"], ["mul"]) == b"OK"
    set_floats(client, "a", [2, 2], [1, 2, 3, 4])
    set_floats(client, "b", [2, 2], [5, 6, 7, 8])
    return client


def test_a_graph_is_stored_described_and_run(ready):
    meta = ready.execute_command("AI.MODELGET", "m", "META")
    assert meta[:6] == [b"backend", b"TF", b"device", b"CPU", b"tag", b""]
    assert meta[10:14] == [b"inputs", [b"a", b"b"], b"outputs", [b"mul"]]
    assert ready.execute_command("AI.MODELGET", "m", "BLOB") == tf_models.multiply()
    schema = dict(zip(*[iter(ready.execute_command("AI.MODELGET", "m", "SCHEMA")[1])] * 2))
    assert schema[b"inputs"] == [[b"a", b"FLOAT", [-1, 2]], [b"b", b"FLOAT", [-1, 2]]]
    assert schema[b"outputs"] == [[b"mul", b"FLOAT", [-1, 2]]]
    assert execute(ready, "m", ["a", "b"], ["y"]) == b"OK"
    assert get_floats(ready, "y") == [5, 12, 21, 32]
    assert ready.info("everything")["ai_TensorFlow_version"].startswith("2.")


def test_the_old_commands_work_too(client):
    blob = tf_models.multiply()
    words = ["INPUTS", "a", "b", "OUTPUTS", "mul:0", "BLOB", blob[:50], blob[50:]]
    assert client.execute_command("AI.MODELSET", "m", "TF", "CPU", "TAG", "t", *words) == b"OK"
    set_floats(client, "x", [1, 2], [3, 4])
    assert client.execute_command("AI.MODELRUN", "m", "INPUTS", "x", "x", "OUTPUTS", "y") == b"OK"
    assert get_floats(client, "y") == [9, 16]


def test_the_fraud_model_of_the_benchmark_computes_what_numpy_computes(client):
    blob, weights = tf_models.fraud()
    store_tf(client, "fraud", blob, ["transaction", "reference"], ["output"])
    rng = np.random.default_rng(1)
    transaction = rng.normal(size=(3, 30)).astype(np.float32)
    reference = rng.normal(size=(3, 256)).astype(np.float32)
    set_floats(client, "t", [3, 30], transaction)
    set_floats(client, "r", [3, 256], reference)
    assert execute(client, "fraud", ["t", "r"], ["out"]) == b"OK"
    expected = tf_models.fraud_by_hand(weights, transaction, reference)
    np.testing.assert_allclose(np.reshape(get_floats(client, "out"), (3, 2)), expected, atol=1e-5)


@pytest.mark.parametrize(
    "inputs, outputs, text",
    [
        (["a", "nope"], ["mul"], 'ERR Input node named "nope" not found in TF graph.'),
        (["a", "b"], ["nope"], 'ERR Output node named "nope" not found in TF graph'),
        (["a", "b"], ["mul:1"], 'ERR Output node named "mul:1" not found in TF graph'),
    ],
)
def test_names_that_are_not_there_are_told_in_redisais_words(client, inputs, outputs, text):
    words = ["INPUTS", len(inputs), *inputs, "OUTPUTS", len(outputs), *outputs, "BLOB", tf_models.multiply()]
    assert error_of(client, "AI.MODELSTORE", "m", "TF", "CPU", *words) == text
    old = ["INPUTS", *inputs, "OUTPUTS", *outputs, "BLOB", tf_models.multiply()]
    assert error_of(client, "AI.MODELSET", "m", "TF", "CPU", *old) == text
    assert not client.exists("m")


@pytest.mark.parametrize(
    "command, words, text",
    [
        ("AI.MODELSTORE", ["BLOB", "x"], "ERR INPUTS not specified for TF"),
        ("AI.MODELSTORE", ["INPUTS", 1, "a", "BLOB", "x"], "ERR OUTPUTS not specified for TF"),
        ("AI.MODELSTORE", ["OUTPUTS", 1, "a", "BLOB", "x"], "ERR INPUTS not specified for TF"),
        ("AI.MODELSTORE", ["INPUTS", 1, "a", "OUTPUTS", 1, "b", "BLOB", "garbage"], "Invalid GraphDef"),
        ("AI.MODELSET", ["TAG", "t"], "ERR Insufficient arguments, INPUTS and OUTPUTS not specified"),
        ("AI.MODELSET", ["BLOB", "x"], "ERR INPUTS not specified"),
        ("AI.MODELSET", ["INPUTS", "a", "BLOB", "x"], "ERR OUTPUTS not specified"),
        ("AI.MODELSET", ["INPUTS", "a", "OUTPUTS", "b", "BLOB", "garbage"], "Invalid GraphDef"),
    ],
)
def test_errors_are_those_of_redisai(client, command, words, text):
    assert error_of(client, command, "m", "TF", "CPU", *words) == text
    assert not client.exists("m")


def test_a_gpu_is_not_there(client):
    words = ["INPUTS", 2, "a", "b", "OUTPUTS", 1, "mul", "BLOB", tf_models.multiply()]
    assert error_of(client, "AI.MODELSTORE", "m", "TF", "GPU:0", *words) == "ERR GPU requested but TF couldn't find CUDA"


def test_runs_that_do_not_fit_are_explained(ready):
    set_floats(ready, "wide", [1, 3], [1, 2, 3])
    text = error_of(ready, "AI.MODELEXECUTE", "m", "INPUTS", 2, "wide", "b", "OUTPUTS", 1, "y")
    assert "'a' is [?, 2], got [1, 3]" in text
    ready.execute_command("AI.TENSORSET", "ints", "INT32", 1, 2, "VALUES", 1, 2)
    text = error_of(ready, "AI.MODELEXECUTE", "m", "INPUTS", 2, "ints", "b", "OUTPUTS", 1, "y")
    assert text.startswith("Input tensor type doesn't match the type expected by the model definition")
    set_floats(ready, "three", [3, 2], range(6))
    # The graph's own words: rows that cannot be multiplied.
    assert "Incompatible shapes" in error_of(ready, "AI.MODELEXECUTE", "m", "INPUTS", 2, "a", "three", "OUTPUTS", 1, "y")
    assert error_of(ready, "AI.MODELEXECUTE", "m", "INPUTS", 1, "a", "OUTPUTS", 1, "y") == (
        "Number of keys given as INPUTS here does not match model definition"
    )


def test_strings_go_through(client):
    store_tf(client, "m", tf_models.identity(tf_models.STRING), ["x"], ["y"])
    words = ["", "a", "한글", "z" * 3000]
    client.execute_command("AI.TENSORSET", "x", "STRING", 2, 2, "VALUES", *words)
    assert execute(client, "m", ["x"], ["y"]) == b"OK"
    assert client.execute_command("AI.TENSORGET", "y", "VALUES") == [w.encode() for w in words]
    assert client.execute_command("AI.TENSORGET", "y", "META") == [b"dtype", b"STRING", b"shape", [2, 2]]


def test_types_that_redisai_did_not_have(client):
    store_tf(client, "m", tf_models.identity(tf_models.BFLOAT16), ["x"], ["y"])
    client.execute_command("AI.TENSORSET", "x", "BFLOAT16", 2, "VALUES", 0.5, -2)
    assert execute(client, "m", ["x"], ["y"]) == b"OK"
    assert client.execute_command("AI.TENSORGET", "y", "BLOB") == client.execute_command("AI.TENSORGET", "x", "BLOB")


def test_runs_are_joined_into_batches(client, server):
    options = ["BATCHSIZE", 4, "MINBATCHSIZE", 4]
    store_tf(client, "m", tf_models.multiply(), ["a", "b"], ["mul"], *options)
    results = {}

    def run(i):
        with server.client() as other:
            set_floats(other, f"x{i}", [1, 2], [i, 1])
            execute(other, "m", [f"x{i}", f"x{i}"], [f"y{i}"])
            results[i] = get_floats(other, f"y{i}")

    threads = [threading.Thread(target=run, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {i: [i * i, 1] for i in range(4)}
    assert client.info("everything")["ai_queue_CPU"]["runs"] == 1


def test_a_graph_that_breaks_the_batch_is_told_in_redisais_words(client, server):
    store_tf(client, "m", tf_models.other_batch(), ["x"], ["y"], "BATCHSIZE", 2, "MINBATCHSIZE", 2)
    set_floats(client, "x", [1, 2], [1, 2])
    texts = []

    def run():
        with server.client() as other:
            texts.append(error_of(other, "AI.MODELEXECUTE", "m", "INPUTS", 1, "x", "OUTPUTS", 1, "y"))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert texts == ["ERR Tensorflow batching error: model did not generate the expected batch size"] * 2


def test_a_deadline_is_kept_and_the_worker_is_free_again(ready):
    store_tf(ready, "endless", tf_models.endless(), ["x"], ["y"])
    ready.execute_command("AI.TENSORSET", "x", "FLOAT", "VALUES", 1)
    started = time.monotonic()
    assert execute(ready, "endless", ["x"], ["y"], "TIMEOUT", 200) == b"TIMEDOUT"
    assert 0.19 < time.monotonic() - started < 2
    assert execute(ready, "m", ["a", "b"], ["y"], "TIMEOUT", 5000) == b"OK"


def test_a_run_without_deadline_is_stopped_by_the_servers_limit(ready):
    ready.config_set("ai.model-execution-timeout", 300)
    store_tf(ready, "endless", tf_models.endless(), ["x"], ["y"])
    ready.execute_command("AI.TENSORSET", "x", "FLOAT", "VALUES", 1)
    text = error_of(ready, "AI.MODELEXECUTE", "endless", "INPUTS", 1, "x", "OUTPUTS", 1, "y")
    assert text == "the run was stopped: it took longer than 300 ms"


def test_graphs_may_not_read_files_of_the_server(client, folder):
    secret = folder / "secret"
    secret.write_text("secret")
    words = ["INPUTS", 0, "OUTPUTS", 1, "y", "BLOB", tf_models.read_file(secret)]
    text = error_of(client, "AI.MODELSTORE", "m", "TF", "CPU", *words)
    assert text.startswith("ERR the graph holds the operation ReadFile")
    assert not client.exists("m")


def test_damaged_graphs_are_errors_and_never_a_crash(client):
    blob, _ = tf_models.fraud()
    for at in range(0, 600, 7):
        damaged = bytearray(blob)
        damaged[at] ^= 0xFF
        try:
            store_tf(client, "m", bytes(damaged[: len(blob) - at]), ["transaction", "reference"], ["output"])
        except Exception as error:  # noqa: BLE001: any answer is fine, a dead server is not
            assert "Connection" not in type(error).__name__, error
    assert client.ping()


@pytest.mark.parametrize("compress", [True, False])
def test_a_saved_model_names_its_own_inputs(start_server, engine, folder, compress):
    client = start_server(env={"TMPDIR": str(folder)}).client()
    blob = tf_models.saved_model(compress=compress)
    assert client.execute_command("AI.MODELSTORE", "m", "TF", "CPU", "TAG", "v", "BLOB", blob) == b"OK"
    meta = client.execute_command("AI.MODELGET", "m", "META")
    assert meta[10:14] == [b"inputs", [b"first", b"second"], b"outputs", [b"product"]]
    set_floats(client, "x", [1, 2], [3, 4])
    assert execute(client, "m", ["x", "x"], ["y"]) == b"OK"
    assert get_floats(client, "y") == [9, 16]
    assert client.execute_command("AI.MODELSET", "old", "TF", "CPU", "BLOB", blob) == b"OK"
    # Keys of the signature, and tensors, may be named all the same.
    assert store_tf(client, "named", blob, ["second", "a:0"], ["product"]) == b"OK"
    assert execute(client, "named", ["x", "x"], ["y"]) == b"OK"
    assert not list(folder.glob("redoubt-tf-*"))


def test_archives_that_are_no_saved_model_are_refused(client, folder):
    def refusal(blob):
        return error_of(client, "AI.MODELSTORE", "m", "TF", "CPU", "BLOB", blob)

    assert "holds no saved_model.pb" in refusal(tf_models.tar({"graph.pb": tf_models.multiply()}))
    outside = f"../{folder.name}-evil"
    assert "not inside the model's folder" in refusal(tf_models.tar({outside: b"x"}))
    assert not (folder.parent / outside).exists()
    assert "cannot be read" in refusal(b"\x1f\x8bgarbage")
    train = tf_models.saved_model_pb(tf_models.multiply(), {}, {}, tag="train")
    assert "tagged 'serve'" in refusal(tf_models.tar({"saved_model.pb": train}))
    reads = tf_models.saved_model_pb(tf_models.read_file("/etc/passwd"), {}, {"y": ("y:0", tf_models.STRING, [])})
    assert "ReadFile" in refusal(tf_models.tar({"saved_model.pb": reads}))
    assert not client.exists("m")


def fill(client):
    store_tf(client, "frozen", tf_models.multiply(), ["a", "b:0"], ["mul"], "TAG", "v1")
    client.execute_command("AI.MODELSTORE", "saved", "TF", "CPU", "BLOB", tf_models.saved_model())
    set_floats(client, "x", [1, 2], [2, 3])


def check(client):
    meta = client.execute_command("AI.MODELGET", "frozen", "META")
    assert meta[5] == b"v1" and meta[10:14] == [b"inputs", [b"a", b"b:0"], b"outputs", [b"mul"]]
    for model in ("frozen", "saved"):
        assert execute(client, model, ["x", "x"], [f"y:{model}"]) == b"OK"
        assert get_floats(client, f"y:{model}") == [4, 9]


def test_models_survive_a_restart_by_rdb(server):
    fill(server.client())
    server.client().save()
    server.kill9()
    server.start()
    check(server.client())


@pytest.mark.parametrize("rewrite", [False, True])
def test_models_survive_a_restart_by_aof(start_server, engine, rewrite):
    server = start_server(config={"appendonly": "yes", "appendfsync": "always", "aof-use-rdb-preamble": "no"})
    client = server.client()
    fill(client)
    if rewrite:
        client.bgrewriteaof()
        eventually(lambda: client.info("persistence")["aof_rewrite_in_progress"] == 0, what="the rewrite")
        assert client.info("persistence")["aof_last_bgrewrite_status"] == "ok"
    server.kill9()
    server.start()
    check(server.client())


def test_a_replica_gets_models_and_runs_them_after_a_failover(start_server, engine):
    primary, replica = start_server(), start_server()
    fill(primary.client())
    replica.client().replicaof("127.0.0.1", primary.port)
    eventually(lambda: replica.client().info("replication")["master_link_status"] == "up", timeout=30)
    store_tf(primary.client(), "later", tf_models.multiply(), ["a", "b"], ["mul"])
    assert execute(primary.client(), "later", ["x", "x"], ["y"]) == b"OK"
    eventually(lambda: replica.client().exists("later", "y") == 2)
    assert get_floats(replica.client(), "y") == [4, 9]
    replica.client().replicaof("NO", "ONE")
    check(replica.client())


def test_a_signal_to_end_is_heeded_while_a_graph_runs(ready, server):
    store_tf(ready, "endless", tf_models.endless(), ["x"], ["y"])
    ready.execute_command("AI.TENSORSET", "x", "FLOAT", "VALUES", 1)

    def run():
        with server.client() as other, pytest.raises(Exception):
            execute(other, "endless", ["x"], ["y"])

    thread = threading.Thread(target=run)
    thread.start()
    eventually(lambda: ready.info("everything").get("ai_queue_CPU", {}).get("running") == 1)
    started = time.monotonic()
    server.stop()
    assert time.monotonic() - started < 2
    thread.join()


def test_an_idle_server_with_a_graph_does_not_wake_up(ready, server):
    execute(ready, "m", ["a", "b"], ["y"])
    time.sleep(0.5)

    def switches():
        tasks = pathlib.Path(f"/proc/{server.process.pid}/task").iterdir()
        own = [t for t in tasks if t.name != str(server.process.pid)]
        lines = "\n".join((t / "status").read_text() for t in own).splitlines()
        return sum(int(line.split()[1]) for line in lines if line.startswith("voluntary_ctxt_switches"))

    before = switches()
    time.sleep(2)
    assert switches() - before <= 5


def test_predict_and_dags_run_graphs_too(ready):
    predicted = ready.execute_command("AI.PREDICT", "m", "INPUTS", 2, "KEY", "a", "KEY", "b")
    assert np.frombuffer(predicted[0][-1], np.float32).tolist() == [5, 12, 21, 32]
    step = ["|>", "AI.MODELEXECUTE", "m", "INPUTS", 2, "a", "a", "OUTPUTS", 1, "square"]
    assert ready.execute_command("AI.DAGEXECUTE", "LOAD", 1, "a", "PERSIST", 1, "square", *step) == [b"OK"]
    assert get_floats(ready, "square") == [1, 4, 9, 16]


def test_a_saved_model_comes_from_a_file(start_server, engine, folder):
    (folder / "model.tar.gz").write_bytes(tf_models.saved_model())
    (folder / "graph.pb").write_bytes(tf_models.multiply())
    client = start_server(config={"ai.model-directory": folder}).client()
    assert client.execute_command("AI.MODELSTORE", "m", "TF", "CPU", "FILE", "model.tar.gz") == b"OK"
    set_floats(client, "x", [1, 2], [3, 4])
    assert execute(client, "m", ["x", "x"], ["y"]) == b"OK"
    text = error_of(client, "AI.MODELSTORE", "m", "TF", "CPU", "FILE", "graph.pb")
    assert text == "ERR OUTPUTS not specified for TF"
