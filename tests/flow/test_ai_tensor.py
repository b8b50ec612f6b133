"""AI.TENSORSET and AI.TENSORGET: every type, both forms, RedisAI's replies and errors."""

import numpy as np
import pytest
import redis

from ai_models import error_of
from servers import eventually

WRONGTYPE = "WRONGTYPE Operation against a key holding the wrong kind of value"
NUMBERS = {
    "FLOAT": np.float32,
    "DOUBLE": np.float64,
    "FLOAT16": np.float16,
    "INT8": np.int8,
    "INT16": np.int16,
    "INT32": np.int32,
    "INT64": np.int64,
    "UINT8": np.uint8,
    "UINT16": np.uint16,
    "UINT32": np.uint32,
    "UINT64": np.uint64,
    "BOOL": np.bool_,
}


@pytest.mark.asan
@pytest.mark.parametrize("name", NUMBERS)
def test_every_number_type_comes_back_as_it_was_set(client, name):
    values = np.array([[0, 1, 1], [1, 0, 1]]).astype(NUMBERS[name])
    words = [int(v) for v in values.flat]
    assert client.execute_command("AI.TENSORSET", "v", name, 2, 3, "VALUES", *words) == b"OK"
    assert client.execute_command("AI.TENSORSET", "b", name, 2, 3, "BLOB", values.tobytes()) == b"OK"
    assert client.execute_command("AI.TENSORGET", "v", "BLOB") == values.tobytes()
    got = client.execute_command("AI.TENSORGET", "b", "META", "VALUES")
    assert got[:5] == [b"dtype", name.encode(), b"shape", [2, 3], b"values"]
    assert [float(v) for v in got[5]] == [float(v) for v in words]


@pytest.mark.parametrize("name", ["INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64"])
def test_integers_keep_to_their_range(client, name):
    limits = np.iinfo(NUMBERS[name])
    client.execute_command("AI.TENSORSET", "t", name, 2, "VALUES", limits.min, limits.max)
    got = client.execute_command("AI.TENSORGET", "t", "VALUES")
    assert [int(v) for v in got] == [limits.min, limits.max]
    for outside in (limits.min - 1, limits.max + 1):
        assert error_of(client, "AI.TENSORSET", "t", name, 1, "VALUES", outside) == "ERR invalid value"


def test_bfloat16_keeps_eight_bits(client):
    client.execute_command("AI.TENSORSET", "t", "BFLOAT16", 3, "VALUES", 1, "-2.5", "3.1415926")
    assert [float(v) for v in client.execute_command("AI.TENSORGET", "t", "VALUES")] == [1, -2.5, 3.140625]


@pytest.mark.asan
def test_strings_as_values_and_as_blob(client):
    client.execute_command("AI.TENSORSET", "v", "STRING", 2, 2, "VALUES", "ab", "", "한글", "d\0")
    assert client.execute_command("AI.TENSORGET", "v", "VALUES") == [b"ab", b"", "한글".encode(), b"d"]
    blob = b"ab\0\0" + "한글".encode() + b"\0d\0"
    assert client.execute_command("AI.TENSORGET", "v", "BLOB") == blob
    client.execute_command("AI.TENSORSET", "b", "STRING", 4, "BLOB", blob)
    assert client.execute_command("AI.TENSORGET", "b", "VALUES") == [b"ab", b"", "한글".encode(), b"d"]


def test_without_data_a_tensor_is_zero_and_without_dimensions_a_scalar(client):
    client.execute_command("AI.TENSORSET", "z", "INT16", 2, 2)
    assert client.execute_command("AI.TENSORGET", "z", "VALUES") == [0, 0, 0, 0]
    client.execute_command("AI.TENSORSET", "s", "FLOAT", "VALUES", 7)
    assert client.execute_command("AI.TENSORGET", "s", "META") == [b"dtype", b"FLOAT", b"shape", []]
    client.execute_command("AI.TENSORSET", "e", "STRING", 2)
    assert client.execute_command("AI.TENSORGET", "e", "VALUES") == [b"", b""]


def test_values_are_text_in_resp2_and_doubles_in_resp3(server):
    for protocol, kind in ((2, bytes), (3, float)):
        with server.client(protocol=protocol) as client:
            client.execute_command("AI.TENSORSET", "t", "FLOAT", 1, "VALUES", "0.1")
            (value,) = client.execute_command("AI.TENSORGET", "t", "VALUES")
            assert isinstance(value, kind)
            assert float(value) == 0.10000000149011612


def test_forms_of_tensorget(client):
    client.execute_command("AI.TENSORSET", "t", "INT8", 2, "VALUES", 1, 2)
    meta = [b"dtype", b"INT8", b"shape", [2]]
    assert client.execute_command("AI.TENSORGET", "t") == meta + [b"blob", b"\1\2"]
    assert client.execute_command("AI.TENSORGET", "t", "meta") == meta
    assert client.execute_command("AI.TENSORGET", "t", "META", "BLOB") == meta + [b"blob", b"\1\2"]
    assert client.execute_command("AI.TENSORGET", "t", "VALUES") == [1, 2]


@pytest.mark.asan
@pytest.mark.parametrize(
    "words, text",
    [
        (["AI.TENSORSET"], "ERR wrong number of arguments for 'AI.TENSORSET' command"),
        (["Ai.TensorSet", "t"], "ERR wrong number of arguments for 'Ai.TensorSet' command"),
        (["AI.TENSORSET", "t", "FLOAT99", 1], "ERR invalid data type"),
        (["AI.TENSORSET", "t", "FLOAT", 0], "ERR invalid or negative value found in tensor shape"),
        (["AI.TENSORSET", "t", "FLOAT", -2], "ERR invalid or negative value found in tensor shape"),
        (["AI.TENSORSET", "t", "FLOAT", "x"], "ERR invalid or negative value found in tensor shape"),
        (
            ["AI.TENSORSET", "t", "FLOAT", 1, "BLOB"],
            "ERR a single binary string should come after the BLOB argument in 'AI.TENSORSET' command",
        ),
        (
            ["AI.TENSORSET", "t", "FLOAT", 1, "BLOB", "abcd", "x"],
            "ERR a single binary string should come after the BLOB argument in 'AI.TENSORSET' command",
        ),
        (
            ["AI.TENSORSET", "t", "FLOAT", 2, "VALUES", 1],
            "ERR wrong number of values was given in 'AI.TENSORSET' command",
        ),
        (["AI.TENSORSET", "t", "FLOAT", 1, "VALUES", "lol"], "ERR invalid value"),
        (["AI.TENSORSET", "t", "FLOAT", 1, "VALUES", "nan"], "ERR invalid value"),
        (["AI.TENSORSET", "t", "FLOAT", 1, "VALUES", "1e300"], "ERR invalid value"),
        (["AI.TENSORSET", "t", "BOOL", 1, "VALUES", 2], "ERR invalid value"),
        (["AI.TENSORSET", "t", "FLOAT", 2, "BLOB", "abc"], "ERR data length does not match tensor shape and type"),
        (["AI.TENSORSET", "t", "BOOL", 2, "BLOB", b"\0\7"], "ERR BOOL tensor elements must be 0 or 1"),
        (["AI.TENSORSET", "t", "STRING", 1, "VALUES", b"a\0b"], "ERR C-string value contains null character"),
        (
            ["AI.TENSORSET", "t", "STRING", 3, "BLOB", b"a\0b\0"],
            "ERR Number of string elements in data blob does not match tensor length",
        ),
        (
            ["AI.TENSORSET", "t", "STRING", 1, "BLOB", b""],
            "ERR Number of string elements in data blob does not match tensor length",
        ),
        (["AI.TENSORGET"], "ERR wrong number of arguments for 'AI.TENSORGET' command"),
        (["AI.TENSORGET", "absent"], "ERR tensor key is empty or in a different shard"),
        (["AI.TENSORGET", "there", "YAML"], "ERR unsupported data format"),
        (["AI.TENSORGET", "there", "BLOB", "VALUES"], "ERR both BLOB and VALUES specified"),
        (["AI.TENSORGET", "there", "META", "BLOB", "x"], "ERR wrong number of arguments for 'AI.TENSORGET' command"),
        (["AI.TENSORSET", "word", "FLOAT99"], WRONGTYPE),
        (["AI.TENSORGET", "word", "YAML"], WRONGTYPE),
    ],
)
def test_errors_are_those_of_redisai(client, words, text):
    client.set("word", "x")
    client.execute_command("AI.TENSORSET", "there", "FLOAT", 1)
    assert error_of(client, *words) == text
    assert not client.exists("t")


@pytest.mark.parametrize("name", ["FLOAT", "STRING", "UINT8"])
def test_shapes_that_overflow_or_take_too_much_are_refused(client, name):
    assert "too large" in error_of(client, "AI.TENSORSET", "t", name, 4294967296, 4294967296)
    assert "ai.tensor-max-bytes" in error_of(client, "AI.TENSORSET", "t", name, 1 << 40)
    assert not client.exists("t")


def test_zeros_do_not_outgrow_maxmemory(start_server, engine):
    client = start_server(config={"maxmemory": "50mb"}).client()
    assert error_of(client, "AI.TENSORSET", "t", "FLOAT", 25 << 20).startswith("OOM ")
    assert client.execute_command("AI.TENSORSET", "t", "FLOAT", 1 << 20) == b"OK"


def test_negative_integers_are_refused_only_when_asked_to_be_like_redisai(client):
    client.execute_command("AI.TENSORSET", "t", "INT8", 1, "VALUES", -128)
    client.config_set("ai.compat-redisai", "yes")
    assert error_of(client, "AI.TENSORSET", "t", "INT8", 1, "VALUES", -1) == "ERR invalid value"
    client.execute_command("AI.TENSORSET", "t", "FLOAT", 1, "VALUES", -1)


def test_a_failing_command_does_not_break_a_watch(client):
    client.execute_command("AI.TENSORSET", "t", "FLOAT", 1)
    with client.pipeline() as pipe:
        pipe.watch("t")
        with pytest.raises(redis.ResponseError):
            client.execute_command("AI.TENSORSET", "t", "FLOAT", 1, "VALUES", "x")
        pipe.multi()
        pipe.ping()
        assert pipe.execute() == [True]
        pipe.watch("t")
        client.execute_command("AI.TENSORSET", "t", "FLOAT", 1, "VALUES", 5)
        pipe.multi()
        pipe.ping()
        with pytest.raises(redis.WatchError):
            pipe.execute()


def test_works_in_transactions_and_scripts(client):
    with client.pipeline(transaction=True) as pipe:
        pipe.execute_command("AI.TENSORSET", "t", "INT8", 1, "VALUES", 3)
        pipe.execute_command("AI.TENSORGET", "t", "VALUES")
        assert pipe.execute() == [b"OK", [3]]
    script = "redis.call('AI.TENSORSET', KEYS[1], 'INT8', 2, 'VALUES', 1, 2) return redis.call('AI.TENSORGET', KEYS[1], 'VALUES')"
    assert client.eval(script, 1, "u") == [1, 2]


def test_used_memory_and_memory_usage_count_a_tensor(client):
    before = client.info("memory")["used_memory"]
    client.execute_command("AI.TENSORSET", "t", "UINT8", 10_000_000)  # no blob: the query buffer would blur the figures
    assert client.info("memory")["used_memory"] - before > 10_000_000
    assert 10_000_000 < client.memory_usage("t") < 10_010_000
    client.delete("t")  # Valkey frees in the background
    eventually(lambda: client.info("memory")["used_memory"] - before < 1_000_000)


@pytest.mark.asan
def test_copy_rename_and_digest(client):
    client.execute_command("AI.TENSORSET", "t", "INT8", 2, "VALUES", 1, 2)
    client.execute_command("AI.TENSORSET", "other", "INT8", 2, "VALUES", 1, 3)
    client.copy("t", "u")
    client.rename("t", "w")
    assert client.execute_command("AI.TENSORGET", "u", "VALUES") == [1, 2]
    assert client.execute_command("AI.TENSORGET", "w", "VALUES") == [1, 2]
    same, also, different = client.execute_command("DEBUG", "DIGEST-VALUE", "u", "w", "other")
    assert same == also != different
