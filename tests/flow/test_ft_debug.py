"""FT.DEBUG: the recall of a graph against an exact search, and its health."""

import numpy as np
import pytest
import redis
from ft_help import blob, info

from servers import eventually

pytestmark = pytest.mark.asan

DIM = 16


def pairs(reply):
    return {reply[i].decode(): reply[i + 1] for i in range(0, len(reply), 2)}


@pytest.fixture
def filled(client):
    """3,000 vectors in 50 clusters, linked with as few links as there can be: a walk misses some."""
    client.execute_command(
        "FT.CREATE", "idx", "SCHEMA", "vec", "VECTOR", "HNSW", 10, "TYPE", "FLOAT32", "DIM", DIM,
        "DISTANCE_METRIC", "L2", "M", 4, "EF_CONSTRUCTION", 40, "flat", "VECTOR", "FLAT", 6, "TYPE", "FLOAT32",
        "DIM", 2, "DISTANCE_METRIC", "L2",
    )
    random = np.random.default_rng(1)
    centres = random.standard_normal((50, DIM))
    pipe = client.pipeline(transaction=False)
    for i in range(3000):
        pipe.hset(f"item:{i}", "vec", blob(*(centres[i % 50] + 0.6 * random.standard_normal(DIM))))
    pipe.execute()
    eventually(lambda: int(info(client)["staged_vectors"]) == 0, timeout=30, what="all vectors are linked")
    return client


def test_recall_grows_with_ef_and_reaches_one(filled):
    low = pairs(filled.execute_command("FT.DEBUG", "RECALL", "idx", "vec", 200, 10, "EF_RUNTIME", 1))
    high = pairs(filled.execute_command("FT.DEBUG", "RECALL", "idx", "vec", 200, 10, "EF_RUNTIME", 3000))
    assert low["sampled"] == 200 and low["k"] == 10 and low["ef_runtime"] == 1 and low["documents"] == 3000
    assert 0.5 < float(low["recall"]) < float(high["recall"])
    assert float(high["recall"]) >= 0.98  # of a graph so thin no walk finds all
    assert float(low["worst_recall"]) <= float(low["recall"])
    assert float(low["walk_us"]) > 0 and float(high["exact_us"]) > 0


def test_the_defaults_are_those_of_a_search(filled):
    reply = pairs(filled.execute_command("FT.DEBUG", "RECALL", "idx", "vec"))
    assert (reply["sampled"], reply["k"], reply["ef_runtime"]) == (100, 10, 10)


def test_an_empty_graph_has_nothing_to_miss(client):
    client.execute_command(*"FT.CREATE idx SCHEMA vec VECTOR HNSW 6 TYPE FLOAT32 DIM 2 DISTANCE_METRIC L2".split())
    reply = pairs(client.execute_command("FT.DEBUG", "RECALL", "idx", "vec"))
    assert reply["sampled"] == 0 and float(reply["recall"]) == 1
    health = pairs(client.execute_command("FT.DEBUG", "GRAPH", "idx", "vec"))
    assert health["vectors"] == 0 and health["fewest_links"] == 0


def test_a_graph_of_the_usual_size_reaches_all(client):
    client.execute_command(
        *f"FT.CREATE idx SCHEMA vec VECTOR HNSW 6 TYPE FLOAT32 DIM {DIM} DISTANCE_METRIC COSINE".split()
    )
    pipe = client.pipeline(transaction=False)
    for i, vector in enumerate(np.random.default_rng(2).standard_normal((2000, DIM))):
        pipe.hset(f"item:{i}", "vec", blob(*vector))
    pipe.execute()
    eventually(lambda: int(info(client)["staged_vectors"]) == 0, timeout=60, what="all vectors are linked")
    assert pairs(client.execute_command("FT.DEBUG", "GRAPH", "idx", "vec"))["unreachable"] == 0
    assert float(pairs(client.execute_command("FT.DEBUG", "RECALL", "idx", "vec"))["recall"]) > 0.8


def test_the_health_of_a_graph(filled):
    health = pairs(filled.execute_command("FT.DEBUG", "GRAPH", "idx", "vec"))
    assert health["vectors"] == 3000 and health["staged"] == 0
    assert health["unreachable"] <= 100  # few links: some have none that lead to them
    assert 1 <= health["fewest_links"] <= float(health["mean_links"]) <= 8
    assert health["levels"] >= 2 and health["bytes"] > 3000 * DIM
    filled.delete(*[f"item:{i}" for i in range(1000)])
    health = pairs(filled.execute_command("FT.DEBUG", "GRAPH", "idx", "vec"))
    assert health["vectors"] == 2000


def test_ef_runtime_auto_reaches_its_recall(client):
    words = f"TYPE FLOAT32 DIM {DIM} DISTANCE_METRIC L2 M 8 EF_RUNTIME AUTO TARGET_RECALL 0.99".split()
    client.execute_command("FT.CREATE", "idx", "SCHEMA", "vec", "VECTOR", "HNSW", len(words), *words)
    pipe = client.pipeline(transaction=False)
    for i, vector in enumerate(np.random.default_rng(3).standard_normal((4000, DIM))):
        pipe.hset(f"item:{i}", "vec", blob(*vector))
    pipe.execute()
    eventually(lambda: int(info(client)["staged_vectors"]) == 0, timeout=60, what="all vectors are linked")

    def recall(*options):
        return pairs(client.execute_command("FT.DEBUG", "RECALL", "idx", "vec", 300, 10, *options))

    eventually(lambda: float(recall()["recall"]) >= 0.98, timeout=30, what="the ef was measured")
    assert recall()["ef_runtime"] > 10
    assert float(recall("EF_RUNTIME", 1)["recall"]) < 0.9
    field = info(client)["attributes"][0]
    assert field[field.index(b"ef_runtime") + 1] == b"AUTO"
    assert field[field.index(b"target_recall") + 1] == b"0.99"


@pytest.mark.parametrize(
    "words, reason",
    [
        ("EF_RUNTIME AUTO TARGET_RECALL 1", "Value is outside acceptable bounds"),
        ("EF_RUNTIME AUTO TARGET_RECALL much", "Could not convert argument to expected type"),
        ("EF_RUNTIME 20 TARGET_RECALL 0.9", "It needs EF_RUNTIME AUTO"),
    ],
)
def test_a_target_recall_that_cannot_be(client, words, reason):
    words = f"TYPE FLOAT32 DIM 2 DISTANCE_METRIC L2 {words}".split()
    with pytest.raises(redis.ResponseError, match=f"HNSW index target recall: {reason}"):
        client.execute_command("FT.CREATE", "idx", "SCHEMA", "vec", "VECTOR", "HNSW", len(words), *words)


@pytest.mark.parametrize(
    "words, text",
    [
        ("RECALL nope vec", "nope: no such index"),
        ("RECALL idx nope", "No such field `nope`"),
        ("RECALL idx flat", "`flat` is no VECTOR HNSW field; the others answer exactly"),
        ("RECALL idx vec 0", "`0` documents cannot be sampled, 1 to 10000 can"),
        ("RECALL idx vec 10 x", "k is `x`, it may be 1 to 1000"),
        ("RECALL idx vec 10000 1000", "10000 documents with 1000 neighbours each are more than 100000; ask for fewer"),
        ("RECALL idx vec 10 10 FAST", "`FAST` is not understood; what may follow is EF_RUNTIME and a number"),
        ("RECALL idx vec 10 10 EF_RUNTIME 0", "EF_RUNTIME is `0`, it may be 1 to 1000000"),
        ("NOPE idx vec", "FT.DEBUG has no `NOPE`, it has RECALL and GRAPH"),
    ],
)
def test_what_cannot_be_asked(filled, words, text):
    with pytest.raises(redis.ResponseError) as refused:
        filled.execute_command("FT.DEBUG", *words.split())
    assert str(refused.value) == text


def test_a_transaction_gets_a_clear_refusal(filled):
    pipe = filled.pipeline(transaction=True)
    pipe.execute_command("FT.DEBUG", "RECALL", "idx", "vec")
    with pytest.raises(redis.ResponseError, match="takes too long for MULTI and scripts"):
        pipe.execute()
