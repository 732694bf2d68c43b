from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path as FilePath

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from ccdashd.edits.frontmatter import EditRefused, set_value, set_values, toggle_box, unified_diff
from ccdashd.sources.planning.frontmatter import read
from ccdashd.sources.planning.yaml import Path, Value, text

CORPUS = os.environ.get("CCDASH_CORPUS")


def block(yaml: str) -> bytes:
    return f"---\n{yaml}---\n# Body\n".encode()


@pytest.mark.parametrize(
    ("yaml", "path", "new", "after"),
    [
        ("status: todo # note\na: 1\n", ("status",), "done", "status: done # note\na: 1\n"),
        ("status:   todo  \n", ("status",), "done", "status:   done  \n"),
        ("status: 'todo' # note\n", ("status",), "it's", "status: 'it''s' # note\n"),
        ('status: "todo"\n', ("status",), 'say "x" \\', 'status: "say \\"x\\" \\\\"\n'),
        ("status: 'todo'\n", ("status",), "two\nlines", 'status: "two\\nlines"\n'),
        ("status: todo\n", ("status",), "in progress", "status: in progress\n"),
        ("status: todo\n", ("status",), "a: b", 'status: "a: b"\n'),
        ("status: todo\n", ("status",), "x # y", 'status: "x # y"\n'),
        ("status: todo\n", ("status",), "`x`", 'status: "`x`"\n'),
        ("status: todo\n", ("status",), '@"x"', "status: '@\"x\"'\n"),
        ("status: todo\n", ("status",), " x ", 'status: " x "\n'),
        ("status: todo\n", ("status",), "", 'status: ""\n'),
        # What would not be this text any more is quoted: numbers and words, also those of YAML 1.1.
        ("status: todo\n", ("status",), "3", 'status: "3"\n'),
        ("status: todo\n", ("status",), "true", 'status: "true"\n'),
        ("status: todo\n", ("status",), "null", 'status: "null"\n'),
        ("status: todo\n", ("status",), "On", 'status: "On"\n'),
        ("status: todo\n", ("status",), "x\u2028y", 'status: "x\\u2028y"\n'),
        ("status: todo\n", ("status",), "😀é", "status: 😀é\n"),
        ("updated: 2025-01-31\n", ("updated",), "2025-02-01", "updated: 2025-02-01\n"),
        # Numbers stay numbers.
        ("done: 3\n", ("done",), "4", "done: 4\n"),
        ("done: '3'\n", ("done",), "4", "done: '4'\n"),
        ("progress: 50\n", ("progress",), "62.5", "progress: 62.5\n"),
        # Empty values.
        ("status:\na: 1\n", ("status",), "done", "status: done\na: 1\n"),
        ("status: # note\n", ("status",), "done", "status: done # note\n"),
        ("status: ~\n", ("status",), "done", "status: done\n"),
        ("a: {status: , b: 1}\n", ("a", "status"), "done", "a: {status: done , b: 1}\n"),
        ("a: {b, status}\n", ("a", "status"), "done", "a: {b, status: done}\n"),
        ("a:\n-\n- x\n", ("a", 0), "done", "a:\n- done\n- x\n"),
        # Where the value stands.
        ("status:\n  todo # note\n", ("status",), "done", "status:\n  done # note\n"),
        ("'status': todo\n", ("status",), "done", "'status': done\n"),
        ("? status\n: todo\n", ("status",), "done", "? status\n: done\n"),
        ("tasks:\n  - id: a\n    status: todo\n  - id: b\n    status: todo\n", ("tasks", 1, "status"), "done", None),
        ("tasks: [{id: a, status: todo}]\n", ("tasks", 0, "status"), "a, b", 'tasks: [{id: a, status: "a, b"}]\n'),
        ("tasks:\n  T-1: {status: todo}\n", ("tasks", "T-1", "status"), "done", "tasks:\n  T-1: {status: done}\n"),
        ("tasks:\n  1:\n    status: todo\n", ("tasks", "1", "status"), "done", "tasks:\n  1:\n    status: done\n"),
        ("{a: 1, status: todo}\n", ("status",), "done", "{a: 1, status: done}\n"),
        # Anchors elsewhere do no harm.
        ("a: &x [1]\nb: *x\nstatus: todo\n", ("status",), "done", "a: &x [1]\nb: *x\nstatus: done\n"),
    ],
)
def test_only_the_value_changes(yaml: str, path: Path, new: str, after: str | None) -> None:
    after = after or yaml[::-1].replace("odot", "enod", 1)[::-1]
    edited = set_value(block(yaml), path, new)
    assert edited.data == block(after)
    assert edited.data.split(b"\n")[edited.line - 1] != block(yaml).split(b"\n")[edited.line - 1]
    assert edited.after == new


@pytest.mark.parametrize(
    ("yaml", "path", "after"),
    [
        ("a: 1\nb: 2\n", ("status",), "a: 1\nstatus: done\nb: 2\n"),
        ("a: 1 # note\n", ("status",), "a: 1 # note\nstatus: done\n"),
        ("tasks:\n- x\na: 1\n", ("status",), "tasks:\n- x\na: 1\nstatus: done\n"),
        ("a: |\n  text\nb: >\n  text\nc:\n", ("status",), "a: |\n  text\nb: >\n  text\nc:\nstatus: done\n"),
        ("a: two\n  lines\nb: [x]\n", ("status",), "a: two\n  lines\nb: [x]\nstatus: done\n"),
        ("x: &x 1\na: *x\n", ("status",), "x: &x 1\nstatus: done\na: *x\n"),
        ("t:\n  - id: a\n    n: b\n", ("t", 0, "status"), "t:\n  - id: a\n    status: done\n    n: b\n"),
        ("t:\n-   id: a\n", ("t", 0, "status"), "t:\n-   id: a\n    status: done\n"),
        ("t:\n  - - id: a\n", ("t", 0, 0, "status"), "t:\n  - - id: a\n      status: done\n"),
        ("t:\n  T-1:\n    n: x\n  T-2:\n    n: y\n", ("t", "T-2", "status"), None),
        ("t: {a: b}\n", ("t", "status"), "t: {a: b, status: done}\n"),
        ("t: { a: b }\n", ("t", "status"), "t: { a: b, status: done }\n"),
        ("t: {a: b,}\n", ("t", "status"), "t: {a: b, status: done}\n"),
        ("t: {}\n", ("t", "status"), "t: {status: done}\n"),
        ("t: {a}\n", ("t", "status"), "t: {a, status: done}\n"),
        ('t: {"a": "b"}\n', ("t", "status"), 't: {"a": "b", "status": "done"}\n'),
        ("t: {a: b,\n    c: d}\n", ("t", "status"), "t: {a: b,\n    c: d, status: done}\n"),
        ("{a: 1}\n", ("status",), "{a: 1, status: done}\n"),
        ("<<: {b: 1}\na: 1\n", ("status",), "<<: {b: 1}\nstatus: done\na: 1\n"),
    ],
)
def test_a_missing_key_is_added(yaml: str, path: Path, after: str | None) -> None:
    edited = set_value(block(yaml), path, "done")
    assert edited.data == block(after or yaml + "    status: done\n")
    assert (edited.before, edited.after) == ("", "done")
    assert b"done" in edited.data.split(b"\n")[edited.line - 1]
    found = read(edited.data)
    assert found.line_of(path) == edited.line


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
def test_line_ends_and_byte_order_mark_stay(ending: str, bom: str) -> None:
    def file(status: str, added: str = "") -> bytes:
        return f"{bom}---\na: 1\n{added}status: {status}\n---\nBody\n".replace("\n", ending).encode()

    assert set_value(file("todo"), ("status",), "done").data == file("done")
    assert set_value(file("todo"), ("b",), "2").data == file("todo", "b: 2\n")


def test_bytes_that_are_not_utf8_stay() -> None:
    data = b"---\nname: caf\xe9 # \xff\nstatus: todo # \xe9\n---\n\xff\n"
    assert set_value(data, ("status",), "done").data == data.replace(b"todo", b"done")
    assert set_value(data, ("name",), "tea").data == data.replace(b"caf\xe9", b"tea")


def test_a_value_that_is_so_already_changes_nothing() -> None:
    data = block("a: 1\nstatus: 'done'\n")
    edited = set_value(data, ("status",), "done")
    assert (edited.data, edited.line, edited.before) == (data, 3, "done")


def test_several_values() -> None:
    data = block("status: todo\ndone: 0\n")
    edits = set_values(data, [(("status",), "done"), (("updated",), "2025-01-31"), (("done",), "1")])
    assert edits[-1].data == block("status: done\nupdated: 2025-01-31\ndone: 1\n")
    assert [(edit.line, edit.before, edit.after) for edit in edits] == [
        (2, "todo", "done"),
        (3, "", "2025-01-31"),
        (4, "0", "1"),
    ]
    with pytest.raises(EditRefused):
        set_values(data, [(("status",), "done"), (("status", "x"), "y")])
    assert set_values(data, []) == []


@pytest.mark.parametrize(
    ("data", "path", "message"),
    [
        (b"# Text\n", ("a",), "the file has no frontmatter"),
        (b"---\n---\n", ("a",), "cannot set a (line 1): the frontmatter is empty"),
        (b"---\na: " + b"[" * 99 + b"\n---\n", ("a",), "nested deeper"),
        (block("a: 1\n"), (), "cannot set the frontmatter (line 2): it is a list or a mapping"),
        (block("a: [1]\n"), ("a",), "cannot set a (line 2): it is a list or a mapping"),
        (block("a: [1]\n"), ("a", 1), "cannot set a[1] (line 2): a has no item 1, counted from 0, but 1"),
        (block("a: [1]\n"), ("a", -1), "no item -1"),
        (block("a: [1]\n"), ("a", "b"), "a is a list, and has no b"),
        (block("a: {b: 1}\n"), ("a", 0), "a is a mapping, and has no 0"),
        (block("a: 1\n"), ("a", "b"), "cannot set a.b (line 2): a is a single value"),
        (block("a:\n  c: 1\n"), ("a", "b", "c"), "cannot set a.b.c (line 3): a has no b"),
        (block("a: &x 1\n"), ("a",), "an anchor (&) or a tag (!)"),
        (block("a: !!str 1\n"), ("a",), "an anchor (&) or a tag (!)"),
        (block("a: &x 1\nb: *x\n"), ("a",), "shared with another place"),
        (block("a: &x 1\nb: *x\n"), ("b",), "shared with another place"),
        (block("a: &x {s: 1}\nb: *x\n"), ("b", "s"), "shared with another place"),
        (block("a: &x {s: 1}\nb: *x\n"), ("b", "new"), "shared with another place"),
        (block("a: &x {s: 1}\nb:\n  <<: *x\n  c: 1\n"), ("b", "s"), "comes from elsewhere by a merge key"),
        (block("a: |\n  text\n"), ("a",), "its text has several lines"),
        (block("a: >-\n  text\n"), ("a",), "its text has several lines"),
        (block("a: two\n  lines\n"), ("a",), "its text has several lines"),
        (block("a: 'two\n  lines'\n"), ("a",), "its text has several lines"),
        (block("a: 1\nb: 2\na: 3\n"), ("a",), "cannot set a: the key a is there more than once, in lines 2 and 4"),
        (block("a:\n- x\n"), ("status",), "cannot set status (line 2): it is missing, and no line beside it"),
        (block("a: 1\n"), ("a",), "a lone surrogate"),
        (block("a: {b: c # note\n  }\n"), ("a", "d"), "cannot be written there"),
        # Frontmatter that is no YAML: what was repaired is not touched.
        (block("a: `x`\nb: 1\n"), ("a",), "cannot set a (line 2): its line was understood only after a repair (text that"),
        (block("t:\n- id: `x`\n"), ("t", 0, "status"), "(line 3): its line was understood only after a repair"),
        (block("a: 1\nstatus todo\nb: 2\n"), ("status",), "it may stand in line 3, which is no YAML"),
    ],
)
def test_what_needs_guessing_is_refused(data: bytes, path: Path, message: str) -> None:
    with pytest.raises(EditRefused) as caught:
        set_value(data, path, "\ud800" if "surrogate" in message else "done")
    assert message in caught.value.message


def test_beside_broken_lines_values_can_be_set() -> None:
    data = block("a: `x`\nt:\n- id: 1\n  status: todo\n- id: 2\n  note: in: here\nb: 1\n")
    edited = set_value(data, ("t", 0, "status"), "done")
    assert edited.data == data.replace(b"todo", b"done")
    assert edited.line == 5
    assert set_value(data, ("t", 0, "size"), "M").data == data.replace(b"1\n  status", b"1\n  size: M\n  status")


@pytest.mark.parametrize(
    ("line", "mark", "after"),
    [
        ("- [ ] text", "x", "- [x] text"),
        ("  * [x] text [ ]", " ", "  * [ ] text [ ]"),
        ("+ [X]", "x", "+ [x]"),
        ("12. [ ] text\r", "x", "12. [x] text\r"),
        ("1) [-] text", "x", "1) [x] text"),
        ("> - [ ] text", "x", "> - [x] text"),
        ("- [✓] text", " ", "- [ ] text"),
        ("- [ ] text", "✓", "- [✓] text"),
    ],
)
def test_boxes(line: str, mark: str, after: str) -> None:
    data = block("a: 1\n") + f"\n{line}\nend \xff".encode("latin-1" if line.isascii() else "utf-8")
    edited = toggle_box(data, 6, mark)
    assert edited.data == data.replace(line.encode(), after.encode())
    assert (edited.line, edited.after) == (6, mark)
    assert toggle_box(edited.data, 6, edited.before).data == data


@pytest.mark.parametrize(
    ("data", "line", "mark", "message"),
    [
        (b"- [ ] x\n", 0, "x", "there is no line 0"),
        (b"- [ ] x", 2, "x", "there is no line 2: the file has 1 lines"),
        (b"text\n- [ ] x\n", 1, "x", "line 1 is no item with a box"),
        (b"- [x](url)\n", 1, "x", "line 1 is no item with a box"),
        (b"- [todo] x\n", 1, "x", "line 1 is no item with a box"),
        (b"[ ] x\n", 1, "x", "line 1 is no item with a box"),
        (b"---\na:\n- [ ] \n---\n", 3, "x", "line 3 is no item with a box"),
        (b"- [ ] x\n", 1, "xx", "'xx' is no mark"),
        (b"- [ ] x\n", 1, "", "'' is no mark"),
        (b"- [ ] x\n", 1, "]", "']' is no mark"),
        (b"- [ ] x\n", 1, "\n", "is no mark"),
    ],
)
def test_lines_without_a_box_are_refused(data: bytes, line: int, mark: str, message: str) -> None:
    with pytest.raises(EditRefused) as caught:
        toggle_box(data, line, mark)
    assert message in caught.value.message


def test_diff() -> None:
    before = b"1\n2\n3\n4\nold\n5\n6\n7\n8"
    assert unified_diff(before, before.replace(b"old", b"new"), "a/b.md") == (
        "--- a/b.md\n+++ a/b.md\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-old\n+new\n 5\n 6\n 7\n"
    )
    assert unified_diff(b"a\x0cb\r\nx", b"a\x0cb\r\ny", "f") == (
        "--- f\n+++ f\n@@ -1,2 +1,2 @@\n a\x0cb\r\n-x\n\\ No newline at end of file\n+y\n\\ No newline at end of file\n"
    )
    assert unified_diff(b"", b"x\n", "f") == "--- f\n+++ f\n@@ -0,0 +1 @@\n+x\n"
    assert unified_diff(before, before, "f") == ""


@pytest.mark.skipif(shutil.which("git") is None, reason="there is no git here")
@given(st.lists(st.sampled_from(["a", "b", "c\r", "", "é"]), max_size=8), st.data())
@settings(max_examples=15)
def test_a_diff_can_be_applied(lines: list[str], data: st.DataObject) -> None:
    """By the program that everybody applies diffs with."""
    before = "\n".join(lines).encode()
    after = "\n".join(data.draw(st.permutations(lines)) + data.draw(st.sampled_from([[], ["new"]]))).encode()
    assume(before and after and before != after)
    diff = unified_diff(before, after, "file")
    with tempfile.TemporaryDirectory() as folder:
        file = FilePath(folder, "file")
        file.write_bytes(before)
        command = ["git", "apply", "-p0", "--whitespace=nowarn"]
        subprocess.run(command, cwd=folder, input=diff.encode(), check=True)
        assert file.read_bytes() == after


# Random documents, in all the styles that YAML has. What is written is noted beside it.


@dataclass
class Written:
    """Lines of YAML, what they mean, and where single values are that can be set."""

    lines: list[str] = field(default_factory=list)
    values: dict[str, Value] = field(default_factory=dict)
    settable: dict[Path, int] = field(default_factory=dict)
    """Path to the line, from 0."""


words = st.text("abcXYZ -_/.'\"\\:#,é😀{}[]&*!|>%@`?~0189\u2028\x85", max_size=9)
plain_words = st.from_regex(r"[a-z][a-z_]{0,5}( [a-z0-9]{1,3})?", fullmatch=True).filter(
    lambda word: word not in ("true", "false", "null")
)
names = st.from_regex(r"[a-z][a-z_0-9]{0,4}", fullmatch=True).filter(lambda word: word not in ("true", "false", "null"))


@st.composite
def scalars(draw: st.DrawFn) -> tuple[str, Value]:
    """How a value is written, and the value."""
    style = draw(st.sampled_from(["plain", "single", "double", "number", "word"]))
    if style == "plain":
        word = draw(plain_words)
        return word, word
    if style == "single":
        word = draw(words)
        return "'" + word.replace("'", "''") + "'", word
    if style == "double":
        word = draw(words)
        return json.dumps(word, ensure_ascii=word.isascii() or (max(word) < "\U00010000" and draw(st.booleans()))), word
    if style == "number":
        number = draw(st.integers(-99, 999))
        return str(number), number
    return draw(
        st.sampled_from([("true", True), ("null", None), ("~", None), ("2025-01-31", "2025-01-31"), ("0012", "0012")])
    )


@st.composite
def keys(draw: st.DrawFn, name: str) -> str:
    return draw(st.sampled_from([name, f"'{name}'", f'"{name}"']))


@st.composite
def flow(draw: st.DrawFn, path: Path, depth: int) -> tuple[str, Value, list[Path]]:
    kind = draw(st.sampled_from(["scalar", "scalar", "list", "mapping"] if depth < 2 else ["scalar"]))
    if kind == "scalar":
        written, value = draw(scalars())
        return written, value, [path]
    pad = draw(st.sampled_from(["", " "]))
    parts, settable, values = [], [], []
    for name in draw(st.lists(names, max_size=3, unique=True)):
        step: str | int = name if kind == "mapping" else len(parts)
        written, value, inner = draw(flow((*path, step), depth + 1))
        parts.append(f"{draw(keys(name))}: {written}" if kind == "mapping" else written)
        settable += inner
        values.append((name, value))
    content = pad + ", ".join(parts) + pad
    if kind == "mapping":
        return "{" + content + "}", dict(values), settable
    return "[" + content + "]", [value for _, value in values], settable


def comment(draw: st.DrawFn) -> str:
    return draw(st.sampled_from(["", "", " # note", "  #: 'note", "   "]))


def write_mapping(draw: st.DrawFn, out: Written, path: Path, indent: int, first: str, depth: int) -> dict[str, Value]:
    """One key a line, the first behind `first` (indentation, or a dash)."""
    values: dict[str, Value] = {}
    for name in draw(st.lists(names, min_size=1, max_size=4, unique=True)):
        lead = first if not values else " " * indent
        here = (*path, name)
        key = lead + draw(keys(name)) + draw(st.sampled_from(["", "", " "])) + ":"
        style = draw(
            st.sampled_from(
                ["scalar"] * 4 + ["flow", "below", "empty", "literal", "folded"] + ["list", "mapping"] * (depth < 3)
            )
        )
        if style == "scalar":
            written, values[name] = draw(scalars())
            out.settable[here] = len(out.lines)
            out.lines.append(key + draw(st.sampled_from([" ", "  "])) + written + comment(draw))
        elif style == "flow":
            written, values[name], inner = draw(flow(here, 0))
            out.settable |= dict.fromkeys(inner, len(out.lines))
            out.lines.append(f"{key} {written}{comment(draw)}")
        elif style == "below":
            written, values[name] = draw(scalars())
            out.settable[here] = len(out.lines) + 1
            out.lines += [key + comment(draw), " " * (indent + 3) + written + comment(draw)]
        elif style == "empty":
            values[name] = None
            out.settable[here] = len(out.lines)
            out.lines.append(key + comment(draw))
        elif style in ("literal", "folded"):
            word = draw(plain_words)
            values[name] = f"{word}: x\n"
            out.lines += [f"{key} {'|' if style == 'literal' else '>'}", " " * (indent + 2) + word + ": x"]
        elif style == "mapping":
            out.lines.append(key)
            deeper = indent + draw(st.integers(1, 4))
            values[name] = write_mapping(draw, out, here, deeper, " " * deeper, depth + 1)
        else:
            out.lines.append(key)
            values[name] = write_list(draw, out, here, indent + draw(st.integers(0, 3)), depth + 1)
        if draw(st.booleans()) and draw(st.booleans()):
            out.lines.append(draw(st.sampled_from(["", " " * indent + "# note: x", "# - note"])))
    return values


def write_list(draw: st.DrawFn, out: Written, path: Path, indent: int, depth: int) -> list[Value]:
    values: list[Value] = []
    for _ in range(draw(st.integers(1, 3))):
        here = (*path, len(values))
        dash = " " * indent + "-" + " " * draw(st.integers(1, 3))
        if draw(st.booleans()):
            values.append(write_mapping(draw, out, here, len(dash), dash, depth + 1))
        else:
            written, value, inner = draw(flow(here, 0))
            out.settable |= dict.fromkeys(inner, len(out.lines))
            out.lines.append(dash + written + comment(draw))
            values.append(value)
    return values


@st.composite
def documents(draw: st.DrawFn) -> tuple[bytes, Written]:
    out = Written()
    if draw(st.booleans()):
        out.lines += ["_anchor: &one {x: 1}", "_alias: *one", "_merged:", "  <<: *one", "  y: 2"]
        out.values = {"_anchor": {"x": 1}, "_alias": {"x": 1}, "_merged": {"x": 1, "y": 2}}
    out.values |= write_mapping(draw, out, (), 0, "", 0)
    ending = draw(st.sampled_from(["\n", "\r\n"]))
    head = draw(st.sampled_from(["", "\ufeff"])) + "---" + draw(st.sampled_from(["", " "]))
    body = draw(st.sampled_from(["", "# Text\n---\nstatus: todo", "\n- [ ] x\n"]))
    lines = [head, *out.lines, draw(st.sampled_from(["---", "...", "--- "])), body]
    return ending.join(lines).encode(), out


new_values = st.sampled_from(["done", "in_progress", "7", "true", "a: b", "x # y", "- z", "'", "", "on"]) | st.text(
    max_size=8
)
slow = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None)


@given(documents(), new_values, st.data())
@slow
def test_of_random_documents_one_value_and_one_line_change(
    document: tuple[bytes, Written], new: str, data: st.DataObject
) -> None:
    before, out = document
    assert read(before).values == out.values
    assert not read(before).findings
    assume(out.settable)
    path, line = data.draw(st.sampled_from(sorted(out.settable.items(), key=str)))
    edited = set_value(before, path, new)
    found = read(edited.data)
    old = at(out.values, path)
    value = at(found.values, path)
    assert value == new or (not isinstance(old, str) and text(value) == new)
    assert found.values == replaced(out.values, path, value)
    assert not found.findings
    assert edited.line == line + 2
    old_lines, new_lines = before.split(b"\n"), edited.data.split(b"\n")
    assert len(old_lines) == len(new_lines)
    changed = [n for n, pair in enumerate(zip(old_lines, new_lines, strict=True), 1) if pair[0] != pair[1]]
    assert changed in ([edited.line], [])
    # And back again.
    back = set_value(edited.data, path, edited.before)
    assert text(at(read(back.data).values, path)) == edited.before


@given(documents(), names, new_values, st.data())
@slow
def test_in_random_documents_a_key_can_be_added(
    document: tuple[bytes, Written], name: str, new: str, data: st.DataObject
) -> None:
    before, out = document
    mappings = [path for path in containers(out.values) if isinstance(at(out.values, path), dict)]
    path = data.draw(st.sampled_from(mappings))
    mapping = at(out.values, path)
    assert isinstance(mapping, dict)
    assume(name not in mapping)
    try:
        edited = set_value(before, (*path, name), new)
    except EditRefused as refused:
        # No key with its value in the same line, or within an anchor.
        assert "no line beside it" in refused.message or "shared" in refused.message
        return
    found = read(edited.data)
    assert text(at(found.values, (*path, name))) == new
    assert found.values == replaced(out.values, (*path, name), at(found.values, (*path, name)))
    assert found.line_of((*path, name)) == edited.line
    assert edited.data.count(b"\n") - before.count(b"\n") in (0, 1)
    assert (b"\r\n" in edited.data) == (b"\r\n" in before)


junk = st.lists(
    st.sampled_from([*"abé:-#'\"[]{},|>`@%?\\\0\x85\r\t ", "key", "&a", "*a", "!t", "<<: ", "..."])
    | st.sampled_from([": ", "- ", " #", "\n", "\n  ", "\n- ", "\r\n", "\na: ", "\nb: {a: ", "\nkey: "]),
    max_size=40,
).map("".join)


@given(st.binary(max_size=60) | junk.map(str.encode), new_values, st.data())
@slow
def test_any_file_is_edited_or_refused(inner: bytes, new: str, data: st.DataObject) -> None:
    before = b"---\na: " + inner + b"\n---\nBody"
    found = read(before)
    path: Path = data.draw(st.sampled_from([*containers(found.values), ("a",), ("b",), ("b", "a"), ("a", 0), ("key",)]))
    try:
        edited = set_value(before, path, new)
    except EditRefused as refused:
        assert refused.message
        return
    value = at(read(edited.data).values, path)
    assert text(value) == new
    assert read(edited.data).values == replaced(found.values, path, value)


@given(st.binary(max_size=40), st.integers(-1, 5), st.text(max_size=2))
def test_any_line_is_ticked_or_refused(data: bytes, line: int, mark: str) -> None:
    before = b"- [ ] x\n" + data
    try:
        edited = toggle_box(before, line, mark)
    except EditRefused:
        assert line != 1 or len(mark) != 1 or not mark.isprintable() or mark == "]"
    else:
        assert edited.data.split(b"\n")[line - 1] != b"" and edited.data.count(b"\n") == before.count(b"\n")


def at(values: Value, path: Path) -> Value:
    for step in path:
        values = values[step]  # type: ignore[index, call-overload]
    return values


def replaced(values: Value, path: Path, new: Value) -> Value:
    if not path:
        return new
    if isinstance(values, list):
        return [replaced(item, path[1:], new) if n == path[0] else item for n, item in enumerate(values)]
    assert isinstance(values, dict)
    return values | {str(path[0]): replaced(values.get(str(path[0])), path[1:], new)}


def containers(values: Value, path: Path = ()) -> list[Path]:
    """Paths of all values."""
    inner = values.items() if isinstance(values, dict) else enumerate(values) if isinstance(values, list) else ()
    return [path, *(found for step, item in inner for found in containers(item, (*path, step)))]


@pytest.mark.corpus
def test_every_status_of_real_files_can_be_set() -> None:
    if CORPUS is None:
        pytest.skip("CCDASH_CORPUS is not set")
    done = refused = 0
    for path in sorted((FilePath(CORPUS) / "skillmeat").rglob("*.md")):
        data = path.read_bytes() if path.is_file() else b""
        found = read(data)
        tasks = found.values.get("tasks")
        places: list[Path] = [("status",)] if found.values.get("status") else []
        if isinstance(tasks, list):
            places += [("tasks", n, "status") for n in range(len(tasks))[-1:] if isinstance(tasks[n], dict)]
        elif isinstance(tasks, dict):
            places += [("tasks", name, "status") for name in list(tasks)[:2]]
        for place in places:
            try:
                edited = set_value(data, place, "blocked")
            except EditRefused:
                refused += 1
                continue
            old, new = data.split(b"\n"), edited.data.split(b"\n")
            assert [n for n, pair in enumerate(zip(old, new, strict=False), 1) if pair[0] != pair[1]][:1] == [edited.line]
            done += 1
    assert done > 1000
    assert refused == 1  # both sides of a merge conflict have it
