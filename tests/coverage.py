#!/usr/bin/python3
"""coverage.py - how many lines of the libraries the tests have run.

    coverage.py TOP BUILD_FOLDER

Reads what gcov says of each object below BUILD_FOLDER (a build with CERTRENEWD_COVERAGE,
tests run), prints a line a folder and the files that need it most, and exits 1 when acme/,
config/ or hooks/ is below 85 %. Only our own sources count, never the tests'."""

import concurrent.futures
import json
import os
import subprocess
import sys
from pathlib import Path

ENFORCED = ("acme", "config", "hooks")
SHOWN = ENFORCED + ("base", "daemon")
LEAST_PERCENT = 85.0


def read_object(gcno):
    """{source: {line: ran}} of one object; without a .gcda nothing of it ran."""
    done = subprocess.run(["gcov", "--json-format", "--stdout", gcno], capture_output=True,
                          text=True)
    lines = {}
    for document in done.stdout.splitlines():
        for file in json.loads(document)["files"]:
            seen = lines.setdefault(file["file"], {})
            for line in file["lines"]:
                number = line["line_number"]
                seen[number] = seen.get(number, False) or line["count"] > 0
    return lines


def collect(top, build):
    """{path from top: {line: ran}}, all objects together."""
    objects = [path for folder in SHOWN for path in sorted((build / folder).rglob("*.gcno"))]
    sources = {}
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for lines in pool.map(read_object, objects):
            for name, seen in lines.items():
                path = os.path.relpath(os.path.join(build, name), top)
                if path.split("/")[0] not in SHOWN or path.endswith(".h"):
                    continue
                merged = sources.setdefault(path, {})
                for number, ran in seen.items():
                    merged[number] = merged.get(number, False) or ran
    return sources


def percent(ran, all_lines):
    return 100.0 * ran / all_lines if all_lines else 0.0


def count(sources, folder):
    mine = [seen for path, seen in sources.items() if path.split("/")[0] == folder]
    return sum(sum(seen.values()) for seen in mine), sum(len(seen) for seen in mine)


def main():
    top, build = (Path(word).resolve() for word in sys.argv[1:3])
    sources = collect(top, build)
    for path, seen in sorted(sources.items(),
                             key=lambda item: sum(item[1].values()) - len(item[1])):
        missed = len(seen) - sum(seen.values())
        if missed:
            print(f"{path}: {missed} of {len(seen)} lines never ran")
    low = []
    for folder in SHOWN:
        ran, all_lines = count(sources, folder)
        wanted = f", {LEAST_PERCENT:.0f} wanted" if folder in ENFORCED else ""
        print(f"{folder}/ {percent(ran, all_lines):.1f} % of {all_lines} lines{wanted}")
        if folder in ENFORCED and percent(ran, all_lines) < LEAST_PERCENT:
            low.append(folder)
    return 1 if low else 0


if __name__ == "__main__":
    sys.exit(main())
