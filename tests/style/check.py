#!/usr/bin/python3
"""check.py - what STYLE asks of our C that a program can see.

    tests/style/check.py [TOP]

Prints `file:line: sentence` for every finding and exits 1 if there is one. A rule is a
function of RULES that takes one file and yields (line, sentence)."""

import os
import re
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import csource  # noqa: E402

MAX_FUNCTION_LINES = 60
MAX_FILE_LINES = 500

# Who may include whom: the arrows of the architecture.
MAY_INCLUDE = {
    "base": {"base"},
    "config": {"base", "config"},
    "acme": {"base", "acme"},
    "hooks": {"base", "hooks"},
    "daemon": {"base", "config", "acme", "hooks", "daemon"},
}
PRODUCT = tuple(MAY_INCLUDE)
HAVE_README = PRODUCT + ("tests",)
SEARCHED = PRODUCT + ("tests", "packaging", "scripts", "docs", ".ci")

POSIX_HEADERS = {
    "dirent.h", "dlfcn.h", "fcntl.h", "fnmatch.h", "ftw.h", "glob.h", "grp.h", "ifaddrs.h",
    "libgen.h", "linux", "microhttpd.h", "netdb.h", "netinet", "poll.h", "pthread.h",
    "pwd.h", "sched.h", "signal.h", "spawn.h", "strings.h", "syslog.h", "systemd",
    "termios.h", "unistd.h", "wordexp.h", "arpa", "net", "sys", "idn2.h",
}
BANNED = {
    "strcpy": "str_dup() or snprintf()", "strcat": "a buf", "sprintf": "snprintf()",
    "vsprintf": "vsnprintf()", "stpcpy": "a buf", "gets": "file_read()",
    "strtok": "strtok_r()", "atoi": "strtol() with its checks",
    "gmtime": "base/civil.h", "localtime": "base/civil.h", "mktime": "base/civil.h",
    "strptime": "base/civil.h", "system": "process_run()", "popen": "process_run()",
    "tmpnam": "file_replace()", "mktemp": "file_replace()", "alloca": "an arena",
}
PRINTING = re.compile(
    r"(?<![\w.>])(printf|vprintf|puts|putchar|perror|v?syslog|sd_journal_(?:print|send)\w*)\s*\(|"
    r"(?<![\w.>])(?:v?fprintf|fputs|fputc|fwrite)\s*\([^;]*\b(stdout|stderr)\b")
# Written in pieces, so that this file may be searched too.
FOREIGN_WORDS = re.compile("|".join([
    "/work" + "/(main|shared)", "/tmp" + "/work", r"\.lib" + "rary/", r"pypi\.o" + "rg",
    r"registry\.npm" + "js", r"crates\.i" + "o", r"proxy\.gol" + "ang", r"ghcr\.i" + "o",
    r"docker\.i" + "o"]))
# STYLE 6 says what these do.
SELF_EVIDENT = re.compile(r"^void \w+_(clear|release|free)\([^,]*\)$", re.S)
UNFINISHED = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|X" + r"XX)\b")


class Source:
    """One C file: where it stands, its text, and its text without comments and literals."""

    def __init__(self, top, path):
        self.path = path
        self.name = str(path.relative_to(top))
        self.folder = self.name.split("/")[0]
        self.product = self.folder in PRODUCT
        self.header = path.suffix == ".h"
        self.system = next((part for part in ("posix", "windows")
                            if f"/{part}/" in self.name), None)
        self.text = path.read_text(errors="replace")
        self.code = csource.blank(self.text)
        self.pieces = csource.pieces(csource.without_directives(self.code))

    def matches(self, pattern, code=True):
        """(line, match) for each occurrence."""
        text = self.code if code else self.text
        for match in re.finditer(pattern, text):
            yield text.count("\n", 0, match.start()) + 1, match

    def includes(self):
        """(line, name, quoted)"""
        pattern = r'(?m)^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]'
        for line, match in self.matches(pattern, code=False):
            yield line, match[2], match[1] == '"'


def functions_are_short(source):
    for piece in source.pieces:
        lines = piece.last - piece.first + 1
        if piece.kind == "function" and lines > MAX_FUNCTION_LINES:
            yield piece.first, (f"this function has {lines} lines, more than "
                                f"{MAX_FUNCTION_LINES}: make two with good names")


def files_are_short(source):
    lines = source.text.count("\n")
    if lines > MAX_FILE_LINES:
        yield lines, (f"this file has {lines} lines, more than {MAX_FILE_LINES}: "
                      "one job each")


def includes_follow_the_arrows(source):
    if not source.product:
        return
    for line, name, quoted in source.includes():
        if not quoted:
            continue
        target = name.split("/")[0]
        if "/" not in name:
            yield line, f'"{name}" is included without its path from the project\'s root'
        elif target not in MAY_INCLUDE[source.folder]:
            yield line, f"{source.folder}/ may not include {target}/ ({name})"
        elif any(f"/{system}/" in name and source.system != system
                 for system in ("posix", "windows")):
            yield line, f"a system's own header is included from outside ({name})"


def systems_stay_in_their_folders(source):
    if not source.product:
        return
    if source.system != "windows":
        for line, match in source.matches(r"\b(_WIN32|_WIN64|__MINGW\w*|_MSC_VER)\b"):
            yield line, f"{match[1]} belongs into a windows/ folder"
        for line, name, _ in source.includes():
            if name.lower() in ("windows.h", "winsock2.h", "ws2tcpip.h", "http.h"):
                yield line, f"<{name}> belongs into a windows/ folder"
    if source.system != "posix":
        for line, name, quoted in source.includes():
            if not quoted and (name in POSIX_HEADERS or name.split("/")[0] in POSIX_HEADERS):
                yield line, f"<{name}> belongs into a posix/ folder"
        for line, match in source.matches(r"\b(__linux__|__unix__|__APPLE__)\b"):
            yield line, f"{match[1]} belongs into a posix/ folder"


def nothing_mutable_at_file_scope(source):
    if not source.product or source.name == "daemon/log.c":
        return
    for piece in source.pieces:
        if csource.is_mutable_variable(piece):
            yield piece.first, "a mutable variable at file scope: pass it in"
        if piece.kind == "function":
            for line in csource.mutable_statics(piece):
                yield line, "a mutable static variable: pass it in"


def banned_functions_are_not_called(source):
    pattern = r"(?<![\w.>])(" + "|".join(BANNED) + r")\s*\("
    for line, match in source.matches(pattern):
        yield line, f"{match[1]}() is banned: use {BANNED[match[1]]}"


def prototypes_have_a_comment(source):
    if not (source.product and source.header):
        return
    lines = source.text.split("\n")
    documented_last = 0
    for piece in source.pieces:
        above = lines[piece.first - 2].strip() if piece.first > 1 else ""
        own = "\n".join(lines[piece.first - 1:piece.last])
        if (above.endswith("*/") or above.startswith(("};", "} ")) or "/*" in own or
                documented_last == piece.first - 1):
            documented_last = piece.last
        elif csource.is_prototype(piece) and not SELF_EVIDENT.search(piece.head):
            yield piece.first, "this prototype has no doc comment directly above it"


def libraries_are_mute(source):
    if not source.product or source.folder == "daemon":
        return
    for line, match in source.matches(PRINTING):
        yield line, f"'{match.group().split('(')[0].strip()}' prints: only daemon/ logs"


def nothing_is_unfinished(source):
    for line, match in source.matches(UNFINISHED, code=False):
        yield line, f"'{match[1]}': finish it or leave it out"


RULES = [
    functions_are_short,
    files_are_short,
    includes_follow_the_arrows,
    systems_stay_in_their_folders,
    nothing_mutable_at_file_scope,
    banned_functions_are_not_called,
    prototypes_have_a_comment,
    libraries_are_mute,
    nothing_is_unfinished,
]


def files_below(top, folders):
    for folder in folders:
        for where, dirs, names in os.walk(top / folder):
            dirs[:] = sorted(d for d in dirs if d not in ("__pycache__", "build"))
            yield from (Path(where) / name for name in sorted(names))


def check_twins(top):
    """Same names in posix/ and windows/, unless the folder's README names the loner."""
    for folder in PRODUCT:
        posix, windows = top / folder / "posix", top / folder / "windows"
        if not (posix.is_dir() and windows.is_dir()):
            continue
        readme = top / folder / "README.md"
        excused = readme.read_text() if readme.exists() else ""
        names = [{p.name for p in where.iterdir()} for where in (posix, windows)]
        for name in sorted(names[0] ^ names[1]):
            if name in excused:
                continue
            where, other = ("posix", "windows") if name in names[0] else ("windows", "posix")
            yield (f"{folder}/{where}/{name}:1: has no twin in {folder}/{other}/, and "
                   f"{folder}/README.md does not say why")


def check_readmes(top):
    for folder in HAVE_README:
        name = f"{folder}/README.md"
        if not (top / name).exists():
            yield f"{name}:1: is missing"
            continue
        lines = (top / name).read_text().split("\n")
        headings = [(n, line) for n, line in enumerate(lines, 1) if line.startswith("#")]
        line, last = headings[-1] if headings else (1, "")
        if not last.lstrip("# ").lower().startswith("how to add a"):
            yield f"{name}:{line}: the last section is not 'How to add a ...'"


def check_words(top):
    """No file speaks of the place where it was written."""
    for path in [*(p for p in top.iterdir() if p.is_file()), *files_below(top, SEARCHED)]:
        try:
            text = path.read_text()
        except (UnicodeDecodeError, OSError):
            continue
        for match in FOREIGN_WORDS.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            yield f"{path.relative_to(top)}:{line}: '{match.group()}' is not of this project"


def check_format(top, paths):
    """What clang-format would change."""
    if not paths:
        return
    done = subprocess.run(["/usr/bin/clang-format", "--dry-run", "--ferror-limit=1", *paths], cwd=top,
                          capture_output=True, text=True)
    for match in re.finditer(r"(?m)^(\S+?):(\d+):\d+: (?:warning|error): code should be "
                             r"clang-formatted", done.stderr):
        name = os.path.relpath(top / match[1], top)
        yield f"{name}:{match[2]}: clang-format would write this differently"
    if done.returncode and not done.stderr:
        yield ".clang-format:1: clang-format failed"


def check(top):
    """Every finding of the tree below `top`, as sentences."""
    sources = [Source(top, path) for path in files_below(top, PRODUCT + ("tests",))
               if path.suffix in (".c", ".h")]
    for source in sources:
        for rule in RULES:
            for line, sentence in rule(source):
                yield f"{source.name}:{line}: {sentence}"
    yield from check_twins(top)
    yield from check_readmes(top)
    yield from check_words(top)
    yield from check_format(top, [source.path for source in sources])


def main():
    top = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[2]).resolve()
    findings = list(check(top))
    for finding in findings:
        print(finding)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
