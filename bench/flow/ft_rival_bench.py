#!/usr/bin/env python3
"""What does a search cost beside another server with FT.*?

Both hold the same vectors (the data of vector_peer.py) in an index of the same parameters; each search the least
EF_RUNTIME with which it reaches the recall that is asked for. Then they take turns in short rounds, and the median of
the ratios of their CPU time per query counts: machines are shared, and clocks drift.

    bench/flow/ft_rival_bench.py --rival-port 7001 [--count 100000 --dim 128 --metric L2 --clusters 1000 --spread 0.6]

The rival listens on 127.0.0.1 and is emptied. Ours is started here, from the build that REDOUBT_BUILD names.
"""

import argparse
import os
import statistics
import time

import numpy as np
import vector_peer as peer
from measure import load_average, machine, process_cpu_s, revision, servers, started, table

EFS = [10, 14, 20, 28, 40, 56, 80, 100, 130, 160, 200, 250, 300, 400, 500, 600, 800, 1000, 1300]
K = 10


class Side:
    """One server with its index."""

    def __init__(self, name, port, options):
        self.name, self.port, self.options = name, port, options
        self.connection = peer.Conn("127.0.0.1", port)
        self.pid = int(peer.info(self.connection, "server")["process_id"])
        self.ef = None

    def memory(self):
        return int(peer.info(self.connection)["used_memory"])

    def fill(self, x, num, labels):
        options = self.options
        self.connection.cmd("FLUSHALL")
        batches = [
            [peer.enc("HSET", f"v:{i}", "vec", x[i].tobytes(), "num", f"{num[i]:.6f}", "tag", f"c{labels[i]}")
             for i in range(begin, min(len(x), begin + 200))]
            for begin in range(0, len(x), 200)
        ]  # fmt: skip
        before = self.memory()
        for batch in batches:
            self.connection.pipe(batch)
        keys = self.memory() - before
        self.connection.cmd("FLUSHALL")
        vector = ["vec", "VECTOR", options.algorithm]
        attributes = ["TYPE", "FLOAT32", "DIM", options.dim, "DISTANCE_METRIC", options.metric]
        if options.algorithm == "HNSW":
            attributes += ["M", 16, "EF_CONSTRUCTION", 200]
        if self.name == "redoubt":
            attributes += options.attributes
        self.connection.cmd("FT.CREATE", "bench", "PREFIX", 1, "v:", "SCHEMA", *vector, len(attributes), *attributes,
                            "num", "NUMERIC", "tag", "TAG")  # fmt: skip
        before, cpu, wall, worst = self.memory(), process_cpu_s(self.pid), time.perf_counter(), 0.0
        for batch in batches:
            begin = time.perf_counter()
            self.connection.pipe(batch)
            worst = max(worst, time.perf_counter() - begin)
        info = peer.ft_wait(self.connection, "bench", len(x))
        return {
            "build CPU per vector, µs": (process_cpu_s(self.pid) - cpu) / len(x) * 1e6,
            "build, s": time.perf_counter() - wall,
            "worst pipeline of 200 HSET, ms": worst * 1e3,
            "index bytes per vector, all fields": (self.memory() - before - keys) / len(x),
            "vector part": float(info.get(b"vector_index_sz_mb", 0)) * 2**20 / len(x),
        }

    def request(self, query, filter_text="*"):
        ef = f" EF_RUNTIME {self.ef}" if self.ef else ""
        return peer.enc("FT.SEARCH", "bench", f"{filter_text}=>[KNN {K} @vec $b{ef} AS s]", "NOCONTENT", "SORTBY", "s",
                        "LIMIT", 0, K, "PARAMS", 2, "b", query.tobytes(), "TIMEOUT", 0, "DIALECT", 2)  # fmt: skip

    def recall(self, queries, truth, filter_text="*"):
        replies = []
        for begin in range(0, len(queries), 16):
            replies += self.connection.pipe([self.request(q, filter_text) for q in queries[begin : begin + 16]])
        return peer.recall([peer.ft_ids(reply) for reply in replies], truth)

    def find_ef(self, queries, truth, target):
        for ef in EFS:
            self.ef = ef
            recall = self.recall(queries, truth)
            if recall >= target:
                break
        return recall

    def round(self, requests, clients, seconds):
        """(CPU µs per query, queries a second)"""
        stats, _ = peer.closed_loop("127.0.0.1", self.port, None, requests, clients, seconds)
        if stats["errors"]:
            raise SystemExit(f"{self.name}: {stats['errors']} errors")
        return stats["server_cpu_us_per_query"], stats["qps"], stats["p50_ms"]


def compare(name, ours, theirs, requests, clients, options):
    cpu, rate, wall = [], [], []
    for _ in range(options.rounds):
        a = ours.round(requests(ours), clients, options.seconds)
        b = theirs.round(requests(theirs), clients, options.seconds)
        cpu.append((a[0], b[0]))
        rate.append((a[1], b[1]))
        wall.append((a[2], b[2]))

    def row(what, pairs):
        medians = [statistics.median(p[side] for p in pairs) for side in (0, 1)]
        ratio = statistics.median(a / b for a, b in pairs)
        return [f"{name}: {what}", f"{medians[0]:.4g}", f"{medians[1]:.4g}", f"{ratio:.2f}"]

    return [row("CPU, µs", cpu), row("queries/s", rate), row("p50, ms", wall)]


def run(options, port):
    x, queries, num, labels, _ = peer.dataset(options.count, options.dim, 1000, 42, options.clusters, options.spread)
    ours, theirs = Side("redoubt", port, options), Side("rival", options.rival_port, options)
    rows = []
    built = [side.fill(x, num, labels) for side in (ours, theirs)]
    for what in built[0]:
        a, b = built[0][what], built[1][what]
        rows.append([what, f"{a:.4g}", f"{b:.4g}", f"{a / b:.2f}" if b else "-"])
    truth = peer.truth(x, queries, K, options.metric)
    if options.algorithm == "HNSW":
        reached = [side.find_ef(queries, truth, options.recall) for side in (ours, theirs)]
        rows.append(["ef", ours.ef, theirs.ef, ""])
    else:
        reached = [side.recall(queries[:100], truth[:100]) for side in (ours, theirs)]
    rows.append(["recall@10", *(f"{r:.4f}" for r in reached), ""])
    for clients in options.clients:
        rows += compare(f"KNN 10, {clients} clients", ours, theirs, lambda side: [side.request(q) for q in queries],
                        clients, options)  # fmt: skip
    for share in options.filters:
        text = f"@num:[0 {share:g}]"
        mask = np.round(num, 6) <= share
        expected = peer.truth(x, queries, K, options.metric, mask)
        reached = [side.recall(queries, expected, text) for side in (ours, theirs)]
        rows += compare(f"{share:.1%} pass, 1 client", ours, theirs,
                        lambda side, text=text: [side.request(q, text) for q in queries], 1, options)[:1]  # fmt: skip
        rows.append([f"{share:.1%} pass: recall", *(f"{r:.4f}" for r in reached), ""])
    table(["", "redoubt", "rival", "ratio"], rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rival-port", type=int, required=True)
    parser.add_argument("--algorithm", default="HNSW", choices=["HNSW", "FLAT"])
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--dim", type=int, default=128)
    parser.add_argument("--metric", default="L2", choices=["L2", "IP", "COSINE"])
    parser.add_argument("--clusters", type=int, default=1000)
    parser.add_argument("--spread", type=float, default=0.6)
    parser.add_argument("--recall", type=float, default=0.95)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--clients", type=int, nargs="*", default=[1, 8])
    parser.add_argument("--filters", type=float, nargs="*", default=[0.001, 0.01, 0.1, 0.5])
    parser.add_argument("--attributes", nargs="*", default=[], help="further ones of our index, COMPRESSION INT4")
    options = parser.parse_args()
    print(f"`{os.path.basename(__file__)}` {options.count} x {options.dim} {options.metric}, {options.clusters} clusters, "
          f"spread {options.spread}, {options.algorithm} {' '.join(options.attributes)}; {revision()}; {machine()}; "
          f"{load_average()}\n")  # fmt: skip
    with started(lambda folder: servers.RedisServer(folder, engine="redis", config={"save": ""})) as server:
        run(options, server.port)


if __name__ == "__main__":
    main()
