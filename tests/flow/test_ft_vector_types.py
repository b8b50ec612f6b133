"""Vectors of every element type and metric, against numpy in double."""

import numpy as np
import pytest
import redis

from ft_help import info, knn

pytestmark = pytest.mark.asan

METRICS = ["L2", "IP", "COSINE"]
TYPES = ["FLOAT32", "FLOAT64", "FLOAT16", "BFLOAT16", "INT8", "UINT8"]
BYTES = {"FLOAT32": 4, "FLOAT64": 8, "FLOAT16": 2, "BFLOAT16": 2, "INT8": 1, "UINT8": 1}
EXACT = {"FLOAT64", "INT8", "UINT8"}


def random_vectors(kind, count, dim, seed):
    """Blobs of `kind`, and what their elements are worth as doubles."""
    rng = np.random.default_rng(seed)
    if kind == "INT8":
        data = rng.integers(-128, 128, (count, dim)).astype(np.int8)
    elif kind == "UINT8":
        data = rng.integers(0, 256, (count, dim)).astype(np.uint8)
    elif kind == "BFLOAT16":
        upper = (rng.standard_normal((count, dim)).astype(np.float32).view(np.uint32) >> 16).astype(np.uint32)
        return [row.astype(np.uint16).tobytes() for row in upper], (upper << 16).view(np.float32).astype(np.float64)
    else:
        data = rng.standard_normal((count, dim)).astype(kind.lower())
    return [row.tobytes() for row in data], data.astype(np.float64)


def distances(metric, vectors, query):
    if metric == "L2":
        return ((vectors - query) ** 2).sum(axis=1)
    dots = vectors @ query
    if metric == "IP":
        return 1 - dots
    return 1 - dots / np.linalg.norm(vectors, axis=1) / np.linalg.norm(query)


def make(client, kind, metric, dim, index="idx", prefix="v:"):
    client.execute_command(
        *f"FT.CREATE {index} PREFIX 1 {prefix} SCHEMA vec VECTOR FLAT 6 TYPE {kind} DIM {dim} DISTANCE_METRIC {metric} n NUMERIC".split()
    )


def load(client, blobs, prefix="v:"):
    pipe = client.pipeline(transaction=False)
    for i, blob in enumerate(blobs):
        pipe.hset(f"{prefix}{i}", mapping={"vec": blob, "n": i})
    pipe.execute()


def check_nearest(client, kind, metric, dim=45, count=700):  # a dim that fills no register
    make(client, kind, metric, dim, kind, f"{kind}:")
    blobs, vectors = random_vectors(kind, count, dim, seed=3)
    load(client, blobs, f"{kind}:")
    queries, values = random_vectors(kind, 5, dim, seed=4)
    for query, value in zip(queries, values):
        want = distances(metric, vectors, value)
        size = 1 if metric == "COSINE" else (vectors**2).sum(axis=1).max()
        slack = size * (1e-11 if kind in EXACT else 2e-6)
        for text, inside in (("*", slice(None)), ("@n:[100 299]", slice(100, 300))):
            reply = knn(client, f"{text}=>[KNN 10 @vec $b AS d]", query, "RETURN", 1, "d", index=kind)
            got = [float(fields[1]) for fields in reply[2::2]]
            assert np.allclose(got, np.sort(want[inside])[:10], rtol=1e-11, atol=slack), kind
            named = [want[int(key.decode().split(":")[1])] for key in reply[1::2]]
            assert np.allclose(got, named, rtol=1e-11, atol=slack), kind


@pytest.mark.parametrize("metric", METRICS)
def test_the_nearest_are_those_of_numpy_for_every_type(client, metric):
    for kind in TYPES:
        check_nearest(client, kind, metric)


def test_a_blob_of_another_size_is_refused_in_document_and_query(client):
    for kind in TYPES:
        client.flushall()
        make(client, kind, "L2", 4)
        size = BYTES[kind] * 4
        client.hset("v:1", "vec", b"x" * (size + 1))
        described = info(client)
        attributes = [x.decode() if isinstance(x, bytes) else x for x in described["attributes"][0]]
        assert attributes[attributes.index("data_type") + 1] == kind
        assert described["num_docs"] == 0 and described["hash_indexing_failures"] >= 1
        errors = described["Index Errors"]
        assert f"Could not add vector with blob size {size + 1} (expected size {size})".encode() in errors
        with pytest.raises(redis.ResponseError) as error:
            knn(client, "*=>[KNN 1 @vec $b]", b"xyz")
        assert str(error.value) == (
            f"Error parsing vector similarity query: query vector blob size (3) does not match index's expected size ({size})."
        )


def test_a_float64_index_tells_apart_what_floats_cannot(client):
    make(client, "FLOAT64", "L2", 2)
    load(client, [np.array([1 + i * 1e-12, 1e6]).tobytes() for i in range(10)])
    reply = knn(client, "*=>[KNN 3 @vec $b AS d]", np.array([1 + 7.2e-12, 1e6]).tobytes(), "RETURN", 1, "d")
    assert reply[1::2] == [b"v:7", b"v:8", b"v:6"]
    make_exact = np.array([3.0, 0.1]), np.array([0.2, 0.7])
    client.execute_command("FLUSHALL")
    make(client, "FLOAT64", "L2", 2)
    load(client, [make_exact[0].tobytes()])
    reply = knn(client, "*=>[KNN 1 @vec $b AS d]", make_exact[1].tobytes(), "RETURN", 1, "d")
    assert reply[2][1] == b"8.2"  # in floats it would be 8.19999980927


def test_every_type_survives_a_restart(server, client):
    before = {}
    for kind in TYPES:
        make(client, kind, "COSINE", 16, kind, f"{kind}:")
        blobs, _ = random_vectors(kind, 50, 16, seed=8)
        load(client, blobs, f"{kind}:")
        before[kind] = blobs[3], knn(client, "*=>[KNN 7 @vec $b AS d]", blobs[3], "RETURN", 1, "d", index=kind)
    client.save()
    server.restart("nosave")
    for kind, (query, reply) in before.items():
        assert knn(server.client(), "*=>[KNN 7 @vec $b AS d]", query, "RETURN", 1, "d", index=kind) == reply
