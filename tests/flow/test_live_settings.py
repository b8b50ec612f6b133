"""Silences and per-instance thresholds: what they change, and that they survive a restart of redoubt."""

import threading
import time

import pytest
import requests

from servers import eventually


def firing(redoubt, instance, rule="connected_clients"):
    alerts = redoubt.api("GET", f"/monitor/alerts?state=active&instance={instance}").ok()["alerts"]
    return [a for a in alerts if a["rule"] == rule and a["state"] in ("firing", "acknowledged")]


def silenced(redoubt, instance):
    return [a["silenced"] for a in firing(redoubt, instance)]


def counts(redoubt, instance):
    return redoubt.api("GET", f"/monitor/status?instance={instance}").ok()["instances"][0]["alerts"]


def thresholds(redoubt, instance, rule):
    rules = redoubt.api("GET", f"/monitor/thresholds?instance={instance}").ok()["rules"]
    return next(r for r in rules if r["rule"] == rule)


@pytest.fixture
def watched(redoubt, start_server):
    """Two servers with a few clients each, polled every second: [(instance id, server)]."""
    both = []
    for name in ("orders", "sessions"):
        server = start_server(module=False)
        instance = redoubt.api(
            "POST", "/monitor/connect", {"host": "127.0.0.1", "port": server.port, "name": name}
        ).ok()["instance"]
        redoubt.api("POST", "/monitor/start", {"instance": instance, "interval": 1}).ok()
        both.append((instance, server))
    clients = [server.client() for _, server in both for _ in range(5)]
    for client in clients:
        client.ping()
    yield both
    for client in clients:
        client.close()


class Pages:
    """The alert events of one instance from now on: (change, silenced)."""

    def __init__(self, redoubt, instance):
        self.changes = []
        self.events = redoubt.events(f"/monitor/stream?instance={instance}", timeout=60)
        next(self.events)  # hello: whatever happens from here on is seen
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        try:
            for event in self.events:
                if event["event"] == "alert":
                    self.changes.append((event["data"]["change"], event["data"]["alert"]["silenced"]))
        except requests.RequestException:
            pass  # redoubt was stopped


def test_thresholds_and_silences_from_setting_to_paging_again(redoubt, watched):
    (orders, _), (sessions, _) = watched
    reply = redoubt.api(
        "PUT", "/monitor/thresholds?instance=orders", {"rules": {"connected_clients": {"warning": 3, "critical": 900}}}
    ).ok()
    assert reply["instance"] == orders
    eventually(lambda: firing(redoubt, orders))
    assert firing(redoubt, orders)[0]["threshold"] == 3
    assert counts(redoubt, orders) == {"warning": 1, "critical": 0, "silenced": 0}
    assert not firing(redoubt, sessions)

    silence = redoubt.api(
        "POST",
        "/monitor/silences",
        {"instance": "orders", "rule": "connected_clients", "duration_s": 3600, "comment": "부하 시험"},
    ).ok(201)
    assert silence["instance"] == orders and silence["comment"] == "부하 시험"
    assert silenced(redoubt, orders) == [True]  # at once, before the next sample
    assert counts(redoubt, orders) == {"warning": 0, "critical": 0, "silenced": 1}
    assert 'redoubt_alerts_firing{severity="warning"} 0' in redoubt.http("GET", "/metrics").text

    redoubt.restart("kill9")
    assert silenced(redoubt, orders) == [True]
    assert [s["id"] for s in redoubt.api("GET", "/monitor/silences").ok()["silences"]] == [silence["id"]]
    rule = thresholds(redoubt, orders, "connected_clients")
    assert rule["changed"] and rule["conditions"][0]["threshold"] == 3
    assert rule["conditions"][0]["default_threshold"] == 1000
    assert not thresholds(redoubt, sessions, "connected_clients")["changed"]
    eventually(lambda: redoubt.api("GET", f"/monitor/metrics?instance={orders}").status == 200)
    pages = Pages(redoubt, orders)
    time.sleep(2.5)
    assert pages.changes == [] and silenced(redoubt, orders) == [True]

    assert redoubt.api("DELETE", f"/monitor/silences/{silence['id']}").status == 204
    eventually(lambda: pages.changes == [("unsilenced", False)])
    assert counts(redoubt, orders)["warning"] == 1
    redoubt.api("DELETE", f"/monitor/thresholds?instance={orders}&rule=connected_clients").ok()
    eventually(lambda: pages.changes[-1] == ("resolved", False))
    assert not firing(redoubt, orders)


def test_a_silence_ends_by_itself_and_the_alert_pages_again(redoubt, watched):
    orders = watched[0][0]
    redoubt.api("PUT", "/monitor/thresholds", {"rules": {"connected_clients": {"warning": 3}}}).ok()
    redoubt.api("POST", "/monitor/silences", {"instance": orders, "duration_s": 4}).ok(201)
    eventually(lambda: silenced(redoubt, orders) == [True], timeout=3.5)
    pages = Pages(redoubt, orders)
    eventually(lambda: pages.changes == [("unsilenced", False)])
    assert redoubt.api("GET", "/monitor/silences").ok()["silences"] == []


def test_an_instance_takes_its_settings_along(redoubt, watched):
    (orders, server), _ = watched
    redoubt.api("PUT", "/monitor/thresholds", {"instance": "orders", "rules": {"ping_latency": {"hold_s": 30}}}).ok()
    redoubt.api("POST", "/monitor/silences", {"instance": "orders", "duration_s": 600}).ok(201)
    body = {"instance": None, "rule": "memory", "duration_s": 600}
    for lang, title in (("ko", "메모리 관련 경보 전체"), ("en", "All memory alerts")):
        group = redoubt.api("POST", f"/monitor/silences?lang={lang}", body).ok(201)
        assert group["title"] == title
    redoubt.api("DELETE", f"/monitor/silences/{group['id']}")
    redoubt.api("POST", "/monitor/disconnect", {"instance": orders}).ok()
    silences = redoubt.api("GET", "/monitor/silences").ok()["silences"]
    assert [(s["instance"], s["rule"]) for s in silences] == [(None, "memory")]
    redoubt.restart()
    assert redoubt.api("GET", f"/monitor/thresholds?instance={orders}").status == 404
    again = redoubt.api("POST", "/monitor/connect", {"host": "127.0.0.1", "port": server.port}).ok()["instance"]
    assert not thresholds(redoubt, again, "ping_latency")["changed"]


def test_mistakes_are_answered_with_the_field_and_the_fix(redoubt, watched):
    def refused(method, path, body=None, status=400):
        texts = []
        for lang in ("ko", "en"):
            texts.append(redoubt.api(method, f"{path}{'&' if '?' in path else '?'}lang={lang}", body).error(status))
        assert any("가" <= letter <= "힣" for letter in texts[0]["message"])
        assert not any("가" <= letter <= "힣" for letter in texts[1]["message"] + texts[1]["hint"])
        return texts[1]["message"] + " " + texts[1]["hint"]

    put = lambda rules: refused("PUT", "/monitor/thresholds", {"rules": rules})
    assert "'rules.memory': there is no such rule" in put({"memory": {}})
    assert "'rules.memory_usage.warning' must be a number" in put({"memory_usage": {"warning": "70"}})
    assert "warning threshold (95%) lies beyond the critical one (90%)" in put({"memory_usage": {"warning": 95}})
    assert "It takes: warning, critical, hold_s, enabled" in put({"memory_usage": {"warn": 1}})
    # All or nothing.
    put({"ping_latency": {"warning": 10}, "memory_usage": {"warning": 95}})
    assert not thresholds(redoubt, "orders", "ping_latency")["changed"]
    assert "'rules' is required" in refused("PUT", "/monitor/thresholds", {})
    assert "no such rule" in refused("DELETE", "/monitor/thresholds?rule=nope")
    put = redoubt.api("PUT", "/monitor/thresholds", {"instance": "orders", "rules": {"ping_latency": {"hold_s": 30}}})
    assert put.status == 200
    # A mistyped name must not widen the call to all rules.
    assert "no query parameter 'rules'" in refused("DELETE", "/monitor/thresholds?instance=orders&rules=ping_latency")
    assert thresholds(redoubt, "orders", "ping_latency")["changed"]
    refused("PUT", "/monitor/thresholds?instance=nobody", {"rules": {}}, 404)

    post = lambda body: refused("POST", "/monitor/silences", body)
    assert "Exactly one of 'duration_s' and 'until'" in post({"rule": "memory_usage"})
    assert "Exactly one of" in post({"duration_s": 60, "until": "2099-01-01T00:00:00Z"})
    assert "within 90 days" in post({"until": "2001-01-01T00:00:00Z"})
    assert "RFC 3339" in post({"until": "tomorrow"})
    assert "there is no rule 'memory_usge'" in post({"rule": "memory_usge", "duration_s": 60})
    assert "There is no field 'reason'" in post({"duration_s": 60, "reason": "x"})
    assert "no query parameter 'instnce'" in refused("POST", "/monitor/silences?instnce=orders", {"duration_s": 60})
    refused("POST", "/monitor/silences?instance=nobody", {"duration_s": 60}, 404)
    refused("POST", "/monitor/silences", {"instance": "nobody", "duration_s": 60}, 404)
    refused("DELETE", "/monitor/silences/si_none", status=404)
    assert redoubt.api("GET", "/monitor/silences").ok()["silences"] == []


def test_a_silence_is_for_every_server_only_when_it_says_so(redoubt, start_server):
    def connect(name):
        body = {"host": "127.0.0.1", "port": start_server(module=False).port, "name": name}
        return redoubt.api("POST", "/monitor/connect", body).ok()["instance"]

    first, second = connect("orders"), connect("sessions")
    post = lambda query, body: redoubt.api("POST", "/monitor/silences" + query, body | {"duration_s": 600}).ok(201)
    assert post("?instance=sessions", {})["instance"] == second
    assert post("", {"instance": "sessions"})["instance"] == second
    assert post("", {})["instance"] == first  # as everywhere: the first connected one
    assert post("", {"instance": None})["instance"] is None


def test_the_most_silences_are_told_as_a_state_and_not_as_an_outage(redoubt):
    body = {"instance": None, "rule": "memory_usage", "duration_s": 600}
    for _ in range(1000):
        last = redoubt.api("POST", "/monitor/silences", body).ok(201)
    for lang in ("ko", "en"):
        reply = redoubt.api("POST", f"/monitor/silences?lang={lang}", body)
        error = reply.error(409, "failed_precondition")
        korean = [any("가" <= letter <= "힣" for letter in error[part]) for part in ("message", "hint")]
        assert korean == [lang == "ko"] * 2 and "1000" in error["message"] and "silences; end" not in error["message"]
        assert "Retry-After" not in reply.headers
    assert redoubt.api("DELETE", f"/monitor/silences/{last['id']}").status == 204
    redoubt.api("POST", "/monitor/silences", body).ok(201)
