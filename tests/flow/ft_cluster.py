"""Fixtures of the FT.* tests on a cluster of three shards; a test file imports those it uses."""

import contextlib

import pytest
from redis.cluster import ClusterNode, RedisCluster

from servers import cluster_config, join_cluster


@pytest.fixture
def shards(start_server, engine):
    servers = [start_server(config=cluster_config()) for _ in range(3)]
    join_cluster(servers)
    return servers


@pytest.fixture
def clients(shards):
    """A client of each shard, which follows no redirection."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(server.client()) for server in shards]


@pytest.fixture
def cluster(shards):
    """A client of the whole cluster."""
    nodes = [ClusterNode("127.0.0.1", server.port) for server in shards]
    with contextlib.closing(RedisCluster(startup_nodes=nodes, socket_timeout=30)) as client:
        yield client
