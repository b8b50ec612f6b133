"""Tensors and models in RDB files, the AOF, DUMP payloads and on replicas."""

import random
import subprocess
import threading
import time

import pytest
import redis

from ai_models import execute, get_floats, onnx_models, set_floats, store
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
        pipe.execute_command("AI.MODELSTORE", "torch", "TORCH", "CPU", "BLOB", "weights")
        pipe.execute_command("AI.MODELSTORE", "bad", "ONNX", "CPU", "BLOB", "garbage")
        pipe.execute()
    set_floats(client, "x", [1, 2], [1, 2])
    client.save()
    server.kill9()
    server.start()
    client = server.client()
    assert client.execute_command("AI.MODELGET", "torch", "BLOB") == b"weights"
    with pytest.raises(redis.ResponseError, match="TORCH is not part of this installation"):
        execute(client, "torch", ["x"], ["y"])
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


def crc64(data):
    """The checksum at the end of a DUMP payload (Jones polynomial, reflected), so that damage gets past it."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x95AC9329AC4BC9B5 if crc & 1 else 0)
    return crc


@pytest.mark.asan
def test_damaged_payloads_with_a_right_checksum_are_errors_and_never_a_crash(server):
    client = server.client()
    fill(client)
    rng = random.Random(7)
    accepted = 0
    for key in ("x", "s", "m"):
        payload = client.dump(key)
        body, version = payload[:-10], payload[-10:-8]
        assert crc64(payload[:-8]).to_bytes(8, "little") == payload[-8:]
        # Byte 0 is the kind, 1 to 9 the type's name and version: damage what is ours.
        for _ in range(250):
            damaged = bytearray(body)
            for _ in range(rng.randint(1, 3)):
                damaged[rng.randrange(10, min(len(damaged), 80))] = rng.randrange(256)
            sealed = bytes(damaged) + version
            sealed += crc64(sealed).to_bytes(8, "little")
            try:
                client.restore("damaged", 0, sealed, replace=True)
                accepted += 1
            except redis.ResponseError:
                pass
    assert client.ping()
    assert accepted < 750  # most damage must be noticed; a changed number in a tensor cannot be


def redisai_tensor(client, payload_of_ours, version, fields):
    """A DUMP payload as RedisAI wrote it: the module id with its version, then fields."""
    out = bytearray(b"\x07")  # RDB_TYPE_MODULE_2
    # The type's 64-bit id: nine letters of six bits, then ten bits of version.
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    module_id = 0
    for letter in "AI_TENSOR":
        module_id = module_id << 6 | letters.index(letter)
    out += b"\x81" + (module_id << 10 | version).to_bytes(8, "big")
    for value in fields:
        if isinstance(value, bytes):
            out += b"\x05" + bytes([len(value)]) + value
        else:
            out += b"\x02" + bytes([value])
    out += b"\x00" + payload_of_ours[-10:-8]
    return bytes(out) + crc64(bytes(out)).to_bytes(8, "little")


@pytest.mark.asan
@pytest.mark.parametrize("version", [0, 1, 2, 3, 4])
def test_tensors_of_redisai_are_read(client, version):
    ours = client.execute_command("AI.TENSORSET", "t", "INT32", 2, 1, "VALUES", 1, 2) and client.dump("t")
    blob = b"\1\0\0\0\2\0\0\0"
    fields = [1, 0, 32, 0, 1, 2, 2, 1, 1, 1, 0, blob] if version < 4 else [0, 32, 2, 2, 1, blob]
    client.restore("old", 0, redisai_tensor(client, ours, version, fields))
    assert client.execute_command("AI.TENSORGET", "old", "META", "VALUES") == [
        b"dtype", b"INT32", b"shape", [2, 1], b"values", [1, 2],
    ]  # fmt: skip
    with pytest.raises(redis.ResponseError):
        client.restore("newer", 0, redisai_tensor(client, ours, 9, fields))


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
