"""What an index says it takes, and the server's own count."""

import numpy as np
from ft_graphs import DIM, Writer, create, settle
from ft_help import info

COUNT = 5000


def parts(client):
    flat = info(client)["memory_bytes"]
    return {flat[i].decode(): flat[i + 1] for i in range(0, len(flat), 2)}


def test_the_parts_add_up_to_what_the_server_counts(client):
    pipe = client.pipeline(transaction=False)
    rng = np.random.default_rng(1)
    for i in range(COUNT):
        vector = rng.standard_normal(DIM).astype(np.float32)
        pipe.hset(f"item:{i}", mapping={"vec": vector.tobytes(), "num": i, "tag": f"t{i % 10}"})
    pipe.execute()
    before = client.info("memory")["used_memory"]
    create(client)
    settle(client)
    counted = client.info("memory")["used_memory"] - before
    memory = parts(client)
    assert memory["total"] == sum(bytes for name, bytes in memory.items() if name != "total")
    assert memory["flat_vectors"] == memory["text"] == 0
    # 16 dimensions, padded to 32 bytes, and a head; 32 links of 4 bytes, and a block of 128 KiB for upper levels.
    assert COUNT * 48 <= memory["graph_codes"] < COUNT * 48 * 1.3
    assert COUNT * 128 <= memory["graph_links"] < COUNT * 128 * 1.3 + (128 << 10)
    assert memory["documents"] > COUNT * 16 and memory["tags"] > 0 and memory["numbers"] > 0
    assert 0.8 < memory["total"] / counted < 1.2, (memory, counted)
    assert client.info("ai_ft")["ai_index_bytes"] == memory["total"]


def test_places_of_deleted_vectors_are_used_again(client):
    create(client)
    writer = Writer()
    writer.put(client, range(COUNT))
    settle(client)
    size = parts(client)["total"]
    for _ in range(4):
        client.delete(*[f"item:{i}" for i in range(0, COUNT, 2)])
        settle(client)
        writer.put(client, range(0, COUNT, 2))
        settle(client)
    assert parts(client)["total"] < 1.7 * size
