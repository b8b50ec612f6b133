"""The backends of the build under test, as files and side by side in one server."""

import subprocess

import numpy as np
import pytest

from ai_models import error_of, execute, get_floats, onnx_models, set_floats
from servers import BUILD

import tf_models

BACKENDS = ["onnx", "tf", "torch"]


def torch_double():
    return (BUILD / "share" / "test-models" / "torch" / "double.pt").read_bytes()


@pytest.mark.parametrize("name", BACKENDS)
def test_a_backend_exports_its_table_and_nothing_else(name):
    file = BUILD / "lib" / "backends" / f"redoubt_{name}.so"
    assert file.exists(), f"{file} is missing: tests run on a build with all backends"
    listing = subprocess.run(["nm", "-D", "--defined-only", file], check=True, capture_output=True, text=True).stdout
    # Sanitized builds export more of their own.
    names = {line.split()[-1].split("@")[0] for line in listing.splitlines()}
    names = {n for n in names if not n.startswith(("__asan", "__odr_asan", "__tsan", "__ubsan", "__sanitizer"))}
    assert names == {"redoubt_backend_get"}


def test_all_backends_serve_one_server(client):
    def store(*words):
        return client.execute_command("AI.MODELSTORE", *words)

    assert store("onnx", "ONNX", "CPU", "BLOB", onnx_models.doubler()) == b"OK"
    assert store("tf", "TF", "CPU", "INPUTS", 2, "a", "b", "OUTPUTS", 1, "mul", "BLOB", tf_models.multiply()) == b"OK"
    assert store("torch", "TORCH", "CPU", "BLOB", torch_double()) == b"OK"
    set_floats(client, "x", [1, 2], [2, 3])
    for _ in range(3):
        assert execute(client, "onnx", ["x"], ["a"]) == b"OK"
        assert execute(client, "tf", ["a", "x"], ["b"]) == b"OK"
        assert execute(client, "torch", ["b"], ["c"]) == b"OK"
        np.testing.assert_allclose(get_floats(client, "c"), [16, 36])
    info = client.info("everything")
    assert info["ai_onnxruntime_version"] and info["ai_TensorFlow_version"] and info["ai_Torch_version"]


def test_the_load_arguments_of_redisai_name_backends_too(start_server, engine):
    words = ["ONNX", "redisai_onnxruntime/redisai_onnxruntime.so", "TFLITE", "redisai_tflite/redisai_tflite.so"]
    server = start_server(module_args=[*words, "THREADS_PER_QUEUE", "2"])
    with server.client() as client:
        assert "ai_onnxruntime_version" in client.info("everything")
        assert "ai_TensorFlow_version" not in client.info("everything")
        path = "redisai_tensorflow/redisai_tensorflow.so"
        assert client.execute_command("AI.CONFIG", "LOADBACKEND", "TF", path) == b"OK"
    assert "the backend TFLITE is not loaded" in server.log()


def test_errors_about_backends_are_redisais_alone_where_compatibility_is_asked_for(client):
    client.config_set("ai.compat-redisai", "yes")
    assert error_of(client, "AI.MODELSTORE", "m", "TFLITE", "CPU", "BLOB", "x") == "ERR Could not load backend"
    assert error_of(client, "AI.CONFIG", "LOADBACKEND", "ONNX", "no.so") == "ERR error loading backend"
