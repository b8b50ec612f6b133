"""RDB files and RESTORE payloads that this module did not write: RedisAI's of every age, and damaged ones."""

import random
import time

import pytest
import redis

from ai_models import execute, get_floats, onnx_models, set_floats, store
from rdb_payload import HEADER, MODULE_VALUE, module_value, rdb_file, sealed, taken_apart

VERSIONS = [0, 1, 2, 3, 4]
SOURCE = b"def twice(x):\n    return x + x\n"
TF, TORCH, ONNX = 0, 2, 3


def tensor_fields(version, code, bits, shape, blob):
    if version >= 4:
        return [code, bits, len(shape), *shape, blob]
    strides, step = [], 1  # the whole of a DLTensor
    for size in reversed(shape):
        strides.insert(0, step)
        step *= size
    return [1, 0, bits, code, 1, len(shape), *shape, *strides, 0, blob]


def model_fields(version, backend, blob, tag=b"old", batching=(8, 2, 5), inputs=(), outputs=(), chunks=3):
    fields = [backend, b"CPU\0", tag, batching[0], batching[1]]
    if version >= 2:
        fields.append(batching[2])
    for names in (inputs, outputs):
        fields += [len(names), *(name + b"\0" for name in names)]
    if version == 0:
        return [*fields, blob]
    size = max(1, -(-len(blob) // chunks))
    pieces = [blob[at : at + size] for at in range(0, len(blob), size)]
    return [*fields, len(blob), len(pieces), *pieces]


def script_fields(version):
    fields = [b"CPU\0", b"old", SOURCE + b"\0"]
    return [*fields, 1, b"twice\0"] if version >= 4 else fields


def values_of(version):
    """What a server with RedisAI kept, by key, as that version wrote it."""
    floats = b"\0\0\x80\x3f\0\0\0\x40"
    values = {
        b"x": ("AI_TENSOR", tensor_fields(version, 2, 32, [1, 2], floats)),
        b"bytes": ("AI_TENSOR", tensor_fields(version, 1, 8, [3], b"\1\2\xff")),
        b"m": ("AI__MODEL", model_fields(version, ONNX, onnx_models.doubler(), batching=(0, 0, 0))),
        b"graph": ("AI__MODEL", model_fields(version, TF, b"graph", inputs=[b"a", b"b"], outputs=[b"c"])),
        b"torch": ("AI__MODEL", model_fields(version, TORCH, b"weights")),
        b"script": ("AI_SCRIPT", script_fields(version)),
    }
    if version >= 4:
        values[b"text"] = ("AI_TENSOR", [7, 8, 1, 2, b"ab\0\0", 0, 3])
        values[b"truth"] = ("AI_TENSOR", [6, 8, 1, 2, b"\1\0"])
    return {key: module_value(name, version, fields) for key, (name, fields) in values.items()}


def check_old_values(client, version):
    assert client.execute_command("AI.TENSORGET", "x", "META", "VALUES") == [
        b"dtype", b"FLOAT", b"shape", [1, 2], b"values", [b"1", b"2"],
    ]  # fmt: skip
    assert client.execute_command("AI.TENSORGET", "bytes", "VALUES") == [1, 2, 255]
    if version >= 4:
        assert client.execute_command("AI.TENSORGET", "text", "VALUES") == [b"ab", b""]
        assert client.execute_command("AI.TENSORGET", "truth", "META")[1] == b"BOOL"
    assert client.execute_command("AI.MODELGET", "m", "BLOB") == onnx_models.doubler()
    assert execute(client, "m", ["x"], ["y"]) == b"OK"
    assert get_floats(client, "y") == [2, 4]
    meta = client.execute_command("AI.MODELGET", "graph", "META")
    meta = dict(zip(meta[::2], meta[1::2], strict=True))
    assert (meta[b"backend"], meta[b"device"], meta[b"tag"]) == (b"TF", b"CPU", b"old")
    assert (meta[b"batchsize"], meta[b"minbatchsize"]) == (8, 2)
    assert (meta[b"inputs"], meta[b"outputs"]) == ([b"a", b"b"], [b"c"])
    assert meta[b"minbatchtimeout"] == (5 if version >= 2 else 0)
    assert client.execute_command("AI.MODELGET", "graph", "BLOB") == b"graph"
    assert client.execute_command("AI.MODELGET", "torch", "BLOB") == b"weights"
    assert client.execute_command("AI.SCRIPTGET", "script", "SOURCE") == SOURCE
    script = client.execute_command("AI.SCRIPTGET", "script", "META")
    script = dict(zip(script[::2], script[1::2], strict=True))
    assert (script[b"device"], script[b"tag"]) == (b"CPU", b"old")
    assert script[b"Entry Points"] == ([b"twice"] if version >= 4 else [])
    assert {name for name, _ in client.execute_command("AI._MODELSCAN")} == {b"m", b"graph", b"torch"}


@pytest.mark.asan
@pytest.mark.parametrize("version", VERSIONS)
def test_a_dump_file_of_redisai_loads_and_is_saved_again(server, version):
    server.kill9()
    (server.dir / "dump.rdb").write_bytes(rdb_file(values_of(version)))
    server.start()
    check_old_values(server.client(), version)
    server.client().delete("y")
    server.client().save()
    server.kill9()
    server.start()
    check_old_values(server.client(), version)


@pytest.mark.asan
@pytest.mark.parametrize("version", VERSIONS)
def test_restore_takes_payloads_of_redisai(client, version):
    set_floats(client, "ours", [1], [1])
    _, rdb_version = taken_apart(client.dump("ours"))
    for key, value in values_of(version).items():
        client.restore(key, 0, sealed(MODULE_VALUE + value, rdb_version))
    check_old_values(client, version)


@pytest.mark.parametrize("type_name", ["AI_TENSOR", "AI__MODEL", "AI_SCRIPT"])
def test_a_payload_of_a_version_to_come_is_refused(client, type_name):
    set_floats(client, "ours", [1], [1])
    _, rdb_version = taken_apart(client.dump("ours"))
    with pytest.raises(redis.ResponseError, match="Bad data format"):
        client.restore("new", 0, sealed(MODULE_VALUE + module_value(type_name, 9, [1, 1, b"x"]), rdb_version))
    assert not client.exists("new")


def test_a_damaged_dump_file_stops_the_start_with_a_reason(server):
    server.kill9()
    value = module_value("AI_TENSOR", 4, [2, 32, 1, 1 << 40, b"few"])
    (server.dir / "dump.rdb").write_bytes(rdb_file({b"x": value}))
    with pytest.raises(AssertionError, match="a tensor cannot be loaded"):
        server.start()
    (server.dir / "dump.rdb").unlink()
    server.start()


# ---- hostile payloads ----

EXTREMES = [b"\x81" + b"\xff" * 8, b"\x81\x7f" + b"\xff" * 7, b"\x80" + b"\xff" * 4, b"\x80\x40\0\0\0", b"\0", b"\xc3"]


def damaged(rng, body, others):
    """`body` with what is the module's own changed: bytes, lengths, order, end."""
    out = bytearray(body)
    for _ in range(rng.randint(1, 3)):
        if len(out) <= HEADER:
            break
        # Mostly near the start, where lengths and counts are.
        end = len(out) if rng.random() < 0.3 else min(len(out), HEADER + 80)
        at = rng.randrange(HEADER, end)
        kind = rng.randrange(6)
        if kind <= 1:
            out[at] = rng.randrange(256)
        elif kind == 2:
            out[at : at + 1] = rng.choice(EXTREMES)
        elif kind == 3:
            del out[at : at + rng.randint(1, 12)]
        elif kind == 4:
            other = rng.choice(others)
            start = rng.randrange(HEADER, len(other))
            out[at:at] = other[start : start + rng.randint(1, 30)]
        else:
            del out[at:]
    return bytes(out)


def read_whole(client, key):
    """Reads a value in every way there is."""
    kind = client.execute_command("TYPE", key)
    if kind == b"AI_TENSOR":
        client.execute_command("AI.TENSORGET", key, "META", "BLOB")
        client.execute_command("AI.TENSORGET", key, "VALUES")
    elif kind == b"AI__MODEL":
        client.execute_command("AI.MODELGET", key, "META", "BLOB")
    else:
        client.execute_command("AI.SCRIPTGET", key, "META", "SOURCE")
    client.execute_command("MEMORY", "USAGE", key)
    payload = client.dump(key)
    digest = client.execute_command("DEBUG", "DIGEST-VALUE", key)
    client.restore("again", 0, payload, replace=True)
    assert client.dump("again") == payload
    assert client.execute_command("DEBUG", "DIGEST-VALUE", "again") == digest
    client.copy(key, "copied", replace=True)
    assert client.dump("copied") == payload


def test_thousands_of_damaged_payloads_leave_a_whole_value_or_none(server):
    client = server.client()
    set_floats(client, "x", [2, 3], range(6))
    client.execute_command("AI.TENSORSET", "s", "STRING", 3, "VALUES", "ab", "", "c" * 70)
    store(client, "m", onnx_models.doubler(), "TAG", "v1", "BATCHSIZE", 8, "MINBATCHSIZE", 2)
    bodies, rdb_version = [], taken_apart(client.dump("x"))[1]
    bodies += [taken_apart(client.dump(key))[0] for key in ("x", "s", "m")]
    bodies += [MODULE_VALUE + value for version in (0, 1, 4) for value in values_of(version).values()]
    before = client.dump("x")
    rng = random.Random(1304)
    refused = accepted = 0
    ends = time.monotonic() + 15
    while refused + accepted < 4000 and time.monotonic() < ends:
        payload = sealed(damaged(rng, rng.choice(bodies), bodies), rdb_version)
        client.restore("victim", 0, before, replace=True)
        try:
            client.restore("victim", 0, payload, replace=True)
        except redis.ResponseError:
            refused += 1
            assert client.dump("victim") == before  # not even half of it has arrived
            continue
        accepted += 1
        read_whole(client, "victim")
    assert refused > accepted > 0
    assert refused + accepted > 1000
    assert server.alive
    for key in ("victim", "again", "copied"):
        client.delete(key)
    client.save()
    server.kill9()
    server.start()
    assert server.client().dbsize() == 3
