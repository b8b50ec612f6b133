#!/usr/bin/env python3
"""Checks that no committed file names what must not be in the tree: addresses of package registries (the clients' own
settings decide where packages come from), absolute paths of somebody's machine, merge marks, unfinished work."""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]

# Written in pieces so that this file passes its own check.
RULES = [
    ("a package registry's address", r"(?:py" r"pi\.org|python" r"hosted\.org|npm" r"js\.org|crates" r"\.io"
                                     r"|repo1?\.mav" r"en\.|deb\.deb" r"ian\.org|security\.deb" r"ian\.org"
                                     r"|proxy\.gol" r"ang\.org|hub\.dock" r"er\.com)"),
    ("a path of one machine", r"(?<![\w.$}~/-])/(?:wo" r"rk|ho" r"me/\w+|ro" r"ot)/"),
    ("a path outside the tree", r"(?<![\w/.-])sha" r"red/(?:facts|eval|bench|hooks|tools|SPEC|STYLE|ARCHITECTURE)"),
    ("a merge mark", r"^(?:<{7}|>{7}) "),
    ("unfinished work", r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X)\b"),
]
# Licences quote their own texts; pictures and models are not text.
SKIPPED_NAMES = {"LICENSE"}
SKIPPED_SUFFIXES = {".png", ".jpg", ".ico", ".woff2", ".onnx", ".rdb", ".bin", ".pb", ".pt"}


def tracked_files():
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    return [ROOT / name for name in names.decode().split("\0") if name]


def main():
    rules = [(what, re.compile(pattern, re.MULTILINE)) for what, pattern in RULES]
    complaints = 0
    for path in tracked_files():
        if path.name in SKIPPED_NAMES or path.suffix in SKIPPED_SUFFIXES or not path.is_file():
            continue
        data = path.read_bytes()
        if b"\0" in data[:8192]:
            continue
        text = data.decode(errors="replace")
        for what, pattern in rules:
            for match in list(pattern.finditer(text))[:5]:
                line = text.count("\n", 0, match.start()) + 1
                print(f"{path.relative_to(ROOT)}:{line}: {what}: {match.group(0).strip()}")
                complaints += 1
    print(f"{complaints} forbidden words")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
