"""Programs that a deployment runs: what they are given, and what nobody can smuggle in."""

import shutil

import pytest

ARGUMENTS = ["a & echo pwned> C:\\pwned.txt", "100%", "%COMSPEC%", 'say "x"', "ü ß €", "",
             "back\\slash\\", "^caret | pipe"]


@pytest.fixture
def echo(tmp_path, programs):
    """The program lies with the application: a path with blanks and umlauts."""
    path = tmp_path / "hook programs" / "echo often.exe"
    path.parent.mkdir()
    shutil.copy(programs / "wintool.exe", path)
    return path


def test_a_program_gets_its_arguments_as_they_are_written(setup, pebble, xc, wine, tmp_path,
                                                          echo):
    out = tmp_path / "what it was given"
    xc.start()
    setup(pebble, target=xc.target(run=[{"command": [
        str(echo), "echo", str(out), *ARGUMENTS]}])).ok("renew", "xc")
    lines = out.read_text().splitlines()
    assert [line[9:] for line in lines if line.startswith("argument ")] == ARGUMENTS
    assert xc.served() is not None


def test_a_batch_file_runs_and_nothing_is_smuggled_into_its_line(setup, pebble, xc, wine,
                                                                 tmp_path, echo):
    out = tmp_path / "hook programs" / "given.txt"
    batch = tmp_path / "hook programs" / "nach der Erneuerung.cmd"
    batch.write_text("@echo off\r\ncd /d \"%~dp0\"\r\n"
                     "\"echo often.exe\" echo given.txt ran\r\n")
    xc.start()
    daemon = setup(pebble, hosts=["xc.example"],
                   target=xc.target(run=[{"command": [str(batch)]}]))
    daemon.ok("renew", "xc")
    text = out.read_text()
    assert "argument ran" in text
    assert f"={xc.thumbprint()}" in text, "the new thumbprint is not in its environment"


@pytest.mark.parametrize("argument", [
    "a & echo pwned> C:\\pwned.txt", '" & echo pwned> C:\\pwned.txt & "',
    "%COMSPEC% & echo pwned> C:\\pwned.txt"], ids=["blank", "quotes", "percent"])
def test_no_argument_of_a_batch_file_becomes_a_command(setup, pebble, xc, wine, tmp_path,
                                                       echo, argument):
    batch = tmp_path / "hook programs" / "hook.cmd"
    batch.write_text("@echo off\r\necho ran %1>> \"%~dp0ran.txt\"\r\n")
    xc.start()
    daemon = setup(pebble, target=xc.target(run=[{"command": [str(batch), argument]}]))
    daemon("renew", "xc")
    assert not (wine.drive / "pwned.txt").exists()
    assert not list(wine.drive.rglob("pwned.txt"))


def test_a_program_that_fails_is_quoted_and_the_old_certificate_stays(setup, pebble, xc,
                                                                      tmp_path):
    batch = tmp_path / "hook.cmd"
    batch.write_text("@echo off\r\nif exist \"%~dp0fail\" (\r\n  echo licence server is away"
                     " 1>&2\r\n  exit /b 3\r\n)\r\n")
    xc.start()
    daemon = setup(pebble, target=xc.target(run=[{"command": [str(batch)]}]))
    daemon.ok("renew", "xc")
    old = xc.thumbprint()
    (tmp_path / "fail").write_text("")
    result = daemon("renew", "xc", "--force")
    assert result.code == 1, result
    assert "licence server is away" in result.err
    assert xc.served().thumbprint == old == xc.thumbprint()
