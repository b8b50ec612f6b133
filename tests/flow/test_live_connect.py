"""Connecting to servers over the API: failures in words, capabilities, and what watching leaves behind."""

import time

import pytest
import redis

from servers import eventually, free_port

CAPABILITIES = {"INFO", "CONFIG", "SLOWLOG", "LATENCY", "CLIENT LIST", "CLUSTER", "ACL LOG"}


def connect(redoubt, server, **fields):
    return redoubt.api("POST", "/monitor/connect", {"host": "127.0.0.1", "port": server.port, **fields})


def states(reply):
    return {c["name"]: c["state"] for c in reply["capabilities"]}


def test_connect_answers_as_designed(redoubt, engine, start_server):
    server = start_server(module=False)
    reply = connect(redoubt, server).ok()
    assert reply["status"] == "connected" and reply["port"] == server.port
    assert reply["message"] == "Redis 서버에 연결되었습니다"
    assert states(reply) == dict.fromkeys(CAPABILITIES, "allowed")
    assert reply["server"]["engine"] == engine
    assert reply["test_faults"] is False
    metrics = eventually(lambda: (r := redoubt.api("GET", "/monitor/metrics")).status == 200 and r.body)
    assert metrics["connected_clients"] == 0  # ours is left out
    assert metrics["role"] == "master" and metrics["used_memory"] > 0
    assert metrics["memory_usage_percent"] is None  # no limit, no share


def test_failures_to_connect_say_why(redoubt, start_server):
    def fails(status, code, **fields):
        error = redoubt.api("POST", "/monitor/connect", {"host": "127.0.0.1", **fields}).error(status, code)
        assert error["hint"]
        return error

    fails(502, "redis_refused", port=free_port())
    fails(502, "redis_unknown_host", host="no-such-host.invalid")
    locked = start_server(module=False, config={"requirepass": "s3cret-word"})
    fails(401, "redis_auth_required", port=locked.port)
    error = fails(401, "redis_auth_failed", port=locked.port, password="wr0ng-word")
    assert "wr0ng-word" not in str(error)
    fails(502, "redis_tls_failed", port=locked.port, password="s3cret-word", tls=True)
    with locked.stalled():
        fails(504, "redis_timeout", port=locked.port)
    fails(502, "redis_not_redis", port=redoubt.http_port)
    assert redoubt.api("GET", "/monitor/status").ok()["instances"] == []
    connect(redoubt, locked, password="s3cret-word").ok()


def test_denied_commands_are_named_with_what_they_cost_and_the_line_to_paste(redoubt, engine, start_server):
    server = start_server(module=False)
    with server.client(decode_responses=True) as admin:
        admin.execute_command(
            "ACL", "SETUSER", "watcher", "on", ">pw", "~*", "+@all", "-config", "-latency", "-client|list"
        )
        reply = connect(redoubt, server, username="watcher", password="pw").ok()
        assert {n for n, s in states(reply).items() if s == "denied"} == {"CONFIG", "LATENCY", "CLIENT LIST"}
        for capability in reply["capabilities"]:
            assert bool(capability["costs"]) == (capability["state"] != "allowed"), capability
        assert admin.execute_command(*reply["acl"].split()) == "OK"
    reply = connect(redoubt, server, username="redoubt", password="CHANGE_ME").ok()
    assert set(states(reply).values()) == {"allowed"}
    analysis = redoubt.api("POST", "/monitor/analyze", {"lang": "en"}).ok()
    assert analysis["status"] == "done"


def test_a_renamed_command_is_absent(redoubt, start_server):
    server = start_server(module=False, config={"rename-command": 'CONFIG ""'})
    reply = connect(redoubt, server).ok()
    assert states(reply)["CONFIG"] == "absent"
    assert redoubt.api("POST", "/monitor/analyze", {"lang": "ko"}).ok()["not_seen"]


def test_watching_is_polite(redoubt, engine, start_server):
    server = start_server(module=False)
    instance = connect(redoubt, server, name="polite").ok()["instance"]
    redoubt.api("POST", "/monitor/start", {"interval": 1, "instance": instance}).ok()
    time.sleep(4)
    with server.client(decode_responses=True) as admin:
        ours = [c for c in admin.client_list() if c["name"] == "redoubt"]
        assert len(ours) == 1
        calls = {name: stat["calls"] for name, stat in admin.info("commandstats").items()}
    assert 3 <= calls["cmdstat_info"] <= 12
    forbidden = {"cmdstat_keys", "cmdstat_monitor", "cmdstat_scan", "cmdstat_config|set"}
    assert not forbidden & set(calls)
    assert calls["cmdstat_client|list"] == 2  # the capability's probe, and the one above
    config_reads = calls["cmdstat_config|get"]
    time.sleep(3)
    with server.client(decode_responses=True) as admin:
        assert admin.info("commandstats")["cmdstat_config|get"]["calls"] == config_reads


def test_disconnect_forgets_and_stop_closes_the_connection(redoubt, start_server):
    server = start_server(module=False)
    instance = connect(redoubt, server).ok()["instance"]
    eventually(lambda: redoubt.api("GET", "/monitor/metrics").status == 200)

    def watchers():
        with server.client(decode_responses=True) as admin:
            return [c for c in admin.client_list() if c["name"] == "redoubt"]

    assert len(watchers()) == 1
    redoubt.api("POST", "/monitor/stop", {"instance": instance}).ok()
    eventually(lambda: not watchers())
    redoubt.api("POST", "/monitor/start", {"instance": instance, "interval": 1}).ok()
    eventually(lambda: len(watchers()) == 1)
    redoubt.api("POST", "/monitor/disconnect", {"instance": instance}).ok()
    eventually(lambda: not watchers())
    assert redoubt.api("GET", "/monitor/status").ok()["instances"] == []


@pytest.mark.parametrize("interval", [0, 61, "5", 1.5])
def test_intervals_outside_their_range_are_refused(redoubt, start_server, interval):
    connect(redoubt, start_server(module=False)).ok()
    redoubt.api("POST", "/monitor/start", {"interval": interval}).error(400)


def test_a_restart_of_the_watched_server_is_noticed(redoubt, start_server):
    server = start_server(module=False)
    with server.client() as client:
        client.set("key", "value")
    connect(redoubt, server).ok()
    redoubt.api("POST", "/monitor/start", {"interval": 1}).ok()
    eventually(lambda: redoubt.api("GET", "/monitor/metrics").status == 200)
    time.sleep(1.5)  # a sample that has seen the key
    server.restart("nosave")
    with server.client() as client:
        eventually(lambda: client.ping())

    def restarted():
        alerts = redoubt.api("GET", "/monitor/alerts?state=active").ok()["alerts"]
        return [a for a in alerts if a["rule"] == "data_lost_after_restart" and a["severity"] == "critical"]

    assert eventually(restarted, timeout=15)
    status = redoubt.api("GET", "/monitor/status").ok()["instances"][0]
    assert status["state"] == "connected" and status["error"] is None


def test_a_hanging_server_is_reported_and_delays_no_other(redoubt, start_server):
    hanging, healthy = start_server(module=False), start_server(module=False)
    for server, name in ((hanging, "hanging"), (healthy, "healthy")):
        connect(redoubt, server, name=name).ok()
        redoubt.api("POST", f"/monitor/start?instance={name}", {"interval": 1}).ok()
    eventually(lambda: redoubt.api("GET", "/monitor/metrics?instance=healthy").status == 200)
    with hanging.stalled():
        seen = set()
        end = time.monotonic() + 8
        while time.monotonic() < end:
            seen.add(redoubt.api("GET", "/monitor/metrics?instance=healthy").ok()["at_ms"])
            time.sleep(0.2)
        assert len(seen) >= 5
        alerts = redoubt.api("GET", "/monitor/alerts?state=active&instance=hanging").ok()["alerts"]
        assert [a["severity"] for a in alerts if a["rule"] == "server_unreachable"] == ["critical"]
        status = redoubt.api("GET", "/monitor/status?instance=hanging").ok()["instances"][0]
        assert status["state"] == "unreachable" and status["error"]

    eventually(lambda: redoubt.api("GET", "/monitor/status?instance=hanging").ok()["instances"][0]["state"] == "connected")
    assert redis.Redis(port=hanging.port).ping()
