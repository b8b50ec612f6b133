"""What the tests of TorchScript models and scripts share."""

import pytest

from servers import BUILD

needs_torch = pytest.mark.skipif(
    not (BUILD / "lib" / "backends" / "redoubt_torch.so").exists(), reason="built without the backend torch"
)

SOURCE = """
def bar(a, b):
    return a + b

def bar_variadic(a, args: List[Tensor]):
    return args[0] + args[1] * a

def two(a, b):
    return a + b, a * b

def scale(tensors: List[Tensor], keys: List[str], args: List[str]):
    return tensors[0] * float(args[0])

def to_tensor(value: Any):
    return torch.tensor(int(str(value)))

def set_and_get(tensors: List[Tensor], keys: List[str], args: List[str]):
    redis.execute("SET", keys[0], args[0])
    return to_tensor(redis.execute("GET", keys[0]))

def push_and_range(tensors: List[Tensor], keys: List[str], args: List[str]):
    for value in args:
        redis.execute("RPUSH", keys[0], value)
    values = redis.asList(redis.execute("LRANGE", keys[0], 0, -1))
    return torch.stack([to_tensor(v) for v in values])

def count_missing(tensors: List[Tensor], keys: List[str], args: List[str]):
    missing = 0
    for key in keys:
        if not isinstance(redis.execute("GET", key), str):
            missing += 1
    return torch.tensor(missing)

def command(tensors: List[Tensor], keys: List[str], args: List[str]):
    redis.execute(args[0], args[1:])

def run_model(tensors: List[Tensor], keys: List[str], args: List[str]):
    return redisAI.model_execute(keys[0], tensors, 1)

def run_model_of_args(tensors: List[Tensor], keys: List[str], args: List[str]):
    return redisAI.model_execute(args[0], tensors, 1)

def run_model_two_outputs(tensors: List[Tensor], keys: List[str], args: List[str]):
    return redisAI.model_execute(keys[0], tensors, 2)

def set_and_spin(tensors: List[Tensor], keys: List[str], args: List[str]):
    redis.execute("SET", keys[0], "begun")
    m = torch.eye(64)
    for i in range(int(args[0])):
        m = torch.mm(m, m)
    redis.execute("SET", keys[0], "ended")
    return m.sum()

def count_up(tensors: List[Tensor], keys: List[str], args: List[str]):
    while True:
        redis.execute("INCR", keys[0])
    return tensors[0]
"""

ENTRY_POINTS = [
    line.split("(")[0].removeprefix("def ")
    for line in SOURCE.splitlines()
    if line.startswith("def ") and "args: List[str]" in line
]


def torch_model(name):
    return (BUILD / "share" / "test-models" / "torch" / f"{name}.pt").read_bytes()


def store_torch(client, key, name, *options):
    return client.execute_command("AI.MODELSTORE", key, "TORCH", "CPU", *options, "BLOB", torch_model(name))


def store_script(client, key="s", source=SOURCE, entry_points=None, *options):
    names = ENTRY_POINTS if entry_points is None else entry_points
    return client.execute_command(
        "AI.SCRIPTSTORE", key, "CPU", *options, "ENTRY_POINTS", len(names), *names, "SOURCE", source
    )


def call(client, function, keys=(), inputs=(), args=(), outputs=(), timeout=None, script="s"):
    """AI.SCRIPTEXECUTE with the sections that are not empty; KEYS always, as one of two must be there."""
    words = ["KEYS", len(keys), *keys]
    for name, values in (("INPUTS", inputs), ("ARGS", args), ("OUTPUTS", outputs)):
        if values:
            words += [name, len(values), *values]
    if timeout is not None:
        words += ["TIMEOUT", timeout]
    return client.execute_command("AI.SCRIPTEXECUTE", script, function, *words)


def values_of(client, key):
    return client.execute_command("AI.TENSORGET", key, "VALUES")
