"""Addresses of an executable as places in its source."""

import functools
import subprocess
import threading

DEPTH = 4  # frames of a site, innermost first


class Symbols:
    def __init__(self, binary):
        self.binary = binary
        self._known, self._lock = {}, threading.Lock()

    def _ask(self, addresses):
        """Frames of each address; a function that was inlined is a frame too."""
        done = subprocess.run(["addr2line", "-a", "-f", "-i", "-e", self.binary, *addresses],
                              capture_output=True, text=True, check=True).stdout
        frames = None
        lines = done.splitlines()
        i = 0
        while i < len(lines):
            if lines[i].startswith("0x"):
                frames = self._known.setdefault(f"{int(lines[i], 16):x}", [])
                frames.clear()
                i += 1
                continue
            place = lines[i + 1].split(" ")[0]
            frames.append(f"{lines[i]} ({'/'.join(place.split('/')[-2:])})")
            i += 2

    def learn(self, stacks):
        """Asks for all of them at once: a program that starts for each is slow."""
        with self._lock:
            missing = {a for stack in stacks for a in stack.split(",")} - {"", *self._known}
            if missing:
                self._ask(sorted(missing))

    def site(self, stack, depth=DEPTH):
        """'file_replace (posix/file_replace.c:87) < ...' of addresses with commas."""
        addresses = [a for a in stack.split(",") if a]
        self.learn([stack])
        with self._lock:
            frames = [frame for a in addresses for frame in self._known[a]]
        return " < ".join(frames[:depth]) or "outside the program"


@functools.cache
def of(binary):
    """One for everybody who asks about that program."""
    return Symbols(binary)
