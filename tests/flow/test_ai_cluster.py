"""AI.* on a cluster of three shards: hash tags, redirections, and slots that move while they hold models."""

import contextlib

import pytest
import redis
from redis.cluster import ClusterNode, RedisCluster

from ai_dag import Later, queue, raw, run_model
from ai_models import error_of, execute, get_floats, onnx_models, set_floats, store
from servers import cluster_config, eventually, join_cluster, node_id

# One hash tag per shard: their slots are in the first, second and last third.
TAGS = ["{b}", "{c}", "{a}"]


@pytest.fixture
def shards(start_server, engine):
    servers = [start_server(config=cluster_config()) for _ in TAGS]
    join_cluster(servers)
    return servers


@pytest.fixture
def cluster(shards):
    nodes = [ClusterNode("127.0.0.1", server.port) for server in shards]
    with contextlib.closing(RedisCluster(startup_nodes=nodes, socket_timeout=30)) as client:
        yield client


def slot_of(server, key):
    return int(server.client().execute_command("CLUSTER", "KEYSLOT", key))


def fill(client, tag, scale=1):
    store(client, tag + "double", onnx_models.doubler(), "TAG", tag)
    set_floats(client, tag + "x", [1, 2], [scale, 2 * scale])


def test_tensors_models_and_runs_on_every_shard(cluster, shards):
    for number, tag in enumerate(TAGS):
        assert slot_of(shards[0], tag) * len(shards) // 16384 == number
        fill(cluster, tag, number + 1)
        assert execute(cluster, tag + "double", [tag + "x"], [tag + "y"]) == b"OK"
        assert get_floats(cluster, tag + "y") == [2 * (number + 1), 4 * (number + 1)]
        command = f"AI.DAGEXECUTE LOAD 1 {tag}x PERSIST 1 {tag}z" + run_model(tag + "double", [tag + "x"], [tag + "z"])
        assert cluster.execute_command(*command.split()) == [b"OK"]
        predicted = cluster.execute_command("AI.PREDICT", tag + "double", "INPUTS", 1, "KEY", tag + "z")
        assert predicted[0][:2] == [b"dtype", b"FLOAT"]
    for tag, server in zip(TAGS, shards, strict=True):
        # Each shard holds its own and knows only its own models.
        keys = {tag + name for name in ("double", "x", "y", "z")}
        assert {key.decode() for key in server.client().keys()} == keys
        assert server.client().execute_command("AI._MODELSCAN") == [[f"{tag}double".encode(), tag.encode()]]


def test_a_wrong_shard_redirects_and_keys_of_two_slots_are_refused(cluster, shards):
    for tag in TAGS:
        fill(cluster, tag)
    here, there = TAGS[0], TAGS[1]
    client = shards[0].client()
    moved = f"MOVED {slot_of(shards[0], there)} 127.0.0.1:{shards[1].port}"
    dag = f"AI.DAGEXECUTE PERSIST 1 {there}z" + run_model(f"{there}double", [f"{there}x"], [f"{there}z"])
    for command in (
        ["AI.TENSORSET", there + "x", "FLOAT", 1],
        ["AI.TENSORGET", there + "x"],
        ["AI.MODELSTORE", there + "m", "ONNX", "CPU", "BLOB", "b"],
        ["AI.MODELGET", there + "double", "META"],
        ["AI.MODELDEL", there + "double"],
        ["AI.INFO", there + "double"],
        ["AI.MODELEXECUTE", there + "double", "INPUTS", 1, there + "x", "OUTPUTS", 1, there + "y"],
        ["AI.MODELRUN", there + "double", "INPUTS", there + "x", "OUTPUTS", there + "y"],
        ["AI.PREDICT", there + "double", "INPUTS", 1, "KEY", there + "x"],
        dag.split(),
        dag.replace("AI.DAGEXECUTE", "AI.DAGRUN").replace("INPUTS 1 ", "INPUTS ").replace("OUTPUTS 1 ", "OUTPUTS ").split(),
    ):
        assert error_of(client, *command) == moved, command
    mixed = f"AI.DAGEXECUTE LOAD 1 {here}x PERSIST 1 {there}z" + run_model(f"{here}double", [f"{here}x"], [f"{there}z"])
    for command in (
        ["AI.MODELEXECUTE", here + "double", "INPUTS", 1, there + "x", "OUTPUTS", 1, here + "y"],
        ["AI.MODELEXECUTE", here + "double", "INPUTS", 1, here + "x", "OUTPUTS", 1, there + "y"],
        ["AI.MODELRUN", here + "double", "INPUTS", here + "x", "OUTPUTS", there + "y"],
        ["AI.PREDICT", here + "double", "INPUTS", 1, "KEY", there + "x"],
        ["AI.DAGEXECUTE_RO", *f"LOAD 1 {here}x".split(), *run_model(f"{there}double", [f"{here}x"], ["z"]).split()],
        mixed.split(),
    ):
        assert error_of(client, *command) == "CROSSSLOT Keys in request don't hash to the same slot", command
    assert not any(server.client().exists(tag + "y") for tag, server in zip(TAGS, shards, strict=True))


def test_commands_without_keys_are_answered_by_the_node_that_is_asked(shards):
    for server in shards:
        client = server.client()
        assert client.execute_command("AI.CONFIG", "MODEL_CHUNK_SIZE", 1000 + server.port) == b"OK"
    for server in shards:
        client = server.client()
        assert client.execute_command("AI.CONFIG", "GET", "MODEL_CHUNK_SIZE") == 1000 + server.port
        assert client.execute_command("AI._MODELSCAN") == []
        assert "ai_RedisAI_version" in str(client.info("everything"))


def move_slot(slot, source, target, *, finish=True):
    """Moves the keys of a slot as redis-cli --cluster reshard does; finish also hands over the slot itself."""
    start_move(slot, source, target)
    client = source.client()
    if keys := client.execute_command("CLUSTER", "GETKEYSINSLOT", slot, 1000):
        client.execute_command("MIGRATE", "127.0.0.1", target.port, "", 0, 20000, "KEYS", *keys)
    if finish:
        owner = node_id(target)
        target.client().execute_command("CLUSTER", "SETSLOT", slot, "NODE", owner)
        client.execute_command("CLUSTER", "SETSLOT", slot, "NODE", owner)


def start_move(slot, source, target):
    target.client().execute_command("CLUSTER", "SETSLOT", slot, "IMPORTING", node_id(source))
    source.client().execute_command("CLUSTER", "SETSLOT", slot, "MIGRATING", node_id(target))


@pytest.mark.asan
def test_a_slot_moves_with_its_tensors_and_models(cluster, shards):
    source, target, tag = shards[0], shards[2], TAGS[0]
    client = source.client()
    fill(client, tag)
    names = [tag + name for name in ("double", "x", "text", "half", "broken")]
    client.execute_command("AI.TENSORSET", tag + "text", "STRING", 2, "VALUES", "ab", "")
    client.execute_command("AI.TENSORSET", tag + "half", "FLOAT16", "VALUES", "0.5")
    with client.pipeline(transaction=True) as pipe:  # within MULTI a model is stored before it is built
        pipe.execute_command("AI.MODELSTORE", tag + "broken", "ONNX", "CPU", "BLOB", "garbage")
        pipe.execute()
    digests = [client.execute_command("DEBUG", "DIGEST-VALUE", name) for name in names]
    move_slot(slot_of(source, tag), source, target)
    moved = target.client()
    assert client.dbsize() == 0
    assert client.execute_command("AI._MODELSCAN") == []
    assert [moved.execute_command("DEBUG", "DIGEST-VALUE", name) for name in names] == digests
    assert moved.execute_command("AI.MODELGET", tag + "double", "BLOB") == onnx_models.doubler()
    scanned = {name.decode() for name, _ in moved.execute_command("AI._MODELSCAN")}
    assert scanned == {tag + "double", tag + "broken"}
    # A client that does not know about the move is redirected.
    assert execute(cluster, tag + "double", [tag + "x"], [tag + "y"]) == b"OK"
    assert get_floats(moved, tag + "y") == [2, 4]
    with pytest.raises(redis.ResponseError, match="protobuf"):
        execute(moved, tag + "broken", [tag + "x"], [tag + "y"])


def test_while_a_slot_moves_the_servers_own_answers_hold(cluster, shards):
    source, target, tag = shards[0], shards[1], TAGS[0]
    client = source.client()
    fill(client, tag)
    slot = slot_of(source, tag)
    set_floats(client, tag + "y", [1, 2], [0, 0])
    start_move(slot, source, target)
    run = ["AI.MODELEXECUTE", tag + "double", "INPUTS", 1, tag + "x", "OUTPUTS", 1]
    assert client.execute_command(*run, tag + "y") == b"OK"  # all keys are still here
    assert error_of(client, *run, tag + "absent").startswith("TRYAGAIN")  # it may already be there
    client.execute_command("MIGRATE", "127.0.0.1", target.port, tag + "double", 0, 20000)
    assert error_of(client, *run, tag + "y").startswith("TRYAGAIN")
    client.execute_command("MIGRATE", "127.0.0.1", target.port, "", 0, 20000, "KEYS", tag + "x", tag + "y")
    assert error_of(client, *run, tag + "y") == f"ASK {slot} 127.0.0.1:{target.port}"
    # On the new owner it runs for clients that were sent there by ASK.
    assert error_of(target.client(), *run, tag + "y").startswith(f"MOVED {slot} ")
    asking = redis.Connection(host="127.0.0.1", port=target.port)
    for command in ([*run, tag + "y"], ["AI.MODELSTORE", tag + "new", "ONNX", "CPU", "BLOB", onnx_models.doubler()]):
        asking.send_command("ASKING")
        assert asking.read_response() == b"OK"
        asking.send_command(*command)
        assert asking.read_response() == b"OK"
    asking.disconnect()
    move_slot(slot, source, target)
    assert get_floats(cluster, tag + "y") == [2, 4]


@pytest.mark.asan
@pytest.mark.parametrize(
    "command, finish", [("AI.MODELEXECUTE", True), ("AI.MODELEXECUTE", False), ("AI.DAGEXECUTE", True)]
)
def test_a_run_whose_outputs_slot_leaves_stores_nothing(shards, command, finish):
    source, target, tag = shards[0], shards[2], TAGS[0]
    client = source.client()
    other = other_tag_of(source, tag)
    fill(client, tag)
    set_floats(client, tag + "y", [1, 2], [7, 7])
    store(client, other + "endless", onnx_models.endless())
    set_floats(client, other + "one", [1], [1])
    keep_busy = f"AI.MODELEXECUTE {other}endless INPUTS 1 {other}one OUTPUTS 1 {other}never TIMEOUT 4000"
    busy = Later(source, *keep_busy.split())
    eventually(lambda: queue(client)["running"] == 1)
    run = run_model(tag + "double", [tag + "x"], [tag + "y"])
    words = run.split()[1:] if command == "AI.MODELEXECUTE" else f"{command} LOAD 1 {tag}x PERSIST 1 {tag}y {run}".split()
    late = Later(source, *words)
    eventually(lambda: queue(client)["waiting"] == 1)
    move_slot(slot_of(source, tag), source, target, finish=finish)
    assert busy.get() == b"TIMEDOUT"
    answer = late.get()
    assert f"slot of the key '{tag}y' has moved to another node" in str(answer), answer
    assert client.execute_command("CLUSTER", "COUNTKEYSINSLOT", slot_of(source, tag)) == 0
    if finish:
        assert get_floats(target.client(), tag + "y") == [7, 7]  # what it was before
        assert execute(target.client(), tag + "double", [tag + "x"], [tag + "y"]) == b"OK"
        assert get_floats(target.client(), tag + "y") == [2, 4]


def other_tag_of(server, tag):
    """A hash tag in another slot of the same shard."""
    first, last = 0, 16384 // len(TAGS) - 1
    assert first <= slot_of(server, tag) <= last
    candidates = (f"{{other{n}}}" for n in range(1000))
    return next(t for t in candidates if t != tag and first <= slot_of(server, t) <= last)


def test_after_the_failover_of_a_shard_its_models_run_on_the_new_primary(start_server, engine, cluster, shards):
    tag = TAGS[1]
    fill(cluster, tag)
    replica = start_server(config=cluster_config())
    first = shards[0]
    replica.client().execute_command("CLUSTER", "MEET", "127.0.0.1", first.port, first.config["cluster-port"])
    primary_id = node_id(shards[1])
    eventually(lambda: primary_id in str(raw(replica.client(), "CLUSTER", "NODES")), timeout=30)
    replica.client().execute_command("CLUSTER", "REPLICATE", primary_id)
    eventually(lambda: replica.client().info("replication")["master_link_status"] == "up", timeout=30)
    eventually(lambda: shards[1].client().info("replication")["connected_slaves"] == 1, timeout=30)

    def take_over():
        with contextlib.suppress(redis.ResponseError):  # until the other primaries know the new node
            replica.client().execute_command("CLUSTER", "FAILOVER")
        return replica.client().info("replication")["role"] == "master"

    eventually(take_over, timeout=30, interval=1)
    eventually(lambda: shards[1].client().info("replication")["role"] == "slave", timeout=30)
    assert execute(replica.client(), tag + "double", [tag + "x"], [tag + "y"]) == b"OK"
    assert get_floats(cluster, tag + "y") == [2, 4]
