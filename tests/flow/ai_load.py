"""Mixed AI.* load on one server: everything that may happen while models run, all of it at once.

Clients that leave in the middle of a run, timeouts, keys replaced and deleted under a run, FLUSHALL, snapshots, changes
of settings, the views of INFO: on models of one backend, and on scripts where that is TORCH.
"""

import random
import threading
import time

import redis

from ai_models import execute, floats, onnx_models
from ai_scripts import call, store_script, torch_model

import tf_models

# What clients may be told when others take their keys away, when their time is over, or when the server goes.
EXPECTED = (
    "TIMEDOUT",
    "key is empty",
    "WRONGTYPE",
    "no such key",
    "cannot find run info for key",
    "stoll",  # what a script had just written, it could not read
    "is full",
    "shutting down",
    "nobody waits for this run",
    "onnection",  # Connection refused, closed or reset; connecting
    "Broken pipe",
)


class Models:
    """Of one backend: y[N,2] of two equal inputs, and one that runs on CPU:1 until its time is over."""

    def __init__(self, backend):
        self.backend = backend
        self.is_torch = backend == "TORCH"
        # What cannot be stopped must end by itself: this one after so many turns.
        self.turns = 10 if self.is_torch else 1
        if self.is_torch:
            self.pair, self.long = torch_model("add"), torch_model("slow")
        else:
            models = {"ONNX": onnx_models, "TF": tf_models}[backend]
            self.pair, self.long = models.multiply(), models.endless()

    def store(self, client, key, *options):
        names = ["INPUTS", 2, "a", "b", "OUTPUTS", 1, "mul"] if self.backend == "TF" else []
        client.execute_command("AI.MODELSTORE", key, self.backend, "CPU", *options, *names, "BLOB", self.pair)

    def fill(self, client):
        """What the steps need and only FLUSHALL takes away."""
        names = ["INPUTS", 1, "x", "OUTPUTS", 1, "y"] if self.backend == "TF" else []
        client.execute_command("AI.MODELSTORE", "long", self.backend, "CPU:1", *names, "BLOB", self.long)
        shape = [] if self.backend == "TF" else [1]
        client.execute_command("AI.TENSORSET", "turns", "FLOAT", *shape, "BLOB", floats([self.turns]))
        if self.is_torch:
            store_script(client)


class Step:
    """One client's place: its keys, of which other clients may have the same."""

    def __init__(self, server, client, models, rng, name):
        self.server, self.client, self.models, self.rng = server, client, models, rng
        self.x, self.y, self.m, self.copy = (f"{kind}:{name}" for kind in ("x", "y", "m", "copy"))

    def store(self):
        batched = ("BATCHSIZE", 8, "MINBATCHSIZE", 2, "MINBATCHTIMEOUT", 2)
        self.models.store(self.client, self.m, *self.rng.choice([(), batched]))

    def tensor(self):
        self.client.execute_command("AI.TENSORSET", self.x, "FLOAT", self.rng.choice([1, 2, 50, 20_000]), 2)

    def execute(self):
        timeout = self.rng.choice([(), ("TIMEOUT", 1), ("TIMEOUT", 1000)])
        execute(self.client, self.m, [self.x, self.x], [self.y], *timeout)

    def execute_with_others(self):
        with self.client.pipeline(transaction=self.rng.random() < 0.3) as pipeline:
            for _ in range(4):
                execute(pipeline, self.m, [self.x, self.x], [self.y])
            pipeline.execute(raise_on_error=False)

    def predict(self):
        self.client.execute_command("AI.PREDICT", self.m, "INPUTS", 2, "KEY", self.x, "KEY", self.x)

    def dag(self):
        x, y, m = self.x, self.y, self.m
        words = f"LOAD 1 {x} PERSIST 1 {y} |> AI.MODELEXECUTE {m} INPUTS 2 {x} {x} OUTPUTS 1 {y}"
        words += f" |> AI.TENSORGET {y} META"
        self.client.execute_command("AI.DAGEXECUTE", *words.split())

    def dag_on_two_devices(self):
        x, y, m = self.x, self.y, self.m
        words = f"LOAD 2 {x} turns TIMEOUT 20 |> AI.MODELEXECUTE {m} INPUTS 2 {x} {x} OUTPUTS 1 {y}"
        words += f" |> AI.MODELEXECUTE long INPUTS 1 turns OUTPUTS 1 z |> AI.TENSORGET {y} META"
        self.client.execute_command("AI.DAGEXECUTE_RO", *words.split())

    def delete(self):
        getattr(self.client, self.rng.choice(["delete", "unlink"]))(self.rng.choice([self.x, self.y, self.m]))

    def time_out(self):
        execute(self.client, "long", ["turns"], [self.y], "TIMEOUT", 5)

    def leave(self):
        x, y, m = self.x, self.y, self.m
        commands = [
            f"AI.MODELEXECUTE {m} INPUTS 2 {x} {x} OUTPUTS 1 {y}",
            f"AI.MODELEXECUTE long INPUTS 1 turns OUTPUTS 1 {y} TIMEOUT 50",
            f"AI.PREDICT {m} INPUTS 2 KEY {x} KEY {x}",
            f"AI.DAGEXECUTE_RO LOAD 1 {x} |> AI.MODELEXECUTE {m} INPUTS 2 {x} {x} OUTPUTS 1 {y}",
        ]
        if self.models.is_torch:
            commands.append("AI.SCRIPTEXECUTE s count_up KEYS 1 counter TIMEOUT 50")
        with self.server.client() as leaver:
            connection = leaver.connection_pool.get_connection()
            connection.send_command(*self.rng.choice(commands).split())
            connection.disconnect()

    def script(self):
        choice = self.rng.randrange(4)
        if choice == 0:
            call(self.client, "set_and_get", keys=["word"], args=["7"], outputs=[self.y])
        elif choice == 1:
            call(self.client, "run_model", keys=[self.m], inputs=[self.x, self.x], outputs=[self.y], timeout=1000)
        elif choice == 2:
            call(self.client, "count_up", keys=["counter"], timeout=10)
        else:
            call(self.client, "scale", inputs=[self.x], args=["2"], outputs=[self.y])

    def look(self):
        self.client.info("everything")
        self.client.execute_command("AI._MODELSCAN")
        self.client.execute_command("MEMORY", "USAGE", self.m)
        self.client.execute_command("AI.INFO", self.m, *self.rng.choice([(), ("RESETSTAT",)]))

    def move(self):
        self.client.copy(self.rng.choice([self.x, self.m]), self.copy, replace=True)
        payload = self.client.dump(self.copy)
        if payload is not None:
            self.client.restore(self.copy, 0, payload, replace=True)

    def settings(self):
        self.client.config_set("ai.queue-limit", self.rng.choice([20, 10_000]))
        self.client.config_set("ai.model-execution-timeout", self.rng.choice([1000, 5000]))

    def save(self):
        self.client.save()

    def flush(self):
        self.client.flushall(asynchronous=self.rng.random() < 0.5)
        self.models.fill(self.client)


# How often each, of a hundred or so.
WEIGHTS = {
    Step.store: 9,
    Step.tensor: 18,
    Step.execute: 25,
    Step.execute_with_others: 5,
    Step.predict: 10,
    Step.dag: 8,
    Step.dag_on_two_devices: 2,
    Step.delete: 8,
    Step.time_out: 2,
    Step.leave: 6,
    Step.look: 2,
    Step.move: 2,
    Step.settings: 1,
    Step.save: 0.2,
    Step.flush: 1,
}


class Load:
    """Clients that do random steps, but those in `without`, until stop(); also when the server goes away under them."""

    def __init__(self, server, models, threads=4, without=()):
        self.unexpected = []
        self.steps = [0] * threads
        self._server, self._models = server, models
        self._weights = {step: weight for step, weight in WEIGHTS.items() if step not in without}
        if models.is_torch:
            self._weights[Step.script] = 10
        self._stopping = threading.Event()
        with server.client() as client:
            models.fill(client)
        self._threads = [threading.Thread(target=self._run, args=(i,)) for i in range(threads)]
        for thread in self._threads:
            thread.start()

    def stop(self):
        """Afterwards `unexpected` and `steps` are complete."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive()

    def _run(self, i):
        rng = random.Random(i)
        with self._server.client() as client:
            step = Step(self._server, client, self._models, rng, i % 3)  # two of them share their keys
            while not self._stopping.is_set():
                (action,) = rng.choices(list(self._weights), self._weights.values())
                try:
                    action(step)
                except (redis.RedisError, OSError) as error:
                    if not any(word in str(error) for word in EXPECTED):
                        self.unexpected.append(f"{action.__name__}: {error}")
                    if isinstance(error, redis.ConnectionError):
                        time.sleep(0.05)
                self.steps[i] += 1
