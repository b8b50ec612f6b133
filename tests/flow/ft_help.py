"""Small helpers of the FT.* tests."""

import numpy as np
from redis.commands.search.field import NumericField, TagField, VectorField

from servers import eventually

try:
    from redis.commands.search.index_definition import IndexDefinition, IndexType
except ImportError:  # redis-py before 6.2
    from redis.commands.search.indexDefinition import IndexDefinition, IndexType


def blob(*values):
    """A vector as the hash keeps it."""
    return np.array(values, np.float32).tobytes()


def create(client, name="idx", prefix="item:", dim=2, metric="L2", **options):
    """An index over vec (VECTOR), tag (TAG) and num (NUMERIC), made with redis-py's own API."""
    client.ft(name).create_index(
        [
            VectorField("vec", "FLAT", {"TYPE": "FLOAT32", "DIM": dim, "DISTANCE_METRIC": metric}),
            TagField("tag"),
            NumericField("num", sortable=True),
        ],
        definition=IndexDefinition(prefix=[prefix], index_type=IndexType.HASH),
        **options,
    )


# What a search may take where its time is not what is tested: the server's 500 ms are little for one of many tests.
PATIENT = ("TIMEOUT", 10_000)


def knn(client, query, vector, *options, index="idx", command="FT.SEARCH"):
    """FT.SEARCH or FT.AGGREGATE with the vector as $b; the raw reply."""
    options = options if "TIMEOUT" in options else (*options, *PATIENT)
    return client.execute_command(command, index, query, *options, "PARAMS", 2, "b", vector, "DIALECT", 2)


def keys(client, query="*", index="idx", limit=1000):
    """The keys that match, as a set."""
    reply = client.execute_command("FT.SEARCH", index, query, "NOCONTENT", "LIMIT", 0, limit, *PATIENT, "DIALECT", 2)
    return {key.decode() for key in reply[1:]}


def info(client, index="idx"):
    """FT.INFO as a dictionary of text keys."""
    reply = client.execute_command("FT.INFO", index)
    return {reply[i].decode(): reply[i + 1] for i in range(0, len(reply), 2)}


def wait_scanned(client, index="idx"):
    """Until the background scan has seen all keys."""
    return eventually(lambda: info(client, index)["indexing"] == 0, timeout=30, what="the scan of existing keys ends")
