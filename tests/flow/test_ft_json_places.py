"""FT.* over JSON documents that are not written to a lone primary: replicas, clusters, restarts, slots on the move."""

import contextlib
import time

import pytest
import redis
from redis.cluster import ClusterNode, RedisCluster

from ft_help import blob, info, keys, knn
from ft_json import json_config, json_server  # noqa: F401
from servers import cluster_config, eventually, join_cluster, node_id

SCHEMA = "ON JSON PREFIX 1 d: SCHEMA $.t AS t TAG $.n AS n NUMERIC $.v AS v VECTOR HNSW 6 TYPE FLOAT32 DIM 2 DISTANCE_METRIC L2"
DOCUMENTS = 60


def fill(client, first=0, count=DOCUMENTS):
    for i in range(first, first + count):
        client.json().set(f"d:{i}", "$", {"t": "odd" if i % 2 else "even", "n": i, "v": [i, 0]})


def documents(server):
    """How many this very node has in its indexes."""
    with server.client() as client:
        return client.info("everything")["ai_documents"]


def holds(server, count):
    return eventually(lambda: documents(server) == count, what=f"the index has {count} documents")


@pytest.fixture
def shards(start_server, engine):
    servers = [start_server(config=cluster_config(**json_config())) for _ in range(3)]
    join_cluster(servers)
    return servers


@pytest.fixture
def cluster(shards):
    nodes = [ClusterNode("127.0.0.1", server.port) for server in shards]
    with contextlib.closing(RedisCluster(startup_nodes=nodes, socket_timeout=30)) as client:
        shards[0].client().execute_command("FT.CREATE", "idx", *SCHEMA.split())
        fill(client)
        yield client


def share(server):
    """How many documents lie on this node."""
    with server.client() as client:
        return client.dbsize()


def test_a_replica_has_what_its_primary_has(json_server, start_server):
    with json_server.client() as client:
        client.execute_command("FT.CREATE", "idx", *SCHEMA.split())
        fill(client)
        replica = start_server(config=json_config(replicaof=f"127.0.0.1 {json_server.port}"))
        holds(replica, DOCUMENTS)
        fill(client, DOCUMENTS, 10)
        client.delete("d:0")
        holds(replica, DOCUMENTS + 9)
        assert len(keys(replica.client(), "@t:{odd}")) == DOCUMENTS // 2 + 5
        replica.restart()
        holds(replica, DOCUMENTS + 9)
        assert knn(replica.client(), "*=>[KNN 1 @v $b]", blob(33.2, 0), "NOCONTENT") == [1, b"d:33"]


@pytest.mark.asan
def test_a_cluster_finds_documents_of_all_shards(shards, cluster):
    for server in shards:
        client = server.client()
        assert len(keys(client, "@t:{even}")) == DOCUMENTS // 2
        assert knn(client, "*=>[KNN 2 @v $b]", blob(33.2, 0), "NOCONTENT") == [2, b"d:33", b"d:34"]
        assert int(info(client)["num_docs"]) == DOCUMENTS
        reply = client.execute_command("FT.SEARCH", "idx", "@n:[7 7]", "RETURN", 1, "$.v")
        assert reply == [1, b"d:7", [b"$.v", b"[7,0]"]]


@pytest.mark.parametrize("how", ["terminate", "kill9"])
def test_a_node_of_a_cluster_keeps_its_documents_over_a_restart(shards, cluster, how):
    server = shards[1]
    server.client().save()
    before = share(server)
    assert before > 0
    server.restart(how)  # the keys are loaded before the node knows whether the cluster is up
    holds(server, before)
    eventually(lambda: b"cluster_state:ok" in server.client().execute_command("CLUSTER", "INFO"), timeout=20)
    eventually(lambda: len(keys(shards[0].client())) == DOCUMENTS, timeout=20)


def take_over(client):
    """A failover by hand gives up after five seconds where the others are too busy to vote in time."""

    def is_primary():
        if client.info("replication")["role"] == "master":
            return True
        with contextlib.suppress(redis.ResponseError):  # one is under way
            client.execute_command("CLUSTER", "FAILOVER")
        return False

    eventually(is_primary, timeout=60, interval=3, what="the replica took over")


def test_a_replica_in_a_cluster_indexes_what_it_replicates(shards, cluster, start_server):
    primary = shards[1]
    replica = start_server(config=cluster_config(**json_config()))
    with replica.client() as client:
        client.execute_command("CLUSTER", "MEET", "127.0.0.1", shards[0].port, shards[0].config["cluster-port"])
        eventually(lambda: node_id(primary) in str(client.execute_command("CLUSTER", "NODES")), what="the nodes meet")
        client.execute_command("CLUSTER", "REPLICATE", node_id(primary))
        eventually(lambda: client.info("replication")["master_link_status"] == "up", what="the replica is in sync")
        holds(replica, share(primary))  # those of the full synchronisation
        fill(cluster, DOCUMENTS, 30)
        holds(replica, share(primary))  # and those of the stream
        assert documents(replica) > 0
        take_over(client)
        eventually(lambda: len(keys(client)) == DOCUMENTS + 30, timeout=30)


def test_documents_of_a_slot_on_the_move_are_found_on_its_new_node(shards, cluster):
    source, target = shards[1], shards[2]
    slot = cluster.keyslot("{c}")
    assert slot * 3 // 16384 == 1
    with source.client() as here, target.client() as there:
        here.execute_command("FT.DROPINDEX", "idx")
        here.execute_command("FT.CREATE", "moved", *SCHEMA.replace("d:", "{c}").split())
        for i in range(10):
            here.json().set(f"{{c}}{i}", "$", {"t": "old", "n": i, "v": [i, 1]})
        there.execute_command("CLUSTER", "SETSLOT", slot, "IMPORTING", node_id(source))
        here.execute_command("CLUSTER", "SETSLOT", slot, "MIGRATING", node_id(target))
        here.execute_command("MIGRATE", "127.0.0.1", target.port, "", 0, 20000, "KEYS", *[f"{{c}}{i}" for i in range(10)])
        holds(target, 10)
        with target.client(single_connection_client=True) as asking:  # ASKING holds for the next command of a connection
            for i in range(10, 15):
                asking.execute_command("ASKING")
                asking.json().set(f"{{c}}{i}", "$", {"t": "new", "n": i, "v": [i, 1]})
        holds(target, 15)
        assert documents(source) == 0
        for client in (there, here, shards[0].client()):
            client.execute_command("CLUSTER", "SETSLOT", slot, "NODE", node_id(target))
        assert len(keys(here, index="moved")) == 15
        assert knn(there, "@t:{new}=>[KNN 1 @v $b]", blob(0, 0), "NOCONTENT", index="moved") == [1, b"{c}10"]


@pytest.mark.asan
def test_documents_that_expire_under_the_scan_of_existing_keys(json_server):
    """Reading a document that has expired frees it, also where the scan handed it out."""
    with json_server.client() as client:
        client.execute_command("DEBUG", "SET-ACTIVE-EXPIRE", 0)
        with client.pipeline(transaction=False) as pipe:
            for i in range(3000):
                pipe.execute_command("JSON.SET", f"d:{i}", "$", f'{{"t": "x", "n": {i}, "v": [{i}, 0]}}')
                if i % 3:
                    pipe.pexpire(f"d:{i}", 300 + i % 300)
            pipe.execute()
        for _ in range(5):
            client.execute_command("FT.CREATE", "idx", *SCHEMA.split())
            eventually(lambda: info(client)["indexing"] == 0, what="the scan ends")
            client.execute_command("FT.DROPINDEX", "idx")
            time.sleep(0.1)
        before, after = SCHEMA.split("SCHEMA")
        client.execute_command("FT.CREATE", "idx", *before.split(), "FILTER", "@n >= 0", "SCHEMA", *after.split())
        time.sleep(0.3)
        eventually(lambda: info(client)["indexing"] == 0, what="the scan ends")
        assert int(info(client)["num_docs"]) == 1000
        assert client.execute_command("DBSIZE") == 1000
