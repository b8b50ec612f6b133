#!/usr/bin/env python3
"""How fast do 600 KB tensors go in and out, beside plain strings of the same bytes?

AI.TENSORSET BLOB beside SET and AI.TENSORGET BLOB beside GET: one connection of the same client program, the same
server, short rounds in turns, so that what else the machine does falls on both. The figure that counts is the median
over the rounds of ours / theirs.
"""

import argparse
import statistics

import numpy as np
from measure import load, process_cpu_s, resp, servers, started, table

FLOATS = 150_000  # 600 KB


def rounds(server, requests, count, seconds):
    """{name: [(requests/s, server CPU us per request) of each round]}; the order turns around every round."""
    measured = {name: [] for name in requests}
    for turn in range(count + 1):
        for name in list(requests)[:: 1 if turn % 2 else -1]:
            before = process_cpu_s(server.pid)
            done = load(server.port, [requests[name]], seconds=seconds)
            if turn > 0:  # the first one warms up
                measured[name].append((done["rate"], (process_cpu_s(server.pid) - before) / done["all_requests"] * 1e6))
    return measured


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=0.3, help="length of a round of one command")
    parser.add_argument("--engine", default="redis", choices=list(servers.PROGRAMS))
    options = parser.parse_args()
    blob = np.random.default_rng(1).standard_normal(FLOATS).astype(np.float32).tobytes()
    with started(lambda folder: servers.RedisServer(folder, engine=options.engine)) as server:
        requests = {
            "AI.TENSORSET BLOB": resp("AI.TENSORSET", "t", "FLOAT", FLOATS, "BLOB", blob),
            "SET": resp("SET", "s", blob),
            "AI.TENSORGET BLOB": resp("AI.TENSORGET", "t", "BLOB"),
            "GET": resp("GET", "s"),
        }
        for name in ("AI.TENSORSET BLOB", "SET"):
            load(server.port, [requests[name]], seconds=0.1)
        measured = rounds(server, requests, options.rounds, options.seconds)

    print(f"### A tensor of 600 KB, one connection ({options.engine})\n")
    middle = {name: [statistics.median(column) for column in zip(*taken)] for name, taken in measured.items()}
    table(
        ["request", "requests/s", "GB/s", "server CPU µs per request"],
        [
            [name, f"{rate:.0f}", f"{rate * len(blob) / 1e9:.2f}", f"{cpu:.0f}"]
            for name, (rate, cpu) in middle.items()
        ],
    )
    for ours, theirs in (("AI.TENSORSET BLOB", "SET"), ("AI.TENSORGET BLOB", "GET")):
        ratios = sorted(a[0] / b[0] for a, b in zip(measured[ours], measured[theirs]))
        low, high = ratios[len(ratios) // 4], ratios[-1 - len(ratios) // 4]
        cpu = statistics.median(a[1] / b[1] for a, b in zip(measured[ours], measured[theirs]))
        print(
            f"- {ours} beside {theirs}: {statistics.median(ratios):.2f} of the throughput (bar 0.9; "
            f"middle half of {len(ratios)} rounds {low:.2f} to {high:.2f}), CPU {cpu:.2f}x."
        )
    print()


if __name__ == "__main__":
    main()
