"""AI.MODELEXECUTE and AI.MODELRUN: results, errors, deadlines, and a world that changes while a model runs."""

import threading
import time

import numpy as np
import pytest
import redis

from ai_models import error_of, execute, get_floats, onnx_models, set_floats, store
from servers import eventually, free_port

WRONGTYPE = "WRONGTYPE Operation against a key holding the wrong kind of value"


@pytest.fixture
def ready(client):
    """A client of a server with two models and a tensor."""
    store(client, "double", onnx_models.doubler())
    store(client, "multiply", onnx_models.multiply())
    set_floats(client, "x", [2, 2], [1, 2, 3, 4])
    return client


@pytest.fixture
def busy(ready, server):
    """Starts an endless run on another connection; returns the function that does so, with more words for it."""
    store(ready, "endless", onnx_models.endless())
    set_floats(ready, "one", [1], [1])
    threads = []

    def start(outputs="endless_out", options=(), connection=None):
        answers = []

        def run():
            with (connection or server.client)() as other:
                try:
                    answers.append(execute(other, "endless", ["one"], [outputs], *options))
                except (redis.RedisError, OSError) as error:
                    answers.append(error)

        threads.append(threading.Thread(target=run))
        threads[-1].start()
        eventually(lambda: queue(ready)["running"] == 1)
        return answers, threads[-1]

    yield start
    for thread in threads:
        thread.join(15)


def queue(client):
    return client.info("everything").get("ai_queue_CPU", {"running": 0, "waiting": 0, "runs": 0})


def test_results_are_right_and_overwrite_tensors(ready):
    assert execute(ready, "multiply", ["x", "x"], ["y"]) == b"OK"
    assert get_floats(ready, "y") == [1, 4, 9, 16]
    assert execute(ready, "double", ["y"], ["y"]) == b"OK"
    assert get_floats(ready, "y") == [2, 8, 18, 32]
    assert ready.execute_command("AI.MODELRUN", "double", "INPUTS", "x", "OUTPUTS", "z") == b"OK"
    assert get_floats(ready, "z") == [2, 4, 6, 8]


def test_a_network_computes_what_numpy_computes(client):
    store(client, "m", onnx_models.mlp(seed=3))
    rng = np.random.default_rng(3)
    w1, b1, w2, b2 = (rng.normal(size=s).astype(np.float32) for s in ((64, 64), (64,), (64, 8), (8,)))
    x = np.random.default_rng(9).normal(size=(5, 64)).astype(np.float32)
    set_floats(client, "x", x.shape, x)
    execute(client, "m", ["x"], ["y"])
    expected = np.maximum(x @ w1 + b1, 0) @ w2 + b2
    np.testing.assert_allclose(np.array(get_floats(client, "y")).reshape(5, 8), expected, rtol=1e-4, atol=1e-3)


@pytest.mark.asan
@pytest.mark.parametrize(
    "name, dtype",
    [("DOUBLE", 11), ("FLOAT16", 10), ("BFLOAT16", 16), ("INT8", 3), ("UINT64", 13), ("BOOL", 9), ("STRING", 8)],
)
def test_every_type_goes_through_a_model(client, name, dtype):
    store(client, "m", onnx_models.identity(dtype, ["N"]))
    words = ["ab", "한글"] if name == "STRING" else [0, 1]
    client.execute_command("AI.TENSORSET", "x", name, 2, "VALUES", *words)
    assert execute(client, "m", ["x"], ["y"]) == b"OK"
    assert client.execute_command("AI.TENSORGET", "y") == client.execute_command("AI.TENSORGET", "x")


@pytest.mark.asan
def test_a_large_result_survives_its_model(client):
    store(client, "m", onnx_models.doubler())
    set_floats(client, "x", [100_000, 2], np.arange(200_000))
    execute(client, "m", ["x"], ["y"])
    client.delete("m", "x")
    assert get_floats(client, "y")[-1] == 2 * 199_999


@pytest.mark.asan
def test_sequences_of_maps_become_a_tensor(client):
    store(client, "m", onnx_models.classifier())
    set_floats(client, "x", [2, 2], [0.25, 0.75, 0.9, 0.1])
    assert execute(client, "m", ["x"], ["label", "probabilities"]) == b"OK"
    assert client.execute_command("AI.TENSORGET", "label", "VALUES") == [1, 0]
    meta = client.execute_command("AI.TENSORGET", "probabilities", "META")
    assert meta == [b"dtype", b"FLOAT", b"shape", [2, 2]]
    assert get_floats(client, "probabilities") == pytest.approx([0.25, 0.75, 0.9, 0.1])


@pytest.mark.parametrize(
    "words, text",
    [
        (["double"], "ERR wrong number of arguments for 'AI.MODELEXECUTE' command"),
        (["absent", "INPUTS", 1, "x", "OUTPUTS", 1, "y"], "ERR model key is empty"),
        (["word", "INPUTS", 1, "x", "OUTPUTS", 1, "y"], WRONGTYPE),
        (["double", "FOO", 1, "x", "OUTPUTS", 1, "y"], "ERR INPUTS not specified"),
        (["double", "INPUTS", "n", "x", "OUTPUTS", 1, "y"], "ERR Invalid argument for input_count"),
        (["double", "INPUTS", 0, "x", "OUTPUTS", 1, "y"], "ERR Input count must be a positive integer"),
        (
            ["double", "INPUTS", 2, "x", "x", "OUTPUTS", 1, "y"],
            "Number of keys given as INPUTS here does not match model definition",
        ),
        (
            ["multiply", "INPUTS", 1, "x", "OUTPUTS", 1, "y"],
            "Number of keys given as INPUTS here does not match model definition",
        ),
        (["double", "INPUTS", 1, "x", "FOO", 1, "y"], "ERR OUTPUTS not specified"),
        (["double", "INPUTS", 1, "x", "OUTPUTS", "n", "y"], "ERR Invalid argument for output_count"),
        (["double", "INPUTS", 1, "x", "OUTPUTS", 0, "y"], "ERR Output count must be a positive integer"),
        (
            ["double", "INPUTS", 1, "x", "OUTPUTS", 2, "y", "z"],
            "Number of keys given as OUTPUTS here does not match model definition",
        ),
        (["double", "INPUTS", 1, "x", "OUTPUTS", 1, "y", "FOO"], "Invalid argument: FOO"),
        (["double", "INPUTS", 1, "x", "OUTPUTS", 1, "y", "TIMEOUT"], "ERR No value provided for TIMEOUT"),
        (["double", "INPUTS", 1, "x", "OUTPUTS", 1, "y", "TIMEOUT", 0], "ERR Invalid value for TIMEOUT"),
        (["double", "INPUTS", 1, "x", "OUTPUTS", 1, "y", "TIMEOUT", "n"], "ERR Invalid value for TIMEOUT"),
        (
            ["double", "INPUTS", 1, "absent", "OUTPUTS", 1, "y"],
            "ERR tensor key is empty or in a different shard",
        ),
        (["double", "INPUTS", 1, "word", "OUTPUTS", 1, "y"], WRONGTYPE),
        (["double", "INPUTS", 1, "x", "OUTPUTS", 1, "word"], WRONGTYPE),
    ],
)
def test_errors_are_those_of_redisai(ready, words, text):
    ready.set("word", "x")
    assert error_of(ready, "AI.MODELEXECUTE", *words) == text
    assert not ready.exists("y")
    assert ready.get("word") == b"x"


def test_too_many_keys_for_the_words_are_refused(ready):
    words = ["AI.MODELEXECUTE", "multiply", "INPUTS", 2, "x", "x", "OUTPUTS", 1]
    text = "ERR number of output keys to AI.MODELEXECUTE command does not match the number of given arguments"
    assert error_of(ready, *words) == text


def test_a_wrong_shape_is_explained_in_the_vendors_words(ready):
    set_floats(ready, "bad", [1, 3], [1, 2, 3])
    text = error_of(ready, "AI.MODELEXECUTE", "double", "INPUTS", 1, "bad", "OUTPUTS", 1, "y")
    assert "Got: 3 Expected: 2" in text
    ready.execute_command("AI.TENSORSET", "ints", "INT32", 1, 2)
    assert "Unexpected input data type" in error_of(
        ready, "AI.MODELEXECUTE", "double", "INPUTS", 1, "ints", "OUTPUTS", 1, "y"
    )


def test_not_within_transactions_and_scripts(ready):
    refusal = "Cannot run RedisAI command within a transaction or a LUA script"
    with ready.pipeline(transaction=True) as pipe:
        pipe.execute_command("AI.MODELEXECUTE", "double", "INPUTS", 1, "x", "OUTPUTS", 1, "y")
        with pytest.raises(redis.ResponseError, match=refusal):
            pipe.execute()
    with pytest.raises(redis.ResponseError, match=refusal):
        ready.eval("return redis.call('AI.MODELEXECUTE', 'double', 'INPUTS', 1, 'x', 'OUTPUTS', 1, 'y')", 0)


@pytest.mark.asan
def test_a_deadline_is_kept_and_the_worker_is_free_again(ready, busy):
    started = time.monotonic()
    answers, thread = busy(options=["TIMEOUT", 300])
    thread.join(5)
    assert answers == [b"TIMEDOUT"]
    assert 0.29 < time.monotonic() - started < 2
    assert execute(ready, "double", ["x"], ["y"], "TIMEOUT", 5000) == b"OK"
    assert not ready.exists("endless_out")


def test_a_deadline_counts_while_waiting_too(ready, busy):
    busy(options=["TIMEOUT", 1500])
    started = time.monotonic()
    assert execute(ready, "double", ["x"], ["y"], "TIMEOUT", 100) == b"TIMEDOUT"
    assert time.monotonic() - started < 1
    assert queue(ready)["waiting"] == 0
    assert not ready.exists("y")


def test_a_run_without_deadline_is_stopped_by_the_servers_limit(start_server, engine):
    server = start_server(config={"ai.model-execution-timeout": "300"}, module=True)
    client = server.client()
    store(client, "endless", onnx_models.endless())
    set_floats(client, "one", [1], [1])
    text = error_of(client, "AI.MODELEXECUTE", "endless", "INPUTS", 1, "one", "OUTPUTS", 1, "y")
    assert "Exiting due to terminate flag being set to true" in text


@pytest.mark.asan
def test_a_full_queue_refuses_at_once(ready, busy):
    ready.config_set("ai.queue-limit", 1)
    busy(options=["TIMEOUT", 3000])
    waiting, _ = busy(options=["TIMEOUT", 3000])  # the one that may wait
    eventually(lambda: queue(ready)["waiting"] == 1)
    started = time.monotonic()
    text = error_of(ready, "AI.MODELEXECUTE", "double", "INPUTS", 1, "x", "OUTPUTS", 1, "y")
    assert "queue of CPU is full" in text
    assert time.monotonic() - started < 1


def test_devices_have_queues_of_their_own(ready, busy):
    busy(options=["TIMEOUT", 2000])
    ready.execute_command("AI.MODELSTORE", "second", "ONNX", "CPU:1", "BLOB", onnx_models.doubler())
    started = time.monotonic()
    assert execute(ready, "second", ["x"], ["y"]) == b"OK"
    assert time.monotonic() - started < 1.5


@pytest.mark.asan
def test_results_are_stored_when_the_client_has_left(ready, server, busy):
    busy(options=["TIMEOUT", 1000])
    leaver = server.client()
    connection = leaver.connection_pool.get_connection()
    connection.send_command("AI.MODELEXECUTE", "double", "INPUTS", 1, "x", "OUTPUTS", 1, "left_behind")
    eventually(lambda: queue(ready)["waiting"] == 1)
    connection.disconnect()
    eventually(lambda: ready.exists("left_behind"), what="the result of a client that left")
    assert get_floats(ready, "left_behind") == [2, 4, 6, 8]


@pytest.mark.asan
def test_deleting_everything_while_a_model_runs_is_harmless(ready, busy):
    answers, thread = busy(options=["TIMEOUT", 600])
    ready.flushall()
    thread.join(5)
    assert answers == [b"TIMEDOUT"]
    assert ready.dbsize() == 0
    assert ready.ping()


def test_a_result_goes_to_the_database_of_its_command(server):
    with server.client(db=3) as client, server.client() as zero:
        store(client, "double", onnx_models.doubler())
        set_floats(client, "x", [1, 2], [1, 2])
        execute(client, "double", ["x"], ["y"])
        assert client.exists("y")
        assert not zero.exists("y")


def test_an_output_key_that_turned_into_something_else_is_left_alone(ready, server, busy):
    busy(options=["TIMEOUT", 700])
    answers = []

    def run():
        with server.client() as other:
            try:
                answers.append(execute(other, "double", ["x"], ["y"]))
            except redis.ResponseError as error:
                answers.append(str(error))

    thread = threading.Thread(target=run)
    thread.start()
    eventually(lambda: queue(ready)["waiting"] == 1)
    ready.set("y", "mine")
    thread.join(10)
    assert answers == [WRONGTYPE.removeprefix("WRONGTYPE ")] or answers == [WRONGTYPE]
    assert ready.get("y") == b"mine"


def test_a_server_that_became_a_replica_stores_nothing(ready, server, busy):
    answers, _ = busy(options=["TIMEOUT", 800])
    late = []

    def run():
        with server.client() as other:
            try:
                late.append(execute(other, "double", ["x"], ["y"]))
            except redis.RedisError as error:
                late.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    eventually(lambda: queue(ready)["waiting"] == 1)
    ready.execute_command("REPLICAOF", "127.0.0.1", "1")
    thread.join(10)
    # The server itself may answer UNBLOCKED to clients that wait during such a change.
    assert isinstance(late[0], (redis.ReadOnlyError, redis.ResponseError)), late
    time.sleep(0.3)
    assert not ready.exists("y")
    ready.execute_command("REPLICAOF", "NO", "ONE")


def test_keys_for_acl_and_cluster_are_exact(client):
    def keys(*words):
        return raw(client, "COMMAND", "GETKEYS", *words)

    assert keys("AI.MODELEXECUTE", "m", "INPUTS", 2, "a", "b", "OUTPUTS", 1, "c") == [b"m", b"a", b"b", b"c"]
    # Keys that look like keywords are keys.
    words = ["AI.MODELEXECUTE", "m", "INPUTS", 1, "OUTPUTS", "OUTPUTS", 1, "INPUTS", "TIMEOUT", 5]
    assert keys(*words) == [b"m", b"OUTPUTS", b"INPUTS"]
    assert keys("AI.MODELRUN", "m", "TIMEOUT", 5, "INPUTS", "a", "OUTPUTS", "b", "c") == [b"m", b"a", b"b", b"c"]


def raw(client, *words):
    connection = client.connection_pool.get_connection()
    try:
        connection.send_command(*words)
        return connection.read_response()
    finally:
        client.connection_pool.release(connection)


def test_acl_limits_what_a_run_may_read_and_write(ready, server):
    ready.execute_command("ACL", "SETUSER", "app", "on", ">pw", "+@all", "~app:*", "%R~shared:*")
    store(ready, "shared:double", onnx_models.doubler())
    set_floats(ready, "app:x", [1, 2], [1, 2])
    set_floats(ready, "secret", [1, 2], [1, 2])
    with server.client(username="app", password="pw") as app:
        assert execute(app, "shared:double", ["app:x"], ["app:y"]) == b"OK"
        for inputs, outputs in ((["secret"], ["app:y"]), (["app:x"], ["secret"]), (["app:x"], ["shared:y"])):
            with pytest.raises(redis.exceptions.NoPermissionError):
                execute(app, "shared:double", inputs, outputs)
        with pytest.raises(redis.exceptions.NoPermissionError):
            store(app, "shared:other", onnx_models.doubler())
    ready.execute_command("ACL", "SETUSER", "app", "-ai.modelexecute")
    with server.client(username="app", password="pw") as app, pytest.raises(redis.exceptions.NoPermissionError):
        execute(app, "shared:double", ["app:x"], ["app:y"])


def test_a_permission_lost_during_the_run_counts(ready, server, busy):
    ready.execute_command("ACL", "SETUSER", "app", "on", ">pw", "+@all", "~*")
    busy(options=["TIMEOUT", 800])
    late = []

    def run():
        with server.client(username="app", password="pw") as app:
            try:
                late.append(execute(app, "double", ["x"], ["y"]))
            except redis.RedisError as error:
                late.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    eventually(lambda: queue(ready)["waiting"] == 1)
    ready.execute_command("ACL", "SETUSER", "app", "resetkeys", "%R~*")
    thread.join(10)
    assert isinstance(late[0], redis.RedisError), late
    assert not ready.exists("y")


@pytest.mark.asan
def test_batches_join_runs_and_give_each_its_rows(client, server):
    store(client, "m", onnx_models.doubler(), "BATCHSIZE", 4, "MINBATCHSIZE", 4)
    answers = {}

    def run(i):
        with server.client() as other:
            set_floats(other, f"x{i}", [1, 2], [i, i])
            execute(other, "m", [f"x{i}"], [f"y{i}"])
            answers[i] = get_floats(other, f"y{i}")

    threads = [threading.Thread(target=run, args=(i,)) for i in range(4)]
    for thread in threads:
        assert answers == {}
        thread.start()
    for thread in threads:
        thread.join(10)
    assert answers == {i: [2 * i, 2 * i] for i in range(4)}
    assert queue(client)["runs"] == 1


def test_a_batch_waits_no_longer_than_asked(client):
    store(client, "m", onnx_models.doubler(), "BATCHSIZE", 4, "MINBATCHSIZE", 4, "MINBATCHTIMEOUT", 100)
    set_floats(client, "x", [1, 2], [1, 2])
    started = time.monotonic()
    assert execute(client, "m", ["x"], ["y"]) == b"OK"
    assert 0.09 < time.monotonic() - started < 2


@pytest.mark.asan
def test_a_model_that_breaks_the_batch_is_told(client, server):
    store(client, "m", onnx_models.wrong_batch(), "BATCHSIZE", 2, "MINBATCHSIZE", 2)
    set_floats(client, "x", [1, 2], [1, 2])
    errors = []

    def run():
        errors.append(error_of(client, "AI.MODELEXECUTE", "m", "INPUTS", 1, "x", "OUTPUTS", 1, "y"))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert errors == ["ERR Model did not generate the expected batch size"] * 2


@pytest.mark.asan
def test_many_clients_get_their_own_results(client, server):
    store(client, "m", onnx_models.doubler())
    failures = []

    def run(i):
        with server.client() as other:
            for j in range(100):
                set_floats(other, f"x{i}", [1, 2], [i, j])
                execute(other, "m", [f"x{i}"], [f"y{i}"])
                if get_floats(other, f"y{i}") != [2 * i, 2 * j]:
                    failures.append((i, j))

    threads = [threading.Thread(target=run, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []


def run_later(server, late):
    """Runs `double` on x and y on another connection; returns the thread that waits for the answer."""

    def run():
        with server.client() as other:
            try:
                late.append(execute(other, "double", ["x"], ["y"]))
            except redis.RedisError as error:
                late.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_nothing_is_written_while_writes_are_paused(ready, server, busy):
    busy(options=["TIMEOUT", 800])
    late = []
    thread = run_later(server, late)
    eventually(lambda: queue(ready)["waiting"] == 1)
    ready.client_pause(1500, all=False)
    thread.join(10)
    assert "writes are paused" in str(late[0])
    assert not ready.exists("y")
    ready.client_unpause()
    assert execute(ready, "double", ["x"], ["y"]) == b"OK"


def test_nothing_is_written_to_a_slot_that_has_moved(start_server, engine):
    server = start_server(config={"cluster-enabled": "yes", "cluster-port": free_port(), "cluster-require-full-coverage": "no"})
    client = server.client()
    client.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
    eventually(lambda: b"cluster_state:ok" in raw(client, "CLUSTER", "INFO"))
    tag = "{t}"
    store(client, f"{tag}endless", onnx_models.endless())
    store(client, f"{tag}double", onnx_models.doubler())
    set_floats(client, f"{tag}one", [1], [1])
    set_floats(client, f"{tag}x", [1, 2], [1, 2])
    assert execute(client, f"{tag}double", [f"{tag}x"], [f"{tag}y"]) == b"OK"
    client.delete(f"{tag}y")
    late = {}

    def run(model, tensor, output, *options):
        with server.client() as other:
            try:
                late[model] = execute(other, tag + model, [tag + tensor], [tag + output], *options)
            except redis.RedisError as error:
                late[model] = error

    first = threading.Thread(target=run, args=("endless", "one", "e", "TIMEOUT", 800))
    first.start()
    eventually(lambda: queue(client)["running"] == 1)
    second = threading.Thread(target=run, args=("double", "x", "y"))
    second.start()
    eventually(lambda: queue(client)["waiting"] == 1)
    client.execute_command("CLUSTER", "DELSLOTS", client.execute_command("CLUSTER", "KEYSLOT", tag))
    first.join(10)
    second.join(10)
    assert late["endless"] == b"TIMEDOUT"
    assert "slot of the key '{t}y' has moved" in str(late["double"])


def test_keys_of_one_run_must_share_a_slot(start_server, engine):
    client = start_server(config={"cluster-enabled": "yes", "cluster-port": free_port()}).client()
    client.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
    eventually(lambda: b"cluster_state:ok" in raw(client, "CLUSTER", "INFO"))
    store(client, "{t}m", onnx_models.doubler())
    set_floats(client, "{t}x", [1, 2], [1, 2])
    text = error_of(client, "AI.MODELEXECUTE", "{t}m", "INPUTS", 1, "{t}x", "OUTPUTS", 1, "elsewhere")
    assert text.startswith("CROSSSLOT")


def test_a_category_covers_the_commands_where_the_server_has_categories(client, server, engine):
    if engine == "redis":
        pytest.skip("Redis 7.0 has no categories of modules")
    client.execute_command("ACL", "SETUSER", "app", "on", ">pw", "~*", "-@all", "+@ai", "-@dangerous")
    with server.client(username="app", password="pw") as app:
        set_floats(app, "x", [1, 2], [1, 2])
        with pytest.raises(redis.exceptions.NoPermissionError):
            app.execute_command("AI.CONFIG", "GET", "BACKENDSPATH")
