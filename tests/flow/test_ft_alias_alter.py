"""FT.ALTER, aliases and FT.TAGVALS, by raw commands and by redis-py; over a restart and on a replica."""

import pytest
import redis
from redis.commands.search.field import NumericField, TagField

from ft_help import blob, create, info, keys, knn, wait_scanned
from servers import eventually

pytestmark = pytest.mark.asan


@pytest.fixture
def items(client):
    create(client)
    for i in range(10):
        client.hset(f"item:{i}", mapping={"tag": "Even" if i % 2 == 0 else "odd, Prime", "num": i, "size": i * 2, "vec": blob(i, 0)})
    return client


def test_an_alias_stands_for_its_index(items):
    ft = items.ft("idx")
    assert ft.aliasadd("other") == b"OK"
    assert keys(items, "@tag:{even}", index="other") == keys(items, "@tag:{even}")
    assert info(items, "other")["index_name"] == b"idx"
    assert items.execute_command("FT.AGGREGATE", "other", "@num:[3 3]", "LOAD", 1, "@num") == [1, [b"num", b"3"]]
    assert items.execute_command("FT._LIST") == [b"idx"]
    create(items, name="second", prefix="none:")
    assert items.ft("second").aliasupdate("other") == b"OK"
    assert keys(items, index="other") == set()
    assert ft.aliasdel("other") == b"OK"
    with pytest.raises(redis.ResponseError, match="other: no such index"):
        keys(items, index="other")


def test_an_alias_ends_with_its_index_and_a_name_goes_before_it(items):
    items.execute_command("FT.ALIASADD", "a", "idx")
    create(items, name="a", prefix="none:")
    assert info(items, "a")["index_name"] == b"a"
    items.execute_command("FT.DROPINDEX", "a")
    assert info(items, "a")["index_name"] == b"idx"
    items.execute_command("FT.DROPINDEX", "a")  # through the alias
    assert items.execute_command("FT._LIST") == []
    with pytest.raises(redis.ResponseError, match="Alias does not exist"):
        items.execute_command("FT.ALIASDEL", "a")


@pytest.mark.parametrize(
    "command, error",
    [
        ("FT.ALIASADD a idx", "Alias already exists"),
        ("FT.ALIASADD b none", "Unknown index name (or name is an alias itself)"),
        ("FT.ALIASADD b a", "Unknown index name (or name is an alias itself)"),
        ("FT.ALIASUPDATE b none", "Unknown index name (or name is an alias itself)"),
        ("FT.ALIASDEL none", "Alias does not exist"),
        ("FT.ALIASADD a", "wrong number of arguments"),
        ("FT.ALTER none SCHEMA ADD x TAG", "Unknown index name"),
        ("FT.ALTER idx SCHEMA ADD tag TAG", "Duplicate field in schema - tag"),
        ("FT.ALTER idx FOO ADD x TAG", "ALTER must be followed by SCHEMA"),
        ("FT.ALTER idx SCHEMA DEL x TAG", "Unknown action passed to ALTER SCHEMA"),
        ("FT.ALTER idx SCHEMA ADD x FOO", "Invalid field type for field `x`"),
        ("FT.TAGVALS none tag", "Unknown Index name"),
        ("FT.TAGVALS idx none", "No such field"),
        ("FT.TAGVALS idx num", "Not a tag field"),
    ],
)
def test_errors_are_those_that_clients_know(items, command, error):
    items.execute_command("FT.ALIASADD", "a", "idx")
    with pytest.raises(redis.ResponseError) as caught:
        items.execute_command(*command.split())
    assert error in str(caught.value)


def test_the_forms_that_ask_for_nothing_answer_ok(items):
    for command in (
        "FT._ALIASADDIFNX a idx",
        "FT._ALIASADDIFNX a idx",
        "FT._ALIASDELIFX a",
        "FT._ALIASDELIFX a",
        "FT._CREATEIFNX idx SCHEMA other TAG",
        "FT._CREATEIFNX new SCHEMA other TAG",
        "FT._ALTERIFNX idx SCHEMA ADD tag TAG",
        "FT._ALTERIFNX idx SCHEMA ADD size NUMERIC",
        "FT._DROPINDEXIFX new",
        "FT._DROPINDEXIFX new",
    ):
        assert items.execute_command(*command.split()) == b"OK"
    assert items.execute_command("FT._LIST") == [b"idx"]
    wait_scanned(items)
    assert keys(items, "@size:[4 4]") == {"item:2"}


def test_added_fields_are_found_in_old_and_new_documents(items):
    assert items.ft("idx").alter_schema_add([NumericField("size"), TagField("kind", as_name="k")]) == b"OK"
    items.hset("item:new", mapping={"size": 100, "kind": "box"})
    assert keys(items, "@size:[100 100]") == {"item:new"}
    assert keys(items, "@k:{box}") == {"item:new"}
    wait_scanned(items)
    assert keys(items, "@size:[10 18]") == {f"item:{i}" for i in range(5, 10)}
    assert len(keys(items)) == 11
    reply = knn(items, "@size:[10 18]=>[KNN 1 @vec $b]", blob(0, 0), "NOCONTENT")
    assert reply == [1, b"item:5"]
    items.hset("item:3", "size", "many")  # malformed: the whole document leaves
    assert "item:3" not in keys(items)


def test_a_skipped_scan_leaves_old_documents_as_they_were(items):
    wait_scanned(items)
    items.execute_command("FT.ALTER", "idx", "SKIPINITIALSCAN", "SCHEMA", "ADD", "size", "NUMERIC")
    wait_scanned(items)
    assert keys(items, "@size:[-inf +inf]") == set()
    items.hset("item:1", "other", "x")
    assert keys(items, "@size:[-inf +inf]") == {"item:1"}


def test_fields_are_added_while_many_search(server, items):
    """The change waits its turn between writes that searches put off."""
    pipe = items.pipeline(transaction=False)
    for round_ in range(20):
        pipe.hset(f"item:extra{round_}", mapping={"tag": "x", "size": round_, f"f{round_}": round_})
        pipe.execute_command("FT.ALTER", "idx", "SCHEMA", "ADD", f"f{round_}", "NUMERIC")
        pipe.execute_command("FT.SEARCH", "idx", "@tag:{x}", "NOCONTENT")
    pipe.execute()
    wait_scanned(items)
    for round_ in range(20):
        assert keys(items, f"@f{round_}:[{round_} {round_}]") == {f"item:extra{round_}"}


def test_aliases_and_added_fields_outlive_a_restart(start_server, engine):
    server = start_server(config={"save": "900 1"})
    with server.client() as client:
        create(client)
        client.hset("item:1", mapping={"tag": "a", "size": 7})
        client.execute_command("FT.ALTER", "idx", "SCHEMA", "ADD", "size", "NUMERIC")
        client.execute_command("FT.ALIASADD", "first", "idx")
        client.execute_command("FT.ALIASADD", "second", "idx")
        client.save()
    server.restart()
    with server.client() as client:
        assert keys(client, "@size:[7 7]", index="first") == {"item:1"}
        assert keys(client, "@size:[7 7]", index="second") == {"item:1"}


def test_replicas_follow(start_server, engine):
    primary = start_server()
    with primary.client() as client:
        create(client)
        client.hset("item:1", mapping={"tag": "a", "size": 7})
        replica = start_server(config={"replicaof": f"127.0.0.1 {primary.port}"})
        with replica.client() as follower:
            eventually(lambda: follower.info("replication")["master_link_status"] == "up", timeout=20, what="the replica is linked")
            client.execute_command("FT.ALTER", "idx", "SCHEMA", "ADD", "size", "NUMERIC")
            client.execute_command("FT.ALIASADD", "other", "idx")
            client.wait(1, 5000)
            wait_scanned(follower)
            assert keys(follower, "@size:[7 7]", index="other") == {"item:1"}


@pytest.mark.parametrize("protocol", [2, 3])
def test_tagvals_lists_the_tags(server, items, protocol):
    with server.client(protocol=protocol) as client:
        assert sorted(client.ft("idx").tagvals("tag")) == [b"even", b"odd", b"prime"]
    items.execute_command("ACL", "SETUSER", "alice", "on", ">pw", "~item:1*", "+ft.tagvals")
    items.execute_command("ACL", "SETUSER", "bob", "on", ">pw", "~item:*", "+ft.tagvals")
    with server.client(username="alice", password="pw") as alice:
        with pytest.raises(redis.ResponseError, match="user alice may not read every key"):
            alice.execute_command("FT.TAGVALS", "idx", "tag")
    with server.client(username="bob", password="pw") as bob:
        assert len(bob.execute_command("FT.TAGVALS", "idx", "tag")) == 3
