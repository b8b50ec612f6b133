"""A server whose FT.* comes from another module: ours offers AI.* only, and says so."""

import pytest
import redis

from ai_models import execute, onnx_models, set_floats, store
from servers import BUILD

OTHER = BUILD / "lib" / "test" / "ft_first.so"


@pytest.fixture
def server(engine, start_server):
    return start_server(config={"loadmodule": str(OTHER)})


def test_ft_stays_with_the_other_module_and_the_log_says_so(server):
    client = server.client()
    assert {module[b"name"] for module in client.module_list()} == {b"ft_first", b"ai"}
    assert client.execute_command("FT.SEARCH", "idx", "*") == b"from the other module"
    assert client.execute_command("FT.CREATE", "idx") == b"from the other module"
    for ours in ("FT.INFO", "FT._LIST", "FT.DROPINDEX"):
        with pytest.raises(redis.ResponseError, match="unknown command"):
            client.execute_command(ours, "idx")
    assert "FT.* comes from another module of this server, so this one offers AI.* only" in server.log()


def test_ai_works_beside_it_and_outlives_a_restart(server):
    client = server.client()
    store(client, "m", onnx_models.mlp())
    set_floats(client, "x", [1, 64], [0] * 64)
    execute(client, "m", ["x"], ["y"])
    before = client.execute_command("AI.TENSORGET", "y", "VALUES")
    client.hset("item:1", "vec", b"\0\0\0\0")
    client.save()
    server.restart()
    assert server.client().execute_command("AI.TENSORGET", "y", "VALUES") == before
    assert server.client().info("modules")
