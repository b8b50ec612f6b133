"""Fixtures of the flow tests.

engine          "redis" or "valkey": a test that names it (or server, or client) runs once on each
start_server()  starts a real server:  start_server(module=True, config={"maxmemory": "50mb"})
server, client  a server with the module on each engine, and a redis-py client of it
start_redoubt() starts `redoubt serve`:  start_redoubt(["--allow-test-faults", f"127.0.0.1:{port}"])
redoubt         a `redoubt serve` with a fresh data folder
"""

import os
import pathlib
import sys
import tempfile
import zlib

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from servers import Redoubt, RedisServer  # noqa: E402

# REDOUBT_ENGINES=redis shortens a run at the desk; ./test runs both.
ENGINES = os.environ.get("REDOUBT_ENGINES", "redis,valkey").split(",")


def pytest_collection_modifyitems(config, items):
    """Where tests run beside each other (-n): the long ones first, so that none is left over at the end, and the others
    mixed, so that those that wait run beside those that compute."""
    if hasattr(config, "workerinput"):

        def order(item):
            timeout = item.get_closest_marker("timeout")
            return (-timeout.args[0] if timeout else 0, zlib.crc32(item.nodeid.encode()))

        items.sort(key=order)


@pytest.fixture(params=ENGINES)
def engine(request):
    return request.param


@pytest.fixture
def folder():
    """An empty folder for this test, short enough for a Unix socket, removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="redoubt-test-", ignore_cleanup_errors=True) as path:
        yield pathlib.Path(path)


class _Started:
    """The programs a test has started, stopped in reverse order."""

    def __init__(self):
        self.processes = []

    def start(self, process):
        # Kept before it starts: a program that hangs while starting must be stopped too.
        self.processes.append(process)
        return process.start()

    def stop_all(self):
        failures = []
        for process in reversed(self.processes):
            try:
                if process.process is not None:
                    process.stop()
            except AssertionError as error:
                failures.append(str(error))
        assert not failures, "\n".join(failures)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Adds the end of every server's log to the report of a failing test."""
    outcome = yield
    report = outcome.get_result()
    if report.when == "call" and report.failed:
        started = item.funcargs.get("_started")
        for process in started.processes if started else []:
            report.sections.append((f"log of {process.name} ({process.dir.name})", process.log_tail()))


@pytest.fixture
def _started(folder):
    started = _Started()
    yield started
    started.stop_all()


@pytest.fixture
def start_server(request, folder, _started):
    default_engine = request.getfixturevalue("engine") if "engine" in request.fixturenames else "redis"

    def start(module=True, config=None, engine=None, module_args=(), env=None):
        number = len(_started.processes)
        server = RedisServer(
            folder / f"server{number}",
            engine=engine or default_engine,
            module=module,
            config=config,
            module_args=module_args,
            env=env,
        )
        return _started.start(server)

    return start


@pytest.fixture
def server(engine, start_server):
    return start_server()


@pytest.fixture
def client(server):
    with server.client() as c:
        yield c


@pytest.fixture
def start_redoubt(folder, _started):
    def start(args=(), data_dir=None, env=None):
        number = len(_started.processes)
        return _started.start(Redoubt(folder / f"redoubt{number}", args=args, data_dir=data_dir, env=env))

    return start


@pytest.fixture
def redoubt(start_redoubt):
    return start_redoubt()
