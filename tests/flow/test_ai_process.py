"""The module as a guest in the server's process: symbols, shutdown, sleep, INFO."""

import pathlib
import re
import subprocess
import threading
import time

import pytest

from ai_models import execute, onnx_models, set_floats, store
from servers import BUILD, MODULE, commit, eventually

import tf_models


def exported(library):
    out = subprocess.run(["nm", "-D", "--defined-only", library], capture_output=True, text=True, check=True).stdout
    return [line.split()[-1] for line in out.splitlines()]


def test_the_module_exports_its_entry_and_nothing_else():
    assert exported(MODULE) == ["RedisModule_OnLoad"]


def test_the_backend_exports_its_table_and_nothing_else():
    assert exported(BUILD / "lib" / "backends" / "redoubt_onnx.so") == ["redoubt_backend_get"]


def test_the_module_needs_nothing_but_the_c_and_cpp_runtime():
    out = subprocess.run(["readelf", "-d", MODULE], capture_output=True, text=True, check=True).stdout
    needed = set(re.findall(r"NEEDED.*\[(.+?)\.so", out))
    sanitizers = {"libasan", "libtsan", "libubsan"}
    assert needed - sanitizers == {"libstdc++", "libm", "libgcc_s", "libc", "ld-linux-x86-64"}


def test_the_module_does_not_know_the_vendor_and_the_backend_brings_its_own():
    def needed(library):
        return subprocess.run(["readelf", "-d", library], capture_output=True, text=True, check=True).stdout

    assert "onnxruntime" not in needed(MODULE)
    backend = needed(BUILD / "lib" / "backends" / "redoubt_onnx.so")
    assert "libonnxruntime.so.1" in backend and "$ORIGIN" in backend
    assert (BUILD / "lib" / "backends" / "libonnxruntime.so.1").exists()


@pytest.mark.asan
def test_sigterm_during_a_run_ends_the_server_within_two_seconds(server):
    client = server.client()
    store(client, "endless", onnx_models.endless())
    set_floats(client, "one", [1], [1])
    threads = []
    for i in range(3):

        def run(i=i):
            try:
                with server.client() as other:
                    execute(other, "endless", ["one"], [f"y{i}"])
            except Exception:  # noqa: BLE001, S110: the server goes away under it
                pass

        threads.append(threading.Thread(target=run))
        threads[-1].start()
    eventually(lambda: client.info("everything").get("ai_queue_CPU", {}).get("running") == 1)
    status, seconds = server.terminate()
    assert status == 0
    assert seconds < 2
    assert "bye bye" in server.log()
    for thread in threads:
        thread.join(10)


def test_sigterm_while_a_model_is_built_ends_the_server_within_three_seconds(server):
    client = server.client()
    connection = client.connection_pool.get_connection()
    connection.send_command("AI.MODELSTORE", "m", "ONNX", "CPU", "BLOB", onnx_models.large(64))
    time.sleep(0.3)
    status, seconds = server.terminate()
    assert status == 0
    assert seconds < 3
    connection.disconnect()


def switches_of(pid):
    """Voluntary context switches of each thread, by its name."""
    switches = {}
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        status = (task / "status").read_text()
        name = (task / "comm").read_text().strip()
        count = next(line for line in status.splitlines() if line.startswith("voluntary_ctxt_switches"))
        switches[f"{name}/{task.name}"] = int(count.split()[1])
    return switches


@pytest.mark.parametrize("backend", ["ONNX", "TF", "TORCH"])
def test_idle_threads_sleep(server, backend):
    client = server.client()
    names = ["INPUTS", 2, "a", "b", "OUTPUTS", 1, "mul"] if backend == "TF" else []
    blob = {
        "ONNX": onnx_models.multiply,
        "TF": tf_models.multiply,
        "TORCH": (BUILD / "share" / "test-models" / "torch" / "add.pt").read_bytes,
    }[backend]()
    client.config_set("ai.model-execution-timeout", 1000)
    client.execute_command("AI.MODELSTORE", "m", backend, "CPU", *names, "BLOB", blob)
    set_floats(client, "x", [1, 2], [1, 2])
    for _ in range(10):
        execute(client, "m", ["x", "x"], ["y"], "TIMEOUT", 1000)
    time.sleep(1.5)  # the timer may wake once more for a limit that was set for a run
    before = switches_of(server.pid)
    time.sleep(2)
    after = switches_of(server.pid)
    ours = {name for name in after if name.startswith("ai-")}
    assert any(name.startswith("ai-CPU-0") for name in ours), after
    assert {name: after[name] - before[name] for name in ours} == {name: 0 for name in ours}


def test_the_vendors_library_does_not_call_home(start_server, engine, folder):
    home = folder / "home"
    home.mkdir()
    server = start_server(env={"HOME": str(home), "XDG_CACHE_HOME": str(home), "ORT_DISABLE_TELEMETRY": "0"})
    client = server.client()
    store(client, "m", onnx_models.mlp())
    set_floats(client, "x", [1, 64], [0] * 64)
    execute(client, "m", ["x"], ["y"])
    names = [(task / "comm").read_text().strip() for task in pathlib.Path(f"/proc/{server.pid}/task").iterdir()]
    # One loader, and no thread of the vendor's beside those that it starts through us: they would carry the name of
    # the thread that made them.
    assert names.count("ai-loader") == 1, names
    assert list(home.rglob("*")) == []


def test_workers_run_at_lower_priority(server):
    client = server.client()
    store(client, "m", onnx_models.mlp())
    set_floats(client, "x", [1, 64], [0] * 64)
    execute(client, "m", ["x"], ["y"])
    nices = {}
    for task in pathlib.Path(f"/proc/{server.pid}/task").iterdir():
        nices[(task / "comm").read_text().strip()] = int((task / "stat").read_text().rsplit(")", 1)[1].split()[16])
    assert nices["ai-CPU-0"] == 5
    assert nices["ai-loader"] == 5


REDISAI_SECTIONS = ["versions", "git", "load_time_configs", "backends_info", "cpu"]


def test_info_has_redisais_sections_first_and_in_order(client):
    store(client, "m", onnx_models.mlp())
    set_floats(client, "x", [1, 64], [0] * 64)
    execute(client, "m", ["x"], ["y"])
    text = client.connection_pool.get_connection()
    text.send_command("INFO", "MODULES")
    lines = text.read_response().decode().splitlines()
    text.disconnect()
    sections = [line[2:] for line in lines if line.startswith("# ai_")]
    assert sections[:5] == [f"ai_{name}" for name in REDISAI_SECTIONS]
    fields = {}
    for line in lines:
        if line.startswith("# "):
            section = line[2:]
        elif ":" in line:
            fields.setdefault(section, []).append(line.split(":")[0])
    assert fields["ai_versions"] == ["ai_RedisAI_version", "ai_low_level_API_version", "ai_rdb_version"]
    assert fields["ai_git"] == ["ai_git_sha"]
    assert fields["ai_load_time_configs"] == [
        "ai_threads_per_queue",
        "ai_inter_op_parallelism",
        "ai_intra_op_parallelism",
        "ai_model_execution_timeout",
        "ai_backend_memory_limit",
    ]
    assert "ai_onnxruntime_version" in fields["ai_backends_info"]
    assert "ai_queue_CPU_bthread_n1_used_cpu_total" in fields["ai_cpu"]


def test_info_names_the_commit_that_was_built(client):
    assert client.info("ai_git")["ai_git_sha"] == commit()


def test_command_info_says_what_a_client_needs(client):
    info = client.execute_command("COMMAND", "INFO", "AI.TENSORGET")
    entry = info.get("ai.tensorget") if isinstance(info, dict) else info[0]
    assert "readonly" in {str(f.decode() if isinstance(f, bytes) else f) for f in entry["flags"]}
    docs = client.connection_pool.get_connection()
    docs.send_command("COMMAND", "DOCS", "AI.MODELEXECUTE")
    reply = docs.read_response()
    docs.disconnect()
    assert b"Runs a model on tensors" in str(reply).encode()


def test_a_memory_limit_for_backends_is_kept(start_server, engine):
    client = start_server(module_args=["BACKEND_MEMORY_LIMIT", "4"]).client()
    store(client, "small", onnx_models.doubler())
    with pytest.raises(Exception, match="memory limit exceeded"):
        store(client, "m", onnx_models.large(16))
    assert client.ping()
