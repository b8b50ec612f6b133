#!/usr/bin/env python3
"""What does watching 100 servers every 5 seconds cost redoubt: CPU and memory?

Ten real servers, each listening on ten loopback addresses, are connected as 100 instances. CPU time and resident
memory are read over the last span, after a warm-up.
"""

import argparse
import contextlib
import time

from measure import process_cpu_s, resident_mib, servers, started, table

ADDRESSES = [f"127.0.0.{i}" for i in range(1, 11)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60, help="length of the span (default 60)")
    parser.add_argument("--warm-up", type=float, default=30, help="seconds before it (default 30)")
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        config = {"bind": " ".join(ADDRESSES), "protected-mode": "no"}
        watched = [
            stack.enter_context(started(lambda folder: servers.RedisServer(folder, module=False, config=config)))
            for _ in range(10)
        ]
        redoubt = stack.enter_context(
            started(lambda folder: servers.Redoubt(folder, env={"REDOUBT_LOG_LEVEL": "warning"}))
        )
        time.sleep(2)
        rows = [["0", resident_mib(redoubt.pid), None]]
        for server in watched:
            for address in ADDRESSES:
                name = f"{address}:{server.port}"
                connected = redoubt.api(
                    "POST", "/monitor/connect", {"host": address, "port": server.port, "name": name}
                ).ok()
                redoubt.api("POST", "/monitor/start", {"interval": 5, "instance": connected["instance"]}).ok()
        time.sleep(options.warm_up)
        before, start = process_cpu_s(redoubt.pid), time.monotonic()
        time.sleep(options.seconds)
        cpu = (process_cpu_s(redoubt.pid) - before) / (time.monotonic() - start)
        instances = redoubt.api("GET", "/monitor/status").ok()["instances"]
        rows.append([str(len(instances)), resident_mib(redoubt.pid), cpu])

    print("### Watching 100 servers every 5 seconds\n")
    table(
        ["instances", "resident MiB (bar 150)", "CPU of one core"],
        [[count, f"{mib:.0f}", "" if cpu is None else f"{cpu * 100:.1f} %"] for count, mib, cpu in rows],
    )


if __name__ == "__main__":
    main()
