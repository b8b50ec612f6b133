"""Knowledge search finds the right entry for questions that no entry was written for, in both languages.

The questions belong to ten entries; the base holds many more, some of which answer a question as well, so the bounds
look at the first three hits. Measured with 87 entries (docs/adr/0004-embedding.md): among the first three 57 and 58 of
60, first 48 and 44.
"""

import json

import pytest
from servers import ROOT, eventually

QUESTIONS = json.loads((ROOT / "tests" / "data" / "retrieval_questions.json").read_text())


@pytest.fixture
def searching(redoubt):
    """A redoubt whose entries have their vectors."""

    def has_vectors():
        reply = redoubt.api("POST", "/search", {"query": "memory", "lang": "en"}).ok()
        return reply["embedding_model"]

    eventually(has_vectors, timeout=60, what="search by meaning")
    return redoubt


def first_entries(redoubt, question):
    results = redoubt.api("POST", "/search", {"query": question["question"], "lang": question["lang"], "limit": 3}).ok()
    return [hit["id"] for hit in results["results"]]


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_right_entry_is_among_the_first_three_for_nine_of_ten_questions(searching, lang):
    questions = [q for q in QUESTIONS if q["lang"] == lang]
    found = [(q, first_entries(searching, q)) for q in questions]
    missed = [q for q, ids in found if q["entry"] not in ids]
    first = [q for q, ids in found if ids[:1] == [q["entry"]]]
    assert len(questions) == 60
    assert len(missed) <= 6, "\n".join(f"{q['entry']}: {q['question']}" for q in missed)
    assert len(first) >= 40


def test_scores_fall_and_stay_within_0_and_1(searching):
    for question in QUESTIONS[::12]:
        results = searching.api("POST", "/search", {"query": question["question"]}).ok()["results"]
        scores = [hit["score"] for hit in results]
        assert scores == sorted(scores, reverse=True)
        assert all(0 <= score <= 1 for score in scores)
