"""The servers the other tests stand on: they start, keep what they saved, and are gone afterwards."""

import os

import pytest


def test_server_answers_on_its_own_port_and_engine(engine, start_server):
    server = start_server(module=False)
    info = server.client(decode_responses=True).info("server")
    assert info["tcp_port"] == server.port
    assert info["process_id"] == server.pid
    assert ("valkey_version" in info) == (engine == "valkey")


def test_restart_after_kill9_loads_the_last_save(engine, start_server):
    server = start_server(module=False)
    server.client().set("kept", "1")
    server.client().save()
    server.client().set("lost", "1")
    server.restart("kill9")
    assert server.client().get("kept") == b"1"
    assert server.client().get("lost") is None


def test_two_servers_form_a_replica_pair(engine, start_server):
    primary = start_server(module=False)
    replica = start_server(module=False, config={"replicaof": f"127.0.0.1 {primary.port}"})
    assert replica.client().info("replication")["role"] == "slave"


def test_a_server_that_cannot_start_says_why(start_server):
    with pytest.raises(AssertionError, match="(?i)bad directive|wrong number"):
        start_server(module=False, config={"no-such-directive": "1"})


def test_saving_fails_when_the_directory_is_gone(start_server):
    server = start_server(module=False)
    server.client().set("a", "1")
    server.remove_directory()
    with pytest.raises(Exception):
        server.client().save()


def test_a_stopped_server_leaves_no_process(start_server):
    server = start_server(module=False)
    pid = server.pid
    server.terminate()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
