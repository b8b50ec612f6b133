"""FT.AGGREGATE over the shards of a cluster answers what one server with the same documents answers."""

import random
import signal

import pytest
import redis

from ai_models import error_of
from ft_cluster import clients, cluster, shards  # noqa: F401: fixtures
from ft_help import blob
from test_ft_aggregate import rows_of

SCHEMA = (
    "ON HASH PREFIX 1 d: SCHEMA city TAG SORTABLE kind TAG n NUMERIC SORTABLE body TEXT "
    "v VECTOR FLAT 6 TYPE FLOAT32 DIM 2 DISTANCE_METRIC L2"
).split()
DOCUMENTS = 300
B = ("PARAMS", 2, "b", blob(37.25, 0), "DIALECT", 2)


def documents():
    """The same ones every time; some lack a field. `id` and `note` are in the hash only."""
    dice = random.Random(5)
    for i in range(DOCUMENTS):
        fields = {"id": i, "v": blob(dice.uniform(0, 300), 0), "kind": dice.choice("abc") + "," + dice.choice("def")}
        if dice.random() < 0.9:
            fields["n"] = dice.randrange(-80, 800) / 8
        if dice.random() < 0.9:
            fields["city"] = dice.choice(["Seoul", "Busan", "Daegu", "Incheon"])
        if dice.random() < 0.5:
            fields["note"] = dice.choice(["x", "y", "z"]) * dice.randrange(1, 4)
        fields["body"] = "disk full" if i % 3 else "memory low"
        yield f"d:{i}", fields


@pytest.fixture
def pair(start_server, engine, clients, cluster):  # noqa: F811
    """A client of one shard of a cluster, and one of a single server with the same documents."""
    single = start_server().client()
    single.execute_command("FT.CREATE", "idx", *SCHEMA)
    clients[0].execute_command("FT.CREATE", "idx", *SCHEMA)
    pipe = single.pipeline(transaction=False)
    for key, fields in documents():
        pipe.hset(key, mapping=fields)
        cluster.hset(key, mapping=fields)
    pipe.execute()
    return clients[1], single


# Each ends in an order that leaves nothing open.
IN_ORDER = [
    ("*", "LOAD", 1, "@id", "SORTBY", 4, "@n", "DESC", "@id", "ASC"),
    ("*", "LOAD", 2, "@id", "@note", "SORTBY", 2, "@id", "DESC", "LIMIT", 13, 20),
    ("@n:[0 60]", "LOAD", 1, "@id", "APPLY", "@n * 2 + 1", "AS", "m", "FILTER", "@m > 20 && @m < 90", "SORTBY", 2, "@id", "ASC", "MAX", 200),
    ("@city:{Seoul|Busan}", "LOAD", 1, "@id", "SORTBY", 4, "@n", "ASC", "@id", "ASC", "LIMIT", 2, 5, "APPLY", "upper(@kind)", "AS", "K"),
    ("*", "GROUPBY", 1, "@city", "REDUCE", "COUNT", 0, "AS", "c", "SORTBY", 2, "@city", "ASC"),
    ("*", "LOAD", 1, "@id", "GROUPBY", 2, "@city", "@kind", "REDUCE", "COUNT", 0, "AS", "c", "REDUCE", "SUM", 1, "@n", "AS", "s",
     "REDUCE", "MIN", 1, "@n", "AS", "lo", "REDUCE", "MAX", 1, "@n", "AS", "hi", "REDUCE", "QUANTILE", 2, "@n", "0.75", "AS", "q",
     "REDUCE", "AVG", 1, "@n", "AS", "avg", "REDUCE", "STDDEV", 1, "@n", "AS", "dev", "REDUCE", "COUNT_DISTINCT", 1, "@n", "AS", "u",
     "REDUCE", "COUNT_DISTINCTISH", 1, "@id", "AS", "v", "REDUCE", "FIRST_VALUE", 4, "@id", "BY", "@id", "DESC", "AS", "f",
     "SORTBY", 4, "@city", "ASC", "@kind", "ASC", "MAX", 100),
    ("@n:[-100 100]", "APPLY", "floor(@n / 10)", "AS", "tens", "GROUPBY", 1, "@tens", "REDUCE", "COUNT", 0, "AS", "c", "FILTER", "@c > 20",
     "SORTBY", 2, "@tens", "DESC", "LIMIT", 0, 3),
    ("*", "GROUPBY", 1, "@city", "REDUCE", "COUNT", 0, "AS", "c", "APPLY", "@c % 3", "AS", "m", "GROUPBY", 1, "@m", "REDUCE", "SUM", 1, "@c",
     "AS", "s", "SORTBY", 1, "@m"),
    ("@body:disk", "LOAD", 1, "@id", "APPLY", "split(@kind)", "AS", "kinds", "GROUPBY", 1, "@kinds", "REDUCE", "COUNT", 0, "AS", "c",
     "SORTBY", 1, "@kinds"),
    ("-@city:{Seoul}", "GROUPBY", 0, "REDUCE", "COUNT", 0, "AS", "c"),
    ("@n:[900 901]", "GROUPBY", 0, "REDUCE", "COUNT", 0, "AS", "c"),
    ("*=>[KNN 25 @v $b AS d]", "LOAD", 1, "@id", "SORTBY", 1, "@d", "MAX", 30, *B),
    ("*=>[KNN 25 @v $b AS d]", "LOAD", 2, "@id", "@d", "LIMIT", 3, 7, *B),
    ("@n:[0 80]=>[KNN 30 @v $b AS d]", "FILTER", "@n < 50", "GROUPBY", 1, "@city", "REDUCE", "COUNT", 0, "AS", "c", "SORTBY", 1, "@city", *B),
    ("@v:[VECTOR_RANGE 400 $b]=>{$YIELD_DISTANCE_AS: far}", "LOAD", 1, "@id", "SORTBY", 1, "@far", "MAX", 200, *B),
    ("*", "SORTBY", 2, "@n", "DESC", "MAX", 1, "LOAD", 1, "@n"),
]  # fmt: skip

IN_ANY_ORDER = [
    ("*",),
    ("*", "LOAD", "*"),
    ("*", "LOAD", 1, "@__key"),
    ("@n:[-5 30]", "LOAD", 3, "@note", "AS", "remark", "FILTER", "exists(@remark) && @remark != 'x'"),
    ("*", "GROUPBY", 1, "@n", "REDUCE", "COUNT", 0, "AS", "c"),
]


def sorted_rows(reply):
    return sorted(sorted(zip(row[::2], map(repr, row[1::2]), strict=True)) for row in reply[1:])


def test_every_pipeline_answers_as_on_one_server(pair):
    of_shards, single = pair
    for words in IN_ORDER:
        got, wanted = (client.execute_command("FT.AGGREGATE", "idx", *words) for client in (of_shards, single))
        assert got == wanted, words
    for words in IN_ANY_ORDER:
        got, wanted = (client.execute_command("FT.AGGREGATE", "idx", *words) for client in (of_shards, single))
        assert got[0] == wanted[0], words
        assert sorted_rows(got) == sorted_rows(wanted), words


def test_random_pipelines_answer_as_on_one_server(pair):
    of_shards, single = pair
    dice = random.Random(11)
    for _ in range(60):
        words = [dice.choice(["*", "@n:[0 70]", "@city:{Busan|Daegu}", "@body:memory", "-@kind:{a}"]), "LOAD", 2, "@id", "@note"]
        for _ in range(dice.randrange(3)):
            words += dice.choice(
                [
                    ["APPLY", "@id % 7", "AS", "seven"],
                    ["FILTER", f"@id > {dice.randrange(200)}"],
                    ["APPLY", "case(exists(@city), @city, @id)", "AS", "name"],
                    ["SORTBY", 4, "@n", dice.choice(["ASC", "DESC"]), "@id", "ASC", "MAX", dice.randrange(20, 200)],
                ]
            )
        if dice.random() < 0.6:
            key = dice.choice(["@city", "@note", "@kind"])
            words += ["GROUPBY", 1, key]
            for reducer in dice.sample(["COUNT", "SUM", "MIN", "MAX", "AVG", "COUNT_DISTINCT", "TOLIST"], 3):
                words += ["REDUCE", reducer, 0, "AS", reducer.lower()] if reducer == "COUNT" else ["REDUCE", reducer, 1, "@id", "AS", reducer.lower()]
            words += ["SORTBY", 2, key, dice.choice(["ASC", "DESC"]), "MAX", 50]
        else:
            words += ["SORTBY", 2, "@id", dice.choice(["ASC", "DESC"]), "LIMIT", dice.randrange(30), dice.randrange(1, 60)]
        got, wanted = (client.execute_command("FT.AGGREGATE", "idx", *words) for client in (of_shards, single))
        assert got[0] == wanted[0], words
        got, wanted = ([in_one_order(row) for row in rows_of(reply)] for reply in (got, wanted))
        assert got == wanted, words


def in_one_order(row):
    """A list of TOLIST has the order in which the values came."""
    return {name: sorted(value) if isinstance(value, list) else value for name, value in row.items()}


def test_errors_are_those_of_one_server(pair):
    for words in (
        ("*", "APPLY", "@n + 1", "AS", "m"),
        ("*", "APPLY", "@zz", "AS", "m"),
        ("*", "GROUPBY", 1, "@zz"),
        ("*", "FILTER", "upper("),
        ("@n:[oops"),
    ):
        words = (words,) if isinstance(words, str) else words
        assert error_of(pair[0], "FT.AGGREGATE", "idx", *words) == error_of(pair[1], "FT.AGGREGATE", "idx", *words)


def test_a_cursor_reads_the_rows_of_all_shards(pair):
    of_shards, _ = pair
    words = ("FT.AGGREGATE", "idx", "*", "LOAD", 1, "@id", "SORTBY", 2, "@id", "ASC", "MAX", 1000, "WITHCURSOR", "COUNT", 70)
    rows, cursor = of_shards.execute_command(*words)
    ids = [row["id"] for row in rows_of(rows)]
    assert len(ids) == 70
    while cursor:
        rows, cursor = of_shards.execute_command("FT.CURSOR", "READ", "idx", cursor)
        ids += [row["id"] for row in rows_of(rows)]
    assert ids == sorted(str(i) for i in range(DOCUMENTS))


def test_a_shard_that_hangs_is_left_out_and_one_that_is_down_is_named(shards, pair):  # noqa: F811
    words = ("FT.AGGREGATE", "idx", "*", "GROUPBY", 0, "REDUCE", "COUNT", 0, "AS", "c", "TIMEOUT", 300)
    shards[2].process.send_signal(signal.SIGSTOP)
    try:
        with shards[1].client(protocol=3) as client:
            reply = client.execute_command(*words)
            assert 0 < int(rows_of(reply)[0]["c"]) < DOCUMENTS
            assert reply[b"warning"] == [b"Timeout limit was reached"]
    finally:
        shards[2].process.send_signal(signal.SIGCONT)
    with shards[1].client() as client:
        assert rows_of(client.execute_command(*words)) == [{"c": str(DOCUMENTS)}]
        shards[2].kill9()
        refusal = error_of(client, *words)
        assert f"the shard 127.0.0.1:{shards[2].port} did not aggregate" in refusal


def test_where_no_client_can_wait_the_refusal_says_why(pair):
    of_shards, _ = pair
    pipe = of_shards.pipeline()
    pipe.execute_command("FT.AGGREGATE", "idx", "*")
    [refusal] = pipe.execute(raise_on_error=False)
    assert "FT.AGGREGATE has to reach all shards" in str(refusal)
    assert "hash tag" in error_of(of_shards, "EVAL", "return redis.call('FT.AGGREGATE', 'idx', '*')", 0)


def test_what_the_caller_may_not_read_is_not_aggregated(shards, clients, pair):  # noqa: F811
    for client in clients:
        client.execute_command("ACL", "SETUSER", "narrow", "on", "nopass", "+@all", "~other:*")
        client.execute_command("ACL", "SETUSER", "wide", "on", "nopass", "+@all", "~d:*")
    words = ("FT.AGGREGATE", "idx", "*", "GROUPBY", 0, "REDUCE", "COUNT", 0, "AS", "c")
    with shards[0].client(username="narrow", password="x") as client:
        with pytest.raises(redis.exceptions.NoPermissionError, match="user narrow may not read every key under"):
            client.execute_command(*words)
    with shards[0].client(username="wide", password="x") as client:
        assert rows_of(client.execute_command(*words)) == [{"c": str(DOCUMENTS)}]


def test_rows_that_are_too_many_bytes_are_refused_with_what_to_do(clients, cluster):  # noqa: F811
    clients[0].execute_command("FT.CREATE", "big", "ON", "HASH", "PREFIX", 1, "big:", "SCHEMA", "n", "NUMERIC")
    for i in range(160):
        cluster.hset(f"big:{i}", mapping={"n": i, "text": "x" * (1 << 21)})
    refusal = error_of(clients[0], "FT.AGGREGATE", "big", "*", "LOAD", 1, "text", "TIMEOUT", 20000)
    assert "did not aggregate: its rows take more than 64 MiB" in refusal and "LIMIT" in refusal
    reply = clients[0].execute_command("FT.AGGREGATE", "big", "*", "LOAD", 1, "text", "APPLY", "strlen(@text)", "AS", "size",
                                       "GROUPBY", 1, "@size", "REDUCE", "COUNT", 0, "AS", "c", "TIMEOUT", 20000)  # fmt: skip
    assert rows_of(reply) == [{"size": str(1 << 21), "c": "160"}]
