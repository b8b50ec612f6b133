"""An index with a graph, somebody who writes it, and what it has to answer by what the keys hold."""

import threading

import numpy as np
import redis
from ft_help import blob, info, keys, knn

from servers import eventually

DIM = 16


def create(client, name="idx"):
    schema = f"vec VECTOR HNSW 6 TYPE FLOAT32 DIM {DIM} DISTANCE_METRIC L2 num NUMERIC tag TAG"
    client.execute_command(*f"FT.CREATE {name} PREFIX 1 item: SCHEMA {schema}".split())


class Writer:
    """Writes vectors in clusters; as a thread, until it is told to stop."""

    def __init__(self, seed=1):
        self.random = np.random.default_rng(seed)
        self.centres = np.random.default_rng(0).standard_normal((40, DIM))
        self.stop = threading.Event()

    def sample(self):
        return self.centres[self.random.integers(40)] + 0.6 * self.random.standard_normal(DIM)

    def put(self, client, numbers):
        pipe = client.pipeline(transaction=False)
        for i in numbers:
            pipe.hset(f"item:{i}", mapping={"vec": blob(*self.sample()), "num": int(i)})
        pipe.execute()

    def run(self, client, among):
        """Until it is told to stop, or the server ends."""
        try:
            with client:
                while not self.stop.is_set():
                    self.change(client, among)
        except redis.ConnectionError:
            pass

    def change(self, client, among):
        self.put(client, self.random.integers(among, size=40))
        pipe = client.pipeline(transaction=False)
        for i in self.random.integers(among, size=4):
            pipe.delete(f"item:{i}")
        pipe.hset(f"item:{self.random.integers(among)}", "tag", "touched")
        pipe.execute()


def settle(client):
    eventually(lambda: info(client)["indexing"] == 0, timeout=60, what="everything staged is linked")


def graphs(client):
    section = client.info("ai_ft")
    return section["ai_graphs_loaded"], section["ai_graphs_refused"]


def vectors_of(client):
    """What the keys hold, by key."""
    names = sorted(client.scan_iter("item:*", count=1000))
    pipe = client.pipeline(transaction=False)
    for name in names:
        pipe.hget(name, "vec")
    found = zip(names, pipe.execute())
    return {name.decode(): np.frombuffer(vector, np.float32) for name, vector in found if vector is not None}


def check(client, recall=0.95):
    """The index is what the keys are: the same documents, and the nearest ones with exact distances."""
    vectors = vectors_of(client)
    with_vector = set(vectors)
    assert keys(client, limit=100_000) == {name.decode() for name in client.scan_iter("item:*", count=1000)}
    names = list(vectors)
    rows = np.array([vectors[name] for name in names], np.float64)
    writer = Writer(seed=5)
    found = 0
    for _ in range(30):
        query = writer.sample().astype(np.float32)
        exact = ((rows - query.astype(np.float64)) ** 2).sum(1)
        want = {names[i] for i in np.argsort(exact, kind="stable")[:10]}
        reply = knn(client, "*=>[KNN 10 @vec $b AS d]", blob(*query), "SORTBY", "d", "RETURN", 1, "d")
        assert reply[0] == min(10, len(names))
        got = [key.decode() for key in reply[1::2]]
        assert set(got) <= with_vector
        shown = [float(fields[1]) for fields in reply[2::2]]
        np.testing.assert_allclose(shown, [exact[names.index(name)] for name in got], rtol=1e-4, atol=1e-4)
        found += len(want & set(got))
    assert found >= recall * 30 * min(10, len(names)), found
