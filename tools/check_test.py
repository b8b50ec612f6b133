#!/usr/bin/env python3
"""Tests of the checks themselves: a check that cannot fail would prove nothing."""

import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.path.insert(0, str(pathlib.Path(__file__).parent / "setup"))

import check_dependencies
import check_words
import summary

TABLE = """
base:
tensor: base
backends: infer/backend_api.h
infer: base tensor
server/http: base
server/api, server/cli: base and every server/* above
module: base tensor
server: everything but module and backends
"""


class DependencyTable(unittest.TestCase):
    def setUp(self):
        self.table = check_dependencies.read_table(TABLE)

    def test_words_are_resolved_against_the_lines_above(self):
        self.assertEqual(self.table["server/cli"], {"base", "server/http"})
        self.assertEqual(
            self.table["server"], {"base", "tensor", "infer", "server/http", "server/api", "server/cli"}
        )

    def test_the_longest_room_wins(self):
        self.assertEqual(check_dependencies.room_of("server/http/router.h", self.table), "server/http")
        self.assertEqual(check_dependencies.room_of("server/main.cc", self.table), "server")
        self.assertEqual(check_dependencies.room_of("module/ai/tensorset.cc", self.table), "module")
        self.assertIsNone(check_dependencies.room_of("utils/all.h", self.table))

    def test_a_ring_is_found(self):
        self.assertIsNone(check_dependencies.find_ring(self.table))
        self.table["base"] = {"infer"}
        self.assertEqual(check_dependencies.find_ring(self.table)[0], "base")

    def check(self, path, text):
        with tempfile.TemporaryDirectory() as folder:
            source = pathlib.Path(folder)
            for name in ("base/status.h", "tensor/tensor.h", "infer/model.h", "infer/backend_api.h", path):
                (source / name).parent.mkdir(parents=True, exist_ok=True)
                (source / name).write_text("")
            (source / path).write_text(text)
            before, check_dependencies.SOURCE = check_dependencies.SOURCE, source
            try:
                return check_dependencies.check_file(source / path, self.table)
            finally:
                check_dependencies.SOURCE = before

    def test_allowed_includes_pass(self):
        self.assertEqual(self.check("tensor/a.cc", '#include "tensor/tensor.h"\n#include "base/status.h"\n'), [])
        self.assertEqual(self.check("backends/onnx/a.cc", '#include "infer/backend_api.h"\n'), [])

    def test_forbidden_includes_are_named(self):
        self.assertIn("base may not include tensor/tensor.h", self.check("base/a.cc", '#include "tensor/tensor.h"\n')[0])
        self.assertTrue(self.check("backends/onnx/a.cc", '#include "infer/model.h"\n'))
        self.assertTrue(self.check("tensor/a.cc", '#include "no_such_file.h"\n'))
        self.assertTrue(self.check("helpers/a.cc", ""))

    def test_wrapped_headers_stay_in_their_room(self):
        self.assertTrue(self.check("server/http/a.cc", "#include <sqlite3.h>\n"))
        self.assertEqual(self.check("module/a.cc", "#include <redismodule.h>\n"), [])


class Words(unittest.TestCase):
    def hits(self, text):
        return [what for what, pattern in check_words.RULES if __import__("re").search(pattern, text, 8)]

    def test_each_rule_finds_its_word(self):
        for text in ("https://py" + "pi.org/simple", "see /wo" + "rk/main/x", "read sha" + "red/facts/a.md",
                     "<" * 7 + " HEAD", "// TO" + "DO: later"):
            self.assertEqual(len(self.hits(text)), 1, text)

    def test_ordinary_text_passes(self):
        self.assertEqual(self.hits("~/.cache/redoubt, ${HOME}/work/x, a shared/exclusive lock, src/work/thing"), [])


class Summary(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def report(self, text, status, name="pytest"):
        if text:
            (self.folder / f"{name}.xml").write_text(text)
        return summary.read_check(self.folder, name, status)

    def test_counts_single_tests(self):
        xml = (
            "<testsuite><testcase name='a'/><testcase name='b'><failure/></testcase>"
            "<testcase name='c'><skipped/></testcase><testcase name='d'><error/></testcase></testsuite>"
        )
        self.assertEqual(self.report(xml, 1), (1, 1, ["b", "d"]))

    def test_a_crash_without_a_failing_test_is_a_failure(self):
        self.assertEqual(self.report("<testsuite><testcase name='a'/></testsuite>", 139)[2], ["pytest (exit status 139)"])
        self.assertEqual(self.report("", 1, "build")[2], ["build (exit status 1)"])

    def test_a_runner_that_ran_nothing_is_a_failure(self):
        self.assertEqual(self.report("<testsuite/>", 0)[2], ["pytest (ran no test)"])
        self.assertEqual(self.report("", 0, "gtest")[2], ["gtest (ran no test)"])

    def test_a_truncated_report_is_a_failure(self):
        self.assertIn("unreadable", self.report("<testsuite><testcase", 0)[2][0])


if __name__ == "__main__":
    unittest.main()
