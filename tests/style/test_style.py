"""The style program finds what it says it finds, and leaves good code alone."""

import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

import check  # noqa: E402
import csource  # noqa: E402

TOP = Path(check.__file__).resolve().parents[2]
README = "# folder\n\nWhat it is.\n\n## How to add a thing\nWrite it.\n"
GOOD_H = """/* thing.h - things. */
#ifndef BASE_THING_H
#define BASE_THING_H

#include "base/err.h"

struct thing;

/* Makes one. Gives. */
struct thing *thing_new(void);
void thing_free(struct thing *thing);

#endif
"""
GOOD_C = """/* thing.c - things. */
#include "base/thing.h"

#include <stdlib.h>

static const char *const names[] = {
\t[0] = "system(\\"printf(\\") /* no comment */",
};

typedef int thing_verb(struct thing *);
static thing_verb thing_eat;

static int (*const verbs[])(struct thing *) = { thing_eat };

struct thing {
\tint n;
};

struct thing *thing_new(void)
{
\tstatic const int one = 1;

\treturn calloc(one, sizeof(struct thing));
}
"""


@pytest.fixture
def tree(tmp_path):
    """tree({name: text}): the findings of a project that has these files."""

    def build(files):
        files.setdefault(".clang-format", (TOP / ".clang-format").read_text())
        for folder in check.HAVE_README:
            files.setdefault(f"{folder}/README.md", README)
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return list(check.check(tmp_path))

    return build


def body(lines):
    return "int f(void)\n{\n" + "\tg();\n" * (lines - 3) + "}\n"


def test_good_code_is_left_alone(tree):
    assert tree({"base/thing.h": GOOD_H, "base/thing.c": GOOD_C}) == []


@pytest.mark.parametrize("name, text, line, words", [
    ("base/x.c", body(61), 1, "this function has 61 lines"),
    ("base/x.c", "int a(void)\n{\n}\n\nstatic struct s *\n" + body(60), 5, "61 lines"),
    ("base/x.c", "/* */\n" * 501, 501, "this file has 501 lines"),
    ("acme/x.c", '#include "hooks/y.h"\n', 1, "acme/ may not include hooks/"),
    ("config/x.c", '#include "acme/y.h"\n', 1, "config/ may not include acme/"),
    ("base/x.c", '#include "daemon/y.h"\n', 1, "base/ may not include daemon/"),
    ("hooks/x.c", '#include "y.h"\n', 1, "without its path"),
    ("hooks/x.c", '#include "base/posix/y.h"\n', 1, "from outside"),
    ("hooks/x.c", "\n#ifdef _WIN32\n#endif\n", 2, "_WIN32 belongs into a windows/ folder"),
    ("hooks/posix/x.c", "#include <windows.h>\n", 1, "belongs into a windows/ folder"),
    ("daemon/x.c", "#include <unistd.h>\n", 1, "<unistd.h> belongs into a posix/ folder"),
    ("daemon/x.c", "#include <sys/stat.h>\n", 1, "belongs into a posix/ folder"),
    ("daemon/x.c", "#include <systemd/sd-bus.h>\n", 1, "belongs into a posix/ folder"),
    ("daemon/x.c", "int n;\n", 1, "mutable variable at file scope"),
    ("daemon/x.c", "\nstatic struct s cache;\n", 2, "mutable variable at file scope"),
    ("daemon/x.c", "static const char *names[] = { 0 };\n", 1, "mutable variable"),
    ("daemon/x.c", "static int (*hook)(int);\n", 1, "mutable variable"),
    ("daemon/x.c", "static SSL_CTX *ctx = NULL;\n", 1, "mutable variable"),
    ("daemon/x.c", "int f(void)\n{\n\tstatic int n = 0;\n\treturn n++;\n}\n", 3,
     "mutable static variable"),
    ("base/x.c", "void f(char *a)\n{\n\tstrcpy(a, \"b\");\n}\n", 3, "strcpy() is banned"),
    ("base/x.c", "int f(void)\n{\n\treturn system(\"ls\");\n}\n", 3, "use process_run()"),
    ("tests/x.c", "int f(void)\n{\n\treturn atoi(\"1\");\n}\n", 3, "atoi() is banned"),
    ("acme/x.h", "/* x.h */\n\nint f(void);\n", 3, "no doc comment"),
    ("acme/x.h", "/* x.h */\n\n/* Good. */\nint f(void);\n\nint g(int a,\n\t  int b);\n", 6,
     "no doc comment"),
    ("acme/x.c", "void f(void)\n{\n\tprintf(\"x\");\n}\n", 3, "'printf' prints"),
    ("hooks/x.c", "void f(void)\n{\n\tfprintf(stderr, \"x\");\n}\n", 3, "'fprintf' prints"),
    ("base/x.c", "void f(void)\n{\n\tsyslog(1, \"x\");\n}\n", 3, "only daemon/ logs"),
    ("base/x.c", "/* TO" + "DO: later */\n", 1, "finish it or leave it out"),
    ("base/README.md", "# base\n\n## How to add a part\nSo.\n\n## More\n", 6, "last section"),
    ("scripts/run", "cd /work" + "/main\n", 1, "is not of this project"),
    ("daemon/x.c", "int  f( void );\n", 1, "clang-format would write this differently"),
])
def test_bad_code_is_found_where_it_stands(tree, name, text, line, words):
    found = [finding for finding in tree({name: text})
             if finding.startswith(f"{name}:{line}: ") and words in finding]
    assert len(found) == 1, "found once"


@pytest.mark.parametrize("name, text", [
    ("daemon/x.c", "void f(void)\n{\n\tprintf(\"x\");\n}\n"),
    ("daemon/log.c", "static int level;\n"),
    ("base/posix/x.c", "#include <unistd.h>\n"),
    ("base/windows/x.c", "#include <windows.h>\n#ifdef _WIN32\n#endif\n"),
    ("base/x.c", "int f(struct s *s)\n{\n\treturn s->system(1) + s->ops.popen(2);\n}\n"),
    ("base/x.c", "int f(char *s)\n{\n\treturn snprintf(s, 1, \"system(\");\n}\n"),
    ("base/x.c", "extern const struct s table[];\nenum a { B, C };\nstruct d { int e; };\n"),
    ("base/x.c", "static const struct s table[] = {\n\t{ 1, { 2 } },\n};\n"),
    ("base/x.h", "/* Makes. */\nint f(int a) __attribute__((format(printf, 1, 2)));\n"
                 "int g(void);\nvoid s_free(struct s *s);\n\nvoid s_clear(struct s *s);\n"),
    ("base/x.h", "struct a {\n\tint b;\n};\nint f(void);\n\nint g(void); /* gives */\n"),
    ("base/x.c", body(60)),
])
def test_exceptions_are_exceptions(tree, name, text):
    findings = [f for f in tree({name: text}) if "clang-format" not in f]
    assert findings == []


def test_a_part_without_a_twin_is_named_in_the_readme(tree):
    files = {"base/posix/a.c": "", "base/windows/a.c": "", "base/windows/b.c": ""}
    assert len(tree(dict(files))) == 1
    files["base/README.md"] = "The store of Windows (b.c) has no twin.\n" + README
    assert tree(files) == []


def test_a_missing_readme_is_found(tree, tmp_path):
    assert tree({}) == []
    (tmp_path / "hooks/README.md").unlink()
    assert list(check.check_readmes(tmp_path)) == ["hooks/README.md:1: is missing"]


def test_literals_and_comments_are_blanked_in_place():
    code = csource.blank('a /* b\nc */ "d\\"e" \'"\' // f "\ng')
    assert code == 'a     \n     "    " \' \'       \ng'


def test_the_program_exits_with_what_it_found(tmp_path):
    program = Path(check.__file__)
    done = subprocess.run([program, tmp_path], capture_output=True, text=True)
    assert done.returncode == 1
    assert "base/README.md:1: is missing\n" in done.stdout
