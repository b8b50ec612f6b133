#!/usr/bin/env python3
"""How many runs of a model 64 -> 64 -> 8 a second do 8 clients get from us, from litserve and from mlserver?

The same ONNX file, the same ONNX Runtime version with one thread, the same cores (all of this machine, which the client
takes its little share of too), batches of up to 32, one row a request, and one client program for all: AI.PREDICT
carries the row in and the answer out as an HTTP request does; AI.MODELEXECUTE reads and writes keys. The servers are
started one after the other, in several rounds.

The rivals (rivals/requirements.txt) are installed into an environment of their own, thrown away at the end unless
--environment names a folder to keep it in.

Then the same network beside the bare backend call in one thread: rows a second of requests with 32 rows.
"""

import argparse
import contextlib
import json
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import tempfile
import urllib.request

import numpy as np
from measure import load, process_cpu_s, resp, servers, started, table
from networks import in_process, network

RIVALS = pathlib.Path(__file__).resolve().parent / "rivals"
CLIENTS = 8
SMALL = [64, 64, 8]
CONFIG = {"ai.threads-per-queue": "1", "ai.intra-op-threads": "1"}


def install(folder):
    """The rivals' environment in `folder`; its python."""
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        command = [python, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--only-binary=:all:"]
        subprocess.run([*command, "-r", RIVALS / "requirements.txt"], check=True)
    return python


class Rival(servers.Process):
    """A program that serves HTTP on self.port;."""

    def __init__(self, folder, name, command, path, body, answer, env=None):
        super().__init__(folder, name)
        self.port = servers.free_port()
        self.command = command(self)
        self.url = f"http://127.0.0.1:{self.port}{path}"
        self.body = json.dumps(body).encode()
        self.answer = answer
        self.env = env or {}

    def start(self):
        self._spawn(self.command, env=self.env)
        servers.eventually(self.ask, timeout=90, interval=0.2, what=f"{self.name} answers: {self.log_tail()}")

    def ask(self):
        request = urllib.request.Request(self.url, self.body, {"Content-Type": "application/json"})
        try:
            return self.answer(json.load(urllib.request.urlopen(request, timeout=5)))
        except OSError:
            return None

    def processes(self):
        """This process and all that came from it."""
        parents = {}
        for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        found = [self.pid]
        for pid in found:
            found += [child for child, parent in parents.items() if parent == pid]
        return found

    def cpu_s(self):
        return sum(process_cpu_s(pid) for pid in self.processes())

    def request(self):
        head = f"POST {self.url.partition(str(self.port))[2]} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(self.body)}\r\n\r\n"
        return head.encode() + self.body

    def stop(self):
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(10)


def litserve(folder, python, model, row):
    return Rival(
        folder,
        "litserve",
        lambda self: [python, RIVALS / "litserve_app.py", model, self.port, 1],
        "/predict",
        {"x": row.tolist()},
        lambda reply: reply["y"],
    )


def mlserver(folder, python, model, row, batch=32):
    def command(self):
        settings = {"host": "127.0.0.1", "http_port": self.port, "grpc_port": servers.free_port(), "debug": False}
        # In-process: its default of one worker process costs it a hop and was slower.
        settings |= {"metrics_endpoint": None, "parallel_workers": 0, "gzip_enabled": False}
        (folder / "settings.json").write_text(json.dumps(settings))
        # 0.1 ms was the fastest of 0.1, 0.5 and 2 ms.
        one = {"name": "m", "implementation": "mlserver_model.Onnx", "max_batch_size": batch, "max_batch_time": 0.0001}
        one["parameters"] = {"uri": str(model), "extra": {"threads": 1}}
        (folder / "model-settings.json").write_text(json.dumps(one))
        return [python.parent / "mlserver", "start", folder]

    tensor = {"name": "x", "shape": [1, len(row)], "datatype": "FP32", "data": row.tolist()}
    return Rival(
        folder,
        "mlserver",
        command,
        "/v2/models/m/infer",
        {"inputs": [tensor]},
        lambda reply: reply["outputs"][0]["data"],
        {"PYTHONPATH": str(RIVALS)},
    )


def measured_rival(make, seconds, expected):
    """(requests/s, CPU us of the server per request, p50 us, p99 us)"""
    with started(make) as server:
        np.testing.assert_allclose(server.ask(), expected, rtol=1e-4)
        load(server.port, [server.request()], connections=CLIENTS, seconds=1, protocol="http")
        before = server.cpu_s()
        done = load(server.port, [server.request()], connections=CLIENTS, seconds=seconds, protocol="http")
        return figures(done, server.cpu_s() - before)


def figures(done, cpu_s):
    return done["rate"], cpu_s / done["all_requests"] * 1e6, done["p50_us"], done["p99_us"]


def execute_requests(count):
    return [resp("AI.MODELEXECUTE", "m", "INPUTS", 1, "x", "OUTPUTS", 1, f"y{i}") for i in range(count)]


@contextlib.contextmanager
def our_server(blob, rows, *batching):
    """A server that has the network as m and `rows` of input as x."""
    with started(lambda folder: servers.RedisServer(folder, config=CONFIG)) as server:
        client = server.client()
        client.execute_command("AI.MODELSTORE", "m", "ONNX", "CPU", *batching, "BLOB", blob)
        client.execute_command("AI.TENSORSET", "x", "FLOAT", *rows.shape, "BLOB", rows.tobytes())
        yield server


def measured_ours(blob, row, seconds, expected):
    with our_server(blob, row[None], "BATCHSIZE", 32) as server:
        predict = resp("AI.PREDICT", "m", "INPUTS", 1, "TENSOR", "FLOAT", 1, len(row), "BLOB", row.tobytes())
        client = server.client()
        client.execute_command("AI.MODELEXECUTE", "m", "INPUTS", 1, "x", "OUTPUTS", 1, "y0")
        answer = np.frombuffer(client.execute_command("AI.TENSORGET", "y0", "BLOB"), np.float32)
        np.testing.assert_allclose(answer, expected, rtol=1e-4)
        results = {}
        for name, requests in (("AI.PREDICT", [predict]), ("AI.MODELEXECUTE", execute_requests(CLIENTS))):
            load(server.port, requests, connections=CLIENTS, seconds=1)
            before = process_cpu_s(server.pid)
            done = load(server.port, requests, connections=CLIENTS, seconds=seconds)
            results[name] = figures(done, process_cpu_s(server.pid) - before)
        return results


def compare_with_rivals(python, model, rounds, seconds):
    blob = model.read_bytes()
    row = np.random.default_rng(2).standard_normal(SMALL[0]).astype(np.float32)
    with our_server(blob, row[None]) as server:
        client = server.client()
        client.execute_command("AI.MODELEXECUTE", "m", "INPUTS", 1, "x", "OUTPUTS", 1, "y")
        expected = np.frombuffer(client.execute_command("AI.TENSORGET", "y", "BLOB"), np.float32)
    rivals = {
        "litserve": lambda folder: litserve(folder, python, model, row),
        "mlserver": lambda folder: mlserver(folder, python, model, row),
        "mlserver without batching": lambda folder: mlserver(folder, python, model, row, batch=0),
    }
    taken = {}
    for _ in range(rounds):
        for name, one in measured_ours(blob, row, seconds, expected).items():
            taken.setdefault(name, []).append(one)
        for name, make in rivals.items():
            taken.setdefault(name, []).append(measured_rival(make, seconds, expected))
    middle = {name: [statistics.median(column) for column in zip(*some)] for name, some in taken.items()}
    print(f"### A model 64 → 64 → 8, {CLIENTS} clients, one row a request\n")
    table(
        ["server", "requests/s", "p50 µs", "p99 µs", "server CPU µs per request"],
        [
            [name, f"{rate:.0f}", f"{p50:.0f}", f"{p99:.0f}", f"{cpu:.0f}"]
            for name, (rate, cpu, p50, p99) in middle.items()
        ],
    )
    for ours in ("AI.PREDICT", "AI.MODELEXECUTE"):
        for theirs in rivals:
            ratio = statistics.median(a[0] / b[0] for a, b in zip(taken[ours], taken[theirs]))
            cpu = middle[theirs][1] / middle[ours][1]
            print(f"- {ours} beside {theirs}: {ratio:.1f}x the requests/s (bar 3x), CPU 1/{cpu:.0f}.")
    print()


def compare_with_bare_runs(folder, rounds, seconds):
    rows = []
    for widths in (SMALL, [512, 512, 512, 64]):
        blob = network(widths, "n")
        taken = []
        with our_server(blob, np.ones((32, widths[0]), np.float32), "BATCHSIZE", 32) as server:
            for turn in range(rounds + 1):
                bare = 32e6 / in_process(folder, blob, 32)["mean_us"]
                done = load(server.port, execute_requests(CLIENTS), connections=CLIENTS, seconds=seconds)
                if turn > 0:  # the first one warms up
                    taken.append((done["rate"] * 32, bare, done["rate"] * 32 / bare))
        ours, bare, ratio = (statistics.median(column) for column in zip(*taken))
        rows.append([" → ".join(map(str, widths)), f"{ours:.0f}", f"{bare:.0f}", f"{ratio:.2f}"])
    print(f"### Requests of 32 rows beside the bare backend call in one thread, {CLIENTS} clients\n")
    table(["network", "rows/s by AI.MODELEXECUTE", "rows/s in process", "ratio (bar 0.8)"], rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.0, help="length of a measurement")
    parser.add_argument("--environment", type=pathlib.Path, help="where the rivals' environment is kept for next time")
    parser.add_argument("--without-rivals", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="redoubt-rivals-") as folder:
        folder = pathlib.Path(folder)
        if not options.without_rivals:
            model = folder / "small.onnx"
            model.write_bytes(network(SMALL, "n"))
            python = install(options.environment or folder / "environment")
            compare_with_rivals(python, model, options.rounds, options.seconds)
        compare_with_bare_runs(folder, options.rounds, options.seconds)


if __name__ == "__main__":
    main()
