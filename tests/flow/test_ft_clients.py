"""FT.* among other clients: transactions, scripts, users, many searches at once, and the end of the server."""

import re
import threading
import time

import numpy as np
import pytest
import redis
from ft_help import blob, create, info, keys, knn


def fill(client, count, dim=2):
    create(client, dim=dim)
    rng = np.random.default_rng(2)
    for start in range(0, count, 1000):
        pipe = client.pipeline(transaction=False)
        for i in range(start, min(start + 1000, count)):
            pipe.hset(f"item:{i}", mapping={"vec": rng.random(dim, np.float32).tobytes(), "tag": "a", "num": i})
        pipe.execute()


@pytest.mark.asan
def test_searches_in_a_transaction_see_the_writes_before_them(client):
    create(client)
    pipe = client.pipeline(transaction=True)
    pipe.hset("item:1", "tag", "a")
    pipe.execute_command("FT.SEARCH", "idx", "@tag:{a}", "NOCONTENT")
    pipe.delete("item:1")
    pipe.execute_command("FT.SEARCH", "idx", "@tag:{a}", "NOCONTENT")
    assert pipe.execute() == [1, [1, b"item:1"], 1, [0]]


@pytest.mark.asan
def test_scripts_search_in_place(client):
    create(client)
    script = "redis.call('HSET', 'item:1', 'tag', 'a') return redis.call('FT.SEARCH', 'idx', '@tag:{a}', 'NOCONTENT')"
    assert client.eval(script, 0) == [1, b"item:1"]
    with pytest.raises(redis.ResponseError, match="no such index"):
        client.eval("return redis.call('FT.SEARCH', 'none', '*')", 0)


def test_every_client_reads_its_own_writes_while_others_search(server):
    fill(server.client(), 20_000, dim=64)
    stop = threading.Event()
    failures = []

    def load():
        with server.client() as client:
            while not stop.is_set():
                knn(client, "*=>[KNN 10 @vec $b]", bytes(256), "NOCONTENT", "TIMEOUT", 0)

    def read_own_writes(number):
        with server.client() as client:
            for i in range(150):
                key = f"item:own{number}:{i}"
                client.hset(key, mapping={"tag": f"own{number}x{i}", "vec": bytes(256)})
                if keys(client, f"@tag:{{own{number}x{i}}}") != {key}:
                    failures.append(f"{key} not found after HSET")
                client.delete(key)
                if keys(client, f"@tag:{{own{number}x{i}}}"):
                    failures.append(f"{key} found after DEL")

    loaders = [threading.Thread(target=load) for _ in range(3)]
    writers = [threading.Thread(target=read_own_writes, args=(n,)) for n in range(2)]
    for thread in loaders + writers:
        thread.start()
    for thread in writers:
        thread.join()
    stop.set()
    for thread in loaders:
        thread.join()
    assert failures == []
    assert int(info(server.client())["num_docs"]) == 20_000


@pytest.mark.alone
def test_a_write_does_not_wait_for_the_searches_under_way(server):
    """Searches of tens of milliseconds run all the time: a write that waited for one would take as long."""
    client = server.client()
    fill(client, 60_000, dim=512)
    stop = threading.Event()
    searches = []

    def load():
        with server.client() as c:
            while not stop.is_set():
                begin = time.monotonic()
                knn(c, "*=>[KNN 10 @vec $b]", bytes(2048), "NOCONTENT", "TIMEOUT", 0)
                searches.append(time.monotonic() - begin)

    loaders = [threading.Thread(target=load) for _ in range(4)]
    for thread in loaders:
        thread.start()
    writes = []
    for i in range(500):
        begin = time.monotonic()
        client.hset(f"item:{i}", mapping={"num": i, "vec": bytes(2048)})
        writes.append(time.monotonic() - begin)
    stop.set()
    for thread in loaders:
        thread.join()
    assert np.median(writes) < np.median(searches) / 4
    assert int(info(client)["num_docs"]) == 60_000


def test_a_timeout_answers_in_time_with_what_was_found(server):
    client = server.client(protocol=3)
    create(client, dim=1024)
    pipe = client.pipeline(transaction=False)
    for i in range(20_000):
        pipe.hset(f"item:{i}", "vec", bytes(4096))
    pipe.execute()
    reply = knn(client, "*=>[KNN 10 @vec $b]", bytes(4096), "NOCONTENT", "TIMEOUT", 1)
    full = knn(client, "*=>[KNN 10 @vec $b]", bytes(4096), "NOCONTENT", "TIMEOUT", 0)
    assert full[b"total_results"] == 10 and full[b"warning"] == []
    if reply[b"warning"]:  # a fast machine may finish within the millisecond
        assert reply[b"warning"] == [b"Timeout limit was reached"]


@pytest.mark.alone
def test_the_server_ends_within_two_seconds_of_sigterm_during_searches(server):
    fill(server.client(), 60_000, dim=512)

    def load():
        try:
            with server.client() as client:
                while True:
                    knn(client, "*=>[KNN 10 @vec $b]", bytes(2048), "NOCONTENT", "TIMEOUT", 0)
        except (redis.ConnectionError, redis.ResponseError):
            pass

    loaders = [threading.Thread(target=load) for _ in range(6)]
    for thread in loaders:
        thread.start()
    time.sleep(0.5)
    status, seconds = server.terminate()
    for thread in loaders:
        thread.join()
    assert status == 0 and seconds < 2
    assert "bye bye" in server.log()


def test_a_client_that_leaves_does_not_disturb(server):
    client = server.client()
    fill(client, 20_000, dim=256)
    for _ in range(20):
        leaving = server.client()
        connection = leaving.connection_pool.get_connection()
        connection.send_command(
            "FT.SEARCH", "idx", "*=>[KNN 10 @vec $b]", "PARAMS", 2, "b", bytes(1024), "DIALECT", 2
        )
        connection.disconnect()
    assert knn(client, "*=>[KNN 10 @vec $b]", bytes(1024), "NOCONTENT")[0] == 10


ASKS = (
    ("FT.SEARCH", "idx", "*"),
    ("FT.SEARCH", "idx", "@tag:{none}"),
    ("FT.SEARCH", "idx", "*", "LIMIT", 0, 0),
    ("FT.AGGREGATE", "idx", "*", "GROUPBY", 0, "REDUCE", "COUNT", 0, "AS", "n"),
    ("FT.PROFILE", "idx", "SEARCH", "QUERY", "*"),
    ("FT.INFO", "idx"),
    ("FT.TAGVALS", "idx", "tag"),
)


@pytest.mark.parametrize(
    "rules, may",
    [
        ("~*", True),
        ("~item:*", True),
        ("~other %R~ite*", True),
        ("~mine:* (+@all ~item:*)", True),
        ("~mine:*", False),
        ("~item:1*", False),
        ("%W~*", False),
        ("~item:[a-z]* ~item:?*", False),
        ("", False),
    ],
)
def test_an_index_answers_only_who_may_read_all_that_it_covers(server, client, rules, may):
    """Were it only a count: it tells of keys that are kept from the user."""
    create(client)
    client.hset("item:1", "tag", "a")
    client.execute_command("ACL", "SETUSER", "alice", "on", ">pw", "+@all", "resetkeys", *split_rules(rules))
    with server.client(username="alice", password="pw") as alice:
        for words in ASKS:
            if may:
                assert alice.execute_command(*words) is not None, words
                pipe = alice.pipeline(transaction=True)
                assert pipe.execute_command(*words).execute() is not None
            else:
                with pytest.raises(redis.exceptions.NoPermissionError, match="may not read every key under the prefixes"):
                    alice.execute_command(*words)


def split_rules(rules):
    """At spaces outside of ( ), which belong to a selector."""
    return re.findall(r"\([^)]*\)|\S+", rules)


def test_rights_that_are_taken_away_are_gone_at_once(server, client):
    create(client)
    client.execute_command("ACL", "SETUSER", "alice", "on", ">pw", "+@all", "~*")
    with server.client(username="alice", password="pw") as alice:
        for _ in range(20):
            client.execute_command("ACL", "SETUSER", "alice", "resetkeys", "~*")
            assert alice.execute_command("FT.SEARCH", "idx", "*") == [0]
            client.execute_command("ACL", "SETUSER", "alice", "resetkeys", "~mine:*")
            with pytest.raises(redis.exceptions.NoPermissionError):
                alice.execute_command("FT.SEARCH", "idx", "*")


@pytest.mark.asan
def test_a_user_sees_only_documents_it_may_read(server, client):
    create(client, name="mine", prefix="mine:")
    create(client, prefix="")
    client.hset("mine:1", "tag", "a")
    client.hset("theirs:1", "tag", "b")
    client.execute_command("ACL", "SETUSER", "alice", "on", ">pw", "~mine:*", "+ft.search", "+ft.dropindex", "+hello")
    with server.client(username="alice", password="pw") as alice:
        assert keys(alice, index="mine") == {"mine:1"}
        with pytest.raises(redis.ResponseError, match="user alice may not read every key under the prefixes of the index"):
            keys(alice)
        with pytest.raises(redis.ResponseError, match="may not delete the key 'theirs:1'"):
            alice.execute_command("FT.DROPINDEX", "idx", "DD")
        with pytest.raises(redis.ResponseError, match="permissions"):
            alice.execute_command("FT.INFO", "idx")
    assert sorted(client.execute_command("FT._LIST")) == [b"idx", b"mine"]
    assert client.dbsize() == 2
