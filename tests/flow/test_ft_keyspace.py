"""The index follows the keys, whatever changes them."""

import numpy as np
import pytest
from ft_help import blob, create, info, keys, knn, wait_scanned

from servers import PRELOAD, eventually

pytestmark = pytest.mark.asan


@pytest.fixture
def items(client):
    create(client)
    for i in range(4):
        client.hset(f"item:{i}", mapping={"vec": blob(i, 0), "tag": "a", "num": i})
    return client


ALL = {"item:0", "item:1", "item:2", "item:3"}


def test_hset_and_hdel_change_one_field(items):
    items.hset("item:0", "tag", "b")
    assert keys(items, "@tag:{b}") == {"item:0"}
    assert keys(items, "@tag:{a}") == ALL - {"item:0"}
    items.hdel("item:0", "tag")
    assert keys(items, "@tag:{a|b}") == ALL - {"item:0"}
    assert "item:0" in keys(items), "the document stays, without the field"
    items.hincrby("item:1", "num", 100)
    assert keys(items, "@num:[101 101]") == {"item:1"}


def test_hdel_of_the_vector_takes_the_document_out_of_knn(items):
    items.hdel("item:0", "vec")
    assert knn(items, "*=>[KNN 1 @vec $b]", blob(0, 0), "NOCONTENT") == [1, b"item:1"]


@pytest.mark.parametrize(
    "command",
    [
        "DEL item:0",
        "UNLINK item:0",
        "HDEL item:0 vec tag num",
        "RENAME item:0 elsewhere",
        "SET item:0 text",
        "SUNIONSTORE item:0 none",
        "MOVE item:0 1",
        "PEXPIREAT item:0 1",
    ],
)
def test_a_key_that_goes_leaves_the_index(items, command):
    items.execute_command(*command.split())
    assert keys(items) == ALL - {"item:0"}


def test_expiry_takes_documents_out_by_itself(items):
    items.pexpire("item:2", 50)
    eventually(lambda: int(info(items)["num_docs"]) == 3)
    assert keys(items) == ALL - {"item:2"}


@pytest.mark.parametrize("command", ["RENAME other item:9", "COPY other item:9", "MOVE item:9 0"])
def test_a_key_that_arrives_is_indexed(server, items, command):
    mapping = {"vec": blob(9, 0), "tag": "new"}
    items.hset("other", mapping=mapping)
    with server.client(db=1) as other_database:
        other_database.hset("item:9", mapping=mapping)
        (other_database if command.startswith("MOVE") else items).execute_command(*command.split())
    assert keys(items, "@tag:{new}") == {"item:9"}


def test_restore_and_a_rename_over_another_document(items):
    dump = items.dump("item:1")
    items.restore("item:7", 0, dump)
    assert keys(items, "@num:[1 1]") == {"item:1", "item:7"}
    items.rename("item:3", "item:2")
    assert keys(items, "@num:[2 3]") == {"item:2"}
    assert keys(items, "@num:[3 3]") == {"item:2"}


def test_eviction_takes_documents_out(start_server, engine):
    server = start_server(config={"maxmemory-policy": "allkeys-random"})
    client = server.client()
    create(client, dim=256)
    client.config_set("maxmemory", client.info("memory")["used_memory"] + 3_000_000)
    for i in range(3000):
        client.hset(f"item:{i}", "vec", bytes(1024))
    assert client.info("stats")["evicted_keys"] > 100
    client.config_set("maxmemory", 0)
    assert int(info(client)["num_docs"]) == client.dbsize()
    assert keys(client, limit=10000) == {key.decode() for key in client.keys()}


def test_flush_drops_the_indexes_of_the_database_and_swapdb_reads_the_keys_again(server, items):
    with server.client(db=1) as other:
        other.hset("item:77", mapping={"vec": blob(7, 7), "tag": "a"})
    items.swapdb(0, 1)
    wait_scanned(items)
    assert keys(items) == {"item:77"}
    items.swapdb(1, 0)
    wait_scanned(items)
    assert keys(items) == ALL
    with server.client(db=1) as other:
        other.flushdb()
    assert keys(items) == ALL
    items.flushdb()
    assert items.execute_command("FT._LIST") == []
    create(items)
    assert keys(items) == set()


@pytest.mark.alone
def test_existing_keys_are_scanned_in_the_background_while_others_change(client):
    pipe = client.pipeline(transaction=False)
    for i in range(30_000):
        pipe.hset(f"item:{i}", mapping={"vec": blob(i, 0), "tag": "old", "num": i})
        pipe.set(f"noise:{i}", "x")
    pipe.execute()
    create(client)
    assert info(client)["indexing"] == 1
    client.delete("item:1")
    client.hset("item:2", "tag", "new")
    wait_scanned(client)
    state = info(client)
    assert int(state["num_docs"]) == 29_999 and float(state["percent_indexed"]) == 1
    assert keys(client, "@tag:{new}") == {"item:2"}
    # The clock ends a slice, between two keys: a sanitized server takes several times longer for each.
    assert client.info("ai_ft")["ai_longest_scan_slice_us"] < (500_000 if PRELOAD else 50_000)


def test_skipinitialscan_indexes_only_what_comes(client):
    client.hset("item:1", "tag", "a")
    create(client, skip_initial_scan=True)
    client.hset("item:2", "tag", "a")
    assert keys(client) == {"item:2"}


def test_several_indexes_over_the_same_keys(items):
    create(items, name="second", prefix="item:1")
    wait_scanned(items, "second")
    items.hset("item:11", "tag", "x")
    assert keys(items, index="second") == {"item:1", "item:11"}
    assert keys(items) == ALL | {"item:11"}
    items.execute_command("FT.DROPINDEX", "second")
    assert keys(items) == ALL | {"item:11"}


def test_agrees_with_numpy_through_random_changes(client):
    """The whole way through the server against an exact reference, over three metrics."""
    rng = np.random.default_rng(5)
    dim = 24
    for metric in ("L2", "IP", "COSINE"):
        create(client, name=metric, dim=dim, metric=metric)
    truth = {}
    for step in range(3000):
        key = f"item:{rng.integers(400)}"
        if rng.random() < 0.25:
            client.delete(key)
            truth.pop(key, None)
        else:
            vector = rng.standard_normal(dim).astype(np.float32)
            num = int(rng.integers(100))
            client.hset(key, mapping={"vec": vector.tobytes(), "num": num, "tag": f"t{num % 3}"})
            truth[key] = (vector, num)
    names = sorted(truth)
    vectors = np.stack([truth[name][0] for name in names]).astype(np.float64)
    nums = np.array([truth[name][1] for name in names])
    for _ in range(20):
        query = rng.standard_normal(dim).astype(np.float32)
        low = int(rng.integers(60))
        mask = (nums >= low) & (nums <= low + 40) & (nums % 3 != 1)
        for metric in ("L2", "IP", "COSINE"):
            if metric == "L2":
                distance = ((vectors - query) ** 2).sum(1)
            else:
                distance = 1 - vectors @ query.astype(np.float64)
            if metric == "COSINE":
                distance = 1 - (1 - distance) / np.linalg.norm(vectors, axis=1) / np.linalg.norm(query)
            allowed = np.nonzero(mask)[0]
            want = sorted(distance[allowed])[:10]
            reply = knn(
                client,
                f"(@num:[{low} {low + 40}] -@tag:{{t1}})=>[KNN 10 @vec $b AS d]",
                query.tobytes(),
                "RETURN", 1, "d",
                index=metric,
            )
            got = [float(fields[1]) for fields in reply[2::2]]
            assert np.allclose(got, want, atol=1e-4), (metric, got, want)
            got_names = [name.decode() for name in reply[1::2]]
            assert all(mask[names.index(name)] for name in got_names)
