"""Knowledge entries with texts in one language or both: the API, its document and the files' schema agree."""

import json

import jsonschema_rs
import pytest

from servers import ROOT

BASE = {"category": "memory", "severity": "high", "title": {"ko": "제목", "en": "Title"}}


def entry(number, **fields):
    return {"id": f"text-{number:03}", **BASE, **fields}


ACCEPTED = [
    entry(1, title="제목"),
    entry(2, title={"ko": "제목"}, symptoms=[{"ko": "느립니다"}]),
    entry(3, title={"en": "Title"}, solutions=["Restart it.", {"en": "Wait."}]),
    entry(4, symptoms=[{"ko": "느립니다", "en": ""}]),
    entry(5, symptoms=["가" * 8192], tags=["t" * 300], prevention=["p"] * 400),
    entry(18, category="none", severity="none"),
]
REFUSED = [
    entry(6, title=""),
    entry(7, title={"ko": ""}),
    entry(8, title={"ko": "", "en": ""}),
    entry(9, symptoms=[""]),
    entry(10, category="weather"),
    entry(11, title={}),
    entry(12, title={"fr": "Titre"}),
    entry(13, title={"ko": "제목", "fr": "Titre"}),
    entry(14, title={"ko": 1}),
    entry(15, symptoms=["가" * 8193]),
    entry(16, prevention=["p"] * 401),
    entry(17, colour="red"),
    entry(19, title="  "),
    entry(20, symptoms=[{"ko": " ", "en": "\n"}]),
]


@pytest.fixture
def schemas(redoubt):
    document = redoubt.http("GET", "/openapi.json").ok()
    in_api = {"$ref": "#/components/schemas/EntryInput", "components": document["components"]}
    in_files = json.loads((ROOT / "knowledge/schema/entry.schema.json").read_text())
    return [jsonschema_rs.validator_for(schema) for schema in (in_api, in_files)]


def test_code_document_and_schema_take_and_refuse_the_same(redoubt, schemas):
    for body in ACCEPTED:
        assert all(schema.is_valid(body) for schema in schemas), body["id"]
        redoubt.api("POST", "/knowledge", body).ok(201)
        redoubt.api("PUT", f"/knowledge/{body['id']}", body).ok()
    for body in REFUSED:
        assert not any(schema.is_valid(body) for schema in schemas), body["id"]
        redoubt.api("POST", "/knowledge", body).error(400, "invalid_argument")
        redoubt.api("PUT", "/knowledge/text-001", {**body, "id": "text-001"}).error(400, "invalid_argument")


def test_one_language_stands_for_the_other_and_the_answer_says_so(redoubt):
    body = entry(1, title={"ko": "제목"}, symptoms=[{"ko": "느립니다"}])
    made = redoubt.api("POST", "/knowledge", body).ok(201)
    assert made["languages"] == ["ko"] and made["title"] == {"ko": "제목", "en": "제목"}
    assert redoubt.api("GET", "/knowledge/text-001?lang=en").ok()["symptoms"] == ["느립니다"]
    exported = redoubt.api("GET", "/knowledge/export").ok()["entries"]
    assert next(e for e in exported if e["id"] == "text-001")["title"] == {"ko": "제목"}

    redoubt.restart("kill9")
    body["title"]["en"] = "Title"
    body["symptoms"][0]["en"] = "It is slow."
    assert redoubt.api("GET", "/knowledge/text-001").ok()["languages"] == ["ko"]
    assert redoubt.api("PUT", "/knowledge/text-001", body).ok()["languages"] == ["ko", "en"]
    assert redoubt.api("GET", "/knowledge/text-001?lang=en").ok()["symptoms"] == ["It is slow."]
    assert redoubt.api("GET", "/knowledge/kb-mem-001").ok()["languages"] == ["ko", "en"]


def test_an_editor_gets_each_text_as_it_was_written(redoubt):
    texts = {"title": {"ko": "제목", "en": "Title"}, "symptoms": [{"en": "slow"}, {"ko": "멈춤"}, {"ko": "가", "en": "a"}]}
    redoubt.api("POST", "/knowledge", entry(1, **texts)).ok(201)
    assert redoubt.api("GET", "/knowledge/text-001").ok()["symptoms"][0] == {"ko": "slow", "en": "slow"}
    written = redoubt.api("GET", "/knowledge/text-001?as=written").ok()
    assert {key: written[key] for key in texts} == texts and written["source"] == "user"
    redoubt.api("PUT", "/knowledge/text-001", written).ok()
    assert redoubt.api("GET", "/knowledge/text-001?as=written").ok()["symptoms"] == texts["symptoms"]
    redoubt.api("GET", "/knowledge/text-001?as=spoken").error(400, "invalid_argument")


def test_an_entry_in_one_language_stays_in_it_when_it_is_sent_back(redoubt):
    body = entry(1, title={"ko": "제목"}, symptoms=[{"ko": "느립니다"}])
    redoubt.api("POST", "/knowledge", body).ok(201)
    for lang in ("", "?lang=ko"):
        shown = redoubt.api("GET", f"/knowledge/text-001{lang}").ok()
        assert redoubt.api("PUT", "/knowledge/text-001", shown).ok()["languages"] == ["ko"]
    assert redoubt.api("GET", "/knowledge/text-001?as=written").ok()["title"] == {"ko": "제목"}


def test_an_entry_read_in_one_language_keeps_the_other(redoubt):
    before = redoubt.api("GET", "/knowledge/kb-mem-001").ok()
    shown = redoubt.api("GET", "/knowledge/kb-mem-001?lang=en").ok()
    for query in ("", "?lang=en"):
        error = redoubt.api("PUT", f"/knowledge/kb-mem-001{query}", shown).error(400, "invalid_argument")
        assert "title" in error["message"]
    assert redoubt.api("GET", "/knowledge/kb-mem-001").ok() == before


def test_importing_an_export_changes_nothing(redoubt):
    exported = redoubt.api("GET", "/knowledge/export").ok()["entries"]
    reply = redoubt.api("POST", "/knowledge/bulk-import", {"entries": exported, "on_conflict": "overwrite"}).ok()
    assert (reply["skipped"], reply["updated"], reply["failed"]) == (len(exported), 0, 0)
    assert redoubt.api("GET", "/knowledge?source=edited").ok()["total"] == 0


def test_what_was_shown_can_be_sent_back(redoubt, schemas):
    shown = redoubt.api("GET", "/knowledge/kb-mem-002").ok()
    assert all(schema.is_valid(shown) for schema in schemas)
    assert redoubt.api("PUT", "/knowledge/kb-mem-002", shown).ok()["solutions"] == shown["solutions"]
