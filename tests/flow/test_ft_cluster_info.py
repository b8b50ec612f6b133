"""FT.INFO, TAGVALS, EXPLAIN, PROFILE and aliases on a cluster of three shards."""

import pytest

from ai_models import error_of
from ft_cluster import clients, cluster, shards  # noqa: F401: fixtures
from ft_help import blob
from servers import eventually
from test_ft_aggregate import rows_of

SCHEMA = "ON HASH PREFIX 1 d: SCHEMA t TAG n NUMERIC SORTABLE v VECTOR FLAT 6 TYPE FLOAT32 DIM 2 DISTANCE_METRIC L2".split()
TAGGED = [*SCHEMA[:4], "{c}d:", *SCHEMA[5:]]  # on the second shard
DOCUMENTS = 60


@pytest.fixture
def filled(clients, cluster):  # noqa: F811
    clients[0].execute_command("FT.CREATE", "idx", *SCHEMA)
    for i in range(DOCUMENTS):
        cluster.hset(f"d:{i}", mapping={"t": f"tag{i % 20}", "n": i, "v": blob(i, 0)})
    return clients


def info(client, index="idx"):
    reply = client.execute_command("FT.INFO", index)
    return reply if isinstance(reply, dict) else dict(zip(reply[::2], reply[1::2], strict=True))


def test_info_is_of_all_shards_and_names_one_that_is_down(shards, filled, cluster, start_server):  # noqa: F811
    cluster.hset("d:1", "n", "no number")
    cluster.hset("d:2", "n", "none either")
    single = start_server().client()
    single.execute_command("FT.CREATE", "idx", *SCHEMA)
    eventually(lambda: info(single)[b"indexing"] == 0, what="the scan ends")
    for i in range(DOCUMENTS):
        single.hset(f"d:{i}", mapping={"t": f"tag{i % 20}", "n": "x" if i in (1, 2) else i, "v": blob(i, 0)})
    wanted = info(single)
    for client in filled:
        got = eventually(lambda client=client: (told := info(client))[b"indexing"] == 0 and told, what="all is indexed")
        for name in (b"num_docs", b"num_records", b"hash_indexing_failures", b"attributes", b"index_definition"):
            assert got[name] == wanted[name], name
        assert float(got[b"percent_indexed"]) == 1
        assert float(got[b"vector_index_sz_mb"]) > 0
        assert got[b"number_of_shards"] == 3 and got[b"shards_without_answer"] == []
    assert b"number_of_shards" not in wanted
    shards[2].kill9()
    with shards[0].client(protocol=3) as client:
        told = info(client)
        assert 0 < told[b"num_docs"] < DOCUMENTS
        [missing] = told[b"shards_without_answer"]
        assert missing.startswith(b"127.0.0.1:%d: " % shards[2].port)
        assert f"the shard 127.0.0.1:{shards[2].port} did not list its tags" in error_of(client, "FT.TAGVALS", "idx", "t")


def test_tags_are_those_of_any_shard_in_order(filled):
    for client in filled:
        assert client.execute_command("FT.TAGVALS", "idx", "t") == sorted(b"tag%d" % i for i in range(20))
    assert error_of(filled[0], "FT.TAGVALS", "idx", "n") == "Not a tag field"


def test_a_profile_has_a_part_of_every_shard(shards, filled):  # noqa: F811
    search = ("FT.PROFILE", "idx", "SEARCH", "QUERY", "@n:[10 19]", "SORTBY", "n", "NOCONTENT")
    result, profile = filled[1].execute_command(*search)
    assert result == filled[1].execute_command("FT.SEARCH", *search[1:2], *search[4:])
    assert profile[0] == b"Shards" and profile[2] == b"Coordinator"
    assert {part[1] for part in profile[1]} == {b"127.0.0.1:%d" % server.port for server in shards}
    found = 0
    for part in profile[1]:
        parts = {entry[0]: entry[1:] for entry in part[3]}
        [iterators] = parts[b"Iterators profile"]
        found += dict(zip(iterators[::2], iterators[1::2]))[b"Counter"]
    assert found == 10
    with shards[2].client(protocol=3) as client:
        reply = client.execute_command("FT.PROFILE", "idx", "AGGREGATE", "QUERY", "*", "GROUPBY", 0, "REDUCE", "COUNT", 0, "AS", "c")
        assert rows_of(reply[b"Results"]) == [{"c": str(DOCUMENTS)}]
        assert len(reply[b"Profile"][b"Shards"]) == 3
        for part in reply[b"Profile"][b"Shards"]:
            steps = [step[b"Type"] for step in part[b"Profile"][b"Result processors profile"]]
            assert steps == [b"Index", b"Grouper"]
        assert reply[b"Profile"][b"Coordinator"][b"Total time"] > 0


def test_where_no_client_can_wait_each_command_answers_or_says_why(filled):
    client = filled[0]
    for words in (
        ("FT.SEARCH", "idx", "*"),
        ("FT.AGGREGATE", "idx", "*"),
        ("FT.INFO", "idx"),
        ("FT.TAGVALS", "idx", "t"),
        ("FT.PROFILE", "idx", "SEARCH", "QUERY", "*"),
        ("FT.ALTER", "idx", "SCHEMA", "ADD", "x", "TAG"),
        ("FT.ALIASADD", "other", "idx"),
        ("FT.DROPINDEX", "idx"),
    ):
        pipe = client.pipeline()
        pipe.execute_command(*words)
        [refusal] = pipe.execute(raise_on_error=False)
        assert "cannot run in MULTI or in a script" in str(refusal) and "hash tag" in str(refusal), words
        script = "return redis.call(unpack(ARGV))"
        assert "hash tag" in error_of(client, "EVAL", script, 0, *words), words
    pipe = client.pipeline()
    pipe.execute_command("FT.EXPLAIN", "idx", "@n:[1 2]")
    pipe.execute_command("FT.SEARCH", "nope", "*")
    explained, unknown = pipe.execute(raise_on_error=False)
    assert b"@n" in explained and "hash tag" in str(unknown)


def test_an_index_of_one_shard_is_found_by_every_command_from_every_node(shards, clients):  # noqa: F811
    owner = clients[1]
    owner.execute_command("FT.CREATE", "{c}idx", *TAGGED)
    owner.hset("{c}d:1", mapping={"t": "a", "n": 1, "v": blob(1, 0)})
    assert error_of(clients[0], "FT.ALIASADD", "short", "{c}idx").startswith("MOVED ")
    assert owner.execute_command("FT.ALIASADD", "short", "{c}idx") == b"OK"
    assert "use the same tag, or none" in error_of(owner, "FT.ALIASADD", "{a}short", "{c}idx")
    for name in ("{c}idx", "short"):
        for words in (
            ("FT.SEARCH", name, "*", "NOCONTENT"),
            ("FT.AGGREGATE", name, "*"),
            ("FT.INFO", name),
            ("FT.TAGVALS", name, "t"),
            ("FT.EXPLAIN", name, "*"),
            ("FT.PROFILE", name, "SEARCH", "QUERY", "*"),
            ("FT.ALTER", name, "SCHEMA", "ADD", f"x{len(name)}", "TAG"),
        ):
            for other in (clients[0], clients[2]):
                moved = error_of(other, *words)
                assert moved.startswith("MOVED ") and moved.endswith(f":{shards[1].port}"), words
            owner.execute_command(*words)
    assert owner.execute_command("FT.SEARCH", "short", "*", "NOCONTENT") == [1, b"{c}d:1"]
    assert b"number_of_shards" not in info(owner, "short")
    pipe = owner.pipeline()
    pipe.execute_command("FT.AGGREGATE", "short", "*", "GROUPBY", 0, "REDUCE", "COUNT", 0, "AS", "c")
    assert rows_of(pipe.execute()[0]) == [{"c": "1"}]
    assert clients[0].execute_command("FT.ALIASDEL", "short") == b"OK"
    for client in clients:
        assert error_of(client, "FT.SEARCH", "short", "*") == "short: no such index"
        assert error_of(client, "FT.INFO", "short") == "Unknown index name"


def test_errors_of_several_shards_have_the_code_words_too(filled):
    for client in filled:
        client.execute_command("CONFIG", "SET", "ai.ft-error-codes", "yes")
    assert error_of(filled[0], "FT.CREATE", "idx", *SCHEMA) == "SEARCH_INDEX_EXISTS Index already exists"
    assert error_of(filled[1], "FT.DROPINDEX", "nope") == "SEARCH_INDEX_NOT_FOUND Unknown Index name"
    assert error_of(filled[2], "FT.SEARCH", "nope", "*") == "SEARCH_INDEX_NOT_FOUND nope: no such index"
    assert error_of(filled[2], "FT.AGGREGATE", "idx", "*", "SORTBY", 1, "@zz").startswith("SEARCH_PROP_NOT_FOUND ")
    assert filled[0].execute_command("FT.DROPINDEX", "idx") == b"OK"


def test_a_shard_that_gets_the_index_again_gets_its_aliases_too(shards, filled):  # noqa: F811
    filled[0].execute_command("FT.ALIASADD", "other", "idx")
    filled[2].execute_command("FLUSHALL")
    info(filled[0])
    eventually(lambda: filled[2].execute_command("FT._LIST") == [b"idx"], what="the shard has the index")
    assert filled[2].execute_command("FT.SEARCH", "other", "*", "LIMIT", 0, 0)[0] > 0
