"""Indexes across restarts, replicas and saves."""

import shutil
import threading

import numpy as np
import pytest
import redis
from ft_help import blob, create, info, keys, knn, wait_scanned

from servers import eventually


def fill(client, count=200):
    create(client)
    pipe = client.pipeline(transaction=False)
    for i in range(count):
        pipe.hset(f"item:{i}", mapping={"vec": blob(i, 0), "tag": "even" if i % 2 == 0 else "odd", "num": i})
    pipe.execute()


def check(client, count=200):
    assert client.execute_command("FT._LIST") == [b"idx"]
    assert int(info(client)["num_docs"]) == count
    assert knn(client, "@tag:{odd}=>[KNN 2 @vec $b]", blob(0, 0), "NOCONTENT") == [2, b"item:1", b"item:3"]


def test_an_rdb_brings_the_index_back(server, client):
    fill(client)
    client.save()
    server.restart("nosave")
    check(server.client())


@pytest.mark.parametrize("rewrite", [False, True])
def test_the_aof_brings_the_index_back(start_server, engine, rewrite):
    server = start_server(config={"appendonly": "yes", "appendfsync": "always"})
    client = server.client()
    fill(client)
    if rewrite:
        client.bgrewriteaof()
        eventually(lambda: client.info("persistence")["aof_rewrite_in_progress"] == 0)
        client.hset("item:1", "num", 1)
    server.restart("kill9")
    eventually(lambda: server.client().ping())
    wait_scanned(server.client())
    check(server.client())


def test_a_dropped_index_stays_dropped(start_server, engine):
    server = start_server(config={"appendonly": "yes", "appendfsync": "always"})
    client = server.client()
    fill(client)
    client.execute_command("FT.DROPINDEX", "idx", "DD")
    server.restart("kill9")
    assert server.client().execute_command("FT._LIST") == []
    assert server.client().dbsize() == 0


def test_an_aof_that_cannot_keep_definitions_is_warned_about(start_server, engine):
    server = start_server(config={"appendonly": "yes", "aof-use-rdb-preamble": "no"})
    create(server.client())
    assert "index definitions will be lost when the AOF is rewritten" in server.log()
    assert server.client().info("ai_ft")["ai_definitions_lost_on_aof_rewrite"] == 1


def test_a_replica_has_the_index_from_full_sync_and_from_the_stream(start_server, engine):
    primary, replica = start_server(), start_server()
    p, r = primary.client(), replica.client()
    r.hset("item:stale", "tag", "odd")
    create(r, name="stale")
    fill(p)
    r.replicaof("127.0.0.1", primary.port)
    eventually(lambda: r.info("replication")["master_link_status"] == "up", timeout=30)
    check(r)
    create(p, name="later", prefix="item:1")
    p.hset("item:1000", mapping={"vec": blob(0.5, 0), "tag": "odd"})
    p.delete("item:1")
    assert p.wait(1, 5000) == 1
    wait_scanned(r, "later")
    assert knn(r, "@tag:{odd}=>[KNN 2 @vec $b]", blob(0, 0), "NOCONTENT") == [2, b"item:1000", b"item:3"]
    assert keys(r, index="later") == keys(p, index="later") != set()
    p.execute_command("FT.DROPINDEX", "idx", "DD")
    assert p.wait(1, 5000) == 1
    assert r.dbsize() == p.dbsize() == 0
    assert r.execute_command("FT._LIST") == [b"later"]
    with pytest.raises(redis.ReadOnlyError):
        create(r, name="refused")


def test_debug_reload_keeps_the_index(client):
    fill(client)
    client.execute_command("DEBUG", "RELOAD")
    check(client)


def test_every_bgsave_under_ingest_and_search_loads(start_server, engine):
    """The forked child finds nothing locked and nothing half written."""
    server = start_server()
    fill(server.client(), 2000)
    stop = threading.Event()

    def write():
        with server.client() as client:
            rng = np.random.default_rng(1)
            while not stop.is_set():
                pipe = client.pipeline(transaction=False)
                for _ in range(50):
                    i = int(rng.integers(2000))
                    pipe.hset(f"item:{i}", mapping={"vec": blob(i, 0), "num": i})
                pipe.execute()

    def search():
        with server.client() as client:
            while not stop.is_set():
                knn(client, "@tag:{odd}=>[KNN 10 @vec $b]", blob(3, 0))

    threads = [threading.Thread(target=work) for work in (write, search, search)]
    for thread in threads:
        thread.start()
    saved = []
    try:
        with server.client() as client:
            for number in range(8):
                client.bgsave()
                eventually(lambda: client.info("persistence")["rdb_bgsave_in_progress"] == 0, timeout=30)
                assert client.info("persistence")["rdb_last_bgsave_status"] == "ok"
                copy = server.dir / f"copy{number}.rdb"
                shutil.copy(server.dir / "dump.rdb", copy)
                saved.append(copy)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    for copy in saved[::3]:
        other = start_server()
        other.terminate()
        shutil.copy(copy, other.dir / "dump.rdb")
        other.start()
        check(other.client(), 2000)
        other.terminate()


def test_a_damaged_definition_stops_the_start_with_a_reason(start_server, engine):
    server = start_server(config={"rdbchecksum": "no", "rdbcompression": "no"})
    fill(server.client(), 5)
    server.client().save()
    server.terminate()
    path = server.dir / "dump.rdb"
    data = path.read_bytes()
    assert data.count(b"FLAT") == 1
    path.write_bytes(data.replace(b"FLAT", b"TREE"))
    with pytest.raises(AssertionError):
        server.start()
    assert "cannot read the index definitions: Bad arguments for vector similarity algorithm" in server.log()


def test_an_rdb_without_an_index_loads_without_the_module_where_the_server_can(start_server, engine):
    """Redis 7.0 writes the part of a module in any case; from 7.2 on it is left out when there is nothing to say."""
    if engine == "redis":
        pytest.skip("Redis 7.0 has no aux_save2")
    server = start_server()
    server.client().hset("a", "b", "c")
    server.client().save()
    server.terminate()
    bare = start_server(module=False)
    bare.terminate()
    shutil.copy(server.dir / "dump.rdb", bare.dir / "dump.rdb")
    bare.start()
    assert bare.client().dbsize() == 1
