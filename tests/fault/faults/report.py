"""docs/reliability.md, from what a sweep found."""

import collections
import json
import os
import re
import tempfile

from . import TOP, cuts, every, unreached
from .house import Errand
from .ways import EVERY

HEAD = """# Reliability: what was tried
*Written by `tests/fault/run`; `tests/fault/run --print` prints it again. Do not edit.*

certrenewd promises that a crash, a full disk or a power cut at any moment leaves the old or the
new certificate in service, and that it goes on from there by itself. Here is what was done to
break that promise.
"""

HOW = """
How to do it again, as root, after `cmake --preset release && cmake --build --preset release`:

| command | what |
|---|---|
| `tests/fault/run` | all of it anew, and this text |
| `tests/fault/run --print` | this text |
| `tests/fault/run --list` | the scenarios and faults to choose from (`--scenario`, `--injector`, `--kind`) |
| `tests/fault/run --replay SCENARIO:INJECTOR:KIND:N` | one point |
| `tests/fault/sites` | every call site of the seam, and who comes by |
| `tests/fault/planted/run` | the planted bugs |

## What a point is
A **point** is a scenario, a call site (the call and the places in our source that lead to it)
and a kind of fault. A scenario is run once undisturbed, and every point that it reaches is
written down; then it is run again from the same beginning (the same files, the application in
the same state), and the point meets its fault. A fault that meets nothing is an error.

After each fault it is asked:

- Is the baseline or the new certificate served? Is tls.json whole, and does it name a
  certificate of the store whose key signs?
- Can nobody else read a private key?
- Do the next runs, as the daemon would make them, end what was under way without a human?
- Was there at most one extra newOrder, and no second finalize for a certificate in hand?
- Is nothing left over: a temporary file, a version, a saved copy, a journal?
- A command that met an error and not its death: did it end by itself, with a sentence?
"""

WAYS = {
    "system calls": "`tests/fault/driver` (ptrace) counts, over all threads and children, the "
    "system calls that change something outside memory. `kill`: SIGKILL of the program as it "
    "enters the N-th, its children live on. The others: the N-th is not made and fails so, "
    "where the kernel could answer so.",
    "power cut": "The run dies at its N-th change, and its disk is replaced by one that the "
    "crash model below allows; the application is started from that.",
    "seam": "A call into the system or into a library fails in-process (`io`, `denied`, "
    "`transient`: the kinds of error that it can answer with), or is the last thing that the "
    "program does (`kill`).",
    "allocations": "An allocation of a library finds no memory.",
}

MODEL = f"""
The crash model (`tests/fault/faults/disk.py`): on the disk are the bytes and the mode of a file
once that file was synced, and the names in a folder once that folder was synced. Nothing else is
taken for granted: no order between changes that were not synced (unlike ext4 with its defaults),
no name that comes along with its file's sync, no data that comes along with a rename. A rename
within a folder is one change, between two folders it is two.

The states that are tried (`tests/fault/faults/cuts.py`): of the changes to names that wait, each
came through or did not, in every combination; a file whose bytes wait has the last that were
synced, none, half of the new or all of the new; a mode that waits is the old or the new one.
Combinations that leave the same tree are one state. It is tried at the first moment that allows
it, and once more after each kind of request to the CA or the webhook, which know more then. When
a moment has more than {cuts.TRIED} new states, a selection of {cuts.TRIED} by dice with a fixed
seed is tried, and the table says so. A kind is written with a character for each change that
waits (`+` it came through) and a letter for each file (`l`ast, `n`one, `t`orn, `k`ept; a capital:
with the new mode).
"""

LIMITS = """## Known limits
- The application is the tests' own TLS server laid out like Xtract Core; what it writes itself
  is lost in a power cut. The CA is Pebble.
- Of programs that certrenewd starts, changes to files are counted for `kill`; they never meet
  an error themselves.
- System calls are counted on Linux for x86-64. Reads meet no error there; at the seam they do.
- Owners and access lists of files are not part of the crash model.
- Runs differ by a call or two: a fault that finds its call unable to meet it waits for the next
  that can. What it really met is what counts.
- libuv ends the program when it cannot make the pipe for its signals (`emfile` at the first
  `pipe2`): that counts as a death.
- Time that certrenewd waits by itself is made to pass by changing `next_at` in its state.
- Windows: the seam alone, under Wine (`tests/windows/test_seam.py`, `test_seam_ways.py`).
"""

# Folders of the machine that it was done on say nothing to anybody else.
_LANE = re.compile(r"/\S*?/(?:lane\d+|source)/")
_MACHINE = re.compile("(?:" + "|".join(re.escape(str(folder)) for folder in (
    TOP, tempfile.gettempdir())) + r")/?")


def portable(text):
    return _MACHINE.sub("", _LANE.sub("", text))


def _cell(text):
    return portable(str(text)).replace("|", "\\|").replace("\n", " ")


def _table(rows, heads):
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return "\n".join(lines + ["| " + " | ".join(map(_cell, row)) + " |" for row in rows])


def _key(entry):
    return (entry["scenario"], entry["injector"], entry["kind"], entry["call"],
            entry["site"])


def distinct(results):
    return {_key(entry) for entry in results["tried"] if entry["met"]}


def _order(name, order):
    return order.index(name) if name in order else len(order)


def _of_known(tried, known):
    return f"{tried} of {known}" if tried < known else str(tried)


def _matrix(results):
    """One row a scenario and way, its kinds with points tried of points known."""
    known = {tuple(row[:3]): row[3] for row in results["known"]
             if row[1] != "power cut"}
    tried = collections.Counter(
        (e["scenario"], e["injector"], e["kind"]) for e in results["tried"] if e["met"])
    errands = {one.name for one in EVERY if issubclass(one, Errand)}
    names = [one.name for one in EVERY]
    ways = [injector.name for injector in every.ALL]
    rows, sums = [], collections.defaultdict(collections.Counter)
    for key, number in known.items():
        name = "errands" if key[0] in errands else key[0]
        sums[name, key[1]][key[2]] += number
        sums[name, key[1], "tried"][key[2]] += tried[key]
    for name, way in sorted((key for key in sums if len(key) == 2),
                            key=lambda p: (_order(p[0], names), _order(p[1], ways))):
        there, done = sums[name, way], sums[name, way, "tried"]
        rows.append([name, way, ", ".join(f"{kind} {_of_known(done[kind], there[kind])}"
                                          for kind in there), sum(done.values())])
    return _table(rows, ["scenario", "way", "points tried, of those known", "sum"])


def _moments(results):
    """{scenario: [moments of which every new state was tried, those of which a selection was,
    those for which the time was too short, states tried, states known, states left out]}"""
    tried = collections.Counter((e["scenario"], e["n"]) for e in results["tried"]
                                if e["injector"] == "power cut" and e["met"])
    found = {}
    for name, points in results["cuts"].items():
        row = found[name] = [0] * 6
        for n, states, left_out in points:
            done = tried[name, n]
            row[2 if done < states else 1 if left_out else 0] += 1
            row[3:] = [row[3] + done, row[4] + states, row[5] + left_out]
    return found


def _sums(moments):
    return [sum(column) for column in zip(*moments.values())] or [0] * 6


def _cuts(results):
    """One row a scenario: how whole its power cuts are."""
    moments = _moments(results)
    names = [one.name for one in EVERY]
    rows = [[name, *row] for name, row in
            sorted(moments.items(), key=lambda item: _order(item[0], names))]
    rows.append(["all", *_sums(moments)])
    return _table([[*row[:4], _of_known(row[4], row[5]), row[6]] for row in rows],
                  ["scenario", "moments with every new state", "with a selection",
                   "not finished", "states tried", "left out by selections"])


def _place(site):
    """(file, function): the innermost place of a site, without what differs in form."""
    first = site.split(" < ")[0]
    match = re.match(r"(\S+) \((\S+?):(\d+|\?)\)", first)
    if match:
        return match[2], match[1]
    match = re.match(r"(\S+?):\d+ (\S+)", first)
    return (match[1], match[2]) if match else ("", first)


def _met(results):
    """Call sites that met a fault: one row a file."""
    files = collections.defaultdict(lambda: collections.defaultdict(set))
    for entry in results["tried"]:
        if entry["met"]:
            file, function = _place(entry["site"])
            files[file][function].add(entry["call"])
    whole = len({(entry["call"], entry["site"]) for entry in results["tried"]
                 if entry["met"]})
    lines = []
    for file, functions in sorted(files.items()):
        said = "; ".join(f"{function}: {', '.join(sorted(calls))}"
                         for function, calls in sorted(functions.items()))
        lines.append(f"- `{file or 'elsewhere'}`: {portable(said)}")
    return (f"{whole} call sites, by the file and function that they end in, with what is "
            "called there:\n\n" + "\n".join(lines))


def _not_met(results):
    """Call sites of the seam without a fault, and why."""
    met = {unreached.named(e["call"], e["site"]) for e in results["tried"]
           if e["met"] and e["injector"] == "seam"}
    every_site = {unreached.named(name, where) for name, where in results["seam"]}
    left = sorted(every_site - met - set(unreached.REASONS))
    text = [f"The seam has {len(every_site)} call sites (functions that are called twice in "
            f"one function count once); {len(every_site & met)} met a fault in this run."]
    text += [f"- `{site}`: nobody can come by: {why}"
             for site, why in unreached.REASONS.items()]
    files = collections.defaultdict(list)
    for site in left:
        files[site.split(" ", 1)[0]].append(site.split(" ", 1)[1])
    text += [f"- `{file}`: for want of time: {'; '.join(there)}"
             for file, there in files.items()]
    return "\n".join([text[0], "", *text[1:]])


def _planted(path):
    if not path.exists():
        return "`tests/fault/planted/run` plants them; it has not been run here."
    bugs = json.loads(path.read_text())
    rows = [[bug["bug"], bug["scenario"], bug["injector"],
             f"try {bug['tried']}" if bug["tried"] else "the undisturbed run",
             bug["sentence"].rstrip(":")] if bug["what"] else
            [bug["bug"], bug["scenario"], bug["injector"], "**not found**",
             bug["error"] or f"{bug['tried']} points held"] for bug in bugs]
    found = sum(bug["what"] is not None for bug in bugs)
    return (f"Known bugs, put in on purpose by `tests/fault/planted/*.patch`: {found} of "
            f"{len(bugs)} were found. Points near the bug are tried first.\n\n" +
            _table(rows, ["bug", "scenario", "way", "found by", "what did not hold"]))


def _violations(results):
    bad = [entry for entry in results["tried"] if entry["violation"]]
    if not bad:
        return "No violation."
    return "\n".join(
        f"- `--replay '{entry['scenario']}:{entry['injector']}:{entry['state']}:"
        f"{entry['n']}'`: {_cell(_last_words(entry['violation']))}" for entry in bad)


def _last_words(violation):
    """Its sentence; of a traceback the end."""
    lines = violation.strip().splitlines()
    return lines[-1] if lines[0].startswith("Traceback") else lines[0]


def _summary(results):
    points = distinct(results)
    bad = sum(1 for e in results["tried"] if e["violation"])
    whole, selected, short, states, *_ = _sums(_moments(results))
    lines = [
        f"**{len(points)} distinct points tried, {bad} violations.**", "",
        f"- {results['date']}, {results['seconds'] / 60:.0f} minutes on {os.cpu_count()} "
        f"cores, {results['lanes']} lanes, seed {results['seed']}, "
        f"{len(results['tried'])} runs",
        f"- {len({p[0] for p in points})} scenarios and errands, "
        f"{len({p[3:] for p in points})} call sites",
        f"- {states} states of a disk after a power cut, which count as one point a call "
        f"site: at {whole} moments every new state that the model allows, at {selected} a "
        f"selection" + (f", at {short} not all for want of time" if short else "")]
    mended = sum(1 for e in results["tried"] if e.get("again") and not e["violation"])
    if mended:
        lines.append(f"- {mended} runs did not hold at first, and were made again after what "
                     "they had found was mended")
    return "\n".join([*lines, "", _violations(results)])


def document(results_path, planted_path):
    """The whole text."""
    results = json.loads(results_path.read_text())
    ways = "\n".join(f"- **{name}**: {text}" for name, text in WAYS.items())
    said = [f"- **{scenario.name}**: {' '.join(scenario.__doc__.split())}"
            for scenario in EVERY if not issubclass(scenario, Errand)]
    errands = [f"- {scenario.name}: {' '.join(scenario.__doc__.split())}"
               for scenario in EVERY if issubclass(scenario, Errand)]
    return "\n".join([
        HEAD, _summary(results), HOW, "## Scenarios", *said, "",
        "## Faults", ways, "", "## Points", _matrix(results), "",
        "## Power cuts", MODEL, _cuts(results), "",
        "## Planted bugs", _planted(planted_path), "", LIMITS,
        "## Call sites of the seam without a fault", _not_met(results), "",
        "## Errands", "Short commands that come by the call sites which no scenario comes by; "
        "they meet faults at the seam.", "", *errands, "",
        "## Call sites that met a fault", _met(results), ""])
