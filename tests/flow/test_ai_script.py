"""AI.SCRIPTSTORE, SCRIPTSET, SCRIPTGET, SCRIPTDEL, _SCRIPTSCAN: scripts as values."""

import pytest

from ai_models import error_of, set_floats
from ai_scripts import ENTRY_POINTS, SOURCE, call, needs_torch, store_script, values_of
from servers import eventually

pytestmark = needs_torch

WRONGTYPE = "WRONGTYPE Operation against a key holding the wrong kind of value"
SMALL = "def f(tensors: List[Tensor], keys: List[str], args: List[str]):\n    return tensors[0] + 1\n"


def test_a_script_is_stored_and_described(client):
    assert store_script(client, "s", SOURCE, None, "TAG", "v1") == b"OK"
    names = [name.encode() for name in ENTRY_POINTS]
    meta = [b"device", b"CPU", b"tag", b"v1", b"Entry Points", names]
    assert client.execute_command("AI.SCRIPTGET", "s", "META") == meta
    assert client.execute_command("AI.SCRIPTGET", "s") == meta + [b"source", SOURCE.encode()]
    assert client.execute_command("AI.SCRIPTGET", "s", "META", "SOURCE") == meta + [b"source", SOURCE.encode()]
    assert client.execute_command("AI.SCRIPTGET", "s", "source") == SOURCE.encode()
    assert client.type("s") == b"AI_SCRIPT"


def test_scriptset_is_the_old_form(client):
    assert client.execute_command("AI.SCRIPTSET", "s", "cpu", "TAG", "t", "SOURCE", SOURCE) == b"OK"
    assert client.execute_command("AI.SCRIPTGET", "s", "META") == [b"device", b"cpu", b"tag", b"t", b"Entry Points", []]
    assert client.execute_command("AI.SCRIPTSET", "s", "CPU", "SOURCE", SOURCE) == b"OK"


def test_scripts_are_listed_and_deleted(client):
    store_script(client, "ket1", SMALL, ["f"], "TAG", "v1.0")
    client.execute_command("AI.SCRIPTSET", "ket2", "CPU", "SOURCE", SMALL)
    assert sorted(client.execute_command("AI._SCRIPTSCAN")) == [[b"ket1", b"v1.0"], [b"ket2", b""]]
    client.rename("ket2", "ket3")
    client.execute_command("COPY", "ket1", "ket4")
    assert [row[0] for row in sorted(client.execute_command("AI._SCRIPTSCAN"))] == [b"ket1", b"ket3", b"ket4"]
    assert client.execute_command("AI.SCRIPTDEL", "ket1") == b"OK"
    client.delete("ket3")
    assert client.execute_command("AI._SCRIPTSCAN") == [[b"ket4", b"v1.0"]]
    assert error_of(client, "AI.SCRIPTDEL", "ket1") == "ERR script key is empty"
    client.flushall()
    assert client.execute_command("AI._SCRIPTSCAN") == []


@pytest.mark.parametrize(
    "words, text",
    [
        (["s", "CPU", "SOURCE", "return 1"], "ERR wrong number of arguments for 'AI.SCRIPTSTORE' command"),
        (["s", "XPU", "ENTRY_POINTS", 1, "f", "SOURCE", "x"], "ERR Invalid DEVICE"),
        (["s", "CPU", "TAG", "t", "f", "SOURCE", "x"], "ERR Insufficient arguments, missing script entry points"),
        (
            ["s", "CPU", "ENTRY_POINTS", "f", "g", "SOURCE", "x"],
            "ERR Non numeric entry points number provided to AI.SCRIPTSTORE command",
        ),
        (
            ["s", "CPU", "ENTRY_POINTS", 0, "g", "SOURCE", "x"],
            "ERR Non numeric entry points number provided to AI.SCRIPTSTORE command",
        ),
        (["s", "CPU", "ENTRY_POINTS", 1, "f", "g", "x"], "ERR Insufficient arguments, missing script SOURCE"),
        (["s", "CPU", "ENTRY_POINTS", 9, "f", "SOURCE", "x"], "ERR Insufficient arguments, missing script SOURCE"),
        (
            ["s", "CPU", "ENTRY_POINTS", 1, "f", "SOURCE", SMALL, "more"],
            "ERR wrong number of arguments for 'AI.SCRIPTSTORE' command",
        ),
        (["word", "CPU", "ENTRY_POINTS", 1, "f", "SOURCE", SMALL], WRONGTYPE),
        (
            ["s", "CPU", "ENTRY_POINTS", 1, "bar1", "SOURCE", SMALL],
            "Function bar1 does not exist in the given script.",
        ),
        (
            ["s", "CPU", "ENTRY_POINTS", 1, "bar", "SOURCE", "def bar(a, b):\n    return a + b\n"],
            "Wrong number of inputs in function bar. Expected 3 but was 2",
        ),
        (
            ["s", "CPU", "ENTRY_POINTS", 1, "bar", "SOURCE", "def bar(a, b, c):\n    return a\n"],
            "Wrong inputs type in function bar. Expected signature similar to: "
            "def bar(tensors: List[Tensor], keys: List[str], args: List[str])",
        ),
        (["s", "GPU", "ENTRY_POINTS", 1, "f", "SOURCE", SMALL], "ERR GPU requested but Torch couldn't find CUDA"),
    ],
)
def test_errors_of_scriptstore_are_those_of_redisai(client, words, text):
    client.set("word", "x")
    assert error_of(client, "AI.SCRIPTSTORE", *words) == text
    assert not client.exists("s")


def test_errors_of_the_others_are_those_of_redisai(client):
    client.set("word", "x")
    assert error_of(client, "AI.SCRIPTSET", "s") == "ERR wrong number of arguments for 'AI.SCRIPTSET' command"
    assert error_of(client, "ai.scriptset", "s", "CPU", "TAG", "t", "SOURCE") == (
        "ERR wrong number of arguments for 'ai.scriptset' command"
    )
    text = "ERR Insufficient arguments, missing script SOURCE"
    assert error_of(client, "AI.SCRIPTSET", "s", "CPU", "NO_SOURCE", SMALL) == text
    assert error_of(client, "AI.SCRIPTSET", "s", "XPU", "SOURCE", SMALL) == "ERR Invalid DEVICE"
    assert error_of(client, "AI.SCRIPTGET", "none") == "ERR script key is empty"
    assert error_of(client, "AI.SCRIPTGET", "word", "NOTHING") == WRONGTYPE
    assert error_of(client, "AI.SCRIPTGET") == "ERR wrong number of arguments for 'AI.SCRIPTGET' command"
    assert error_of(client, "AI.SCRIPTDEL", "word") == WRONGTYPE
    assert error_of(client, "AI.SCRIPTDEL") == "ERR wrong number of arguments for 'AI.SCRIPTDEL' command"
    assert error_of(client, "AI._SCRIPTSCAN", "x") == "ERR wrong number of arguments for 'AI._SCRIPTSCAN' command"


@pytest.mark.asan
@pytest.mark.parametrize(
    "source",
    ["return 1", "def f(x)\n  return x", "def f(x):\n    return foo(x)\n", "\x00", "def f(x): return" + " (" * 50000],
    ids=["no-def", "no-colon", "unknown-name", "nul", "deep"],
)
def test_source_that_does_not_compile_is_an_error(client, source):
    assert error_of(client, "AI.SCRIPTSET", "s", "CPU", "SOURCE", source)
    assert not client.exists("s")
    assert client.ping()


def test_scripts_may_not_touch_files(client, folder):
    target = folder / "written"
    for line in (f"torch.save(x, '{target}')", "torch.from_file('/etc/passwd', None, 4)"):
        text = error_of(client, "AI.SCRIPTSET", "s", "CPU", "SOURCE", f"def f(x):\n    {line}\n    return x\n")
        assert "builtin op" in text
    assert not target.exists()


def test_in_a_transaction_the_source_is_stored_and_compiled_afterwards(client):
    pipe = client.pipeline(transaction=True)
    pipe.execute_command("AI.SCRIPTSTORE", "s", "CPU", "ENTRY_POINTS", 1, "f", "SOURCE", SMALL)
    pipe.execute_command("AI.SCRIPTSET", "bad", "CPU", "SOURCE", "return 1")
    assert pipe.execute() == [b"OK", b"OK"]
    set_floats(client, "x", [1], [1])
    assert call(client, "f", inputs=["x"], outputs=["y"]) == b"OK"
    assert values_of(client, "y") == [b"2"]
    assert "expected def" in error_of(client, "AI.SCRIPTRUN", "bad", "f", "INPUTS", "x", "OUTPUTS", "y")


def test_what_the_server_knows_of_a_script(client):
    store_script(client)
    assert client.memory_usage("s") > len(SOURCE)
    digest = client.execute_command("DEBUG", "DIGEST-VALUE", "s")
    payload = client.dump("s")
    client.restore("r", 0, payload)
    assert client.execute_command("DEBUG", "DIGEST-VALUE", "r") == digest
    assert client.execute_command("AI.SCRIPTGET", "r") == client.execute_command("AI.SCRIPTGET", "s")
    for at in range(0, len(payload), 37):
        damaged = bytearray(payload)
        damaged[at] ^= 0xFF
        with pytest.raises(Exception, match="DUMP payload|Bad data"):
            client.restore("broken", 0, bytes(damaged), replace=True)


@pytest.mark.parametrize("how", ["rdb", "aof", "aof-rewritten", "replica"])
def test_scripts_survive(start_server, engine, how):
    config = {"appendonly": "yes", "aof-use-rdb-preamble": "no"} if how.startswith("aof") else {"save": "3600 1"}
    server = start_server(config=config)
    client = server.client()
    store_script(client, "s", SOURCE, None, "TAG", "t")
    client.execute_command("AI.SCRIPTSET", "old", "CPU", "SOURCE", SOURCE)
    before = [client.execute_command("AI.SCRIPTGET", key) for key in ("s", "old")]
    set_floats(client, "x", [2], [1, 2])
    if how == "replica":
        replica = start_server(config={"replicaof": f"127.0.0.1 {server.port}"})
        reader = replica.client()
        eventually(lambda: reader.exists("s", "old", "x") == 3)
        store_script(client, "late", SMALL, ["f"])
        call(client, "scale", inputs=["x"], args=["3"], outputs=["y"])
        call(client, "push_and_range", keys=["list"], args=["1", "2"], outputs=["z"])
        eventually(lambda: reader.exists("late", "y", "z") == 3)
        assert values_of(reader, "y") == [b"3", b"6"]
        assert reader.lrange("list", 0, -1) == [b"1", b"2"]
        # The effects came, not the calls.
        assert not any("script" in name and "store" not in name for name in reader.info("commandstats"))
        assert [reader.execute_command("AI.SCRIPTGET", key) for key in ("s", "old")] == before
        return
    if how == "aof-rewritten":
        client.execute_command("BGREWRITEAOF")
        eventually(lambda: client.info("persistence")["aof_rewrite_in_progress"] == 0)
    server.restart()
    client = server.client()
    assert [client.execute_command("AI.SCRIPTGET", key) for key in ("s", "old")] == before
    assert call(client, "scale", inputs=["x"], args=["3"], outputs=["y"]) == b"OK"
    assert values_of(client, "y") == [b"3", b"6"]
    assert client.execute_command("AI.SCRIPTRUN", "old", "bar", "INPUTS", "x", "x", "OUTPUTS", "y") == b"OK"
    assert len(client.execute_command("AI._SCRIPTSCAN")) == 2
