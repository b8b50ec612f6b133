"""What the flow benches share: real servers, their CPU time and memory, percentiles and a table.

The servers are those of tests/flow/servers.py; REDOUBT_BUILD names the build folder (a release build for numbers that
are to be quoted).
"""

import contextlib
import json
import os
import pathlib
import platform
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
os.environ.setdefault("REDOUBT_BUILD", str(ROOT / "build" / "release"))
sys.path.insert(0, str(ROOT / "tests" / "flow"))

import servers  # noqa: E402


def machine():
    """One line: processor, cores, memory, system."""
    model = next((l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), "?")
    kib = int(next(l.split()[1] for l in open("/proc/meminfo") if l.startswith("MemTotal")))
    return f"{model}, {os.cpu_count()} cores, {kib / 2**20:.0f} GiB, {platform.system()} {platform.release()}"


def load_average():
    """How busy the machine is with other things; meant for before a bench."""
    return f"load average {os.getloadavg()[0]:.1f}"


def revision():
    out = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    return out.stdout.strip() or "unknown"


@contextlib.contextmanager
def started(make):
    """with started(lambda folder: RedisServer(folder, ...)) as server: a server that is stopped at the end."""
    with tempfile.TemporaryDirectory(prefix="redoubt-bench-", ignore_cleanup_errors=True) as folder:
        process = make(pathlib.Path(folder) / "server")
        process.start()
        try:
            yield process
        finally:
            process.stop()


def process_cpu_s(pid):
    """User and system time of a process so far, all threads, ended ones too, to the nanosecond."""
    return time.clock_gettime(~pid << 3 | 2)  # clock_getcpuclockid(3): the CPU clock of another process


def resident_mib(pid, field="VmRSS"):
    """VmRSS, VmHWM (the highest it ever was), RssAnon or RssFile in MiB."""
    return int(next(l.split()[1] for l in open(f"/proc/{pid}/status") if l.startswith(field + ":"))) / 1024


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def load(port, requests, *, connections=1, seconds=2.0, protocol="resp"):
    """Runs redoubt_load_client: what it prints, and "rate", requests a second."""
    program = servers.BUILD / "bin" / "redoubt_load_client"
    if not program.exists():
        raise SystemExit(f"{program} is missing: configure with -DREDOUBT_BUILD_BENCH=ON and build it")
    with tempfile.TemporaryDirectory(prefix="redoubt-load-") as folder:
        files = []
        for i, request in enumerate(requests):
            files.append(pathlib.Path(folder) / str(i))
            files[-1].write_bytes(request)
        command = [program, str(port), protocol, str(connections), str(seconds), *files]
        done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    measured = json.loads(done.stdout)
    if measured["errors"]:
        raise SystemExit(f"{measured['errors']} of {measured['requests']} replies are errors: {done.stderr}")
    return {**measured, "rate": measured["requests"] / measured["seconds"]}


def table(head, rows):
    """A Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    print("\n".join(lines) + "\n")


def resp(*arguments):
    """A command as it goes over the wire."""
    parts = [a if isinstance(a, bytes) else str(a).encode() for a in arguments]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts)


class RawClient:
    """One connection that sends ready-made bytes and knows how long the reply is: the client costs next to nothing."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def close(self):
        self.socket.close()

    def first_reply(self, request):
        """The whole reply, waited for by silence; learns its length for ask()."""
        self.socket.sendall(request)
        self.socket.settimeout(1.0)
        reply = self.socket.recv(1 << 20)
        self.socket.settimeout(0.05)
        with contextlib.suppress(TimeoutError):
            while more := self.socket.recv(1 << 20):
                reply += more
        self.socket.settimeout(None)
        return reply

    def ask(self, request, reply_bytes):
        self.socket.sendall(request)
        while reply_bytes > 0:
            reply_bytes -= len(self.socket.recv(1 << 20))

    def latencies_us(self, request, reply_bytes, count):
        out = []
        for _ in range(count):
            start = time.perf_counter_ns()
            self.ask(request, reply_bytes)
            out.append((time.perf_counter_ns() - start) / 1000)
        return out
