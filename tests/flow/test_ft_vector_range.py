"""VECTOR_RANGE: as a filter of its own, among other filters, and under a KNN; every type and metric against numpy."""

import numpy as np
import pytest
import redis
from redis.commands.search.query import Query

from ft_help import blob, create, knn
from test_ft_vector_types import METRICS, TYPES, distances, load, make, random_vectors

pytestmark = pytest.mark.asan


@pytest.fixture
def line(client):
    """Ten items on a line: item:i at (i, 0), tagged even or odd, num = i."""
    create(client)
    for i in range(10):
        client.hset(f"item:{i}", mapping={"vec": blob(i, 0), "tag": "even" if i % 2 == 0 else "odd", "num": i})
    return client


def numbers(reply):
    return [int(key.decode().split(":")[1]) for key in reply[1:]]


def within(client, query, vector, *options, index="idx"):
    return numbers(knn(client, query, vector, "NOCONTENT", "LIMIT", 0, 5000, *options, index=index))


@pytest.mark.parametrize("metric", METRICS)
def test_every_type_finds_what_numpy_finds_within_the_radius(client, metric):
    dim, count = 21, 400
    for kind in TYPES:
        make(client, kind, metric, dim, kind, f"{kind}:")
        blobs, vectors = random_vectors(kind, count, dim, seed=5)
        load(client, blobs, f"{kind}:")
        queries, values = random_vectors(kind, 4, dim, seed=6)
        for query, value in zip(queries, values):
            want = distances(metric, vectors, value)
            order = np.sort(want)
            for nearest in (0, 9, 100):
                radius = float(order[nearest] + order[nearest + 1]) / 2
                if radius < 0:  # products may be larger than 1
                    continue
                expected = set(np.flatnonzero(want <= radius))
                text = f"@vec:[VECTOR_RANGE {radius!r} $b]=>{{$YIELD_DISTANCE_AS: d}}"
                reply = knn(client, text, query, "SORTBY", "d", "RETURN", 1, "d", "LIMIT", 0, count, index=kind)
                assert reply[0] == len(expected), (kind, nearest)
                assert {int(key.decode().split(":")[1]) for key in reply[1::2]} == expected
                got = [float(fields[1]) for fields in reply[2::2]]
                assert np.allclose(got, order[: len(got)], rtol=1e-5, atol=1e-5 * max(1, abs(order).max()))
                assert set(within(client, f"{text} @n:[50 149]", query, index=kind)) == {
                    i for i in expected if 50 <= i < 150
                }
                assert set(within(client, f"-{text}", query, index=kind)) == set(range(count)) - expected


def test_ranges_join_negate_and_repeat(line):
    near = "@vec:[VECTOR_RANGE 4 $b]"  # squared: items 0, 1, 2 from the origin
    assert within(line, near, blob(0, 0)) == [0, 1, 2]
    assert within(line, f"{near} @tag:{{even}}", blob(0, 0)) == [0, 2]
    assert within(line, f"{near} | @num:[8 9]", blob(0, 0)) == [0, 1, 2, 8, 9]
    assert within(line, f"-{near} @tag:{{odd}}", blob(0, 0)) == [3, 5, 7, 9]
    two = line.execute_command(
        "FT.SEARCH", "idx", f"{near} @vec:[VECTOR_RANGE 1.5 $c]", "NOCONTENT",
        "PARAMS", 4, "b", blob(0, 0), "c", blob(3, 0), "DIALECT", 2,
    )  # fmt: skip
    assert two == [1, b"item:2"]
    assert within(line, "@vec:[VECTOR_RANGE 0 $b]", blob(3, 0)) == [3]
    assert within(line, "@vec:[VECTOR_RANGE inf $b]", blob(3, 0)) == list(range(10))


def test_distances_are_fields_that_can_be_sorted_by_and_returned(line):
    near = "@vec:[VECTOR_RANGE 4 $b]=>{$YIELD_DISTANCE_AS: d}"
    reply = knn(line, near, blob(0, 0), "SORTBY", "d", "DESC")
    assert reply[0] == 3 and reply[1::2] == [b"item:2", b"item:1", b"item:0"]
    assert reply[2][:2] == [b"d", b"4"] and reply[2][2:4] == [b"vec", blob(2, 0)]
    assert knn(line, near, blob(0, 0), "SORTBY", "d", "RETURN", 2, "num", "d", "LIMIT", 1, 1) == [
        3, b"item:1", [b"num", b"1", b"d", b"1"],
    ]  # fmt: skip
    either = knn(line, f"({near} | @num:[9 9])", blob(0, 0), "RETURN", 1, "d")
    assert either == [4, b"item:0", [b"d", b"0"], b"item:1", [b"d", b"1"], b"item:2", [b"d", b"4"], b"item:9", []]
    assert knn(line, near, blob(0, 0), "LIMIT", 0, 0) == [3]


def test_a_range_filters_a_knn_and_both_distances_are_shown(line):
    text = "(@vec:[VECTOR_RANGE 9 $b]=>{$YIELD_DISTANCE_AS: r} @tag:{odd})=>[KNN 2 @vec $c AS k]"
    reply = line.execute_command(
        "FT.SEARCH", "idx", text, "RETURN", 2, "k", "r", "PARAMS", 4, "b", blob(4, 0), "c", blob(9, 0), "DIALECT", 2
    )
    assert reply == [2, b"item:7", [b"k", b"4", b"r", b"9"], b"item:5", [b"k", b"16", b"r", b"1"]]


def test_redis_py_sorts_by_the_distance(line):
    query = Query("@vec:[VECTOR_RANGE $r $b]=>{$YIELD_DISTANCE_AS: d}").sort_by("d").return_fields("d").dialect(2)
    found = line.ft("idx").search(query, query_params={"r": 2, "b": blob(5, 0)})
    assert found.total == 3
    assert [doc.id for doc in found.docs][0] == "item:5" and {doc.id for doc in found.docs} == {"item:4", "item:5", "item:6"}


@pytest.mark.parametrize(
    "text, error",
    [
        ("@vec:[VECTOR_RANGE -1 $b]", "Error parsing vector similarity query: negative radius (-1) given in a range query"),
        ("@vec:[VECTOR_RANGE 1 $s]", "query vector blob size (3) does not match index's expected size (8)."),
        ("@vec:[VECTOR_RANGE 1 $none]", "No such parameter `none`"),
        ("@num:[VECTOR_RANGE 1 $b]", "Expected a VECTOR field at offset 0 near num"),
        ("@nope:[VECTOR_RANGE 1 $b]", "Unknown field at offset 0 near nope"),
        ("@vec:[VECTOR_RANGE 1 $b]=>{$EPSILON: -1}", "Error parsing vector similarity parameters: Invalid value was given"),
        ("@vec:[VECTOR_RANGE 1 $b]=>{$SIZE: 1}", "Error parsing vector similarity parameters: Invalid option"),
        ("@vec:[VECTOR_RANGE 1 $b]=>{$YIELD_DISTANCE_AS: num}", "Property `num` already exists in schema"),
    ],
)
def test_errors_name_what_is_wrong(client, text, error):
    create(client)
    with pytest.raises(redis.ResponseError) as raised:
        client.execute_command("FT.SEARCH", "idx", text, "PARAMS", 4, "b", blob(0, 0), "s", "abc", "DIALECT", 2)
    assert error in str(raised.value)
    with pytest.raises(redis.ResponseError, match="DIALECT 2|Unknown field"):
        client.execute_command("FT.SEARCH", "idx", text, "PARAMS", 4, "b", blob(0, 0), "s", "abc")


def test_errors_have_code_words_where_they_are_asked_for(client):
    create(client)
    with pytest.raises(redis.ResponseError, match="^nope: no such index$"):
        client.execute_command("FT.SEARCH", "nope", "*")
    client.config_set("ai.ft-error-codes", "yes")
    with pytest.raises(redis.ResponseError, match="^SEARCH_INDEX_NOT_FOUND nope: no such index$"):
        client.execute_command("FT.SEARCH", "nope", "*")
    with pytest.raises(redis.ResponseError) as raised:
        knn(client, "*=>[KNN 1 @vec $b EF_RUNTIME 0]", blob(0, 0))
    assert str(raised.value) == (
        "SEARCH_VALUE_BAD Invalid value was given (Error parsing vector similarity parameters)"
    )
