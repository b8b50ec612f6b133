"""Several vectors in one JSON document: it counts by its best one, and once."""

import numpy as np
import pytest
import redis
from redis.cluster import ClusterNode, RedisCluster

from ft_help import blob, info, keys, knn, wait_scanned
from ft_json import json_config, json_server  # noqa: F401
from servers import cluster_config, eventually, join_cluster

DIM = 8


def create(client, algorithm, path="$.v[*]", dim=DIM, kind="FLOAT32", metric="L2", prefix="d:"):
    vector = ["VECTOR", algorithm, 6, "TYPE", kind, "DIM", dim, "DISTANCE_METRIC", metric]
    schema = ["$.n", "AS", "n", "NUMERIC", path, "AS", "v", *vector]
    client.execute_command("FT.CREATE", "idx", "ON", "JSON", "PREFIX", 1, prefix, "SCHEMA", *schema)
    wait_scanned(client)  # so that what is written then is read, and counted, once


def nearest(documents, query, k):
    """The keys of the nearest by reading them all, and their squared distances."""
    far = {key: min(((np.array(v) - query) ** 2).sum() for v in vectors) for key, vectors in documents.items() if vectors}
    return sorted((distance, key) for key, distance in far.items())[:k]


@pytest.fixture(params=["FLAT", "HNSW"])
def filled(request, json_server):
    """300 documents with 0 to 6 vectors that lie together, one with 80."""
    random = np.random.default_rng(3)
    with json_server.client() as client:
        create(client, request.param)
        documents = {}
        for i in range(300):
            count = 80 if i == 7 else int(random.integers(0, 7))
            middle = random.normal(size=DIM)
            documents[f"d:{i}"] = (middle + 0.1 * random.normal(size=(count, DIM))).round(3).tolist()
            client.json().set(f"d:{i}", "$", {"n": i, "v": documents[f"d:{i}"]})
        yield client, documents, random


@pytest.mark.asan
def test_the_nearest_documents_are_found_once_each(filled):
    client, documents, random = filled
    eventually(lambda: info(client)["indexing"] == 0)
    same = total = 0
    for i in range(30):
        query = np.array(documents["d:7"][i]) if i % 3 == 0 else random.normal(size=DIM)
        wanted = nearest(documents, query, 10)
        reply = knn(client, "*=>[KNN 10 @v $b AS far]", blob(*query), "RETURN", 1, "far", "SORTBY", "far")
        found = {reply[i].decode(): float(reply[i + 1][1]) for i in range(1, len(reply), 2)}
        assert reply[0] == len(found) == 10
        for distance, key in wanted:
            if key in found:
                same += 1
                assert found[key] == pytest.approx(distance, abs=1e-4)  # measured exactly, by the best of its vectors
        total += 10
        assert list(found.values()) == sorted(found.values())
    assert same / total >= 0.97
    rows = knn(client, "@n:[100 120]=>[KNN 5 @v $b AS far]", blob(*query), "LOAD", 1, "@far", command="FT.AGGREGATE")[1:]
    few = {key: vectors for key, vectors in documents.items() if 100 <= int(key[2:]) <= 120}
    expected = nearest(few, query, 5)
    got = sorted(float(dict(zip(row[::2], row[1::2]))[b"far"]) for row in rows)
    assert got == pytest.approx([distance for distance, _ in expected], abs=1e-4)


@pytest.mark.asan
def test_ranges_and_changes(filled):
    client, documents, random = filled
    query = np.array(documents["d:7"][0])
    wanted = {key for distance, key in nearest(documents, query, 300) if distance <= 9}
    near = {key for distance, key in nearest(documents, query, 300) if 8.7 < distance < 9.3}  # codes are not exact
    assert keys_in(client, query, 9) - near == wanted - near and len(wanted) > 3
    assert b"d:7" in knn(client, "*=>[KNN 1 @v $b]", blob(*query), "NOCONTENT")
    client.json().delete("d:7", "$.v[0:79]")
    client.json().arrappend("d:8", "$.v", query.tolist())
    client.delete("d:9")
    assert knn(client, "*=>[KNN 1 @v $b]", blob(*query), "NOCONTENT") == [1, b"d:8"]
    client.json().set("d:8", "$.v", [])
    assert b"d:8" not in knn(client, "*=>[KNN 300 @v $b]", blob(*query), "NOCONTENT", "LIMIT", 0, 300)
    before = int(info(client)["hash_indexing_failures"])
    for bad in ([[1] * DIM, [1]], [[1] * DIM, "x"], [[1] * (DIM + 1)]):
        client.json().set("d:8", "$.v", bad)
        assert b"d:8" not in client.execute_command("FT.SEARCH", "idx", "@n:[8 8]", "NOCONTENT")
    assert int(info(client)["hash_indexing_failures"]) == before + 3
    for key in client.keys("d:*"):
        client.delete(key)
    assert int(info(client)["num_docs"]) == 0


def keys_in(client, query, radius):
    search = ("FT.SEARCH", "idx", f"@v:[VECTOR_RANGE {radius} $b]", "NOCONTENT", "LIMIT", 0, 1000)
    return {key.decode() for key in client.execute_command(*search, "PARAMS", 2, "b", blob(*query), "DIALECT", 2)[1:]}


def test_a_restart_keeps_them(filled, json_server):
    client, documents, random = filled
    query = random.normal(size=DIM)
    client.save()
    json_server.restart()
    eventually(lambda: int(info(client)["num_docs"]) == 300 and info(client)["indexing"] == 0)
    if b"HNSW" in info(client)["attributes"][1]:
        assert client.info("everything")["ai_graphs_loaded"] == 1  # nothing was linked again
    reply = knn(client, "*=>[KNN 10 @v $b]", blob(*query), "NOCONTENT")
    expected = {key for _, key in nearest(documents, query, 10)}
    assert len({key.decode() for key in reply[1:]} & expected) >= 9


@pytest.mark.parametrize("algorithm", ["FLAT", "HNSW"])
def test_vectors_in_lists_of_lists(json_server, algorithm):
    with json_server.client() as client:
        create(client, algorithm, path="$.parts[*].vs", dim=2, kind="INT8")
        client.json().set("d:1", "$", {"parts": [{"vs": [[1, 1], [9, 9]]}, {"vs": []}, {"vs": [[50, 50], None]}, {}]})
        client.json().set("d:2", "$", {"parts": [{"vs": [7, 7]}]})
        query = np.array([51, 50], np.int8).tobytes()
        assert knn(client, "*=>[KNN 2 @v $b AS far]", query, "RETURN", 1, "far", "SORTBY", "far") == [
            2, b"d:1", [b"far", b"1"], b"d:2", [b"far", b"3785"]
        ]  # fmt: skip


@pytest.mark.parametrize("algorithm", ["FLAT", "HNSW"])
def test_a_path_to_one_value_is_one_vector(json_server, algorithm):
    with json_server.client() as client:
        create(client, algorithm, path="$.v", dim=2)
        client.json().set("d:1", "$", {"v": [[1, 2], [3, 4]]})
        client.json().set("d:2", "$", {"v": [1, 2]})
        assert keys(client) == {"d:2"} and int(info(client)["hash_indexing_failures"]) == 1


def test_recall_of_such_a_graph_is_refused_with_a_reason(filled):
    client, _, _ = filled
    if b"HNSW" in info(client)["attributes"][1]:
        with pytest.raises(redis.ResponseError, match="one vector per document"):
            client.execute_command("FT.DEBUG", "RECALL", "idx", "v")
        assert client.execute_command("FT.DEBUG", "GRAPH", "idx", "v")


@pytest.mark.parametrize("algorithm", ["FLAT", "HNSW"])
def test_the_nearest_of_all_shards(start_server, engine, algorithm):
    shards = [start_server(config=cluster_config(**json_config())) for _ in range(3)]
    join_cluster(shards)
    cluster = RedisCluster(startup_nodes=[ClusterNode("127.0.0.1", server.port) for server in shards])
    with shards[0].client() as client:
        create(client, algorithm, dim=2)
        for i in range(60):
            cluster.json().set(f"d:{i}", "$", {"v": [[i, 0], [i, 0.5], [1000, i]]})
        for server in shards:
            reply = knn(server.client(), "*=>[KNN 3 @v $b AS far]", blob(20, 0.1), "RETURN", 1, "far", "SORTBY", "far")
            assert reply[1::2][0] == b"d:20" and set(reply[1::2][1:]) == {b"d:19", b"d:21"}
            assert [float(pair[1]) for pair in reply[2::2]] == pytest.approx([0.01, 1.01, 1.01], abs=1e-5)
    cluster.close()
