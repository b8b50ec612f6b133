"""FT.* through redis-py's own search commands, as an application calls them, in both protocols."""

import warnings

import numpy as np
import pytest
import redis
from redis.commands.search import reducers
from redis.commands.search.aggregation import AggregateRequest, Asc, Desc
from redis.commands.search.field import NumericField, TagField, TextField, VectorField
from redis.commands.search.query import GeoFilter, NumericFilter, Query
from redis.commands.search.suggestion import Suggestion

from ft_help import IndexDefinition, IndexType, blob, wait_scanned
from servers import eventually

BOOKS = [
    ("dune", "The spice must flow through the desert", "sf", 1965, (1, 0)),
    ("emma", "A novel of manners and match making", "classic", 1815, (0, 1)),
    ("solaris", "The ocean thinks, and the desert of space", "sf,classic", 1961, (1, 1)),
    ("gut", "Microbes and us", "science", 2014, (-1, 0)),
]


@pytest.fixture(params=[2, 3], ids=["resp2", "resp3"])
def books(request, server):
    """redis-py's handle of an index over four books."""
    with server.client(protocol=request.param, decode_responses=False) as client:
        handle = client.ft("books")
        made = handle.create_index(
            [
                TextField("blurb", weight=2.0, sortable=True),
                TagField("shelf", separator=","),
                NumericField("year", sortable=True),
                VectorField("vec", "HNSW", {"TYPE": "FLOAT32", "DIM": 2, "DISTANCE_METRIC": "L2", "M": 8}),
            ],
            definition=IndexDefinition(prefix=["book:"], index_type=IndexType.HASH),
        )
        assert made in ("OK", b"OK")
        for name, blurb, shelf, year, vec in BOOKS:
            client.hset(f"book:{name}", mapping={"blurb": blurb, "shelf": shelf, "year": year, "vec": blob(*vec)})
        handle.resp3 = request.param == 3
        yield handle


def documents(books, result):
    """[(id, {field: text})] of a Result of RESP2 or a map of RESP3."""
    if books.resp3:
        return [
            (row[b"id"].decode(), {k.decode(): v for k, v in row.get(b"extra_attributes", {}).items()})
            for row in result[b"results"]
        ]
    return [
        (doc.id, {k: v for k, v in doc.__dict__.items() if k not in ("id", "payload", "score")}) for doc in result.docs
    ]


def ids(books, *args, **kwargs):
    return [name.removeprefix("book:") for name, _ in documents(books, books.search(*args, **kwargs))]


def total(books, result):
    return result[b"total_results"] if books.resp3 else result.total


def rows(books, result):
    """An aggregation's rows as dictionaries of text."""
    text = lambda value: value.decode() if isinstance(value, bytes) else value  # noqa: E731
    if books.resp3:
        found = result[0] if isinstance(result, list) else result
        return [{text(k): text(v) for k, v in row[b"extra_attributes"].items()} for row in found[b"results"]]
    return [{text(row[i]): text(row[i + 1]) for i in range(0, len(row), 2)} for row in result.rows]


@pytest.mark.asan
def test_words_tags_numbers_and_order(books):
    assert ids(books, "desert") == ["solaris", "dune"]  # the shorter text first
    assert set(ids(books, "@shelf:{sf}")) == {"dune", "solaris"}
    assert ids(books, Query("@year:[1900 2000]").sort_by("year")) == ["solaris", "dune"]
    assert ids(books, Query("*").sort_by("year", asc=False).paging(1, 2)) == ["dune", "solaris"]
    assert ids(books, Query("@shelf:{classic}").add_filter(NumericFilter("year", 1900, NumericFilter.INF))) == [
        "solaris"
    ]
    assert set(ids(books, Query("desert").limit_fields("blurb").no_stopwords().verbatim())) == {"dune", "solaris"}
    assert ids(books, Query("*").limit_ids("book:emma", "book:none")) == ["emma"]
    assert ids(books, Query("the spice").in_order().slop(0).language("english").timeout(500)) == ["dune"]
    assert total(books, books.search(Query("*").paging(0, 0))) == 4


@pytest.mark.asan
def test_nearest_vectors_with_a_filter_in_a_parameter(books):
    query = (
        Query("(@shelf:{$shelf})=>[KNN $k @vec $v AS far]")
        .sort_by("far")
        .return_fields("far", "year")
        .paging(0, 5)
        .dialect(2)
    )
    result = books.search(query, {"v": blob(1, 0.1), "k": 5, "shelf": "sf"})
    assert total(books, result) == 2
    found = documents(books, result)
    assert [name for name, _ in found] == ["book:dune", "book:solaris"]
    assert float(found[0][1]["far"]) == pytest.approx(0.01) and int(found[0][1]["year"]) == 1965


def test_vector_ranges(books):
    query = Query("@vec:[VECTOR_RANGE $r $v]=>{$YIELD_DISTANCE_AS: far}").sort_by("far").return_field("far").dialect(2)
    assert ids(books, query, {"v": blob(1, 0), "r": 1.5}) == ["dune", "solaris"]


def test_content_scores_and_sort_keys(books):
    bare = books.search(Query("desert").no_content())
    assert documents(books, bare) == [("book:solaris", {}), ("book:dune", {})]
    scored = books.search(Query("desert").with_scores().scorer("BM25STD"))
    if books.resp3:
        scores = [row[b"score"] for row in scored[b"results"]]
    else:
        scores = [doc.score for doc in scored.docs]
    assert all(float(score) > 0 for score in scores) and scores == sorted(scores, reverse=True)


def test_return_fields_can_be_renamed_and_kept_as_bytes(books):
    query = Query("@shelf:{science}").return_field("year", as_field="printed").return_field("vec", decode_field=False)
    found = documents(books, books.search(query))
    assert found[0][0] == "book:gut" and int(found[0][1]["printed"]) == 2014
    assert np.frombuffer(found[0][1]["vec"], np.float32).tolist() == [-1, 0]


@pytest.mark.asan
def test_aggregations(books):
    request = (
        AggregateRequest("*")
        .group_by("@shelf", reducers.count().alias("n"), reducers.avg("@year").alias("mean"))
        .apply(decade="floor(@mean / 10)")
        .filter("@n >= 1")
        .sort_by(Desc("@mean"))
        .limit(0, 2)
    )
    assert rows(books, books.aggregate(request)) == [
        {"shelf": "science", "n": "1", "mean": "2014", "decade": "201"},
        {"shelf": "sf", "n": "1", "mean": "1965", "decade": "196"},
    ]
    loaded = AggregateRequest("@year:[1900 2000]").load("@__key", "@year").sort_by(Asc("@year")).dialect(2)
    assert [row["__key"] for row in rows(books, books.aggregate(loaded))] == ["book:solaris", "book:dune"]


def test_every_reducer(books):
    request = AggregateRequest("*").group_by(
        [],
        reducers.count_distinct("@shelf").alias("distinct"),
        reducers.count_distinctish("@shelf").alias("distinctish"),
        reducers.sum("@year").alias("sum"),
        reducers.min("@year").alias("min"),
        reducers.max("@year").alias("max"),
        reducers.stddev("@year").alias("stddev"),
        reducers.quantile("@year", 0.5).alias("median"),
        reducers.first_value("@shelf", Asc("@year")).alias("first"),
        reducers.tolist("@year").alias("years"),
        reducers.random_sample("@year", 2).alias("sample"),
    )
    (row,) = rows(books, books.aggregate(request))
    assert (row["distinct"], row["distinctish"], row["sum"]) == ("4", "4", "7755")
    assert (row["min"], row["max"], row["first"]) == ("1815", "2014", "classic")
    assert {int(year) for year in row["years"]} == {1965, 1815, 1961, 2014} and len(row["sample"]) == 2
    assert 1815 <= float(row["median"]) <= 2014 and float(row["stddev"]) == pytest.approx(
        np.std([1965, 1815, 1961, 2014], ddof=1)
    )


@pytest.mark.asan
def test_cursors(books):
    request = AggregateRequest("*").load("@__key").sort_by(Asc("@year"), max=10).cursor(count=3)
    first = books.aggregate(request)
    assert len(rows(books, first)) == 3
    if books.resp3:
        rest = books.client.execute_command("FT.CURSOR", "READ", "books", first[1])
        assert rest[1] == 0
    else:
        rest = books.aggregate(first.cursor)
        assert rest.cursor.cid == 0
    assert [row["__key"] for row in rows(books, rest)] == ["book:gut"]


def test_explain_and_profile(books):
    plan = books.explain(Query("@shelf:{sf} @year:[1900 2000]").dialect(2))
    assert b"TAG:@shelf" in plan or "TAG:@shelf" in plan
    profiled = books.profile(Query("desert"))
    if books.resp3:
        assert profiled.info
    else:
        result, profile = profiled
        assert result.total == 2 and profile.info
    aggregated = books.profile(AggregateRequest("*").group_by("@shelf", reducers.count()), limited=True)
    assert aggregated.info if books.resp3 else len(aggregated[0].rows) == 4


@pytest.mark.asan
def test_info(books):
    wait_scanned_info = eventually(lambda: (i := books.info()) and int(value(i, "indexing")) == 0 and i)
    assert value(wait_scanned_info, "index_name") in ("books", b"books")
    assert int(value(wait_scanned_info, "num_docs")) == 4
    assert len(value(wait_scanned_info, "attributes")) == 4


def value(info, name):
    return info[name] if name in info else info[name.encode()]


@pytest.mark.asan
def test_aliases_and_new_fields(books):
    assert books.aliasadd("shelf") in ("OK", b"OK", True)
    other = books.client.ft("shelf")
    other.resp3 = books.resp3
    assert ids(other, "@year:[2000 inf]") == ["gut"]
    with pytest.raises(redis.ResponseError, match="Alias already exists"):
        books.aliasadd("shelf")
    assert books.aliasupdate("shelf") in ("OK", b"OK", True)
    assert books.aliasdel("shelf") in ("OK", b"OK", True)
    with pytest.raises(redis.ResponseError, match="Alias does not exist"):
        books.aliasdel("shelf")
    books.client.hset("book:gut", "pages", 288)
    assert books.alter_schema_add([NumericField("pages")]) in ("OK", b"OK", True)
    eventually(lambda: ids(books, "@pages:[288 288]") == ["gut"])


def test_tag_values_and_configuration(books):
    assert {v.decode() for v in books.tagvals("shelf")} == {"sf", "classic", "science"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # redis-py's own; they are still what users call
        books.config_set("TIMEOUT", "700")
        got = books.config_get("TIMEOUT")
    assert got[b"TIMEOUT"] == b"700"


@pytest.mark.asan
def test_dropping_with_and_without_the_documents(books):
    assert books.dropindex() in ("OK", b"OK", True)
    assert books.client.exists("book:dune") == 1
    with pytest.raises(redis.ResponseError, match="no such index"):
        books.search("*")
    books.create_index(
        [TagField("shelf")], definition=IndexDefinition(prefix=["book:"]), stopwords=[], no_highlight=True
    )
    if not books.resp3:
        wait_scanned(books.client, "books")
    eventually(lambda: set(ids(books, "@shelf:{sf}")) == {"dune", "solaris"})
    books.dropindex(delete_documents=True)
    eventually(lambda: books.client.dbsize() == 0)


def test_all_options_of_create(server):
    with server.client() as client:
        handle = client.ft("all")
        handle.create_index(
            [TextField("t", no_stem=True, withsuffixtrie=True, index_missing=True, index_empty=True), TagField("g")],
            definition=IndexDefinition(
                prefix=["a:", "b:"], language="german", score=0.5, score_field="s", language_field="l"
            ),
            no_term_offsets=True,
            no_field_flags=True,
            no_term_frequencies=True,
            no_highlight=True,
            max_text_fields=True,
            skip_initial_scan=True,
            stopwords=["und"],
        )
        client.hset("b:1", mapping={"t": "eins und zwei"})
        assert handle.search("zwei").total == 1


def test_commands_of_a_pipeline(books):
    pipe = books.client.pipeline(transaction=False)
    handle = pipe.ft("books")
    pipe.hset("book:new", mapping={"shelf": "new", "year": 1})
    handle.search(Query("@shelf:{new}").no_content())
    pipe.delete("book:new")
    handle.search(Query("@shelf:{new}").no_content())
    replies = pipe.execute()
    counts = [r[b"total_results"] if books.resp3 else r[0] for r in replies[1::2]]
    assert counts == [1, 0]


@pytest.mark.parametrize(
    "query",
    [
        Query("desert").highlight(),
        Query("desert").summarize(),
        Query("%desret%").dialect(2),
        Query("*").add_filter(GeoFilter("place", 1, 2, 3)),
    ],
    ids=["highlight", "summarize", "fuzzy", "geo"],
)
def test_options_this_version_has_not_are_refused_by_name(books, query):
    with pytest.raises(redis.ResponseError, match="is not part of this version"):
        books.search(query)


@pytest.mark.parametrize(
    "call",
    [
        lambda h: h.dict_add("d", "word"),
        lambda h: h.dict_del("d", "word"),
        lambda h: h.dict_dump("d"),
        lambda h: h.spellcheck("desret"),
        lambda h: h.sugadd("s", Suggestion("a")),
        lambda h: h.sugget("s", "a"),
        lambda h: h.suglen("s"),
        lambda h: h.sugdel("s", "a"),
        lambda h: h.synupdate("group", False, "a", "b"),
        lambda h: h.syndump(),
    ],
    ids="dict_add dict_del dict_dump spellcheck sugadd sugget suglen sugdel synupdate syndump".split(),
)
def test_what_this_version_has_not_is_refused_by_name(books, call):
    with pytest.raises(redis.ResponseError, match="unknown command 'FT[.][A-Z]+'"):
        call(books)
