"""FT.AGGREGATE and FT.CURSOR: results compared with plain Python, by raw commands and by redis-py, in RESP2 and RESP3."""

import collections
import statistics
import threading
import time

import pytest
import redis
from redis.commands.search import aggregation, reducers

from ft_help import blob, create

pytestmark = pytest.mark.asan

CITIES = ["seoul", "busan", "daegu"]


@pytest.fixture
def shop(client):
    """Sixty sales: num = price, tag = city, vec = (i, 0); 'buyer' is in the hash only."""
    create(client)
    pipe = client.pipeline(transaction=False)
    for i in range(60):
        pipe.hset(f"item:{i}", mapping={"num": i * 7 % 31 + 0.5, "tag": CITIES[i % 3], "vec": blob(i, 0), "buyer": f"b{i % 4}"})
    pipe.execute()
    return client


def price(i):
    return i * 7 % 31 + 0.5


def aggregate(client, *words, index="idx"):
    """The rows as dictionaries of text."""
    reply = client.execute_command("FT.AGGREGATE", index, *words)
    return rows_of(reply)


def rows_of(reply):
    if isinstance(reply, dict):
        rows = [row[b"extra_attributes"] for row in reply[b"results"]]
    else:
        rows = [dict(zip(row[::2], row[1::2])) for row in reply[1:]]
    return [{text(name): text(value) for name, value in row.items()} for row in rows]


def text(value):
    if isinstance(value, list):
        return [text(element) for element in value]
    return value.decode() if isinstance(value, bytes) else value


@pytest.mark.parametrize("protocol", [2, 3])
def test_groups_agree_with_python(server, shop, protocol):
    with server.client(protocol=protocol) as client:
        rows = aggregate(
            client, "*", "LOAD", 1, "@buyer", "GROUPBY", 1, "@tag",
            "REDUCE", "COUNT", 0, "AS", "count", "REDUCE", "SUM", 1, "@num", "AS", "sum", "REDUCE", "AVG", 1, "@num", "AS", "avg",
            "REDUCE", "MIN", 1, "@num", "AS", "min", "REDUCE", "MAX", 1, "@num", "AS", "max",
            "REDUCE", "STDDEV", 1, "@num", "AS", "dev", "REDUCE", "QUANTILE", 2, "@num", "0.5", "AS", "median",
            "REDUCE", "COUNT_DISTINCT", 1, "@buyer", "AS", "buyers", "REDUCE", "TOLIST", 1, "@buyer", "AS", "names",
            "SORTBY", 2, "@tag", "ASC",
        )  # fmt: skip
    assert [row["tag"] for row in rows] == sorted(CITIES)
    for row in rows:
        of_city = [i for i in range(60) if CITIES[i % 3] == row["tag"]]
        prices = sorted(price(i) for i in of_city)
        assert float(row["count"]) == len(prices)
        assert float(row["sum"]) == pytest.approx(sum(prices))
        assert float(row["avg"]) == pytest.approx(statistics.mean(prices))
        assert float(row["min"]) == prices[0] and float(row["max"]) == prices[-1]
        assert float(row["dev"]) == pytest.approx(statistics.stdev(prices))
        assert float(row["median"]) == prices[len(prices) // 2 - 1]
        buyers = {f"b{i % 4}" for i in of_city}
        assert int(row["buyers"]) == len(buyers) and set(row["names"]) == buyers and len(row["names"]) == len(buyers)


def test_steps_run_in_the_order_in_which_they_stand(shop):
    rows = aggregate(
        shop, "@num:[3 25]", "APPLY", "floor(@num / 10)", "AS", "tens", "FILTER", "@tens >= 1",
        "GROUPBY", 2, "@tens", "@tag", "REDUCE", "COUNT", 0, "AS", "n", "APPLY", "format('%s:%s', upper(@tag), @n)", "AS", "shown",
        "SORTBY", 4, "@tens", "DESC", "@tag", "ASC", "LIMIT", 1, 4,
    )  # fmt: skip
    counts = collections.Counter()
    for i in range(60):
        if 3 <= price(i) <= 25 and price(i) // 10 >= 1:
            counts[price(i) // 10, CITIES[i % 3]] += 1
    wanted = sorted(counts.items(), key=lambda item: (-item[0][0], item[0][1]))[1:5]
    assert [row["shown"] for row in rows] == [f"{tag.upper()}:{n}" for (_, tag), n in wanted]


def test_a_knn_query_is_aggregated_over_its_distance(shop):
    query = "*=>[KNN 12 @vec $b AS far]"
    reply = shop.execute_command(
        "FT.AGGREGATE", "idx", query, "APPLY", "sqrt(@far)", "AS", "d", "GROUPBY", 1, "@tag",
        "REDUCE", "MAX", 1, "@d", "AS", "most", "REDUCE", "COUNT", 0, "AS", "n", "SORTBY", 2, "@tag", "ASC",
        "PARAMS", 2, "b", blob(0, 0), "DIALECT", 2,
    )  # fmt: skip
    assert reply == [
        3,
        [b"tag", b"busan", b"most", b"10", b"n", b"4"],
        [b"tag", b"daegu", b"most", b"11", b"n", b"4"],
        [b"tag", b"seoul", b"most", b"9", b"n", b"4"],
    ]


def test_load_brings_fields_of_the_hash_the_index_does_not_know(shop):
    rows = aggregate(shop, "@num:[0.5 0.5]", "LOAD", 4, "@buyer", "@num", "AS", "price", "SORTBY", 2, "@buyer", "ASC")
    assert rows == sorted(({"buyer": f"b{i % 4}", "price": "0.5"} for i in range(60) if price(i) == 0.5), key=lambda r: r["buyer"])
    row = aggregate(shop, "@num:[0.5 0.5]", "LOAD", "*", "LIMIT", 0, 1)[0]
    assert {"num", "tag", "vec", "buyer"} == set(row) and row["num"] == "0.5"
    assert aggregate(shop, "*", "LOAD", 1, "@__key", "LIMIT", 0, 1) == [{"__key": "item:0"}]


def test_missing_fields_are_null_in_a_group_and_an_error_in_apply(shop):
    shop.hset("item:none", "buyer", "b9")
    rows = aggregate(shop, "*", "GROUPBY", 1, "@tag", "REDUCE", "COUNT", 0, "AS", "n")
    assert {"tag": None, "n": "1"} in rows
    assert len(aggregate(shop, "*", "FILTER", "@num > -1", "LIMIT", 0, 100)) == 60
    assert len(aggregate(shop, "*", "FILTER", "!exists(@num)")) == 1
    with pytest.raises(redis.ResponseError, match="num: has no value, consider using EXISTS if applicable"):
        aggregate(shop, "*", "APPLY", "@num + 1", "AS", "more")
    rows = aggregate(shop, "*", "APPLY", "case(exists(@num), @num, 0 - 1)", "AS", "p", "SORTBY", 2, "@p", "ASC", "MAX", 1)
    assert rows == [{"p": "-1"}]


def test_redis_py_aggregates(shop):
    ft = shop.ft("idx")
    request = (
        aggregation.AggregateRequest("@num:[10 +inf]")
        .load("@buyer")
        .apply(double="@num * 2")
        .filter("@double > 30")
        .group_by("@buyer", reducers.count().alias("n"), reducers.sum("@double").alias("total"), reducers.tolist("@tag").alias("cities"))
        .sort_by(aggregation.Asc("@buyer"))
        .limit(0, 3)
        .dialect(2)
    )
    rows = ft.aggregate(request).rows
    assert len(rows) == 3
    for row in rows:
        shown = dict(zip(row[::2], row[1::2]))
        doubles = [price(i) * 2 for i in range(60) if f"b{i % 4}" == shown[b"buyer"].decode() and price(i) * 2 > 30]
        assert int(shown[b"n"]) == len(doubles) and float(shown[b"total"]) == sum(doubles)
    first = aggregation.AggregateRequest("*").group_by("@tag", reducers.first_value("@num", aggregation.Desc("@num")).alias("top"))
    tops = {row[1].decode(): float(row[3]) for row in ft.aggregate(first).rows}
    assert tops == {city: max(price(i) for i in range(60) if CITIES[i % 3] == city) for city in CITIES}
    sample = aggregation.AggregateRequest("*").group_by([], reducers.random_sample("@num", 5).alias("some"))
    some = ft.aggregate(sample).rows[0][1]
    assert len(some) == 5 and {float(value) for value in some} <= {price(i) for i in range(60)}


def test_redis_py_reads_a_cursor_to_its_end(shop):
    ft = shop.ft("idx")
    request = aggregation.AggregateRequest("*").load("@__key").cursor(count=25, max_idle=10)
    result = ft.aggregate(request)
    seen = [row[1] for row in result.rows]
    while result.cursor.cid != 0:
        result = ft.aggregate(result.cursor)
        seen += [row[1] for row in result.rows]
    assert sorted(seen) == sorted(f"item:{i}".encode() for i in range(60))


def test_cursors_end_by_del_by_idleness_and_with_their_index(server, shop):
    def open_cursor(*options):
        return shop.execute_command("FT.AGGREGATE", "idx", "*", "LOAD", 1, "@num", "WITHCURSOR", "COUNT", 10, *options)[1]

    def read(cid, *options):
        return shop.execute_command("FT.CURSOR", "READ", "idx", cid, *options)

    cid = open_cursor()
    assert len(read(cid, "COUNT", 3)[0]) == 4
    assert shop.execute_command("FT.CURSOR", "DEL", "idx", cid) == b"OK"
    idle = open_cursor("MAXIDLE", 100)
    time.sleep(2.5)
    kept = open_cursor()
    shop.execute_command("FT.DROPINDEX", "idx")
    create(shop)
    for gone in (cid, idle, kept, 1):
        with pytest.raises(redis.ResponseError, match=f"Cursor not found, id: {gone}"):
            read(gone)
    with pytest.raises(redis.ResponseError, match="Bad cursor ID"):
        read("x")
    with pytest.raises(redis.ResponseError, match="Unknown subcommand"):
        shop.execute_command("FT.CURSOR", "FOO", "idx", 1)


def test_an_index_has_at_most_128_cursors(shop):
    for _ in range(128):
        shop.execute_command("FT.AGGREGATE", "idx", "*", "WITHCURSOR", "COUNT", 1)
    with pytest.raises(redis.ResponseError, match="INDEX_CURSOR_LIMIT of 128 has been reached"):
        shop.execute_command("FT.AGGREGATE", "idx", "*", "WITHCURSOR", "COUNT", 1)


def test_all_cursors_together_take_a_bounded_amount_of_memory(shop):
    def open_cursor():
        words = ("LOAD", 1, "@num", "APPLY", "format('%s', '" + "x" * 1000 + "')", "AS", "long")
        return shop.execute_command("FT.AGGREGATE", "idx", "*", *words, "WITHCURSOR", "COUNT", 10)[1]

    shop.execute_command("FT.CONFIG", "SET", "CURSOR_MAX_BYTES", 200_000)
    cids = [open_cursor(), open_cursor()]  # 60 rows of a KB each
    assert 120_000 < shop.info("ai_ft")["ai_cursor_bytes"] < 200_000
    with pytest.raises(redis.ResponseError, match="together they may take 200000 .CURSOR_MAX_BYTES.: use LIMIT"):
        open_cursor()
    assert len(shop.execute_command("FT.CURSOR", "READ", "idx", cids[0], "COUNT", 1)[0]) == 2
    time.sleep(5.5)
    assert len(shop.execute_command("FT.CURSOR", "READ", "idx", cids[0], "COUNT", 1)[0]) == 2
    new = open_cursor()  # instead of the one that nobody has read
    with pytest.raises(redis.ResponseError, match="Cursor not found"):
        shop.execute_command("FT.CURSOR", "READ", "idx", cids[1])
    for cid in (cids[0], new):
        assert shop.execute_command("FT.CURSOR", "DEL", "idx", cid) == b"OK"
    assert shop.info("ai_ft")["ai_cursor_bytes"] == 0
    shop.execute_command("FT.CONFIG", "SET", "CURSOR_MAX_BYTES", 1000)
    with pytest.raises(redis.ResponseError, match="CURSOR_MAX_BYTES"):
        open_cursor()
    rows = shop.execute_command("FT.AGGREGATE", "idx", "*", "LOAD", 1, "@num", "WITHCURSOR", "COUNT", 1000)
    assert rows[1] == 0, "what needs no cursor is not held to its bound"


def test_transactions_and_scripts_aggregate_in_place(shop):
    pipe = shop.pipeline(transaction=True)
    pipe.hset("item:new", mapping={"tag": "jeju", "buyer": "b7"})
    pipe.execute_command("FT.AGGREGATE", "idx", "@tag:{jeju}", "LOAD", 1, "@buyer")
    assert pipe.execute()[1] == [1, [b"buyer", b"b7"]]
    script = "return redis.call('FT.AGGREGATE', 'idx', '@tag:{jeju}', 'LOAD', 1, '@buyer')"
    assert shop.eval(script, 0) == [1, [b"buyer", b"b7"]]


def test_resp3_has_maps(server, shop):
    with server.client(protocol=3) as client:
        reply = client.execute_command("FT.AGGREGATE", "idx", "*", "SORTBY", 1, "@num", "LIMIT", 0, 1)
        assert reply == {
            b"attributes": [],
            b"total_results": 60,
            b"format": b"STRING",
            b"results": [{b"extra_attributes": {b"num": b"0.5"}, b"values": []}],
            b"warning": [],
        }
        reply, cid = client.execute_command("FT.AGGREGATE", "idx", "*", "LOAD", 1, "@num", "WITHCURSOR", "COUNT", 59)
        assert len(reply[b"results"]) == 59 and cid != 0
        reply, cid = client.execute_command("FT.CURSOR", "READ", "idx", cid)
        assert len(reply[b"results"]) == 1 and cid == 0


def test_a_user_aggregates_only_what_it_may_read(server, client):
    create(client, name="mine", prefix="mine:")
    create(client, prefix="")
    client.hset("mine:1", mapping={"tag": "a", "num": 1})
    client.hset("theirs:1", mapping={"tag": "b", "num": 2})
    client.execute_command("ACL", "SETUSER", "alice", "on", ">pw", "~mine:*", "+ft.aggregate", "+ft.cursor", "+hello")
    with server.client(username="alice", password="pw") as alice:
        assert aggregate(alice, "*", "GROUPBY", 0, "REDUCE", "SUM", 1, "@num", "AS", "s", index="mine") == [{"s": "1"}]
        # Also where nothing that it may not read matches: the answer, of whatever kind, would say so.
        for query in ("*", "@tag:{a}", "@tag:{none}"):
            with pytest.raises(redis.ResponseError, match="user alice may not read every key under the prefixes"):
                aggregate(alice, query, "GROUPBY", 0, "REDUCE", "SUM", 1, "@num")
        cid = client.execute_command("FT.AGGREGATE", "mine", "*", "LOAD", 1, "@num", "WITHCURSOR", "COUNT", 1)[1]
        with pytest.raises(redis.ResponseError, match="Cursor not found"):
            alice.execute_command("FT.CURSOR", "READ", "mine", cid)


def test_a_cursor_is_read_only_by_who_may_still_read_its_index(server, shop):
    shop.execute_command("ACL", "SETUSER", "alice", "on", ">pw", "~item:*", "+ft.aggregate", "+ft.cursor", "+hello")
    with server.client(username="alice", password="pw") as alice:
        cid = alice.execute_command("FT.AGGREGATE", "idx", "*", "WITHCURSOR", "COUNT", 1)[1]
        shop.execute_command("ACL", "SETUSER", "alice", "resetkeys", "~mine:*")
        with pytest.raises(redis.ResponseError, match="may not read every key"):
            alice.execute_command("FT.CURSOR", "READ", "idx", cid)
        assert alice.execute_command("FT.CURSOR", "DEL", "idx", cid) == b"OK"


@pytest.mark.alone
def test_loading_a_hundred_thousand_rows_does_not_hold_the_others_up(server):
    client = server.client()
    create(client)
    for start in range(0, 100_000, 5000):
        pipe = client.pipeline(transaction=False)
        for i in range(start, start + 5000):
            pipe.hset(f"item:{i}", mapping={"num": i, "city": CITIES[i % 3]})
        pipe.execute()
    rows = []

    def run():
        with server.client() as other:
            words = ["*", "LOAD", 1, "@city", "GROUPBY", 1, "@city", "REDUCE", "COUNT", 0, "AS", "n"]
            rows.extend(aggregate(other, *words, "SORTBY", 1, "@city", "TIMEOUT", 0))

    thread = threading.Thread(target=run)
    thread.start()
    pings = []
    while thread.is_alive():
        begin = time.monotonic()
        client.ping()
        pings.append(time.monotonic() - begin)
    thread.join()
    assert rows == [{"city": c, "n": str(33333 + (c == "seoul"))} for c in sorted(CITIES)]
    assert len(pings) > 50
    assert statistics.median(pings) < 0.005
    assert client.info("ai_ft")["ai_longest_load_slice_us"] < 20_000


@pytest.mark.parametrize(
    "words, error",
    [
        ("*~SORTBY~1~@zz", "Property `zz` not loaded nor in schema"),
        ("*~APPLY~@zz~AS~a", "Property `zz` not loaded nor in pipeline"),
        ("*~APPLY~1 +~AS~a", "Syntax error at offset 3 near ''"),
        ("*~GROUPBY~1~@zz", "No such property `zz`"),
        ("*~GROUPBY~1~@tag~REDUCE~NOPE~0", "No such reducer: NOPE"),
        ("@none:{a}", "Unknown field at offset 0 near none"),
        ("*~FOO", "Unknown argument `FOO` at position 1 for <main>"),
    ],
)
def test_errors_are_those_that_clients_know(shop, words, error):
    with pytest.raises(redis.ResponseError) as caught:
        aggregate(shop, *words.split("~"))
    assert error in str(caught.value)
    with pytest.raises(redis.ResponseError, match="none: no such index"):
        aggregate(shop, "*", index="none")
