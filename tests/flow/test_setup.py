"""tools/setup on machines of all kinds, without changing this one."""

import os
import shutil
import subprocess

import pytest

from servers import ROOT


def node_used(folder, version, npm=True):
    """The node that use_node chooses on a machine with this one: "machine" or "cache"."""
    for place, text in (("machine", version), ("cache/node/bin", "v24.0.0")):
        (folder / place).mkdir(parents=True)
        for tool in ["node", "npm"] if npm or place != "machine" else ["node"]:
            (folder / place / tool).write_text(f"#!/bin/sh\necho {text}\n")
            (folder / place / tool).chmod(0o755)
    # Nothing else, so that a node of the real machine is not seen.
    for tool in ("bash", "dirname", "nproc", "sed"):
        (folder / "machine" / tool).symlink_to(shutil.which(tool))
    done = subprocess.run(
        ["bash", "-ec", "source tools/setup/lib.sh; source tools/setup/build.sh; use_node; command -v node"],
        cwd=ROOT,
        env={**os.environ, "PATH": f"{folder}/machine", "REDOUBT_CACHE": str(folder / "cache")},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.removeprefix(f"{folder}/").split("/")[0]


@pytest.mark.parametrize("version", ["v20.19.0", "v20.20.1", "v22.13.0", "v24.0.0", "v25.1.0-nightly2026"])
def test_a_node_that_can_build_the_web_ui_is_used(folder, version):
    assert node_used(folder, version) == "machine"


@pytest.mark.parametrize("version", ["v12.22.9", "v18.20.8", "v20.9.0", "v20.18.3", "v21.7.3", "v22.12.0", "v23.11.0", ""])
def test_another_node_gives_way_to_the_one_in_the_cache(folder, version):
    assert node_used(folder, version) == "cache"


def test_a_node_without_npm_gives_way_too(folder):
    assert node_used(folder, "v24.0.0", npm=False) == "cache"


@pytest.mark.parametrize("cached", ["this version", "an older version", "a stamp alone", "nothing"])
def test_maven_is_installed_whenever_the_torch_library_is_to_be_fetched(folder, cached):
    """packages and fetch must agree on what is in the cache; everything else counts as installed."""
    (folder / "bin").mkdir()
    asked = folder / "asked"
    for tool, script in {
        "dpkg-query": 'shift 3; for name in "$@"; do [ "$name" = maven ] || echo "installed $name"; done',
        "apt-get": f'echo "$@" >>{asked}',
        "sudo": 'exec "$@"',
    }.items():
        (folder / "bin" / tool).write_text(f"#!/bin/bash\n{script}\n")
        (folder / "bin" / tool).chmod(0o755)
    lock = (ROOT / "tools/setup/deps.lock").read_text().splitlines()
    pin = next(line for line in lock if line.startswith("maven ai.djl.pytorch"))
    if cached != "nothing":
        (folder / "cache/stamps").mkdir(parents=True)
        stamp = pin.replace(" 2.", " 1.") if "older" in cached else pin
        (folder / "cache/stamps/torch-library").write_text(stamp + "\n")
    if "version" in cached:
        (folder / "cache/deps/torch/lib").mkdir(parents=True)
        (folder / "cache/deps/torch/lib/libtorch_cpu.so").touch()
    env = {**os.environ, "PATH": f"{folder}/bin:{os.environ['PATH']}", "REDOUBT_CACHE": str(folder / "cache")}
    subprocess.run(["tools/setup/packages", "--backends", "torch"], cwd=ROOT, env=env, check=True, capture_output=True)
    assert asked.exists() == (cached != "this version")
    assert not asked.exists() or "install maven" in asked.read_text()
