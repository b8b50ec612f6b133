"""AI.SCRIPTEXECUTE and AI.SCRIPTRUN: scripts that run, and what they ask of the server."""

import threading
import time

import pytest
import redis

from ai_models import error_of, get_floats, onnx_models, set_floats, store
from ai_scripts import SOURCE, call, needs_torch, store_script, store_torch, values_of
from servers import eventually

import tf_models

pytestmark = needs_torch

WRONGTYPE = "WRONGTYPE Operation against a key holding the wrong kind of value"


@pytest.fixture
def scripts(client):
    """A client of a server that holds the script `s` and the tensors a and b."""
    client.config_set("ai.model-execution-timeout", 30_000)  # a busy machine makes a first run wait
    store_script(client)
    set_floats(client, "a", [2], [2, 3])
    set_floats(client, "b", [2], [4, 5])
    return client


def test_an_entry_point_gets_tensors_keys_and_args(scripts):
    assert call(scripts, "scale", inputs=["a"], args=["2.5"], outputs=["y"]) == b"OK"
    assert values_of(scripts, "y") == [b"5", b"7.5"]
    words = ["AI.SCRIPTEXECUTE", "s", "scale", "INPUTS", 1, "a", "ARGS", 1, "3", "OUTPUTS", 1, "y", "TIMEOUT", 10000]
    assert scripts.execute_command(*words) == b"OK"
    assert values_of(scripts, "y") == [b"6", b"9"]


def test_other_functions_get_their_tensors_by_position(scripts):
    words = ["KEYS", 1, "{1}", "INPUTS", 2, "a", "b"]
    assert scripts.execute_command("AI.SCRIPTEXECUTE", "s", "bar", *words, "OUTPUTS", 1, "y") == b"OK"
    assert get_floats(scripts, "y") == [6, 8]
    assert scripts.execute_command("AI.SCRIPTEXECUTE", "s", "two", *words, "OUTPUTS", 2, "y", "z") == b"OK"
    assert get_floats(scripts, "z") == [8, 15]


def test_scriptrun_is_the_old_form(scripts):
    assert scripts.execute_command("AI.SCRIPTRUN", "s", "bar", "INPUTS", "a", "b", "OUTPUTS", "y") == b"OK"
    assert get_floats(scripts, "y") == [6, 8]
    words = ["INPUTS", "a", "$", "b", "b", "OUTPUTS", "y"]
    assert scripts.execute_command("AI.SCRIPTRUN", "s", "bar_variadic", "TIMEOUT", 10000, *words) == b"OK"
    assert get_floats(scripts, "y") == [12, 20]


def test_counts_are_kept(scripts):
    call(scripts, "scale", inputs=["a"], args=["2"], outputs=["y"])
    with pytest.raises(redis.ResponseError):
        call(scripts, "scale", inputs=["a"], args=["x"], outputs=["y"])
    info = scripts.execute_command("AI.INFO", "s")
    assert info[:10] == [b"key", b"s", b"type", b"SCRIPT", b"backend", b"TORCH", b"device", b"CPU", b"tag", b""]
    assert info[10] == b"duration" and info[11] > 0
    assert info[12:] == [b"samples", -1, b"calls", 2, b"errors", 1]
    assert scripts.execute_command("AI.INFO", "s", "RESETSTAT") == b"OK"
    assert scripts.execute_command("AI.INFO", "s")[12:] == [b"samples", -1, b"calls", 0, b"errors", 0]


@pytest.mark.parametrize(
    "words, text",
    [
        (["s", "bar"], "ERR wrong number of arguments for 'AI.SCRIPTEXECUTE' command"),
        (["none", "bar", "INPUTS", 1, "a", "OUTPUTS", 1, "c"], "ERR script key is empty"),
        (["word", "bar", "INPUTS", 1, "a", "OUTPUTS", 1, "c"], WRONGTYPE),
        # Without a function the next word is taken for it.
        (
            ["s", "KEYS", 1, "{1}", "INPUTS", 1, "a"],
            "ERR Invalid AI.SCRIPTEXECUTE command. Unexpected argument: 1",
        ),
        (
            ["s", "bar", "OUTPUTS", 1, "c", "INPUTS", 2, "a", "b"],
            "ERR KEYS or INPUTS scope must be provided first for AI.SCRIPTEXECUTE command",
        ),
        (["s", "bar", "KEYS", 1, "{1}", "ARGS"], "ERR Invalid arguments provided to AI.SCRIPTEXECUTE"),
        (["s", "bar", "INPUTS", "OUTPUTS"], "ERR Invalid argument for inputs count in AI.SCRIPTEXECUTE"),
        (["s", "bar", "KEYS", -1, "x"], "ERR Invalid argument for keys count in AI.SCRIPTEXECUTE"),
        (
            ["s", "bar", "INPUTS", 3, "a", "b"],
            "ERR number of inputs to AI.SCRIPTEXECUTE command does not match the number of given arguments",
        ),
        (
            ["s", "bar", "INPUTS", 2, "a", "b", "OUTPUTS", 2, "c"],
            "ERR number of outputs to AI.SCRIPTEXECUTE command does not match the number of given arguments",
        ),
        (
            ["s", "bar", "KEYS", 2, "a"],
            "ERR number of keys to AI.SCRIPTEXECUTE command does not match the number of given arguments",
        ),
        (
            ["s", "bar", "INPUTS", 1, "a", "INPUTS", 1, "a"],
            "ERR Already Encountered INPUTS scope in AI.SCRIPTEXECUTE command",
        ),
        (
            ["s", "bar", "KEYS", 0, "INPUTS", 1, "a", "KEYS", 0],
            "ERR Already Encountered KEYS scope in AI.SCRIPTEXECUTE command",
        ),
        (["s", "bar", "INPUTS", 2, "a", "b", "TIMEOUT"], "ERR No value provided for TIMEOUT in AI.SCRIPTEXECUTE"),
        (["s", "bar", "INPUTS", 2, "a", "b", "TIMEOUT", "TIMEOUT"], "ERR Invalid value for TIMEOUT"),
        (
            ["s", "bar", "INPUTS", 2, "a", "b", "MORE", 1],
            "ERR Invalid AI.SCRIPTEXECUTE command. Unexpected argument: MORE",
        ),
        (["s", "bar", "INPUTS", 2, "a", "none"], "ERR tensor key is empty or in a different shard"),
        (["s", "bar", "INPUTS", 2, "a", "word"], WRONGTYPE),
        (["s", "bar9", "INPUTS", 1, "a"], "Function bar9 does not exist in the given script."),
        (["s", "bar", "INPUTS", 1, "a"], "Wrong number of inputs in function bar. Expected 2 but was 1"),
        (
            ["s", "two", "INPUTS", 2, "a", "b", "OUTPUTS", 1, "y"],
            "ERR the function returned 2 tensors, OUTPUTS names 1 keys",
        ),
    ],
)
def test_errors_of_scriptexecute_are_those_of_redisai(scripts, words, text):
    scripts.set("word", "x")
    assert error_of(scripts, "AI.SCRIPTEXECUTE", *words) == text
    assert not scripts.exists("c", "y")


@pytest.mark.parametrize(
    "words, text",
    [
        (["s", "bar"], "ERR wrong number of arguments for 'AI.SCRIPTRUN' command"),
        (["none", "bar", "INPUTS", "a", "OUTPUTS", "c"], "ERR script key is empty"),
        (["s", "INPUTS", "a", "OUTPUTS", "c"], "ERR function name not specified"),
        (["s", "bar", "INPUTS", "a", "INPUTS", "b"], "ERR Already encountered an INPUTS keyword in SCRIPTRUN"),
        (["s", "bar", "INPUTS", "a", "OUTPUTS", "c", "OUTPUTS"], "ERR Already encountered an OUTPUTS keyword in SCRIPTRUN"),
        (
            ["s", "bar", "INPUTS", "a", "OUTPUTS", "$", "c"],
            "ERR Encountered a variable size list of tensors outside of input section",
        ),
        (
            ["s", "bar", "INPUTS", "a", "$", "b", "$", "b", "OUTPUTS", "c"],
            "ERR Already encountered a variable size list of tensors",
        ),
        (["s", "bar", "MORE", "a"], "ERR Unrecongnized parameter to SCRIPTRUN"),
        (["s", "bar", "TIMEOUT", 0, "INPUTS", "a"], "ERR Invalid value for TIMEOUT"),
        (["s", "bar", "INPUTS", "a", "OUTPUTS", "c"], "Wrong number of inputs in function bar. Expected 2 but was 1"),
    ],
)
def test_errors_of_scriptrun_are_those_of_redisai(scripts, words, text):
    assert error_of(scripts, "AI.SCRIPTRUN", *words) == text


def test_nothing_runs_where_nobody_can_wait(scripts):
    text = "Cannot run RedisAI command within a transaction or a LUA script"
    pipe = scripts.pipeline(transaction=True)
    pipe.execute_command("AI.SCRIPTEXECUTE", "s", "bar", "INPUTS", 2, "a", "b", "OUTPUTS", 1, "y")
    with pytest.raises(redis.ResponseError, match=text):
        pipe.execute()
    with pytest.raises(redis.ResponseError, match=text):
        scripts.eval("return redis.call('AI.SCRIPTRUN', 's', 'bar', 'INPUTS', 'a', 'b', 'OUTPUTS', 'y')", 0)


def test_all_keys_of_a_call_are_known_to_the_server(client):
    def keys(*words):
        return client.execute_command("COMMAND GETKEYS", *words)

    full = ["KEYS", 1, "k", "INPUTS", 2, "i", "j", "ARGS", 1, "no", "OUTPUTS", 2, "o", "p", "TIMEOUT", 5]
    assert keys("AI.SCRIPTEXECUTE", "s", "f", *full) == ["s", "k", "i", "j", "o", "p"]
    assert keys("AI.SCRIPTEXECUTE", "s", "f", "INPUTS", 1, "k", "OUTPUTS", 1, "y") == ["s", "k", "y"]
    assert keys("AI.SCRIPTRUN", "s", "f", "INPUTS", "a", "$", "b", "OUTPUTS", "o") == ["s", "a", "b", "o"]


def test_scripts_run_commands(scripts):
    assert call(scripts, "set_and_get", keys=["k"], args=["41"], outputs=["y"]) == b"OK"
    assert values_of(scripts, "y") == [41]
    assert scripts.get("k") == b"41"
    assert call(scripts, "push_and_range", keys=["l"], args=["1", "2", "3"], outputs=["y"]) == b"OK"
    assert values_of(scripts, "y") == [1, 2, 3]
    assert call(scripts, "count_missing", keys=["k", "none", "gone"], outputs=["y"]) == b"OK"
    assert values_of(scripts, "y") == [2]
    # Without OUTPUTS what a function returns is dropped: it ran for its commands.
    assert call(scripts, "set_and_get", keys=["k"], args=["42"]) == b"OK"
    assert scripts.get("k") == b"42"


def test_commands_run_in_the_callers_database(scripts, server):
    with server.client(db=3) as other:
        store_script(other)
        call(other, "set_and_get", keys=["k"], args=["7"])
        assert other.get("k") == b"7"
    assert not scripts.exists("k")


def test_watched_keys_and_waiting_clients_notice_commands_of_scripts(scripts, server):
    popped = []
    with server.client() as other:
        thread = threading.Thread(target=lambda: popped.append(other.blpop("l", 10)))
        thread.start()
        eventually(lambda: scripts.info("clients")["blocked_clients"] == 1)
        call(scripts, "command", args=["RPUSH", "l", "x"])
        thread.join(10)
    assert popped == [(b"l", b"x")]


@pytest.mark.asan
@pytest.mark.parametrize(
    "args, text",
    [
        (["INCR", "word"], "Redis command returned an error: ERR value is not an integer"),
        (["HGET", "word", "f"], "Redis command returned an error: WRONGTYPE"),
        (["NOSUCH", "x"], "Redis command returned an error: ERR unknown command"),
        (["GET"], "Redis command returned an error: ERR wrong number of arguments"),
        (["EVAL"], "Redis command returned an error: ERR wrong number of arguments"),
        (["EVAL", "return 1", "9"], "Redis command returned an error:"),
        (["OBJECT", "ENCODING"], "Redis command returned an error:"),
        (["SUBSCRIBE", "c"], "Redis command returned an error:"),
        (["MULTI"], "Redis command returned an error:"),
        (["AI.SCRIPTRUN", "s", "bar", "INPUTS", "a", "b", "OUTPUTS", "y"], "Redis command returned an error:"),
        (["AI.MODELEXECUTE", "m", "INPUTS", "1", "a", "OUTPUTS", "1", "y"], "Redis command returned an error:"),
        (["", ""], "Redis command returned an error: ERR unknown command"),
    ],
)
def test_a_command_that_fails_is_an_error_of_the_script(scripts, args, text):
    scripts.set("word", "x")
    assert text in error_of(
        scripts, "AI.SCRIPTEXECUTE", "s", "command", "KEYS", 0, "ARGS", len(args), *args
    )
    assert scripts.ping()


@pytest.fixture
def limited(scripts, server):
    """A connection of a user who may run scripts, and commands only on keys that begin with `own`."""
    scripts.acl_setuser(
        "li",
        enabled=True,
        passwords=["+pw"],
        keys=["own*", "s", "a", "b", "y"],
        commands=["+ai.scriptexecute", "+ai.modelexecute", "+set", "+get", "+rpush", "+lrange", "+incr"],
    )
    with server.client(username="li", password="pw") as other:
        yield other


@pytest.mark.asan
def test_scripts_have_no_more_rights_than_their_caller(scripts, limited):
    scripts.set("secret", "1")
    assert call(limited, "command", args=["SET", "own:k", "1"]) == b"OK"
    for args in (["DEL", "own:k"], ["SET", "other", "1"], ["FLUSHALL"], ["CONFIG", "SET", "maxmemory", "1"]):
        with pytest.raises(redis.ResponseError, match="Redis command returned an error: NOPERM"):
            call(limited, "command", args=args)
    with pytest.raises(redis.ResponseError, match="Redis command returned an error: NOPERM"):
        call(limited, "command", args=["GET", "secret"])
    assert scripts.mget("own:k", "secret", "other") == [b"1", b"1", None]
    store(scripts, "m", onnx_models.doubler())
    with pytest.raises(redis.exceptions.NoPermissionError):
        call(limited, "run_model", keys=["m"], inputs=["a"], outputs=["y"])
    # Where only the script knows which key it wants, its rights are asked for there.
    with pytest.raises(redis.ResponseError, match="Redis command returned an error: NOPERM"):
        call(limited, "run_model_of_args", inputs=["a"], args=["m"], outputs=["y"])
    store(scripts, "own:m", onnx_models.doubler())
    set_floats(scripts, "a", [1, 2], [1, 2])
    assert call(limited, "run_model_of_args", inputs=["a"], args=["own:m"], outputs=["y"]) == b"OK"


@pytest.mark.asan
def test_a_user_who_is_gone_runs_no_more_commands(scripts, server, limited):
    answer = []

    def run():
        try:
            answer.append(call(limited, "count_up", keys=["own:n"], inputs=["a"]))
        except redis.RedisError as error:
            answer.append(str(error))

    thread = threading.Thread(target=run)
    thread.start()
    eventually(lambda: int(scripts.get("own:n") or 0) > 10)
    scripts.acl_deluser("li")
    # The server closes that user's connections; the script must end all the same.
    eventually(lambda: scripts.info("everything")["ai_queue_CPU"]["running"] == 0)
    thread.join(10)
    before = scripts.get("own:n")
    time.sleep(0.2)
    assert scripts.get("own:n") == before


def test_models_run_inside_of_scripts(scripts):
    store(scripts, "onnx", onnx_models.doubler())
    store_torch(scripts, "torch", "sum_and_product")
    set_floats(scripts, "x", [1, 2], [1, 2])
    assert call(scripts, "run_model", keys=["onnx"], inputs=["x"], outputs=["y"]) == b"OK"
    assert get_floats(scripts, "y") == [2, 4]
    assert call(scripts, "run_model_two_outputs", keys=["torch"], inputs=["a", "b"], outputs=["y", "z"]) == b"OK"
    assert get_floats(scripts, "z") == [8, 15]


@pytest.mark.parametrize(
    "function, key, text",
    [
        ("run_model", "none", "ERR model key is empty"),
        ("run_model", "word", "WRONGTYPE"),
        ("run_model", "torch", "the model 'torch' gave 2 outputs, the script wants 1"),
        ("run_model_two_outputs", "one", "2 inputs given, the model has 1"),
    ],
)
def test_a_model_that_fails_inside_of_a_script_fails_the_script(scripts, function, key, text):
    scripts.set("word", "x")
    store_torch(scripts, "torch", "sum_and_product")
    store_torch(scripts, "one", "double")
    words = ["AI.SCRIPTEXECUTE", "s", function, "KEYS", 1, key, "INPUTS", 2, "a", "b", "OUTPUTS", 1, "y"]
    assert text in error_of(scripts, *words)


def test_results_are_stored_when_the_client_has_left(scripts, server):
    scripts.config_set("ai.model-execution-timeout", 0)  # a sanitized run takes its time
    other = server.client()
    connection = other.connection_pool.get_connection()
    words = ["KEYS", 1, "k", "ARGS", 1, "20000", "OUTPUTS", 1, "y"]
    connection.send_command("AI.SCRIPTEXECUTE", "s", "set_and_spin", *words)
    eventually(lambda: scripts.get("k") == b"begun")
    connection.disconnect()
    eventually(lambda: scripts.exists("y"), timeout=90)
    assert scripts.get("k") == b"ended"


def test_after_its_deadline_a_script_changes_nothing_more(scripts):
    started = time.monotonic()
    assert call(scripts, "count_up", keys=["n"], inputs=["a"], outputs=["y"], timeout=1000) == b"TIMEDOUT"
    assert time.monotonic() - started < 10
    eventually(lambda: scripts.info("everything")["ai_queue_CPU"]["running"] == 0)
    before = scripts.get("n")
    assert int(before) > 0
    time.sleep(0.2)
    assert scripts.get("n") == before
    scripts.config_set("ai.model-execution-timeout", 100)
    words = ["AI.SCRIPTEXECUTE", "s", "count_up", "KEYS", 1, "n", "INPUTS", 1, "a"]
    text = error_of(scripts, *words)
    assert "given up after 100 ms" in text or "nobody waits for this run" in text
    assert call(scripts, "scale", inputs=["a"], args=["1"], outputs=["y"]) == b"OK"


@pytest.mark.parametrize("timeout, answer", [(300, b"TIMEDOUT"), (None, None)])
def test_a_model_in_a_script_is_stopped_as_one_alone_is(start_server, engine, timeout, answer):
    server = start_server(config={"ai.model-execution-timeout": 1000})
    with server.client() as client:
        store_script(client)
        words = ["INPUTS", 1, "x", "OUTPUTS", 1, "y", "BLOB", tf_models.endless()]
        client.execute_command("AI.MODELSTORE", "endless", "TF", "CPU", *words)
        set_floats(client, "one", [], [1])
        if answer:
            assert call(client, "run_model", keys=["endless"], inputs=["one"], outputs=["y"], timeout=timeout) == answer
        else:
            with pytest.raises(redis.ResponseError):
                call(client, "run_model", keys=["endless"], inputs=["one"], outputs=["y"])
        assert eventually(lambda: client.info("everything")["ai_queue_CPU"]["running"] == 0)
        assert call(client, "scale", inputs=["one"], args=["3"], outputs=["y"]) == b"OK"


def test_a_slow_lua_script_is_not_interrupted_by_a_torch_script(scripts, server):
    scripts.config_set("busy-reply-threshold", 50)
    slow = "local n = redis.call('INCR', 'n') for i = 1, 3e7 do end return redis.call('INCR', 'n') - n"
    answers = []

    def run():
        with server.client(socket_timeout=60) as other:
            answers.append(other.eval(slow, 0))

    def count():
        with server.client(socket_timeout=60) as other:
            answers.append(call(other, "count_up", keys=["n"], inputs=["a"], timeout=4000))

    threads = [threading.Thread(target=count), threading.Thread(target=run)]
    threads[0].start()
    eventually(lambda: int(scripts.get("n") or 0) > 10)
    threads[1].start()
    [t.join(60) for t in threads]
    assert sorted(answers, key=str) == [1, b"TIMEDOUT"]


def test_sigterm_while_a_script_talks_to_the_server_ends_it_within_two_seconds(scripts, server):
    connection = server.client().connection_pool.get_connection()
    connection.send_command("AI.SCRIPTEXECUTE", "s", "count_up", "KEYS", 1, "n", "INPUTS", 1, "a")
    eventually(lambda: int(scripts.get("n") or 0) > 10)
    status, seconds = server.terminate()
    assert status == 0
    assert seconds < 2
    assert "bye bye" in server.log()
    connection.disconnect()


def test_the_script_may_be_deleted_while_it_runs(scripts, server):
    scripts.config_set("ai.model-execution-timeout", 0)
    done = []

    def run():
        with server.client(socket_timeout=90) as other:
            done.append(call(other, "set_and_spin", keys=["k"], args=["20000"], outputs=["y"]))

    thread = threading.Thread(target=run)
    thread.start()
    eventually(lambda: scripts.get("k") == b"begun")
    scripts.flushall()
    thread.join(90)
    assert done == [b"OK"]
    assert scripts.exists("y")


def test_writes_of_a_script_follow_the_rules_of_the_server(scripts):
    scripts.config_set("maxmemory", 1)
    scripts.config_set("maxmemory-policy", "noeviction")
    text = error_of(scripts, "AI.SCRIPTEXECUTE", "s", "command", "KEYS", 0, "ARGS", 3, "SET", "k", "v")
    assert text.startswith("OOM")  # the command itself may grow memory, so it is refused at once
    scripts.config_set("maxmemory", 0)
    scripts.config_set("min-replicas-to-write", 1)
    text = error_of(scripts, "AI.SCRIPTEXECUTE", "s", "command", "KEYS", 0, "ARGS", 3, "SET", "k", "v")
    assert "NOREPLICAS" in text
    assert not scripts.exists("k")


def test_models_that_are_still_loading_are_waited_for(start_server, engine):
    server = start_server(config={"save": "3600 1"})
    client = server.client()
    store_script(client)
    store_torch(client, "m", "double")
    set_floats(client, "x", [1, 2], [1, 2])
    server.restart()
    client = server.client()
    assert call(client, "run_model", keys=["m"], inputs=["x"], outputs=["y"]) == b"OK"
    assert get_floats(client, "y") == [2, 4]


def test_source_and_execute_work_as_documented_for_old_scripts(client):
    client.execute_command("AI.SCRIPTSET", "s", "CPU", "SOURCE", SOURCE)
    set_floats(client, "a", [2], [2, 3])
    assert call(client, "set_and_get", keys=["k"], args=["5"], outputs=["y"]) == b"OK"
    assert call(client, "bar", inputs=["a", "a"], outputs=["y"]) == b"OK"
    assert get_floats(client, "y") == [4, 6]
