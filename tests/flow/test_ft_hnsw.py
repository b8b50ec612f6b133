"""VECTOR HNSW: answers against an exact computation, through changes, restarts and replication."""

import threading

import numpy as np
import pytest
import redis
from ft_help import blob, info, keys, knn, wait_scanned

from servers import eventually

pytestmark = pytest.mark.asan

DIM = 16
HNSW = f"VECTOR HNSW 10 TYPE FLOAT32 DIM {DIM} DISTANCE_METRIC {{metric}} M 16 EF_CONSTRUCTION 100"


class Data:
    """Vectors in 50 clusters, what of them is in the server, and the exact answers."""

    def __init__(self, client, metric="L2", seed=1, offset=0):
        self.client = client
        self.metric = metric
        self.random = np.random.default_rng(seed)
        self.centres = offset + self.random.standard_normal((50, DIM)).astype(np.float32)
        self.vectors = {}
        self.numbers = {}

    def create(self, more=""):
        schema = HNSW.format(metric=self.metric)
        if more:
            schema = schema.replace("HNSW 10", f"HNSW {10 + len(more.split())}") + " " + more
        self.client.execute_command(*f"FT.CREATE idx PREFIX 1 item: SCHEMA vec {schema} num NUMERIC SORTABLE tag TAG".split())

    def sample(self):
        noise = self.random.standard_normal(DIM).astype(np.float32)
        return self.centres[self.random.integers(50)] + 0.6 * noise

    def put(self, numbers):
        pipe = self.client.pipeline(transaction=False)
        for i in numbers:
            self.vectors[i] = self.sample()
            self.numbers[i] = float(self.random.random())
            pipe.hset(f"item:{i}", mapping={"vec": blob(*self.vectors[i]), "num": repr(self.numbers[i]), "tag": f"t{i % 4}"})
        pipe.execute()

    def delete(self, numbers):
        self.client.delete(*[f"item:{i}" for i in numbers])
        for i in numbers:
            del self.vectors[i]

    def distances(self, query, ids):
        rows = np.array([self.vectors[i] for i in ids], np.float64)
        query = query.astype(np.float64)
        if self.metric == "L2":
            return ((rows - query) ** 2).sum(1)
        if self.metric == "COSINE":
            return 1 - rows @ query / (np.linalg.norm(rows, axis=1) * np.linalg.norm(query))
        return 1 - rows @ query

    def check(self, share=1.0, k=10, queries=30, recall=0.95, client=None):
        """Recall@k over those whose number is at most `share`; every answer has k, with exact distances in order."""
        ids = [i for i in self.vectors if self.numbers[i] <= share]
        expected = min(k, len(ids))
        found = 0
        for _ in range(queries):
            query = self.sample()
            exact = self.distances(query, ids)
            want = {ids[i] for i in np.argsort(exact, kind="stable")[:k]}
            text = f"(@num:[-inf {share!r}])=>[KNN {k} @vec $b AS d]" if share < 1 else f"*=>[KNN {k} @vec $b AS d]"
            options = ["SORTBY", "d", "RETURN", 1, "d", "LIMIT", 0, k]
            reply = knn(client or self.client, text, blob(*query), *options)
            assert reply[0] == expected and len(reply) == 1 + 2 * expected
            got = [int(key.split(b":")[1]) for key in reply[1::2]]
            shown = [float(fields[1]) for fields in reply[2::2]]
            assert shown == sorted(shown)
            np.testing.assert_allclose(shown, self.distances(query, got), rtol=1e-4, atol=1e-4)
            found += len(want & set(got))
        assert found >= recall * queries * expected, found / (queries * expected)


def settle(client):
    eventually(lambda: info(client)["indexing"] == 0, timeout=60, what="everything staged is linked")


@pytest.mark.parametrize("metric", ["L2", "COSINE", "IP"])
def test_recall_with_exact_distances_before_and_after_linking(client, metric):
    data = Data(client, metric)
    data.create()
    data.put(range(3000))
    data.check()
    settle(client)
    data.check()


@pytest.mark.parametrize("share", [0.001, 0.01, 0.1, 0.5])
def test_a_filter_leaves_as_many_as_match(client, share):
    data = Data(client)
    data.create()
    data.put(range(4000))
    data.numbers[0] = share  # one matches for certain
    client.hset("item:0", "num", repr(share))
    data.check(share)
    settle(client)
    data.check(share)


def test_full_floats_are_an_option(client):
    data = Data(client)
    data.create("COMPRESSION NONE")
    data.put(range(1000))
    settle(client)
    data.check(recall=0.98)


@pytest.mark.parametrize("metric", ["L2", "COSINE"])
@pytest.mark.parametrize("compression", ["INT8", "INT4", "BINARY"])
def test_codes_of_few_bits_of_data_far_from_the_origin(server, client, compression, metric):
    data = Data(client, metric, offset=np.float32(3))
    data.create(f"COMPRESSION {compression}")
    data.put(range(200))
    data.check()
    data.put(range(200, 1500))
    settle(client)
    data.delete(range(100))
    data.check()
    data.check(0.1)
    field = info(client)["attributes"][0]
    assert field[field.index(b"compression") + 1] == compression.encode()
    client.save()
    server.restart("nosave")
    assert "is not used" not in server.log()  # the graph of the file, with its centre
    data.check(client=server.client())


def test_it_follows_updates_and_deletes_and_uses_places_again(client):
    data = Data(client)
    data.create()
    data.put(range(2000))
    settle(client)
    size = float(info(client)["vector_index_sz_mb"])
    for turn in range(4):
        data.put(range(turn, 2000, 4))
        data.delete(range(3, 2000, 8)) if turn == 0 else data.put(range(3, 2000, 8))
        data.check()
    settle(client)
    data.check()
    assert float(info(client)["vector_index_sz_mb"]) < 1.7 * size


def test_ef_runtime_and_its_errors(client):
    data = Data(client)
    data.create()
    data.put(range(100))
    query = blob(*data.sample())
    assert knn(client, "*=>[KNN 3 @vec $b EF_RUNTIME 50]", query, "NOCONTENT")[0] == 3
    assert knn(client, "*=>[KNN 3 @vec $b]=>{$EF_RUNTIME: 50}", query, "NOCONTENT")[0] == 3
    for bad in ["0", "-1", "x"]:
        with pytest.raises(redis.ResponseError, match="vector similarity parameters: Invalid value was given"):
            knn(client, "*=>[KNN 3 @vec $b EF_RUNTIME $ef]".replace("$ef", bad), query)
    assert knn(client, "*=>[KNN 1000000000000 @vec $b EF_RUNTIME 1000000000000]", query, "NOCONTENT", "LIMIT", 0, 200)[0] == 100


def test_sortby_and_limit_come_after_the_exact_distances(client):
    data = Data(client)
    data.create()
    data.put(range(500))
    query = data.sample()
    by_number = knn(client, "*=>[KNN 20 @vec $b AS d]", blob(*query), "SORTBY", "num", "DESC", "RETURN", 1, "num", "LIMIT", 5, 5)
    assert by_number[0] == 20
    numbers = [float(fields[1]) for fields in by_number[2::2]]
    assert len(numbers) == 5 and numbers == sorted(numbers, reverse=True)
    nearest = knn(client, "*=>[KNN 20 @vec $b AS d]", blob(*query), "NOCONTENT", "LIMIT", 0, 20)[1:]
    far_first = knn(client, "*=>[KNN 20 @vec $b AS d]", blob(*query), "SORTBY", "d", "DESC", "NOCONTENT", "LIMIT", 0, 20)[1:]
    assert far_first == nearest[::-1]


@pytest.mark.parametrize("k", [10, 500])
def test_an_aggregation_has_exact_distances_too(client, k):
    data = Data(client)
    data.create()
    data.put(range(2000))
    settle(client)
    query = data.sample()
    rows = knn(client, f"*=>[KNN {k} @vec $b AS d]", blob(*query), "LOAD", 1, "@__key", "SORTBY", 2, "@d", "ASC", "MAX", k,
               command="FT.AGGREGATE")[1:]
    ids = sorted(data.vectors)
    exact = dict(zip(ids, data.distances(query, ids)))
    found = {int(row[row.index(b"__key") + 1].split(b":")[1]): float(row[row.index(b"d") + 1]) for row in rows}
    assert len(found) == k
    for i, distance in found.items():
        assert distance == pytest.approx(exact[i], rel=1e-5)
    nearest = {ids[i] for i in np.argsort([exact[i] for i in ids])[:k]}
    assert len(nearest & set(found)) >= 0.95 * k


def test_a_wrong_blob_drops_the_document_and_is_counted(client):
    data = Data(client)
    data.create()
    wait_scanned(client)  # which would count them too
    data.put(range(10))
    wait_scanned(client)  # which would count them once more
    client.hset("item:3", "vec", "short")
    client.hset("item:4", "vec", blob(*([float("nan")] * DIM)))
    del data.vectors[3], data.vectors[4]
    data.check()
    assert int(info(client)["hash_indexing_failures"]) == 2
    assert "item:3" not in keys(client) and "item:4" not in keys(client)
    data.put([3, 4])
    data.check()


def test_a_range_over_a_graph_is_right_to_the_codes(client):
    data = Data(client)
    data.create()
    data.put(range(2000))
    settle(client)
    ids = list(data.vectors)
    for radius in [2.0, 8.0, 40.0, 1000.0]:
        query = data.sample()
        exact = dict(zip(ids, data.distances(query, ids)))
        options = ["RETURN", 1, "d", "LIMIT", 0, 5000]
        reply = knn(client, f"@vec:[VECTOR_RANGE {radius} $b]=>{{$YIELD_DISTANCE_AS: d}}", blob(*query), *options)
        found = {int(key.split(b":")[1]): float(fields[1]) for key, fields in zip(reply[1::2], reply[2::2])}
        surely = {i for i, d in exact.items() if d < 0.95 * radius}
        assert len(surely & set(found)) >= 0.97 * len(surely)
        assert all(exact[i] < 1.05 * radius and abs(d - exact[i]) < 0.05 * radius for i, d in found.items())


def test_ft_info_shows_the_graph(client):
    data = Data(client)
    data.create("EF_RUNTIME 33")
    data.put(range(300))
    settle(client)
    shown = info(client)
    field = shown["attributes"][0]
    properties = {field[i]: field[i + 1] for i in range(0, len(field) - 1, 2)}
    assert properties[b"algorithm"] == b"HNSW" and properties[b"M"] == 16
    assert properties[b"ef_construction"] == 100 and properties[b"ef_runtime"] == 33
    assert shown["staged_vectors"] == 0 and float(shown["percent_indexed"]) == 1
    assert float(shown["vector_index_sz_mb"]) > 0


def test_in_a_transaction_and_a_script_it_answers_in_place(client):
    data = Data(client)
    data.create()
    data.put(range(200))
    query = blob(*data.sample())
    search = ["FT.SEARCH", "idx", "*=>[KNN 5 @vec $b]", "NOCONTENT", "PARAMS", 2, "b", query, "DIALECT", 2]
    plain = client.execute_command(*search)
    pipe = client.pipeline(transaction=True)
    pipe.execute_command(*search)
    assert pipe.execute() == [plain]
    script = "return redis.call('FT.SEARCH', 'idx', '*=>[KNN 5 @vec $b]', 'NOCONTENT', 'PARAMS', 2, 'b', ARGV[1], 'DIALECT', 2)"
    assert client.eval(script, 0, query) == plain


def test_flushall_and_a_new_index_beside_the_workers(client):
    data = Data(client)
    for _ in range(3):
        data.create()
        data.put(range(1500))  # workers are in the graph when it goes
        client.flushall()
        data.vectors.clear()
        assert client.execute_command("FT._LIST") == []
    data.create()
    data.put(range(100))
    data.check()


def test_swapdb_fills_the_index_with_the_other_keys(server, client):
    data = Data(client)
    data.create()
    data.put(range(500))
    client.swapdb(0, 1)
    assert keys(client) == set()
    client.swapdb(0, 1)
    settle(client)
    data.check()


def test_a_restart_brings_the_graph_back(server, client):
    data = Data(client)
    data.create()
    data.put(range(2000))
    client.save()
    server.restart("nosave")
    client = server.client()
    data.check(client=client)
    settle(client)
    data.check(client=client)


def test_a_replica_has_the_same_answers(server, client, start_server, engine):
    data = Data(client)
    data.create()
    data.put(range(1000))
    replica = start_server(engine=engine).client()
    replica.replicaof("127.0.0.1", server.port)
    eventually(lambda: replica.info("replication").get("master_link_status") == "up", timeout=30)
    data.put(range(1000, 1500))
    eventually(lambda: replica.dbsize() == 1500, timeout=30)
    settle(replica)
    data.check(client=replica)


def test_searches_beside_writes_have_k_answers(server, client):
    data = Data(client)
    data.create()
    data.put(range(1000))
    done = threading.Event()
    problems = []

    def search():
        random = np.random.default_rng(9)
        with server.client() as reader:
            while not done.is_set():
                vector = blob(*random.standard_normal(DIM))
                reply = knn(reader, "*=>[KNN 10 @vec $b]", vector, "NOCONTENT")
                if reply[0] != 10 or len(set(reply[1:])) != 10:
                    problems.append(reply)

    threads = [threading.Thread(target=search) for _ in range(3)]
    for thread in threads:
        thread.start()
    for turn in range(10):
        data.put(range(turn * 100, turn * 100 + 300))
        data.delete(range(turn * 100, turn * 100 + 50))
    done.set()
    for thread in threads:
        thread.join()
    assert not problems, problems[:3]
    settle(client)
    data.check()
