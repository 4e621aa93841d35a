"""What a disk may hold after a power cut: every state that the model of disk.py allows.

Of the changes to names that wait, each came through or did not, in any combination; each file
with bytes or a mode that wait has one of its options(). A state is named by a character for
each change ("+": it came through, "-": it did not), a slash, and a letter for each file and
folder that has several options, in the order in which the disk met them; "." where it makes
no difference. Combinations that leave the same tree are one state."""

import random

from .disk import File, Folder, put

COUNTED = 4096  # combinations of one moment that are all looked at
THROWN = 512  # of more, so many are thrown with dice: of a program that does not sync, say
TRIED = 128  # of those that are new; of more, so many are a selection


def text_of(chars, length):
    return "".join(chars.get(i, ".") for i in range(length))


class Cuts:
    """The states that are allowed now; the disk may not change while it is asked."""

    def __init__(self, disk):
        self.root = disk.root
        self._options, self._entries, self._below, self._sums = {}, {}, {}, {}
        self._discover(disk.root, disk.pending)
        self.pending = [c for c in disk.pending if id(c.folder) in self._options]
        self.own = {}  # of a folder, the positions of the changes that wait
        for i, change in enumerate(self.pending):
            self.own.setdefault(id(change.folder), []).append(i)
        several = [node for node, options in self._options.items() if len(options) > 1]
        self.letters = {node: len(self.pending) + i for i, node in enumerate(several)}

    def _discover(self, node, pending):
        """What may be on the disk; not what was in a folder that is gone for certain."""
        if id(node) in self._options or not isinstance(node, (File, Folder)):
            return
        self._options[id(node)] = node.options()
        if isinstance(node, Folder):
            inner = list(node.durable.values())
            for change in pending:
                if change.folder is node:
                    inner += filter(None, change.names.values())
            for one in inner:
                self._discover(one, pending)

    def entries(self, folder):
        """[({name: node}, ((position, character), ...))] that it may have: one combination
        for each. Empty: more than COUNTED."""
        if id(folder) not in self._entries:
            states = {self._key(folder.durable): ()}
            for i in self.own.get(id(folder), ()):
                for kept in list(states.values()):
                    kept = (*kept, i)
                    states.setdefault(self._key(self._with(folder, kept)[0]), kept)
                if len(states) > COUNTED:
                    states = {}
                    break
            self._entries[id(folder)] = [self._with(folder, kept)
                                         for kept in states.values()]
        return self._entries[id(folder)]

    def _with(self, folder, kept):
        """One of entries()."""
        entries = dict(folder.durable)
        for i in kept:
            put(entries, self.pending[i].names)
        return entries, tuple((i, "+" if i in kept else "-")
                              for i in self.own.get(id(folder), ()))

    @staticmethod
    def _key(entries):
        return frozenset((name, id(node)) for name, node in entries.items())

    def _choices(self, node):
        """[(what, ((position, letter),) or nothing)]"""
        place = self.letters.get(id(node))
        return [(what, () if place is None else ((place, letter),))
                for letter, what in self._options[id(node)]]

    # -- all of them

    def sum(self, node=None):
        """How many combinations there are of what is below, at least."""
        node = node or self.root
        if not isinstance(node, Folder):
            return len(self._options.get(id(node), "l"))
        if id(node) not in self._sums:
            total = 0 if self.entries(node) else 2 ** len(self.own[id(node)])
            for entries, _ in self.entries(node):
                product = 1
                for inner in entries.values():
                    product *= self.sum(inner)
                total += product
            self._sums[id(node)] = total * len(self._options[id(node)])
        return self._sums[id(node)]

    def below(self, node, path):
        """[(hash of the tree there, its characters)]"""
        key = (id(node), path)
        if key not in self._below:
            self._below[key] = list(self._states_below(node, path))
        return self._below[key]

    def _states_below(self, node, path):
        if not isinstance(node, (File, Folder)):
            yield hash((path, node.target)), ()
            return
        for what, letter in self._choices(node):
            here = hash((path, type(node).__name__, what))
            if isinstance(node, File):
                yield here, letter
                continue
            for entries, names in self.entries(node):
                found = [(here, (*letter, *names))]
                for name, inner in entries.items():
                    found = [(a ^ b, x + y) for a, x in found
                             for b, y in self.below(inner, f"{path}/{name}")]
                yield from found

    def now(self):
        """The hash of the tree on a disk that is synced."""
        return self.below(self.root, "")[0][0]

    def some(self, dice, number):
        """So many of them, as `dice` fall; those of below() when they are too many."""
        return [self._one(self.root, "", dice) for _ in range(number)]

    def _one(self, node, path, dice):
        if not isinstance(node, (File, Folder)):
            return hash((path, node.target)), ()
        what, chars = dice.choice(self._choices(node))
        found = hash((path, type(node).__name__, what))
        if isinstance(node, Folder):
            entries, names = dice.choice(self.entries(node) or [self._with(
                node, [i for i in self.own[id(node)] if dice.random() < 0.5])])
            chars += names
            for name, inner in entries.items():
                there, more = self._one(inner, f"{path}/{name}", dice)
                found, chars = found ^ there, chars + more
        return found, chars

    def new(self, seen, seed):
        """(names of the states whose trees are not in the set `seen`, which is added to; how
        many more there are, which `seed` has left out). Of more combinations than COUNTED so
        many as THROWN are looked at, and all others count as left out."""
        combinations, dice = self.sum(), random.Random(seed)
        whole = combinations <= COUNTED
        states = self.below(self.root, "") if whole else self.some(dice, THROWN)
        fresh = {}
        for tree, chars in states:
            if tree not in seen and len(set(chars)) == len(dict(chars)):
                fresh.setdefault(tree, chars)
        seen.update(fresh)
        names = [self.name(dict(chars)) for chars in fresh.values()]
        if len(names) > TRIED:
            names = sorted(dice.sample(names, TRIED))
        return names, (len(fresh) if whole else combinations) - len(names)

    # -- one of them

    def name(self, chars):
        first, all_ = len(self.pending), len(self.pending) + len(self.letters)
        text = text_of(chars, all_)
        return text[:first] + "/" + text[first:]

    def tree(self, name):
        """{path below the root: ("folder", mode) | ("link", target) | ("file", bytes,
        mode)}, and the name of what it is: a disk of another run may have more or less that
        waits. What the name does not say came through."""
        names, _, letters = name.partition("/")
        kept = [change for i, change in enumerate(self.pending) if names[i:i + 1] != "-"]
        chars = {i: "+" if change in kept else "-" for i, change in enumerate(self.pending)}
        found = {}

        def option(node):
            place = self.letters.get(id(node))
            options = dict(self._options[id(node)])
            if place is None:
                return next(iter(options.values()))
            wanted = letters[place - len(self.pending):][:1]
            chars[place] = wanted if wanted in options else list(options)[-1]
            return options[chars[place]]

        def walk(folder, below):
            entries = dict(folder.durable)
            for change in kept:
                if change.folder is folder:
                    put(entries, change.names)
            for name, node in sorted(entries.items()):
                if isinstance(node, Folder):
                    found[below + name] = ("folder", option(node))
                    walk(node, below + name + "/")
                elif isinstance(node, File):
                    found[below + name] = ("file", *option(node))
                else:
                    found[below + name] = ("link", node.target)

        walk(self.root, "")
        return found, self.name(chars)
