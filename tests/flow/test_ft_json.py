"""FT.* over JSON documents."""

import json
from typing import List

import numpy as np
import pytest
import redis
from langchain_core.embeddings import Embeddings
from langchain_redis import RedisConfig, RedisVectorStore
from redis.commands.search.field import NumericField, TagField, TextField, VectorField
from redis.commands.search.query import Query
from redis_om import EmbeddedJsonModel, Field, JsonModel, Migrator
from redisvl.extensions.router import Route, SemanticRouter
from redisvl.index import SearchIndex
from redisvl.query import CountQuery, VectorQuery
from redisvl.query.filter import Tag
from redisvl.utils.vectorize import CustomVectorizer

from ft_help import IndexDefinition, IndexType, blob, info
from ft_json import json_server  # noqa: F401
from servers import eventually

ITEMS = {
    "doc:1": {"name": "red apple", "kind": "fruit", "tags": ["red", "sweet"], "price": 3, "at": {"v": [1, 0]}},
    "doc:2": {"name": "green pear, large", "kind": "fruit", "tags": ["green"], "price": 5.5, "at": {"v": [0, 1]}},
    "doc:3": {"name": "blue car", "kind": "car, old", "tags": [], "price": 900, "at": {"v": [5, 5]}, "new": True},
    "doc:4": {"name": None, "kind": "thing"},
}


@pytest.fixture(params=["FLAT", "HNSW"])
def items(request, json_server):
    with json_server.client(decode_responses=True) as client:
        client.json().set("doc:1", "$", ITEMS["doc:1"])  # one that the background scan finds
        client.ft("idx").create_index(
            [
                TextField("$.name", as_name="name"),
                TagField("$.kind", as_name="kind", separator=";"),  # redis-py sends "," where none is named
                TagField("$.tags[*]", as_name="tags"),
                TagField("$.new", as_name="new"),
                NumericField("$.price", as_name="price", sortable=True),
                VectorField(
                    "$.at.v", request.param, {"TYPE": "FLOAT32", "DIM": 2, "DISTANCE_METRIC": "L2"}, as_name="vec"
                ),
            ],
            definition=IndexDefinition(prefix=["doc:"], index_type=IndexType.JSON),
        )
        for key, document in list(ITEMS.items())[1:]:
            client.json().set(key, "$", document)
        eventually(lambda: int(client.ft("idx").info()["num_docs"]) == 4)
        yield client


def ids(client, query, params=None):
    return {doc.id for doc in client.ft("idx").search(query, query_params=params).docs}


def test_without_a_json_module_the_refusal_says_what_to_do(client):
    with pytest.raises(redis.ResponseError, match="load RedisJSON or valkey-json first, or .* use ON HASH"):
        client.execute_command("FT.CREATE", "idx", "ON", "JSON", "SCHEMA", "$.a", "AS", "a", "TAG")
    assert client.execute_command("FT._LIST") == []


def test_values_of_each_kind_are_found(items):
    assert ids(items, "apple") == {"doc:1"}
    assert ids(items, "@kind:{fruit}") == {"doc:1", "doc:2"}
    assert ids(items, Query("@kind:{car\\, old}").dialect(2)) == {"doc:3"}
    assert ids(items, "@tags:{sweet}") == {"doc:1"} and ids(items, "@tags:{green | red}") == {"doc:1", "doc:2"}
    assert ids(items, "@new:{true}") == {"doc:3"}
    assert ids(items, "@price:[5 6]") == {"doc:2"}
    assert [doc.id for doc in items.ft("idx").search(Query("@price:[0 inf]").sort_by("price", asc=False)).docs] == [
        "doc:3",
        "doc:2",
        "doc:1",
    ]


def test_nearest_vectors(items):
    query = Query("(@kind:{fruit})=>[KNN 2 @vec $v AS far]").sort_by("far").return_fields("far", "name").dialect(2)
    found = items.ft("idx").search(query, {"v": blob(1, 0.5)}).docs
    assert [(doc.id, float(doc.far), doc.name) for doc in found] == [
        ("doc:1", 0.25, "red apple"),
        ("doc:2", 1.25, "green pear, large"),
    ]
    near = Query("@vec:[VECTOR_RANGE 1 $v]").no_content().dialect(2)
    assert ids(items, near, {"v": blob(5, 5)}) == {"doc:3"}


def test_replies_show_the_document_or_paths_of_it(items):
    (whole,) = items.ft("idx").search("apple").docs
    assert json.loads(whole.json) == ITEMS["doc:1"]
    reply = items.execute_command("FT.SEARCH", "idx", "apple", "RETURN", 7, "$.at", "price", "$.tags[1]", "AS", "second",
                                  "$.none", "$")  # fmt: skip
    assert reply[2][:6] == ["$.at", '{"v":[1,0]}', "price", "3", "second", "sweet"]
    assert reply[2][6] == "$" and json.loads(reply[2][7]) == ITEMS["doc:1"] and len(reply[2]) == 8
    rows = items.execute_command("FT.AGGREGATE", "idx", "@price:[0 inf]", "LOAD", 2, "$.name", "@kind", "SORTBY", 2,
                                 "@price", "ASC", "LIMIT", 0, 1)  # fmt: skip
    row = dict(zip(rows[1][::2], rows[1][1::2]))
    assert (row["$.name"], row["kind"], row["price"]) == ("red apple", "fruit", "3")
    grouped = items.execute_command("FT.AGGREGATE", "idx", "*", "GROUPBY", 1, "@kind", "REDUCE", "COUNT", 0, "AS", "n")
    assert {row[1]: row[3] for row in grouped[1:]} == {"fruit": "2", "car, old": "1", "thing": "1"}


def test_the_index_follows_the_documents(items):
    items.json().set("doc:1", "$.price", 7)
    assert ids(items, "@price:[7 7]") == {"doc:1"}
    items.json().numincrby("doc:1", "$.price", 1)
    items.json().arrappend("doc:1", "$.tags", "new")
    assert ids(items, "@price:[8 8] @tags:{new}") == {"doc:1"}
    items.json().delete("doc:1", "$.tags")
    assert ids(items, "@tags:{new}") == set()
    items.json().mset([("doc:5", "$", {"kind": "fruit"}), ("other:1", "$", {"kind": "fruit"})])
    assert ids(items, "@kind:{fruit}") == {"doc:1", "doc:2", "doc:5"}
    items.rename("doc:5", "doc:6")
    items.copy("doc:6", "doc:7")
    items.delete("doc:1")
    items.hset("doc:8", "kind", "fruit")  # a hash is no JSON document
    assert ids(items, "@kind:{fruit}") == {"doc:2", "doc:6", "doc:7"}
    items.set("doc:2", "a string now")
    assert ids(items, "@kind:{fruit}") == {"doc:6", "doc:7"}
    items.pexpire("doc:6", 1)
    eventually(lambda: ids(items, "@kind:{fruit}") == {"doc:7"})


def test_a_malformed_value_leaves_the_document_out_and_is_counted(items):
    for number, change in enumerate([{"at": {"v": [1]}}, {"at": {"v": ["x", 1]}}, {"price": "3"}, {"price": [1, "2"]}]):
        items.json().set("doc:9", "$", {"kind": "bad", **change})
        assert ids(items, "@kind:{bad}") == set(), change
        assert int(items.ft("idx").info()["hash_indexing_failures"]) == number + 1
    items.json().set("doc:9", "$", {"kind": "bad", "price": None, "at": None})
    assert ids(items, "@kind:{bad}") == {"doc:9"}


def test_arrays_of_numbers_and_texts(json_server):
    with json_server.client(decode_responses=True) as client:
        schema = "$.n AS n NUMERIC SORTABLE $.items[*].price AS price NUMERIC $.t AS t TEXT"
        client.execute_command("FT.CREATE", "idx", "ON", "JSON", "PREFIX", 1, "d:", "SCHEMA", *schema.split())
        client.json().set("d:1", "$", {"n": [90, 5], "items": [{"price": 1}, {"price": 20}]})
        client.json().set("d:1", "$.t", ["red apple", "green pear"])
        client.json().set("d:2", "$", {"n": [40, None, 60.5], "items": [{"price": 7}, {}], "t": "apple green"})
        client.json().set("d:3", "$", {"n": 10, "items": [], "t": []})
        for _ in range(2):
            assert ids(client, "@n:[5 10]") == {"d:1", "d:3"}
            assert ids(client, Query("@n>=60").dialect(2)) == {"d:1", "d:2"}
            assert ids(client, "@n:[41 60]") == set()
            assert ids(client, "@price:[6 8] | @price:[20 20]") == {"d:1", "d:2"}
            assert ids(client, "apple green") == {"d:1", "d:2"} and ids(client, '"apple green"') == {"d:2"}
            by_first = client.ft("idx").search(Query("*").sort_by("n")).docs
            assert [doc.id for doc in by_first] == ["d:3", "d:2", "d:1"]
            client.save()
            json_server.restart()
            eventually(lambda: int(client.ft("idx").info()["num_docs"]) == 3)
        client.json().arrpop("d:1", "$.n")
        client.json().delete("d:2", "$.n")
        assert ids(client, "@n:[5 10]") == {"d:3"} and ids(client, "@n:[-inf inf]") == {"d:1", "d:3"}


def test_restarts_keep_index_and_documents(json_server):
    with json_server.client() as client:
        vector = ("VECTOR", "HNSW", 6, "TYPE", "FLOAT32", "DIM", 2, "DISTANCE_METRIC", "L2")
        schema = ("$.n", "AS", "n", "NUMERIC", "$.v", "AS", "v", *vector)
        client.execute_command("FT.CREATE", "idx", "ON", "JSON", "PREFIX", 1, "d:", "SCHEMA", *schema)
        for i in range(50):
            client.json().set(f"d:{i}", "$", {"n": i, "v": [i, 0]})
        client.save()
    json_server.restart()
    with json_server.client() as client:
        definition = info(client)["index_definition"]
        assert definition[definition.index(b"key_type") + 1] == b"JSON"
        eventually(lambda: int(info(client)["num_docs"]) == 50)
        search = ("FT.SEARCH", "idx", "(@n:[10 inf])=>[KNN 3 @v $b]", "PARAMS", 2, "b", blob(10.2, 0), "NOCONTENT")
        assert client.execute_command(*search, "DIALECT", 2) == [3, b"d:10", b"d:11", b"d:12"]


def test_a_text_is_one_tag_unless_a_separator_is_named(json_server):
    with json_server.client() as client:
        schema = ("$.a", "AS", "whole", "TAG", "$.a", "AS", "parts", "TAG", "SEPARATOR", ",")
        client.execute_command("FT.CREATE", "idx", "ON", "JSON", "SCHEMA", *schema)
        client.json().set("d", "$", {"a": "x, y"})
        assert set(client.execute_command("FT.TAGVALS", "idx", "whole")) == {b"x, y"}
        assert set(client.execute_command("FT.TAGVALS", "idx", "parts")) == {b"x", b"y"}


@pytest.mark.parametrize("kind", ["float32", "float64", "float16", "bfloat16", "int8", "uint8"])
def test_vectors_of_every_type(json_server, kind):
    with json_server.client() as client:
        schema = {
            "index": {"name": "people", "prefix": "p", "storage_type": "json"},
            "fields": [
                {"name": "job", "type": "tag", "path": "$.job"},
                {
                    "name": "face",
                    "type": "vector",
                    "path": "$.face",
                    "attrs": {"dims": 4, "algorithm": "hnsw", "datatype": kind, "distance_metric": "l2"},
                },
            ],
        }
        index = SearchIndex.from_dict(schema, redis_client=client)
        index.create()
        whole = np.random.default_rng(1).integers(0, 100, (30, 4))
        index.load([{"id": str(i), "job": f"j{i % 3}", "face": row.tolist()} for i, row in enumerate(whole)], "id")
        found = index.query(VectorQuery(whole[4].tolist(), "face", ["job"], dtype=kind, num_results=3))
        expected = np.argsort(((whole - whole[4]) ** 2).sum(1), kind="stable")[:3]
        assert [int(person["id"].split(":")[1]) for person in found] == expected.tolist()
        assert index.query(CountQuery(Tag("job") == "j1")) == 10
        again = SearchIndex.from_existing("people", redis_client=client)
        assert again.schema.index.storage_type.value == "json" and set(again.schema.fields) == {"job", "face"}


def test_redisvl_routers(json_server):
    words = ["hello", "hi there", "goodbye", "see you later", "xqz"]
    vectorizer = CustomVectorizer(embed=lambda text: np.eye(5)[words.index(text) if text in words else 4].tolist())
    with json_server.client() as client:
        router = SemanticRouter(
            name="topics",
            routes=[
                Route(name="greeting", references=words[:2], distance_threshold=0.2),
                Route(name="farewell", references=words[2:4], distance_threshold=0.2),
            ],
            vectorizer=vectorizer,
            redis_client=client,
            overwrite=True,
        )
        assert router("hello").name == "greeting" and router("see you later").name == "farewell"
        assert router("xqz").name is None
        assert router.route_many("goodbye", max_k=2)[0].name == "farewell"
        router.delete()


class OneHot(Embeddings):
    """A dimension for each word that is known."""

    def __init__(self, words):
        self.words = words

    def embed_query(self, text):
        known = [float(word == text) for word in self.words]
        return known if any(known) else [1.0] * len(known)

    def embed_documents(self, texts):
        return [self.embed_query(text) for text in texts]


def test_langchain_over_json(json_server):
    with json_server.client() as client:
        config = RedisConfig(
            index_name="texts",
            redis_client=client,
            storage_type="json",
            metadata_schema=[{"name": "kind", "type": "tag"}],
        )
        words = ["apple", "pear", "car"]
        embeddings = OneHot(words)
        metadatas = [{"kind": "fruit"}, {"kind": "fruit"}, {"kind": "thing"}]
        store = RedisVectorStore.from_texts(words, embeddings, metadatas=metadatas, config=config)
        assert [d.page_content for d in store.similarity_search("car", k=1)] == ["car"]
        fruit = store.similarity_search_with_score("car", k=3, filter=Tag("kind") == "fruit")
        assert {d.page_content for d, _ in fruit} == {"apple", "pear"}
        assert [score for _, score in fruit] == pytest.approx([1, 1])


def test_redis_om_json_models(json_server):
    with json_server.client(decode_responses=True) as client:

        class Town(EmbeddedJsonModel, index=True):
            name: str = Field(index=True)

            class Meta:
                database = client
                embedded = True

        class Person(JsonModel, index=True):
            name: str = Field(index=True)
            age: int = Field(index=True, sortable=True)
            town: Town
            skills: List[str] = Field(index=True)

            class Meta:
                database = client
                global_key_prefix = "om"

        Migrator(conn=client).run()
        for name, age, town, skills in (("Ann", 30, "Seoul", ["tea", "go"]), ("Bob", 40, "Busan", ["go"])):
            Person(name=name, age=age, town=Town(name=town), skills=skills).save()
        assert Person.find(Person.town.name == "Busan").first().name == "Bob"
        assert {p.name for p in Person.find(Person.skills << ["go"]).all()} == {"Ann", "Bob"}
        assert [p.name for p in Person.find(Person.age > 20).sort_by("-age").all()] == ["Bob", "Ann"]
