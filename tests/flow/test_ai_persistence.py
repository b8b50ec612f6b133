"""Tensors and models in RDB files, the AOF, DUMP payloads and on replicas."""

import random
import subprocess
import threading
import time

import pytest
import redis

from ai_models import execute, get_floats, onnx_models, set_floats, store
from rdb_payload import HEADER, sealed, taken_apart
from servers import eventually

SAVING = {"save": '""', "appendonly": "no"}


def fill(client):
    store(client, "m", onnx_models.doubler(), "TAG", "v1", "BATCHSIZE", 8, "MINBATCHSIZE", 1, "MINBATCHTIMEOUT", 5)
    set_floats(client, "x", [1, 2], [1, 2])
    client.execute_command("AI.TENSORSET", "s", "STRING", 2, "VALUES", "ab", "")
    client.execute_command("AI.TENSORSET", "scalar", "FLOAT16", "VALUES", "0.5")
    client.execute_command("AI.TENSORSET", "big", "UINT64", 1, "VALUES", 2**64 - 1)


def check(client):
    meta = client.execute_command("AI.MODELGET", "m", "META")
    assert meta[:10] == [b"backend", b"ONNX", b"device", b"CPU", b"tag", b"v1", b"batchsize", 8, b"minbatchsize", 1]
    assert meta[-1] == 5
    assert client.execute_command("AI.MODELGET", "m", "BLOB") == onnx_models.doubler()
    assert get_floats(client, "x") == [1, 2]
    assert client.execute_command("AI.TENSORGET", "s", "VALUES") == [b"ab", b""]
    assert client.execute_command("AI.TENSORGET", "scalar") == [b"dtype", b"FLOAT16", b"shape", [], b"blob", b"\0\x38"]
    assert client.execute_command("AI.TENSORGET", "big", "VALUES") == [str(2**64 - 1).encode()]


def check_runs(client):
    assert execute(client, "m", ["x"], ["y"]) == b"OK"
    assert get_floats(client, "y") == [2, 4]
    assert client.execute_command("AI._MODELSCAN") == [[b"m", b"v1"]]


@pytest.mark.asan
def test_survives_a_restart_by_rdb(server):
    fill(server.client())
    server.client().save()
    server.kill9()
    server.start()
    check(server.client())
    check_runs(server.client())


@pytest.mark.parametrize("preamble", ["yes", "no"])
@pytest.mark.parametrize("rewrite", [False, True])
def test_survives_a_restart_by_aof(start_server, engine, preamble, rewrite):
    config = {"appendonly": "yes", "appendfsync": "always", "aof-use-rdb-preamble": preamble}
    server = start_server(config=config)
    client = server.client()
    fill(client)
    assert execute(client, "m", ["x"], ["result"]) == b"OK"
    if rewrite:
        client.bgrewriteaof()
        eventually(lambda: client.info("persistence")["aof_rewrite_in_progress"] == 0, timeout=20)
        eventually(lambda: client.info("persistence")["aof_rewrite_scheduled"] == 0)
    server.kill9()
    server.start()
    check(server.client())
    assert get_floats(server.client(), "result") == [2, 4]
    check_runs(server.client())


@pytest.mark.asan
def test_a_replica_gets_models_and_results_and_never_the_run(start_server, engine):
    primary, replica = start_server(), start_server()
    replica.client().replicaof("127.0.0.1", primary.port)
    eventually(lambda: replica.client().info("replication")["master_link_status"] == "up", timeout=30)
    fill(primary.client())
    assert execute(primary.client(), "m", ["x"], ["y"]) == b"OK"
    eventually(lambda: replica.client().exists("y", "m", "big") == 3)
    check(replica.client())
    assert get_floats(replica.client(), "y") == [2, 4]
    stats = replica.client().info("commandstats")
    assert "cmdstat_ai.modelexecute" not in stats
    with pytest.raises(redis.ReadOnlyError):
        execute(replica.client(), "m", ["x"], ["y"])
    # After a failover it runs its own copy of the model.
    replica.client().replicaof("NO", "ONE")
    check_runs(replica.client())


def test_a_model_that_cannot_be_built_does_not_fail_a_load(server):
    client = server.client()
    with client.pipeline(transaction=True) as pipe:
        pipe.execute_command("AI.MODELSTORE", "tflite", "TFLITE", "CPU", "BLOB", "weights")
        pipe.execute_command("AI.MODELSTORE", "bad", "ONNX", "CPU", "BLOB", "garbage")
        pipe.execute()
    set_floats(client, "x", [1, 2], [1, 2])
    client.save()
    server.kill9()
    server.start()
    client = server.client()
    assert client.execute_command("AI.MODELGET", "tflite", "BLOB") == b"weights"
    with pytest.raises(redis.ResponseError, match="TFLITE is not part of this installation"):
        execute(client, "tflite", ["x"], ["y"])
    with pytest.raises(redis.ResponseError, match="protobuf"):
        execute(client, "bad", ["x"], ["y"])


@pytest.mark.asan
def test_dump_and_restore(server):
    client = server.client()
    fill(client)
    payloads = {key: client.dump(key) for key in ("m", "x", "s", "scalar", "big")}
    client.flushall()
    for key, payload in payloads.items():
        client.restore(key, 0, payload)
    check(client)
    check_runs(client)


@pytest.mark.asan
def test_damaged_payloads_with_a_right_checksum_are_errors_and_never_a_crash(server):
    client = server.client()
    fill(client)
    rng = random.Random(7)
    accepted = 0
    for key in ("x", "s", "m"):
        body, version = taken_apart(client.dump(key))
        for _ in range(250):
            damaged = bytearray(body)
            for _ in range(rng.randint(1, 3)):
                damaged[rng.randrange(HEADER, min(len(damaged), 80))] = rng.randrange(256)
            try:
                client.restore("damaged", 0, sealed(bytes(damaged), version), replace=True)
                accepted += 1
            except redis.ResponseError:
                pass
    assert client.ping()
    assert accepted < 750  # most damage must be noticed; a changed number in a tensor cannot be


@pytest.mark.asan
def test_saving_in_the_background_under_writes_gives_files_that_load(start_server, engine, folder):
    server = start_server()
    client = server.client()
    store(client, "m", onnx_models.doubler())
    done = threading.Event()

    def write(i):
        with server.client() as other:
            n = 0
            while not done.is_set():
                set_floats(other, f"x{i}:{n % 50}", [100, 2], [n % 1000] * 200)
                execute(other, "m", [f"x{i}:{n % 50}"], [f"y{i}:{n % 50}"])
                if n % 20 == 0:
                    store(other, f"m{i}", onnx_models.doubler(), "TAG", n)
                n += 1

    threads = [threading.Thread(target=write, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    copies = []
    try:
        for n in range(6):
            client.bgsave()
            eventually(lambda: client.info("persistence")["rdb_bgsave_in_progress"] == 0, timeout=30)
            assert client.info("persistence")["rdb_last_bgsave_status"] == "ok"
            copies.append(folder / f"dump{n}.rdb")
            copies[-1].write_bytes((server.dir / "dump.rdb").read_bytes())
    finally:
        done.set()
        for thread in threads:
            thread.join(30)
    checker = {"redis": "redis-check-rdb", "valkey": "valkey-check-rdb"}[engine]
    for copy in copies:
        program = server_program(server, checker)
        result = subprocess.run([program, copy], capture_output=True, text=True, timeout=60)
        assert "Checksum OK" in result.stdout, result.stdout[-500:]
    (server.dir / "dump.rdb").write_bytes(copies[-1].read_bytes())
    server.kill9()
    (server.dir / "dump.rdb").write_bytes(copies[-1].read_bytes())
    server.start()
    loaded = server.client()
    for key in loaded.scan_iter("y*"):
        values = get_floats(loaded, key)
        assert len(values) == 200 and len(set(values)) == 1
    assert loaded.execute_command("AI.MODELGET", "m", "BLOB") == onnx_models.doubler()


def server_program(server, name):
    from servers import PROGRAMS

    return PROGRAMS[server.engine].parent / name


def test_used_memory_stays_level_over_many_runs(client):
    store(client, "m", onnx_models.doubler())
    set_floats(client, "x", [1000, 2], [1] * 2000)

    def run(n):
        for _ in range(n):
            execute(client, "m", ["x"], ["y"])
        time.sleep(0.1)
        return client.info("memory")["used_memory"]

    settled = run(200)
    assert run(1000) - settled < 500_000
