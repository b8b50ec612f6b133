#!/usr/bin/env python3
"""Names source files that have grown too long to be read in one go. Over the soft limit is a remark, over the hard
limit a failure: by then a second noun has moved in and wants its own file."""

import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
SOFT, HARD = 500, 1200
SUFFIXES = {".cc", ".h", ".c", ".py", ".ts", ".tsx", ".css"}
GENERATED = {"web/src/api/schema.d.ts"}


def main():
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    failed = 0
    for name in filter(None, names.split("\0")):
        path = ROOT / name
        if path.suffix not in SUFFIXES or name in GENERATED or not path.is_file():
            continue
        lines = len(path.read_bytes().splitlines())
        if lines > SOFT:
            print(f"{name}: {lines} lines{' (limit ' + str(HARD) + ')' if lines > HARD else ''}")
            failed += lines > HARD
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
