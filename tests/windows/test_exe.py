"""certrenewd.exe as a file: what it imports, and what it does not carry."""

import re
import subprocess

from conftest import EXE

# What Windows itself brings (Server 2016 and later), as far as we use it.
SYSTEM_DLLS = {
    "advapi32.dll", "bcrypt.dll", "crypt32.dll", "dbghelp.dll", "httpapi.dll", "iphlpapi.dll",
    "kernel32.dll", "msvcrt.dll", "ncrypt.dll", "normaliz.dll", "ole32.dll", "oleaut32.dll",
    "psapi.dll", "secur32.dll", "shell32.dll", "user32.dll", "userenv.dll", "wer.dll",
    "winhttp.dll",
    "ws2_32.dll", "wtsapi32.dll",
}
LIMIT_BYTES = 40 << 20


def dump(binary, *options):
    return subprocess.run(["x86_64-w64-mingw32-objdump", *options, binary],
                          capture_output=True, text=True, check=True).stdout


def test_it_imports_system_dlls_only(binary):
    named = {name.lower() for name in re.findall(r"DLL Name: (\S+)", dump(binary, "-p"))}
    assert "kernel32.dll" in named
    assert named <= SYSTEM_DLLS, named - SYSTEM_DLLS


def test_it_is_hardened(binary):
    text = dump(binary, "-p")
    for flag in ("DYNAMIC_BASE", "NX_COMPAT", "HIGH_ENTROPY_VA"):
        assert flag in text, flag


def test_it_carries_no_path_of_the_machine_that_built_it(binary, tmp_path):
    stripped = tmp_path / "stripped.exe"
    subprocess.run(["x86_64-w64-mingw32-strip", "-o", stripped, binary], check=True)
    text = subprocess.run(["strings", "-a", stripped], capture_output=True, text=True,
                          check=True).stdout
    top = str(EXE.resolve().parents[1])
    bad = [line for line in text.splitlines()
           if top in line or re.search(r"/(root|home|tmp|build)/", line)]
    assert bad == []


def test_it_loads_nothing_from_a_folder_that_could_be_planted(binary):
    text = subprocess.run(["strings", "-a", binary], capture_output=True, text=True,
                          check=True).stdout
    folders = re.findall(r"(?:OPENSSLDIR|ENGINESDIR|MODULESDIR): .*", text)
    assert folders, "OpenSSL does not say where it looks"
    assert all("/nonexistent" in line or "N/A" in line for line in folders), folders


def test_it_says_what_it_is(binary, daemon):
    assert re.fullmatch(r"certrenewd \d+\.\d+\.\d+\n", daemon.ok("--version").out)
    size = binary.stat().st_size
    print(f"certrenewd.exe: {size} bytes with its symbols")
    assert size < LIMIT_BYTES
