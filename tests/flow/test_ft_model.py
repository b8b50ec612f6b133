"""FT.* against a model of a few lines of Python: whatever is done to the keys, a search answers what the model says."""

import dataclasses

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from ft_help import blob, info
from servers import eventually

DIM = 3
TAGS = ["a", "b", "c"]
WORDS = ["apple", "plum", "pear"]
NAMES = st.integers(0, 11).map(lambda i: f"d:{i}")

# ---- the model ----

SMALL = st.integers(-4, 4)
DOCUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "v": st.lists(SMALL, min_size=DIM, max_size=DIM).map(tuple),
        "n": SMALL,
        "g": st.sets(st.sampled_from(TAGS), min_size=1).map(frozenset),
        "t": st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(tuple),
    },
)


def as_hash(document):
    """The fields of the hash."""
    written = {"other": "1"}
    if "v" in document:
        written["v"] = blob(*document["v"])
    if "n" in document:
        written["n"] = document["n"]
    if "g" in document:
        written["g"] = ",".join(sorted(document["g"]))
    if "t" in document:
        written["t"] = " ".join(document["t"])
    return written


@dataclasses.dataclass(frozen=True)
class Filter:
    """A query's text and what it means."""

    text: str
    holds: object

    def __repr__(self):
        return self.text


def tag_filter(tags):
    return Filter(f"@g:{{{'|'.join(sorted(tags))}}}", lambda d: bool(tags & d.get("g", frozenset())))


def number_filter(ends):
    low, high = sorted(ends)
    return Filter(f"@n:[{low} {high}]", lambda d: "n" in d and low <= d["n"] <= high)


def word_filter(word):
    return Filter(f"@t:{word}", lambda d: word in d.get("t", ()))


def near_filter(vector):
    distance = lambda d: sum((a - b) ** 2 for a, b in zip(vector, d["v"]))  # noqa: E731
    return Filter("@v:[VECTOR_RANGE 12 $range]", lambda d: "v" in d and distance(d) <= 12)


def combine(children):
    both = st.tuples(children, children)
    return st.one_of(
        children.map(lambda f: Filter(f"-({f.text})", lambda d: not f.holds(d))),
        both.map(lambda p: Filter(f"({p[0].text} {p[1].text})", lambda d: p[0].holds(d) and p[1].holds(d))),
        both.map(lambda p: Filter(f"({p[0].text} | {p[1].text})", lambda d: p[0].holds(d) or p[1].holds(d))),
    )


RANGE_CENTRE = (1, 0, -1)
FILTERS = st.recursive(
    st.one_of(
        st.sets(st.sampled_from(TAGS), min_size=1).map(tag_filter),
        st.tuples(SMALL, SMALL).map(number_filter),
        st.sampled_from(WORDS).map(word_filter),
        st.just(near_filter(RANGE_CENTRE)),
    ),
    combine,
    max_leaves=5,
)
OPERATIONS = st.one_of(
    st.tuples(st.just("write"), NAMES, DOCUMENTS),
    st.tuples(st.just("add"), NAMES, DOCUMENTS),
    st.tuples(st.just("delete"), NAMES),
    st.tuples(st.just("expire"), NAMES),
    st.tuples(st.just("rename"), NAMES, NAMES),
    st.tuples(st.just("copy"), NAMES, NAMES),
    st.tuples(st.just("forget"), NAMES, st.sampled_from("vngt")),
    st.tuples(st.just("break"), NAMES),
    st.tuples(st.just("mend"), NAMES),
    st.tuples(st.just("replace"), NAMES),
)


class Model:
    """The keys as they should be: name -> document; `broken` documents have a vector of the wrong length."""

    def __init__(self, client):
        self.client = client
        self.documents = {}
        self.broken = set()

    def apply(self, operation):
        getattr(self, operation[0])(*operation[1:])

    def write(self, name, document):
        self.client.delete(name)
        self.client.hset(name, mapping=as_hash(document))
        self.documents[name] = dict(document)
        self.broken.discard(name)

    def add(self, name, document):
        self.client.hset(name, mapping=as_hash(document))
        self.documents[name] = {**self.documents.get(name, {}), **document}
        if "v" in document:
            self.broken.discard(name)

    def delete(self, name):
        self.client.delete(name)
        self.documents.pop(name, None)
        self.broken.discard(name)

    def expire(self, name):
        self.client.pexpire(name, 1)
        eventually(lambda: not self.client.exists(name), interval=0.001)
        self.delete(name)

    def rename(self, name, other):
        if name not in self.documents or name == other:
            return
        self.client.rename(name, other)
        self.documents[other] = self.documents.pop(name)
        self.broken.discard(other)
        if name in self.broken:
            self.broken.remove(name)
            self.broken.add(other)

    def copy(self, name, other):
        if name not in self.documents or name == other:
            return
        self.client.copy(name, other, replace=True)
        self.documents[other] = dict(self.documents[name])
        self.broken.discard(other)
        if name in self.broken:
            self.broken.add(other)

    def forget(self, name, field):
        self.client.hdel(name, field)
        if name in self.documents:
            self.documents[name].pop(field, None)
            if field == "v":
                self.broken.discard(name)

    def break_(self, name):
        if name in self.documents:
            self.client.hset(name, "v", b"short")
            self.documents[name].pop("v", None)
            self.broken.add(name)

    def mend(self, name):
        if name in self.documents:
            self.client.hset(name, "v", blob(1, 1, 1))
            self.documents[name]["v"] = (1, 1, 1)
            self.broken.discard(name)

    def replace(self, name):
        """Another type of value takes the key."""
        self.client.set(name, "text")
        self.documents.pop(name, None)
        self.broken.discard(name)
        self.client.delete(name)

    def matching(self, condition):
        return {n: d for n, d in self.documents.items() if n not in self.broken and condition.holds(d)}

    def check(self, condition, query, k):
        found = self.search(condition.text, "NOCONTENT", "LIMIT", 0, 100)
        expected = self.matching(condition)
        assert {key.decode() for key in found[1:]} == set(expected) and found[0] == len(expected)
        text = f"({condition.text})=>[KNN {k} @v $q AS far]"
        found = self.search(text, "RETURN", 1, "far", "LIMIT", 0, 100, query=query)
        distances = sorted(sum((a - b) ** 2 for a, b in zip(query, d["v"])) for d in expected.values() if "v" in d)
        assert [float(fields[1]) for fields in found[2::2]] == distances[:k]
        assert {key.decode() for key in found[1::2]} <= set(expected)

    def search(self, text, *options, query=(0, 0, 0)):
        values = ("PARAMS", 4, "q", blob(*query), "range", blob(*RANGE_CENTRE))
        return self.client.execute_command("FT.SEARCH", "idx", text, *options, *values, "TIMEOUT", 0, "DIALECT", 2)


setattr(Model, "break", Model.break_)


def make_index(client, algorithm="FLAT"):
    vector = ("v", "VECTOR", algorithm, 6, "TYPE", "FLOAT32", "DIM", DIM, "DISTANCE_METRIC", "L2")
    schema = (*vector, "n", "NUMERIC", "g", "TAG", "t", "TEXT")
    client.execute_command("FT.CREATE", "idx", "PREFIX", 1, "d:", "SCHEMA", *schema)


PROPERTY = settings(
    max_examples=60,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.mark.parametrize("algorithm", ["FLAT", "HNSW"])
def test_every_search_answers_what_the_model_says(client, algorithm):
    @PROPERTY
    @given(
        st.lists(OPERATIONS, min_size=5, max_size=40),
        st.lists(st.tuples(FILTERS, st.tuples(SMALL, SMALL, SMALL), st.integers(1, 12)), min_size=3, max_size=6),
    )
    def holds(operations, checks):
        client.flushall()
        make_index(client, algorithm)
        model = Model(client)
        for i, operation in enumerate(operations):
            model.apply(operation)
            condition, query, k = checks[i % len(checks)]
            if i % 8 == 7:
                model.check(condition, query, k)
        for condition, query, k in checks:
            model.check(condition, query, k)
        assert int(info(client)["num_docs"]) == len(model.documents) - len(model.broken)

    holds()


@pytest.mark.parametrize("algorithm", ["FLAT", "HNSW"])
def test_a_restart_changes_no_answer(server, algorithm):
    @settings(PROPERTY, max_examples=4)
    @given(
        st.lists(OPERATIONS, min_size=20, max_size=40),
        st.lists(st.tuples(FILTERS, st.tuples(SMALL, SMALL, SMALL), st.integers(1, 12)), min_size=5, max_size=5),
    )
    def holds(operations, checks):
        with server.client() as client:
            client.flushall()
            make_index(client, algorithm)
            model = Model(client)
            for operation in operations:
                model.apply(operation)
            client.save()
        server.restart("kill9")
        with server.client() as client:
            model.client = client
            for condition, query, k in checks:
                model.check(condition, query, k)

    holds()


# ---- graphs of some size ----

COUNT, WIDE, CLUSTERS = 4000, 24, 20
SELECTIVITIES = [0.0001, 0.001, 0.01, 0.05, 0.1, 0.3, 0.6, 1.0]


class Crowd:
    """COUNT vectors in clusters; `share` is uniform in 0..1, `cluster` a tag."""

    def __init__(self, client):
        self.client = client
        self.rng = np.random.default_rng(3)
        self.centres = self.rng.standard_normal((CLUSTERS, WIDE)).astype(np.float32)
        self.cluster = np.arange(COUNT) % CLUSTERS
        self.share = self.rng.permutation(COUNT) / COUNT
        self.vectors = np.empty((COUNT, WIDE), np.float32)
        vector = ("v", "VECTOR", "HNSW", 6, "TYPE", "FLOAT32", "DIM", WIDE, "DISTANCE_METRIC", "L2")
        client.execute_command("FT.CREATE", "idx", "PREFIX", 1, "d:", "SCHEMA", *vector, "s", "NUMERIC", "c", "TAG")
        self.write(range(COUNT))

    def sample(self, clusters):
        noise = self.rng.standard_normal((len(clusters), WIDE)).astype(np.float32)
        return self.centres[clusters] + np.float32(0.6) * noise

    def write(self, numbers):
        numbers = list(numbers)
        self.vectors[numbers] = self.sample(self.cluster[numbers])
        pipe = self.client.pipeline(transaction=False)
        for i in numbers:
            mapping = {"v": self.vectors[i].tobytes(), "s": repr(float(self.share[i])), "c": f"c{self.cluster[i]}"}
            pipe.hset(f"d:{i}", mapping=mapping)
        pipe.execute()

    def wait_linked(self):
        eventually(lambda: int(info(self.client)["staged_vectors"]) == 0, timeout=60)

    def recall(self, text, matches, queries=25, k=10, clusters=None):
        """Mean share of the k nearest that are found; always k results if k match."""
        chosen = np.flatnonzero(matches)
        right = wanted = 0
        for number in range(queries):
            query = self.sample(np.array([number % CLUSTERS if clusters is None else clusters]))[0]
            distances = ((self.vectors[chosen] - query) ** 2).sum(1)
            nearest = set(chosen[np.argsort(distances, kind="stable")[:k]].tolist())
            reply = self.client.execute_command(
                "FT.SEARCH", "idx", f"({text})=>[KNN {k} @v $q EF_RUNTIME 40]", "PARAMS", 2, "q", query.tobytes(),
                "NOCONTENT", "LIMIT", 0, k, "TIMEOUT", 0, "DIALECT", 2,
            )  # fmt: skip
            found = {int(key[2:]) for key in reply[1:]}
            assert len(found) == len(nearest) == min(k, len(chosen)), f"{text}: {len(found)} results"
            right += len(found & nearest)
            wanted += len(nearest)
        return right / max(wanted, 1)


@pytest.fixture
def crowd(client):
    crowd = Crowd(client)
    crowd.wait_linked()
    return crowd


def test_recall_holds_at_every_selectivity(crowd):
    for share in SELECTIVITIES:
        matches = crowd.share < max(share, 1 / COUNT)
        assert crowd.recall(f"@s:[-inf ({max(share, 1 / COUNT)!r}]", matches) >= 0.95, share


def test_recall_holds_where_the_filter_excludes_the_nearest_clusters(crowd):
    for excluded in range(0, CLUSTERS, 4):
        assert crowd.recall(f"-@c:{{c{excluded}}}", crowd.cluster != excluded, 10, clusters=excluded) >= 0.95
        other = (excluded + 7) % CLUSTERS
        assert crowd.recall(f"@c:{{c{other}}}", crowd.cluster == other, 10, clusters=excluded) >= 0.95
        few = (crowd.cluster == other) & (crowd.share < 0.1)
        assert crowd.recall(f"@c:{{c{other}}} @s:[-inf (0.1]", few, 10, clusters=excluded) >= 0.95


def test_ten_turnovers_cost_no_recall(crowd):
    everything = np.ones(COUNT, bool)
    before = crowd.recall("*", everything, 100)
    for turnover in range(10):
        numbers = crowd.rng.permutation(COUNT)
        for begin in range(0, COUNT, 500):
            part = numbers[begin : begin + 500]
            if turnover % 2:
                crowd.client.delete(*[f"d:{i}" for i in part])
            crowd.write(part)
        crowd.wait_linked()
    assert crowd.recall("*", everything, 100) > before - 0.005
    assert crowd.recall("@s:[-inf (0.1]", crowd.share < 0.1) >= 0.95


def test_equal_vectors_are_all_found(crowd):
    """More of them than a node of the graph has links, a few of which match."""
    twin = crowd.sample(np.array([3]))[0]
    pipe = crowd.client.pipeline(transaction=False)
    for i in range(500):
        mapping = {"v": twin.tobytes(), "s": 2, "c": "few" if i % 50 == 0 else "twin"}
        pipe.hset(f"d:{COUNT + i}", mapping=mapping)
    pipe.execute()
    crowd.wait_linked()

    def found(text, k):
        reply = crowd.client.execute_command(
            "FT.SEARCH", "idx", f"({text})=>[KNN {k} @v $q]", "PARAMS", 2, "q", twin.tobytes(), "NOCONTENT",
            "LIMIT", 0, k, "TIMEOUT", 0, "DIALECT", 2,
        )  # fmt: skip
        return sum(int(key[2:]) >= COUNT for key in reply[1:])

    assert found("*", 300) == 300
    assert found("@c:{few} | @s:[0 1]", 10) == 10
    assert found("@c:{few} | @s:[0 0.1]", 10) == 10
