#!/usr/bin/env python3
"""How long is a server with a graph away when it restarts?

A graph over --count vectors is filled and saved; the server is started again with three files: as it was saved, with
the graph damaged (so that it is built from the keys, as it is in modules that keep no graph in the file), and with the
same keys and no index. From the start of the process: until it answers commands, until the first search has an answer,
whether that is right to 0.95 of the exact ten, and until everything is linked.
"""

import argparse
import statistics
import time

import numpy as np
from measure import load_average, machine, process_cpu_s, servers, started, table

import redis

K = 10


def data(count, dim, seed=42):
    """Vectors in 1000 clusters, and 100 queries."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((1000, dim)).astype(np.float32)
    def some(n):
        return centres[rng.integers(1000, size=n)] + 0.6 * rng.standard_normal((n, dim)).astype(np.float32)
    return some(count), some(100)


def fill(client, vectors):
    for begin in range(0, len(vectors), 200):
        pipe = client.pipeline(transaction=False)
        for i in range(begin, min(begin + 200, len(vectors))):
            pipe.hset(f"item:{i}", mapping={"vec": vectors[i].tobytes(), "num": i})
        pipe.execute()


def create(client, dim):
    schema = f"vec VECTOR HNSW 10 TYPE FLOAT32 DIM {dim} DISTANCE_METRIC L2 M 16 EF_CONSTRUCTION 200 num NUMERIC"
    client.execute_command(*f"FT.CREATE idx PREFIX 1 item: SCHEMA {schema}".split())


def info(client):
    reply = client.execute_command("FT.INFO", "idx")
    return {reply[i].decode(): reply[i + 1] for i in range(0, len(reply), 2)}


def wait_linked(client):
    while info(client)["indexing"] != 0:
        time.sleep(0.02)


def search(client, query):
    return client.execute_command(
        "FT.SEARCH", "idx", f"*=>[KNN {K} @vec $b EF_RUNTIME 20]", "NOCONTENT", "PARAMS", 2, "b", query.tobytes(),
        "LIMIT", 0, K, "DIALECT", 2)  # fmt: skip


def recall(client, vectors, queries):
    norms = (vectors**2).sum(1)
    found = 0
    for query in queries:
        nearest = np.argpartition(norms - 2 * vectors @ query, K)[:K]
        found += len({f"item:{i}".encode() for i in nearest} & set(search(client, query)[1:]))
    return found / (K * len(queries))


def restart(server, queries, vectors):
    """Seconds until ready, until the first answer, until linked; recall at the first answers; CPU seconds."""
    begin = time.perf_counter()
    server.start()
    client = server.client()
    while True:
        try:
            client.dbsize()
            break
        except (redis.ConnectionError, redis.BusyLoadingError):
            time.sleep(0.001)
    ready = time.perf_counter() - begin
    if client.execute_command("FT._LIST") == []:
        return ready, None, None, None, process_cpu_s(server.pid)
    search(client, queries[0])
    answered = time.perf_counter() - begin
    linked = time.perf_counter() - begin if info(client)["indexing"] == 0 else None
    right = recall(client, vectors, queries)
    wait_linked(client)
    return ready, answered, right, linked or time.perf_counter() - begin, process_cpu_s(server.pid)


def damaged(data):
    """One bit in the middle of the graph, which comes before the keys."""
    at = data.index(b"item:0") if b"item:0" in data else 0
    at += 3_000_000
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--dim", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    print(f"{machine()}; {load_average()}; {args.count} x {args.dim}\n")
    vectors, queries = data(args.count, args.dim)
    config = {"rdbchecksum": "no", "rdbcompression": "no", "save": ""}
    with started(lambda folder: servers.RedisServer(folder, config=config)) as server:
        client = server.client()
        fill(client, vectors)
        path = server.dir / "dump.rdb"
        files = {}
        client.save()
        files["no index"] = path.read_bytes()
        create(client, args.dim)
        wait_linked(client)
        begin = time.perf_counter()
        client.save()
        saved = time.perf_counter() - begin
        files["graph from the file"] = path.read_bytes()
        files["graph from the keys"] = damaged(files["graph from the file"])
        longer = len(files["graph from the file"]) - len(files["no index"])
        print(f"SAVE {saved:.2f} s; the file is {longer / args.count:.0f} bytes per vector longer than without an index\n")
        rows = []
        for name, content in files.items():
            turns = []
            for _ in range(args.rounds):
                server.kill9()
                path.write_bytes(content)
                turns.append(restart(server, queries, vectors))
            median = [statistics.median(t[i] for t in turns) if turns[0][i] is not None else None for i in range(5)]
            ready, answered, right, linked, cpu = median
            rows.append([
                name, f"{ready:.2f} s",
                *(["-"] * 3 if answered is None else [f"{(answered - ready) * 1000:.0f} ms", f"{right:.3f}", f"{linked:.2f} s"]),
                f"{cpu:.2f} s",
            ])  # fmt: skip
        table(["restart with", "ready after", "first answer after that", "its recall", "all linked after", "CPU"], rows)


if __name__ == "__main__":
    main()
