"""ai.validate-models: a model is loaded by a process of its own before the server loads it."""

import contextlib
import os
import pathlib
import signal
import threading
import time

import pytest
import redis

from ai_dag import Later
from ai_models import error_of, execute, get_floats, onnx_models, set_floats, store
from servers import BUILD, eventually

ON = {"ai.validate-models": "yes"}
# Its models say how their loader dies: tests/backends/dying_backend.cc.
DYING = ["BACKENDSPATH", BUILD / "lib" / "test" / "backends"]
DIED = "ERR the model was not loaded, the process that tried it first (ai.validate-models) failed: "


@pytest.fixture
def checking(start_server, engine):
    return start_server(config=ON)


@pytest.fixture
def dying(start_server, engine, tmp_path):
    return start_server(config=ON, module_args=DYING, env={"TMPDIR": str(tmp_path)})


def children(pid):
    """Process ids of the children of all its threads, those that have ended but were not collected among them."""
    found = []
    for file in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [int(child) for child in file.read_text().split()]
    return found


def name(pid):
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{pid}/comm").read_text()
    return ""


def checkers(server):
    """The processes that try a model: the one that waits and the one that loads."""
    return [pid for pid in children(server.pid) if name(pid).startswith("redoubt_model")]


def loaders(server):
    return [loading for waiting in checkers(server) for loading in children(waiting)]


def descriptors(server):
    return len(os.listdir(f"/proc/{server.pid}/fd"))


def store_dying(client, how, key="d"):
    return error_of(client, "AI.MODELSTORE", key, "TFLITE", "CPU", "BLOB", how)


@pytest.mark.asan
def test_good_models_load_and_damaged_ones_are_refused_in_the_vendors_words(checking):
    client = checking.client()
    assert store(client, "m", onnx_models.doubler()) == b"OK"
    set_floats(client, "x", [1, 2], [1, 2])
    assert execute(client, "m", ["x"], ["y"]) == b"OK"
    assert get_floats(client, "y") == [2, 4]
    for blob in (b"garbage", onnx_models.doubler()[:-20]):
        checked = error_of(client, "AI.MODELSTORE", "bad", "ONNX", "CPU", "BLOB", blob)
        client.config_set("ai.validate-models", "no")
        assert error_of(client, "AI.MODELSTORE", "bad", "ONNX", "CPU", "BLOB", blob) == checked
        client.config_set("ai.validate-models", "yes")
    assert not client.exists("bad")
    assert checkers(checking) == []


@pytest.mark.asan
def test_a_loader_that_dies_is_an_error_with_its_reason_and_the_server_lives(dying, tmp_path):
    client = dying.client()
    assert client.execute_command("AI.MODELSTORE", "good", "TFLITE", "CPU", "BLOB", "good") == b"OK"
    before = descriptors(dying)
    # AddressSanitizer makes a crash an exit status.
    for how, reasons in (
        ("abort", ["Aborted (signal 6)"]),
        ("segv", ["Segmentation fault (signal 11)", "exit status 99"]),
        ("exit", ["it ended without a word"]),
        ("litter", ["Aborted (signal 6)"]),
    ):
        assert store_dying(client, how).removeprefix(DIED) in reasons
    assert store_dying(client, "other") == "no such way to die"
    assert not client.exists("d")
    assert children(dying.pid) == []
    assert descriptors(dying) == before
    assert not os.listdir(tmp_path), "what the loads left behind is removed"


def test_a_loader_that_takes_all_memory_or_time_is_stopped_and_others_follow(dying):
    client = dying.client()
    client.config_set("ai.validate-memory", 500)
    assert store_dying(client, "memory") == "this model takes all memory (ai.validate-memory: 500 MB)"
    client.config_set("ai.validate-timeout", 1)
    begun = time.monotonic()
    assert store_dying(client, "hang") == DIED + "it took longer than 1 s (ai.validate-timeout)"
    assert time.monotonic() - begun < 4
    client.config_set("ai.validate-memory", 0)
    assert client.execute_command("AI.MODELSTORE", "good", "TFLITE", "CPU", "BLOB", "good") == b"OK"
    assert children(dying.pid) == []


def test_a_process_that_does_not_answer_at_all_is_killed_with_its_child(dying):
    client = dying.client()
    client.config_set("ai.validate-timeout", 1)
    late = Later(dying, "AI.MODELSTORE", "d", "TFLITE", "CPU", "BLOB", "hang")
    loading = eventually(lambda: loaders(dying), interval=0.01)[0]
    for pid in checkers(dying):
        os.kill(pid, signal.SIGSTOP)
    assert "killed, no answer within 6 s" in str(late.get())
    assert children(dying.pid) == []
    eventually(lambda: not name(loading))


def test_the_reason_is_known_while_the_server_collects_children_of_its_own(dying):
    """While it saves, its waitpid() takes whichever child has ended."""
    client = dying.client()
    for i in range(3000):
        client.set(f"k{i}", "x")
    client.config_set("rdb-key-save-delay", 1000)  # the save takes three seconds
    client.bgsave()
    begun = time.monotonic()
    while time.monotonic() - begun < 2:
        assert store_dying(client, "segv") == DIED + "Segmentation fault (signal 11)"
    assert client.info("persistence")["rdb_bgsave_in_progress"]
    client.config_set("rdb-key-save-delay", 0)
    eventually(lambda: not client.info("persistence")["rdb_bgsave_in_progress"], timeout=20)
    assert client.info("persistence")["rdb_last_bgsave_status"] == "ok"
    assert children(dying.pid) == []


def test_sigterm_does_not_wait_for_a_loader_and_leaves_nothing(dying, tmp_path):
    client = dying.client()
    late = Later(dying, "AI.MODELSTORE", "d", "TFLITE", "CPU", "BLOB", "hang")
    loading = eventually(lambda: loaders(dying), interval=0.01)[0]
    waiting = checkers(dying)[0]
    client.close()
    begun = time.monotonic()
    dying.terminate()
    assert time.monotonic() - begun < 2.5
    late.get()
    eventually(lambda: not name(loading) and not name(waiting))
    assert not os.listdir(tmp_path)


def test_the_memory_limit_holds_for_real_models_and_settings_change_while_running(checking):
    client = checking.client()
    client.config_set("ai.validate-memory", 200)
    with pytest.raises(redis.ResponseError, match="memory.*200 MB"):
        store(client, "m", onnx_models.large(64))
    client.config_set("ai.validate-memory", 0)
    assert store(client, "m", onnx_models.large(16)) == b"OK"
    client.config_set("ai.validate-models", "no")
    assert store(client, "m", onnx_models.doubler()) == b"OK"


def test_models_of_a_dump_file_are_tried_while_the_server_answers_already(dying):
    client = dying.client()
    for i in range(20):
        client.execute_command("AI.MODELSTORE", f"good{i}", "TFLITE", "CPU", "BLOB", "good")
    client.config_set("ai.validate-models", "yes")
    with client.pipeline(transaction=True) as pipe:  # stores without waiting for the load
        for how in ("segv", "hang"):
            pipe.execute_command("AI.MODELSTORE", how, "TFLITE", "CPU", "BLOB", how)
        pipe.execute()
    client.save()
    dying.kill9()
    dying.config["ai.validate-timeout"] = 3
    begun = time.monotonic()
    dying.start()
    client = dying.client()
    assert client.dbsize() == 22
    assert time.monotonic() - begun < 3
    set_floats(client, "x", [1], [1])
    for how, reason in (("segv", "Segmentation fault"), ("hang", "took longer than 3 s")):
        with pytest.raises(redis.ResponseError, match=reason):
            execute(client, how, ["x"], ["y"])
    eventually(lambda: not children(dying.pid))  # the rest has been tried too


def test_real_models_of_a_dump_file_and_of_restore_run_after_their_check(checking):
    client = checking.client()
    store(client, "m", onnx_models.doubler())
    client.restore("copy", 0, client.dump("m"))
    set_floats(client, "x", [1, 2], [1, 2])
    assert execute(client, "copy", ["x"], ["y"]) == b"OK"
    client.save()
    checking.kill9()
    checking.start()
    client = checking.client()
    set_floats(client, "x", [1, 2], [1, 2])
    assert execute(client, "m", ["x"], ["y"]) == b"OK"
    assert get_floats(client, "y") == [2, 4]
    eventually(lambda: not children(checking.pid))


def test_many_clients_store_at_once_and_nothing_leaks(checking):
    client = checking.client()
    store(client, "m", onnx_models.doubler())
    before = descriptors(checking)

    def work(i):
        with checking.client() as own:
            for _ in range(3):
                assert store(own, f"m{i}", onnx_models.doubler()) == b"OK"

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [client.exists(f"m{i}") for i in range(8)] == [1] * 8
    assert children(checking.pid) == []
    eventually(lambda: descriptors(checking) <= before)
