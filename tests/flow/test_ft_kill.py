"""kill -9 at random moments: after the restart the index is what the keys are."""

import random
import threading
import time

import pytest
from ft_graphs import Writer, check, create, graphs, settle
from ft_help import info, keys
from redis.backoff import NoBackoff
from redis.retry import Retry

from servers import eventually

ROUNDS = 4


def impatient(server):
    """A client that gives up at once when its server has gone."""
    return server.client(retry=Retry(NoBackoff(), 0))


def killed(server, seed, meanwhile=None):
    """Two clients write, and the server is killed in the middle; `meanwhile` starts something shortly before."""
    random.seed(seed)
    writers = [Writer(10 * seed + i) for i in range(2)]
    threads = [threading.Thread(target=writer.run, args=(impatient(server), 1500)) for writer in writers]
    for thread in threads:
        thread.start()
    time.sleep(random.uniform(0.1, 0.6))
    if meanwhile:
        meanwhile(server.client())
    time.sleep(random.uniform(0, 0.3))
    server.kill9()
    for writer in writers:
        writer.stop.set()
    for thread in threads:
        thread.join(30)
    server.start()
    client = server.client()
    eventually(lambda: client.ping())
    return client


@pytest.mark.parametrize("mode", ["aof", "aof-rewrite", "rdb"])
def test_after_kill_9_the_index_is_what_the_keys_are(start_server, engine, mode):
    config = {"save": ""} if mode == "rdb" else {"appendonly": "yes", "appendfsync": "no"}
    server = start_server(config=config)
    client = server.client()
    create(client)
    client.execute_command("FT.ALIASADD", "other", "idx")
    Writer().put(client, range(1000))
    settle(client)
    client.save()
    meanwhile = {"aof": None, "aof-rewrite": lambda c: c.bgrewriteaof(), "rdb": lambda c: c.bgsave()}[mode]
    loaded = 0
    for seed in range(1, ROUNDS + 1):
        client = killed(server, seed, meanwhile)
        check(client)
        assert client.execute_command("FT._LIST") == [b"idx"]
        assert keys(client, index="other", limit=10_000) == keys(client, limit=10_000)
        settle(client)
        check(client)
        assert graphs(client)[1] == 0
        loaded += graphs(client)[0]
        assert int(info(client)["hash_indexing_failures"]) == 0
    assert loaded == (0 if mode == "aof" else ROUNDS) or mode == "aof-rewrite" and loaded > 0
