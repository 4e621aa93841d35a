"""Where in the product a seam is called: every call of a wrapped function in the program,
read from its machine code, so that a site which no scenario reaches is seen."""

import re
import subprocess
from collections import namedtuple
from functools import cached_property

# name: the function at the seam. where: "hooks/deploy.c:123 function". address: of the
# return, as seam.c writes it; of the jump where the compiler made the call the last thing.
Site = namedtuple("Site", "address name where")

_FUNCTION = re.compile(r"^([0-9a-f]+) <(.+)>:$")
_LINE = re.compile(r"^\s*([0-9a-f]+):\s+(\S+)\s*(?:([0-9a-f]+) <([^>+]+)>)?")
_OURS = re.compile(r"(?:.*/)?((?:base|config|acme|hooks|daemon)/\S+?\.[ch]:\d+)")
WRAPPED = "__wrap_"


class Program:
    """certrenewd-seam, or certrenewd-seam.exe with the tools of its system."""

    def __init__(self, path, tools=""):
        self.path, self._tools = path, tools

    def _run(self, tool, *argv, **options):
        return subprocess.run([self._tools + tool, *argv], capture_output=True, text=True,
                              check=True, **options).stdout

    @cached_property
    def base(self):
        """What the addresses of the code are counted from: 0 here, the image's there."""
        match = re.search(r"^ImageBase\s+([0-9a-f]+)", self._run("objdump", "-p", self.path),
                          re.M)
        return int(match[1], 16) if match else 0

    @cached_property
    def _code(self):
        """(calls: return address -> (target, its name),
        jumps: function -> [(address, target, its name)], functions: name -> its address)"""
        calls, jumps, functions, function, after = {}, {}, {}, None, None
        for line in self._run("objdump", "-d", "--no-show-raw-insn", self.path).splitlines():
            if match := _FUNCTION.match(line):
                function = int(match[1], 16)
                functions[match[2]] = function
                continue
            if not (match := _LINE.match(line)):
                continue
            address = int(match[1], 16)
            if after:
                calls[address - self.base] = after
                after = None
            if match[2].startswith("call") and match[3]:
                after = (int(match[3], 16), match[4])
            elif match[4] and "+" not in match[4]:
                jumps.setdefault(function, []).append(
                    (address - self.base, int(match[3], 16), match[4]))
        return calls, jumps, functions

    @cached_property
    def sites(self):
        """Every one, by its address."""
        calls, jumps, _ = self._code
        found = {address: name for address, (_, name) in calls.items()
                 if name.startswith(WRAPPED)}
        for there in jumps.values():
            found.update((address, name) for address, _, name in there
                         if name.startswith(WRAPPED))
        where = self.where(found)
        return {address: Site(address, name.removeprefix(WRAPPED), where[address])
                for address, name in sorted(found.items())}

    def where(self, addresses):
        """address -> "file:line function": what stands before it. Of code that was put into
        another function the inner one is named."""
        addresses = list(addresses)
        words = self._run("addr2line", "-f", "-a", "-e", self.path,
                          input="\n".join(f"{self.base + address - 1:#x}"
                                          for address in addresses)).splitlines()
        result = {}
        for address, function, place in zip(addresses, words[1::3], words[2::3]):
            match = _OURS.match(place)
            result[address] = f"{match[1] if match else '?'} {function}"
        return result

    def _last_act(self, target, called, name, depth=4):
        """The jump to `name` that a call of that function ends in; through a gate, and
        through functions whose last act is a call."""
        _, jumps, functions = self._code
        if called.startswith(WRAPPED):
            target = functions.get(called.removeprefix(WRAPPED))
        for address, to, its_name in jumps.get(target, []):
            if its_name == WRAPPED + name:
                return address
            found = depth and self._last_act(to, its_name, name, depth - 1)
            if found:
                return found
        return None

    def of_call(self, name, address):
        """The site of a call that the log names. A function whose last act is the call
        returns to its own caller: then it is the jump in that function."""
        if address in self.sites and self.sites[address].name == name:
            return self.sites[address]
        jump = self._last_act(*self._code[0].get(address, (None, "")), name)
        if not jump:  # called through a pointer: there is but one
            jumps = [jump for there in self._code[1].values() for jump, _, its_name in there
                     if its_name == WRAPPED + name]
            jump = jumps[0] if len(jumps) == 1 else None
        if jump:
            return self.sites[jump]
        return Site(address, name, self.where([address])[address])
