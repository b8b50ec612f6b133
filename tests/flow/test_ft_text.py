"""TEXT fields: words, phrases, Korean, scores, on real servers."""

import pytest
import redis
from ft_help import IndexDefinition, blob, info, keys
from redis.commands.search.field import NumericField, TagField, TextField, VectorField
from redis.commands.search.query import Query

from servers import eventually

pytestmark = pytest.mark.asan


@pytest.fixture
def articles(client):
    """title (weight 5, sortable) and body, with a tag, a number and a vector."""
    client.ft("idx").create_index(
        [
            TextField("title", weight=5, sortable=True),
            TextField("body"),
            TagField("tag"),
            NumericField("num"),
            VectorField("vec", "FLAT", {"TYPE": "FLOAT32", "DIM": 2, "DISTANCE_METRIC": "L2"}),
        ],
        definition=IndexDefinition(prefix=["doc:"]),
    )
    texts = [
        ("Replicas", "The replica connects to its master and asks for a full synchronisation."),
        ("Persistence", "Snapshots are written by a child. The master forks; the replica does not."),
        ("복제 지연", "복제지연이 길어지면 마스터의 백로그를 늘립니다."),
        ("Eviction", "When memory is full, keys are evicted. Connections stay open."),
    ]
    for i, (title, body) in enumerate(texts):
        client.hset(f"doc:{i}", mapping={"title": title, "body": body, "tag": "even" if i % 2 == 0 else "odd", "num": i, "vec": blob(i, 0)})
    return client


def test_redis_py_searches_words(articles):
    ft = articles.ft("idx")
    result = ft.search(Query("replica").with_scores().dialect(2))
    assert result.total == 2 and {doc.id for doc in result.docs} == {"doc:0", "doc:1"}
    # The title has the same stem and weighs five times as much.
    assert result.docs[0].id == "doc:0" and result.docs[0].score > result.docs[1].score > 0
    assert ft.search(Query("connection").dialect(2)).total == 2
    assert ft.search(Query("connection").verbatim().dialect(2)).total == 0
    assert ft.search(Query("@title:replica").dialect(2)).total == 1
    assert ft.search(Query("replica").limit_fields("title").dialect(2)).total == 1
    assert ft.search(Query("replica").limit_ids("doc:1", "doc:3").dialect(2)).total == 1
    assert ft.search(Query("asks replica").slop(9).in_order().dialect(2)).total == 0
    assert ft.search(Query("replica asks").slop(3).in_order().dialect(2)).total == 1
    assert [doc.id for doc in ft.search(Query("master").sort_by("title", asc=False).dialect(2)).docs] == ["doc:0", "doc:1"]
    assert ft.search(Query("$w").dialect(2), query_params={"w": "evicted"}).total == 1


@pytest.mark.parametrize(
    "query, want",
    [
        ("복제", {"doc:2"}),
        ("제지연", {"doc:2"}),
        ("백로그 마스터", {"doc:2"}),
        ('"full synchronisation"', {"doc:0"}),
        ('"synchronisation full"', set()),
        ("snap*", {"doc:1"}),
        ("*ments", set()),
        ("*nections", {"doc:3"}),
        ("*vict*", {"doc:3"}),
        ("master -child", {"doc:0"}),
        ("-master", {"doc:2", "doc:3"}),
        ("the", set()),
        ("replica @tag:{odd}", {"doc:1"}),
        ("master | @num:[3 3]", {"doc:0", "doc:1", "doc:3"}),
        ("(replica master)=>{$slop: 3; $inorder: true}", {"doc:0"}),
    ],
)
def test_queries_of_words(articles, query, want):
    assert keys(articles, query) == want


def test_words_filter_a_vector_search(articles):
    reply = articles.execute_command(
        "FT.SEARCH", "idx", "(master)=>[KNN 5 @vec $b]", "PARAMS", 2, "b", blob(1, 0), "WITHSCORES", "RETURN", 1, "num", "DIALECT", 2
    )
    assert [reply[0], reply[1], reply[2], reply[4], reply[5]] == [2, b"doc:1", b"0", b"doc:0", b"0"]


def test_resp3_scores_are_numbers(articles, server):
    with server.client(protocol=3) as client:
        reply = client.execute_command("FT.SEARCH", "idx", "evicted", "WITHSCORES", "NOCONTENT")
    found = reply[b"results"][0]
    assert found[b"id"] == b"doc:3" and isinstance(found[b"score"], float) and found[b"score"] > 0


def test_words_follow_changes_and_go_with_their_documents(articles):
    articles.hset("doc:0", "title", "Followers")
    assert keys(articles, "@title:replicas") == set()
    assert keys(articles, "follower") == {"doc:0"}
    articles.hdel("doc:0", "body")
    assert keys(articles, "synchronisation") == set()
    articles.rename("doc:3", "other:3")
    assert keys(articles, "evicted") == set()
    assert int(info(articles)["num_terms"]) > 0
    for i in range(3):
        articles.delete(f"doc:{i}")
    described = info(articles)
    assert int(described["num_terms"]) == 0 and int(described["num_records"]) == 0


def test_info_describes_text_fields(articles):
    attributes = {a[3]: a for a in info(articles)["attributes"]}
    title = attributes[b"title"]
    assert title[:6] == [b"identifier", b"title", b"attribute", b"title", b"type", b"TEXT"]
    assert title[title.index(b"WEIGHT") + 1] == b"5" and b"SORTABLE" in title
    assert float(info(articles)["inverted_sz_mb"]) > 0


def test_text_definitions_survive_a_restart(server, client):
    client.execute_command(
        "FT.CREATE", "i", "PREFIX", 1, "d:", "LANGUAGE", "German", "STOPWORDS", 1, "und",
        "SCHEMA", "t", "TEXT", "WEIGHT", 2, "INDEXMISSING", "INDEXEMPTY", "u", "TEXT", "NOSTEM", "SORTABLE",
    )  # fmt: skip
    client.hset("d:1", mapping={"t": "Häuser und Bäume", "u": "the end"})
    client.hset("d:2", mapping={"t": ""})
    client.hset("d:3", mapping={"u": "x"})
    client.execute_command("SAVE")
    server.restart("nosave")
    client = server.client()
    assert eventually(lambda: keys(client, "*", "i") == {"d:1", "d:2", "d:3"}, timeout=10, what="the keys are indexed")
    assert keys(client, "haus baum", "i") == {"d:1"}
    assert keys(client, "und", "i") == set()
    assert keys(client, "the", "i") == {"d:1"}
    assert keys(client, "ismissing(@t)", "i") == {"d:3"}
    assert keys(client, '@t:""', "i") == {"d:2"}
    assert info(client, "i")["stopwords_list"] == [b"und"]


@pytest.mark.parametrize(
    "query, error",
    [
        (["%fuzzy%"], r"Fuzzy matching \(%word%\) is not part of this version"),
        (["word", "HIGHLIGHT"], "HIGHLIGHT in FT.SEARCH is not part of this version"),
        (["word", "SCORER", "TFIDF"], "SCORER TFIDF is not part of this version: use BM25STD"),
        (["word", "SORTBY", "body"], "SORTBY needs the TEXT field `body` to be SORTABLE"),
        (["@num:word"], "Expected a TEXT field at offset 1 near num"),
        (['"open'], "Syntax error at offset 0"),
        (["a*"], "at least 2 letters"),
        (["ismissing(@body)"], "'ismissing' requires field 'body' to be defined with 'INDEXMISSING'"),
    ],
)
def test_what_is_refused_says_why(articles, query, error):
    with pytest.raises(redis.ResponseError, match=error):
        articles.execute_command("FT.SEARCH", "idx", *query, "DIALECT", 2)
