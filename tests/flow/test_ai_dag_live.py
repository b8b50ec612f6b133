"""DAGs among others: devices, batches, deadlines, a server that changes meanwhile, replicas and the AOF."""

import threading
import time

import numpy as np
import pytest
import redis

from ai_dag import Later, busy, dag, queue, ready, run_model, words  # noqa: F401
from ai_models import execute, get_floats, onnx_models, set_floats, store
from servers import eventually


# ---- devices, batches, deadlines ----


@pytest.mark.asan
def test_devices_work_side_by_side(ready, server):
    set_floats(ready, "one", [1], [1])
    for name, device in (("e0", "CPU"), ("e1", "CPU:1")):
        ready.execute_command("AI.MODELSTORE", name, "ONNX", device, "BLOB", onnx_models.endless())
    text = "LOAD 1 one TIMEOUT 800 " + run_model("e0", ["one"], ["a"]) + run_model("e1", ["one"], ["b"])
    started = time.monotonic()
    later = Later(server, "AI.DAGEXECUTE", *words(text))
    eventually(lambda: queue(ready, "CPU")["running"] == 1 and queue(ready, "CPU_1")["running"] == 1)
    assert later.get() == b"TIMEDOUT"
    assert 0.79 < time.monotonic() - started < 3
    # Both workers are free again.
    text = (
        "LOAD 1 x " + run_model("double", ["x"], ["a"]) + run_model("double1", ["x"], ["b"])
        + run_model("multiply", ["a", "b"], ["c"]) + run_model("double1", ["c"], ["d"]) + " |> AI.TENSORGET d VALUES"
    )  # fmt: skip
    assert dag(ready, text) == [b"OK"] * 4 + [[b"8", b"32", b"72", b"128"]]


def test_a_device_that_is_busy_holds_up_only_its_own_ops(ready, server, busy):
    busy(600)
    text = "LOAD 1 x " + run_model("double", ["x"], ["a"]) + run_model("double1", ["x"], ["b"])
    later = Later(server, "AI.DAGEXECUTE_RO", *words(text + " |> AI.TENSORGET b VALUES"))
    eventually(lambda: queue(ready, "CPU_1")["requests"] == 1)
    assert queue(ready)["waiting"] == 1
    assert later.get() == [b"OK", b"OK", [b"2", b"4", b"6", b"8"]]


def test_ops_of_one_device_run_in_their_order(ready, server, busy):
    # The second op needs nothing of the first, and would be free to pass it.
    busy(500)
    later = Later(
        server,
        "AI.DAGEXECUTE",
        *words("LOAD 1 x " + run_model("multiply", ["x", "x"], ["a"]) + run_model("double", ["x"], ["b"])),
    )
    eventually(lambda: queue(ready)["waiting"] == 1)
    time.sleep(0.1)
    assert queue(ready)["waiting"] == 1
    assert later.get() == [b"OK", b"OK"]


@pytest.mark.asan
def test_ops_of_several_dags_and_single_runs_join_a_batch(client, server):
    store(client, "m", onnx_models.doubler(), "BATCHSIZE", 4, "MINBATCHSIZE", 4)
    set_floats(client, "x", [1, 2], [9, 9])
    text = "ROUTING t |> AI.TENSORSET a FLOAT 1 2 VALUES {i} {i} " + run_model("m", ["a"], ["b"])
    laters = [
        Later(server, "AI.DAGEXECUTE", *words(text.format(i=i) + " |> AI.TENSORGET b VALUES")) for i in range(3)
    ]
    eventually(lambda: queue(client)["waiting"] == 3)
    assert execute(client, "m", ["x"], ["y"]) == b"OK"
    for i, later in enumerate(laters):
        value = str(2 * i).encode()
        assert later.get() == [b"OK", b"OK", [value, value]]
    assert get_floats(client, "y") == [18, 18]
    assert queue(client)["runs"] == 1


def test_dags_that_meet_in_batches_of_two_devices(client, server):
    for name, device in (("m0", "CPU"), ("m1", "CPU:1")):
        options = ("BATCHSIZE", 2, "MINBATCHSIZE", 2)
        client.execute_command("AI.MODELSTORE", name, "ONNX", device, *options, "BLOB", onnx_models.doubler())
    text = (
        "ROUTING t |> AI.TENSORSET a FLOAT 1 2 VALUES {i} 1 " + run_model("m0", ["a"], ["b"])
        + run_model("m1", ["a"], ["c"]) + run_model("m1", ["b"], ["d"]) + " |> AI.TENSORGET d VALUES"
    )  # fmt: skip
    for _ in range(20):
        laters = [Later(server, "AI.DAGEXECUTE", *words(text.format(i=i))) for i in range(2)]
        for i, later in enumerate(laters):
            assert later.get()[-1] == [str(4 * i).encode(), b"4"]
    assert queue(client)["runs"] == 20
    assert queue(client, "CPU_1")["runs"] == 40


@pytest.mark.alone
@pytest.mark.asan
def test_the_deadline_is_of_the_whole(ready, server, busy):
    # Waiting for a batch that never fills, after a first op that was quick.
    store(ready, "waits", onnx_models.doubler(), "BATCHSIZE", 8, "MINBATCHSIZE", 8)
    text = "LOAD 1 x PERSIST 1 y TIMEOUT 250 " + run_model("double", ["x"], ["y"]) + run_model("waits", ["y"], ["z"])
    for name in ("AI.DAGEXECUTE", "AI.DAGRUN"):
        if name == "AI.DAGRUN":
            text = (
                "LOAD 1 x PERSIST 1 y TIMEOUT 250 |> AI.MODELRUN double INPUTS x OUTPUTS y "
                "|> AI.MODELRUN waits INPUTS y OUTPUTS z"
            )
        started = time.monotonic()
        assert dag(ready, text, name) == b"TIMEDOUT"
        assert 0.24 < time.monotonic() - started < 1.5
        assert not ready.exists("y")
        assert queue(ready)["waiting"] == 0
    # Waiting behind another run; the ops that follow are never started.
    busy(800)
    runs = queue(ready)["requests"]
    started = time.monotonic()
    text = "LOAD 1 x TIMEOUT 100 " + run_model("double", ["x"], ["y"]) + run_model("double1", ["y"], ["z"])
    assert dag(ready, text, "AI.DAGEXECUTE_RO") == b"TIMEDOUT"
    assert time.monotonic() - started < 0.7
    assert queue(ready)["requests"] == runs
    assert "ai_queue_CPU_1" not in ready.info("everything")


def test_time_enough_is_no_error(ready):
    text = "LOAD 1 x TIMEOUT 20000 " + run_model("double", ["x"], ["y"]) + " |> AI.TENSORGET y VALUES"
    assert dag(ready, text) == [b"OK", [b"2", b"4", b"6", b"8"]]


# ---- a world that changes while a DAG runs ----


@pytest.mark.asan
def test_results_are_kept_when_the_client_has_left(ready, server, busy):
    busy(500)
    connection = server.client().connection_pool.get_connection()
    text = "LOAD 1 x PERSIST 1 left " + run_model("double", ["x"], ["y"]) + run_model("double1", ["y"], ["left"])
    connection.send_command("AI.DAGEXECUTE", *words(text))
    eventually(lambda: queue(ready)["waiting"] == 1)
    connection.disconnect()
    eventually(lambda: ready.exists("left"), what="the result of a client that left")
    assert get_floats(ready, "left") == [4, 8, 12, 16]


@pytest.mark.asan
def test_everything_may_be_deleted_meanwhile(ready, server, busy):
    first = busy(500)
    later = Later(
        server,
        "AI.DAGEXECUTE",
        *words("LOAD 1 x PERSIST 1 y " + run_model("double", ["x"], ["y"]) + run_model("double", ["y"], ["y"])),
    )
    eventually(lambda: queue(ready)["waiting"] == 1)
    ready.flushall()
    assert first.get() == b"TIMEDOUT"
    assert later.get() == [b"OK", b"OK"]
    assert ready.keys() == [b"y"]
    assert get_floats(ready, "y") == [4, 8, 12, 16]


def test_a_permission_lost_meanwhile_counts(ready, server, busy):
    ready.execute_command("ACL", "SETUSER", "app", "on", ">pw", "+@all", "~*")
    busy(500)
    text = "LOAD 1 x PERSIST 1 y " + run_model("double", ["x"], ["y"]) + " |> AI.TENSORGET y VALUES"
    later = Later(server, "AI.DAGEXECUTE", *words(text), username="app", password="pw")
    eventually(lambda: queue(ready)["waiting"] == 1)
    ready.execute_command("ACL", "SETUSER", "app", "resetkeys", "%R~*")
    reply = later.get()
    assert reply[:2] == [b"OK", [b"2", b"4", b"6", b"8"]]
    assert "may no longer use the key 'y'" in str(reply[2])
    assert not ready.exists("y")


def test_nothing_is_written_while_writes_are_paused(ready, server, busy):
    busy(500)
    text = "LOAD 1 x PERSIST 1 y " + run_model("double", ["x"], ["y"])
    later = Later(server, "AI.DAGEXECUTE", *words(text))
    read_only = Later(server, "AI.DAGEXECUTE_RO", *words("LOAD 1 x " + run_model("double", ["x"], ["y"])))
    eventually(lambda: queue(ready)["waiting"] == 2)
    ready.client_pause(1500, all=False)
    reply = later.get()
    assert reply[0] == b"OK"
    assert "writes are paused" in str(reply[1])
    assert read_only.get() == [b"OK"]
    assert not ready.exists("y")
    ready.client_unpause()


def test_sigterm_ends_a_server_that_runs_a_dag(ready, server):
    set_floats(ready, "one", [1], [1])
    ready.execute_command("AI.MODELSTORE", "endless", "ONNX", "CPU:1", "BLOB", onnx_models.endless())
    text = "LOAD 1 one PERSIST 1 a " + run_model("endless", ["one"], ["a"]) + run_model("endless", ["a"], ["a"])
    later = Later(server, "AI.DAGEXECUTE", *words(text))
    eventually(lambda: queue(ready, "CPU_1")["running"] == 1)
    status, seconds = server.terminate()
    assert status == 0
    assert seconds < 4
    later.get()


# ---- replication, AOF ----


@pytest.mark.asan
def test_a_replica_gets_what_was_persisted_and_never_the_run(start_server, engine):
    primary, replica = start_server(), start_server()
    replica.client().replicaof("127.0.0.1", primary.port)
    eventually(lambda: replica.client().info("replication")["master_link_status"] == "up", timeout=30)
    client, copy = primary.client(), replica.client()
    store(client, "m", onnx_models.doubler())
    set_floats(client, "x", [1, 2], [1, 2])
    text = "LOAD 1 x PERSIST 2 y s " + run_model("m", ["x"], ["local"]) + run_model("m", ["local"], ["y"])
    assert dag(client, text + " |> AI.TENSORSET s STRING 2 VALUES ab c") == [b"OK"] * 3
    # Without a run there is no wait, and the same is replicated.
    assert dag(client, "PERSIST 1 w |> AI.TENSORSET w FLOAT 1 2 VALUES 5 6") == [b"OK"]
    eventually(lambda: copy.exists("y", "s", "w", "m") == 4)
    assert get_floats(copy, "y") == [4, 8]
    assert get_floats(copy, "w") == [5, 6]
    assert copy.execute_command("AI.TENSORGET", "s", "VALUES") == [b"ab", b"c"]
    assert not copy.exists("local")
    stats = copy.info("commandstats")
    assert "cmdstat_ai.dagexecute" not in stats
    assert stats["cmdstat_ai.tensorset"]["calls"] == 4
    # The read-only form works on the replica, the other does not.
    text = "LOAD 1 x " + run_model("m", ["x"], ["y"]) + " |> AI.TENSORGET y VALUES"
    assert dag(copy, text, "AI.DAGEXECUTE_RO") == [b"OK", [b"2", b"4"]]
    text = "LOAD 1 x |> AI.MODELRUN m INPUTS x OUTPUTS y |> AI.TENSORGET y VALUES"
    assert dag(copy, text, "AI.DAGRUN_RO") == [b"OK", [b"2", b"4"]]
    with pytest.raises(redis.ReadOnlyError):
        dag(copy, "PERSIST 1 y |> AI.TENSORSET y FLOAT 1")


def test_persisted_tensors_survive_in_the_aof(start_server, engine):
    config = {"appendonly": "yes", "appendfsync": "always"}
    server = start_server(config=config)
    client = server.client()
    store(client, "m", onnx_models.doubler())
    set_floats(client, "x", [1, 2], [1, 2])
    text = "LOAD 1 x PERSIST 2 y t " + run_model("m", ["x"], ["y"]) + " |> AI.TENSORSET t INT64 2 VALUES -1 2"
    assert dag(client, text) == [b"OK", b"OK"]
    assert dag(client, "PERSIST 1 w |> AI.TENSORSET w FLOAT 1 2 VALUES 5 6") == [b"OK"]
    aof = b"".join(path.read_bytes() for path in server.dir.glob("appendonlydir/*"))
    assert b"DAGEXECUTE" not in aof.upper()
    server.kill9()
    server.start()
    client = server.client()
    assert get_floats(client, "y") == [2, 4]
    assert get_floats(client, "w") == [5, 6]
    assert client.execute_command("AI.TENSORGET", "t", "VALUES") == [-1, 2]


def test_watchers_of_a_persisted_key_are_told(ready, server):
    with server.client() as watcher:
        pipe = watcher.pipeline()
        pipe.watch("y")
        assert dag(ready, "LOAD 1 x PERSIST 1 y " + run_model("double", ["x"], ["y"])) == [b"OK"]
        pipe.multi()
        pipe.ping()
        with pytest.raises(redis.WatchError):
            pipe.execute()


# ---- load ----


@pytest.mark.asan
def test_many_clients_get_their_own_results(ready, server):
    ready.execute_command("AI.MODELSTORE", "batched", "ONNX", "CPU:1", "BATCHSIZE", 8, "BLOB", onnx_models.doubler())
    text = (
        "LOAD 1 x{i} PERSIST 1 y{i} TIMEOUT 30000 |> AI.TENSORSET a FLOAT 1 2 VALUES {i} {j} "
        + run_model("multiply", ["a", "x{i}"], ["b"]) + run_model("batched", ["a"], ["c"])
        + run_model("multiply", ["b", "c"], ["y{i}"]) + " |> AI.TENSORGET y{i} BLOB"
    )  # fmt: skip
    failures = []

    def run(i):
        with server.client() as other:
            set_floats(other, f"x{i}", [1, 2], [i, i])
            for j in range(100):
                got = dag(other, text.format(i=i, j=j))[-1]
                if isinstance(got, Exception) or list(np.frombuffer(got, np.float32)) != [2 * i**3, 2 * i * j * j]:
                    failures.append((i, j, got))

    threads = [threading.Thread(target=run, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert failures == []
