#!/usr/bin/python3
"""tidy.py - clang-tidy over every source of the product, several at once.

    tidy.py TOP BUILD_FOLDER

A file that was clean is not asked again until it, a header of ours that it includes, its
flags, .clang-tidy or clang-tidy itself change: the memory is a folder of empty files under
the user's cache."""

import concurrent.futures
import hashlib
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

PRODUCT = ("base", "config", "acme", "hooks", "daemon")
TIDY = "/usr/bin/clang-tidy"


def cache_folder():
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(cache) / "certrenewd/tidy"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def commands(top, build):
    """(source, argv) of each product source."""
    for entry in json.loads((build / "compile_commands.json").read_text()):
        path = Path(entry["file"])
        if path.is_relative_to(top) and path.relative_to(top).parts[0] in PRODUCT:
            argv = shlex.split(entry["command"])
            yield path, [word for word in argv if "ccache" not in word]


def own_files(top, argv):
    """The source with every header of ours that it includes."""
    flags = [word for word in argv[1:] if word.startswith(("-I", "-D", "-std", "-isystem"))]
    done = subprocess.run(["gcc", "-MM", *flags, argv[-1]], capture_output=True, text=True)
    names = done.stdout.replace("\\\n", " ").split()[1:]
    return sorted({p for p in (Path(name).resolve() for name in names)
                   if p.is_relative_to(top)})


def key_of(top, argv, version):
    digest = hashlib.sha256(version.encode())
    digest.update((top / ".clang-tidy").read_bytes())
    digest.update(" ".join(argv).replace(str(top), "").encode())
    for path in own_files(top, argv):
        digest.update(str(path.relative_to(top)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def tidy(top, build, source, argv, version):
    """What clang-tidy finds in one file; empty when it is clean."""
    mark = cache_folder() / key_of(top, argv, version)
    if mark.exists():
        return ""
    done = subprocess.run([TIDY, "--quiet", "-p", build, source], capture_output=True,
                          text=True)
    if done.returncode == 0:
        mark.touch()
        return ""
    return done.stdout or done.stderr or f"{source}: clang-tidy failed\n"


def main():
    top, build = (Path(word).resolve() for word in sys.argv[1:3])
    version = subprocess.run([TIDY, "--version"], capture_output=True, text=True).stdout
    work = sorted(commands(top, build))
    found = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for text in pool.map(lambda item: tidy(top, build, *item, version), work):
            if text:
                found += 1
                print(text.replace(f"{top}/", ""))
    print(f"{len(work)} files, {found} with findings")
    return 1 if found or not work else 0


if __name__ == "__main__":
    sys.exit(main())
