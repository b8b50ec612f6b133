"""search_name.so: what a client finds that asks MODULE LIST for a module named search."""

import pytest

from servers import BUILD, MODULE, RedisServer

NAME = BUILD / "lib" / "search_name.so"


def modules(client):
    return {module[b"name"]: module[b"ver"] for module in client.module_list()}


def test_without_it_there_is_no_module_of_that_name(client):
    assert set(modules(client)) == {b"ai"}


@pytest.mark.asan
def test_it_adds_a_name_and_nothing_else(engine, start_server):
    server = start_server(config={"loadmodule": str(NAME)})
    client = server.client()
    found = modules(client)
    assert found[b"search"] >= 20810 and set(found) == {b"search", b"ai"}
    client.execute_command("FT.CREATE", "idx", "SCHEMA", "t", "TAG")
    client.hset("a", "t", "x")
    assert client.execute_command("FT.SEARCH", "idx", "@t:{x}", "NOCONTENT") == [1, b"a"]
    client.save()
    server.restart()
    assert modules(server.client())[b"search"] == found[b"search"]
    assert server.client().execute_command("FT._LIST") == [b"idx"]


def test_beside_a_module_of_that_name_it_does_not_load(engine, folder):
    """The name is taken by its own first copy here: which of two modules has it makes no difference to the server."""
    server = RedisServer(folder / "twice", engine=engine, module=False, config={"loadmodule": [str(NAME), str(NAME)]})
    with pytest.raises(AssertionError, match="ended with 1"):
        server.start()
    assert MODULE.exists() and "search_name.so" in server.log()
