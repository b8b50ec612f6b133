"""Requests that would cost the server its life or its time: each has a bound, and the rest of the server does not notice."""

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
