"""Scripts as operations of AI.DAGEXECUTE and AI.DAGRUN."""

import pytest
import redis

from ai_dag import Later, dag, queue, raw, run_model
from ai_models import error_of, get_floats, onnx_models, set_floats, store
from ai_scripts import SOURCE, needs_torch, store_script

pytestmark = needs_torch


@pytest.fixture
def ready(client):
    store_script(client)
    store(client, "m", onnx_models.doubler())
    set_floats(client, "a", [1, 2], [2, 3])
    return client


def words(text):
    return text.split()


def test_scripts_and_models_feed_each_other(ready):
    text = (
        "AI.DAGEXECUTE LOAD 1 a PERSIST 1 z |> AI.MODELEXECUTE m INPUTS 1 a OUTPUTS 1 b"
        " |> AI.SCRIPTEXECUTE s bar INPUTS 2 a b OUTPUTS 1 c"
        " |> AI.SCRIPTEXECUTE s scale KEYS 1 z INPUTS 1 c ARGS 1 0.5 OUTPUTS 1 z |> AI.TENSORGET c VALUES"
    )
    assert ready.execute_command(*words(text)) == [b"OK", b"OK", b"OK", [b"6", b"9"]]
    assert get_floats(ready, "z") == [3, 4.5]
    assert not ready.exists("b", "c")
    assert ready.execute_command("AI.INFO", "s")[-3] == 2


def test_the_old_form_takes_the_old_operation(ready):
    text = "AI.DAGRUN LOAD 1 a |> AI.SCRIPTRUN s bar_variadic INPUTS a $ a a OUTPUTS c |> AI.TENSORGET c VALUES"
    assert ready.execute_command(*words(text)) == [b"OK", [b"6", b"12"]]
    assert ready.execute_command(*words(text.replace("DAGRUN", "DAGRUN_RO"))) == [b"OK", [b"6", b"12"]]


def test_commands_of_a_script_may_write_only_where_the_dag_may(ready):
    text = "AI.DAGEXECUTE ROUTING k |> AI.SCRIPTEXECUTE s command KEYS 1 k ARGS 3 SET k 1"
    assert ready.execute_command(*words(text)) == [b"OK"]
    assert ready.get("k") == b"1"
    ready.execute_command("AI.SCRIPTSET", "w", "CPU", "SOURCE", "def f(a):\n    redis.execute('SET', 'k', 2)\n    return a\n")
    (reply,) = ready.execute_command(*words("AI.DAGRUN_RO LOAD 1 a |> AI.SCRIPTRUN w f INPUTS a OUTPUTS b"))
    assert "the command 'SET' may write, this is read-only" in str(reply)
    assert ready.get("k") == b"1"


def test_a_subcommand_that_writes_is_refused_in_a_read_only_dag(ready):
    create = "redis.execute('XGROUP', 'CREATE', 'stream', 'group', '$', 'MKSTREAM')"
    ready.execute_command("AI.SCRIPTSET", "w", "CPU", "SOURCE", f"def f(a):\n    {create}\n    return a\n")
    (reply,) = ready.execute_command(*words("AI.DAGRUN_RO LOAD 1 a |> AI.SCRIPTRUN w f INPUTS a OUTPUTS b"))
    assert "the command 'XGROUP' may write, this is read-only" in str(reply)
    assert not ready.exists("stream")
    assert ready.execute_command(*words("AI.DAGRUN LOAD 1 a |> AI.SCRIPTRUN w f INPUTS a OUTPUTS b")) == [b"OK"]
    assert ready.xinfo_groups("stream")[0]["name"] == b"group"


@pytest.mark.parametrize(
    "text, error",
    [
        (
            "AI.DAGEXECUTE_RO LOAD 1 a |> AI.SCRIPTEXECUTE s scale INPUTS 1 a ARGS 1 2 OUTPUTS 1 b",
            "ERR AI.SCRIPTEXECUTE command cannot be specified in a read-only DAG",
        ),
        (
            "AI.DAGEXECUTE LOAD 1 a |> AI.SCRIPTRUN s bar INPUTS a a OUTPUTS b",
            "Deprecated AI.SCRIPTRUN cannot be used in AI.DAGEXECUTE command",
        ),
        (
            "AI.DAGRUN LOAD 1 a |> AI.SCRIPTEXECUTE s bar INPUTS 2 a a OUTPUTS 1 b",
            "AI.SCRIPTEXECUTE cannot be used in a deprecated AI.DAGRUN command",
        ),
        (
            "AI.DAGEXECUTE LOAD 1 a |> AI.SCRIPTEXECUTE s bar INPUTS 2 a a OUTPUTS 1 b TIMEOUT 5",
            "ERR TIMEOUT not allowed within a DAG command",
        ),
        (
            "AI.DAGEXECUTE LOAD 1 a |> AI.SCRIPTEXECUTE s INPUTS 1 a OUTPUTS 1 b",
            "ERR Invalid AI.SCRIPTEXECUTE command. Unexpected argument: 1",
        ),
        (
            "AI.DAGEXECUTE LOAD 1 a |> AI.SCRIPTEXECUTE s bar",
            "ERR wrong number of arguments for 'AI.SCRIPTEXECUTE' command",
        ),
        ("AI.DAGEXECUTE LOAD 1 a |> AI.SCRIPTEXECUTE none bar INPUTS 1 a", "ERR script key is empty"),
        ("AI.DAGEXECUTE LOAD 1 a |> AI.SCRIPTEXECUTE s bar INPUTS 1 q", "ERR INPUT key cannot be found in DAG"),
    ],
)
def test_errors_are_those_of_redisai(ready, text, error):
    assert error_of(ready, *words(text)) == error


def test_a_script_that_fails_ends_the_dag(ready):
    text = (
        "AI.DAGEXECUTE LOAD 1 a PERSIST 1 c |> AI.SCRIPTEXECUTE s two INPUTS 2 a a OUTPUTS 1 b"
        " |> AI.SCRIPTEXECUTE s bar INPUTS 2 a b OUTPUTS 1 c"
    )
    first, second = ready.execute_command(*words(text))
    assert "the function returned 2 tensors, OUTPUTS names 1 keys" in str(first)
    assert second == b"NA"
    assert not ready.exists("c")


@pytest.mark.asan
def test_scripts_take_their_turn_on_their_device(ready, server):
    ready.execute_command("AI.SCRIPTSET", "s1", "CPU:1", "SOURCE", SOURCE)
    # Sixteen DAGs at once, each with runs on both devices; every one gets its own values.
    text = (
        "ROUTING t TIMEOUT 20000 |> AI.TENSORSET x FLOAT 1 2 VALUES {i} 1"
        " |> AI.SCRIPTEXECUTE s1 bar INPUTS 2 x x OUTPUTS 1 b"
        + run_model("m", ["x"], ["c"])
        + " |> AI.SCRIPTEXECUTE s bar INPUTS 2 b c OUTPUTS 1 d |> AI.TENSORGET d VALUES"
    )
    laters = [Later(server, "AI.DAGEXECUTE", *words(text.format(i=i))) for i in range(16)]
    for i, later in enumerate(laters):
        assert later.get()[-1] == [str(4 * i).encode(), b"4"]
    assert queue(ready, "CPU_1")["requests"] == 16


def test_keys_that_a_script_declares_are_keys_of_the_command(ready, server):
    text = "LOAD 1 a PERSIST 1 y |> AI.SCRIPTEXECUTE s set_and_get KEYS 2 k1 k2 ARGS 1 7 OUTPUTS 1 y"
    keys = raw(ready, "COMMAND", "GETKEYS", "AI.DAGEXECUTE", *words(text))
    assert keys == [b"a", b"y", b"s", b"k1", b"k2"]
    ready.execute_command("ACL", "SETUSER", "app", "on", ">pw", "+@all", "~a", "~y", "~s", "~k1")
    with server.client(username="app", password="pw") as app:
        with pytest.raises(redis.exceptions.NoPermissionError):
            dag(app, text)
        assert dag(app, text.replace("2 k1 k2", "1 k1")) == [b"OK"]
        assert ready.get("k1") == b"7"
        # A command that the caller may not use is the error of the operation.
        ready.execute_command("ACL", "SETUSER", "app", "-set")
        (reply,) = dag(app, text.replace("2 k1 k2", "1 k1"))
        assert "Redis command returned an error" in str(reply)
