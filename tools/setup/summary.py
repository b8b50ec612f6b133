#!/usr/bin/env python3
"""Sums up a run of ./test: a line per part, the names of what failed, and 'N passed, N failed' as the last line.

    summary.py RESULTS PART...

RESULTS/PART/NAME.status holds a check's exit status and seconds; JUnit files beside it hold its single tests. A check
without them counts as one test, and a check that failed without a failing test (a crash, a failed build) as one failure.
"""

import pathlib
import re
import sys
import xml.etree.ElementTree as ElementTree

# Which JUnit files belong to which check.
REPORTS = {"gtest": "gtest/*.xml", "pytest": "pytest.xml", "alone": "alone.xml", "vitest": "vitest.xml", "e2e": "e2e.xml"}
# Steps that only prepare others: a success is no test, a failure is one.
PREPARATIONS = {"build", "web", "web-packages"}


def read_report(path):
    """(passed, skipped, names of failed) of one JUnit file."""
    passed, skipped, failed = 0, 0, []
    # One character that XML forbids, in a test's output, must not cost the whole report.
    text = re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f]", "?", path.read_text(errors="replace"))
    for case in ElementTree.fromstring(text).iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            failed.append(f"{case.get('classname', '')}.{case.get('name', '')}".strip("."))
        elif case.find("skipped") is not None or case.get("status") == "notrun":
            skipped += 1
        else:
            passed += 1
    return passed, skipped, failed


def failed_programs(folder, cases):
    """Unit test programs that failed (a crash, a leak, a timeout) though none of their cases did."""
    path = folder / "ctest.xml"
    if not path.exists():
        return []
    _, _, programs = read_report(path)
    names = {name.split(".")[-1] for name in programs}
    blamed = {p.stem for p in cases if read_report(p)[2]}
    return [f"{name} (the program)" for name in sorted(names) if f"redoubt_{name}_test" not in blamed]


def read_check(folder, name, status):
    passed, skipped, failed = 0, 0, []
    reports = sorted(folder.glob(REPORTS[name])) if name in REPORTS else []
    for path in reports:
        try:
            p, s, f = read_report(path)
        except (ElementTree.ParseError, OSError) as error:
            p, s, f = 0, 0, [f"{path.name}: unreadable report ({error})"]
        passed, skipped, failed = passed + p, skipped + s, failed + f
    if name == "gtest":
        failed += failed_programs(folder, reports)
    if status != 0 and not failed:
        failed = [f"{name} (exit status {status})"]
    elif name not in REPORTS and name not in PREPARATIONS:
        passed = 1
    if status == 0 and name in REPORTS and not passed + skipped + len(failed):
        failed = [f"{name} (ran no test)"]
    return passed, skipped, failed


def main(results, parts):
    total_passed = total_skipped = 0
    all_failed = []
    for part in dict.fromkeys(parts):
        folder = results / part
        passed, skipped, failed, seconds = 0, 0, [], 0
        for path in sorted(folder.glob("*.status")):
            status, took = map(int, path.read_text().split())
            p, s, f = read_check(folder, path.stem, status)
            passed, skipped, seconds = passed + p, skipped + s, seconds + took
            failed += f
        if not passed and not failed:
            failed = ["nothing ran"]
        print(f"{part:6} {passed:5} passed {len(failed):4} failed {skipped:4} skipped {seconds:6} s")
        all_failed += [f"{part}: {name}" for name in failed]
        total_passed += passed
        total_skipped += skipped
    for name in all_failed:
        print(f"FAILED {name}")
    skipped = f", {total_skipped} skipped" if total_skipped else ""
    print(f"{total_passed} passed, {len(all_failed)} failed{skipped}")
    return 1 if all_failed else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]), sys.argv[2:]))
