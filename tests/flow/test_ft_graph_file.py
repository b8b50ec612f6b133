"""Graphs in RDB files: restarts, copies, full sync, saves beside writers, and files that are damaged."""

import shutil
import threading
import time

import pytest
from ft_graphs import Writer, check, create, graphs, settle
from ft_help import blob, info, keys, knn

from servers import eventually

pytestmark = pytest.mark.asan

@pytest.fixture
def load(start_server, engine):
    """Starts a server with a copy of an RDB."""

    def start(path):
        server = start_server()
        server.terminate()
        shutil.copy(path, server.dir / "dump.rdb")
        server.start()
        return server

    return start


def test_after_a_restart_nothing_is_linked_again(server, client):
    create(client)
    writer = Writer()
    writer.put(client, range(3000))
    client.delete(*[f"item:{i}" for i in range(0, 300, 3)])
    settle(client)
    client.save()
    server.restart("nosave")
    client = server.client()
    shown = info(client)
    assert shown["staged_vectors"] == 0 and shown["indexing"] == 0
    assert graphs(client) == (1, 0)
    assert int(shown["num_docs"]) == 2900
    check(client)
    writer.put(client, range(2900, 3500))
    client.delete(*[f"item:{i}" for i in range(1000)])
    settle(client)
    check(client)


def test_vectors_that_wait_are_linked_after_the_restart(server, client):
    create(client)
    Writer().put(client, range(4000))
    client.save()
    server.restart("nosave")
    client = server.client()
    assert graphs(client) == (1, 0)
    check(client)
    settle(client)
    check(client)


def test_keys_that_expired_meanwhile_leave_the_graph(server, client):
    create(client)
    Writer().put(client, range(500))
    for i in range(50):
        client.pexpire(f"item:{i}", 300)
    client.save()
    server.kill9()
    time.sleep(0.4)
    server.start()
    client = server.client()
    assert graphs(client) == (1, 0)
    assert int(info(client)["num_docs"]) == 450
    check(client)


def test_every_save_beside_writers_and_searches_loads(start_server, engine, load):
    """The forked child, and a SAVE, find nothing half linked; what a file lacks comes from the keys."""
    server = start_server()
    create(server.client())
    Writer().put(server.client(), range(2000))
    writers = [Writer(seed) for seed in (2, 3)]
    threads = [threading.Thread(target=writer.run, args=(server.client(), 2500)) for writer in writers]

    def search():
        sampler = Writer(9)
        with server.client() as client:
            while not writers[0].stop.is_set():
                knn(client, "@num:[0 1000]=>[KNN 10 @vec $b]", blob(*sampler.sample()), "NOCONTENT")

    threads.append(threading.Thread(target=search))
    for thread in threads:
        thread.start()
    saved = []
    try:
        with server.client() as client:
            for number in range(6):
                if number % 3 == 2:
                    client.save()
                else:
                    client.bgsave()
                    eventually(lambda: client.info("persistence")["rdb_bgsave_in_progress"] == 0, timeout=30)
                assert client.info("persistence")["rdb_last_bgsave_status"] == "ok"
                saved.append(server.dir / f"copy{number}.rdb")
                shutil.copy(server.dir / "dump.rdb", saved[-1])
    finally:
        for writer in writers:
            writer.stop.set()
        for thread in threads:
            thread.join()
    for path in saved:
        other = load(path)
        client = other.client()
        assert graphs(client) == (1, 0), other.log_tail()
        check(client)
        settle(client)
        check(client)
        other.terminate()


def test_a_replica_keeps_the_graph_and_takes_over(start_server, engine):
    primary, replica = start_server(), start_server()
    p, r = primary.client(), replica.client()
    create(p)
    writer = Writer()
    writer.put(p, range(2000))
    settle(p)
    r.replicaof("127.0.0.1", primary.port)
    eventually(lambda: r.info("replication")["master_link_status"] == "up", timeout=30)
    assert graphs(r) == (1, 0)
    assert info(r)["staged_vectors"] == 0
    check(r)
    primary.kill9()
    r.replicaof("no", "one")
    check(r)
    writer.put(r, range(1500, 2500))
    settle(r)
    check(r)


@pytest.mark.parametrize("rewrite", [False, True])
def test_an_aof_comes_back_with_graph_and_aliases(start_server, engine, rewrite):
    server = start_server(config={"appendonly": "yes", "appendfsync": "always"})
    client = server.client()
    create(client)
    client.execute_command("FT.ALIASADD", "other", "idx")
    writer = Writer()
    writer.put(client, range(1000))
    settle(client)
    if rewrite:
        client.bgrewriteaof()
        eventually(lambda: client.info("persistence")["aof_rewrite_in_progress"] == 0, timeout=30)
    writer.put(client, range(900, 1100))
    client.execute_command("FT.ALIASADD", "third", "idx")
    server.restart("kill9")
    client = server.client()
    assert graphs(client) == ((1, 0) if rewrite else (0, 0))
    settle(client)
    check(client)
    assert len(keys(client, index="other")) == len(keys(client, index="third")) == 1000  # the default of keys()


def damaged(server, change):
    """Restarts a server with a changed file; the change is a function of its bytes."""
    server.client().save()
    server.kill9()
    path = server.dir / "dump.rdb"
    path.write_bytes(change(path.read_bytes()))
    server.start()
    return server.client()


def test_a_damaged_graph_is_built_again_and_the_log_says_so(start_server, engine):
    server = start_server(config={"rdbchecksum": "no", "rdbcompression": "no"})
    client = server.client()
    create(client)
    writer = Writer()
    writer.put(client, range(1000))
    settle(client)
    vector = client.hget("item:500", "vec")

    def change(data):
        # Somewhere in the graph, which comes before the keys and is larger than the list of documents.
        first_key = data.index(vector) if vector in data else len(data)
        at = min(first_key, len(data)) // 3
        return data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :]

    client = damaged(server, change)
    assert graphs(client) == (0, 1)
    assert "index 'idx', field 1: the graph in the file is not used, it" in server.log()
    check(client)
    settle(client)
    check(client)


def test_damaged_documents_cost_all_graphs_of_the_index(start_server, engine):
    server = start_server(config={"rdbchecksum": "no", "rdbcompression": "no"})
    client = server.client()
    create(client)
    Writer().put(client, range(300))
    settle(client)

    def change(data):
        at = data.index(b"item:7")
        return data[:at] + b"item;" + data[at + 5 :]

    client = damaged(server, change)
    assert graphs(client) == (0, 1)
    assert "index 'idx': the list of documents in the file is not used" in server.log()
    settle(client)
    check(client)
    assert int(info(client)["num_docs"]) == 300
