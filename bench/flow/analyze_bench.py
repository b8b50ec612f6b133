#!/usr/bin/env python3
"""How fast is POST /analyze, and how much memory does redoubt hold?

One client after the other, then 32 at once, with incident texts of different kinds and lengths, in both languages.
Memory is the resident set: after the start, after the first hundred analyses, and the highest it ever was under the 32.
"""

import argparse
import concurrent.futures
import http.client
import itertools
import json
import time

from measure import percentile, process_cpu_s, resident_mib, servers, started, table

TEXTS = [
    ("OOM command not allowed when used memory > 'maxmemory'.", {"used_memory": 52_000_000, "maxmemory": 52_428_800}),
    ("# Error accepting a client connection: max number of clients reached", {"connected_clients": 10_000}),
    ("Can't save in background: fork: Cannot allocate memory\n# Background saving error", {}),
    ("Asynchronous AOF fsync is taking too long (disk is busy?). Writing the AOF buffer without waiting.", {}),
    ("# Connection with master lost.\n* MASTER <-> REPLICA sync started\n* Full resync from master: 8f2b:12345", {}),
    ("Cluster state changed: fail\n* FAIL message received from a1 about b2", {"cluster_enabled": 1}),
    ("redis.exceptions.TimeoutError: Timeout reading from socket", {}),
    ("복제본에서 예전 값이 조회되고 마스터와 오프셋 차이가 점점 벌어지고 있습니다", {}),
    ("키를 많이 지웠는데 RSS가 줄지 않고 mem_fragmentation_ratio가 2.4입니다", {"mem_fragmentation_ratio": 2.4}),
    ("어제부터 dump.rdb가 갱신되지 않습니다. MISCONF 에러도 보입니다", {"rdb_last_bgsave_status": "err"}),
    ("1:M 22 Nov 10:00:00.000 * DB saved on disk\n1:M 22 Nov 10:00:00.100 * Background saving terminated with success", {}),
    ("우리 배치 서버의 파이썬 버전을 올리려고 합니다", {}),
]


def bodies(log_lines):
    """The texts in turn, each behind `log_lines` ordinary lines of log; a number keeps any two from being equal."""
    filler = "\n".join(f"1:M 22 Nov 2026 10:{i // 60:02}:{i % 60:02}.000 * 1 changes in 900 seconds. Saving..." for i in range(log_lines))
    for number in itertools.count():
        text, metrics = TEXTS[number % len(TEXTS)]
        lang = "ko" if number % 2 else "en"
        yield json.dumps({"log_text": f"{filler}\n{text} [{number}]", "metrics": metrics, "lang": lang})


def post_all(port, requests):
    """Latencies in ms of these requests on one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    out = []
    for body in requests:
        start = time.perf_counter()
        connection.request("POST", "/api/v1/analyze", body, {"Content-Type": "application/json"})
        reply = connection.getresponse()
        content = reply.read()
        out.append((time.perf_counter() - start) * 1000)
        assert reply.status == 200, content[:500]
    connection.close()
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=300, help="of each kind (default 300)")
    count = parser.parse_args().requests
    env = {"REDOUBT_LOG_LEVEL": "warning"}
    with started(lambda folder: servers.Redoubt(folder, env=env)) as redoubt:
        time.sleep(2)
        memory = [["after the start", f"{resident_mib(redoubt.pid):.0f}", ""]]
        rows = []
        for name, lines in (("one client, a few lines", 0), ("one client, 500 lines of log", 500)):
            source = bodies(lines)
            post_all(redoubt.http_port, itertools.islice(source, 20))
            before = process_cpu_s(redoubt.pid)
            times = post_all(redoubt.http_port, list(itertools.islice(source, count)))
            cpu_ms = (process_cpu_s(redoubt.pid) - before) / len(times) * 1000
            rows.append([name, f"{percentile(times, 0.5):.1f}", f"{percentile(times, 0.99):.1f}", f"{cpu_ms:.1f}"])
            memory.append([f"after {name}", f"{resident_mib(redoubt.pid):.0f}", ""])
        source = bodies(0)
        shares = [list(itertools.islice(source, max(1, count // 8))) for _ in range(32)]
        start, before = time.monotonic(), process_cpu_s(redoubt.pid)
        with concurrent.futures.ThreadPoolExecutor(32) as pool:
            times = sum(pool.map(lambda share: post_all(redoubt.http_port, share), shares), [])
        seconds = time.monotonic() - start
        cpu_ms = (process_cpu_s(redoubt.pid) - before) / len(times) * 1000
        rows.append(["32 clients, a few lines", f"{percentile(times, 0.5):.1f}", f"{percentile(times, 0.99):.1f}", f"{cpu_ms:.1f}"])
        memory.append(["under 32 clients", f"{resident_mib(redoubt.pid):.0f}", f"{resident_mib(redoubt.pid, 'VmHWM'):.0f}"])

    print("### POST /api/v1/analyze\n")
    table(["load", "p50 ms (bar 15)", "p99 ms (bar 50)", "CPU ms per request"], rows)
    print(f"32 clients: {len(times) / seconds:.0f} analyses a second.\n")
    table(["memory of redoubt", "resident MiB", "highest MiB (bar 150)"], memory)


if __name__ == "__main__":
    main()
