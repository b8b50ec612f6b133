"""Models and scripts whose arithmetic or depth would end another process: the server answers and lives on."""

import io
import os
import signal
import zipfile

import numpy as np
import pytest

from ai_models import error_of, execute, get_floats, onnx_models, set_floats, store
from ai_scripts import call, needs_torch, store_script, torch_model, values_of

DIVISION = "integer division by zero, or of the smallest number by -1"
SMALLEST = -(2**63)
HEAD = "def f(tensors: List[Tensor], keys: List[str], args: List[str]):\n"


def smallest_by_minus_one(client, length=1):
    """Tensors a and b, whose last elements cannot be divided: of long ones, those that a vendor's own thread gets."""
    a = np.full(length, 7, np.int64)
    a[-10:] = SMALLEST
    set_integers(client, "a", a)
    set_integers(client, "b", np.full(length, -1))


def set_integers(client, key, values):
    values = np.asarray(values, np.int64)
    client.execute_command("AI.TENSORSET", key, "INT64", len(values), "BLOB", values.tobytes())


def store_f(client, body):
    return store_script(client, "s", HEAD + body, ["f"])


def lives(server):
    return server.alive and server.client().ping()


@pytest.mark.asan
@pytest.mark.parametrize("operator", ["Div", "Mod"])
def test_a_division_that_overflows_in_a_model_is_an_error(server, client, operator):
    store(client, "m", onnx_models.of_two(operator, onnx_models.INT64))
    smallest_by_minus_one(client)
    assert error_of(client, "AI.MODELEXECUTE", "m", "INPUTS", 2, "a", "b", "OUTPUTS", 1, "y") == DIVISION
    assert not client.exists("y")
    set_integers(client, "b", [-2])
    assert execute(client, "m", ["a", "b"], ["y"]) == b"OK"
    assert client.execute_command("AI.TENSORGET", "y", "VALUES") == [2**62 if operator == "Div" else 0]
    assert "crashed" not in server.log()


def test_a_division_that_overflows_on_the_vendors_own_threads_is_an_error(server, client):
    length = 1 << 20
    store(client, "m", onnx_models.of_two("Div", onnx_models.INT64, length))
    smallest_by_minus_one(client, length)
    assert error_of(client, "AI.MODELEXECUTE", "m", "INPUTS", 2, "a", "b", "OUTPUTS", 1, "y").startswith(DIVISION)
    assert lives(server)


@needs_torch
@pytest.mark.parametrize("expression", ["int(args[0]) % int(args[1])", "int(args[0]) // int(args[1])"])
@pytest.mark.parametrize("numbers", [(1, 0), (SMALLEST, -1)])
def test_a_division_of_a_scripts_numbers_that_traps_is_an_error(server, client, expression, numbers):
    store_f(client, f"    return torch.tensor({expression})\n")
    text = error_of(client, "AI.SCRIPTEXECUTE", "s", "f", "KEYS", 0, "ARGS", 2, *numbers, "OUTPUTS", 1, "y")
    assert text == DIVISION or "RuntimeError: division by 0" in text
    call(client, "f", args=[-7, 2], outputs=["y"])
    assert values_of(client, "y") == [1 if "%" in expression else -4]
    assert lives(server)


@needs_torch
@pytest.mark.parametrize("expression", ["a // b", "a % b", 'torch.div(a, b, rounding_mode="trunc")'])
@pytest.mark.parametrize("length", [1, 1 << 20])  # the long ones on libtorch's own threads
def test_a_division_of_a_scripts_tensors_that_traps_is_an_error(server, client, expression, length):
    client.execute_command("AI.SCRIPTSET", "s", "CPU", "SOURCE", f"def f(a, b):\n    return {expression}\n")
    smallest_by_minus_one(client, length)
    text = error_of(client, "AI.SCRIPTRUN", "s", "f", "INPUTS", "a", "b", "OUTPUTS", "y")
    assert text.startswith(DIVISION)
    assert lives(server)


@needs_torch
def test_a_division_that_the_compiler_computes_keeps_no_server_from_starting(start_server, engine):
    server = start_server(engine=engine, config={"appendonly": "yes", "appendfsync": "always"})
    client = server.client()
    pipe = client.pipeline(transaction=True)
    pipe.set("word", "x")
    pipe.execute_command("AI.SCRIPTSET", "s", "CPU", "SOURCE", HEAD + "    return torch.tensor(1 % 0)\n")
    assert pipe.execute() == [True, b"OK"]
    words = ["AI.SCRIPTEXECUTE", "s", "f", "KEYS", 0, "OUTPUTS", 1, "y"]
    assert error_of(client, *words).startswith(DIVISION)
    server.kill9()
    server.start()
    client = server.client()
    assert client.get("word") == b"x"
    assert error_of(client, *words).startswith(DIVISION)
    assert lives(server)


def test_signals_that_are_not_of_a_division_still_end_in_the_servers_crash_report(server, client):
    store(client, "m", onnx_models.of_two("Div", onnx_models.INT64))
    smallest_by_minus_one(client)
    assert error_of(client, "AI.MODELEXECUTE", "m", "INPUTS", 2, "a", "b", "OUTPUTS", 1, "y") == DIVISION
    os.kill(server.pid, signal.SIGFPE)
    assert server.process.wait(60) != 0
    assert "crashed by signal: 8" in server.log()
    assert "STACK TRACE" in server.log()


def test_a_division_is_an_error_after_the_crash_report_was_switched_off_and_on(server, client):
    store(client, "m", onnx_models.of_two("Div", onnx_models.INT64))
    smallest_by_minus_one(client)
    for switch in ("no", "yes"):
        client.config_set("crash-log-enabled", switch)
        assert error_of(client, "AI.MODELEXECUTE", "m", "INPUTS", 2, "a", "b", "OUTPUTS", 1, "y") == DIVISION
    assert lives(server)


def nested_list(levels):
    return f"""    l: List[Any] = []
    for i in range({levels}):
        m: List[Any] = []
        m.append(l)
        l = m
"""


def stack_memory(server):
    """The bytes of memory that the workers' stacks take."""
    taken, is_stack = 0, False
    with open(f"/proc/{server.pid}/smaps") as file:
        for line in file:
            words = line.split()
            if not words[0].endswith(":"):
                is_stack = words[-1] == "/dev/zero"
            elif words[0] == "Rss:" and is_stack:
                taken += int(words[1]) * 1024
    return taken


@needs_torch
@pytest.mark.timeout(400)
def test_a_script_may_nest_as_deep_as_its_text_is_long(server):
    client = server.client(socket_timeout=350)
    levels = 8000
    client.config_set("ai.model-execution-timeout", 300_000)  # libtorch takes about 10 s to make it ready
    store_f(client, "    c = len(args) > 0\n    return torch.tensor(" + "1 if c else (" * levels + "2" + ")" * levels + ")\n")
    for args, value in ((["x"], 1), ([], 2)):
        call(client, "f", args=args, outputs=["y"])
        assert values_of(client, "y") == [value]
    assert lives(server)


@needs_torch
@pytest.mark.parametrize("make", ["m.append(l)", "m.append((l, 1))", 'm.append({"l": l})'])
def test_a_script_may_nest_values_a_million_deep(server, client, make):
    client.config_set("ai.model-execution-timeout", 60_000)
    store_f(client, nested_list(1_000_000).replace("m.append(l)", make) + "    return torch.tensor(len(l))\n")
    call(client, "f", outputs=["y"])
    assert values_of(client, "y") == [1]
    assert lives(server)
    assert 0 < stack_memory(server) < 16 << 20


@needs_torch
@pytest.mark.parametrize("body", [nested_list(1_000_000), "    l: List[Any] = []\n    l.append(l)\n"])
def test_a_command_of_a_script_takes_no_deep_lists(server, client, body):
    client.config_set("ai.model-execution-timeout", 60_000)
    store_f(client, body + '    redis.execute("ECHO", l)\n')
    text = error_of(client, "AI.SCRIPTEXECUTE", "s", "f", "KEYS", 0)
    assert "redis.execute takes lists of up to 32 levels, not deeper ones" in text
    store_f(client, nested_list(20) + '    l.append("word")\n    redis.execute("SET", "k", l)\n')
    call(client, "f")
    assert client.get("k") == b"word"
    assert lives(server)


def model_that_forks(levels):
    """y = x + 1, in a task of its own that also makes a list of so many levels"""
    methods = f"""  def nest(self: __torch__.mlp,
    x: Tensor) -> Tensor:
    l = annotate(List[Any], [])
    for i in range({levels}):
      m = annotate(List[Any], [])
      _1 = torch.append(m, l)
      l = m
    return torch.add(x, 1)
  def forward(self: __torch__.mlp,
    x: Tensor) -> Tensor:
    _0 = fork(self.nest, x)
    return torch.wait(_0)
"""
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(torch_model("mlp"))) as given, zipfile.ZipFile(changed, "w") as made:
        for name in given.namelist():
            content = given.read(name)
            if name.endswith("__torch__.py"):
                content = content[: content.index(b"  def forward")] + methods.encode()
            if not name.endswith(".debug_pkl"):
                made.writestr(name, content)
    return changed.getvalue()


@needs_torch
def test_a_task_of_a_model_may_nest_values_a_million_deep(server, client):
    client.config_set("ai.model-execution-timeout", 60_000)
    client.execute_command("AI.MODELSTORE", "m", "TORCH", "CPU", "BLOB", model_that_forks(1_000_000))
    set_floats(client, "x", [2], [1, 2])
    assert execute(client, "m", ["x"], ["y"]) == b"OK"
    assert get_floats(client, "y") == [2, 3]
    assert lives(server)
