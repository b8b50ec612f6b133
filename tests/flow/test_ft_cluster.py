"""FT.* on a cluster of three shards: every node answers for all of them."""

import signal

import pytest
import redis

from ai_models import error_of
from ft_cluster import clients, cluster, shards  # noqa: F401: fixtures
from ft_help import blob, keys, knn
from servers import cluster_config, eventually, node_id

SCHEMA = "ON HASH PREFIX 1 d: SCHEMA t TAG n NUMERIC SORTABLE v VECTOR FLAT 6 TYPE FLOAT32 DIM 2 DISTANCE_METRIC L2".split()


def lists(clients):
    return [sorted(client.execute_command("FT._LIST")) for client in clients]


def test_a_definition_reaches_all_shards(clients):
    assert clients[1].execute_command("FT.CREATE", "idx", *SCHEMA) == b"OK"
    assert lists(clients) == [[b"idx"]] * 3
    for client in clients:
        assert error_of(client, "FT.CREATE", "idx", *SCHEMA) == "Index already exists"
    assert clients[2].execute_command("FT.DROPINDEX", "idx") == b"OK"
    assert lists(clients) == [[]] * 3
    assert error_of(clients[0], "FT.DROPINDEX", "idx") == "Unknown Index name"
    assert error_of(clients[0], "FT.CREATE", "idx", "ON", "HASH", "SCHEMA", "n", "NUMBER").startswith("Invalid field type")


def test_a_definition_reaches_the_replicas_of_all_shards(shards, clients, start_server):
    replica = start_server(config=cluster_config())
    with replica.client() as client:
        client.execute_command("CLUSTER", "MEET", "127.0.0.1", shards[0].port, shards[0].config["cluster-port"])
        eventually(lambda: node_id(shards[1]) in str(client.execute_command("CLUSTER", "NODES")), what="the nodes meet")
        client.execute_command("CLUSTER", "REPLICATE", node_id(shards[1]))
        eventually(lambda: client.info("replication")["master_link_status"] == "up", what="the replica is in sync")
        clients[0].execute_command("FT.CREATE", "idx", *SCHEMA)
        eventually(lambda: client.execute_command("FT._LIST") == [b"idx"], what="the replica has the index")
        clients[0].execute_command("FT.DROPINDEX", "idx")
        eventually(lambda: client.execute_command("FT._LIST") == [], what="the replica has dropped it")


def test_where_no_client_can_wait_the_refusal_says_why(clients):
    pipe = clients[0].pipeline()
    pipe.execute_command("FT.CREATE", "idx", *SCHEMA)
    [refusal] = pipe.execute(raise_on_error=False)
    assert "it cannot run in MULTI or in a script" in str(refusal)
    assert "hash tag" in str(refusal)
    assert lists(clients) == [[]] * 3


def test_a_hash_tagged_index_stays_on_its_shard(clients, cluster, shards):
    # Slots of {b}, {c} and {a}: the first, second and last shard.
    moved = error_of(clients[0], "FT.CREATE", "{c}idx", *SCHEMA)
    assert moved.startswith("MOVED ") and moved.endswith(f":{shards[1].port}")
    assert clients[1].execute_command("FT.CREATE", "{c}idx", *SCHEMA) == b"OK"
    assert lists(clients) == [[], [b"{c}idx"], []]
    assert error_of(clients[2], "FT.DROPINDEX", "{c}idx") == moved


def test_a_shard_that_is_down_is_named(clients, shards):
    shards[2].kill9()
    refusal = error_of(clients[0], "FT.CREATE", "idx", *SCHEMA)
    assert refusal.startswith("ERR not done on every shard")
    assert f"127.0.0.1:{shards[2].port}" in refusal
    assert clients[1].execute_command("FT._LIST") == [b"idx"]


DOCUMENTS = 60


def fill(cluster):
    """d:0 .. d:59, at (i, 0), on all shards; n is i, t is "even" or "odd"."""
    for i in range(DOCUMENTS):
        cluster.hset(f"d:{i}", mapping={"t": "odd" if i % 2 else "even", "n": i, "v": blob(i, 0)})


@pytest.fixture
def filled(clients, cluster):
    clients[0].execute_command("FT.CREATE", "idx", *SCHEMA)
    fill(cluster)
    return clients


def nearest(client, k, *options, to=0, query="*"):
    return knn(client, f"{query}=>[KNN {k} @v $b AS d]", blob(to, 0), *options)


def test_every_node_finds_what_is_on_any(filled):
    assert all(client.dbsize() > 0 for client in filled)
    for client in filled:
        reply = nearest(client, 3, "SORTBY", "d", to=10.2)
        assert reply[0] == 3
        assert [key.decode() for key in reply[1::2]] == ["d:10", "d:11", "d:9"]
        assert reply[2][0] == b"d" and float(reply[2][1]) == pytest.approx(0.04, rel=1e-4)
        assert dict(zip(reply[2][2::2], reply[2][3::2], strict=True))[b"n"] == b"10"
        assert keys(client, "@n:[10 19] @t:{odd}") == {"d:11", "d:13", "d:15", "d:17", "d:19"}


def test_totals_and_pages_are_those_of_the_whole(filled):
    client = filled[1]
    pages = [
        client.execute_command("FT.SEARCH", "idx", "@t:{even}", "NOCONTENT", "SORTBY", "n", "DESC", "LIMIT", at, 7)
        for at in range(0, 35, 7)
    ]
    assert {page[0] for page in pages} == {DOCUMENTS // 2}
    assert [int(key[2:]) for page in pages for key in page[1:]] == list(range(58, -1, -2))
    assert client.execute_command("FT.SEARCH", "idx", "*", "LIMIT", 0, 0) == [DOCUMENTS]


def test_the_nearest_are_chosen_before_they_are_sorted_by_something_else(filled):
    reply = nearest(filled[2], 5, "SORTBY", "n", "DESC", "LIMIT", 0, 2, "NOCONTENT", to=30)
    assert reply == [5, b"d:32", b"d:31"]


def test_resp3_and_returned_fields(shards, filled):
    with shards[2].client(protocol=3) as client:
        reply = nearest(client, 2, "RETURN", 2, "n", "d", "SORTBY", "d", to=20)
        assert reply[b"total_results"] == 2
        assert [found[b"extra_attributes"] for found in reply[b"results"]][0] == {b"n": b"20", b"d": b"0"}
        assert reply[b"warning"] == []


def test_a_search_is_refused_where_no_client_can_wait(filled):
    pipe = filled[0].pipeline()
    pipe.execute_command("FT.SEARCH", "idx", "*")
    [refusal] = pipe.execute(raise_on_error=False)
    assert "FT.SEARCH has to reach all shards" in str(refusal)
    assert "hash tag" in error_of(filled[0], "EVAL", "return redis.call('FT.SEARCH', 'idx', '*')", 0)


def test_a_hash_tagged_index_is_searched_on_its_shard_also_in_a_transaction(shards, clients):
    client = clients[1]
    client.execute_command("FT.CREATE", "{c}idx", *SCHEMA[:4], "{c}d:", *SCHEMA[5:])
    client.hset("{c}d:1", mapping={"t": "a", "n": 1, "v": blob(1, 0)})
    pipe = client.pipeline()
    pipe.execute_command("FT.SEARCH", "{c}idx", "*", "NOCONTENT")
    assert pipe.execute() == [[1, b"{c}d:1"]]
    assert error_of(clients[0], "FT.SEARCH", "{c}idx", "*").startswith("MOVED ")


def test_a_shard_that_hangs_is_left_out_and_the_reply_says_so(shards, filled):
    shards[2].process.send_signal(signal.SIGSTOP)
    try:
        with shards[0].client(protocol=3) as client:
            reply = client.execute_command("FT.SEARCH", "idx", "*", "NOCONTENT", "TIMEOUT", 300, "LIMIT", 0, 100)
            assert 0 < reply[b"total_results"] < DOCUMENTS
            assert reply[b"warning"] == [b"Timeout limit was reached"]
    finally:
        shards[2].process.send_signal(signal.SIGCONT)


def test_a_shard_that_joined_later_gets_the_index_with_the_next_search(shards, filled, cluster):
    shards[2].client().execute_command("FLUSHALL")
    assert filled[2].execute_command("FT._LIST") == []
    assert filled[0].execute_command("FT.SEARCH", "idx", "*", "LIMIT", 0, 0)[0] < DOCUMENTS
    eventually(lambda: filled[2].execute_command("FT._LIST") == [b"idx"], what="the shard has the index")
    fill(cluster)
    assert filled[0].execute_command("FT.SEARCH", "idx", "*", "LIMIT", 0, 0) == [DOCUMENTS]


def test_what_the_caller_may_not_read_is_not_shown(shards, filled):
    for client in filled:
        client.execute_command("ACL", "SETUSER", "narrow", "on", "nopass", "+@all", "~other:*")
    with shards[0].client(username="narrow", password="x") as client:
        with pytest.raises(redis.exceptions.NoPermissionError, match="user narrow may not read every key under"):
            client.execute_command("FT.SEARCH", "idx", "*", "LIMIT", 0, 0)


def test_a_graph_over_all_shards_answers_with_exact_distances(shards, clients, cluster):
    schema = "ON HASH PREFIX 1 d: SCHEMA t TAG n NUMERIC v VECTOR HNSW 6 TYPE FLOAT32 DIM 2 DISTANCE_METRIC L2".split()
    clients[2].execute_command("FT.CREATE", "idx", *schema)
    fill(cluster)
    for client in clients:
        reply = nearest(client, 4, "RETURN", 1, "d", "SORTBY", "d", to=20.25, query="(@n:[10 50])")
        assert [key.decode() for key in reply[1::2]] == ["d:20", "d:21", "d:19", "d:22"]
        assert [float(fields[1]) for fields in reply[2::2]] == [0.0625, 0.5625, 1.5625, 3.0625]


def test_words_are_found_on_all_shards_best_first(clients, cluster):
    clients[0].execute_command("FT.CREATE", "idx", *"ON HASH PREFIX 1 d: SCHEMA body TEXT".split())
    for i in range(30):
        cluster.hset(f"d:{i}", mapping={"body": "memory " * (1 + i % 3) + "레디스 장애 " * (i % 2)})
    reply = clients[1].execute_command("FT.SEARCH", "idx", "memory", "WITHSCORES", "NOCONTENT", "LIMIT", 0, 30)
    scores = [float(score) for score in reply[2::2]]
    assert reply[0] == 30 and scores == sorted(scores, reverse=True) and scores[0] > scores[-1]
    assert clients[2].execute_command("FT.SEARCH", "idx", "장애", "LIMIT", 0, 0) == [15]


def test_fields_and_aliases_reach_all_shards(filled, cluster):
    assert filled[0].execute_command("FT.ALTER", "idx", "SCHEMA", "ADD", "extra", "TAG") == b"OK"
    assert filled[1].execute_command("FT.ALIASADD", "other", "idx") == b"OK"
    cluster.hset("d:7", "extra", "yes")
    for client in filled:
        assert client.execute_command("FT.SEARCH", "other", "@extra:{yes}", "NOCONTENT") == [1, b"d:7"]
    assert filled[2].execute_command("FT.ALIASDEL", "other") == b"OK"
    assert error_of(filled[0], "FT.ALIASDEL", "other") == "Alias does not exist"


def test_shards_read_many_documents_in_slices(clients, cluster):
    clients[0].execute_command("FT.CREATE", "idx", *SCHEMA)
    for i in range(3000):
        cluster.hset(f"d:{i}", mapping={"n": i, "v": blob(i, 0)})
    whole = clients[0].execute_command("FT.SEARCH", "idx", "*", "SORTBY", "n", "LIMIT", 0, 3000, "TIMEOUT", 20000)
    assert whole[0] == 3000 and whole[1::2] == [b"d:%d" % i for i in range(3000)]
    assert all(int(client.info("ai_ft")["ai_longest_load_slice_us"]) > 0 for client in clients)
    nearest = knn(clients[1], "*=>[KNN 2000 @v $b]", blob(0, 0), "SORTBY", "n", "LIMIT", 500, 1500, "TIMEOUT", 20000)
    assert nearest[1::2] == [b"d:%d" % i for i in range(500, 2000)]
