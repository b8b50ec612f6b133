"""The JSON module of the flow tests: RedisJSON out of the cache (tools/setup/fetch --tests), or the file that
REDOUBT_JSON_MODULE names, valkey-json for one. It is a test tool, no part of Redoubt."""

import os
import pathlib

import pytest

from servers import CACHE

JSON_MODULE = pathlib.Path(os.environ.get("REDOUBT_JSON_MODULE") or CACHE / "servers" / "rejson-2.8" / "rejson.so")


def json_config(**more):
    """What a server that shall hold JSON documents is started with."""
    assert JSON_MODULE.exists(), f"{JSON_MODULE} is missing: run tools/setup/fetch --tests"
    return {"loadmodule": JSON_MODULE, **more}


@pytest.fixture
def json_server(engine, start_server):
    return start_server(config=json_config())
