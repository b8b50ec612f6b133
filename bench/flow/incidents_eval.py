#!/usr/bin/env python3
"""Scores the diagnosis over labelled incidents, one JSON object per line:
{"id", "lang", "text", "metrics", "category", "category_alt", "kb", "failure_mode", "severity", "fix_commands"}.

    incidents_eval.py FILE --program build/release/bin/redoubt_diagnose_lines --knowledge knowledge
    incidents_eval.py FILE --url http://127.0.0.1:8000

Prints what the product is held to: category, entry of the ten, severity, false alarms, a decisive fix among the first
five commands, calibration and time.
"""
import argparse
import json
import subprocess
import sys
import urllib.request


def by_program(program, knowledge, cases):
    lines = "\n".join(json.dumps({"log_text": c["text"], "metrics": c.get("metrics") or {}, "lang": c.get("lang", "en")})
                      for c in cases)
    done = subprocess.run([program, knowledge], input=lines + "\n", capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def by_url(url, cases):
    replies = []
    for case in cases:
        body = json.dumps({"log_text": case["text"], "metrics": case.get("metrics") or {}, "lang": case.get("lang", "en")})
        request = urllib.request.Request(url.rstrip("/") + "/api/v1/analyze?debug=1", body.encode(),
                                         {"Content-Type": "application/json"})
        replies.append(json.load(urllib.request.urlopen(request, timeout=60)))
    return replies


def kb_of(reply):
    ids = [k["id"] for k in reply["knowledge"] if k["id"].startswith("kb-")]
    first = reply["knowledge"][0]["id"] if reply["knowledge"] else "none"
    return first if first.startswith("kb-") else "none", ids[0] if ids else "none"


def words(text):
    return [w for w in "".join(c.lower() if c.isalnum() or c in "-_." else " " for c in text).split() if len(w) > 1]


def decisive(reply, fixes):
    """True when one of the labelled fixes stands among the first five commands: by its distinctive words."""
    if not fixes:
        return None
    offered = " ".join(c["cmd"].lower() for c in reply["commands"][:5])
    for fix in fixes:
        wanted = words(fix)
        if wanted and all(w in offered for w in wanted):
            return True
    return False


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("--program")
    parser.add_argument("--knowledge", default="knowledge")
    parser.add_argument("--url")
    parser.add_argument("--misses", action="store_true", help="print each case that is not right")
    args = parser.parse_args()
    cases = [json.loads(line) for line in open(args.file, encoding="utf-8") if line.strip()]
    replies = by_url(args.url, cases) if args.url else by_program(args.program, args.knowledge, cases)
    count = {"category": [0, 0], "kb of the ten": [0, 0], "failure_mode": [0, 0], "severity": [0, 0],
             "false alarms": [0, 0], "decisive fix in five": [0, 0]}
    sure = [0, 0]
    brier, base, rights = 0.0, 0.0, []
    for case, reply in zip(cases, replies):
        allowed = {case["category"], *case.get("category_alt", [])}
        right = reply["category"] in allowed
        first_kb, _ = kb_of(reply)
        marks = [("category", right)]
        if case["kb"] != "none":
            marks.append(("kb of the ten", first_kb == case["kb"]))
        if case["category"] == "none":
            marks.append(("false alarms", reply["category"] != "none"))
        else:
            marks.append(("severity", reply["severity"] == case["severity"]))
        marks.append(("failure_mode", reply["failure_mode"] == case["failure_mode"]))
        fix = decisive(reply, case.get("fix_commands"))
        if fix is not None:
            marks.append(("decisive fix in five", fix))
        for name, good in marks:
            count[name][0] += bool(good)
            count[name][1] += 1
        confidence = reply["confidence"]
        if confidence >= 0.8:
            sure[0] += right
            sure[1] += 1
        brier += (confidence - right) ** 2
        rights.append(right)
        if args.misses and not all(good for name, good in marks if name in ("category", "kb of the ten", "decisive fix in five")):
            top = [(c["failure_mode"], round(c["score"], 1)) for c in reply["engine"].get("candidates", [])[:4]]
            print(f'{case["id"]} want {case["category"]}/{case["failure_mode"]}/{case["kb"]}/{case["severity"]} got '
                  f'{reply["category"]}/{reply["failure_mode"]}/{first_kb}/{reply["severity"]} {confidence} '
                  f'fix={fix} {case.get("fix_commands") if fix is False else ""} {top}\n    {case["text"][:160]!r}')
    for name, (good, all_) in count.items():
        print(f"{name:22s} {good:4d} / {all_:4d}  {good / all_ if all_ else 0:.2f}")
    share = sum(rights) / len(rights)
    base = sum((share - r) ** 2 for r in rights)
    print(f"{'at confidence >= 0.8':22s} {sure[0]:4d} / {sure[1]:4d} right, covers {sure[1] / len(cases):.2f}")
    print(f"{'Brier':22s} {brier / len(cases):.3f} (constant {base / len(cases):.3f})")
    took = sorted(r["took_ms"] for r in replies if "took_ms" in r)
    if took:
        print(f"{'time':22s} p50 {took[len(took) // 2]:.2f} ms, p99 {took[int(len(took) * 0.99)]:.2f} ms, n {len(took)}")


if __name__ == "__main__":
    sys.exit(main())
