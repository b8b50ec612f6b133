"""FT.* on a cluster of three shards: every node answers for all of them."""

import contextlib

import pytest
from redis.cluster import ClusterNode, RedisCluster

from ai_models import error_of
from servers import cluster_config, eventually, join_cluster, node_id

SCHEMA = "ON HASH PREFIX 1 d: SCHEMA t TAG n NUMERIC SORTABLE v VECTOR FLAT 6 TYPE FLOAT32 DIM 2 DISTANCE_METRIC L2".split()


@pytest.fixture
def shards(start_server, engine):
    servers = [start_server(config=cluster_config()) for _ in range(3)]
    join_cluster(servers)
    return servers


@pytest.fixture
def clients(shards):
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(server.client()) for server in shards]


@pytest.fixture
def cluster(shards):
    nodes = [ClusterNode("127.0.0.1", server.port) for server in shards]
    with contextlib.closing(RedisCluster(startup_nodes=nodes, socket_timeout=30)) as client:
        yield client


def lists(clients):
    return [sorted(client.execute_command("FT._LIST")) for client in clients]


def test_a_definition_reaches_all_shards(clients):
    assert clients[1].execute_command("FT.CREATE", "idx", *SCHEMA) == b"OK"
    assert lists(clients) == [[b"idx"]] * 3
    for client in clients:
        assert error_of(client, "FT.CREATE", "idx", *SCHEMA) == "Index already exists"
    assert clients[2].execute_command("FT.DROPINDEX", "idx") == b"OK"
    assert lists(clients) == [[]] * 3
    assert error_of(clients[0], "FT.DROPINDEX", "idx") == "Unknown Index name"
    assert error_of(clients[0], "FT.CREATE", "idx", "ON", "HASH", "SCHEMA", "n", "NUMBER").startswith("Invalid field type")


def test_a_definition_reaches_the_replicas_of_all_shards(shards, clients, start_server):
    replica = start_server(config=cluster_config())
    with replica.client() as client:
        client.execute_command("CLUSTER", "MEET", "127.0.0.1", shards[0].port, shards[0].config["cluster-port"])
        eventually(lambda: node_id(shards[1]) in str(client.execute_command("CLUSTER", "NODES")), what="the nodes meet")
        client.execute_command("CLUSTER", "REPLICATE", node_id(shards[1]))
        eventually(lambda: client.info("replication")["master_link_status"] == "up", what="the replica is in sync")
        clients[0].execute_command("FT.CREATE", "idx", *SCHEMA)
        eventually(lambda: client.execute_command("FT._LIST") == [b"idx"], what="the replica has the index")
        clients[0].execute_command("FT.DROPINDEX", "idx")
        eventually(lambda: client.execute_command("FT._LIST") == [], what="the replica has dropped it")


def test_where_no_client_can_wait_the_refusal_says_why(clients):
    pipe = clients[0].pipeline()
    pipe.execute_command("FT.CREATE", "idx", *SCHEMA)
    [refusal] = pipe.execute(raise_on_error=False)
    assert "it cannot run in MULTI or in a script" in str(refusal)
    assert "hash tag" in str(refusal)
    assert lists(clients) == [[]] * 3


def test_a_hash_tagged_index_stays_on_its_shard(clients, cluster, shards):
    # Slots of {b}, {c} and {a}: the first, second and last shard.
    moved = error_of(clients[0], "FT.CREATE", "{c}idx", *SCHEMA)
    assert moved.startswith("MOVED ") and moved.endswith(f":{shards[1].port}")
    assert clients[1].execute_command("FT.CREATE", "{c}idx", *SCHEMA) == b"OK"
    assert lists(clients) == [[], [b"{c}idx"], []]
    assert error_of(clients[2], "FT.DROPINDEX", "{c}idx") == moved


def test_a_shard_that_is_down_is_named(clients, shards):
    shards[2].kill9()
    refusal = error_of(clients[0], "FT.CREATE", "idx", *SCHEMA)
    assert refusal.startswith("ERR not done on every shard")
    assert f"127.0.0.1:{shards[2].port}" in refusal
    assert clients[1].execute_command("FT._LIST") == [b"idx"]
