"""What every AI.* command owes its clients: RedisAI's errors to the letter, arity, documentation, keys and replies."""

import threading
import time

import numpy as np
import pytest
import redis

from ai_dag import Later, busy, queue, raw, ready  # noqa: F401
from ai_models import error_of, execute, get_floats, onnx_models, set_floats, store
from servers import eventually

import tf_models

WRONGTYPE = "WRONGTYPE Operation against a key holding the wrong kind of value"
# Each command with too few words, and the keys of an example of it.
COMMANDS = {
    "AI.TENSORSET": (["t"], ["t", "FLOAT", 1, "VALUES", 1], ["t"]),
    "AI.TENSORGET": ([], ["t", "META"], ["t"]),
    "AI.MODELSTORE": (["m", "ONNX", "CPU", "BLOB"], ["m", "ONNX", "CPU", "BLOB", "x"], ["m"]),
    "AI.MODELSET": (["m", "ONNX"], ["m", "ONNX", "CPU", "BLOB", "x"], ["m"]),
    "AI.MODELGET": ([], ["m", "META"], ["m"]),
    "AI.MODELDEL": ([], ["m"], ["m"]),
    "AI.MODELEXECUTE": (["m", "INPUTS", 1, "x", "OUTPUTS", 1], ["m", "INPUTS", 1, "x", "OUTPUTS", 1, "y"], ["m", "x", "y"]),
    "AI.MODELRUN": (["m", "INPUTS", "x", "OUTPUTS"], ["m", "INPUTS", "x", "OUTPUTS", "y"], ["m", "x", "y"]),
    "AI.PREDICT": (["m"], ["m", "INPUTS", 1, "KEY", "x"], ["m", "x"]),
    "AI.DAGRUN": (["|>", "AI.TENSORGET"], ["LOAD", 1, "x", "PERSIST", 1, "y", "|>", "AI.TENSORGET", "x"], ["x", "y"]),
    "AI.DAGRUN_RO": ([], ["LOAD", 1, "x", "|>", "AI.TENSORGET", "x"], ["x"]),
    "AI.DAGEXECUTE": (None, ["LOAD", 1, "x", "PERSIST", 1, "y", "|>", "AI.TENSORGET", "x"], ["x", "y"]),
    "AI.DAGEXECUTE_RO": (None, ["LOAD", 1, "x", "|>", "AI.TENSORGET", "x"], ["x"]),
    "AI._MODELSCAN": (["more"], [], None),
    "AI.SCRIPTSTORE": (["s", "CPU"], ["s", "CPU", "ENTRY_POINTS", 1, "f", "SOURCE", "x"], ["s"]),
    "AI.SCRIPTSET": (["s", "CPU"], ["s", "CPU", "SOURCE", "x"], ["s"]),
    "AI.SCRIPTGET": ([], ["s", "META"], ["s"]),
    "AI.SCRIPTDEL": ([], ["s"], ["s"]),
    "AI.SCRIPTEXECUTE": (["s"], ["s", "f", "INPUTS", 1, "x", "OUTPUTS", 1, "y"], ["s", "x", "y"]),
    "AI.SCRIPTRUN": (["s"], ["s", "f", "INPUTS", "x", "OUTPUTS", "y"], ["s", "x", "y"]),
    "AI._SCRIPTSCAN": (["more"], [], None),
    "AI.INFO": ([], ["m"], ["m"]),
    "AI.CONFIG": ([], ["GET", "BACKENDSPATH"], None),
}
# The errors that RedisAI has a text for and no other test of ours asks for.
ERRORS = [
    ("AI.MODELSTORE m TF CPU INPUTS 1 a OUTPUTS x b BLOB x", "ERR Invalid argument for output_count"),
    (
        "AI.MODELSTORE m TF CPU INPUTS 1 a OUTPUTS 9 b BLOB x",
        "ERR number of model outputs does not match the number of given arguments",
    ),
    ("AI.MODELSTORE m ONNX CPU BATCHSIZE -1 BLOB x", "ERR Invalid argument for BATCHSIZE"),
    ("AI.MODELSTORE m ONNX CPU:123456 BLOB x", "ERR Invalid DEVICE"),
    ("AI.MODELSTORE m ONNX CPU TAG t BATCHSIZE 2", "ERR Insufficient arguments, missing model BLOB"),
    ("AI.MODELSTORE m NONE CPU:x BATCHSIZE z BLOB x", "ERR unsupported backend"),  # the first of several
    ("AI.MODELSTORE m ONNX CPU:x BATCHSIZE z BLOB x", "ERR Invalid DEVICE"),
    ("AI.MODELSTORE tensor NONE CPU BLOB x", "ERR unsupported backend"),
    ("AI.MODELSET m NONE CPU BLOB x", "ERR unsupported backend"),
    ("AI.MODELSET m ONNX XPU BLOB x", "ERR Invalid DEVICE"),
    ("AI.MODELSET m ONNX CPU BATCHSIZE z BLOB x", "ERR Invalid argument for BATCHSIZE"),
    ("AI.MODELSET m ONNX CPU BATCHSIZE 2 MINBATCHSIZE z BLOB x", "ERR Invalid argument for MINBATCHSIZE"),
    ("AI.MODELSET m ONNX CPU MINBATCHSIZE 2 BLOB x", "ERR MINBATCHSIZE specified without BATCHSIZE"),
    (
        "AI.MODELSET m ONNX CPU BATCHSIZE 2 MINBATCHSIZE 2 MINBATCHTIMEOUT z BLOB x",
        "ERR Invalid argument for MINBATCHTIMEOUT",
    ),
    ("AI.MODELSET m ONNX CPU MINBATCHTIMEOUT 5 BLOB x", "ERR MINBATCHTIMEOUT specified without BATCHSIZE"),
    (
        "AI.MODELSET m ONNX CPU BATCHSIZE 2 MINBATCHTIMEOUT 5 BLOB x",
        "ERR MINBATCHTIMEOUT specified without MINBATCHSIZE",
    ),
    ("AI.MODELSET m TFLITE CPU BATCHSIZE 2 BLOB x", "ERR Auto-batching not supported by the TFLITE backend"),
    ("AI.MODELSET m TF CPU", "ERR Insufficient arguments, INPUTS and OUTPUTS not specified"),
    ("AI.MODELSET m TF CPU BLOB x", "ERR INPUTS not specified"),
    ("AI.MODELSET m TF CPU INPUTS a BLOB x", "ERR OUTPUTS not specified"),
    ("AI.MODELSET tensor ONNX CPU BLOB x", WRONGTYPE),
    ("AI.MODELGET absent META", "ERR model key is empty"),
    ("AI.MODELGET tensor", WRONGTYPE),
    ("AI.MODELDEL tensor", WRONGTYPE),
    # Of a model that could not be built nobody knows how many tensors it takes.
    (
        "AI.MODELEXECUTE broken INPUTS 9 a b OUTPUTS 1 y",
        "ERR number of input keys to AI.MODELEXECUTE command does not match the number of given arguments",
    ),
    (
        "AI.MODELEXECUTE broken INPUTS 1 a OUTPUTS 9 y z",
        "ERR number of output keys to AI.MODELEXECUTE command does not match the number of given arguments",
    ),
    ("AI.MODELEXECUTE double INPUTS 1 tensor OUTPUTS 1 y TIMEOUT -1", "ERR Invalid value for TIMEOUT"),
    ("AI.MODELRUN absent INPUTS tensor OUTPUTS y", "ERR model key is empty"),
    ("AI.MODELRUN tensor INPUTS tensor OUTPUTS y", WRONGTYPE),
    ("AI.MODELRUN double FOO tensor OUTPUTS y", "ERR INPUTS not specified"),
    ("AI.MODELRUN double INPUTS tensor FOO y", "ERR OUTPUTS not specified"),
    ("AI.MODELRUN double TIMEOUT 0 INPUTS tensor OUTPUTS y", "ERR Invalid value for TIMEOUT"),
    ("AI.MODELRUN double TIMEOUT x INPUTS tensor OUTPUTS y", "ERR Invalid value for TIMEOUT"),
    (
        "AI.MODELRUN double INPUTS tensor tensor OUTPUTS y",
        "Number of keys given as INPUTS here does not match model definition",
    ),
    (
        "AI.MODELRUN double INPUTS tensor OUTPUTS y z",
        "Number of keys given as OUTPUTS here does not match model definition",
    ),
    ("AI.MODELRUN double INPUTS absent OUTPUTS y", "ERR tensor key is empty or in a different shard"),
    ("AI.MODELRUN double INPUTS word OUTPUTS y", WRONGTYPE),
    ("AI.MODELRUN double INPUTS tensor OUTPUTS word", WRONGTYPE),
    ("AI.INFO absent", "ERR cannot find run info for key"),
    ("AI.INFO tensor", "ERR cannot find run info for key"),
    ("AI.CONFIG GET", "ERR wrong number of arguments for 'AI.CONFIG' command"),
    ("AI.CONFIG LOADBACKEND ONNX", "ERR wrong number of arguments for 'AI.CONFIG' command"),
    ("AI.CONFIG LOADBACKEND NONE x.so", "ERR unsupported backend"),
    ("AI.CONFIG MODEL_CHUNK_SIZE 0", "ERR MODEL_CHUNK_SIZE: invalid chunk size"),
    ("AI.CONFIG MODEL_CHUNK_SIZE -5", "ERR MODEL_CHUNK_SIZE: invalid chunk size"),
    ("AI.CONFIG anything", "ERR unsupported subcommand"),
]


@pytest.mark.asan
def test_errors_are_those_of_redisai(client):
    store(client, "double", onnx_models.doubler())
    with client.pipeline(transaction=True) as pipe:
        pipe.execute_command("AI.MODELSTORE", "broken", "ONNX", "CPU", "BLOB", "garbage")
        pipe.execute()
    set_floats(client, "tensor", [1, 2], [1, 2])
    client.set("word", "x")
    before = sorted(client.keys())
    got = [(command, error_of(client, *command.split())) for command, _ in ERRORS]
    assert got == ERRORS
    assert sorted(client.keys()) == before


def test_the_vendors_words_about_shapes_are_those_that_redisai_showed(client):
    store(client, "double", onnx_models.doubler())
    set_floats(client, "wide", [1, 3], [1, 2, 3])
    set_floats(client, "flat", [2], [1, 2])
    execute_wide = ("AI.MODELEXECUTE", "double", "INPUTS", 1, "wide", "OUTPUTS", 1, "y")
    execute_flat = ("AI.MODELEXECUTE", "double", "INPUTS", 1, "flat", "OUTPUTS", 1, "y")
    assert (
        "Got invalid dimensions for input: x for the following indices  index: 1 Got: 3 Expected: 2  "
        "Please fix either the inputs"
    ) in error_of(client, *execute_wide)
    assert (
        "Invalid rank for input: x Got: 1 Expected: 2 Please fix either the inputs"
    ) in error_of(client, *execute_flat)


@pytest.mark.parametrize("name", [name for name, (too_few, _, _) in COMMANDS.items() if too_few is not None])
def test_arity_is_told_with_the_name_as_the_client_sent_it(client, name):
    mixed = "".join(c.upper() if i % 2 else c.lower() for i, c in enumerate(name))
    for written in (name, name.lower(), mixed):
        shown = name if "DAG" in name else written  # RedisAI has a fixed text there
        text = f"ERR wrong number of arguments for '{shown}' command"
        assert error_of(client, written, *COMMANDS[name][0]) == text


def text_of(value):
    return value.decode() if isinstance(value, bytes) else str(value)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_server_knows_each_command(client, name):
    _, example, keys = COMMANDS[name]
    docs = raw(client, "COMMAND", "DOCS", name)
    fields = dict(zip(docs[1][::2], docs[1][1::2])) if isinstance(docs, list) else next(iter(docs.values()))
    fields = {text_of(k): v for k, v in fields.items()}
    assert text_of(docs[0]) == name.lower()
    assert fields["summary"] and fields["complexity"] and fields["since"]
    info = raw(client, "COMMAND", "INFO", name)
    assert text_of(info[0][0]) == name.lower()
    flags = {text_of(flag) for flag in info[0][2]}
    assert ("write" in flags) != ("readonly" in flags)
    assert "module" in flags
    if keys is None:
        with pytest.raises(redis.ResponseError):
            raw(client, "COMMAND", "GETKEYS", name, *example)
    else:
        assert [text_of(k) for k in raw(client, "COMMAND", "GETKEYS", name, *example)] == keys


def test_the_table_above_has_every_command_of_the_server(client):
    ours = {text_of(name).upper() for name in raw(client, "COMMAND", "LIST", "FILTERBY", "MODULE", "ai")}
    assert {name for name in ours if name.startswith("AI.")} == set(COMMANDS)


@pytest.mark.parametrize("protocol", [2, 3])
def test_replies_have_redisais_shape_in_both_protocols(server, protocol):
    with server.client(protocol=protocol) as client:
        store(client, "m", onnx_models.doubler(), "TAG", "t")
        client.execute_command("AI.TENSORSET", "x", "FLOAT", 1, 2, "VALUES", "0.1", "inf")
        assert execute(client, "m", ["x"], ["y"]) == b"OK"

        number = {2: (b"0.10000000149011612", b"inf"), 3: (0.10000000149011612, float("inf"))}[protocol]
        assert raw(client, "AI.TENSORGET", "x", "VALUES") == list(number)
        meta = raw(client, "AI.TENSORGET", "x", "META", "VALUES")
        assert meta == [b"dtype", b"FLOAT", b"shape", [1, 2], b"values", list(number)]

        meta = raw(client, "AI.MODELGET", "m", "META")
        assert isinstance(meta, list) and len(meta) == 16
        assert meta[::2] == [
            b"backend", b"device", b"tag", b"batchsize", b"minbatchsize", b"inputs", b"outputs", b"minbatchtimeout"
        ]  # fmt: skip
        assert len(raw(client, "AI.MODELGET", "m")) == 18

        info = raw(client, "AI.INFO", "m")
        assert isinstance(info, list) and info[::2] == [
            b"key", b"type", b"backend", b"device", b"tag", b"duration", b"samples", b"calls", b"errors"
        ]  # fmt: skip
        assert all(isinstance(value, int) for value in info[11::2])
        assert raw(client, "AI._MODELSCAN") == [[b"m", b"t"]]
        assert raw(client, "AI.CONFIG", "GET", "nothing") is None
        assert isinstance(raw(client, "AI.CONFIG", "GET", "MODEL_CHUNK_SIZE"), int)


@pytest.mark.asan
def test_models_have_digest_copy_and_memory_usage(client):
    store(client, "m", onnx_models.doubler(), "TAG", "t")
    store(client, "tagged", onnx_models.doubler(), "TAG", "other")
    assert client.copy("m", "copied")
    client.restore("restored", 0, client.dump("m"))
    digests = client.execute_command("DEBUG", "DIGEST-VALUE", "m", "copied", "restored", "tagged")
    assert digests[0] == digests[1] == digests[2] != digests[3]
    assert client.memory_usage("m") > len(onnx_models.doubler())
    set_floats(client, "x", [1, 2], [1, 2])
    client.delete("m")
    for model in ("copied", "restored"):
        assert execute(client, model, ["x"], ["y"]) == b"OK"
        calls = client.execute_command("AI.INFO", model)
        assert calls[calls.index(b"calls") + 1] == 1  # each name counts its own


def test_unlink_of_a_large_tensor_frees_in_the_background(client):
    client.execute_command("AI.TENSORSET", "small", "UINT8", 10)
    client.execute_command("AI.TENSORSET", "large", "UINT8", 64 << 20)
    used = client.info("memory")["used_memory"]
    freed = client.info("memory").get("lazyfreed_objects", 0)
    assert client.unlink("small", "large") == 2
    eventually(lambda: client.info("memory")["used_memory"] < used - (60 << 20))
    eventually(lambda: client.info("memory")["lazyfreed_objects"] > freed, what="the count of the background's work")
    assert client.info("memory")["lazyfreed_objects"] - freed == 1  # the small one went at once


@pytest.mark.asan
def test_model_and_inputs_may_be_renamed_and_deleted_during_a_run(ready, server, busy):
    busy(700)
    later = Later(server, "AI.MODELEXECUTE", "double", "INPUTS", 1, "x", "OUTPUTS", 1, "y")
    gone = Later(server, "AI.MODELEXECUTE", "multiply", "INPUTS", 2, "x", "x", "OUTPUTS", 1, "z")
    eventually(lambda: queue(ready)["waiting"] == 2)
    ready.rename("double", "renamed")
    ready.rename("x", "moved")
    ready.delete("multiply")
    ready.execute_command("AI.TENSORSET", "x", "FLOAT", 1, "VALUES", 7)  # another tensor under the old name
    assert later.get() == b"OK" and gone.get() == b"OK"
    assert get_floats(ready, "y") == [2, 4, 6, 8]
    assert get_floats(ready, "z") == [1, 4, 9, 16]
    assert execute(ready, "renamed", ["moved"], ["y"]) == b"OK"
    calls = ready.execute_command("AI.INFO", "renamed")
    assert calls[calls.index(b"calls") + 1] == 2


def test_clients_that_leave_during_runs_leave_nothing_behind(ready, server):
    before = ready.info("clients")
    stop = time.monotonic() + 2
    x = np.ones((50, 2), np.float32)

    def leave(i):
        while time.monotonic() < stop:
            with server.client() as other:
                connection = other.connection_pool.get_connection()
                set_floats(other, f"x{i}", x.shape, x)
                connection.send_command("AI.MODELEXECUTE", "double", "INPUTS", 1, f"x{i}", "OUTPUTS", 1, f"y{i}")
                connection.disconnect()

    threads = [threading.Thread(target=leave, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    eventually(lambda: ready.info("clients")["blocked_clients"] == 0)
    eventually(lambda: ready.info("clients")["connected_clients"] <= before["connected_clients"])
    eventually(lambda: queue(ready)["waiting"] == 0 and queue(ready)["running"] == 0)
    assert execute(ready, "double", ["x"], ["y"]) == b"OK"


def test_a_graph_that_does_not_load_says_so_as_redisai_did(client):
    names = ("INPUTS", 2, "a", "b", "OUTPUTS", 1, "mul")
    assert error_of(client, "AI.MODELSTORE", "m", "TF", "CPU", *names, "BLOB", "garbage") == "Invalid GraphDef"
    text = error_of(client, "AI.MODELSTORE", "m", "TF", "CPU", "INPUTS", 1, "a", "OUTPUTS", 1, "no", "BLOB", tf_models.multiply())
    assert text == 'ERR Output node named "no" not found in TF graph'
