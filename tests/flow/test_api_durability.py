"""kill -9 in the middle of writing loses nothing that was acknowledged."""

import threading
import time

import requests

ENTRY = {
    "category": "memory",
    "severity": "high",
    "title": {"ko": "야간 배치 메모리 급증", "en": "Memory surge of the nightly batch"},
    "symptoms": ["used_memory 급증"],
    "root_causes": ["TTL 없는 임시 키"],
    "diagnosis_steps": ["INFO memory 확인"],
    "solutions": ["임시 키에 TTL을 설정하세요."],
    "prevention": ["배치 코드 점검"],
    "related_metrics": ["used_memory"],
    "tags": ["batch"],
}


def write_until_killed(redoubt, at_least, write):
    """Calls write(i) on two threads and kills the server in the midst of it, once so many were acknowledged; gives the
    values of all that were."""
    acknowledged, stopped = [], threading.Event()

    def loop(offset):
        i = offset
        while not stopped.is_set():
            try:
                value = write(i)
            except requests.RequestException:
                return
            acknowledged.append(value)
            i += 2

    threads = [threading.Thread(target=loop, args=(n,)) for n in range(2)]
    for t in threads:
        t.start()
    deadline = time.monotonic() + 30
    while len(acknowledged) < at_least and time.monotonic() < deadline:
        time.sleep(0.01)
    redoubt.kill9()
    stopped.set()
    for t in threads:
        t.join()
    return acknowledged


def test_no_acknowledged_entry_is_lost(start_redoubt):
    redoubt = start_redoubt()
    for round_number in range(3):
        session = threading.local()

        def write(i, number=round_number, local=session):
            if not hasattr(local, "http"):
                local.http = requests.Session()
            entry = {**ENTRY, "id": f"kb-test-{number}-{i}"}
            reply = local.http.post(redoubt.url + "/api/v1/knowledge", json=entry, timeout=10)
            assert reply.status_code == 201, reply.text
            return reply.json()["id"]

        acknowledged = write_until_killed(redoubt, 10, write)
        assert len(acknowledged) >= 10
        redoubt.start()
        for entry_id in acknowledged:
            redoubt.api("GET", f"/knowledge/{entry_id}").ok()


def test_no_acknowledged_analysis_is_lost(start_redoubt):
    redoubt = start_redoubt()

    def write(i):
        reply = requests.post(
            redoubt.url + "/api/v1/analyze",
            json={"log_text": f"OOM command not allowed when used memory > 'maxmemory' ({i})"},
            timeout=10,
        )
        assert reply.status_code == 200, reply.text
        return reply.json()["id"]

    acknowledged = write_until_killed(redoubt, 30, write)
    assert len(acknowledged) >= 30
    redoubt.start()
    for analysis_id in acknowledged:
        assert redoubt.api("GET", f"/analyze/{analysis_id}").ok()["id"] == analysis_id


def test_edits_and_deletions_outlive_a_kill(start_redoubt):
    redoubt = start_redoubt()
    original = redoubt.api("GET", "/knowledge/kb-mem-002").ok()
    edited = {k: v for k, v in original.items() if k not in ("source", "conflict", "file")}
    edited["title"] = {"ko": "고친 제목", "en": "An edited title"}
    assert redoubt.api("PUT", "/knowledge/kb-mem-002", edited).ok()["source"] == "edited"
    assert redoubt.api("DELETE", "/knowledge/kb-persist-001").status == 204
    redoubt.restart("kill9")
    assert redoubt.api("GET", "/knowledge/kb-mem-002?lang=en").ok()["title"] == "An edited title"
    redoubt.api("GET", "/knowledge/kb-persist-001").error(404)


def test_a_watched_server_and_its_password_outlive_a_kill(start_redoubt, start_server):
    server = start_server(module=False, config={"requirepass": "open-sesame-42"})
    redoubt = start_redoubt()
    body = {"host": "127.0.0.1", "port": server.port, "password": "open-sesame-42", "name": "guarded"}
    redoubt.api("POST", "/monitor/connect", body).ok()
    redoubt.api("POST", "/monitor/start", {"interval": 2}).ok()
    redoubt.restart("kill9")
    deadline = time.monotonic() + 15
    while redoubt.api("GET", "/monitor/metrics").status != 200 and time.monotonic() < deadline:
        time.sleep(0.2)
    (instance,) = redoubt.api("GET", "/monitor/status").ok()["instances"]
    assert instance["name"] == "guarded" and instance["interval"] == 2 and instance["state"] == "connected"
    for file in redoubt.data_dir.iterdir():
        if file.is_file():
            assert b"open-sesame-42" not in file.read_bytes(), file
    assert "open-sesame-42" not in redoubt.log()
