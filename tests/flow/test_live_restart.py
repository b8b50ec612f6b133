"""What of the live side survives a stop, a kill and a restart of redoubt itself."""

import time

import pytest

from servers import eventually

PASSWORD = "correct-horse-battery"


def active_alerts(redoubt):
    return redoubt.api("GET", "/monitor/alerts?state=active").ok()["alerts"]


def firing(redoubt, rule):
    return [a for a in active_alerts(redoubt) if a["rule"] == rule and a["state"] in ("firing", "acknowledged")]


@pytest.fixture
def full_server(start_server):
    """A server at 85 % of its memory, behind a password."""
    server = start_server(
        module=False, config={"maxmemory": "50mb", "maxmemory-policy": "noeviction", "requirepass": PASSWORD}
    )
    with server.client(password=PASSWORD) as client:
        limit = 50 << 20
        number = 0
        while client.info("memory")["used_memory"] < limit * 0.83:
            client.set(f"filler:{number}", "x" * 500_000)
            number += 1
    return server


@pytest.mark.parametrize("how", ["terminate", "kill9"])
def test_instances_intervals_and_firing_alerts_resume(redoubt, full_server, how):
    fields = {"host": "127.0.0.1", "port": full_server.port, "password": PASSWORD, "name": "orders"}
    instance = redoubt.api("POST", "/monitor/connect", fields).ok()["instance"]
    redoubt.api("POST", "/monitor/start", {"interval": 2}).ok()
    before = eventually(lambda: firing(redoubt, "memory_usage"))[0]
    redoubt.api("POST", f"/monitor/alerts/{before['id']}/ack").ok()

    redoubt.restart(how)
    after = firing(redoubt, "memory_usage")  # at once, before any poll
    assert [a["id"] for a in after] == [before["id"]]
    assert after[0]["state"] == "acknowledged" and after[0]["started_at"] == before["started_at"]
    eventually(lambda: redoubt.api("GET", "/monitor/metrics").status == 200)
    status = redoubt.api("GET", "/monitor/status").ok()["instances"]
    assert [(i["id"], i["name"], i["interval"], i["state"]) for i in status] == [(instance, "orders", 2, "connected")]
    with full_server.client(password=PASSWORD) as client:
        client.flushall()
    eventually(lambda: not firing(redoubt, "memory_usage"), timeout=20)
    resolved = [a for a in redoubt.api("GET", "/monitor/alerts").ok()["alerts"] if a["id"] == before["id"]]
    assert resolved[0]["state"] == "resolved" and resolved[0]["resolved_at"]


def test_a_stopped_instance_stays_stopped(redoubt, start_server):
    server = start_server(module=False)
    redoubt.api("POST", "/monitor/connect", {"host": "127.0.0.1", "port": server.port}).ok()
    redoubt.api("POST", "/monitor/stop").ok()
    redoubt.restart()
    assert redoubt.api("GET", "/monitor/status").ok()["instances"][0]["state"] == "idle"


def test_credentials_are_sealed_on_disk_and_in_no_reply_or_log(redoubt, full_server):
    fields = {"host": "127.0.0.1", "port": full_server.port, "password": PASSWORD}
    redoubt.api("POST", "/monitor/connect", fields).ok()
    eventually(lambda: redoubt.api("GET", "/monitor/metrics").status == 200)
    for path in ("/monitor/status", "/monitor/metrics?all=true", "/monitor/alerts"):
        assert PASSWORD not in redoubt.api("GET", path).text
    redoubt.terminate()
    for file in redoubt.data_dir.rglob("*"):
        if file.is_file():
            assert PASSWORD.encode() not in file.read_bytes(), file
    assert PASSWORD not in redoubt.log()
    redoubt.start()
    eventually(lambda: redoubt.api("GET", "/monitor/metrics").status == 200)


def test_the_time_redoubt_was_away_is_a_gap(redoubt, start_server):
    server = start_server(module=False)
    redoubt.api("POST", "/monitor/connect", {"host": "127.0.0.1", "port": server.port}).ok()
    redoubt.api("POST", "/monitor/start", {"interval": 1}).ok()
    time.sleep(4)
    redoubt.terminate()
    time.sleep(5)
    redoubt.start()
    time.sleep(4)

    def history():
        now_ms = int(time.time() * 1000)
        query = f"metrics=used_memory,connected_clients&from={now_ms - 60_000}&to={now_ms}&step=1"
        return redoubt.api("GET", f"/monitor/metrics/history?{query}").ok()

    answer = eventually(lambda: (h := history()) and h["gaps"] and h)
    assert [g["reason"] for g in answer["gaps"]] == ["redoubt-stopped"]
    gap = answer["gaps"][0]
    assert 3000 < gap["to_ms"] - gap["from_ms"] < 30_000
    values = answer["series"]["used_memory"]
    assert len(values) == len(answer["times_ms"]) and values[0] and values[-1]
    breaks = [t for t, v in zip(answer["times_ms"], values) if v is None]
    assert len(breaks) == 1 and gap["from_ms"] - 1500 <= breaks[0] <= gap["to_ms"]


def test_the_time_the_server_was_away_is_a_gap_with_another_reason(redoubt, start_server):
    server = start_server(module=False)
    redoubt.api("POST", "/monitor/connect", {"host": "127.0.0.1", "port": server.port}).ok()
    redoubt.api("POST", "/monitor/start", {"interval": 1}).ok()
    time.sleep(3)
    server.kill9()
    time.sleep(5)
    server.start()
    eventually(lambda: redoubt.api("GET", "/monitor/metrics").ok()["used_memory"], timeout=20)
    time.sleep(2.5)
    answer = redoubt.api("GET", "/monitor/metrics/history?metrics=used_memory&step=1").ok()
    assert "unreachable" in [g["reason"] for g in answer["gaps"]]
