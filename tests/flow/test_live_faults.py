"""Fault injection over the API: granted, bounded, taken back, also after kill -9."""

import time

import pytest

from servers import eventually


@pytest.fixture
def lab(start_redoubt, start_server):
    """lab(config) -> (redoubt, server): a server on which faults are allowed, watched once a second."""

    def start(config, connect=True):
        server = start_server(module=False, config=config)
        redoubt = start_redoubt(["--allow-test-faults", f"127.0.0.1:{server.port}"])
        if connect:
            fields = {"host": "127.0.0.1", "port": server.port, "name": "practice", "test_faults": True}
            assert redoubt.api("POST", "/monitor/connect", fields).ok()["test_faults"] is True
            redoubt.api("POST", "/monitor/start", {"interval": 1}).ok()
        return redoubt, server

    return start


def keys(server):
    with server.client() as client:
        return client.dbsize()


def clients(server):
    """Those of the lab."""
    with server.client(decode_responses=True) as client:
        return len([c for c in client.client_list() if c["name"] == "redoubt-fault"])


def test_faults_need_the_servers_permission(redoubt, start_server):
    server = start_server(module=False, config={"maxmemory": "50mb"})
    fields = {"host": "127.0.0.1", "port": server.port, "name": "orders", "test_faults": True}
    reply = redoubt.api("POST", "/monitor/connect", fields).ok()
    assert reply["test_faults"] is False and reply["test_faults_reason"]
    for path in ("fill-memory?size_mb=5", "many-connections?count=5", "slow-query"):
        error = redoubt.api("POST", f"/monitor/test/{path}").error(403, "faults_not_allowed")
        assert "--allow-test-faults" in error["message"]
        joiner = "&" if "?" in path else "?"
        redoubt.api("POST", f"/monitor/test/{path}{joiner}confirm=orders").error(403)
    assert redoubt.api("GET", "/monitor/test").ok()["allowed"] is False
    assert keys(server) == 0


def test_the_permission_lasts_no_longer_than_the_flag(lab):
    redoubt, server = lab({"maxmemory": "50mb"})
    assert redoubt.api("GET", "/monitor/test").ok()["allowed"] is True
    redoubt.args = []
    redoubt.restart()
    assert redoubt.api("GET", "/monitor/test").ok()["allowed"] is False
    assert redoubt.api("GET", "/monitor/status").ok()["instances"][0]["test_faults"] is False
    redoubt.api("POST", "/monitor/test/slow-query").error(403, "faults_not_allowed")


def test_other_clients_and_missing_limits_need_the_name(lab):
    redoubt, server = lab({})
    redoubt.api("POST", "/monitor/test/fill-memory?size_mb=5").error(409, "no_maxmemory")
    with server.client() as client:
        client.ping()
        redoubt.api("POST", "/monitor/test/slow-query?seconds=0.2").error(409, "other_clients")
        redoubt.api("POST", "/monitor/test/slow-query?seconds=0.2&confirm=practice").ok()


def test_a_full_server_gives_the_documented_reply(lab):
    redoubt, server = lab({"maxmemory-policy": "noeviction"})
    with server.client() as client:
        client.set("redoubt:fault:big", "x" * (20 << 20))
        client.config_set("maxmemory", "10mb")
    reply = redoubt.api("POST", "/monitor/test/fill-memory?size_mb=5").ok()
    assert reply["status"] == "error_triggered" and reply["error_type"] == "OOM"
    assert "OOM command not allowed" in reply["message"]
    assert redoubt.api("POST", "/monitor/test/cleanup").ok()["status"] == "cleaned"
    assert keys(server) == 0


def test_many_connections_leave_seats_free_and_close_again(lab):
    redoubt, server = lab({"maxclients": 50})
    reply = redoubt.api("POST", "/monitor/test/many-connections?count=1000").ok()
    assert reply["status"] == "started", reply
    with server.client() as client:
        assert client.info("clients")["connected_clients"] <= 49
    redoubt.api("POST", "/monitor/test/cleanup").ok()
    eventually(lambda: clients(server) == 0)


def test_kill9_of_redoubt_leaves_nothing_behind(lab):
    redoubt, server = lab({"maxmemory": "50mb", "slowlog-log-slower-than": -1})
    redoubt.api("POST", "/monitor/test/slow-query?seconds=0.3").ok()
    redoubt.api("POST", "/monitor/test/fill-memory?size_mb=20").ok()
    eventually(lambda: keys(server) > 3, timeout=20)
    with server.client(decode_responses=True) as client:
        assert client.config_get("slowlog-log-slower-than")["slowlog-log-slower-than"] != "-1"
        assert 0 < client.ttl(client.randomkey()) <= 300  # they would go alone
        client.set("mine", "x")
    redoubt.restart("kill9")
    eventually(lambda: keys(server) == 1, timeout=20)
    with server.client(decode_responses=True) as client:
        eventually(lambda: client.config_get("slowlog-log-slower-than")["slowlog-log-slower-than"] == "-1")
        assert client.get("mine") == "x"
    # The connection that restored the setting closes a moment after the setting is back.
    eventually(lambda: clients(server) == 0)


def test_fill_memory_paces_itself_by_the_poll_interval(lab):
    redoubt, server = lab({"maxmemory": "40mb", "maxmemory-policy": "noeviction"})
    redoubt.api("POST", "/monitor/test/fill-memory").ok()
    seen = {}
    end = time.monotonic() + 25
    while time.monotonic() < end:
        metrics = redoubt.api("GET", "/monitor/metrics").ok()
        if metrics["memory_usage_percent"] is not None:
            seen[metrics["at_ms"]] = metrics["memory_usage_percent"]
        time.sleep(0.3)
    shares = list(seen.values())
    assert shares == sorted(shares) and 30 < shares[-1] < 95
    for tenth in range(int(shares[0] // 10) + 1, int(shares[-1] // 10)):
        polls = [s for s in shares if tenth * 10 <= s < tenth * 10 + 10]
        assert len(polls) >= 3, (tenth, shares)
