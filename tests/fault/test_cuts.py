"""What a power cut may leave, told by the model for disks so small that one can count."""

import os

from faults import disk
from faults.cuts import TRIED, Cuts
from faults.disk import Disk, File, Folder


class Small(Disk):
    """A folder `top` that was synced, with these files."""

    def __init__(self, **files):
        self.root_path, self.ignored, self.aliases, self.pending = "/d", (), {}, []
        self.root = Folder()
        for name, text in files.items():
            self.root.now[name] = File(text.encode(), 0o600, synced=True)
        self.root.durable = dict(self.root.now)

    def do(self, call, target, other="", number=0, data=""):
        self.apply({"call": call, "target": f"/d/{target}", "number": number, "offset": 0,
                    "other": f"/d/{other}", "result": str(len(data)),
                    "data": data.encode().hex()})

    def make(self, name, text):
        self.do("openat", name, number=os.O_CREAT)
        self.do("write", name, data=text)

    def sync(self, what):
        if isinstance(what, str):
            what = self.node(f"/d/{what}" if what else "/d")
        super().sync(what)


def trees(small):
    """Every state: {name: text} each, without modes."""
    cuts = Cuts(small)
    names, left_out = cuts.new(set(), 1)
    assert not left_out and len(set(names)) == len(names)
    found = []
    for name in names:
        tree, real = cuts.tree(name)
        found.append({path: what[1].decode() if what[0] == "file" else what[0]
                      for path, what in tree.items()})
        assert cuts.tree(real) == (tree, real)  # what it says it is, it is
    assert all(found.count(tree) == 1 for tree in found)
    return found


def same(found, *expected):
    return sorted(map(sorted_items, found)) == sorted(map(sorted_items, expected))


def sorted_items(tree):
    return sorted(tree.items())


def test_a_disk_that_is_synced_has_one_state():
    assert same(trees(Small(a="old")), {"a": "old"})


def test_a_file_that_replaces_another_without_a_sync_is_empty_torn_or_whole_under_any_name():
    small = Small(a="old")
    small.make("b", "1234")
    small.do("rename", "b", "a")
    assert same(trees(small), {"a": "old"}, *(
        tree for text in ("", "12", "1234") for tree in (
            {"a": "old", "b": text}, {"a": text})))


def test_a_file_that_is_synced_before_it_replaces_another_is_the_old_or_the_new_one():
    small = Small(a="old")
    small.make("b", "1234")
    small.sync("b")
    small.sync("")
    small.do("rename", "b", "a")
    assert same(trees(small), {"a": "old", "b": "1234"}, {"a": "1234"})
    small.sync("")
    assert same(trees(small), {"a": "1234"})


def test_a_rename_from_folder_to_folder_may_leave_both_names_or_none():
    small = Small(a="x")
    small.do("mkdir", "to", number=0o700)
    small.sync("")
    small.do("rename", "a", "to/a")
    assert same(trees(small), {"a": "x", "to": "folder"},
                {"a": "x", "to": "folder", "to/a": "x"}, {"to": "folder"},
                {"to": "folder", "to/a": "x"})


def test_changes_that_wait_come_through_in_every_combination():
    small = Small(a="1", b="2", c="3")
    for name in "abc":
        small.do("unlink", name)
    assert len(trees(small)) == 2 ** 3
    for name in "abc":
        small.make(name, "")
    assert len(trees(small)) == 3 ** 3  # each: the old one, none, the new and empty one


def test_two_names_of_one_file_hold_the_same_bytes():
    small = Small()
    small.make("a", "1234")
    small.do("link", "a", "b")
    small.sync("")
    assert same(trees(small), *({"a": text, "b": text} for text in ("", "12", "1234")))


def test_a_mode_that_was_not_synced_is_the_old_or_the_new_one():
    small = Small(a="x")
    small.do("fchmod", "a", number=0o644)
    cuts = Cuts(small)
    names, _ = cuts.new(set(), 1)
    assert sorted(cuts.tree(name)[0]["a"][2] for name in names) == [0o600, 0o644]


def test_what_waits_in_a_folder_that_is_gone_makes_no_difference():
    small = Small()
    small.do("mkdir", "x", number=0o700)
    small.sync("")
    small.make("x/a", "1")
    small.do("unlink", "x/a")
    small.do("rmdir", "x")
    small.sync("")
    assert same(trees(small), {})
    assert Cuts(small).pending == []


def test_a_state_that_was_seen_is_not_new_and_a_selection_says_what_it_leaves_out():
    small, seen = Small(), set()
    for i in range(8):
        small.do("mkdir", str(i), number=0o700)
    names, left_out = Cuts(small).new(seen, 1)
    assert (len(names), left_out) == (TRIED, 2 ** 8 - TRIED)
    assert Cuts(small).new(set(), 1)[0] == names  # the same one each time
    assert Cuts(small).new(seen, 2) == ([], 0)


def test_of_very_many_combinations_some_are_thrown_and_the_others_are_counted():
    small = Small()
    for i in range(20):
        small.make(str(i), "1234")
    cuts = Cuts(small)
    names, left_out = cuts.new(set(), 1)
    assert cuts.sum() == 2 ** 20 and len(set(names)) == TRIED
    assert left_out == cuts.sum() - TRIED
    assert Cuts(small).new(set(), 1) == (names, left_out)


def test_a_name_of_another_run_fits_as_far_as_it_goes():
    small = Small(a="1", b="2")
    small.do("unlink", "a")
    small.do("unlink", "b")
    tree, name = Cuts(small).tree("-/")
    assert list(tree) == ["a"] and name == "-+/"


def test_a_call_that_the_model_does_not_know_is_an_error():
    small = Small(a="1")
    try:
        small.do("truncate", "a")
    except RuntimeError as e:
        assert "does not know truncate" in str(e)
    else:
        raise AssertionError("it was passed over")
    assert disk.distinct([("a", 1), ("b", 1)]) == [("a", 1)]
