"""What people paste, over HTTP: logs, INFO, SLOWLOG, Korean files of Windows, and entries that teach a new failure."""

import json

import pytest

INFO_FULL = """# Server
redis_version:7.0.15
uptime_in_seconds:864000
# Memory
used_memory:1073741824
maxmemory:1073741824
maxmemory_policy:noeviction
# Errorstats
errorstat_OOM:count=412
"""

SLOWLOG = """1) 1) (integer) 41
   2) (integer) 1700000000
   3) (integer) 3200451
   4) 1) "SORT"
      2) "queue:big"
   5) "10.0.0.7:51122"
   6) "report"
"""


def analyze(redoubt, text, lang="en", **more):
    return redoubt.api("POST", "/analyze", {"log_text": text, "lang": lang, **more}).ok()


def test_a_pasted_info_is_read_field_by_field(redoubt):
    reply = analyze(redoubt, INFO_FULL)
    assert (reply["category"], reply["severity"], reply["failure_mode"]) == ("memory", "critical", "oom-noeviction")
    assert reply["knowledge"][0]["id"] == "kb-mem-001"
    seen = {e["field"]: e for e in reply["evidence"] if "field" in e}
    assert {"used_memory", "maxmemory", "maxmemory_policy", "errorstat_OOM"} <= set(seen)
    assert seen["used_memory"]["line"] == 5 and reply["context"]["version"] == "7.0.15"


def test_a_pasted_slowlog_names_the_command(redoubt):
    reply = analyze(redoubt, SLOWLOG)
    assert (reply["category"], reply["severity"]) == ("performance", "medium")
    assert any("SORT queue:big" in e.get("value", "") for e in reply["evidence"])


def test_a_stored_analysis_holds_no_password_of_a_pasted_reply(redoubt):
    slowlog = SLOWLOG.replace('1) "SORT"', '1) "AUTH"').replace('"queue:big"', '"hunter2secret"')
    config = '1) "requirepass"\n2) "hunter2secret"\n'
    raw = "requirepass\nhunter2secret\n"
    lines = "HELLO 3 AUTH default hunter2secret SETNAME x\nuser bob on >hunter2secret ~*\nREDISCLI_AUTH=hunter2secret\n"
    metrics = {"used_memory": 1, "pass": "hunter2secret", "encryption_key": "hunter2secret"}
    stored = analyze(redoubt, slowlog + config + raw + lines, metrics=metrics)["id"]
    reply = redoubt.api("GET", f"/analyze/{stored}?debug=1").ok()
    assert "10.0.0.7:51122" in json.dumps(reply["input"]) and "hunter2" not in json.dumps(reply)


def test_each_line_of_a_log_is_quoted_with_its_number_and_time(redoubt):
    log = (
        "redis-1  | 1:M 14 Jun 2023 01:59:00.000 * Ready to accept connections\n"
        "redis-1  | 30:C 14 Jun 2023 02:00:00.000 # Write error saving DB on disk: No space left on device\n"
        "redis-1  | 1:M 14 Jun 2023 02:00:00.100 # Background saving error\n"
    )
    reply = analyze(redoubt, log, lang="ko")
    assert reply["failure_mode"] == "disk-full" and reply["started_at"].startswith("2023-06-14T02:00:00")
    assert [link["failure_mode"] for link in reply["chain"]] == ["disk-full", "rdb-save-failed"]
    lines = log.splitlines()
    for item in reply["evidence"]:
        assert item["text"] in lines[item["line"] - 1]


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_commands_never_destroy_and_risky_ones_carry_their_condition(redoubt, lang):
    for text in (
        "MISCONF Redis is configured to save RDB snapshots",
        "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
        "Bad file format reading the append only file appendonly.aof.1.incr.aof",
        "CLUSTERDOWN Hash slot not served",
    ):
        reply = analyze(redoubt, text, lang)
        assert reply["commands"]
        for command in reply["commands"]:
            for word in ("FLUSHALL", "FLUSHDB", "SHUTDOWN NOSAVE", "CLUSTER RESET"):
                assert word not in command["cmd"]
            if command["risk"] == "data-loss":
                assert "#" in command["cmd"] and command["check_first"]


def test_feature_requests_and_healthy_servers_are_no_incident(redoubt):
    for text in ("Please add support for JSON.MERGE in the client.", "레디스와 멤캐시의 차이가 궁금합니다."):
        reply = analyze(redoubt, text)
        assert (reply["category"], reply["severity"], reply["failure_mode"]) == ("none", "none", "question")
        assert reply["root_cause"] and not reply["commands"]


def test_secrets_are_gone_before_anything_is_stored(redoubt):
    text = "NOAUTH Authentication required at redis://app:t0psecret@10.0.0.1:6379, ask kim@example.com or 010-1234-5678"
    reply = analyze(redoubt, text)
    stored = redoubt.api("GET", f"/analyze/{reply['id']}").ok()
    for secret in ("t0psecret", "kim@example.com", "1234-5678"):
        assert secret not in str(reply) and secret not in str(stored)
    assert "<redacted:password>" in stored["input"]["log_text"]


def test_an_entry_added_as_json_is_recognised_at_once(redoubt):
    text = "FROBNICATE-7 flux capacitor drained on shard 3"
    assert analyze(redoubt, text)["category"] == "none"
    entry = {
        "id": "team-001",
        "category": "performance",
        "severity": "high",
        "title": {"ko": "플럭스 고갈", "en": "Flux drained"},
        "failure_modes": [
            {
                "slug": "flux-drained",
                "category": "performance",
                "severity": "high",
                "headline": {"ko": "플럭스가 고갈되었습니다", "en": "The flux is drained"},
                "root_cause": {"ko": "축전기가 비었습니다.", "en": "The capacitor is empty."},
                "first_action": {"ko": "축전기를 확인하세요.", "en": "Check the capacitor."},
                "next_check": "INFO server",
            }
        ],
        "signals": [{"id": "flux.1", "failure_mode": "flux-drained", "weight": 5, "patterns": ["FROBNICATE-\\d+"]}],
    }
    redoubt.api("POST", "/knowledge", entry).ok(201)
    reply = analyze(redoubt, text)
    assert reply["failure_mode"] == "flux-drained" and reply["knowledge"][0]["id"] == "team-001"
    assert redoubt.api("DELETE", "/knowledge/team-001").status == 204
    assert analyze(redoubt, text)["category"] == "none"


def test_like_incidents_are_found_again(redoubt):
    first = analyze(redoubt, "MISCONF Redis is configured to save RDB snapshots but cannot persist on disk")
    second = analyze(redoubt, "MISCONF again, RDB snapshots cannot be written")
    reply = redoubt.api("GET", f"/search/similar?analysis_id={second['id']}").ok()
    assert first["id"] in str(reply)


def test_secrets_in_metrics_are_neither_stored_nor_returned(redoubt):
    metrics = {
        "requirepass": "open-sesame",
        "config.masterauth": 48151623,
        "contact": "minsu.kim@example.com 010-1234-5678",
        "owner": {"resident": "900101-1234567", "auth_token": "abcdef123456"},
        "aof_last_write_status": "err",
        "maxmemory": 100,
        "used_memory": 100,
        "maxmemory_policy": "noeviction",
    }
    reply = redoubt.api("POST", "/analyze?debug=1", {"log_text": "", "metrics": metrics}).ok()
    stored = redoubt.api("GET", f"/analyze/{reply['id']}?debug=1").ok()
    assert stored["input"]["metrics"]["requirepass"] == "<redacted:password>"
    assert stored["input"]["metrics"]["used_memory"] == 100
    redoubt.terminate()
    everything = json.dumps([reply, stored], ensure_ascii=False) + redoubt.log()
    on_disk = b"".join(path.read_bytes() for path in redoubt.data_dir.rglob("*") if path.is_file())
    for secret in ("open-sesame", "48151623", "minsu.kim", "1234-5678", "1234567", "abcdef123456"):
        assert secret not in everything and secret.encode() not in on_disk, secret
