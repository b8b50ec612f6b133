"""AI.PREDICT: tensors in, tensors out, nothing written; and what INFO tells about the runs of each model."""

import time

import numpy as np
import pytest
import redis

from ai_models import error_of, floats, onnx_models, set_floats, store


@pytest.fixture
def ready(client):
    store(client, "double", onnx_models.doubler())
    store(client, "multiply", onnx_models.multiply())
    set_floats(client, "x", [2, 2], [1, 2, 3, 4])
    return client


def predict(client, key, *words):
    return client.execute_command("AI.PREDICT", key, *words)


def inline(shape, values):
    return ["TENSOR", "FLOAT", *shape, "BLOB", floats(values)]


def decoded(entry):
    """(type, shape, values) of one tensor of the reply."""
    assert entry[::2] == [b"dtype", b"shape", b"blob"]
    return entry[1], entry[3], list(np.frombuffer(entry[5], np.float32))


def test_answers_with_the_tensors_and_writes_nothing(ready):
    before = ready.dbsize()
    reply = predict(ready, "double", "INPUTS", 1, *inline([2, 2], [1, 2, 3, 4]))
    assert [decoded(entry) for entry in reply] == [(b"FLOAT", [2, 2], [2, 4, 6, 8])]
    assert ready.dbsize() == before


def test_takes_keys_and_inline_tensors_together(ready):
    reply = predict(ready, "multiply", "INPUTS", 2, "KEY", "x", *inline([2, 2], [10, 10, 10, 10]), "TIMEOUT", 5000)
    assert decoded(reply[0])[2] == [10, 20, 30, 40]


def test_returns_the_outputs_that_are_named(ready):
    reply = predict(ready, "double", "INPUTS", 1, "KEY", "x", "OUTPUTS", 2, "y", "y")
    assert [decoded(entry)[2] for entry in reply] == [[2, 4, 6, 8]] * 2


def test_needs_no_right_to_write_and_names_its_keys(ready, server):
    words = ["AI.PREDICT", "multiply", "INPUTS", "2", "KEY", "x", "TENSOR", "FLOAT", "1", "BLOB", "abcd"]
    assert ready.execute_command("COMMAND GETKEYS", *words) == ["multiply", "x"]
    ready.execute_command("ACL", "SETUSER", "reader", "on", ">pw", "+ai.predict", "%R~double", "%R~x")
    with server.client(username="reader", password="pw") as reader:
        assert decoded(predict(reader, "double", "INPUTS", 1, "KEY", "x")[0])[2] == [2, 4, 6, 8]
        with pytest.raises(redis.exceptions.NoPermissionError):
            predict(reader, "multiply", "INPUTS", 2, "KEY", "x", "KEY", "x")


def test_a_deadline_answers_in_time(ready):
    store(ready, "endless", onnx_models.endless())
    started = time.monotonic()
    assert predict(ready, "endless", "INPUTS", 1, *inline([1], [1]), "TIMEOUT", 100) == b"TIMEDOUT"
    assert time.monotonic() - started < 3


def test_bad_words_are_told(ready):
    ready.set("text", "x")
    one = inline([2, 2], [1, 2, 3, 4])
    cases = {
        ("nothing", "INPUTS", 1, "KEY", "x"): "ERR model key is empty",
        ("text", "INPUTS", 1, "KEY", "x"): "WRONGTYPE Operation against a key holding the wrong kind of value",
        ("double", "INPUT", 1, "KEY", "x"): "ERR INPUTS not specified",
        ("double", "INPUTS", 0, "KEY", "x"): "ERR INPUTS needs a count of at least 1",
        ("double", "INPUTS", 9, "KEY", "x"): "ERR INPUTS 9 asks for more than what follows",
        ("double", "INPUTS", 1, "WORD", "x"): "ERR input 1 must begin with KEY or TENSOR",
        ("double", "INPUTS", 1, "KEY", "absent"): "ERR tensor key is empty or in a different shard",
        ("double", "INPUTS", 1, "KEY", "text"): "WRONGTYPE Operation against a key holding the wrong kind of value",
        ("double", "INPUTS", 1, "TENSOR", "WORD", 1, "BLOB", "x"): "ERR invalid data type",
        ("double", "INPUTS", 1, "TENSOR", "FLOAT", -1, "BLOB", "x"): "ERR invalid or negative value found in tensor shape",
        ("double", "INPUTS", 1, "TENSOR", "FLOAT", 2, 2): "ERR input 1 has no BLOB after its type and dimensions",
        ("double", "INPUTS", 1, "TENSOR", "FLOAT", 2, 2, "BLOB", "x"): "ERR data length does not match tensor shape and type",
        ("double", "INPUTS", 2, *one, *one): "ERR the model has 1 inputs, 2 are given",
        ("double", "INPUTS", 1, *one, "OUTPUTS", 1, "z"): "ERR the model has no output 'z'; its outputs: y",
        ("double", "INPUTS", 1, *one, "TIMEOUT"): "ERR No value provided for TIMEOUT",
        ("double", "INPUTS", 1, *one, "TIMEOUT", 0): "ERR Invalid value for TIMEOUT",
        ("double", "INPUTS", 1, *one, "LATER"): "ERR unexpected 'LATER'; after the inputs come OUTPUTS and TIMEOUT, each once",
        ("double",): "ERR wrong number of arguments for 'AI.PREDICT' command",
    }
    for words, expected in cases.items():
        assert error_of(ready, "AI.PREDICT", *words) == expected, words
    assert error_of(ready, "AI.PREDICT", "double", "INPUTS", 1, "TENSOR", "FLOAT", 2**32, 2**32, "BLOB", "").startswith("ERR ")


def test_a_shape_that_does_not_fit_gets_the_backends_words(ready):
    assert "Got: 3 Expected: 2" in error_of(ready, "AI.PREDICT", "double", "INPUTS", 1, *inline([1, 3], [1, 2, 3]))


def test_is_refused_where_nothing_may_wait(ready):
    pipeline = ready.pipeline(transaction=True)
    pipeline.execute_command("AI.PREDICT", "double", "INPUTS", 1, "KEY", "x")
    (answer,) = pipeline.execute(raise_on_error=False)
    assert "Cannot run RedisAI command within a transaction" in str(answer)


def test_info_shows_latencies_batches_and_memory_per_model(ready):
    for _ in range(20):
        predict(ready, "double", "INPUTS", 1, "KEY", "x")
    error_of(ready, "AI.PREDICT", "double", "INPUTS", 1, *inline([1, 3], [1, 2, 3]))
    runs = ready.info("everything")["ai_db0_double"]
    assert (runs["calls"], runs["errors"], runs["timeouts"]) == (21, 1, 0)
    assert 0 < runs["run_us_p50"] <= runs["run_us_p99"] < 10_000_000
    assert runs["queue_us_p50"] <= runs["queue_us_p99"] < 10_000_000
    assert runs["batch_max"] == 2 and runs["memory"] > 100
    ready.execute_command("AI.INFO", "double", "RESETSTAT")
    assert ready.info("everything")["ai_db0_double"]["calls"] == 0


def test_reading_info_is_no_use_of_a_key(ready, server):
    if server.engine == "redis":
        pytest.skip("modules cannot look without counting before Redis 7.2")
    before = ready.info("stats")
    ready.info("everything")
    after = ready.info("stats")
    assert (after["keyspace_hits"], after["keyspace_misses"]) == (before["keyspace_hits"], before["keyspace_misses"])
