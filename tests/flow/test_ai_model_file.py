"""AI.MODELSTORE ... FILE: a model from the server's own disk, but only from the directory that its operator names."""

import os

import pytest

from ai_models import error_of, execute, get_floats, onnx_models, set_floats
from servers import eventually


@pytest.fixture
def models(tmp_path):
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "double.onnx").write_bytes(onnx_models.doubler())
    (folder / "damaged.onnx").write_bytes(b"no model")
    (tmp_path / "outside.onnx").write_bytes(onnx_models.doubler())
    (folder / "way-out.onnx").symlink_to(tmp_path / "outside.onnx")
    os.mkfifo(folder / "pipe")
    return folder


@pytest.fixture
def server(start_server, models):
    return start_server(config={"ai.model-directory": models})


def from_file(client, path, key="m"):
    return client.execute_command("AI.MODELSTORE", key, "ONNX", "CPU", "TAG", "v1", "FILE", path)


def test_a_model_comes_from_a_file(client, models):
    assert from_file(client, "double.onnx") == b"OK"
    assert from_file(client, str(models / "double.onnx"), "absolute") == b"OK"
    set_floats(client, "x", [1, 2], [3, 4])
    execute(client, "m", ["x"], ["y"])
    assert get_floats(client, "y") == [6, 8]
    assert client.execute_command("AI.MODELGET", "m", "BLOB") == onnx_models.doubler()


def test_replicas_and_restarts_get_its_bytes(client, server, start_server, models):
    replica = start_server()
    with replica.client() as there:
        there.execute_command("REPLICAOF", "127.0.0.1", server.port)
        eventually(lambda: there.info("replication")["master_link_status"] == "up")
        from_file(client, "double.onnx")
        (models / "double.onnx").unlink()
        eventually(lambda: there.exists("m") == 1)
        assert there.execute_command("AI.MODELGET", "m", "BLOB") == onnx_models.doubler()
        assert b"v1" in there.execute_command("AI.MODELGET", "m", "META")


def test_only_files_of_the_directory_are_read(client, models):
    for path in ("../outside.onnx", "way-out.onnx", "/etc/passwd", str(models.parent / "outside.onnx")):
        assert "lies outside of" in error_of(client, "AI.MODELSTORE", "m", "ONNX", "CPU", "FILE", path), path
    assert error_of(client, "AI.MODELSTORE", "m", "ONNX", "CPU", "FILE", "absent").startswith("ERR FILE: ")
    assert "not a regular file" in error_of(client, "AI.MODELSTORE", "m", "ONNX", "CPU", "FILE", "pipe")
    assert "not a regular file" in error_of(client, "AI.MODELSTORE", "m", "ONNX", "CPU", "FILE", ".")
    assert "takes one path" in error_of(client, "AI.MODELSTORE", "m", "ONNX", "CPU", "FILE", "double.onnx", "more")
    assert error_of(client, "AI.MODELSTORE", "m", "ONNX", "CPU", "FILE", "damaged.onnx")
    assert client.dbsize() == 0


def test_is_refused_in_a_transaction(client):
    pipeline = client.pipeline(transaction=True)
    pipeline.execute_command("AI.MODELSTORE", "m", "ONNX", "CPU", "FILE", "double.onnx")
    (answer,) = pipeline.execute(raise_on_error=False)
    assert "FILE cannot be used within a transaction" in str(answer)


def test_is_off_unless_a_directory_is_named(start_server):
    with start_server().client() as client:
        assert "ai.model-directory" in error_of(client, "AI.MODELSTORE", "m", "ONNX", "CPU", "FILE", "/etc/passwd")
        assert "ERR" in error_of(client, "CONFIG", "SET", "ai.model-directory", "/etc")
