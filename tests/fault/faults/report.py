"""docs/reliability.md, from what a sweep found."""

import collections
import json
import os
import re

from . import every, unreached
from .ways import EVERY

HEAD = """# Reliability: what was tried
*Written by `tests/fault/run`; `tests/fault/run --print` prints it again. Do not edit.*

A **point** is a scenario, a call site (the call and the places in our source that lead to it)
and a kind of fault. A scenario is run once undisturbed, and every point that it reaches is
written down; then it is run again from the same beginning (the same files, the application in
the same state), and the point meets its fault. A fault that meets nothing is an error.

After each: the baseline or the new certificate is served · tls.json is whole and names a
certificate of the store whose key signs · no private key can be read by others · the next runs
end what was under way without a human, as the daemon would make them · at most one extra
newOrder, and no second finalize for a certificate in hand · no temporary file, version, saved
copy or journal is left over. A command that met an error, not death, has to end by itself with
a sentence.
"""

WAYS = {
    "system calls": "`tests/fault/driver` (ptrace) counts, over all threads and children, the "
    "system calls that change something outside memory. `kill`: SIGKILL of the program as it "
    "enters the N-th, its children live on. The others: the N-th is not made and fails so, "
    "where the kernel could answer so.",
    "power cut": "The run dies at its N-th change, and its disk is replaced by one that the "
    "crash model allows; the application is started from that.",
    "seam": "A call into the system or into a library fails in-process, or is the last thing "
    "that the program does.",
    "allocations": "An allocation of a library finds no memory.",
}

MODEL = """## The crash model of a power cut
`tests/fault/faults/disk.py`. On the disk are: the bytes and the mode of a file once that file
was synced, the names in a folder once that folder was synced. Nothing else is taken for granted:
no order between changes that were not synced (unlike ext4 with its defaults), no name that comes
along with its file's sync, no data that comes along with a rename. A rename within a folder is
one change, between two folders it is two. The states that are tried at each change:

| state | of the names that were not synced | of the data that were not synced |
|---|---|---|
| dropped | none | none: the bytes of the last sync, or an empty file |
| names | all | none |
| torn | all | half of the file |
| oldest, newest | only that one | none |
| all but the oldest | all others | none |

For up to two names that wait these are all combinations, for more a selection. A state that an
earlier point gave already is not tried again, so `dropped` mostly counts as `names`.
"""

LIMITS = """## Known limits
- The application is the tests' own TLS server laid out like Xtract Core; what it writes itself
  is lost in a power cut. The CA is Pebble.
- Of programs that certrenewd starts, changes to files are counted for `kill`; they never meet
  an error themselves.
- System calls are counted on Linux for x86-64. Reads meet no error there; at the seam they do.
- Runs differ by a call or two: a fault that finds its call unable to meet it waits for the next
  that can. What it really met is what counts.
- libuv ends the program when it cannot make the pipe for its signals (`emfile` at the first
  `pipe2`): that counts as a death.
- Time that certrenewd waits by itself is made to pass by changing `next_at` in its state.
"""


def _table(rows, heads):
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return "\n".join(lines + ["| " + " | ".join(map(str, row)) + " |" for row in rows])


def _key(entry):
    return (entry["scenario"], entry["injector"], entry["kind"], entry["call"],
            entry["site"])


def distinct(results):
    return {_key(entry) for entry in results["tried"] if entry["met"]}


def _order(kind, order):
    return order.index(kind) if kind in order else len(order)


def _matrix(results):
    """One row a scenario and injector, its kinds with points tried of points known."""
    known = {tuple(row[:3]): row[3] for row in results["known"]}
    tried, bad = collections.Counter(), collections.Counter()
    for entry in results["tried"]:
        key = (entry["scenario"], entry["injector"], entry["kind"])
        tried[key] += 1
        bad[key[:2]] += bool(entry["violation"])
    names = [scenario.name for scenario in EVERY]
    ways = [injector.name for injector in every.ALL]
    kinds = [kind for injector in every.ALL for kind in injector.kinds]
    rows = []
    for pair in sorted({key[:2] for key in known},
                       key=lambda p: (_order(p[0], names), _order(p[1], ways))):
        cells = [f"{key[2]} {tried[key]}" + (f"/{known[key]}" if tried[key] < known[key]
                                             else "")
                 for key in sorted(known, key=lambda k: _order(k[2], kinds))
                 if key[:2] == pair]
        sums = sum(tried[key] for key in known if key[:2] == pair)
        rows.append([*pair, ", ".join(cells), sums, bad[pair]])
    return _table(rows, ["scenario", "by", "points tried (/ of those known)", "sum",
                         "violations"])


def _place(site):
    """The innermost place of a site, without what differs in form."""
    first = site.split(" < ")[0]
    match = re.match(r"(\S+) \((\S+?):(\d+)\)", first)
    return f"{match[2]} {match[1]}" if match else first


def _sites(results):
    calls = collections.defaultdict(set)
    for entry in results["tried"]:
        if entry["met"]:
            calls[_place(entry["site"])].add(entry["call"])
    lines = [f"- {place}: {', '.join(sorted(names))}"
             for place, names in sorted(calls.items())]
    whole = len({(entry["call"], entry["site"]) for entry in results["tried"]
                 if entry["met"]})
    return (f"{whole} call sites, by the function that they end in:\n\n" + "\n".join(lines) +
            "\n\nCall sites of the seam that no scenario can come by (`tests/fault/sites` "
            "lists all of them, and who comes by):\n\n" +
            "\n".join(f"- {site}: {why}" for site, why in unreached.REASONS.items()))


def _planted(path):
    if not path.exists():
        return "`tests/fault/planted/run` plants them; it has not been run here."
    rows = [[bug["words"], bug["scenario"], bug["injector"], bug["tried"],
             f"{bug['found']}" if bug["found"] else "**not found**"]
            for bug in json.loads(path.read_text())]
    return _table(rows, ["bug", "scenario", "by", "found by point", "the sentence"])


def _violations(results):
    bad = [entry for entry in results["tried"] if entry["violation"]]
    if not bad:
        return "No violation."
    return "\n".join(
        f"- `--replay {entry['scenario']!r}:{entry['injector']!r}:{entry['kind']!r}:"
        f"{entry['n']}`: {entry['violation'].strip().splitlines()[0]}" for entry in bad)


def document(results_path, planted_path):
    """The whole text."""
    results = json.loads(results_path.read_text())
    points, tried = distinct(results), len(results["tried"])
    minutes = results["seconds"] / 60
    summary = (f"**{len(points)} distinct points tried, "
               f"{sum(1 for e in results['tried'] if e['violation'])} violations** · "
               f"{results['date']}, {minutes:.0f} minutes, {results['lanes']} lanes on "
               f"{os.cpu_count()} cores, seed {results['seed']}, {tried} runs, "
               f"{sum(row[2] for row in results['recorded'])} points recorded")
    mended = sum(1 for e in results["tried"] if e.get("again") and not e["violation"])
    if mended:
        summary += (f" · {mended} points that did not hold at first were tried again after "
                    "what they had found was mended")
    ways = "\n".join(f"- **{name}**: {text}" for name, text in WAYS.items())
    said = "\n".join(f"- **{scenario.name}**: {scenario.__doc__.strip()}"
                     for scenario in EVERY)
    return "\n".join([HEAD, summary, "", _violations(results), "", "## Scenarios", said, "",
                      "## Ways", ways, "", "## Points", _matrix(results), "",
                      "## Planted bugs", _planted(planted_path), "", MODEL, LIMITS,
                      "## Call sites that met a fault", _sites(results), ""])
