"""langchain-redis' vector store and redis-om's hash models, unchanged, against the module."""

from typing import Optional

import numpy as np
import pytest
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_redis import RedisConfig, RedisVectorStore
from redis_om import Field, HashModel, Migrator, NotFoundError
from redisvl.query.filter import Num, Tag

from ft_help import info
from servers import eventually

TEXTS = ["red apples", "green apples", "blue whales", "grey whales", "yellow taxis"]


class Letters(Embeddings):
    """A vector that counts the letters of a text and nothing else."""

    def embed_query(self, text):
        counts = np.zeros(26)
        for letter in text.lower():
            if letter.isalpha():
                counts[ord(letter) - ord("a")] += 1
        return (counts / np.linalg.norm(counts)).tolist()

    def embed_documents(self, texts):
        return [self.embed_query(text) for text in texts]


@pytest.fixture(params=["FLAT", "HNSW"])
def store(request, server):
    with server.client() as client:
        config = RedisConfig(
            index_name="texts",
            redis_client=client,
            indexing_algorithm=request.param,
            distance_metric="COSINE",
            metadata_schema=[{"name": "kind", "type": "tag"}, {"name": "page", "type": "numeric"}],
        )
        metadatas = [{"kind": text.split()[1], "page": page} for page, text in enumerate(TEXTS)]
        store = RedisVectorStore.from_texts(
            TEXTS, Letters(), metadatas=metadatas, config=config, keys=[str(i) for i in range(len(TEXTS))]
        )
        eventually(lambda: int(info(client, "texts")["num_docs"]) == len(TEXTS))
        yield store


def contents(documents):
    return [document.page_content for document in documents]


def test_similar_texts_come_first_with_their_metadata(store):
    found = store.similarity_search("green apples", k=2)
    assert contents(found) == ["green apples", "red apples"]
    assert found[0].metadata == {"kind": "apples", "page": 1}
    assert contents(store.similarity_search_by_vector(Letters().embed_query("blue whale"), k=1)) == ["blue whales"]


def test_scores_are_distances(store):
    vectors = np.array(Letters().embed_documents(TEXTS))
    expected = np.sort(1 - vectors @ np.array(Letters().embed_query("taxi yellow")))
    found = store.similarity_search_with_score("taxi yellow", k=5)
    assert [score for _, score in found] == pytest.approx(expected, abs=1e-6)
    within = store.similarity_search("taxi yellow", k=5, distance_threshold=float(expected[1]) - 0.01)
    assert contents(within) == ["yellow taxis"]


def test_filters(store):
    whales = store.similarity_search("apples", k=5, filter=Tag("kind") == "whales")
    assert set(contents(whales)) == {"blue whales", "grey whales"}
    both = store.similarity_search_with_score("apples", k=5, filter=(Tag("kind") == "whales") & (Num("page") > 2))
    assert [document.page_content for document, _ in both] == ["grey whales"]


def test_diverse_texts_first(store):
    found = contents(store.max_marginal_relevance_search("apples", k=3, fetch_k=5, lambda_mult=0.1))
    assert found[0] in ("red apples", "green apples") and not {"red apples", "green apples"} <= set(found)


def test_texts_are_added_fetched_deleted_and_found_from_elsewhere(store):
    added = store.add_documents([Document(page_content="white taxis", metadata={"kind": "taxis", "page": 9})])
    eventually(lambda: contents(store.similarity_search("white taxis", k=1)) == ["white taxis"])
    elsewhere = RedisVectorStore.from_existing_index(
        index_name="texts", embedding=Letters(), redis_client=store.config.redis()
    )
    assert contents(elsewhere.similarity_search("white taxis", k=1)) == ["white taxis"]
    assert contents(store.get_by_ids([added[0].removeprefix("texts:")])) == ["white taxis"]
    assert store.delete([added[0].removeprefix("texts:")])
    eventually(lambda: "white taxis" not in contents(store.similarity_search("white taxis", k=10)))
    retriever = store.as_retriever(search_kwargs={"k": 1})
    assert contents(retriever.invoke("blue whales")) == ["blue whales"]


@pytest.fixture
def customers(server):
    with server.client(decode_responses=True) as client:
        # redis-om asks COMMAND INFO json.set; redis-py cannot read the answer of a server that has no such command.
        client.set_response_callback("COMMAND", lambda reply, **options: reply)

        class Customer(HashModel, index=True):
            name: str = Field(index=True)
            city: str = Field(index=True, sortable=True)
            age: int = Field(index=True, sortable=True)
            about: Optional[str] = Field(index=True, full_text_search=True, default="")

            class Meta:
                database = client
                global_key_prefix = "om"

        Migrator(conn=client).run()
        people = [("Ann", "Seoul", 30, "likes tea"), ("Bob", "Busan", 40, "likes chess"), ("Cat", "Seoul", 50, "sails")]
        for name, city, age, about in people:
            Customer(name=name, city=city, age=age, about=about).save()
        yield Customer


def test_redis_om_finds_sorts_and_pages_hashes(customers):
    find = customers.find
    assert {c.name for c in find(customers.city == "Seoul").all()} == {"Ann", "Cat"}
    assert find((customers.city == "Seoul") & (customers.age > 40)).first().name == "Cat"
    assert {c.name for c in find((customers.age < 35) | (customers.city == "Busan")).all()} == {"Ann", "Bob"}
    assert {c.name for c in find(customers.city != "Seoul").all()} == {"Bob"}
    assert {c.name for c in find(customers.name << ["Ann", "Bob"]).all()} == {"Ann", "Bob"}
    assert [c.name for c in find().sort_by("-age").all()] == ["Cat", "Bob", "Ann"]
    assert find(customers.about % "chess").first().name == "Bob"
    assert find().count() == 3 and len(find().page(offset=1, limit=1)) == 1
    with pytest.raises(NotFoundError):
        find(customers.age == 99).first()


def test_redis_om_changes_and_deletes_what_it_finds(customers):
    ann = customers.find(customers.name == "Ann").first()
    ann.update(city="Jeju")
    assert customers.find(customers.city == "Jeju").first().pk == ann.pk
    customers.delete(ann.pk)
    assert customers.find().count() == 2
    customers.find(customers.city == "Seoul").delete()
    assert [c.name for c in customers.find().all()] == ["Bob"]
