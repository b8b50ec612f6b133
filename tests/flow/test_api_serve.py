"""`redoubt serve` and the other commands as an operator meets them."""

import json
import os
import re
import signal
import socket
import time

import pytest
import requests

from servers import commit, eventually, free_port, run_redoubt


def test_operations_routes_answer(redoubt):
    assert redoubt.http("GET", "/healthz").ok() == {"status": "ok"}
    assert redoubt.http("GET", "/readyz").ok()["status"] == "ready"
    version = redoubt.http("GET", "/version").ok()
    assert version["name"] == "redoubt" and re.match(r"\d+\.\d+\.\d+", version["version"])
    assert version["git_sha"] == commit() and commit() in run_redoubt("version").stdout
    document = redoubt.http("GET", "/openapi.json").ok()
    assert document["openapi"].startswith("3.1") and "/api/v1/analyze" in document["paths"]


def test_own_metrics_are_prometheus_text(redoubt):
    redoubt.api("GET", "/monitor/status").ok()
    text = redoubt.http("GET", "/metrics").text
    for line in text.splitlines():
        assert line.startswith("#") or re.fullmatch(r"[a-z_]+(\{[^}]*\})? -?[0-9.e+-]+|.*nan", line), line
    assert re.search(r'redoubt_http_requests_total\{method="GET",route="/api/v1/monitor/status",status="200"\} 1', text)
    assert "process_resident_memory_bytes" in text


def test_both_ports_serve_page_and_api(redoubt):
    for url in (redoubt.url, redoubt.ui_url):
        assert requests.get(url + "/api/v1/session", timeout=10).status_code == 200
        page = requests.get(url + "/", timeout=10)
        if page.status_code == 404:
            assert "web" in page.json()["error"]["hint"]  # this build has no page, and says so
        else:
            assert "<html" in page.text.lower() and page.headers["Cache-Control"] == "no-cache"
            assert requests.get(url + "/docs", timeout=10).headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_stops_within_two_seconds(start_redoubt, how):
    redoubt = start_redoubt()
    stream = requests.get(redoubt.url + "/api/v1/monitor/stream", stream=True, timeout=10)
    started = time.monotonic()
    redoubt.process.send_signal(how)
    assert redoubt.process.wait(10) == 0
    assert time.monotonic() - started < 2.5
    stream.close()


def test_a_taken_port_is_named_with_the_fix(tmp_path):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        port = s.getsockname()[1]
        done = run_redoubt("serve", "--http", f"127.0.0.1:{port}", "--ui", "off", "--data", tmp_path / "d", timeout=30)
    assert done.returncode == 1
    assert f"port {port} is taken" in done.stderr and "another port" in done.stderr


def test_a_second_redoubt_does_not_share_the_data(redoubt):
    done = run_redoubt("serve", "--http", f"127.0.0.1:{free_port()}", "--ui", "off", "--data", redoubt.data_dir, timeout=30)
    assert done.returncode == 1 and "another redoubt" in done.stderr


def test_the_data_is_for_its_owner_alone(redoubt):
    for name in ("redoubt.db", "secret.key"):
        assert os.stat(redoubt.data_dir / name).st_mode & 0o077 == 0, name


def test_connects_by_setting_also_when_the_server_comes_later(start_redoubt, start_server, folder):
    port = free_port()
    redoubt = start_redoubt(["--connect", f"redis://127.0.0.1:{port}", "--connect-name", "late"])
    assert redoubt.api("GET", "/monitor/status").ok()["instances"] == []
    start_server(module=False, config={"port": port})
    eventually(lambda: [i["name"] for i in redoubt.api("GET", "/monitor/status").ok()["instances"]] == ["late"], timeout=20)


def test_help_is_for_a_person():
    text = run_redoubt("--help").stdout
    for command in ("serve", "kb", "diagnose", "config", "version"):
        assert command in text
    serve = run_redoubt("serve", "--help").stdout
    for word in ("--http", "--token-file", "--allow-test-faults", "413", "503", "--max-log-mb", "REDOUBT_TOKEN"):
        assert word in serve, word
    assert "--token " not in serve  # a secret has no flag


def test_wrong_settings_are_named():
    done = run_redoubt("serve", "--max-log-mb", "1000")
    assert done.returncode == 2 and "--max-log-mb" in done.stderr
    done = run_redoubt("config", env={"REDOUBT_BEHIND_PROXY": "perhaps"})
    assert done.returncode == 2 and "REDOUBT_BEHIND_PROXY" in done.stderr
    assert run_redoubt("serve", "--no-such-flag").returncode == 2
    assert run_redoubt().returncode == 2


def test_settings_file_environment_and_flags(tmp_path):
    (tmp_path / "redoubt.env").write_text("REDOUBT_THREADS=3\nREDOUBT_QUEUE=30\n")
    shown = run_redoubt("config", "--data", tmp_path, "--threads", "7", env={"REDOUBT_QUEUE": "40"}).stdout
    assert re.search(r"REDOUBT_THREADS\s+= 7\s+flag", shown)
    assert re.search(r"REDOUBT_QUEUE\s+= 40\s+environment", shown)


def test_kb_commands(tmp_path):
    loaded = run_redoubt("kb", "load", "--data", tmp_path)
    assert loaded.returncode == 0 and "✅ kb-mem-001" in loaded.stdout, loaded.stderr
    listed = json.loads(run_redoubt("kb", "list", "--json", "--category", "memory", "--data", tmp_path).stdout)
    assert {"kb-mem-001", "kb-mem-002"} <= {entry["id"] for entry in listed}
    assert run_redoubt("kb", "export", tmp_path / "out", "--data", tmp_path).returncode == 0
    checked = run_redoubt("kb", "validate", tmp_path / "out")
    assert checked.returncode == 0, checked.stdout
    broken = tmp_path / "out" / "troubleshooting"
    broken.mkdir(exist_ok=True)
    (broken / "broken.json").write_text('{"entries": [')
    checked = run_redoubt("kb", "validate", tmp_path / "out")
    assert checked.returncode == 1 and "❌" in checked.stdout and "broken.json" in checked.stdout


def test_diagnose_reads_files_standard_input_and_damaged_bytes(tmp_path):
    log = tmp_path / "redis.log"
    log.write_bytes(b"\xff\xfe broken bytes\n" + b"-OOM command not allowed when used memory > 'maxmemory'.\n" * 3)
    result = json.loads(run_redoubt("diagnose", "--log", log, "--json", "--lang", "en").stdout)
    assert result["category"] == "memory" and result["failure_mode"] == "oom-noeviction"
    report = run_redoubt("diagnose", "--log", "-", "--lang", "ko", input=log.read_bytes().decode("utf-8", "replace"))
    assert report.returncode == 0 and "oom-noeviction" in report.stdout and "## 근거" in report.stdout
    metrics = tmp_path / "info.json"
    metrics.write_text(json.dumps({"used_memory": 52430000, "maxmemory": 52428800, "maxmemory_policy": "noeviction"}))
    result = json.loads(run_redoubt("diagnose", "--metrics", metrics, "--json").stdout)
    assert result["category"] == "memory"
    assert run_redoubt("diagnose").returncode == 1
    assert "cannot read" in run_redoubt("diagnose", "--log", tmp_path / "none").stderr


def test_the_demo_server_comes_and_goes(start_redoubt):
    redoubt = start_redoubt()
    demo = redoubt.api("POST", "/monitor/demo", {"maxmemory_mb": 32}).ok()
    assert demo["status"] == "running" and demo["maxmemory"] == 32 << 20
    assert redoubt.api("POST", "/monitor/demo").ok()["port"] == demo["port"]
    (instance,) = redoubt.api("GET", "/monitor/status").ok()["instances"]
    assert instance["demo"] and instance["test_faults"]
    assert redoubt.api("GET", "/monitor/test").ok()["allowed"] is True
    assert redoubt.api("DELETE", "/monitor/demo").ok()["status"] == "stopped"
    assert redoubt.api("GET", "/monitor/status").ok()["instances"] == []
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", demo["port"]), timeout=2)


def test_a_killed_redoubt_takes_its_demo_along_and_forgets_it(start_redoubt):
    redoubt = start_redoubt()
    port = redoubt.api("POST", "/monitor/demo").ok()["port"]
    redoubt.kill9()

    def gone():
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return False
        except OSError:
            return True

    eventually(gone)
    redoubt.start()
    assert redoubt.api("GET", "/monitor/status").ok()["instances"] == []


def test_events_begin_with_the_state_and_carry_samples(start_redoubt, start_server):
    server = start_server(module=False)
    redoubt = start_redoubt()
    redoubt.api("POST", "/monitor/connect", {"host": "127.0.0.1", "port": server.port, "name": "orders"}).ok()
    redoubt.api("POST", "/monitor/start", {"interval": 1}).ok()
    events = redoubt.events("/monitor/stream?instance=orders&lang=en", timeout=20)
    hello = next(events)
    assert hello["event"] == "hello" and hello["data"]["instances"][0]["name"] == "orders"
    sample = next(e for e in events if e["event"] == "sample")
    assert sample["data"]["reachable"] is True and sample["data"]["used_memory"] > 0 and int(sample["id"]) > 0
    events.close()


def test_hundreds_of_streams_cost_no_thread_each(start_redoubt):
    redoubt = start_redoubt()
    sockets = []
    request = f"GET /api/v1/monitor/stream HTTP/1.1\r\nHost: 127.0.0.1:{redoubt.http_port}\r\n\r\n".encode()
    try:
        for _ in range(400):
            s = socket.create_connection(("127.0.0.1", redoubt.http_port), timeout=10)
            s.sendall(request)
            sockets.append(s)
        eventually(lambda: "redoubt_http_streams 400" in redoubt.http("GET", "/metrics").text, timeout=20)
        assert redoubt.http("GET", "/healthz").ok()
        threads = len(os.listdir(f"/proc/{redoubt.pid}/task"))
        assert threads < 120, threads
    finally:
        for s in sockets:
            s.close()
