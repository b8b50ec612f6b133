"""FT.CREATE's FILTER, SCORE_FIELD, TEMPORARY and INDEXALL, FT.CONFIG's MINPREFIX and MAXEXPANSIONS, a graph's plan in
FT.PROFILE, and TIMEOUT while words are matched."""

import time

import pytest

from ai_models import error_of
from ft_help import blob, info, keys, wait_scanned
from servers import eventually


def found(client, query, *options, index="idx"):
    reply = client.execute_command("FT.SEARCH", index, query, "NOCONTENT", "LIMIT", 0, 1000, *options)
    return [key.decode() for key in reply[1:]]


def test_a_filter_says_which_hashes_are_documents(client):
    client.hset("d:old", mapping={"price": 20, "kind": "book"})
    client.hset("d:cheap", mapping={"price": 2, "kind": "book"})
    client.execute_command(
        "FT.CREATE", "idx", "PREFIX", 1, "d:", "FILTER", "@cost > 10 && @kind == 'book' && @__key != 'd:not'",
        "SCHEMA", "price", "AS", "cost", "NUMERIC",
    )  # fmt: skip
    wait_scanned(client)
    client.hset("d:new", mapping={"price": 11, "kind": "book"})
    client.hset("d:not", mapping={"price": 11, "kind": "book"})
    client.hset("d:other", mapping={"price": 30, "kind": "pen"})
    client.hset("d:bare", "kind", "book")
    assert keys(client) == {"d:old", "d:new"}
    client.hset("d:old", "price", 1)
    client.hset("d:bare", "price", 50)
    assert keys(client) == {"d:new", "d:bare"}
    client.hset("d:bare", "kind", "pen")
    assert keys(client) == {"d:new"}
    definition = info(client)["index_definition"]
    assert definition[definition.index(b"filter") + 1].startswith(b"@cost > 10")
    refusal = error_of(client, "FT.CREATE", "bad", "FILTER", "upper(", "SCHEMA", "n", "NUMERIC")
    assert refusal.startswith("Syntax error at offset")


def test_what_ft_create_was_told_outlives_a_restart(start_server, engine):
    server = start_server(config={"save": "3600 1"})
    with server.client() as client:
        client.execute_command(
            "FT.CREATE", "idx", "PREFIX", 1, "d:", "FILTER", "@n > 5", "SCORE_FIELD", "s", "TEMPORARY", 600, "INDEXALL", "ENABLE",
            "SCHEMA", "n", "NUMERIC", "t", "TEXT",
        )  # fmt: skip
        for i in range(10):
            client.hset(f"d:{i}", mapping={"n": i, "t": "word", "s": i / 10})
        wanted = found(client, "word")
        assert wanted == ["d:9", "d:8", "d:7", "d:6"]
    server.restart()
    with server.client() as client:
        assert found(client, "word") == wanted
        client.hset("d:0", "n", 6)
        assert found(client, "word") == [*wanted, "d:0"]


def test_the_score_of_a_document_counts(client):
    client.execute_command("FT.CREATE", "idx", "PREFIX", 1, "d:", "SCORE_FIELD", "rank", "SCHEMA", "t", "TEXT")
    wait_scanned(client)
    for name, rank in (("low", 0.1), ("high", 0.8), ("mid", 0.4)):
        client.hset(f"d:{name}", mapping={"t": "same words", "rank": rank})
    client.hset("d:none", "t", "same words")  # the score of FT.CREATE: 1
    assert found(client, "words") == ["d:none", "d:high", "d:mid", "d:low"]
    client.hset("d:low", "rank", "0.9")
    assert found(client, "words") == ["d:none", "d:low", "d:high", "d:mid"]
    reply = client.execute_command("FT.SEARCH", "idx", "words", "NOCONTENT", "WITHSCORES", "SCORER", "DOCSCORE")
    assert [float(score) for score in reply[2::2]] == pytest.approx([1, 0.9, 0.8, 0.4], rel=1e-6)


def test_a_temporary_index_goes_when_nobody_uses_it_and_its_documents_stay(start_server, engine):
    server = start_server()
    replica = start_server(config={"replicaof": f"127.0.0.1 {server.port}"})
    with server.client() as client, replica.client() as follower:
        eventually(lambda: follower.info("replication")["master_link_status"] == "up", what="the replica is in sync")
        client.execute_command("FT.CREATE", "idx", "PREFIX", 1, "d:", "TEMPORARY", 2, "SCHEMA", "n", "NUMERIC")
        client.hset("d:1", "n", 1)
        begin = time.monotonic()
        while time.monotonic() - begin < 4:
            assert client.execute_command("FT.SEARCH", "idx", "*", "NOCONTENT") == [1, b"d:1"]
            time.sleep(0.3)
        eventually(lambda: follower.execute_command("FT._LIST") == [b"idx"], what="the replica has the index")
        eventually(lambda: client.execute_command("FT._LIST") == [], timeout=10, what="the index is gone")
        assert client.hget("d:1", "n") == b"1"
        eventually(lambda: follower.execute_command("FT._LIST") == [], what="the replica's index is gone")


def test_parts_of_words_keep_to_the_configuration(client):
    client.execute_command("FT.CREATE", "idx", "PREFIX", 1, "d:", "SCHEMA", "t", "TEXT")
    wait_scanned(client)
    for i in range(50):
        client.hset(f"d:{i}", "t", f"part{i:03}")
    assert len(found(client, "part*")) == 50
    client.execute_command("FT.CONFIG", "SET", "MAXEXPANSIONS", 10)
    assert sorted(found(client, "part*")) == sorted(f"d:{i}" for i in range(10))
    assert "at least 2 letters" in error_of(client, "FT.SEARCH", "idx", "p*")
    client.execute_command("FT.CONFIG", "SET", "MINPREFIX", 1)
    assert len(found(client, "p*")) == 10
    client.execute_command("FT.CONFIG", "SET", "MINPREFIX", 5)
    assert "at least 5 letters" in error_of(client, "FT.SEARCH", "idx", "part*")
    rows = client.execute_command("FT.AGGREGATE", "idx", "part0*", "GROUPBY", 0, "REDUCE", "COUNT", 0, "AS", "c")
    assert rows[1] == [b"c", b"10"]
    assert error_of(client, "FT.CONFIG", "SET", "MAXEXPANSIONS", 0) == "Value is outside acceptable bounds"


def test_a_profile_shows_how_a_graph_was_searched(client):
    client.execute_command(
        "FT.CREATE", "idx", "PREFIX", 1, "d:", "SCHEMA", "n", "NUMERIC", "v", "VECTOR", "HNSW", 6, "TYPE", "FLOAT32", "DIM", 2,
        "DISTANCE_METRIC", "L2",
    )  # fmt: skip
    pipe = client.pipeline(transaction=False)
    for i in range(2000):
        pipe.hset(f"d:{i}", mapping={"n": i, "v": blob(i % 50, i // 50)})
    pipe.execute()
    eventually(lambda: info(client)["indexing"] == 0, timeout=30, what="the graph is built")

    def plan(query):
        reply = client.execute_command("FT.PROFILE", "idx", "SEARCH", "QUERY", query, "PARAMS", 2, "b", blob(25, 20), "DIALECT", 2)
        parts = {part[0]: part[1:] for part in reply[1]}
        iterator = parts[b"Iterators profile"][0]
        return iterator[iterator.index(b"Vector search mode") + 1].decode()

    whole = plan("*=>[KNN 10 @v $b]")
    assert whole.startswith("walk of the graph: ") and "for 2000 of 2000 documents, 20 candidates to measure exactly" in whole
    distances = int(whole.split(": ")[1].split()[0])
    assert 20 <= distances < 2000
    few = plan("@n:[0 19]=>[KNN 10 @v $b]")
    assert few.startswith("scan of the codes of documents that pass the filter: ") and "for 20 of 2000 documents" in few


def test_the_time_limit_holds_while_words_are_matched(server, client):
    client.execute_command("FT.CREATE", "idx", "PREFIX", 1, "d:", "SCHEMA", "t", "TEXT", "NOSTEM")
    wait_scanned(client)
    script = """for i = ARGV[1], ARGV[1] + 4999 do
      redis.call('HSET', 'd:' .. i, 't', 'alpha beta gamma alpha beta gamma delta w' .. i)
    end"""
    for begin in range(0, 100_000, 5000):
        client.eval(script, 0, begin)
    assert client.execute_command("FT.SEARCH", "idx", "alpha", "LIMIT", 0, 0, "TIMEOUT", 0) == [100_000]
    query = "|".join(f'"gamma alpha delta"=>{{$slop: {slop}; $inorder: false}}' for slop in range(40))
    with server.client(protocol=3) as modern:
        begin = time.monotonic()
        reply = modern.execute_command("FT.SEARCH", "idx", f"({query})", "NOCONTENT", "LIMIT", 0, 1, "TIMEOUT", 20, "DIALECT", 2)
        assert time.monotonic() - begin < 2
        assert reply[b"warning"] == [b"Timeout limit was reached"]
