"""FT.EXPLAIN, FT.EXPLAINCLI, FT.PROFILE and FT.CONFIG, by raw commands and by redis-py, in RESP2 and RESP3."""

import pytest
import redis
from redis.commands.search import aggregation, reducers
from redis.commands.search.query import Query

from ft_help import blob, create, keys, knn

pytestmark = pytest.mark.asan


@pytest.fixture
def items(client):
    create(client)
    pipe = client.pipeline(transaction=False)
    for i in range(100):
        pipe.hset(f"item:{i}", mapping={"tag": "even" if i % 2 == 0 else "odd", "num": i, "vec": blob(i, 0)})
    pipe.execute()
    return client


def test_explain_shows_the_tree_of_a_query(items):
    assert items.ft("idx").explain(Query("@tag:{a | b*} @num:[1 (2]").dialect(2)) == (
        b"INTERSECT {\n  TAG:@tag {\n    a\n    b*\n  }\n  NUMERIC {1.000000 <= @num < 2.000000}\n}\n"
    )
    assert items.execute_command("FT.EXPLAIN", "idx", "*") == b"<WILDCARD>\n"
    text = items.execute_command("FT.EXPLAIN", "idx", "(@tag:{a} | -@num:[3 inf])=>[KNN 5 @vec $b AS d]", "PARAMS", 2, "b", blob(0, 0), "DIALECT", 2)
    assert text.decode().splitlines() == [
        "VECTOR {K=5 nearest vectors to @vec, distance as `d`",
        "  UNION {",
        "    TAG:@tag {",
        "      a",
        "    }",
        "    NOT {",
        "      NUMERIC {3.000000 <= @num <= inf}",
        "    }",
        "  }",
        "}",
    ]
    lines = items.execute_command("FT.EXPLAINCLI", "idx", "@tag:{a}")
    assert lines == [b"TAG:@tag {", b"  a", b"}", b""]
    with pytest.raises(redis.ResponseError, match="none: no such index"):
        items.execute_command("FT.EXPLAIN", "none", "*")
    with pytest.raises(redis.ResponseError, match="Syntax error at offset"):
        items.execute_command("FT.EXPLAIN", "idx", "(")


def text(value):
    return value.decode() if isinstance(value, bytes) else value


def as_dict(profile):
    """A RESP2 profile: parts are arrays of a name and its values."""
    return {part[0]: part[1:] for part in profile}


def pairs(part):
    return dict(zip(part[::2], part[1::2]))


def test_profile_counts_what_each_part_lets_through(items):
    result, profile = items.execute_command("FT.PROFILE", "idx", "SEARCH", "QUERY", "@tag:{even} @num:[0 9]", "NOCONTENT")
    assert result[0] == 5 and set(result[1:]) == {f"item:{i}".encode() for i in range(0, 10, 2)}
    profile = as_dict(profile)
    assert float(profile[b"Total profile time"][0]) > 0
    root = profile[b"Iterators profile"][0]
    assert pairs(root[:6]) == {b"Type": b"INTERSECT", b"Time": root[3], b"Counter": 5}
    assert root[6] == b"Child iterators"
    tag, number = pairs(root[7]), pairs(root[8])
    assert (tag[b"Type"], tag[b"Term"], tag[b"Counter"]) == (b"TAG", b"even", 50)
    assert (number[b"Type"], number[b"Counter"]) == (b"NUMERIC", 10)
    assert pairs(profile[b"Result processors profile"][0])[b"Type"] == b"Index"
    result, profile = items.execute_command("FT.PROFILE", "idx", "SEARCH", "LIMITED", "QUERY", "@tag:{even} @num:[0 9]", "NOCONTENT")
    assert len(as_dict(profile)[b"Iterators profile"][0]) == 6


def test_profile_shows_how_vectors_were_searched(items):
    query = "@num:[0 9]=>[KNN 3 @vec $b]"
    words = ["FT.PROFILE", "idx", "SEARCH", "QUERY", query, "NOCONTENT", "PARAMS", 2, "b", blob(0, 0), "DIALECT", 2]
    result, profile = items.execute_command(*words)
    assert result[0] == 3
    vectors = pairs(as_dict(profile)[b"Iterators profile"][0][:10])
    assert vectors[b"Type"] == b"VECTOR" and vectors[b"Term"] == b"@vec" and vectors[b"Counter"] == 3
    assert vectors[b"Vector search mode"]


def test_profile_of_an_aggregation_shows_its_steps(items):
    result, profile = items.execute_command(
        "FT.PROFILE", "idx", "AGGREGATE", "QUERY", "*", "APPLY", "@num % 10", "AS", "m", "GROUPBY", 1, "@m",
        "REDUCE", "COUNT", 0, "AS", "n", "SORTBY", 1, "@m", "LIMIT", 0, 2,
    )  # fmt: skip
    assert result == [10, [b"m", b"0", b"n", b"10"], [b"m", b"1", b"n", b"10"]]
    steps = [pairs(step) for step in as_dict(profile)[b"Result processors profile"]]
    assert [(step[b"Type"], step[b"Counter"]) for step in steps] == [
        (b"Index", 100), (b"Projector", 100), (b"Grouper", 10), (b"Sorter", 2), (b"Pager/Limiter", 2),
    ]  # fmt: skip


def test_redis_py_profiles(items):
    result, profile = items.ft("idx").profile(Query("@tag:{odd}").paging(0, 3))
    assert result.total == 50 and len(result.docs) == 3
    request = aggregation.AggregateRequest("*").group_by("@tag", reducers.count().alias("n"))
    result, profile = items.ft("idx").profile(request)
    assert sorted(row[3] for row in result.rows) == [b"50", b"50"]


def test_profile_in_resp3_is_a_map(server, items):
    with server.client(protocol=3) as client:
        reply = client.execute_command("FT.PROFILE", "idx", "SEARCH", "QUERY", "@tag:{even} @num:[0 9]", "LIMIT", 0, 1)
        assert reply[b"Results"][b"total_results"] == 5
        profile = reply[b"Profile"]
        assert profile[b"Warning"] == b"None" and profile[b"Total profile time"] > 0
        root = profile[b"Iterators profile"][0]
        assert root[b"Type"] == b"INTERSECT" and [c[b"Counter"] for c in root[b"Child iterators"]] == [50, 10]
        reply = client.execute_command("FT.PROFILE", "idx", "AGGREGATE", "QUERY", "*", "GROUPBY", 1, "@tag")
        assert len(reply[b"Results"][b"results"]) == 2
        assert [step[b"Type"] for step in reply[b"Profile"][b"Result processors profile"]] == [b"Index", b"Loader", b"Grouper"]


@pytest.mark.parametrize(
    "command, error",
    [
        ("FT.PROFILE none SEARCH QUERY *", "none: no such index"),
        ("FT.PROFILE idx FOO QUERY *", "No `SEARCH` or `AGGREGATE` provided"),
        ("FT.PROFILE idx SEARCH FOO *", "The QUERY keyword is expected"),
        ("FT.PROFILE idx SEARCH QUERY (", "Syntax error at offset"),
        ("FT.CONFIG SET none 1", "Invalid option"),
        ("FT.CONFIG SET TIMEOUT x", "Could not convert argument to expected type"),
        ("FT.CONFIG SET DEFAULT_DIALECT 9", "Default dialect version cannot be higher than 4"),
        ("FT.CONFIG SET ON_TIMEOUT foo", "Invalid ON_TIMEOUT value"),
        ("FT.CONFIG FOO x", "No such configuration action"),
        ("FT.CONFIG SET TIMEOUT", "wrong number of arguments"),
    ],
)
def test_errors_are_those_that_clients_know(items, command, error):
    with pytest.raises(redis.ResponseError) as caught:
        items.execute_command(*command.split())
    assert error in str(caught.value)


def test_config_is_shown_and_changed(server, items):
    ft = items.ft("idx")
    assert items.execute_command("FT.CONFIG", "GET", "timeout") == [[b"TIMEOUT", b"500"]]
    ft.config_set("TIMEOUT", "600")
    shown = {text(name): text(value) for name, value in ft.config_get("*").items()}
    assert shown["TIMEOUT"] == "600"
    assert items.execute_command("FT.CONFIG", "GET", "none") == []
    assert items.execute_command("FT.CONFIG", "HELP", "ON_TIMEOUT")[0][3:] == [b"Value", b"return"]
    with server.client(protocol=3) as client:
        assert client.execute_command("FT.CONFIG", "GET", "TIMEOUT") == {b"TIMEOUT": b"600"}
        assert client.execute_command("FT.CONFIG", "HELP", "TIMEOUT")[b"TIMEOUT"][b"Value"] == b"600"


def test_what_is_set_has_its_effect(items):
    with pytest.raises(redis.ResponseError, match="DIALECT 2"):
        items.execute_command("FT.SEARCH", "idx", "*=>[KNN 1 @vec $b]", "PARAMS", 2, "b", blob(0, 0))
    items.execute_command("FT.CONFIG", "SET", "DEFAULT_DIALECT", 2)
    assert items.execute_command("FT.SEARCH", "idx", "*=>[KNN 1 @vec $b]", "PARAMS", 2, "b", blob(0, 0), "NOCONTENT") == [1, b"item:0"]
    items.execute_command("FT.CONFIG", "SET", "MAXSEARCHRESULTS", 20)
    with pytest.raises(redis.ResponseError, match="LIMIT exceeds maximum of 20"):
        keys(items, limit=21)
    items.execute_command("FT.CONFIG", "SET", "MAXAGGREGATERESULTS", 7)
    assert len(items.execute_command("FT.AGGREGATE", "idx", "*", "LIMIT", 0, 100)) == 8


def test_a_search_out_of_time_can_fail(server):
    client = server.client()
    create(client, dim=1024)
    pipe = client.pipeline(transaction=False)
    for i in range(20_000):
        pipe.hset(f"item:{i}", "vec", bytes(4096))
    pipe.execute()
    client.execute_command("FT.CONFIG", "SET", "ON_TIMEOUT", "fail")
    assert knn(client, "*=>[KNN 10 @vec $b]", bytes(4096), "NOCONTENT", "TIMEOUT", 0)[0] == 10
    failures = 0
    for _ in range(10):
        try:
            knn(client, "*=>[KNN 10 @vec $b]", bytes(4096), "NOCONTENT", "TIMEOUT", 1)
        except redis.ResponseError as error:
            assert "Timeout limit was reached" in str(error)
            failures += 1
    assert failures > 0  # 80 MB are not read in a millisecond ten times over
