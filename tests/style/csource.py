"""C source as the style rules need it: without comments and strings, cut into what stands
at file scope. Not a parser: it knows braces, parentheses and semicolons."""

import re

_TOKEN = re.compile(
    r"""(?P<comment>/\*.*?\*/|//[^\n]*)|(?P<text>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')""",
    re.S)


def blank(source):
    """Comments and the contents of literals replaced by spaces; lines stay where they are."""

    def hide(match):
        token = match.group()
        if match["comment"]:
            return re.sub(r"[^\n]", " ", token)
        return token[0] + " " * (len(token) - 2) + token[-1]

    return _TOKEN.sub(hide, source)


def without_directives(code):
    """Preprocessor lines (with their continuations) replaced by empty ones."""
    lines, inside = [], False
    for line in code.split("\n"):
        directive = inside or line.lstrip().startswith("#")
        inside = directive and line.rstrip().endswith("\\")
        lines.append("" if directive else line)
    return "\n".join(lines)


class Piece:
    """One thing at file scope: `head` is its text up to `{`, `;` or end, `body` the lines
    between braces, `first` and `last` its lines, `kind` function, block or statement."""

    def __init__(self, head, body, first, last, kind):
        self.head, self.body, self.first, self.last = head, body, first, last
        self.kind = kind


def pieces(code):
    """The pieces of blanked code without directives, in order."""
    found, start, at = [], 0, 0
    while at < len(code):
        if code[at] == "{":
            end = _closing(code, at)
            head = code[start:at]
            if _is_function(head):
                found.append(_piece(code, start, at, end, "function"))
                start = end + 1
            at = end + 1
        elif code[at] == ";":
            found.append(_piece(code, start, at, at, "statement"))
            at += 1
            start = at
        else:
            at += 1
    return found


def _closing(code, at):
    depth = 0
    for i in range(at, len(code)):
        depth += {"{": 1, "}": -1}.get(code[i], 0)
        if depth == 0:
            return i
    return len(code) - 1


def _is_function(head):
    text = head.strip()
    return text.endswith(")") and "=" not in text and not text.startswith(("struct {", "enum"))


def _piece(code, start, brace, end, kind):
    head = code[start:brace]
    lead = len(head) - len(head.lstrip())
    first = code.count("\n", 0, start + lead) + 1
    last = code.count("\n", 0, end) + 1
    return Piece(head.strip(), code[brace:end + 1], first, last, kind)


_BRACES = re.compile(r"\{[^{}]*\}")


def _flat(head):
    """Without what stands in braces or brackets."""
    before = None
    while before != head:
        before, head = head, _BRACES.sub(" ", head)
    return re.sub(r"\[[^\]]*\]", " ", head)


def is_prototype(piece):
    text = _flat(piece.head)
    return (piece.kind == "statement" and "=" not in text and
            not text.startswith(("typedef", "_Static_assert", "static_assert")) and
            re.search(r"\w\s*\(", _without_attributes(text)) is not None and
            not re.search(r"\(\s*\*", text.split("(")[0] + "(" + text.split("(", 1)[1][:2]))


def _without_attributes(text):
    text = re.sub(r"__attribute__\s*\(\(.*?\)\)", " ", text, flags=re.S)
    return re.sub(r"\b[A-Z][A-Z_]+\s*\([^()]*\)", " ", text)


_NO_VARIABLE = ("typedef", "extern", "_Static_assert", "static_assert")


def is_mutable_variable(piece):
    """A variable at file scope that somebody could change."""
    if piece.kind != "statement":
        return False
    text = _flat(piece.head).strip()
    declared = text.split("=")[0].strip()
    if not declared or text.startswith(_NO_VARIABLE):
        return False
    if is_prototype(piece) or _declares_functions(text) or \
            re.fullmatch(r"(struct|union|enum)(\s+\w+)?", declared):
        return False
    return _is_mutable(declared)


def _declares_functions(text):
    """`static field_reader read_text, read_hosts`: structs have no typedefs here, so a name
    that is neither a basic type nor ends in _t is the type of a function."""
    match = re.fullmatch(r"(?:static\s+)?(\w+)\s+\w+(?:\s*,\s*\w+)*", text)
    return bool(match) and not re.fullmatch(
        r"\w+_t|bool|_Bool|char|int|long|short|unsigned|signed|float|double|const|volatile|"
        r"struct|union|enum|BIO|BIGNUM|SSL|SSL_CTX|X509|EVP_PKEY|CURL|CURLM|DIR|FILE|cJSON",
        match[1])


def _is_mutable(declared):
    pointed = re.match(r"(.*?)\(\s*\*(.*?)\)", declared, re.S)  # int (*const table[])(…)
    if pointed:
        return "const" not in pointed[2]
    if "*" in declared:
        return not re.match(r"\s*const\b", declared.rsplit("*", 1)[1])
    return not re.search(r"\bconst\b", declared)


_LOCAL_STATIC = re.compile(r"^[ \t]+static\s+([^=;(){}]+)", re.M)


def mutable_statics(piece):
    """Lines of `static` variables inside a function that somebody could change."""
    for match in _LOCAL_STATIC.finditer(piece.body):
        declared = re.sub(r"\[[^\]]*\]", " ", match[1]).strip()
        if _is_mutable(declared):
            below = piece.body.count("\n", match.start(1))
            yield piece.last - below
