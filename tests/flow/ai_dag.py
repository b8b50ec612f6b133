"""What the tests of AI.DAGEXECUTE share: a few words for commands, and their fixtures (import those by name)."""

import threading

import pytest
import redis

from ai_models import onnx_models, set_floats, store
from servers import eventually


def words(text):
    return text.split()


def dag(client, text, name="AI.DAGEXECUTE"):
    """Runs the DAG that `text` describes, one word per blank. An error in the reply is an exception object in the list."""
    return client.execute_command(name, *words(text))


def run_model(model, inputs, outputs):
    return f" |> AI.MODELEXECUTE {model} INPUTS {len(inputs)} {' '.join(inputs)} OUTPUTS {len(outputs)} {' '.join(outputs)}"


def queue(client, device="CPU"):
    return client.info("everything").get(f"ai_queue_{device}", {"running": 0, "waiting": 0, "runs": 0, "requests": 0})


def raw(client, *command):
    connection = client.connection_pool.get_connection()
    try:
        connection.send_command(*command)
        return connection.read_response()
    finally:
        client.connection_pool.release(connection)


class Later:
    """A command on a connection of its own."""

    def __init__(self, server, *command, **client_options):
        self.answer = None

        def run():
            with server.client(**client_options) as other:
                try:
                    self.answer = other.execute_command(*command)
                except (redis.RedisError, OSError) as error:
                    self.answer = error

        self.thread = threading.Thread(target=run)
        self.thread.start()

    def get(self):
        self.thread.join(20)
        assert not self.thread.is_alive()
        return self.answer


@pytest.fixture
def ready(client):
    """A client of a server with models on two devices and a tensor."""
    store(client, "double", onnx_models.doubler())
    client.execute_command("AI.MODELSTORE", "double1", "ONNX", "CPU:1", "BLOB", onnx_models.doubler())
    store(client, "multiply", onnx_models.multiply())
    set_floats(client, "x", [2, 2], [1, 2, 3, 4])
    return client


@pytest.fixture
def busy(ready, server):
    """Keeps a device busy for so many milliseconds."""
    set_floats(ready, "one", [1], [1])
    started = []

    def start(ms, device="CPU"):
        ready.execute_command("AI.MODELSTORE", f"endless:{device}", "ONNX", device, "BLOB", onnx_models.endless())
        command = ("AI.MODELEXECUTE", f"endless:{device}", "INPUTS", 1, "one", "OUTPUTS", 1, "never", "TIMEOUT", ms)
        started.append(Later(server, *command))
        eventually(lambda: queue(ready, device.replace(":", "_"))["running"] == 1)
        return started[-1]

    yield start
    for later in started:
        later.get()
