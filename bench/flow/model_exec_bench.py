#!/usr/bin/env python3
"""What does running a model inside the server cost beside the bare minimum?

A network 64 -> 64 -> 8 is run by AI.MODELEXECUTE; beside it ECHO of as many bytes as that request has, and the same
network called in process without a server, and HOP, a command that only blocks its client, wakes a thread and is
unblocked by it: the floor for all that runs beside the main thread (redoubt_model_run_bench and redoubt_hop of a build
with -DREDOUBT_BUILD_BENCH=ON).
AI.TENSORSET and TENSORGET stand beside SET and GET of the same bytes. The kinds take turns in short blocks, so that
what else the machine does falls on all of them alike.
"""

import numpy as np
from measure import RawClient, percentile, process_cpu_s, resp, servers, started, table
from networks import in_process, network

BLOCKS = 20
REQUESTS_PER_BLOCK = 1000


def compare(server, kinds):
    """{name: request} -> {name: (p50 us, server CPU us per request)}, measured in turns on one connection."""
    client = RawClient(server.port)
    lengths = {name: len(client.first_reply(request)) for name, request in kinds.items()}
    latencies = {name: [] for name in kinds}
    cpu_s = dict.fromkeys(kinds, 0.0)
    for block in range(BLOCKS + 1):
        for name, request in kinds.items():
            before = process_cpu_s(server.pid)
            measured = client.latencies_us(request, lengths[name], REQUESTS_PER_BLOCK)
            if block > 0:  # the first one warms up
                cpu_s[name] += process_cpu_s(server.pid) - before
                latencies[name] += measured
    client.close()
    return {
        name: (percentile(latencies[name], 0.5), cpu_s[name] / len(latencies[name]) * 1e6, percentile(latencies[name], 0.99))
        for name in kinds
    }


def main():
    blob = network([64, 64, 8])
    row = np.zeros((1, 64), np.float32).tobytes()
    hop = servers.BUILD / "lib" / "bench" / "redoubt_hop.so"
    config = {"io-threads": "1", **({"loadmodule": hop} if hop.exists() else {})}
    with started(lambda folder: servers.RedisServer(folder, config=config)) as server:
        client = server.client()
        client.execute_command("AI.MODELSTORE", "m", "ONNX", "CPU", "BLOB", blob)
        client.execute_command("AI.TENSORSET", "x", "FLOAT", 1, 64, "BLOB", row)
        execute = resp("AI.MODELEXECUTE", "m", "INPUTS", 1, "x", "OUTPUTS", 1, "y")
        echo = resp("ECHO", b"e" * max(1, len(execute) - len(resp("ECHO", b"")) - 2))
        blob_set = resp("AI.TENSORSET", "t", "FLOAT", 1, 64, "BLOB", row)
        results = compare(
            server,
            {
                "AI.MODELEXECUTE": execute,
                "ECHO": echo,
                **({"HOP": resp("HOP")} if hop.exists() else {}),
                "AI.TENSORSET": blob_set,
                "SET": resp("SET", "s", row),
                "AI.TENSORGET BLOB": resp("AI.TENSORGET", "t", "BLOB"),
                "GET": resp("GET", "s"),
            },
        )
        measured = in_process(server.dir, blob)
        bare = measured and (measured["p50_us"], measured["cpu_us"])

    print("### A model 64 → 64 → 8 and its tensors, one connection\n")
    table(
        ["request", "p50 µs", "p99 µs", "server CPU µs per request"],
        [[name, f"{p50:.1f}", f"{p99:.1f}", f"{cpu:.1f}"] for name, (p50, cpu, p99) in results.items()]
        + ([["the same run in process", f"{bare[0]:.1f}", "", f"{bare[1]:.1f}"]] if bare else []),
    )
    run, beside = results["AI.MODELEXECUTE"], results["ECHO"]
    print(f"- AI.MODELEXECUTE beside ECHO: p50 {run[0] / beside[0]:.2f}x (bar 1.6x).")
    if "HOP" in results:
        floor = results["HOP"]
        print(f"- A bare hop beside ECHO: p50 {floor[0] / beside[0]:.2f}x; AI.MODELEXECUTE beside it: {run[0] / floor[0]:.2f}x.")
    if bare:
        print(f"- CPU beyond the bare backend call: {run[1] - bare[1]:.1f} µs (bar 40 µs).")
    for ours, theirs in (("AI.TENSORSET", "SET"), ("AI.TENSORGET BLOB", "GET")):
        a, b = results[ours], results[theirs]
        print(f"- {ours} beside {theirs}: p50 {a[0] / b[0]:.2f}x, CPU {a[1] / b[1]:.2f}x.")
    print()


if __name__ == "__main__":
    main()
