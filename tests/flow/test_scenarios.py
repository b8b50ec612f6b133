"""The reference scenarios on real servers: a live fault, its alert, the right diagnosis."""

import time

import pytest

from servers import eventually


@pytest.fixture
def watch(start_redoubt, start_server):
    """watch(config) -> (redoubt, server): faults allowed, polled once a second, one sample seen."""

    def start(config, interval=1):
        server = start_server(module=False, config=config)
        redoubt = start_redoubt(["--allow-test-faults", f"127.0.0.1:{server.port}"])
        fields = {"host": "127.0.0.1", "port": server.port, "name": "practice", "test_faults": True}
        redoubt.api("POST", "/monitor/connect", fields).ok()
        redoubt.api("POST", "/monitor/start", {"interval": interval}).ok()
        eventually(lambda: redoubt.api("GET", "/monitor/metrics").status == 200)
        return redoubt, server

    return start


def active(redoubt, group_or_rule):
    alerts = redoubt.api("GET", "/monitor/alerts?state=active&lang=ko").ok()["alerts"]
    return [a for a in alerts if group_or_rule in (a["rule"], a["group"]) and a["state"] == "firing"]


def analyze(redoubt, lang="ko"):
    analysis = redoubt.api("POST", "/monitor/analyze", {"lang": lang}).ok()
    assert analysis["status"] == "done"
    return analysis


def fields_of(analysis):
    return {e.get("field") for e in analysis["evidence"]}


def test_sc001_memory_full_and_writes_refused(watch):
    redoubt, server = watch({"maxmemory": "50mb", "maxmemory-policy": "noeviction"})
    redoubt.api("POST", "/monitor/test/fill-memory").ok()
    warned = eventually(lambda: active(redoubt, "memory"), timeout=60)[0]
    assert warned["severity"] == "warning" and warned["rule"] == "memory_usage"
    critical = eventually(
        lambda: [a for a in active(redoubt, "memory") if a["severity"] == "critical"], timeout=30
    )
    assert [a["id"] for a in critical] == [warned["id"]]  # one alert, raised
    assert f"{critical[0]['threshold']:.0f}" in critical[0]["message"]

    def refused():
        reply = redoubt.api("POST", "/monitor/test/fill-memory").ok()
        return reply["status"] == "error_triggered" and reply

    reply = eventually(refused, timeout=40, interval=0.5)
    assert "OOM command not allowed" in reply["message"] and reply["error_type"] == "OOM"
    time.sleep(2)  # a poll that has counted the refusals
    analysis = analyze(redoubt)
    assert (analysis["category"], analysis["severity"], analysis["failure_mode"]) == (
        "memory",
        "critical",
        "oom-noeviction",
    ), analysis["headline"]
    assert analysis["knowledge"][0]["id"] == "kb-mem-001"
    assert {"used_memory", "maxmemory", "maxmemory_policy", "errorstat_OOM"} <= fields_of(analysis)
    assert analysis["commands"]

    redoubt.api("POST", "/monitor/test/cleanup").ok()
    eventually(lambda: not active(redoubt, "memory"), timeout=30)
    resolved = [a for a in redoubt.api("GET", "/monitor/alerts").ok()["alerts"] if a["id"] == warned["id"]]
    assert resolved[0]["state"] == "resolved"
    assert redoubt.api("GET", "/monitor/metrics").ok()["memory_usage_percent"] < 20


def test_sc002_max_clients(watch):
    redoubt, server = watch({"maxclients": 50})
    redoubt.api("POST", "/monitor/test/many-connections?count=100").ok()
    alert = eventually(lambda: active(redoubt, "clients"), timeout=15)[0]
    assert alert["rule"] == "connected_clients" and alert["severity"] == "critical"
    # The seats that are left are taken too, and some knock in vain.
    held = []
    try:
        for _ in range(12):
            connection = server.client(socket_timeout=2)
            held.append(connection)
            try:
                connection.ping()
            except Exception:
                pass
        eventually(lambda: any("rejected" in str(a) for a in active(redoubt, "clients")), timeout=10)
        analysis = analyze(redoubt)
    finally:
        for connection in held:
            connection.close()
    assert analysis["category"] == "connection" and analysis["failure_mode"] == "max-clients-reached", analysis["headline"]
    assert analysis["severity"] in ("high", "critical")
    assert analysis["knowledge"][0]["id"] == "kb-conn-001"
    redoubt.api("POST", "/monitor/test/cleanup").ok()
    eventually(lambda: not [a for a in active(redoubt, "clients") if a["rule"] == "connected_clients"], timeout=30)


def test_sc005_slow_command(watch):
    redoubt, server = watch({})
    reply = redoubt.api("POST", "/monitor/test/slow-query?seconds=3").ok()
    assert reply["status"] == "done"
    alert = eventually(
        lambda: active(redoubt, "latency") or active(redoubt, "availability"), timeout=15
    )[0]
    assert alert["message"]
    analysis = analyze(redoubt)
    assert analysis["category"] == "performance", analysis["headline"]
    assert analysis["severity"] in ("medium", "high")
    assert any("EVAL" in str(e.get("text", "")).upper() or "slowlog" in str(e).lower() for e in analysis["evidence"])


def test_sc007_rdb_save_fails(watch):
    redoubt, server = watch({"save": "3600 1", "stop-writes-on-bgsave-error": "yes"})
    with server.client() as client:
        client.set("key", "value")
    server.remove_directory()
    with server.client() as client:
        client.bgsave()

        def failed():
            return client.info("persistence")["rdb_last_bgsave_status"] == "err"

        eventually(failed)
        with pytest.raises(Exception, match="MISCONF"):
            client.set("key", "other")
    alert = eventually(lambda: active(redoubt, "persistence"), timeout=10)[0]
    assert alert["rule"] == "rdb_save_failed" and alert["severity"] == "critical"
    time.sleep(1.5)
    analysis = analyze(redoubt)
    assert analysis["category"] == "persistence", analysis["headline"]
    assert analysis["severity"] in ("high", "critical")
    assert analysis["knowledge"][0]["id"] == "kb-persist-001"
    assert "rdb_last_bgsave_status" in fields_of(analysis)
