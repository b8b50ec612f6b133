#!/usr/bin/env python3
"""What does being watched once a second cost a Redis server?

The server's own CPU time (INFO cpu, microseconds) is read over the same span with nobody, and with redoubt polling at
1 s. The difference is the whole cost: commands, replies, network. As a share of one core it is the share of its
throughput that a busy server loses, since one core is all that it has for commands.
"""

import argparse
import time

from measure import servers, started, table


def server_cpu_s(client):
    info = client.info("cpu")
    return info["used_cpu_sys"] + info["used_cpu_user"]


def spent(client, seconds):
    before, start = server_cpu_s(client), time.monotonic()
    time.sleep(seconds)
    return (server_cpu_s(client) - before) / (time.monotonic() - start)


def calls(client):
    stats = client.info("commandstats")
    return {name.removeprefix("cmdstat_"): (s["calls"], s["usec"]) for name, s in stats.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30, help="length of each span (default 30)")
    seconds = parser.parse_args().seconds
    with started(lambda folder: servers.RedisServer(folder, module=False)) as server:
        client = server.client(decode_responses=True)
        pipe = client.pipeline()
        for i in range(100_000):
            pipe.set(f"key:{i}", "x" * 100)
        pipe.execute()
        with started(lambda folder: servers.Redoubt(folder)) as redoubt:
            connected = redoubt.api("POST", "/monitor/connect", {"host": "127.0.0.1", "port": server.port}).ok()
            redoubt.api("POST", "/monitor/stop", {"instance": connected["instance"]})
            time.sleep(2)
            alone = spent(client, seconds)
            redoubt.api("POST", "/monitor/start", {"interval": 1, "instance": connected["instance"]}).ok()
            time.sleep(2)
            before = calls(client)
            watched = spent(client, seconds)
            after = calls(client)

    print("### Cost to a server of being watched once a second\n")
    share = (watched - alone) * 100
    rows = [["nobody", f"{alone * 100:.3f} %"], ["redoubt at 1 s", f"{watched * 100:.3f} %"]]
    table(["watched by", "CPU of one core"], rows + [["difference (bar 0.5 %)", f"{share:.3f} %"]])
    print("Commands it received meanwhile, per second:\n")
    rows = []
    for name, (count, usec) in sorted(after.items()):
        old = before.get(name, (0, 0))
        if count > old[0]:
            rows.append([name, f"{(count - old[0]) / seconds:.2f}", f"{(usec - old[1]) / seconds:.0f}"])
    table(["command", "calls/s", "µs/s"], rows)


if __name__ == "__main__":
    main()
