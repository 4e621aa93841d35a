#!/usr/bin/python3
"""leftovers.py - is a program of this build, or one started for it, still running?

    leftovers.py BUILD_FOLDER"""

import os
import sys
from pathlib import Path


def processes():
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            exe = os.readlink(entry / "exe")
            words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(
                errors="replace")
        except OSError:
            continue
        yield int(entry.name), exe, words.strip()


def main():
    build = str(Path(sys.argv[1]).resolve()) + "/"
    left = [(pid, words) for pid, exe, words in processes()
            if exe.startswith(build) and pid != os.getpid()]
    for pid, words in left:
        print(f"still running: {pid}: {words}")
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
