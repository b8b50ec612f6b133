#!/usr/bin/env python3
"""Does a server that runs models at full load still answer GET as quickly as one beside which something else computes?

One connection asks GET without a pause, while 1. nothing else runs, 2. the model threads are kept busy by clients of
AI.MODELEXECUTE, 3. as many threads of a plain program compute at the same nice value (ai.worker-nice) and the same
server runs no model. The three take turns; p99 of the rounds, median. The bar compares 2 with 3: what models cost
beyond the cores that they take.
"""

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import threading
import time

import numpy as np
from measure import load, resp, servers, started, table
from networks import network

NICE = 5  # ai.worker-nice as it is by default
BURN = "import os\nos.nice({nice})\nwhile True: pass"


@contextlib.contextmanager
def burning(threads):
    """Programs that compute, one thread each, in the same session as the server (as its scheduling group)."""
    command = [sys.executable, "-c", BURN.format(nice=NICE)]
    burners = [subprocess.Popen(command) for _ in range(threads)]
    try:
        yield
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()


@contextlib.contextmanager
def running_models(server, clients, seconds):
    """Clients that execute the model until the block ends; yields a list that then holds what they got done."""
    done = []
    requests = [resp("AI.MODELEXECUTE", "m", "INPUTS", 1, "x", "OUTPUTS", 1, f"y{i}") for i in range(clients)]

    def work():
        done.append(load(server.port, requests, connections=clients, seconds=seconds))

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield done
    finally:
        thread.join()


def measure(threads, widths, rows, rounds, seconds):
    """{name: [(p50, p99, GETs/s) of each round]} and the share of the model threads' time that was used."""
    get = resp("GET", "s")
    measured = {"nothing": [], "models": [], "burner": []}
    busy = []
    config = {"ai.threads-per-queue": str(threads), "ai.intra-op-threads": "1"}
    with started(lambda folder: servers.RedisServer(folder, config=config)) as server:
        client = server.client()
        client.execute_command("AI.MODELSTORE", "m", "ONNX", "CPU", "BLOB", network(widths, "n"))
        blob = np.ones((rows, widths[0]), np.float32).tobytes()
        client.execute_command("AI.TENSORSET", "x", "FLOAT", rows, widths[0], "BLOB", blob)
        client.set("s", b"v" * 64)
        client.execute_command("AI.MODELEXECUTE", "m", "INPUTS", 1, "x", "OUTPUTS", 1, "y0")
        for turn in range(rounds + 1):
            taken = {"nothing": load(server.port, [get], seconds=seconds)}
            with running_models(server, 8, seconds * 1.5) as done:
                before, start = worker_cpu_s(client), time.monotonic()
                taken["models"] = load(server.port, [get], seconds=seconds)
                used = (worker_cpu_s(client) - before) / (time.monotonic() - start)
            with burning(threads):
                taken["burner"] = load(server.port, [get], seconds=seconds)
            if turn == 0:  # warms up
                continue
            busy.append(used / threads)
            for name, one in taken.items():
                measured[name].append((one["p50_us"], one["p99_us"], one["rate"]))
            measured.setdefault("executions/s", []).append(done[0]["rate"])
    return measured, statistics.median(busy)


def worker_cpu_s(client):
    info = client.info("ai_cpu")
    return sum(float(value) for name, value in info.items() if "_bthread_" in name)


def report(threads, widths, rows, options):
    measured, busy = measure(threads, widths, rows, options.rounds, options.seconds)
    executions = statistics.median(measured.pop("executions/s"))
    of = f"{threads} model thread{'s' if threads > 1 else ''}"
    print(f"{of}, network {' → '.join(map(str, widths))}, {rows} rows a run:\n")
    middle = {name: [statistics.median(column) for column in zip(*taken)] for name, taken in measured.items()}
    table(
        ["beside GET", "p50 µs", "p99 µs", "GETs/s"],
        [[name, f"{p50:.1f}", f"{p99:.1f}", f"{rate:.0f}"] for name, (p50, p99, rate) in middle.items()],
    )
    ratios = sorted(a[1] / b[1] for a, b in zip(measured["models"], measured["burner"]))
    low, high = ratios[len(ratios) // 4], ratios[-1 - len(ratios) // 4]
    print(
        f"- GET p99 beside models / beside a burner: {statistics.median(ratios):.2f} (bar 1.5; middle half of "
        f"{len(ratios)} rounds {low:.2f} to {high:.2f}). Meanwhile {executions:.0f} runs a second, on "
        f"{busy * 100:.0f} % of the model threads' time.\n"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--seconds", type=float, default=0.5, help="length of a round of one kind")
    options = parser.parse_args()
    print("### GET while models run at full load\n")
    for threads in sorted({1, os.cpu_count()}):
        for widths in ([512, 512, 512, 64], [2048, 2048, 2048, 64]):
            report(threads, widths, 32, options)


if __name__ == "__main__":
    main()
