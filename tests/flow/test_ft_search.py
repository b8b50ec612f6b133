"""FT.CREATE, FT.SEARCH, FT.INFO, FT._LIST and FT.DROPINDEX as clients send them."""

import numpy as np
import pytest
import redis
from redis.commands.search.query import Query

from ft_help import blob, create, info, keys, knn, wait_scanned

pytestmark = pytest.mark.asan


@pytest.fixture
def items(client):
    """Ten items on a line: item:i at (i, 0), tagged even or odd, num = 10 * i."""
    create(client)
    for i in range(10):
        client.hset(f"item:{i}", mapping={"vec": blob(i, 0), "tag": "even" if i % 2 == 0 else "odd,Prime", "num": i * 10})
    return client


def test_the_lines_of_the_guide_answer(client):
    vector = np.random.default_rng(1).standard_normal(512).astype(np.float32)
    assert (
        client.execute_command(
            *"FT.CREATE idx ON HASH PREFIX 1 item: SCHEMA vec VECTOR FLAT 6 TYPE FLOAT32 DIM 512 DISTANCE_METRIC COSINE".split()
        )
        == b"OK"
    )
    assert client.execute_command("HSET", "item:1", "vec", vector.tobytes()) == 1
    query = "*=>[KNN 10 @vec $query_vector AS score]"
    reply = client.execute_command("FT.SEARCH", "idx", query, "PARAMS", 2, "query_vector", vector.tobytes(), "DIALECT", 2)
    assert reply[0] == 1 and reply[1] == b"item:1"
    assert reply[2][0] == b"score" and abs(float(reply[2][1])) < 1e-5
    assert reply[2][2:] == [b"vec", vector.tobytes()]
    with pytest.raises(redis.ResponseError, match=r"Syntax error at offset 1 near >\[.*PARAMS 2.*DIALECT 2"):
        client.execute_command("FT.SEARCH", "idx", query)
    with pytest.raises(redis.ResponseError, match="No such parameter `query_vector`: add PARAMS 2 query_vector <2048 bytes"):
        client.execute_command("FT.SEARCH", "idx", query, "DIALECT", 2)


def test_redis_py_drives_create_search_info_and_drop(items):
    ft = items.ft("idx")
    query = Query("(@tag:{odd} @num:[30 +inf])=>[KNN 3 @vec $b AS dist]").sort_by("dist").return_fields("dist", "num")
    result = ft.search(query.paging(0, 2).dialect(2), query_params={"b": blob(0, 0)})
    assert result.total == 3
    assert [(doc.id, doc.dist, doc.num) for doc in result.docs] == [("item:3", "9", "30"), ("item:5", "25", "50")]
    described = ft.info()
    assert described["index_name"] == "idx" and int(described["num_docs"]) == 10
    assert items.execute_command("FT._LIST") == [b"idx"]
    assert ft.dropindex(delete_documents=True) == b"OK"
    assert items.execute_command("FT._LIST") == []
    assert items.dbsize() == 0


def test_knn_is_nearest_first_with_the_default_name_of_the_distance(items):
    reply = knn(items, "*=>[KNN 2 @vec $b]", blob(4.4, 0))
    assert [reply[1], reply[3]] == [b"item:4", b"item:5"]
    assert reply[2][0] == b"__vec_score"
    assert float(reply[2][1]) == pytest.approx(0.16, rel=1e-5)
    reply = knn(items, "*=>[KNN 1 @vec $b]=>{$YIELD_DISTANCE_AS: far}", blob(0, 0))
    assert reply[2][:2] == [b"far", b"0"]


@pytest.mark.parametrize("metric, want", [("L2", 2.0), ("IP", 1.0), ("COSINE", 1.0)])
def test_each_metric_has_its_own_distance(client, metric, want):
    create(client, metric=metric)
    client.hset("item:1", mapping={"vec": blob(0, 1)})
    assert float(knn(client, "*=>[KNN 1 @vec $b]", blob(1, 0))[2][1]) == pytest.approx(want)


def test_limit_shows_ten_and_total_is_bounded_by_k(items):
    for i in range(10, 40):
        items.hset(f"item:{i}", mapping={"vec": blob(i, 0)})
    reply = knn(items, "*=>[KNN 25 @vec $b]", blob(0, 0), "NOCONTENT")
    assert reply[0] == 25 and len(reply) == 11
    assert knn(items, "*=>[KNN 25 @vec $b]", blob(0, 0), "LIMIT", 0, 0) == [25]
    assert knn(items, "*=>[KNN 25 @vec $b]", blob(0, 0), "NOCONTENT", "LIMIT", 24, 5) == [25, b"item:24"]


def test_filters_join_and_negate(items):
    assert keys(items, "@tag:{even}") == {f"item:{i}" for i in (0, 2, 4, 6, 8)}
    assert keys(items, "@tag:{PRIME} @num:[(10 50]") == {"item:3", "item:5"}
    assert keys(items, "@num:[-inf (20] | @num:[90 +inf]") == {"item:0", "item:1", "item:9"}
    assert keys(items, "-@tag:{odd} -@num:[0 40]") == {"item:6", "item:8"}
    assert keys(items, "@tag:{ev*}") == keys(items, "@tag:{even}")
    assert keys(items, "(@tag:{even} @num:[0 20]) | @num==70") == {"item:0", "item:2", "item:7"}
    assert keys(items, "*") == {f"item:{i}" for i in range(10)}


def test_sortby_orders_by_field_and_shows_sort_keys(items):
    reply = items.execute_command(
        "FT.SEARCH", "idx", "@tag:{odd}", "SORTBY", "num", "DESC", "WITHSORTKEYS", "NOCONTENT", "LIMIT", 0, 2
    )
    assert reply == [5, b"item:9", b"#90", b"item:7", b"#70"]


def test_withscores_and_return_shape_the_reply(items):
    reply = knn(items, "*=>[KNN 1 @vec $b AS d]", blob(3, 0), "WITHSCORES", "RETURN", 4, "num", "AS", "n", "d")
    assert reply == [1, b"item:3", b"0", [b"n", b"30", b"d", b"0"]]
    assert knn(items, "*=>[KNN 1 @vec $b AS d]", blob(3, 0), "RETURN", 0) == [1, b"item:3"]


def test_resp3_has_maps(server, items):
    with server.client(protocol=3) as client:
        reply = knn(client, "*=>[KNN 1 @vec $b AS d]", blob(3, 0), "RETURN", 2, "d", "num", "SORTBY", "d")
        assert reply == {
            b"attributes": [],
            b"total_results": 1,
            b"format": b"STRING",
            b"results": [{b"id": b"item:3", b"extra_attributes": {b"d": b"0", b"num": b"30"}, b"values": []}],
            b"warning": [],
        }
        reply = knn(client, "*=>[KNN 1 @vec $b AS d]", blob(3, 0), "NOCONTENT")
        assert reply[b"results"] == [{b"id": b"item:3", b"values": []}]
        described = client.execute_command("FT.INFO", "idx")
        assert described[b"attributes"][0][b"dim"] == 2
        assert described[b"num_docs"] == 10


def test_names_given_by_as_are_what_queries_and_returns_use(client):
    client.execute_command("FT.CREATE", "idx", "SCHEMA", "colour", "AS", "c", "TAG", "SEPARATOR", ";", "CASESENSITIVE")
    client.hset("any", "colour", "Red;blue")
    assert client.execute_command("FT.SEARCH", "idx", "@c:{Red}", "RETURN", 1, "c") == [1, b"any", [b"c", b"Red;blue"]]
    assert keys(client, "@c:{red}") == set()


@pytest.mark.parametrize(
    "command, error",
    [
        ("FT.SEARCH nope *", "nope: no such index"),
        ("FT.INFO nope", "Unknown index name"),
        ("FT.DROPINDEX nope", "Unknown Index name"),
        ("FT.CREATE idx SCHEMA t TAG", "Index already exists"),
        ("FT.CREATE i2 SCHEMA v VECTOR SVS-VAMANA 6 TYPE FLOAT32 DIM 2 DISTANCE_METRIC L2", "use HNSW"),
        ("FT.CREATE i2 SCHEMA v VECTOR FLAT 4 TYPE FLOAT32 DIM 2", "without specifying DISTANCE_METRIC argument"),
        ("FT.CREATE i2 SCHEMA v VECTOR FLAT 6 TYPE FLOAT32 DIM 4294967296 DISTANCE_METRIC L2", "outside acceptable bounds"),
        ("FT.SEARCH idx @tag:{", "Syntax error at offset"),
        ("FT.SEARCH idx @none:{a}", "Unknown field at offset 0 near none"),
        ("FT.SEARCH idx * SORTBY zz", "Property `zz` not loaded nor in schema"),
        ("FT.SEARCH idx * LIMIT 0 1000001", "LIMIT exceeds maximum of 1000000"),
        ("FT.SEARCH idx * FOO", "Unknown argument `FOO` at position 1 for <main>"),
        ("FT.SEARCH idx * DIALECT 5", "DIALECT requires a non negative integer >=1 and <= 4"),
        ("FT.SEARCH idx", "wrong number of arguments"),
    ],
)
def test_errors_are_those_that_clients_know(items, command, error):
    with pytest.raises(redis.ResponseError) as caught:
        items.execute_command(*command.split())
    assert error in str(caught.value)
    assert items.ping()


def test_a_query_vector_of_the_wrong_size_is_named(items):
    with pytest.raises(redis.ResponseError, match=r"blob size \(3\) does not match index's expected size \(8\)\."):
        knn(items, "*=>[KNN 1 @vec $b]", b"abc")


def test_a_malformed_field_drops_the_document_and_is_counted(items):
    wait_scanned(items)  # which would count them once more
    items.hset("item:3", "vec", b"short")
    items.hset("item:4", "num", "many")
    assert keys(items) == {f"item:{i}" for i in range(10)} - {"item:3", "item:4"}
    state = info(items)
    assert state["hash_indexing_failures"] == 2
    errors = dict(zip(state["Index Errors"][::2], state["Index Errors"][1::2]))
    assert errors[b"indexing failures"] == 2 and errors[b"last indexing error key"] == b"item:4"
    items.hset("item:3", "vec", blob(3, 0))
    assert "item:3" in keys(items)


def test_an_index_lives_in_database_zero_only(server):
    with server.client(db=1) as client:
        with pytest.raises(redis.ResponseError, match="Cannot create index on db != 0"):
            create(client)
    with server.client() as client:
        create(client)
        with server.client(db=1) as other:
            other.hset("item:1", "tag", "a")
        assert keys(client) == set()


def test_used_memory_counts_the_index(client):
    create(client, dim=256)
    before = client.info("memory")["used_memory"]
    pipe = client.pipeline(transaction=False)
    for i in range(2000):
        pipe.hset(f"item:{i}", "vec", np.zeros(256, np.float32).tobytes())
    pipe.execute()
    with_index = client.info("memory")["used_memory"] - before
    client.execute_command("FT.DROPINDEX", "idx")
    assert with_index > 2 * 2000 * 1024


def test_a_search_beside_its_own_deletions_leaves_out_what_is_gone(items):
    pipe = items.pipeline(transaction=False)
    for i in range(10):
        pipe.execute_command("FT.SEARCH", "idx", "*")
        pipe.delete(f"item:{i}")
    replies = pipe.execute()[::2]
    for gone, reply in enumerate(replies):
        names = set(reply[1::2])
        assert len(names) <= 10 - gone and all(int(name.split(b":")[1]) >= gone for name in names)


def test_info_has_a_section_of_the_module(items):
    knn(items, "*=>[KNN 1 @vec $b]", blob(0, 0))
    section = items.info("ai_ft")
    assert section["ai_indexes"] == 1 and section["ai_documents"] == 10
    assert section["ai_searches"] >= 1
