"""A small model of a file system that loses power; cuts.py says what it may leave.

What is known to be on the disk: the bytes and the mode of a file once the file was synced,
the names in a folder once the folder was synced. Nothing else is assumed: no order between
changes that were not synced, no entry that came along with its file's sync, no data that
came along with a rename. A rename within a folder is one change; between two folders it is
two, one in each. The text of a link comes with its name. Owners and extended attributes are
not looked at."""

import os
import stat
from pathlib import Path


def distinct(options):
    """[(letter, what)] without what was there before."""
    found = {}
    for letter, what in options:
        found.setdefault(what, letter)
    return [(letter, what) for what, letter in found.items()]


class File:
    def __init__(self, data=b"", mode=0o600, synced=False):
        self.data, self.mode = data, mode
        self.durable = data if synced else None
        self.durable_mode = mode  # that it was made with comes with its name

    def sync(self):
        self.durable, self.durable_mode = self.data, self.mode

    def options(self):
        """[(letter, (bytes, mode))] that may be there: of its bytes the Last ones that were
        synced, None of them, The half of the new ones, or those whole (Kept). A capital: and
        the mode that was not synced."""
        last, half = self.durable or b"", self.data[:len(self.data) // 2]
        found = [("l", last)]
        if last != self.data:
            found += [("n", b""), ("t", half), ("k", self.data)]
        return distinct([(letter, (data, self.durable_mode)) for letter, data in found] +
                        [(letter.upper(), (data, self.mode)) for letter, data in found])


class Link:
    def __init__(self, target):
        self.target = target


class Folder:
    def __init__(self, mode=0o700):
        self.now, self.durable = {}, {}
        self.mode = self.durable_mode = mode

    def options(self):
        """[(letter, mode)] that it may have."""
        return distinct([("l", self.durable_mode), ("L", self.mode)])


class Change:
    """Names of one folder that change together: {name: node, or None when it goes}."""

    def __init__(self, folder, names):
        self.folder, self.names = folder, names


def put(entries, names):
    for name, node in names.items():
        if node is None:
            entries.pop(name, None)
        else:
            entries[name] = node


class Disk:
    """What lies below `root`, all of it synced, without files named in `ignored` and
    without the folders `elsewhere` of the root itself. The program sees it under the names
    `aliases` too: {name: path}."""

    def __init__(self, root, ignored=(), elsewhere=(), aliases=None):
        self.root_path, self.ignored = str(root), ignored
        self.aliases = aliases or {}
        self.pending = []
        self.root = self._read(Path(root))
        for name in elsewhere:
            self.root.now.pop(name, None)
            self.root.durable.pop(name, None)

    def _read(self, path):
        status = path.lstat()
        if stat.S_ISLNK(status.st_mode):
            return Link(os.readlink(path))
        if stat.S_ISREG(status.st_mode):
            return File(path.read_bytes(), stat.S_IMODE(status.st_mode), synced=True)
        folder = Folder(stat.S_IMODE(status.st_mode))
        if stat.S_ISDIR(status.st_mode):
            for inner in sorted(path.iterdir()):
                if inner.name not in self.ignored and not inner.is_socket():
                    folder.now[inner.name] = self._read(inner)
            folder.durable = dict(folder.now)
        return folder

    # -- looking up

    def _parts(self, path):
        path = os.path.normpath(path)
        for name, real in self.aliases.items():
            if path == name or path.startswith(name + "/"):
                path = real + path[len(name):]
        if path == self.root_path:
            return []
        if not path.startswith(self.root_path + "/"):
            return None
        return path[len(self.root_path) + 1:].split("/")

    def _folder(self, parts, depth=0):
        """The folder that these names lead to, through links; None when there is none."""
        node, here = self.root, self.root_path
        for i, part in enumerate(parts):
            node = node.now.get(part) if isinstance(node, Folder) else None
            if isinstance(node, Link) and depth < 8:
                to = os.path.join(here, node.target, *parts[i + 1:])
                rest = self._parts(to)
                return self._folder(rest, depth + 1) if rest is not None else None
            here += "/" + part
        return node if isinstance(node, Folder) else None

    def place(self, path):
        """(folder, name), or (None, None) for what is not below the root."""
        parts = self._parts(path)
        if not parts or parts[-1] in self.ignored:
            return None, None
        return self._folder(parts[:-1]), parts[-1]

    def node(self, path):
        parts = self._parts(path)
        if parts is None:
            return None
        if not parts:
            return self.root
        folder, name = self.place(path)
        return folder.now.get(name) if folder else None

    # -- changes

    def change(self, folder, names):
        put(folder.now, names)
        self.pending.append(Change(folder, names))

    def sync(self, node):
        if isinstance(node, File):
            node.sync()
        elif isinstance(node, Folder):
            for change in self.pending:
                if change.folder is node:
                    put(node.durable, change.names)
            self.pending = [c for c in self.pending if c.folder is not node]
            node.durable_mode = node.mode

    def apply(self, call):
        """One line of the driver's log. What failed, what is elsewhere, and files without
        a name changed nothing that lasts. True: this may have."""
        if call["result"].startswith("-") or call["target"].endswith(" (deleted)"):
            return False
        handler = getattr(self, "_" + call["call"].rstrip("2"), None)
        if not handler or self._parts(call["target"]) is None:
            return False
        handler(call)
        return True

    def _openat(self, call):
        flags = int(call["number"])
        folder, name = self.place(call["target"])
        if folder is None or call["target"].endswith("/."):
            return
        node = folder.now.get(name)
        if node is None and flags & os.O_CREAT:
            self.change(folder, {name: File()})
        elif isinstance(node, File) and flags & os.O_TRUNC:
            node.data = b""

    def _write(self, call):
        node = self.node(call["target"])
        if isinstance(node, File):
            at, data = int(call["offset"]), bytes.fromhex(call["data"])
            data = data[:int(call["result"])] if call["result"] != "?" else b""
            node.data = node.data[:at].ljust(at, b"\0") + data + node.data[at + len(data):]

    _pwrite64 = _write

    def _writev(self, call):
        if isinstance(self.node(call["target"]), File):
            raise RuntimeError(f"the model of the disk does not know {call['call']}")

    _truncate = _fallocate = _writev

    def _ftruncate(self, call):
        node = self.node(call["target"])
        if isinstance(node, File):
            size = int(call["number"])
            node.data = node.data[:size].ljust(size, b"\0")

    def _fsync(self, call):
        self.sync(self.node(call["target"]))

    _fdatasync = _fsync

    def _fchmod(self, call):
        node = self.node(call["target"])
        if isinstance(node, (File, Folder)):
            node.mode = int(call["number"])

    _chmod = _fchmodat = _fchmod

    def _mkdirat(self, call):
        folder, name = self.place(call["target"])
        if folder is not None:
            self.change(folder, {name: Folder(int(call["number"]))})

    _mkdir = _mkdirat

    def _symlink(self, call):
        folder, name = self.place(call["target"])
        if folder is not None:
            self.change(folder, {name: Link(call["other"])})

    _symlinkat = _symlink

    def _rename(self, call):
        source, old = self.place(call["target"])
        sink, new = self.place(call["other"])
        if source is None or sink is None:
            return
        node, exchanged = source.now[old], int(call["number"]) & 2  # RENAME_EXCHANGE
        if exchanged and source is sink:
            self.change(source, {old: sink.now[new], new: node})
        elif exchanged:
            self.change(source, {old: sink.now[new]})
            self.change(sink, {new: node})
        elif source is sink:
            self.change(source, {old: None, new: node})
        else:
            self.change(sink, {new: node})
            self.change(source, {old: None})

    _renameat = _rename

    def _link(self, call):
        source, old = self.place(call["target"])
        sink, new = self.place(call["other"])
        if source is not None and sink is not None:
            self.change(sink, {new: source.now[old]})

    _linkat = _link

    def _unlink(self, call):
        folder, name = self.place(call["target"])
        if folder is not None:
            self.change(folder, {name: None})

    _unlinkat = _rmdir = _unlink


def write(tree, root):
    """Makes what Cuts.tree() gave; the folders of the first level may be there already."""
    for path, (kind, *what) in tree.items():
        to = Path(root) / path
        if kind == "folder":
            to.mkdir(exist_ok=True)
            to.chmod(what[0])
        elif kind == "link":
            os.symlink(what[0], to)
        else:
            to.write_bytes(what[0])
            to.chmod(what[1])
