"""RedisVL, unchanged, against the module: its indexes, queries, filters, caches and routers."""

import numpy as np
import pytest
from redisvl.exceptions import RedisSearchError
from redisvl.extensions.cache.embeddings import EmbeddingsCache
from redisvl.extensions.cache.llm import SemanticCache
from redisvl.extensions.message_history import MessageHistory, SemanticMessageHistory
from redisvl.index import SearchIndex
from redisvl.query import (
    AggregateHybridQuery,
    CountQuery,
    FilterQuery,
    MultiVectorQuery,
    RangeQuery,
    TextQuery,
    Vector,
    VectorQuery,
    VectorRangeQuery,
)
from redisvl.query.filter import Num, Tag, Text, Timestamp
from redisvl.redis.utils import array_to_buffer
from redisvl.utils.vectorize import CustomVectorizer

from servers import eventually

DIM = 8
JOBS = ["engineer", "doctor", "dentist", "teacher"]


def schema(algorithm="flat", datatype="float32", metric="cosine"):
    return {
        "index": {"name": "people", "prefix": "person", "storage_type": "hash"},
        "fields": [
            {"name": "number", "type": "tag"},
            {"name": "job", "type": "tag", "attrs": {"sortable": True}},
            {"name": "age", "type": "numeric", "attrs": {"sortable": True}},
            {"name": "about", "type": "text"},
            {
                "name": "face",
                "type": "vector",
                "attrs": {"dims": DIM, "algorithm": algorithm, "datatype": datatype, "distance_metric": metric},
            },
        ],
    }


def people(dtype=np.float32, count=40):
    rng = np.random.default_rng(5)
    return [
        {
            "number": str(i),
            "job": JOBS[i % 4],
            "age": i,
            "about": f"likes {'music and tea' if i % 2 else 'chess'}",
            "face": rng.standard_normal(DIM).astype(dtype).tobytes(),
        }
        for i in range(count)
    ]


def vectors(data, dtype=np.float32):
    return np.array([np.frombuffer(person["face"], dtype) for person in data])


def cosine(rows, query):
    return 1 - rows @ query / np.linalg.norm(rows, axis=1) / np.linalg.norm(query)


@pytest.fixture(params=["flat", "hnsw"])
def index(request, server):
    with server.client() as client:
        index = SearchIndex.from_dict(schema(request.param), redis_client=client, validate_on_load=True)
        index.create()
        index.load(people(), id_field="number")
        eventually(lambda: int(index.info()["num_docs"]) == 40)
        yield index


def test_indexes_are_created_described_and_found_again(index):
    assert index.exists() and "people" in index.listall()
    info = index.info()
    assert info["index_name"] == "people" and int(info["num_docs"]) == 40
    again = SearchIndex.from_existing("people", redis_client=index.client)
    assert again.schema.to_dict()["index"] == index.schema.to_dict()["index"]
    assert set(again.schema.fields) == set(index.schema.fields)
    face = again.schema.fields["face"].attrs
    assert (face.dims, face.algorithm, face.distance_metric) == (
        DIM,
        index.schema.fields["face"].attrs.algorithm,
        "COSINE",
    )
    assert again.query(CountQuery(Tag("job") == "doctor")) == 10
    index.create(overwrite=True, drop=False)
    eventually(lambda: int(index.info()["num_docs"]) == 40)
    index.create(overwrite=True, drop=True)
    assert int(index.info()["num_docs"]) == 0 and index.client.keys("person:*") == []


def test_documents_are_fetched_and_deleted(index):
    assert index.fetch("7")["job"] == "teacher"
    assert index.drop_keys(["person:1", "person:2"]) == 2
    assert index.drop_documents(["3"]) == 1
    eventually(lambda: int(index.info()["num_docs"]) == 37)
    index.expire_keys("person:4", 1)
    eventually(lambda: index.query(CountQuery(Tag("number") == "4")) == 0)
    assert index.clear() == 36
    index.delete(drop=True)
    assert not index.exists()


def test_the_nearest_vectors(index):
    data = people()
    query = vectors(data)[7] + 0.1
    expected = cosine(vectors(data), query)
    nearest = np.argsort(expected)[:5]
    found = index.query(VectorQuery(query.tolist(), "face", return_fields=["number", "age"], num_results=5))
    assert [int(person["number"]) for person in found] == nearest.tolist()
    assert [float(p["vector_distance"]) for p in found] == pytest.approx(expected[nearest], abs=1e-5)
    similar = VectorQuery(query.tolist(), "face", num_results=1, normalize_vector_distance=True)
    assert float(index.query(similar)[0]["vector_distance"]) == pytest.approx(1 - expected[nearest[0]] / 2, abs=1e-5)


FILTERS = [
    (Tag("job") == "doctor", lambda p: p["job"] == "doctor"),
    (Tag("job") != "doctor", lambda p: p["job"] != "doctor"),
    (Tag("job") == ["doctor", "dentist"], lambda p: p["job"] in ("doctor", "dentist")),
    (Tag("job") % "d*", lambda p: p["job"].startswith("d")),
    (Num("age") == 3, lambda p: p["age"] == 3),
    (Num("age") != 3, lambda p: p["age"] != 3),
    (Num("age") > 30, lambda p: p["age"] > 30),
    (Num("age") >= 30, lambda p: p["age"] >= 30),
    (Num("age") < 3, lambda p: p["age"] < 3),
    (Num("age") <= 3, lambda p: p["age"] <= 3),
    (Num("age").between(5, 9), lambda p: 5 <= p["age"] <= 9),
    (Num("age").between(5, 9, inclusive="neither"), lambda p: 5 < p["age"] < 9),
    (Timestamp("age") <= 5, lambda p: p["age"] <= 5),
    (Text("about") == "likes chess", lambda p: "chess" in p["about"]),
    (Text("about") != "likes chess", lambda p: "chess" not in p["about"]),
    (Text("about") % "mus*", lambda p: "music" in p["about"]),
    (Text("about") % "*ess", lambda p: "chess" in p["about"]),
    (Text("about") % "tea|chess", lambda p: True),
    ((Tag("job") == "doctor") & (Num("age") > 20), lambda p: p["job"] == "doctor" and p["age"] > 20),
    ((Tag("job") == "doctor") | (Num("age") > 35), lambda p: p["job"] == "doctor" or p["age"] > 35),
    (
        ((Tag("job") == "doctor") | (Text("about") % "music")) & (Num("age") < 20),
        lambda p: (p["job"] == "doctor" or "music" in p["about"]) and p["age"] < 20,
    ),
    (Tag("job") == [], lambda p: True),
]


def test_filters_alone_counting_and_before_vectors(index):
    for condition, holds in FILTERS:
        expected = {person["number"] for person in people() if holds(person)}
        alone = FilterQuery(return_fields=["number"], filter_expression=condition, num_results=40)
        assert {p["number"] for p in index.query(alone)} == expected, str(condition)
        assert index.query(CountQuery(condition)) == len(expected), str(condition)
        near = VectorQuery([1.0] * DIM, "face", ["number"], filter_expression=condition, num_results=40)
        assert {p["number"] for p in index.query(near)} == expected, str(condition)


def test_ranges_pages_order_and_batches(index):
    data = people()
    query = vectors(data)[3]
    expected = cosine(vectors(data), query)
    within = RangeQuery(query.tolist(), "face", ["number"], distance_threshold=0.6, num_results=40)
    assert {int(p["number"]) for p in index.query(within)} == set(np.flatnonzero(expected <= 0.6).tolist())
    both = VectorRangeQuery(
        query.tolist(),
        "face",
        ["number"],
        filter_expression=Tag("job") == "doctor",
        distance_threshold=0.9,
        num_results=40,
    )
    assert {int(p["number"]) for p in index.query(both)} == {i for i in np.flatnonzero(expected <= 0.9) if i % 4 == 1}
    pages = list(
        index.paginate(
            FilterQuery(return_fields=["number"], filter_expression=Num("age") >= 10, sort_by="age", num_results=30),
            page_size=7,
        )
    )
    assert [int(p["number"]) for page in pages for p in page] == list(range(10, 40))
    down = FilterQuery(return_fields=["number"], filter_expression=Num("age") < 5, sort_by=("age", "DESC"))
    assert [p["number"] for p in index.query(down)] == ["4", "3", "2", "1", "0"]
    batched = index.batch_query(
        [
            FilterQuery(return_fields=["number"], filter_expression=Tag("number") == "5"),
            FilterQuery(return_fields=["number"], filter_expression=Tag("number") == "6"),
        ]
    )
    assert [[p["number"] for p in batch] for batch in batched] == [["5"], ["6"]]


def test_query_attributes(index):
    every = [{}, {"hybrid_policy": "ADHOC_BF"}, {"hybrid_policy": "BATCHES", "batch_size": 5}]
    if index.schema.fields["face"].attrs.algorithm == "HNSW":
        every.append({"ef_runtime": 50})
    for options in every:
        query = VectorQuery([1.0] * DIM, "face", filter_expression=Num("age") < 20, num_results=20, **options)
        assert len(index.query(query)) == 20


def test_words_and_words_with_vectors(index):
    found = index.query(TextQuery("music", "about", return_fields=["number", "about"], num_results=40))
    assert len(found) == 20 and all("music" in p["about"] for p in found)
    assert float(found[0]["score"]) > 0
    data = people()
    query = vectors(data)[9]
    hybrid = AggregateHybridQuery(
        "music", "about", query.tolist(), "face", return_fields=["number", "about"], num_results=5
    )
    best = index.query(hybrid)
    assert len(best) == 5 and best[0]["number"] == "9"
    scores = [float(p["hybrid_score"]) for p in best]
    assert scores == sorted(scores, reverse=True)


def test_several_vectors_in_one_query(index):
    data = people()
    query = MultiVectorQuery(
        [Vector(vector=vectors(data)[2].tobytes(), field_name="face", weight=1.0, max_distance=1.5)],
        return_fields=["number"],
        num_results=3,
    )
    assert index.query(query)[0]["number"] == "2"


@pytest.mark.parametrize("datatype", ["float64", "float16", "bfloat16", "int8", "uint8"])
def test_every_element_type(server, datatype):
    with server.client() as client:
        index = SearchIndex.from_dict(schema("hnsw", datatype, "l2"), redis_client=client)
        index.create()
        whole = np.random.default_rng(1).integers(0, 100, (30, DIM))
        index.load(
            [{"number": str(i), "face": array_to_buffer(row.tolist(), datatype)} for i, row in enumerate(whole)],
            "number",
        )
        found = index.query(VectorQuery(whole[4].tolist(), "face", ["number"], dtype=datatype, num_results=3))
        expected = np.argsort(((whole - whole[4]) ** 2).sum(1), kind="stable")[:3]
        assert [int(p["number"]) for p in found] == expected.tolist()


def test_a_wrong_vector_is_an_error_that_names_the_sizes(index):
    with pytest.raises(RedisSearchError, match="does not match index's expected size"):
        index.query(VectorQuery([1.0] * (DIM + 1), "face"))


def embed(text):
    """A vector that depends on the letters of a text and nothing else."""
    counts = np.zeros(26)
    for letter in text.lower():
        if letter.isascii() and letter.isalpha():
            counts[ord(letter) - ord("a")] += 1
    return (counts / max(1, np.linalg.norm(counts))).tolist()


@pytest.fixture
def vectorizer():
    return CustomVectorizer(embed=embed)


def test_semantic_cache(server, vectorizer):
    with server.client() as client:
        cache = SemanticCache(
            name="answers",
            redis_client=client,
            vectorizer=vectorizer,
            distance_threshold=0.05,
            filterable_fields=[{"name": "user", "type": "tag"}],
        )
        cache.store("What is the capital of France?", "Paris", filters={"user": "a"}, metadata={"from": "atlas"})
        hit = cache.check("What's the capital of France?")
        assert hit[0]["response"] == "Paris" and hit[0]["metadata"] == {"from": "atlas"}
        assert cache.check("What's the capital of France?", filter_expression=Tag("user") == "b") == []
        assert cache.check("zzz zzz") == []
        cache.set_ttl(1)
        cache.store("one more", "answer")
        assert len(client.keys("answers:*")) == 2
        eventually(lambda: len(client.keys("answers:*")) == 1)  # asking the cache would begin its time anew
        assert cache.check("one more") == []
        cache.drop(keys=[hit[0]["key"]])
        assert cache.check("What is the capital of France?") == []
        again = SemanticCache(
            name="answers",
            redis_client=client,
            vectorizer=vectorizer,
            overwrite=False,
            filterable_fields=[{"name": "user", "type": "tag"}],
        )
        again.delete()
        embeddings = EmbeddingsCache(name="e", redis_client=client)
        embeddings.set(content="a", model_name="m", embedding=[1.0])
        assert embeddings.get("a", "m")["embedding"] == [1.0]


def test_message_histories(server, vectorizer):
    with server.client() as client:
        plain = MessageHistory(name="chat", redis_client=client)
        plain.store("hello", "hi")
        plain.store("how are you", "fine")
        assert [m["content"] for m in plain.get_recent(top_k=2)] == ["how are you", "fine"]
        semantic = SemanticMessageHistory(name="talk", redis_client=client, vectorizer=vectorizer)
        semantic.store("the weather in Seoul", "sunny")
        assert (
            semantic.get_relevant("weather Seoul the in", distance_threshold=0.3)[0]["content"]
            == "the weather in Seoul"
        )
        semantic.delete()
        plain.delete()
