# SPDX-License-Identifier: MIT
"""Prints the results of each suite, from Meson's logs (testlog.json), and their sum as the last
line. A test that speaks TAP counts as many as it reports, any other as one."""

import json
import sys
from collections import Counter
from pathlib import Path

from tap.parser import Parser


def count(test: dict) -> Counter:
    results = Counter()
    if "\n1.." in "\n" + test.get("stdout", ""):
        for line in Parser().parse_text(test["stdout"]):
            if line.category == "test":
                results["skipped" if line.skip else "passed" if line.ok else "failed"] += 1

    # What died, or ran out of time, is a failure however much it had reported.
    if test["result"] in ("OK", "SKIP"):
        return results or Counter({"passed" if test["result"] == "OK" else "skipped": 1})
    if results["failed"] == 0:
        results["failed"] += 1
    return results


def main(paths: list[str]) -> int:
    suites, total = {}, Counter()

    for path in map(Path, paths):
        run = f"{path.parent.parent.name} {path.stem.removeprefix('testlog').lstrip('-')}".strip()
        for line in path.read_text(encoding="utf-8").splitlines():
            test = json.loads(line)
            suite = test["name"].split(" / ")[0].split(":")[-1]
            results = count(test)
            suites.setdefault((run, suite), Counter()).update(results)
            total.update(results)

    print(f"{'build':<24} {'suite':<10} {'passed':>7} {'failed':>7} {'skipped':>8}")
    for (run, suite), results in suites.items():
        print(
            f"{run:<24} {suite:<10} {results['passed']:>7} {results['failed']:>7}"
            f" {results['skipped']:>8}"
        )
    print(f"{total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped")
    return 1 if total["failed"] or not total["passed"] else 0


sys.exit(main(sys.argv[1:]))
