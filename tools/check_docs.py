#!/usr/bin/env python3
"""Checks that every command of the module has docs/commands/<name>.md and every route of the HTTP API stands in
docs/http-api.md, and that neither describes what does not exist."""

import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
# The first field of a row of a registration table: {"ai.tensorset", ... or {.name = "ft.create", ...
COMMAND = re.compile(r'\{\s*(?:\.name\s*=\s*)?"((?:ai|ft)\.[a-z_]+)"')
METHODS = ("get", "post", "put", "patch", "delete")


def registered_commands():
    """Names of the commands in the registration tables of src/module."""
    names = set()
    for path in (ROOT / "src" / "module").rglob("*.cc"):
        if not path.name.endswith("_test.cc"):
            names.update(COMMAND.findall(path.read_text()))
    return names


def check_commands():
    names = registered_commands()
    pages = {path.stem for path in (ROOT / "docs" / "commands").glob("*.md")} - {"README", "index"}
    complaints = [f"docs/commands/{name}.md is missing" for name in sorted(names - pages)]
    complaints += [f"docs/commands/{page}.md describes a command that is not registered" for page in sorted(pages - names)]
    for name in sorted(names & pages):
        if name.upper() not in (ROOT / "docs" / "commands" / f"{name}.md").read_text():
            complaints.append(f"docs/commands/{name}.md never names {name.upper()}")
    if not names:
        complaints.append("no command found under src/module")
    return complaints, len(names)


def check_routes():
    document = json.loads((ROOT / "src/server/api/openapi.json").read_text())
    page_path = ROOT / "docs/http-api.md"
    if not page_path.exists():
        return ["docs/http-api.md is missing"], 0
    page = page_path.read_text()
    complaints, routes = [], set()
    for path, operations in document["paths"].items():
        for method in METHODS:
            if method in operations:
                routes.add((method.upper(), path))
    for method, path in sorted(routes):
        # The page may leave the base path away.
        short = path.removeprefix("/api/v1")
        if not re.search(rf"\b{method}\b[^\n]*?(?:{re.escape(path)}|{re.escape(short)})(?![\w/{{-])", page):
            complaints.append(f"docs/http-api.md does not describe {method} {path}")
    return complaints, len(routes)


def main():
    complaints, commands = check_commands()
    more, routes = check_routes()
    complaints += more
    for complaint in complaints:
        print(complaint)
    print(f"{commands} commands, {routes} routes, {len(complaints)} gaps")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
