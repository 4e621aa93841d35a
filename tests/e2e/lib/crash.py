"""kill -9 at exact places: strace records what a command does to the disk, then ends it as
it enters the k-th call of that kind. Commands work on their main thread alone, and only
that thread is counted, so that the same command does the same calls in the same order."""

import collections
import re
import subprocess

# Entering one of these, everything before it has happened and it has not.
DISK = ("rename", "renameat", "renameat2", "symlink", "symlinkat", "unlink", "unlinkat",
        "fsync", "fdatasync", "fchmod", "mkdirat")
# What changes what somebody else can see. Between two of these a death looks the same.
CHANGES = ("rename", "renameat", "renameat2", "symlink", "symlinkat", "unlink", "unlinkat")
# In the middle of waiting for a program.
WAITS = ("wait4", "waitid")

_LINE = re.compile(r"(\w+)\((.*)\)\s+= (-?\d+|\?)")
Call = collections.namedtuple("Call", "name nth words failed")


def _run(daemon, words, options, timeout=120):
    argv = ["strace", "-qq", "-e", "signal=none", *options, *daemon._argv(words)]
    env = daemon._env({"ASAN_OPTIONS": "detect_leaks=0:exitcode=99"})
    return subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=timeout, env=env, errors="replace")


def record(daemon, *words, kinds=DISK + WAITS):
    """Runs the command to its end: (what it did, what it said)."""
    log = daemon.folder / "strace.log"
    done = _run(daemon, words, ["-o", str(log), "-y", "-e", f"trace={','.join(kinds)}"])
    counts, calls = collections.Counter(), []
    for line in log.read_text(errors="replace").splitlines():
        match = _LINE.match(line)
        if not match:
            continue
        counts[match[1]] += 1
        calls.append(Call(match[1], counts[match[1]], match[2], match[3].startswith("-")))
    return calls, done


def kill_at(daemon, call, *words):
    """Runs the command and kills it as it enters the call. True: it was killed."""
    done = _run(daemon, words, ["-o", "/dev/null", "-e", f"trace={call.name}", "-e",
                                f"inject={call.name}:signal=KILL:when={call.nth}"])
    return done.returncode in (-9, 137)
