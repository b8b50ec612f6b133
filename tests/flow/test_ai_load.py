"""Everything at once for REDOUBT_LOAD_SECONDS on each backend: what the sanitizers look at."""

import os
import time

import pytest

from ai_load import Load, Models
from ai_scripts import needs_torch
from servers import BUILD, PRELOAD

# A sanitized build does everything several times slower.
SLOWER = 10 if PRELOAD else 1
SECONDS = float(os.environ.get("REDOUBT_LOAD_SECONDS", "10" if PRELOAD else "3"))

BACKENDS = [
    "ONNX",
    pytest.param("TORCH", marks=needs_torch),
    pytest.param(
        "TF",
        marks=pytest.mark.skipif(
            not (BUILD / "lib" / "backends" / "redoubt_tf.so").exists(), reason="built without the backend tf"
        ),
    ),
]


@pytest.mark.asan
@pytest.mark.parametrize("backend", BACKENDS)
def test_mixed_load_is_answered_in_known_words_and_sigterm_ends_it(server, backend):
    load = Load(server, Models(backend))
    try:
        time.sleep(SECONDS)
        assert server.client().ping()
        status, seconds = server.terminate(60)
    finally:
        load.stop()
    assert set(load.unexpected) == set()
    assert min(load.steps) > 0 and sum(load.steps) > 20
    assert status == 0
    assert seconds < 3 * SLOWER
    assert "bye bye" in server.log()
