"""What is left of a private key in the memory of the process that handled it: nothing once
a renewal is over, and no core dump even if it aborts."""

import os
import re
import resource
import signal
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from lib.waiting import wait_until

PIECE = 24  # bytes in a row that nothing but the key has
SHADOW = 1 << 36


def resident(pid):
    """What is written in its memory, in pieces. A sanitizer's shadow holds no data."""
    with open(f"/proc/{pid}/mem", "rb", 0) as mem, \
            open(f"/proc/{pid}/pagemap", "rb", 0) as pages:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            found = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line)
            if not found:
                continue
            start, end = (int(part, 16) for part in found.groups())
            if end - start < SHADOW:
                yield from _present(mem, pages, start, end)


def _present(mem, pages, start, end, page=4096, chunk=1 << 16):
    """Runs of pages that are in memory or swapped out."""
    while start < end:
        count = min(chunk, (end - start) // page)
        pages.seek(start // page * 8)
        flags = pages.read(count * 8)
        here = [flags[i * 8 + 7] & 0xc0 for i in range(len(flags) // 8)]
        i = 0
        while i < len(here):
            if not here[i]:
                i += 1
                continue
            begin = i
            while i < len(here) and here[i]:
                i += 1
            try:
                mem.seek(start + begin * page)
                yield mem.read((i - begin) * page)
            except OSError:
                pass
        start += count * page


def numbers(key):
    private = key.private_numbers()
    if hasattr(private, "private_value"):
        return {"d": private.private_value}
    return {"d": private.d, "p": private.p, "q": private.q, "dp": private.dmp1,
            "dq": private.dmq1, "qi": private.iqmp}


def traces(pem):
    """What to look for: {name: bytes}."""
    key = serialization.load_pem_private_key(pem, None)
    found = {}
    for name, number in numbers(key).items():
        raw = number.to_bytes((number.bit_length() + 7) // 8, "big")
        found[name] = raw[4:4 + PIECE]
        found[f"{name} as a number"] = raw[::-1][4:4 + PIECE]
    lines = pem.strip().splitlines()[1:-1]
    found["PEM"] = lines[len(lines) // 2][:PIECE]  # a secret line in both forms
    return found


def found_in(pid, wanted):
    return sorted({name for piece in resident(pid) for name, part in wanted.items()
                   if part in piece})


@pytest.fixture(params=["rsa-2048", "ec-p256"])
def renewed(request, setup, pebble, xc):
    """A daemon at rest after two renewals, and both keys."""
    xc.start()
    daemon = setup(pebble, key={"type": request.param},
                   target=xc.target(retire={"after": "24h"}))
    daemon.start()
    wait_until(xc.served, what="the first certificate")
    daemon.ok("renew", "xc", "--force")
    wait_until(lambda: not daemon.ok("status", "--json").json["daemon"]["running"],
               what="the end of the work")
    keys = [path.read_bytes() for path in Path(f"{xc.store}.versions").glob("*/key.pem")]
    assert len(keys) == 2
    return daemon, keys


def test_a_daemon_at_rest_has_no_private_key_in_its_memory(renewed):
    daemon, keys = renewed
    for pem in keys:
        assert found_in(daemon.process.pid, traces(pem)) == []


def test_the_search_finds_a_key_that_is_there(authority, tmp_path):
    """Else the test above could not fail."""
    leaf = authority.issue("a.example")
    (tmp_path / "key.pem").write_text(leaf.key_pem)
    holder = subprocess.Popen(
        ["/usr/bin/python3", "-c",
         f"key = open('{tmp_path}/key.pem').read(); print(flush=True); input()"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        holder.stdout.readline()
        assert "PEM" in found_in(holder.pid, traces(leaf.key_pem.encode()))
    finally:
        holder.kill()
        holder.communicate()


# ---- core dumps


def aborted(argv, env, folder, ready):
    """Ends it by SIGABRT with every core dump allowed; (did it dump, files in its folder)."""
    folder.mkdir()
    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    process = subprocess.Popen(
        argv, env=env, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, unlimited))
    wait_until(ready, what="the process")
    process.send_signal(signal.SIGABRT)
    _, status = os.waitpid(process.pid, 0)
    process.returncode = -signal.SIGABRT
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGABRT
    return os.WCOREDUMP(status), sorted(path.name for path in folder.iterdir())


def test_a_process_that_aborts_leaves_no_core_dump(daemon, setup, pebble, xc, tmp_path):
    dumped, _ = aborted(["/bin/sleep", "60"], {}, tmp_path / "other", lambda: True)
    assert dumped, "this system makes no core dumps, and nothing is shown here"
    xc.start()
    setup(pebble)
    env = {**daemon._env(), "ASAN_OPTIONS": "disable_coredump=0:handle_abort=0"}
    dumped, files = aborted(daemon._argv(["run"]), env, tmp_path / "ours",
                            lambda: (daemon.state / "control.sock").exists())
    assert (dumped, files) == (False, [])
