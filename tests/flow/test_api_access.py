"""Who may call: loopback only by default, token and TLS elsewhere, no other sites' pages."""

import os
import socket
import ssl
import subprocess

import requests

from servers import REDOUBT, Redoubt, free_port, run_redoubt

TOKEN = "a-token-for-the-tests-0123456789"


def serve(*args, env=None):
    """A `redoubt serve` that is expected to refuse: (exit status, what it complained)."""
    done = run_redoubt("serve", *args, env=env, timeout=30)
    return done.returncode, done.stderr


def raw(redoubt, headers, path="/api/v1/monitor/status", method="GET", body=b""):
    """A request with exactly these headers; the status."""
    with socket.create_connection(("127.0.0.1", redoubt.http_port), timeout=10) as s:
        s.sendall(f"{method} {path} HTTP/1.1\r\n".encode() + headers.encode() + b"Connection: close\r\n\r\n" + body)
        return int(s.makefile("rb").readline().split()[1])


def test_an_address_beyond_loopback_is_refused_with_the_way_out(tmp_path):
    status, words = serve("--http", f"0.0.0.0:{free_port()}", "--ui", "off", "--data", tmp_path / "d")
    assert status == 1
    assert "--token-file" in words and "--tls-cert" in words and "127.0.0.1" in words
    status, words = serve("--http", f"127.0.0.1:{free_port()}", "--ui", "[::]:0", "--data", tmp_path / "d")
    assert status == 1 and "--token-file" in words


def test_a_token_alone_is_not_enough_and_a_short_one_is_refused(tmp_path):
    address = f"0.0.0.0:{free_port()}"
    status, words = serve("--http", address, "--ui", "off", "--data", tmp_path / "d", env={"REDOUBT_TOKEN": TOKEN})
    assert status == 1 and "--tls-cert" in words and "--behind-proxy" in words
    status, words = serve("--http", address, "--behind-proxy", "--data", tmp_path / "d", env={"REDOUBT_TOKEN": "short"})
    assert status == 1 and "16" in words


def test_with_a_token_every_call_needs_it(start_redoubt, tmp_path):
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n")
    redoubt = start_redoubt(["--token-file", file])
    for path in ("/healthz", "/readyz", "/version", "/openapi.json", "/api/v1/session"):
        assert redoubt.http("GET", path).status == 200, path
    refused = redoubt.api("GET", "/monitor/status")
    refused.error(401, "unauthorized")
    assert refused.headers["WWW-Authenticate"].startswith("Bearer")
    redoubt.http("GET", "/metrics").error(401, "unauthorized")
    redoubt.api("GET", "/monitor/status", headers={"Authorization": "Bearer wrong"}).error(401)
    redoubt.api("GET", "/monitor/status", headers={"Authorization": f"Bearer {TOKEN}"}).ok()


def test_the_page_trades_the_token_for_a_cookie(start_redoubt):
    redoubt = start_redoubt(env={"REDOUBT_TOKEN": TOKEN})
    assert redoubt.api("GET", "/session").ok()["auth_required"] is True
    redoubt.api("POST", "/session", {"token": "wrong-wrong-wrong-wrong"}).error(401, "unauthorized")
    browser = requests.Session()
    browser.trust_env = False
    reply = browser.post(redoubt.url + "/api/v1/session", json={"token": TOKEN}, timeout=10)
    cookie = reply.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and TOKEN not in cookie
    assert browser.get(redoubt.url + "/api/v1/monitor/status", timeout=10).status_code == 200
    browser.delete(redoubt.url + "/api/v1/session", timeout=10)
    assert browser.get(redoubt.url + "/api/v1/monitor/status", timeout=10).status_code == 401


def test_the_token_is_in_no_log_and_no_process_list(start_redoubt):
    redoubt = start_redoubt(env={"REDOUBT_TOKEN": TOKEN})
    redoubt.api("GET", "/monitor/status", headers={"Authorization": f"Bearer {TOKEN}"}).ok()
    redoubt.api("POST", "/session", {"token": TOKEN}).ok()
    assert TOKEN not in redoubt.log()
    with open(f"/proc/{redoubt.pid}/cmdline", "rb") as f:
        assert TOKEN.encode() not in f.read()
    shown = run_redoubt("config", env={"REDOUBT_TOKEN": TOKEN, "REDOUBT_CONNECT": "redis://:hunter2@h"}).stdout
    assert "(set)" in shown and TOKEN not in shown and "hunter2" not in shown


def test_foreign_hosts_and_origins_are_refused(redoubt):
    port = redoubt.http_port
    assert raw(redoubt, f"Host: localhost:{port}\r\n") == 200
    assert raw(redoubt, f"Host: evil.example:{port}\r\n") == 403
    assert raw(redoubt, "") == 403
    assert raw(redoubt, f"Host: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\n") == 200
    assert raw(redoubt, f"Host: 127.0.0.1:{port}\r\nOrigin: http://evil.example\r\n") == 403
    assert raw(redoubt, f"Host: 127.0.0.1:{port}\r\nOrigin: null\r\n") == 403


def test_a_form_of_another_site_cannot_reach_a_command(redoubt):
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        headers = f"Host: localhost\r\nContent-Type: {content_type}\r\nContent-Length: 2\r\n"
        assert raw(redoubt, headers, "/api/v1/monitor/disconnect", "POST", b"{}") == 415
    reply = redoubt.api("GET", "/monitor/status")
    assert "Access-Control-Allow-Origin" not in reply.headers
    assert "script" not in reply.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in reply.headers["Content-Security-Policy"]


def test_https_with_the_given_certificate(folder, _started):
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
        + ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", cert],
        check=True,
        capture_output=True,
    )
    class Secure(Redoubt):
        def command(self):
            return [REDOUBT, "serve", "--http", f"0.0.0.0:{self.http_port}", "--ui", "off", "--data", self.data_dir, *self.args]

        def _ready(self):
            try:
                return requests.get(f"https://localhost:{self.http_port}/readyz", verify=str(cert), timeout=2).ok
            except requests.RequestException:
                return False

    redoubt = _started.start(Secure(folder / "tls", args=["--tls-cert", cert, "--tls-key", key], env={"REDOUBT_TOKEN": TOKEN}))
    url = f"https://localhost:{redoubt.http_port}/api/v1/monitor/status"
    reply = requests.get(url, verify=str(cert), headers={"Authorization": f"Bearer {TOKEN}"}, timeout=10)
    assert reply.status_code == 200 and "Strict-Transport-Security" in reply.headers
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    with socket.create_connection(("127.0.0.1", redoubt.http_port)) as s:
        try:
            old.wrap_socket(s)
            raise AssertionError("TLS 1.1 was accepted")
        except (ssl.SSLError, OSError):
            pass
    assert os.path.exists(redoubt.data_dir / "redoubt.db")
