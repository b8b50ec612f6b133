"""Real servers for the flow tests: Redis 7.0.15, Valkey 8.0 and `redoubt serve`.

Every server listens on a free loopback port, works in its own temporary folder, and dies with the test run, also
when that is killed. The fixtures in conftest.py are the usual way in.

Environment: REDOUBT_BUILD (a build folder, default build/dev), REDOUBT_CACHE, REDOUBT_PRELOAD (a sanitizer's runtime
library that every server of ours is started with).
"""

import collections
import contextlib
import ctypes
import json as jsonlib
import os
import pathlib
import select
import shutil
import signal
import socket
import subprocess
import time

import redis
import requests
from redis.backoff import NoBackoff
from redis.retry import Retry

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("REDOUBT_BUILD") or ROOT / "build" / "dev").resolve()
CACHE = pathlib.Path(
    os.environ.get("REDOUBT_CACHE")
    or pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "redoubt"
)
MODULE = BUILD / "lib" / "redisai.so"
REDOUBT = BUILD / "bin" / "redoubt"
PROGRAMS = {
    "redis": CACHE / "servers" / "redis-7.0.15" / "bin" / "redis-server",
    "valkey": CACHE / "servers" / "valkey-8.0" / "bin" / "valkey-server",
}
PRELOAD = os.environ.get("REDOUBT_PRELOAD", "")
# Other tests run meanwhile, and a sanitized process is several times slower to start.
START_SECONDS = 120 if PRELOAD else 60

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


def _die_with_parent():
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _port_range():
    """Below what the kernel gives to outgoing connections: such a port is still free when its server restarts."""
    try:
        first = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except OSError:
        first = 32768
    return (10_000, first) if first >= 15_000 else (10_000, 60_000)


class _Ports:
    """Ports that no other test run of this machine hands out meanwhile: each is claimed by the name of a socket, which
    the kernel takes back when this process ends, whatever its end."""

    def __init__(self):
        self._first, self._end = _port_range()
        # Others start elsewhere, so that few claims are refused.
        self._next = self._first + os.getpid() * 101 % (self._end - self._first)
        # Nearly all are released when a server has long had its port; an open descriptor each.
        self._claims = collections.deque(maxlen=300)

    def take(self):
        for _ in range(self._end - self._first):
            port, self._next = self._next, self._next + 1 if self._next + 1 < self._end else self._first
            claim = socket.socket(socket.AF_UNIX)
            try:
                claim.bind(f"\0redoubt-test-port-{port}")
                with socket.socket() as s:
                    s.bind(("127.0.0.1", port))
            except OSError:
                claim.close()
                continue
            if len(self._claims) == self._claims.maxlen:
                self._claims.popleft().close()
            self._claims.append(claim)
            return port
        raise AssertionError(f"no free port in {self._first}..{self._end - 1}")


_ports = _Ports()


def free_port():
    """A loopback port that nobody listens on, for servers and for the bus of a cluster."""
    return _ports.take()


def commit():
    """The commit of this source tree, or "unknown" when it is no clone."""
    command = ["git", "-c", f"safe.directory={ROOT}", "-C", str(ROOT), "rev-parse", "HEAD"]
    done = subprocess.run(command, capture_output=True, text=True) if (ROOT / ".git").exists() else None
    return done.stdout.strip() if done and done.returncode == 0 else "unknown"


def eventually(check, timeout=10.0, interval=0.05, what=None):
    """Calls check() until it returns something true, and returns that. An AssertionError inside counts as not yet."""
    deadline = time.monotonic() + timeout
    while True:
        failure = None
        try:
            value = check()
            if value:
                return value
        except AssertionError as error:
            failure = error
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout} s: {what or failure or check}") from failure
        time.sleep(interval)


class Process:
    """A started program with its log file. Subclasses know how to start it and when it is ready."""

    def __init__(self, folder, name):
        self.dir = pathlib.Path(folder)
        self.dir.mkdir(parents=True, exist_ok=True)
        self.log_file = self.dir / f"{name}.log"
        self.name = name
        self.process = None

    @property
    def pid(self):
        return self.process.pid

    @property
    def alive(self):
        return self.process is not None and self.process.poll() is None

    def log(self):
        """Everything that the program has written so far."""
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def log_tail(self, lines=40):
        return "\n".join(self.log().splitlines()[-lines:])

    def _spawn(self, command, env=None, preload=False):
        environment = {**os.environ, **(env or {})}
        if preload and PRELOAD:
            environment["LD_PRELOAD"] = PRELOAD
            # Leaks are looked for by the unit tests. A server ends without freeing its keys, whoever allocated them.
            environment["ASAN_OPTIONS"] = environment.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen(
                [str(part) for part in command],
                cwd=self.dir,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=_die_with_parent,
            )

    def _wait_ready(self, ready):
        deadline = time.monotonic() + START_SECONDS
        while not ready():
            if not self.alive:
                raise AssertionError(
                    f"{self.name} ended with {self.process.returncode} while starting:\n{self.log_tail()}"
                )
            if time.monotonic() > deadline:
                self.kill9()
                raise AssertionError(f"{self.name} was not ready within {START_SECONDS} s:\n{self.log_tail()}")
            time.sleep(0.01)

    def kill9(self):
        """SIGKILL, as a power cut would."""
        if self.alive:
            self.process.kill()
        self._wait(10)

    def _wait(self, timeout):
        """The exit status; as Popen.wait(), which looks every 50 ms only."""
        if self.process.poll() is None:
            try:
                handle = os.pidfd_open(self.pid)
            except OSError:  # not in every container
                return self.process.wait(timeout)
            ended = select.poll()
            ended.register(handle, select.POLLIN)
            ended.poll(timeout * 1000)
            os.close(handle)
        return self.process.wait(0)

    def terminate(self, timeout=15):
        """SIGTERM; returns (exit status, seconds it took). Fails when the program does not end in time."""
        started = time.monotonic()
        if self.alive:
            self.process.terminate()
        try:
            status = self._wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill9()
            raise AssertionError(f"{self.name} did not end {timeout} s after SIGTERM:\n{self.log_tail()}") from None
        return status, time.monotonic() - started

    def stop(self):
        """For the end of a test: ends the program whatever state it is in, and complains when a sanitizer did."""
        if self.alive and not self.dir.exists():
            # A server that cannot save refuses SIGTERM; that is what remove_directory() is for.
            self.kill9()
        elif self.alive:
            # A stopped (SIGSTOP) process would never see SIGTERM.
            self.process.send_signal(signal.SIGCONT)
            self.terminate()
        log = self.log()
        for mark in ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "WARNING: ThreadSanitizer", "runtime error:"):
            assert mark not in log, f"{self.name}: {log[log.index(mark):][:6000]}"


class RedisServer(Process):
    """A redis-server or valkey-server.

    config: directives for the configuration file; a list repeats the directive, None leaves out a default of ours.
    module: loads the built redisai.so, with module_args behind it.
    """

    def __init__(self, folder, engine="redis", module=True, config=None, module_args=(), env=None):
        super().__init__(folder, engine)
        self.engine = engine
        self.module = module
        self.module_args = list(module_args)
        self.env = env or {}
        self.config = {
            "bind": "127.0.0.1",
            "save": '""',
            "enable-debug-command": "local",
            # A replica begins at once; the server would wait 5 seconds for another one.
            "repl-diskless-sync-delay": 0,
            "daemonize": "no",
            **(config or {}),
        }
        self.port = None

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}"

    def client(self, **options):
        """A redis-py client; replies are bytes unless decode_responses=True."""
        # By itself it would call for seconds at a server that has ended.
        options = {"socket_timeout": 30, "retry": Retry(NoBackoff(), 3), **options}
        return redis.Redis(host="127.0.0.1", port=self.port, **options)

    def start(self):
        program = PROGRAMS[self.engine]
        if not program.exists():
            raise AssertionError(f"{program} is missing: run tools/setup/fetch")
        if self.module and not MODULE.exists():
            raise AssertionError(f"{MODULE} is missing: build it, or set REDOUBT_BUILD to the build folder")
        keep_port = self.port
        # Between free_port() and the server's own bind somebody else may take the port.
        for attempt in range(5):
            self.port = keep_port or int(self.config.get("port") or free_port())
            self._write_config()
            self._spawn([program, self.dir / "redis.conf"], self.env, preload=self.module)
            try:
                self._wait_ready(self._ready)
                return self
            except AssertionError:
                if "Address already in use" not in self.log() or keep_port or attempt == 4:
                    raise
                self.log_file.unlink()
        return self

    def _write_config(self):
        lines = [f"port {self.port}", f"dir {self.dir}"]
        for name, value in self.config.items():
            if name in ("port", "dir") or value is None:
                continue
            lines += [f"{name} {v}" for v in (value if isinstance(value, (list, tuple)) else [value])]
        if self.module:
            lines.append(" ".join(["loadmodule", str(MODULE), *map(str, self.module_args)]))
        (self.dir / "redis.conf").write_text("\n".join(lines) + "\n")

    def _ready(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as s:
                s.settimeout(5)
                s.sendall(b"PING\r\n")
                answer = s.recv(64)
        except OSError:
            return False
        # A wrong or missing password is an answer too.
        return answer.startswith((b"+PONG", b"-NOAUTH", b"-DENIED", b"-NOPERM"))

    def restart(self, how="terminate"):
        """Ends the server (how: terminate, kill9, or nosave) and starts it again on the same port and folder."""
        if how == "kill9":
            self.kill9()
        elif how == "nosave":
            with contextlib.suppress(redis.ConnectionError):
                self.client().execute_command("SHUTDOWN", "NOSAVE")
            self._wait(10)
        else:
            self.terminate()
        return self.start()

    def stalled(self):
        """with server.stalled(): the process is stopped (SIGSTOP) and answers nothing."""

        @contextlib.contextmanager
        def pause():
            self.process.send_signal(signal.SIGSTOP)
            try:
                yield self
            finally:
                self.process.send_signal(signal.SIGCONT)

        return pause()

    def remove_directory(self):
        """Takes the working directory away under the running server, so that every save fails (also for root)."""
        doomed = self.dir
        self.log_file = self.log_file.rename(doomed.parent / f"{doomed.name}.log")
        shutil.rmtree(doomed)


def cluster_config(**more):
    """What a server that shall become a node of a cluster is started with."""
    return {
        "cluster-enabled": "yes",
        "cluster-port": free_port(),
        "cluster-node-timeout": 5000,
        "cluster-require-full-coverage": "no",
        **more,
    }


def node_id(server):
    """The cluster's name for a server."""
    return server.client().execute_command("CLUSTER", "MYID").decode()


def join_cluster(servers):
    """Makes a cluster of servers that were started with cluster_config(); each gets an equal share of the slots."""
    slots = 16384
    for number, server in enumerate(servers):
        first, last = slots * number // len(servers), slots * (number + 1) // len(servers) - 1
        with server.client() as client:
            client.execute_command("CLUSTER", "ADDSLOTSRANGE", first, last)
            client.execute_command("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            client.execute_command("CLUSTER", "MEET", "127.0.0.1", servers[0].port, servers[0].config["cluster-port"])

    def agreed(server):
        with server.client() as client:
            info = str(client.execute_command("CLUSTER", "INFO"))
            nodes = str(client.execute_command("CLUSTER", "NODES"))
        # A message over a link that is not there yet is lost.
        linked = nodes.count(" connected") == len(servers) and "handshake" not in nodes
        return linked and "cluster_state:ok" in info and f"cluster_slots_ok:{slots}" in info

    for server in servers:
        eventually(lambda server=server: agreed(server), timeout=30, what="the nodes of the cluster agree")


class ApiReply:
    """What an HTTP request of Redoubt.api() or .http() brought back."""

    def __init__(self, response):
        self.status = response.status_code
        self.headers = response.headers
        self.text = response.text
        self.content = response.content

    @property
    def body(self):
        """The parsed JSON."""
        return jsonlib.loads(self.content)

    def ok(self, status=200):
        """The parsed JSON; fails with the text of the reply when the status is another."""
        assert self.status == status, f"HTTP {self.status}, wanted {status}: {self.text[:2000]}"
        return self.body

    def error(self, status, code=None):
        """The error object; fails when the reply is not that error."""
        assert self.status == status, f"HTTP {self.status}, wanted {status}: {self.text[:2000]}"
        error = self.body["error"]
        assert error["code"] and error["message"], error
        if code:
            assert error["code"] == code, error
        return error


class Redoubt(Process):
    """A running `redoubt serve` on free loopback ports."""

    def __init__(self, folder, args=(), data_dir=None, env=None):
        super().__init__(folder, "redoubt")
        self.args = list(args)
        self.data_dir = pathlib.Path(data_dir) if data_dir else self.dir / "data"
        # Settings of the machine or of a developer must not leak into a test.
        self.env = {"REDOUBT_LOG_LEVEL": "debug", **(env or {})}
        self.http_port = None
        self.ui_port = None
        self._session = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def ui_url(self):
        return f"http://127.0.0.1:{self.ui_port}"

    def command(self):
        return [
            REDOUBT,
            "serve",
            "--http",
            f"127.0.0.1:{self.http_port}",
            "--ui",
            f"127.0.0.1:{self.ui_port}",
            "--data",
            self.data_dir,
            *self.args,
        ]

    def start(self):
        if not REDOUBT.exists():
            raise AssertionError(f"{REDOUBT} is missing: build it, or set REDOUBT_BUILD to the build folder")
        self.http_port = self.http_port or free_port()
        self.ui_port = self.ui_port or free_port()
        self.data_dir.mkdir(parents=True, exist_ok=True)
        # One connection kept open; trust_env off so that a proxy setting does not catch loopback.
        self._session = requests.Session()
        self._session.trust_env = False
        self._spawn(self.command(), self.env, preload=True)
        self._wait_ready(self._ready)
        return self

    def _ready(self):
        try:
            return self._session.get(self.url + "/readyz", timeout=2).status_code == 200
        except requests.RequestException:
            return False

    def http(self, method, path, json=None, timeout=30, **options):
        """Any path from the root: http("GET", "/healthz")."""
        if json is not None:
            options["json"] = json
        return ApiReply(self._session.request(method, self.url + path, timeout=timeout, **options))

    def api(self, method, path, json=None, timeout=30, **options):
        """A path under /api/v1: api("POST", "/analyze", {...}).ok()["category"]."""
        return self.http(method, "/api/v1" + path, json=json, timeout=timeout, **options)

    def events(self, path="/monitor/stream", timeout=30, headers=None):
        """Server-sent events under /api/v1 as dicts {event, id, data}; data is parsed JSON where it is JSON."""
        response = requests.get(
            self.url + "/api/v1" + path,
            stream=True,
            timeout=timeout,
            headers={"Accept": "text/event-stream", **(headers or {})},
            proxies={"http": None},
        )
        assert response.status_code == 200, response.text
        with response:
            event = {}
            for line in response.iter_lines(chunk_size=1, decode_unicode=True):
                if line:
                    field, _, value = line.partition(":")
                    value = value.removeprefix(" ")
                    event[field] = event[field] + "\n" + value if field == "data" and "data" in event else value
                elif event:
                    with contextlib.suppress(ValueError, KeyError):
                        event["data"] = jsonlib.loads(event["data"])
                    if "data" in event:
                        yield event
                    event = {}

    def restart(self, how="terminate"):
        """Ends it (how: terminate or kill9) and starts it again on the same ports and data."""
        self.kill9() if how == "kill9" else self.terminate()
        return self.start()


def run_redoubt(*args, timeout=60, env=None, input=None, cwd=None):
    """A command of the CLI to its end: run_redoubt("kb", "validate").returncode / .stdout / .stderr."""
    if not REDOUBT.exists():
        raise AssertionError(f"{REDOUBT} is missing: build it, or set REDOUBT_BUILD to the build folder")
    return subprocess.run(
        [str(REDOUBT), *map(str, args)],
        capture_output=True,
        text=True,
        timeout=timeout,
        env={**os.environ, **(env or {})},
        input=input,
        cwd=cwd,
    )
