"""AI.DAGEXECUTE, AI.DAGRUN and their read-only forms: results, errors, keys and rights."""

import time

import pytest
import redis

from ai_dag import Later, busy, dag, queue, raw, ready, run_model, words  # noqa: F401
from ai_models import error_of, floats, get_floats, onnx_models, set_floats, store
from servers import eventually, free_port

WRONGTYPE = "WRONGTYPE Operation against a key holding the wrong kind of value"
EMPTY = "ERR tensor key is empty or in a different shard"


def test_values_flow_through_the_ops(ready):
    reply = dag(
        ready,
        "LOAD 1 x PERSIST 2 y z |> AI.TENSORSET two FLOAT 2 2 VALUES 2 2 2 2 "
        + run_model("multiply", ["x", "two"], ["y"])
        + run_model("double", ["y"], ["z"])
        + " |> AI.TENSORGET y VALUES |> AI.TENSORGET z META |> AI.TENSORGET z META VALUES |> AI.TENSORGET z BLOB "
        "|> AI.TENSORGET z |> AI.TENSORGET x VALUES",
    )
    assert reply == [
        b"OK",
        b"OK",
        b"OK",
        [b"2", b"4", b"6", b"8"],
        [b"dtype", b"FLOAT", b"shape", [2, 2]],
        [b"dtype", b"FLOAT", b"shape", [2, 2], b"values", [b"4", b"8", b"12", b"16"]],
        floats([4, 8, 12, 16]),
        [b"dtype", b"FLOAT", b"shape", [2, 2], b"blob", floats([4, 8, 12, 16])],
        [b"1", b"2", b"3", b"4"],
    ]
    assert get_floats(ready, "y") == [2, 4, 6, 8]
    assert get_floats(ready, "z") == [4, 8, 12, 16]
    assert sorted(ready.keys()) == [b"double", b"double1", b"multiply", b"x", b"y", b"z"]  # `two` was local


def test_resp3_changes_only_the_numbers(ready, server):
    text = "LOAD 1 x " + run_model("double", ["x"], ["y"]) + " |> AI.TENSORGET y META VALUES"
    with server.client(protocol=3) as client:
        assert dag(client, text) == [b"OK", [b"dtype", b"FLOAT", b"shape", [2, 2], b"values", [2.0, 4.0, 6.0, 8.0]]]


def test_a_name_used_again_is_the_newer_value(ready):
    reply = dag(
        ready,
        "LOAD 1 x PERSIST 1 x "
        + run_model("double", ["x"], ["x"])
        + " |> AI.TENSORGET x VALUES "
        + run_model("double", ["x"], ["x"])
        + " |> AI.TENSORGET x VALUES |> AI.TENSORSET x FLOAT 1 2 VALUES 7 8 |> AI.TENSORGET x VALUES "
        + run_model("double", ["x"], ["other"])
        + " |> AI.TENSORGET other VALUES",
    )
    assert reply[1] == [b"2", b"4", b"6", b"8"]
    assert reply[3] == [b"4", b"8", b"12", b"16"]
    assert reply[5] == [b"7", b"8"]
    assert reply[7] == [b"14", b"16"]
    assert get_floats(ready, "x") == [7, 8]


def test_clauses_stand_in_any_order_and_words_in_any_case(ready):
    ops = run_model("double", ["x"], ["y"]).lower()
    clauses = ["load 1 x", "Persist 1 y", "ROUTING tag", "timeout 5000"]
    for turn in range(4):
        text = " ".join(clauses[turn:] + clauses[:turn])
        assert dag(ready, f"{text} {ops}", "ai.dagexecute") == [b"OK"]
        assert ready.delete("y") == 1


def test_loading_shares_what_was_there_when_the_command_came(ready, server, busy):
    busy(400)
    later = Later(server, "AI.DAGEXECUTE", *words("LOAD 1 x PERSIST 1 y " + run_model("double", ["x"], ["y"])))
    eventually(lambda: queue(ready)["waiting"] == 1)
    ready.delete("x", "double")
    assert later.get() == [b"OK"]
    assert get_floats(ready, "y") == [2, 4, 6, 8]


def test_a_blob_may_look_like_a_separator(ready):
    reply = ready.execute_command(
        *words("AI.DAGEXECUTE ROUTING t |> AI.TENSORSET a INT8 2 BLOB |> |> AI.TENSORGET a VALUES |> AI.TENSORGET a BLOB")
    )
    assert reply == [b"OK", list(b"|>"), b"|>"]


def test_strings_and_a_separator_at_the_end(client):
    store(client, "m", onnx_models.identity(onnx_models.STRING, ["N"]))
    blob = "Köln\0\0두\0".encode()
    reply = client.execute_command(
        *words("AI.DAGEXECUTE_RO ROUTING t |> AI.TENSORSET in STRING 3 BLOB"), blob,
        *words("|> AI.MODELEXECUTE m INPUTS 1 in OUTPUTS 1 out |> AI.TENSORGET out VALUES |>"),
    )  # fmt: skip
    assert reply == [b"OK", b"OK", ["Köln".encode(), b"", "두".encode()]]


def test_the_old_forms(ready):
    reply = ready.execute_command(
        *words(
            "AI.DAGRUN LOAD 1 x PERSIST 1 z |> AI.TENSORSET b FLOAT 2 2 VALUES 1 1 2 2 "
            "|> AI.MODELRUN multiply INPUTS x b OUTPUTS y |> AI.MODELRUN double INPUTS y OUTPUTS z |> AI.TENSORGET z VALUES"
        )
    )
    assert reply == [b"OK", b"OK", b"OK", [b"2", b"4", b"12", b"16"]]
    assert get_floats(ready, "z") == [2, 4, 12, 16]
    # No clause is needed.
    assert dag(ready, "|> AI.TENSORSET a FLOAT 1 VALUES 5 |> AI.TENSORGET a VALUES", "AI.DAGRUN") == [b"OK", [b"5"]]
    text = "LOAD 1 x |> AI.MODELRUN double INPUTS x OUTPUTS y |> AI.TENSORGET y VALUES"
    assert dag(ready, text, "AI.DAGRUN_RO") == [b"OK", [b"2", b"4", b"6", b"8"]]


def test_the_words_that_redisai_py_sends(ready):
    """Client.dag(load, persist, routing, timeout, readonly) and its ops, with blobs as bytes and numbers as integers."""
    reply = ready.execute_command(
        "AI.DAGEXECUTE", "LOAD", 1, "x", "PERSIST", 2, "c", "d", "ROUTING", "x", "TIMEOUT", 1000, "|>",
        "AI.TENSORSET", "b", "FLOAT", 2, 2, "BLOB", floats([2, 3, 2, 3]), "|>",
        "AI.MODELEXECUTE", "multiply", "INPUTS", 2, "x", "b", "OUTPUTS", 1, "c", "|>",
        "AI.TENSORGET", "c", "META", "BLOB", "|>",
        "AI.TENSORSET", "d", "INT64", 2, "VALUES", 4, 5,
    )  # fmt: skip
    meta = [b"dtype", b"FLOAT", b"shape", [2, 2], b"blob", floats([2, 6, 6, 12])]
    assert reply == [b"OK", b"OK", meta, b"OK"]
    assert get_floats(ready, "c") == [2, 6, 6, 12]
    assert ready.execute_command("AI.TENSORGET", "d", "VALUES") == [4, 5]


def test_runs_are_counted_for_their_models(ready):
    dag(ready, "LOAD 1 x " + run_model("double", ["x"], ["y"]) + run_model("double", ["y"], ["z"]))
    stats = ready.execute_command("AI.INFO", "double")
    stats = dict(zip(stats[::2], stats[1::2]))
    assert (stats[b"calls"], stats[b"samples"], stats[b"errors"]) == (2, 4, 0)
    bad = dag(ready, "ROUTING t |> AI.TENSORSET a FLOAT 1 3 " + run_model("double", ["a"], ["y"]))
    assert isinstance(bad[1], redis.ResponseError)
    stats = ready.execute_command("AI.INFO", "double")
    stats = dict(zip(stats[::2], stats[1::2]))
    assert (stats[b"calls"], stats[b"samples"], stats[b"errors"]) == (3, 4, 1)


# ---- errors ----

LOAD = "LOAD 1 x "
SYNTAX = [
    ("AI.DAGEXECUTE", "ERR missing arguments for 'AI.DAGEXECUTE' command"),
    ("ai.dagexecute LOAD 1 x |>", "ERR missing arguments for 'AI.DAGEXECUTE' command"),
    ("AI.DAGEXECUTE_RO LOAD 1 x |>", "ERR missing arguments for 'AI.DAGEXECUTE_RO' command"),
    ("AI.DAGRUN |> AI.TENSORGET", "ERR wrong number of arguments for 'AI.DAGRUN' command"),
    ("AI.DAGRUN_RO", "ERR wrong number of arguments for 'AI.DAGRUN_RO' command"),
    ("AI.DAGEXECUTE PERSIST 2 n1 n2 LOAD 1", "ERR missing arguments after LOAD keyword in DAG command"),
    (f"AI.DAGEXECUTE {LOAD} ROUTING x PERSIST", "ERR missing arguments after PERSIST keyword in DAG command"),
    ("AI.DAGEXECUTE LOAD no |> AI.TENSORGET x VALUES", "ERR invalid or negative value found in number of keys to LOAD"),
    ("AI.DAGEXECUTE LOAD -1 x |> AI.TENSORGET x", "ERR invalid or negative value found in number of keys to LOAD"),
    ("AI.DAGEXECUTE LOAD 0 |> AI.TENSORGET x VALUES", "ERR invalid or negative value found in number of keys to LOAD"),
    ("AI.DAGEXECUTE ROUTING x PERSIST no x", "ERR invalid or negative value found in number of keys to PERSIST"),
    ("AI.DAGEXECUTE ROUTING x PERSIST -5 x", "ERR invalid or negative value found in number of keys to PERSIST"),
    (
        "AI.DAGEXECUTE ROUTING x LOAD 2 x",
        "ERR number of keys to LOAD into DAG does not match the number of given arguments",
    ),
    (
        "AI.DAGEXECUTE ROUTING x PERSIST 9223372036854775807 x",
        "ERR number of keys to PERSIST after DAG execution does not match the number of given arguments",
    ),
    (f"AI.DAGEXECUTE {LOAD} PERSIST 3 a b a |> AI.TENSORGET x", "ERR PERSIST keys must be unique"),
    ("AI.DAGEXECUTE_RO PERSIST 1 a |> AI.TENSORSET a FLOAT 1", "ERR PERSIST cannot be specified in a read-only DAG"),
    ("AI.DAGRUN_RO PERSIST 1 a |> AI.TENSORSET a FLOAT 1", "ERR PERSIST cannot be specified in a read-only DAG"),
    ("AI.DAGEXECUTE PERSIST 3 a b c ROUTING", "ERR Missing ROUTING value"),
    ("AI.DAGEXECUTE ROUTING x PERSIST 1 x TIMEOUT", "ERR No value provided for TIMEOUT"),
    ("AI.DAGEXECUTE ROUTING x PERSIST 1 x TIMEOUT no", "ERR Invalid value for TIMEOUT"),
    # RedisAI took these two.
    (f"AI.DAGEXECUTE {LOAD} TIMEOUT 0 |> AI.TENSORGET x", "ERR Invalid value for TIMEOUT"),
    (f"AI.DAGEXECUTE {LOAD} TIMEOUT -5 |> AI.TENSORGET x", "ERR Invalid value for TIMEOUT"),
    ("AI.DAGEXECUTE ROUTING x PERSIST 1 x BAD_ARG", "ERR Invalid DAG command. Unexpected argument:  BAD_ARG"),
    (f"AI.DAGEXECUTE {LOAD} {LOAD} |> AI.TENSORGET x", "ERR Invalid DAG command. Unexpected argument:  LOAD"),
    ("AI.DAGEXECUTE ROUTING x ROUTING y |> AI.TENSORGET x", "ERR Invalid DAG command. Unexpected argument:  ROUTING"),
    (
        f"AI.DAGEXECUTE {LOAD} TIMEOUT 5 timeout 6 |> AI.TENSORGET x",
        "ERR Invalid DAG command. Unexpected argument:  timeout",
    ),
    (
        "AI.DAGEXECUTE |> AI.TENSORSET a FLOAT 1 2 VALUES 5 10",
        "ERR AI.DAGEXECUTE and AI.DAGEXECUTE_RO commands must contain at least one out of ROUTING, LOAD, PERSIST keywords",
    ),
    (
        "AI.DAGEXECUTE_RO TIMEOUT 100 |> AI.TENSORSET a FLOAT 1",
        "ERR AI.DAGEXECUTE and AI.DAGEXECUTE_RO commands must contain at least one out of ROUTING, LOAD, PERSIST keywords",
    ),
    (f"AI.DAGEXECUTE ROUTING x {LOAD}", "ERR DAG is empty"),
    (f"AI.DAGEXECUTE {LOAD} TIMEOUT 100 |>", "ERR DAG is empty"),
    ("AI.DAGRUN LOAD 1 x", "ERR DAG is empty"),
    # What is missing is told before what is wrong further on.
    ("AI.DAGEXECUTE ROUTING x LOAD 1 absent", EMPTY),
    ("AI.DAGEXECUTE LOAD 2 x word BAD_ARG", WRONGTYPE),
    ("AI.DAGEXECUTE BAD_ARG LOAD 1 absent |>", "ERR Invalid DAG command. Unexpected argument:  BAD_ARG"),
]
OPS = [
    ("AI.NOCOMMAND a FLOAT 1 2", "Unsupported command within DAG"),
    ("|> AI.TENSORGET x", "Unsupported command within DAG"),
    ("SET a b", "Unsupported command within DAG"),
    ("AI.MODELRUN double INPUTS x OUTPUTS y", "Deprecated AI.MODELRUN cannot be used in AI.DAGEXECUTE command"),
    ("AI.TENSORSET", "wrong number of arguments for 'AI.TENSORSET' command"),
    ("AI.TENSORSET a", "wrong number of arguments for 'AI.TENSORSET' command"),
    ("AI.TENSORGET", "wrong number of arguments for 'AI.TENSORGET' command"),
    ("AI.TENSORGET x META BLOB extra", "wrong number of arguments for 'AI.TENSORGET' command"),
    ("AI.TENSORSET a NOTYPE 1", "ERR invalid data type"),
    ("AI.TENSORSET a FLOAT -1", "ERR invalid or negative value found in tensor shape"),
    ("AI.TENSORSET a FLOAT 2 VALUES 1", "ERR wrong number of values was given in 'AI.TENSORSET' command"),
    ("AI.TENSORSET a FLOAT 2 VALUES 1 b", "ERR invalid value"),
    (
        "AI.TENSORSET a FLOAT 1 BLOB",
        "ERR a single binary string should come after the BLOB argument in 'AI.TENSORSET' command",
    ),
    ("AI.TENSORGET x FORM", "ERR unsupported data format"),
    ("AI.TENSORGET x BLOB VALUES", "ERR both BLOB and VALUES specified"),
    ("AI.TENSORGET absent", "ERR INPUT key cannot be found in DAG"),
    ("AI.TENSORGET later |> AI.TENSORSET later FLOAT 1", "ERR INPUT key cannot be found in DAG"),
    # A key that was not loaded is no input.
    ("AI.MODELEXECUTE double INPUTS 1 kept OUTPUTS 1 y", "ERR INPUT key cannot be found in DAG"),
    ("AI.MODELEXECUTE double INPUTS 1 x OUTPUTS 1", "ERR wrong number of arguments for 'AI.MODELEXECUTE' command"),
    ("AI.MODELEXECUTE absent INPUTS 1 x OUTPUTS 1 y", "ERR model key is empty"),
    ("AI.MODELEXECUTE word INPUTS 1 x OUTPUTS 1 y", WRONGTYPE),
    ("AI.MODELEXECUTE double INPUTS n x OUTPUTS 1 y", "ERR Invalid argument for input_count"),
    (
        "AI.MODELEXECUTE double INPUTS 2 x x OUTPUTS 1 y",
        "Number of keys given as INPUTS here does not match model definition",
    ),
    (
        "AI.MODELEXECUTE double INPUTS 1 x OUTPUTS 2 y z",
        "Number of keys given as OUTPUTS here does not match model definition",
    ),
    ("AI.MODELEXECUTE double INPUTS 1 x OUTPUTS 1 y FOO", "Invalid argument: FOO"),
    ("AI.MODELEXECUTE double INPUTS 1 x OUTPUTS 1 y TIMEOUT 5", "ERR TIMEOUT not allowed within a DAG command"),
]
OLD_OPS = [
    (
        "AI.MODELEXECUTE double INPUTS 1 x OUTPUTS 1 y",
        "AI.MODELEXECUTE cannot be used in a deprecated AI.DAGRUN command",
    ),
    ("AI.MODELRUN double INPUTS x x OUTPUTS y", "Number of keys given as INPUTS here does not match model definition"),
    ("AI.MODELRUN double TIMEOUT 5 INPUTS x OUTPUTS y", "ERR TIMEOUT not allowed within a DAG command"),
    ("AI.MODELRUN double INPUTS x OUTPUTS", "ERR wrong number of arguments for 'AI.MODELRUN' command"),
    ("AI.MODELRUN double INPUTS absent OUTPUTS y", "ERR INPUT key cannot be found in DAG"),
]


@pytest.mark.asan
def test_errors_are_those_of_redisai(ready):
    ready.set("word", "x")
    set_floats(ready, "kept", [1, 2], [1, 2])
    before = sorted(ready.keys())
    table = list(SYNTAX)
    table += [(f"{name} LOAD 1 x |> {op}", text) for name in ("AI.DAGEXECUTE", "AI.DAGEXECUTE_RO") for op, text in OPS]
    table += [(f"{name} LOAD 1 x |> {op}", text) for name in ("AI.DAGRUN", "AI.DAGRUN_RO") for op, text in OLD_OPS]
    # The last of several ops, and what is to be persisted, count too.
    table += [
        (f"AI.DAGEXECUTE {LOAD} PERSIST 1 a |> AI.TENSORSET a FLOAT 1 |> AI.TENSORGET", OPS[6][1]),
        (f"AI.DAGEXECUTE {LOAD} PERSIST 2 x absent |> AI.TENSORGET x", "ERR PERSIST key cannot be found in DAG"),
        ("AI.DAGRUN PERSIST 1 absent |> AI.TENSORSET a FLOAT 1", "ERR PERSIST key cannot be found in DAG"),
    ]
    wrong = []
    for command, text in table:
        got = error_of(ready, *words(command))
        if got != text:
            wrong.append((command, text, got))
    assert wrong == []
    assert sorted(ready.keys()) == before


def test_not_within_transactions_and_scripts(ready):
    refusal = "Cannot run RedisAI command within a transaction or a LUA script"
    command = words("AI.DAGEXECUTE ROUTING t PERSIST 1 a |> AI.TENSORSET a FLOAT 1")
    for name in ("AI.DAGEXECUTE", "AI.DAGRUN"):
        command[0] = name
        with ready.pipeline(transaction=True) as pipe:
            pipe.execute_command(*command)
            with pytest.raises(redis.ResponseError, match=refusal):
                pipe.execute()
        with pytest.raises(redis.ResponseError, match=refusal):
            ready.eval("return redis.call(unpack(ARGV))", 0, *command)
    read_only = words("AI.DAGEXECUTE_RO ROUTING t |> AI.TENSORSET a FLOAT 1")
    with ready.pipeline(transaction=True) as pipe:
        pipe.execute_command(*read_only)
        with pytest.raises(redis.ResponseError, match=refusal):
            pipe.execute()
    assert not ready.exists("a")


@pytest.mark.asan
def test_after_a_failed_run_nothing_more_runs_and_nothing_is_kept(ready):
    reply = dag(
        ready,
        "LOAD 1 x PERSIST 2 y a |> AI.TENSORSET a FLOAT 1 3 "
        + run_model("double", ["x"], ["y"])
        + " |> AI.TENSORGET y VALUES "
        + run_model("double", ["a"], ["z"])
        + " |> AI.TENSORGET y VALUES |> AI.TENSORGET z VALUES "
        + run_model("double", ["y"], ["y"])
        + " |> AI.TENSORSET b FLOAT 1",
    )
    assert reply[:3] == [b"OK", b"OK", [b"2", b"4", b"6", b"8"]]
    assert isinstance(reply[3], redis.ResponseError)
    assert "Got: 3 Expected: 2" in str(reply[3])
    assert reply[4:] == [b"NA", b"NA", b"NA", b"OK"]
    assert not ready.exists("y", "a")
    assert queue(ready)["runs"] == 2


def test_a_key_of_another_type_is_not_overwritten(ready):
    ready.set("word", "mine")
    text = "LOAD 1 x PERSIST 2 y word " + run_model("double", ["x"], ["y"]) + run_model("double", ["x"], ["word"])
    for _ in range(2):
        reply = dag(ready, text)
        assert reply[:2] == [b"OK", b"OK"]
        assert len(reply) == 3
        assert isinstance(reply[2], redis.ResponseError)
        assert str(reply[2]).endswith("Operation against a key holding the wrong kind of value")
        assert ready.get("word") == b"mine"
        assert not ready.exists("y")  # all or none
    # Also without a run, where the answer is given at once.
    reply = dag(ready, "PERSIST 1 word |> AI.TENSORSET word FLOAT 1 |> AI.TENSORGET word VALUES")
    assert reply[:2] == [b"OK", [b"0"]]
    assert isinstance(reply[2], redis.ResponseError)
    assert ready.get("word") == b"mine"


@pytest.mark.alone
def test_a_full_queue_is_the_error_of_its_op(ready, server, busy):
    ready.config_set("ai.queue-limit", 1)
    busy(700)
    waiting = Later(server, "AI.MODELEXECUTE", *words("double INPUTS 1 x OUTPUTS 1 w"))
    eventually(lambda: queue(ready)["waiting"] == 1)
    started = time.monotonic()
    reply = dag(ready, "LOAD 1 x PERSIST 1 y " + run_model("double", ["x"], ["y"]) + " |> AI.TENSORGET y")
    assert time.monotonic() - started < 0.5
    assert "queue of CPU is full" in str(reply[0])
    assert reply[1] == b"NA"
    assert waiting.get() == b"OK"
    assert not ready.exists("y")


# ---- keys, rights, cluster ----


def test_the_keys_of_a_command_are_complete(client):
    def keys(text):
        return [key.decode() for key in raw(client, "COMMAND", "GETKEYS", *words(text))]

    ops = run_model("m", ["a"], ["b"]) + run_model("n", ["b"], ["c"]) + " |> AI.TENSORGET c VALUES"
    assert keys("AI.DAGEXECUTE LOAD 2 a a2 PERSIST 2 c d ROUTING tag TIMEOUT 5 " + ops) == [
        "a", "a2", "c", "d", "tag", "m", "n",
    ]  # fmt: skip
    assert keys("AI.DAGEXECUTE_RO ROUTING tag LOAD 1 a " + ops) == ["a", "tag", "m", "n"]
    assert keys("AI.DAGRUN |> AI.MODELRUN m INPUTS a OUTPUTS b") == ["m"]
    assert keys("AI.DAGRUN_RO LOAD 1 a |> AI.MODELRUN m INPUTS a OUTPUTS b") == ["a", "m"]
    # Keys that look like keywords are keys, and words of a blob are none.
    assert keys("AI.DAGEXECUTE LOAD 2 PERSIST |> PERSIST 1 LOAD |> AI.TENSORGET PERSIST") == ["PERSIST", "|>", "LOAD"]
    text = "AI.DAGEXECUTE LOAD 1 a |> AI.TENSORSET t INT8 2 BLOB |> |> AI.MODELEXECUTE m INPUTS 1 a OUTPUTS 1 b"
    assert keys(text) == ["a", "m"]
    for operation in ("AI.SCRIPTEXECUTE s f INPUTS 1 a OUTPUTS 1 b", "AI.SCRIPTRUN s f INPUTS a OUTPUTS b"):
        assert keys(f"AI.DAGEXECUTE LOAD 1 a |> {operation}") == ["a", "s"]


def test_command_tables(client):
    for name, flag in (("dagexecute", "write"), ("dagrun", "write"), ("dagexecute_ro", "readonly"), ("dagrun_ro", "readonly")):
        (info,) = raw(client, "COMMAND", "INFO", f"ai.{name}")
        flags = {f.decode() if isinstance(f, bytes) else f for f in info[2]}
        assert {flag, "module", "movablekeys"} <= flags
        assert ("denyoom" in flags) == (flag == "write")
        assert info[3:6] == [3, 3, 1]
        (_, docs) = raw(client, "COMMAND", "DOCS", f"ai.{name}")
        docs = dict(zip(docs[::2], docs[1::2]))
        assert docs[b"summary"] and docs[b"complexity"]


@pytest.mark.asan
def test_acl_limits_what_a_dag_may_read_and_write(ready, server):
    ready.execute_command("ACL", "SETUSER", "app", "on", ">pw", "+@all", "~app:*", "%R~shared:*")
    store(ready, "shared:double", onnx_models.doubler())
    set_floats(ready, "app:x", [1, 2], [1, 2])
    with server.client(username="app", password="pw") as app:
        text = "LOAD 1 {x} PERSIST 1 {y} |> AI.MODELEXECUTE {m} INPUTS 1 {x} OUTPUTS 1 {y}"
        assert dag(app, text.format(x="app:x", y="app:y", m="shared:double")) == [b"OK"]
        for x, y, m in (("x", "app:y", "shared:double"), ("app:x", "y", "shared:double"), ("app:x", "app:y", "double"),
                        ("app:x", "shared:y", "shared:double")):  # fmt: skip
            with pytest.raises(redis.exceptions.NoPermissionError):
                dag(app, text.format(x=x, y=y, m=m))
    ready.execute_command("ACL", "SETUSER", "app", "-ai.dagexecute")
    with server.client(username="app", password="pw") as app:
        text = "LOAD 1 app:x " + run_model("shared:double", ["app:x"], ["y"])
        with pytest.raises(redis.exceptions.NoPermissionError):
            dag(app, text)
        assert dag(app, text, "AI.DAGEXECUTE_RO") == [b"OK"]


def test_keys_of_a_dag_must_share_a_slot(start_server, engine):
    client = start_server(config={"cluster-enabled": "yes", "cluster-port": free_port()}).client()
    client.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
    eventually(lambda: b"cluster_state:ok" in raw(client, "CLUSTER", "INFO"))
    store(client, "{t}m", onnx_models.doubler())
    set_floats(client, "{t}x", [1, 2], [1, 2])
    text = "LOAD 1 {t}x PERSIST 1 {t}y ROUTING {t} " + run_model("{t}m", ["{t}x"], ["local"])
    text += run_model("{t}m", ["local"], ["{t}y"])
    assert dag(client, text) == [b"OK", b"OK"]
    assert get_floats(client, "{t}y") == [4, 8]
    for part, other in (("{t}x PERSIST", "{u}x PERSIST"), ("{t}y ROUTING", "{u}y ROUTING"), ("ROUTING {t}", "ROUTING {u}"),
                        ("MODELEXECUTE {t}m INPUTS 1 local", "MODELEXECUTE {u}m INPUTS 1 local")):  # fmt: skip
        assert part in text
        assert error_of(client, "AI.DAGEXECUTE", *words(text.replace(part, other))).startswith("CROSSSLOT")
