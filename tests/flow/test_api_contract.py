"""The running server answers as its OpenAPI document says, to right and wrong requests alike (schemathesis)."""

import os
import subprocess
import sys

import pytest

SECONDS = int(os.environ.get("REDOUBT_CONTRACT_SECONDS", "45"))
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


@pytest.mark.timeout(240)
def test_replies_conform_to_the_document(start_redoubt, start_server, folder):
    server = start_server(module=False)
    redoubt = start_redoubt()
    redoubt.api("POST", "/monitor/connect", {"host": "127.0.0.1", "port": server.port, "name": "orders"}).ok()
    redoubt.api("POST", "/analyze", {"log_text": "OOM command not allowed when used memory > 'maxmemory'."}).ok()
    command = [
        *(os.path.join(os.path.dirname(sys.executable), "schemathesis"), "run", redoubt.url + "/openapi.json"),
        *("--checks", CHECKS, "--phases", "examples,fuzzing", "--max-examples", "30", "--seed", "20261122"),
        *("--max-time", str(SECONDS), "--request-timeout", "20", "--continue-on-failure", "--no-color"),
        # An endless reply, what connects to arbitrary hosts, and what would take the server away have their own tests.
        *("--exclude-path", "/api/v1/monitor/stream", "--exclude-path", "/api/v1/monitor/connect"),
        *("--exclude-path", "/api/v1/monitor/demo", "--exclude-path", "/api/v1/monitor/disconnect"),
    ]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert redoubt.alive
