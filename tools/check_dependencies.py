#!/usr/bin/env python3
"""Checks every #include under src against src/dependencies.txt: who may include whom, and that nobody does in a ring.

A line of the table is 'room: what it may include'. A room is a folder of src, or of src/server. What it may include is
a list of rooms or single headers, or words: 'every server/* above', 'everything but a and b'.
Headers of third parties stay behind the one folder that wraps them (WRAPPED below).
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src"
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
# A third party's header (its beginning) and the rooms that may see it.
WRAPPED = {
    "redismodule.h": ("module",),
    "onnxruntime": ("backends",),
    "tensorflow/": ("backends",),
    "hiredis": ("resp",),
    "sqlite3.h": ("server/store",),
}


def read_table(text):
    """room -> set of rooms and headers that it may include, in the order of the lines."""
    table = {}
    for line in text.splitlines():
        line = line.split("#")[0].strip()
        if not line:
            continue
        left, _, right = line.partition(":")
        rooms = [room.strip() for room in left.split(",")]
        right = right.strip()
        if right.startswith("everything but"):
            excluded = set(right.removeprefix("everything but").replace(" and ", " ").split())
            allowed = set(table) - excluded
        else:
            words = right.replace("every server/* above", " ".join(r for r in table if r.startswith("server/")))
            allowed = {word.strip(",") for word in words.split() if word != "and"}
        for room in rooms:
            table[room] = set(allowed)
    return table


def room_of(path, table):
    """The room that a path relative to src lies in: the longest name of the table that it begins with."""
    parts = path.split("/")
    for length in (2, 1):
        name = "/".join(parts[:length])
        if len(parts) > length and name in table:
            return name
    return None


def find_ring(table):
    """A list of rooms that include each other in a circle, or None."""
    state = {}

    def visit(room, trail):
        if state.get(room) == "done":
            return None
        if room in trail:
            return trail[trail.index(room):] + [room]
        for other in sorted(table.get(room, ())):
            other = room_of(other, table) or other
            ring = visit(other, trail + [room]) if other in table and other != room else None
            if ring:
                return ring
        state[room] = "done"
        return None

    for room in table:
        ring = visit(room, [])
        if ring:
            return ring
    return None


def check_file(path, table):
    """Complaints about one file."""
    relative = path.relative_to(SOURCE).as_posix()
    room = room_of(relative, table)
    if room is None:
        return [f"src/{relative}: its folder is not in src/dependencies.txt"]
    allowed = table[room]
    complaints = []
    for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        bracket, header = match.groups()
        where = f"src/{relative}:{number}"
        for prefix, rooms in WRAPPED.items():
            if header.startswith(prefix) and room not in rooms:
                complaints.append(f"{where}: <{header}> may be seen only in {', '.join(rooms)}")
        if bracket == "<":
            continue
        target = room_of(header, table)
        if not (SOURCE / header).exists():
            # Generated headers lie in the build folder, under the name of their room.
            if target is None:
                complaints.append(f'{where}: "{header}" is no file under src; write the path from src on')
                continue
        if target != room and target not in allowed and header not in allowed:
            complaints.append(f"{where}: {room} may not include {header} ({room}: {' '.join(sorted(allowed))})")
    return complaints


def main():
    table = read_table((SOURCE / "dependencies.txt").read_text())
    complaints = []
    ring = find_ring(table)
    if ring:
        complaints.append("src/dependencies.txt: a ring: " + " -> ".join(ring))
    files = [p for p in sorted(SOURCE.rglob("*")) if p.suffix in (".h", ".cc", ".c", ".cpp", ".inc")]
    for path in files:
        complaints += check_file(path, table)
    for complaint in complaints:
        print(complaint)
    print(f"{len(files)} files, {len(complaints)} forbidden includes")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
