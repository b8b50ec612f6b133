"""AI.* between a primary and its replicas: full and partial syncs, chains, and failovers while models run."""

import threading
import time

import pytest
import redis

from ai_dag import Later, queue, run_model
from ai_models import execute, get_floats, onnx_models, set_floats, store
from servers import eventually


@pytest.fixture
def start(start_server, engine):
    """Starts a server of the engine that sends a full sync at once when asked for one."""
    return lambda **config: start_server(config={"repl-diskless-sync-delay": 0, **config})


def follow(replica, primary):
    replica.client().replicaof("127.0.0.1", primary.port)
    eventually(lambda: linked(replica), timeout=30, what="the replica's link")


def linked(replica):
    return replica.client().info("replication")["master_link_status"] == "up"


def caught_up(primary, *replicas):
    """Waits until the replicas have all that the primary has, and compares whole datasets."""

    def same():
        offset = primary.client().info("replication")["master_repl_offset"]
        assert all(r.client().info("replication")["master_repl_offset"] == offset for r in replicas)
        digest = primary.client().execute_command("DEBUG", "DIGEST")
        assert all(r.client().execute_command("DEBUG", "DIGEST") == digest for r in replicas)
        return True

    eventually(same, timeout=30)


def calls(server, command):
    return server.client().info("commandstats").get(f"cmdstat_{command}", {"calls": 0})["calls"]


def fill(client):
    store(client, "double", onnx_models.doubler(), "TAG", "v1", "BATCHSIZE", 8, "MINBATCHSIZE", 1)
    set_floats(client, "x", [1, 2], [1, 2])
    client.execute_command("AI.TENSORSET", "text", "STRING", 2, "VALUES", "ab", "")
    client.execute_command("AI.TENSORSET", "half", "FLOAT16", "VALUES", "0.5")
    with client.pipeline(transaction=True) as pipe:  # within MULTI a model is stored before it is built
        pipe.execute_command("AI.MODELSTORE", "broken", "ONNX", "CPU", "BLOB", "garbage")
        pipe.execute_command("AI.MODELSTORE", "lite", "TFLITE", "CPU", "BLOB", "weights")
        pipe.execute()


def run_later(server, output="y"):
    return Later(server, "AI.MODELEXECUTE", "double", "INPUTS", 1, "x", "OUTPUTS", 1, output)


def keep_busy(server, milliseconds):
    """Occupies the device, so that further runs wait."""
    client = server.client()
    store(client, "endless", onnx_models.endless())
    set_floats(client, "one", [1], [1])
    words = f"AI.MODELEXECUTE endless INPUTS 1 one OUTPUTS 1 never TIMEOUT {milliseconds}"
    busy = Later(server, *words.split())
    eventually(lambda: queue(client)["running"] == 1)
    return busy


@pytest.mark.asan
@pytest.mark.parametrize("load", ["disabled", "swapdb"])
def test_a_full_sync_brings_everything_also_models_that_cannot_be_built(start, load):
    primary, replica = start(), start(**{"repl-diskless-load": load})
    fill(primary.client())
    store(replica.client(), "of_before", onnx_models.doubler())
    set_floats(replica.client(), "x", [1], [9])
    follow(replica, primary)
    caught_up(primary, replica)
    client = replica.client()
    assert {name for name, _ in client.execute_command("AI._MODELSCAN")} == {b"double", b"broken", b"lite"}
    assert client.execute_command("AI.MODELGET", "double", "BLOB") == onnx_models.doubler()
    # What only reads runs on a replica.
    assert client.execute_command("AI.PREDICT", "double", "INPUTS", 1, "KEY", "x")
    client.replicaof("NO", "ONE")
    assert execute(client, "double", ["x"], ["y"]) == b"OK"
    assert get_floats(client, "y") == [2, 4]
    assert client.execute_command("AI.MODELGET", "lite", "BLOB") == b"weights"
    for name, reason in (("broken", "protobuf"), ("lite", "TFLITE")):
        with pytest.raises(redis.ResponseError, match=reason):
            execute(client, name, ["x"], ["z"])


@pytest.mark.asan
def test_after_a_dropped_link_only_the_missing_part_is_sent(start):
    primary, replica = start(**{"repl-backlog-size": "16mb"}), start()
    client = primary.client()
    fill(client)
    follow(replica, primary)
    caught_up(primary, replica)
    before = client.info("stats")
    with replica.stalled():  # what is written now cannot arrive before the link is gone
        client.execute_command("CLIENT", "KILL", "TYPE", "replica")
        assert execute(client, "double", ["x"], ["y"]) == b"OK"
        store(client, "second", onnx_models.doubler(), "TAG", "v2")
        client.execute_command("AI.MODELDEL", "broken")
    eventually(lambda: linked(replica), timeout=30)
    caught_up(primary, replica)
    after = client.info("stats")
    assert after["sync_full"] == before["sync_full"]
    assert after["sync_partial_ok"] == before["sync_partial_ok"] + 1
    theirs, ours = replica.client().info("replication"), client.info("replication")
    assert theirs["master_replid"] == ours["master_replid"]
    assert get_floats(replica.client(), "y") == [2, 4]
    scanned = dict(replica.client().execute_command("AI._MODELSCAN"))
    assert scanned == {b"double": b"v1", b"lite": b"", b"second": b"v2"}


@pytest.mark.asan
def test_a_chain_gets_every_output_once_as_a_tensor(start):
    primary, middle, last = start(), start(), start()
    follow(middle, primary)
    follow(last, middle)
    client = primary.client()
    store(client, "double", onnx_models.doubler())
    store(client, "multiply", onnx_models.multiply())
    set_floats(client, "x", [1, 2], [1, 2])
    caught_up(primary, middle, last)
    before = [calls(replica, "ai.tensorset") for replica in (middle, last)]
    for n in range(5):
        assert execute(client, "double", ["x"], [f"y{n}"]) == b"OK"
    dag = "AI.DAGEXECUTE LOAD 1 x PERSIST 2 p q"
    dag += run_model("double", ["x"], ["between"]) + run_model("double", ["between"], ["p"])
    dag += run_model("multiply", ["x", "p"], ["q"])
    assert client.execute_command(*dag.split()) == [b"OK"] * 3
    assert client.execute_command("AI.PREDICT", "double", "INPUTS", 1, "KEY", "x")
    caught_up(primary, middle, last)
    for replica, known in zip((middle, last), before, strict=True):
        assert calls(replica, "ai.tensorset") - known == 5 + 2
        for command in ("ai.modelexecute", "ai.dagexecute", "ai.predict"):
            assert calls(replica, command) == 0
        assert get_floats(replica.client(), "q") == [4, 16]
        assert not replica.client().exists("between")


def test_a_replica_takes_over_and_the_old_primary_comes_back_under_it(start):
    first, second = start(), start()
    fill(first.client())
    follow(second, first)
    caught_up(first, second)
    first.kill9()
    client = second.client()
    client.replicaof("NO", "ONE")
    assert execute(client, "double", ["x"], ["y"]) == b"OK"
    store(client, "newer", onnx_models.doubler())
    first.start()
    follow(first, second)
    caught_up(second, first)
    assert get_floats(first.client(), "y") == [2, 4]
    first.client().replicaof("NO", "ONE")
    assert execute(first.client(), "newer", ["x"], ["z"]) == b"OK"


@pytest.mark.asan
def test_a_run_on_a_server_that_becomes_a_replica_changes_nothing_anywhere(start):
    first, second = start(), start()
    fill(first.client())
    fill(second.client())
    set_floats(second.client(), "x", [1, 2], [5, 6])
    busy = keep_busy(first, 1500)
    late = [run_later(first) for _ in range(3)]
    eventually(lambda: queue(first.client())["waiting"] == 3)
    follow(first, second)
    # The server itself ends the waits of clients when its role changes (UNBLOCKED); a client whose wait goes on gets
    # READONLY.
    for run in [busy, *late]:
        assert isinstance(run.get(), (redis.RedisError, OSError)), run.answer
    eventually(lambda: queue(first.client())["running"] + queue(first.client())["waiting"] == 0, timeout=10)
    caught_up(second, first)
    assert not first.client().exists("y", "never")
    assert get_floats(first.client(), "x") == [5, 6]
    with pytest.raises(redis.ReadOnlyError):
        execute(first.client(), "double", ["x"], ["y"])
    first.client().replicaof("NO", "ONE")
    assert execute(first.client(), "double", ["x"], ["y"]) == b"OK"
    assert get_floats(first.client(), "y") == [10, 12]


def test_a_coordinated_failover_under_load_loses_no_answered_run(start):
    first, second = start(), start()
    fill(first.client())
    follow(second, first)
    caught_up(first, second)
    answered, done = [set() for _ in range(4)], threading.Event()

    def run(i):
        n = 0
        while not done.is_set():
            try:
                with first.client() as client:
                    while not done.is_set():
                        n += 1
                        set_floats(client, f"x{i}", [1, 2], [i, n])
                        if execute(client, "double", [f"x{i}"], [f"y{i}:{n}"]) == b"OK":
                            answered[i].add(n)
            except (redis.RedisError, OSError):
                time.sleep(0.01)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    try:
        time.sleep(0.5)
        assert first.client().execute_command("FAILOVER", "TO", "127.0.0.1", second.port) == b"OK"
        eventually(lambda: second.client().info("replication")["role"] == "master", timeout=30)
        eventually(lambda: first.client().info("replication")["role"] == "slave", timeout=30)
        time.sleep(0.5)
    finally:
        done.set()
        for thread in threads:
            thread.join(30)
    eventually(lambda: linked(first), timeout=30)
    caught_up(second, first)
    for i, numbers in enumerate(answered):
        assert numbers
        for n in numbers:
            assert get_floats(second.client(), f"y{i}:{n}") == [2 * i, 2 * n]
    stored = {key.decode() for key in second.client().scan_iter("y*", count=1000)}
    assert len(stored) >= sum(map(len, answered))
    assert execute(second.client(), "double", ["x"], ["z"]) == b"OK"
