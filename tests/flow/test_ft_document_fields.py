"""LANGUAGE_FIELD and PAYLOAD_FIELD: what a document says of itself beside the fields of the index."""

import pytest

from ft_cluster import clients, cluster, shards  # noqa: F401: fixtures
from ft_help import info, keys
from ft_json import json_server  # noqa: F401
from servers import eventually

pytestmark = pytest.mark.asan


def create(client, *options, on="HASH", name="idx", path="t"):
    client.execute_command("FT.CREATE", name, "ON", on, "PREFIX", 1, "d:", *options, "SCHEMA", path, "AS", "t", "TEXT")


def found(client, query, *options):
    return set(client.execute_command("FT.SEARCH", "idx", query, "NOCONTENT", *options)[1:])


def test_documents_have_words_of_their_own_languages(client, server):
    create(client, "LANGUAGE_FIELD", "lang")
    client.hset("d:en", mapping={"t": "walking houses"})
    client.hset("d:de", mapping={"t": "die alten Häuser", "lang": "German"})
    client.hset("d:xx", mapping={"t": "walked", "lang": "klingon"})  # unknown: as if there were none
    for _ in range(2):
        assert found(client, "walks") == {b"d:en", b"d:xx"}
        assert found(client, "Häusern", "LANGUAGE", "german") == {b"d:de"}
        assert found(client, "Häusern") == set()
        definition = info(client)["index_definition"]
        assert definition[definition.index(b"language_field") + 1] == b"lang"
        assert info(client)["hash_indexing_failures"] in (0, b"0")
        client.save()
        server.restart()
        eventually(lambda: len(keys(client)) == 3)
    client.hset("d:de", "lang", "english")
    assert found(client, "Häusern", "LANGUAGE", "german") == set()


def test_a_reply_with_payloads_has_them_behind_the_scores(client):
    create(client, "PAYLOAD_FIELD", "p")
    client.hset("d:1", mapping={"t": "red", "p": b"\x00\xff"})
    client.hset("d:2", mapping={"t": "red blue"})
    search = ("FT.SEARCH", "idx", "red", "WITHPAYLOADS")
    assert client.execute_command(*search, "RETURN", 1, "t") == [2, b"d:1", b"\x00\xff", [b"t", b"red"], b"d:2", None,
                                                                   [b"t", b"red blue"]]  # fmt: skip
    assert client.execute_command(*search, "NOCONTENT") == [2, b"d:1", b"\x00\xff", b"d:2", None]
    with_all = client.execute_command(*search, "NOCONTENT", "WITHSCORES", "WITHSORTKEYS", "LIMIT", 0, 1)
    assert with_all[1] == b"d:1" and float(with_all[2]) > 0 and with_all[3:] == [b"\x00\xff", None]
    definition = info(client)["index_definition"]
    assert definition[definition.index(b"payload_field") + 1] == b"p"


def test_a_resp3_reply_names_the_payload(server):
    with server.client(protocol=3) as client:
        create(client, "PAYLOAD_FIELD", "p")
        client.hset("d:1", mapping={"t": "red", "p": "x"})
        (document,) = client.execute_command("FT.SEARCH", "idx", "red", "WITHPAYLOADS", "NOCONTENT")[b"results"]
        assert document == {b"id": b"d:1", b"payload": b"x", b"values": []}


def test_an_index_without_a_payload_field_has_none(client):
    create(client)
    client.hset("d:1", mapping={"t": "red", "p": "x"})
    assert client.execute_command("FT.SEARCH", "idx", "red", "WITHPAYLOADS", "NOCONTENT") == [1, b"d:1", None]


def test_json_documents_have_a_language_and_a_payload(json_server):
    with json_server.client() as client:
        create(client, "LANGUAGE_FIELD", "$.lang", "PAYLOAD_FIELD", "$.p", on="JSON", path="$.t")
        client.json().set("d:de", "$", {"t": "die alten Häuser", "lang": "german", "p": {"a": 1}})
        client.json().set("d:en", "$", {"t": "walking"})
        assert found(client, "walks") == {b"d:en"}
        reply = client.execute_command("FT.SEARCH", "idx", "Häusern", "LANGUAGE", "german", "WITHPAYLOADS", "NOCONTENT")
        assert reply == [1, b"d:de", b'{"a":1}']
        assert client.execute_command("FT.SEARCH", "idx", "walks", "WITHPAYLOADS", "NOCONTENT") == [1, b"d:en", None]


def test_payloads_come_from_all_shards(clients, cluster):
    create(clients[0], "PAYLOAD_FIELD", "p")
    for i in range(12):
        cluster.hset(f"d:{i}", mapping={"t": "red", **({"p": f"p{i}"} if i % 2 else {})})
    for client in clients:
        for options in (["NOCONTENT"], ["RETURN", 1, "t"]):
            reply = client.execute_command("FT.SEARCH", "idx", "red", "WITHPAYLOADS", "LIMIT", 0, 20, *options)
            width = 2 if options == ["NOCONTENT"] else 3
            payloads = dict(zip(reply[1::width], reply[2::width]))
            assert payloads == {f"d:{i}".encode(): f"p{i}".encode() if i % 2 else None for i in range(12)}
