"""Requests that would cost the server its life or its time: each has a bound, and the rest of the server does not notice."""

import concurrent.futures
import time

import numpy as np
import pytest
import redis
from ft_help import blob, info, keys, knn, wait_scanned

from servers import eventually


def test_a_temporary_index_waits_while_writes_are_paused(client):
    """What is replicated during a pause makes the server abort."""
    client.config_set("appendonly", "yes")
    client.execute_command("FT.CREATE", "t", "TEMPORARY", 1, "SCHEMA", "a", "TAG")
    client.execute_command("CLIENT", "PAUSE", 3000, "WRITE")
    time.sleep(2.5)
    assert client.ping()
    assert client.execute_command("FT._LIST") == [b"t"]
    eventually(lambda: client.execute_command("FT._LIST") == [], timeout=10, what="the index goes after the pause")
    assert client.ping()


def test_format_does_not_grow_without_end(client):
    client.execute_command("FT.CREATE", "idx", "SCHEMA", "a", "TAG")
    client.hset("x", "a", "1")
    steps = [word for _ in range(35) for word in ("APPLY", "format('%s%s',@a,@a)", "AS", "a")]
    with pytest.raises(redis.ResponseError, match="format makes a text of more than 1 MiB"):
        client.execute_command("FT.AGGREGATE", "idx", "*", "APPLY", "'xxxxxxxx'", "AS", "a", *steps)


def test_lists_of_one_row_do_not_make_groups_without_end(client):
    client.execute_command("FT.CREATE", "idx", "SCHEMA", "a", "TAG")
    client.hset("x", "a", "1")
    many = "split('" + "a," * 2000 + "')"
    words = [word for name in "abcd" for word in ("APPLY", many, "AS", name)]
    begin = time.monotonic()
    with pytest.raises(redis.ResponseError, match="the lists of one row make more than 1000000 groups"):
        client.execute_command("FT.AGGREGATE", "idx", "*", *words, "GROUPBY", 4, "@a", "@b", "@c", "@d")
    assert time.monotonic() - begin < 10


def test_a_range_or_a_k_over_the_whole_graph_is_answered_whole(client):
    client.execute_command(
        *"FT.CREATE idx SCHEMA vec VECTOR HNSW 10 TYPE FLOAT32 DIM 4 DISTANCE_METRIC L2 M 4 EF_CONSTRUCTION 10".split()
    )
    pipe = client.pipeline(transaction=False)
    for i, vector in enumerate(np.random.default_rng(4).standard_normal((20000, 4))):
        pipe.hset(f"item:{i}", "vec", blob(*vector))
    pipe.execute()
    eventually(lambda: int(info(client)["staged_vectors"]) == 0, timeout=60, what="all vectors are linked")
    query = blob(0, 0, 0, 0)
    found = knn(client, "@vec:[VECTOR_RANGE 1e9 $b]", query, "NOCONTENT", "LIMIT", 0, 1, "TIMEOUT", 5000)
    assert found[0] == 20000
    found = knn(client, "*=>[KNN 20000 @vec $b]", query, "NOCONTENT", "LIMIT", 0, 30000, "TIMEOUT", 5000)
    assert found[0] == 20000 and len(set(found[1:])) == 20000


def numbered_graph(client, count):
    """An HNSW index of documents whose vectors are their numbers."""
    client.execute_command("FT.CREATE", "idx", "SCHEMA", *"vec VECTOR HNSW 6 TYPE FLOAT32 DIM 1 DISTANCE_METRIC L2".split())
    pipe = client.pipeline(transaction=False)
    for i in range(count):
        pipe.hset(f"item:{i}", mapping={"vec": blob(i), "n": i})
    pipe.execute()
    eventually(lambda: int(info(client)["staged_vectors"]) == 0, timeout=60, what="all vectors are linked")


def load_slices(client):
    """The longest time that reading keys in slices held the main thread, in microseconds; 0: none were."""
    return int(client.info("ai_ft")["ai_longest_load_slice_us"])


def test_a_large_k_is_measured_and_shown_in_slices(client):
    numbered_graph(client, 8000)
    assert load_slices(client) == 0
    found = knn(client, "*=>[KNN 5000 @vec $b AS d]", blob(0), "LIMIT", 0, 5000, "SORTBY", "d", "TIMEOUT", 20000)
    assert 0 < load_slices(client)
    assert found[0] == 5000
    assert found[1::2] == [b"item:%d" % i for i in range(5000)]
    assert [dict(zip(f[::2], f[1::2]))[b"n"] for f in found[2::2]] == [b"%d" % i for i in range(5000)]


def test_a_profile_of_many_documents_reads_them_in_slices(client):
    numbered_graph(client, 1000)
    found = client.execute_command("FT.PROFILE", "idx", "SEARCH", "QUERY", "*", "LIMIT", 0, 1000)
    assert found[0][0] == 1000 and len(found[0]) == 2001
    assert 0 < load_slices(client)


def test_documents_that_go_while_they_are_read_are_left_out(client, server):
    numbered_graph(client, 8000)
    with server.client() as other, concurrent.futures.ThreadPoolExecutor() as pool:
        search = pool.submit(knn, other, "*=>[KNN 8000 @vec $b]", blob(0), "LIMIT", 0, 8000, "TIMEOUT", 20000)
        pipe = client.pipeline(transaction=False)
        for i in range(0, 8000, 2):
            pipe.delete(f"item:{i}")
        pipe.execute()
        found = search.result()
    assert {int(key[5:]) for key in found[1::2]} >= set(range(1, 8000, 2))
    assert all(fields for fields in found[2::2])


def test_in_a_transaction_many_documents_are_read_at_once(client):
    numbered_graph(client, 1000)
    pipe = client.pipeline(transaction=True)
    pipe.hset("item:1000", mapping={"vec": blob(1000), "n": 1000})
    pipe.execute_command("FT.SEARCH", "idx", "*", "LIMIT", 0, 2000)
    assert pipe.execute()[1][0] == 1001
    assert load_slices(client) == 0


def test_vectors_whose_distances_have_no_number_are_refused(client):
    client.execute_command(*"FT.CREATE idx SCHEMA vec VECTOR HNSW 6 TYPE FLOAT32 DIM 4 DISTANCE_METRIC L2".split())
    wait_scanned(client)
    client.hset("huge", "vec", blob(1e19, 1e19, 1e19, 1e19))
    client.hset("large", "vec", blob(2e18, 2e18, 2e18, 2e18))
    client.hset("opposite", "vec", blob(-2e18, -2e18, -2e18, -2e18))
    assert keys(client) == {"large", "opposite"}
    assert int(info(client)["hash_indexing_failures"]) == 1
    found = knn(client, "*=>[KNN 2 @vec $b AS d]", blob(2e18, 2e18, 2e18, 2e18), "RETURN", 1, "d")
    assert found[1] == b"large" and float(found[2][1]) == 0
    assert found[3] == b"opposite" and np.isfinite(float(found[4][1]))
