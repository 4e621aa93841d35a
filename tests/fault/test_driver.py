"""The driver itself: who dies with the program, and who does not."""

import subprocess
import sys

from lib.waiting import wait_until

CHILD = "for i in 1 2 3 4 5 6 7 8; do mkdir $0/$i; (mkdir $0/$i/in) & done; wait; mkdir $0/end"


def test_the_children_of_a_program_that_is_killed_live_on_and_do_their_work(build, tmp_path):
    """Whenever it is: also those that were made in this very moment."""
    for n in range(1, 20):
        work, log = tmp_path / str(n), tmp_path / f"{n}.log"
        work.mkdir()
        program = f"import subprocess; subprocess.run(['sh', '-c', {CHILD!r}, {str(work)!r}])"
        done = subprocess.run([build / "tests/fault/faultdriver", "inject", "kill", str(n), log,
                               "--", sys.executable, "-c", program], timeout=60)
        met, *_, end = log.read_text().splitlines()
        assert end.endswith("1") and done.returncode == 137
        if met.split("\t")[2] == "python3":
            continue  # there is no child yet
        wait_until((work / "end").exists, 10, "the child's last work")
        assert len(list(work.glob("*/in"))) == 8


def test_the_call_fails_once_and_the_program_goes_on_to_its_own_end(build, tmp_path):
    """Its later calls are made, its children end, and its exit code is given."""
    work, log = tmp_path / "work", tmp_path / "log"
    work.mkdir()
    program = ("import os, subprocess, sys\n"
               "for name in 'abc':\n"
               "    try:\n"
               "        os.mkdir(sys.argv[1] + '/' + name)\n"
               "    except OSError as e:\n"
               "        print(name, e.errno)\n"
               "subprocess.run(['sh', '-c', 'mkdir $0/d', sys.argv[1]])\n"
               "sys.exit(7)\n")
    done = subprocess.run([build / "tests/fault/faultdriver", "inject", "enospc", "2", log,
                           "--", sys.executable, "-c", program, work],
                          capture_output=True, text=True, timeout=60)
    met, end = log.read_text().splitlines()
    assert met.split("\t")[4:7] == ["mkdir", "kill,eio,enospc,eacces", "-28"]
    assert end.split("\t") == ["end", "2", "7", "1"]
    assert (done.returncode, done.stdout) == (7, "b 28\n")
    assert sorted(p.name for p in work.iterdir()) == ["a", "c", "d"]
