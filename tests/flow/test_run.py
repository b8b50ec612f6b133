"""./run as a user meets it, with the dev build: it starts everything, stops cleanly, and keeps the data."""

import os
import re
import signal
import socket
import subprocess
from pathlib import Path

import pytest
import redis
import requests

from servers import BUILD, ROOT, _die_with_parent, eventually, free_port

pytestmark = [
    pytest.mark.skipif(BUILD != ROOT / "build" / "dev", reason="./run --debug uses build/dev"),
    pytest.mark.timeout(180),
    # Each may build in build/dev.
    pytest.mark.xdist_group("run"),
]


def parent(stat):
    try:
        return int(stat.read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None


def as_from_a_terminal():
    """A program started in the background of a script inherits an ignored SIGINT, which no shell can trap again."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    _die_with_parent()


class Run:
    """A started ./run in a process group of its own, as a terminal would have it."""

    def __init__(self, *args):
        self.process = subprocess.Popen(
            [ROOT / "run", "--debug", *map(str, args)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            preexec_fn=as_from_a_terminal,
        )
        self.output = ""

    def wait_ready(self):
        for line in self.process.stdout:
            self.output += line
            if "Ctrl-C stops everything" in line:
                return self
        raise AssertionError(f"./run ended with {self.process.wait()}:\n{self.output}")

    def children(self):
        return [int(path.parent.name) for path in Path("/proc").glob("[0-9]*/stat") if parent(path) == self.process.pid]

    def ctrl_c(self):
        os.killpg(self.process.pid, signal.SIGINT)
        self.output += self.process.communicate(timeout=60)[0]
        return self.process.returncode

    def stop(self):
        if self.process.poll() is None:
            self.ctrl_c()


@pytest.fixture
def start_run(folder):  # which must outlive the servers: they save their data in it
    runs = []

    def start(*args):
        runs.append(Run(*args))
        return runs[-1]

    yield start
    for run in runs:
        run.stop()


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # An ended child whose parent has gone stays as a zombie where no init collects it.
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rpartition(")")[2].split()[0] != "Z"


def listens(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


def test_run_starts_all_stops_cleanly_and_keeps_the_data(start_run, folder):
    ports = {"--http-port": free_port(), "--ui-port": free_port(), "--redis-port": free_port()}
    options = [word for pair in ports.items() for word in pair] + ["--data", folder / "data"]

    run = start_run(*options).wait_ready()
    pids = run.children()
    with redis.Redis(port=ports["--redis-port"], decode_responses=True) as client:
        assert "ai" in [module["name"] for module in client.module_list()]
        client.set("kept", "yes")
    status = f"http://127.0.0.1:{ports['--http-port']}/api/v1/monitor/status"
    assert eventually(lambda: "local" in requests.get(status, timeout=10).text)
    assert requests.get(f"http://127.0.0.1:{ports['--ui-port']}/", timeout=10).status_code == 200

    assert run.ctrl_c() == 0, run.output
    assert len(pids) >= 2 and not any(alive(pid) for pid in pids)
    assert not any(listens(port) for port in ports.values())

    again = start_run(*options).wait_ready()
    assert "of" not in re.findall(r"^ +\d+ (\w+) \d+ steps", again.output, re.M), "the second start built again"
    with redis.Redis(port=ports["--redis-port"], decode_responses=True) as client:
        assert client.get("kept") == "yes"


def test_run_takes_the_next_free_port_and_says_so(start_run, folder):
    with socket.socket() as taken:
        # Where something else listens on 6379 already, that serves as well.
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", 6379))
            taken.listen()
        except OSError:
            pass
        run = start_run("--http-port", free_port(), "--ui-port", free_port(), "--data", folder / "data").wait_ready()
    assert "port 6379 is taken" in run.output
    port = int(re.search(r"redis://127\.0\.0\.1:(\d+)", run.output).group(1))
    assert port > 6379 and redis.Redis(port=port).ping()


def test_run_refuses_a_port_that_was_asked_for_and_is_taken(start_run, folder):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        run = start_run("--http-port", taken.getsockname()[1], "--data", folder / "data")
        output, _ = run.process.communicate(timeout=120)
    assert run.process.returncode == 1
    assert "is taken" in output and "--http-port" in output


def test_killing_run_leaves_no_server_behind(start_run, folder):
    run = start_run(
        "--http-port", free_port(), "--ui-port", free_port(), "--redis-port", free_port(), "--data", folder / "data"
    ).wait_ready()
    pids = run.children()
    run.process.kill()
    run.process.wait(10)
    eventually(lambda: not any(alive(pid) for pid in pids), timeout=20)
    run.process.stdout.close()


def test_run_attaches_to_a_server_instead_of_starting_one(start_run, start_server, folder):
    server = start_server(module=False)
    run = start_run(
        "--redis", server.url, "--http-port", free_port(), "--ui-port", free_port(), "--data", folder / "data"
    ).wait_ready()
    names = [c.get("name") for c in server.client(decode_responses=True).client_list()]
    assert "redoubt" in names
    assert run.ctrl_c() == 0
    assert server.client().ping()
